"""Pictures that go along with a message: they show what they showed, and say nothing beside it."""

import io

import pytest
from PIL import Image, ImageSequence, PngImagePlugin

from profilectl.errors import InputRefused
from profilectl.pictures import attachments
from profilectl.pictures.provenance import MACHINE_MADE, find_mark, with_mark

XMP = b"\x21\xff\x0bXMP DataXMP" + b"\x06secret" + b"\x00"
COMMENT = b"\x21\xfe\x06secret\x00"
PLAIN_TEXT = b"\x21\x01\x0c" + bytes(12) + b"\x06secret\x00"


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def opened(attachment):
    return Image.open(io.BytesIO(attachment.content))


def striped(size=(40, 30)):
    image = Image.new("RGB", size, "teal")
    image.paste("orange", (0, 0, size[0], size[1] // 3))
    return image


def animation(**options):
    frames = [Image.new("P", (20, 10), color) for color in range(3)]
    for frame in frames:
        frame.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=[50, 70, 90], **options)


def test_a_photograph_loses_its_metadata_and_nothing_else():
    """No EXIF, no place, no comment, no profile, nothing behind its end; upright, whole, as large as it was."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "secret"
    exif.get_ifd(0x8825)[2] = (48.0, 12.0, 0.0)
    source = encoded(striped(), "JPEG", exif=exif, comment=b"secret", icc_profile=b"secret", quality=95) + b"secret"
    attachment = attachments.prepare(source, "photo.jpg")
    picture = opened(attachment)

    assert ("image/jpeg", "dm_image") == (attachment.media_type, attachment.category)
    assert b"secret" not in attachment.content
    assert {} == dict(picture.getexif())
    assert (30, 40) == picture.size
    red, green, blue = picture.getpixel((28, 20))
    assert red > 200 > green > blue  # the orange top has turned to the right


def test_a_screenshot_stays_sharp():
    """PNG stays PNG, pixel for pixel, without its texts."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "secret")
    texts.add_itxt("XML:com.adobe.xmp", "secret")
    attachment = attachments.prepare(encoded(striped(), "PNG", pnginfo=texts), "screen.png")

    assert ("image/png", "dm_image") == (attachment.media_type, attachment.category)
    assert b"secret" not in attachment.content
    assert striped().tobytes() == opened(attachment).tobytes()


def test_transparency_stays():
    """A PNG with holes keeps them."""
    source = striped().convert("RGBA")
    source.putpixel((0, 0), (1, 2, 3, 0))
    attachment = attachments.prepare(encoded(source, "PNG"), "logo.png")

    assert ("image/png", "RGBA") == (attachment.media_type, opened(attachment).mode)


def test_a_gif_that_does_not_move_becomes_png():
    """X takes animations in another way than pictures, and a single frame is a picture."""
    source = encoded(striped().convert("P"), "GIF", comment=b"secret")
    attachment = attachments.prepare(source, "still.gif")

    assert ("image/png", "dm_image") == (attachment.media_type, attachment.category)
    assert b"secret" not in attachment.content
    assert striped().convert("P").convert("RGB").tobytes() == opened(attachment).tobytes()


def test_an_animation_keeps_its_frames_byte_for_byte():
    """One without words leaves as it came, but for what stands behind its end."""
    source = animation(loop=0)
    attachment = attachments.prepare(source + b"secret", "wave.gif")

    assert (source, "image/gif", "dm_gif") == (attachment.content, attachment.media_type, attachment.category)


def test_an_animation_loses_its_words():
    """Comments, XMP and plain text go; loop, durations and frames stay."""
    source = animation(loop=3)
    first = source.index(b"\x21\xf9")
    wordy = source[:first] + COMMENT + XMP + PLAIN_TEXT + source[first:-1] + COMMENT + b"\x3b"
    attachment = attachments.prepare(wordy, "wave.gif")
    picture = opened(attachment)

    assert source == attachment.content
    assert 3 == picture.info["loop"]
    assert [50, 70, 90] == [frame.info["duration"] for frame in ImageSequence.Iterator(picture)]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "RGBA"])
def test_what_is_too_large_for_x_shrinks(monkeypatch, kind):
    """Over the limit a picture loses pixels, never its proportions; an opaque PNG tries JPEG first."""
    monkeypatch.setattr(attachments, "LARGEST_IMAGE", 30_000)
    noise = Image.effect_noise((400, 200), 90).convert("RGBA" if kind == "RGBA" else "RGB")
    if kind == "RGBA":
        noise.putpixel((0, 0), (0, 0, 0, 0))
    attachment = attachments.prepare(encoded(noise, "JPEG" if kind == "JPEG" else "PNG"), "noise")
    width, height = opened(attachment).size

    assert len(attachment.content) <= 30_000
    assert ("image/png" if kind == "RGBA" else "image/jpeg") == attachment.media_type
    assert 2 == pytest.approx(width / height, rel=0.05)


def test_an_animation_that_is_too_large_is_refused(monkeypatch):
    """It isn't made smaller here: that would be another animation."""
    monkeypatch.setattr(attachments, "LARGEST_ANIMATION", 100)
    with pytest.raises(InputRefused, match=r"wave.gif is an animation of 0.1 MB"):
        attachments.prepare(animation(), "wave.gif")


@pytest.mark.parametrize(
    ("expected", "content"),
    [
        ("is no JPEG, PNG or GIF", b"RIFF\x00\x00\x00\x00WEBPVP8 "),
        ("is no JPEG, PNG or GIF", b""),
        ("is no JPEG, PNG or GIF", b"%PDF-1.7"),
        ("is damaged", b"\x89PNG\r\n\x1a\nnothing"),
        ("is damaged", encoded(Image.new("RGB", (40, 30)), "JPEG")[:-200]),
        ("is damaged", animation()[:-1]),
        ("is damaged", animation()[:-1] + b"\x77"),
        ("is damaged", b"GIF89a"),
        ("megapixels", encoded(Image.new("1", (10_000, 5_000)), "PNG")),
    ],
)
def test_no_attachment(expected, content):
    """Other formats, broken files and bombs are refused by the name that the person gave, made visible."""
    with pytest.raises(InputRefused, match=expected) as caught:
        attachments.prepare(content, "a\x1b[2J")

    assert caught.value.message.startswith(r"picture a\x1b[2J ")
    assert "input" == caught.value.kind


@pytest.mark.parametrize("mark", MACHINE_MADE)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
def test_a_machine_made_picture_stays_marked(kind, mark):
    """Whoever gets it can learn what made it, though it is encoded anew; and it still shows what it showed."""
    plain = animation() if kind == "GIF" else encoded(striped(), kind)
    attachment = attachments.prepare(with_mark(plain, mark), "a picture")

    assert mark == find_mark(attachment.content)
    assert opened(attachments.prepare(plain, "a picture")).tobytes() == opened(attachment).tobytes()
