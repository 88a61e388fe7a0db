from __future__ import annotations

import io
import random
import struct
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageCms, ImageDraw
from PIL.PngImagePlugin import PngInfo

from profilectl.model import DRAWN
from profilectl.pictures import avatars
from profilectl.pictures.provenance import MACHINE_MADE, UNSPECIFIED, find_mark, with_mark

if TYPE_CHECKING:
    from pathlib import Path

    from profilectl.model import PreparedPicture

RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 160, 60), (30, 60, 200), (240, 240, 240)


def quadrants(width: int = 200, height: int = 100) -> Image.Image:
    """Red and green above, blue and white below: every rotation and reflection tells itself apart."""
    image = Image.new("RGB", (width, height), WHITE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 2 - 1, height // 2 - 1), fill=RED)
    draw.rectangle((width // 2, 0, width, height // 2 - 1), fill=GREEN)
    draw.rectangle((0, height // 2, width // 2 - 1, height), fill=BLUE)
    return image


def encoded(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def noise(mode: str, size: tuple[int, int], seed: int = 1) -> Image.Image:
    count = size[0] * size[1] * len(Image.new(mode, (1, 1)).tobytes())
    return Image.frombytes(mode, size, random.Random(seed).randbytes(count))


def prepare(folder: Path, content: bytes) -> PreparedPicture:
    (folder / "picture").write_bytes(content)
    return avatars.prepare(folder, avatars.inspect(folder, "picture"))


def opened(prepared: PreparedPicture) -> Image.Image:
    with Image.open(io.BytesIO(prepared.content)) as image:
        image.load()
        return image


def corners(image: Image.Image) -> list[str]:
    """Name the colours of the four quadrants, in reading order."""
    names = {RED: "red", GREEN: "green", BLUE: "blue", WHITE: "white"}
    near, far = image.width // 4, image.width * 3 // 4
    colours = [image.convert("RGB").getpixel(place) for place in ((near, near), (far, near), (near, far), (far, far))]
    return [
        names[min(names, key=lambda name: sum(abs(a - b) for a, b in zip(name, colour, strict=True)))]
        for colour in colours
    ]


@pytest.mark.parametrize(
    ("size", "expected"),
    [((800, 600), (400, 400)), ((401, 5000), (400, 400)), ((300, 200), (200, 200)), ((1, 1), (1, 1)), ((7, 1), (1, 1))],
)
def test_pictures_become_square_and_never_larger(tmp_path, size, expected):
    """Large ones shrink to 400x400, small ones keep their middle square."""
    assert opened(prepare(tmp_path, encoded(Image.new("RGB", size, RED)))).size == expected


def test_the_middle_is_kept(tmp_path):
    """What stands left and right of the middle square is cut off."""
    image = Image.new("RGB", (900, 300), BLUE)
    image.paste(RED, (300, 0, 600, 300))
    result = opened(prepare(tmp_path, encoded(image, "PNG")))
    assert corners(result) == ["red"] * 4


def test_a_smaller_size_can_be_asked_for(tmp_path):
    """The side is an upper bound in pixels."""
    (tmp_path / "a").write_bytes(encoded(quadrants()))
    prepared = avatars.prepare(tmp_path, avatars.inspect(tmp_path, "a"), size=48)
    assert opened(prepared).size == (48, 48)


UPRIGHT = ["red", "green", "blue", "white"]
STORED = {  # how a camera stores an upright scene for each EXIF orientation
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", STORED)
def test_cameras_are_believed_about_which_way_is_up(tmp_path, orientation, form):
    """All eight EXIF orientations come out upright, at every size and from every format."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    for size in ((1300, 1300), (120, 120)):
        turn = STORED[orientation]
        scene = quadrants(*size) if turn is None else quadrants(*size).transpose(turn)
        assert corners(opened(prepare(tmp_path, encoded(scene, form, exif=exif)))) == UPRIGHT


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_doesnt_exist_is_ignored(tmp_path, orientation):
    """Cameras write nonsense; the photograph is still a photograph."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert corners(opened(prepare(tmp_path, encoded(quadrants(200, 200), exif=exif)))) == UPRIGHT


@pytest.mark.parametrize(
    "block", [b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"]
)
def test_a_broken_exif_block_is_no_reason_to_refuse(tmp_path, block):
    """Nor does Pillow's opinion of it reach the terminal."""
    assert corners(opened(prepare(tmp_path, encoded(quadrants(200, 200), exif=block)))) == UPRIGHT


def test_nothing_but_pixels_leaves(tmp_path):
    """Position, camera, comment, profile, XMP and whatever was hidden behind the image stay at home."""
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    exif.get_ifd(0x8825)[29] = "SECRETPLACE"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    extra = {"exif": exif, "comment": b"SECRETCOMMENT", "icc_profile": profile, "xmp": b"SECRETXMP"}
    source = encoded(quadrants(), **extra) + b"SECRETTAIL<script>"
    assert all(secret in source for secret in (b"SECRETPLACE", b"SECRETCAMERA", b"SECRETCOMMENT", b"SECRETXMP"))
    prepared = prepare(tmp_path, source)
    assert b"SECRET" not in prepared.content
    assert set(opened(prepared).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_text_in_a_png_stays_at_home_too(tmp_path):
    """A transparent picture is stored as PNG, with the four chunks that a PNG needs."""
    text = PngInfo()
    text.add_text("Author", "SECRET")
    source = noise("RGBA", (60, 60))
    content = prepare(tmp_path, encoded(source, "PNG", pnginfo=text, dpi=(72, 72))).content
    kinds, at = [], 8
    while at < len(content):
        kinds.append(content[at + 4 : at + 8])
        at += 12 + int.from_bytes(content[at : at + 4], "big")
    assert sorted(set(kinds)) == [b"IDAT", b"IEND", b"IHDR"]


def test_a_file_of_two_formats_loses_its_second_one(tmp_path):
    """An image that is a ZIP archive and a script as well comes out as an image only."""
    buffer = io.BytesIO(encoded(noise("RGBA", (50, 50)), "PNG") + b"<script>alert(1)</script>")
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("evil.txt", "evil")
    content = prepare(tmp_path, buffer.getvalue()).content
    assert not zipfile.is_zipfile(io.BytesIO(content))
    assert b"script" not in content


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
def test_two_runs_give_the_same_bytes(tmp_path, form):
    """So a digest of the upload means something."""
    source = encoded(noise("RGB", (500, 450)).convert("P" if form == "GIF" else "RGB"), form)
    assert prepare(tmp_path, source) == prepare(tmp_path, source)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_opaque_pictures_become_jpeg(tmp_path, form):
    """Whatever they were before."""
    prepared = prepare(tmp_path, encoded(quadrants(), form))
    assert (prepared.media_type, opened(prepared).format) == ("image/jpeg", "JPEG")


def test_transparency_is_kept_where_it_is_used(tmp_path):
    """A cut-out portrait stays cut out; an alpha channel that hides nothing goes."""
    cut_out = Image.new("RGBA", (80, 80), (*RED, 0))
    ImageDraw.Draw(cut_out).ellipse((10, 10, 70, 70), fill=(*RED, 255))
    prepared = prepare(tmp_path, encoded(cut_out, "PNG"))
    assert prepared.media_type == "image/png"
    assert [opened(prepared).getpixel(place)[3] for place in ((0, 0), (40, 40))] == [0, 255]
    assert prepare(tmp_path, encoded(Image.new("RGBA", (80, 80), RED), "PNG")).media_type == "image/jpeg"


def test_the_first_frame_of_an_animation_is_the_picture(tmp_path):
    """Later frames never leave."""
    first, second = Image.new("P", (90, 60)), Image.new("P", (90, 60))
    first.putpalette([*RED, *GREEN])
    second.putpalette([*GREEN, *RED])
    content = encoded(first, "GIF", save_all=True, append_images=[second], duration=50)
    assert corners(opened(prepare(tmp_path, content))) == ["red"] * 4


def test_palettes_with_a_transparent_colour_become_transparent(tmp_path):
    """In PNG and GIF alike."""
    image = Image.new("P", (600, 600), 1)
    image.putpalette([*RED, *GREEN])
    image.paste(0, (0, 0, 300, 600))
    for form in ("PNG", "GIF"):
        result = opened(prepare(tmp_path, encoded(image, form, transparency=0)))
        assert [result.getpixel(place)[3] for place in ((50, 200), (350, 200))] == [0, 255]


@pytest.mark.parametrize(
    ("mode", "form"),
    [
        ("1", "PNG"),
        ("L", "PNG"),
        ("L", "JPEG"),
        ("LA", "PNG"),
        ("P", "PNG"),
        ("RGBA", "WEBP"),
        ("CMYK", "JPEG"),
        ("L", "GIF"),
    ],
)
def test_every_kind_of_pixel_is_understood(tmp_path, mode, form):
    """Black and white, grey, palette, print colours: what comes out is what every browser shows."""
    result = opened(prepare(tmp_path, encoded(quadrants(500, 500).convert(mode), form)))
    assert result.mode in {"RGB", "RGBA"}
    bright = [sum(result.convert("RGB").getpixel(place)) for place in ((100, 300), (300, 300))]
    assert bright[0] < bright[1]


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    """A third of white stays a third of white."""
    image = Image.new("I;16", (20, 20), 0x5555)
    red, green, blue = opened(prepare(tmp_path, encoded(image, "PNG"))).getpixel((10, 10))
    assert red == green == blue == pytest.approx(0x55, abs=1)


def test_a_colour_profile_is_applied_before_it_is_dropped(tmp_path):
    """Colours look as they did; a profile that is nonsense changes nothing."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    same = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (lab, same, b"nonsense" * 40):
        result = opened(prepare(tmp_path, encoded(quadrants(200, 200), icc_profile=profile)))
        assert (corners(result), "icc_profile" in result.info) == (UPRIGHT, False)


def wide_gamut_profile() -> bytes:
    """An ICC profile whose red and green are swapped: the plainest proof that a profile is obeyed."""
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", content, 128)[0]
    entries = {bytes(content[132 + 12 * i : 136 + 12 * i]): 132 + 12 * i for i in range(count)}
    content[entries[b"rXYZ"] : entries[b"rXYZ"] + 4], content[entries[b"gXYZ"] : entries[b"gXYZ"] + 4] = (
        b"gXYZ",
        b"rXYZ",
    )
    return bytes(content)


def test_a_profile_with_other_primaries_changes_the_numbers(tmp_path):
    """Where red means green, red comes out green."""
    image = Image.new("RGB", (50, 50), (230, 20, 20))
    red, green, _ = opened(prepare(tmp_path, encoded(image, "PNG", icc_profile=wide_gamut_profile()))).getpixel(
        (25, 25)
    )
    assert green - red > 100


def test_threads_may_prepare_side_by_side(tmp_path):
    """Same bytes as one after the other, and no warning escapes while threads come and go."""
    broken = encoded(quadrants(300, 300), exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    sources = [encoded(noise("RGB", (450, 450), seed), form) for seed in range(3) for form in ("JPEG", "PNG")]
    sources.append(broken)
    for index, source in enumerate(sources):
        (tmp_path / str(index)).write_bytes(source)
    pictures = [avatars.inspect(tmp_path, str(index)) for index in range(len(sources))]
    alone = [avatars.prepare(tmp_path, picture) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda picture: avatars.prepare(tmp_path, picture), pictures * 4))
    assert together == alone * 4


def test_only_pillow_is_silenced(tmp_path):
    """Warnings of everybody else are as loud as before."""
    prepare(tmp_path, encoded(quadrants()))
    with pytest.raises(UserWarning, match="ours"):
        warnings.warn("ours", stacklevel=1)


@pytest.mark.parametrize("mark", MACHINE_MADE)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_machine_made_picture_stays_marked(tmp_path, mode, mark):
    """X gets the mark and nothing else of the metadata; what the picture shows, and its signature, are the same."""
    plain = encoded(noise(mode, (500, 450)), "PNG")
    unmarked, marked = prepare(tmp_path, plain), prepare(tmp_path, with_mark(plain, mark))

    assert ("", mark) == (unmarked.made_by, marked.made_by)
    assert ("", mark) == (find_mark(unmarked.content), find_mark(marked.content))
    assert (unmarked.signature, opened(unmarked).tobytes()) == (marked.signature, opened(marked).tobytes())
    assert len(marked.content) - len(unmarked.content) < 1000


def test_a_manifest_without_a_source_is_no_mark_to_keep(tmp_path):
    """It says of other bytes who signed them, so it goes with all other metadata."""
    boxes = b"\0\0\0\x20jumb\0\0\0\x18jumdc2pa" + bytes(12)
    plain = encoded(quadrants(), "JPEG")
    prepared = prepare(tmp_path, plain[:2] + b"\xff\xeb\0\x2aJP\0\1\0\0\0\1" + boxes + plain[2:])

    assert UNSPECIFIED == avatars.inspect(tmp_path, "picture").mark
    assert ("", "") == (prepared.made_by, find_mark(prepared.content))


def test_initials_are_drawn_where_no_file_may_be_shown(tmp_path):
    """On a colour of the agent's key, known by what they are drawn from; the folder isn't even looked at."""
    alice, other = (avatars.inspect(tmp_path / "none", f"{DRAWN}{key},Alice F.") for key in ("alice", "other"))
    prepared = avatars.prepare(tmp_path / "none", alice)

    assert (alice.digest, (400, 400)) == (prepared.source_digest, opened(prepared).size)
    assert alice.digest != other.digest
    assert opened(prepared).getpixel((2, 2)) != opened(avatars.prepare(tmp_path, other)).getpixel((2, 2))


def test_pixels_are_known_by_what_leaves_not_by_the_file(tmp_path):
    """Another compression, other metadata or a lossless other format are the same; a pixel, a side or a mark isn't."""
    image = quadrants(100, 100)
    other = image.copy()
    other.putpixel((50, 50), (201, 30, 30))
    marked = with_mark(encoded(image, "PNG"), min(MACHINE_MADE))
    same = [encoded(image, "PNG", compress_level=level) for level in (1, 9)]
    same += [encoded(image, "WEBP", lossless=True), encoded(image.convert("RGBA"), "PNG")]
    others = [encoded(other, "PNG"), encoded(image.crop((0, 0, 99, 99)), "PNG"), marked]

    assert 1 == len({prepare(tmp_path, content).pixels for content in same})
    assert 4 == len({prepare(tmp_path, content).pixels for content in (same[0], *others)})
