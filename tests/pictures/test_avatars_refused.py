from __future__ import annotations

import io
import random
import struct
import time
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from profilectl.errors import AvatarRefused
from profilectl.pictures import avatars

if TYPE_CHECKING:
    from pathlib import Path

    from profilectl.model import PreparedPicture

SCENE = Image.radial_gradient("L").convert("RGB")


def encoded(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def noise(mode: str, size: tuple[int, int], seed: int = 1) -> Image.Image:
    count = size[0] * size[1] * len(Image.new(mode, (1, 1)).tobytes())
    return Image.frombytes(mode, size, random.Random(seed).randbytes(count))


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def black_png(width: int, height: int) -> bytes:
    """A PNG with one bit per pixel, which deflate makes a thousand times smaller again."""
    deflate = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    rows = b"".join(deflate.compress(row) for _ in range(height)) + deflate.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def prepare(folder: Path, content: bytes) -> PreparedPicture:
    (folder / "picture").write_bytes(content)
    return avatars.prepare(folder, avatars.inspect(folder, "picture"))


def opened(prepared: PreparedPicture) -> Image.Image:
    with Image.open(io.BytesIO(prepared.content)) as image:
        image.load()
        return image


def refusal(folder: Path, content: bytes) -> AvatarRefused:
    with pytest.raises(AvatarRefused) as caught:
        prepare(folder, content)
    return caught.value


def test_a_bomb_is_refused_before_it_unfolds(tmp_path):
    """144 megapixels in 18 kB: the header is enough to say no."""
    content = black_png(12_000, 12_000)
    assert len(content) < 20_000
    begun = time.process_time()
    error = refusal(tmp_path, content)
    assert time.process_time() - begun < 1
    assert error.message == "picture picture is too large: 12000x12000 is 144 megapixels, at most 12.5 as PNG"
    assert error.hint == "save it smaller, or as an ordinary JPEG"


def test_a_bomb_that_pillow_itself_refuses_is_told_the_same_way(tmp_path):
    """Beyond its own limit Pillow raises an error instead of a warning."""
    assert "has far more than 52 megapixels" in refusal(tmp_path, black_png(20_000, 20_000)).message


def test_twelve_and_a_half_megapixels_of_a_png_pass(tmp_path):
    """The limit itself is allowed, one row more isn't: a PNG is always decoded in full."""
    assert opened(prepare(tmp_path, black_png(4000, 3125))).size == (400, 400)
    assert "is 12.6 megapixels, at most 12.5 as PNG" in refusal(tmp_path, black_png(4000, 3126)).message


@pytest.mark.parametrize("size", [(8064, 6048), (8192, 6144)])
def test_telephones_of_today_pass(tmp_path, size):
    """48 and 50 megapixels, as a JPEG of one scan that is decoded at a fraction of its size."""
    assert opened(prepare(tmp_path, encoded(SCENE.resize(size)))).size == (400, 400)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?><svg/>", "SVG or other XML"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "EPS"),
        (encoded(SCENE, "TIFF"), "TIFF"),
        (encoded(SCENE, "BMP"), "BMP"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypavif\0\0\0\0", "AVIF"),
        (b"%PDF-1.7\n", "PDF"),
    ],
)
def test_other_formats_are_refused_by_name(tmp_path, content, name):
    """Decoders that nobody needs are never woken."""
    error = refusal(tmp_path, content)
    assert error.message == f"picture picture is {name}, which isn't accepted"
    assert error.hint == "use a JPEG, PNG, WEBP or GIF image"


@pytest.mark.parametrize("content", [b"hello\n", b"\0" * 100, b"RIFF\x04\0\0\0WAVE", b"version = 1\n"])
def test_what_is_no_image_is_said_to_be_none(tmp_path, content):
    """Whatever its name ends with."""
    assert "is no image, or none that is known here" in refusal(tmp_path, content).message


SOURCES = {
    "jpeg": encoded(noise("RGB", (60, 40))),
    "progressive": encoded(noise("RGB", (60, 40)), progressive=True),
    "large": encoded(SCENE.resize((1000, 900))),
    "cmyk": encoded(noise("CMYK", (40, 30))),
    "png": encoded(noise("RGB", (40, 30)), "PNG"),
    "webp": encoded(noise("RGB", (40, 30)), "WEBP"),
    "lossless": encoded(noise("RGBA", (40, 30)), "WEBP", lossless=True),
    "gif": encoded(noise("L", (40, 30)), "GIF"),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_file_that_was_cut_off_is_refused(tmp_path, name):
    """Wherever pixels are missing; half a face is never uploaded."""
    content = SOURCES[name]
    # Behind the last pixel PNG and GIF carry an end mark and checksums, which nobody misses.
    end = len(content) - {"png": 30, "gif": 8}.get(name, 1)
    for length in {*range(12, end, end // 40), end}:
        error = refusal(tmp_path, content[:length])
        assert error.message == "picture picture is damaged or cut off"
        assert error.hint == "export or copy it anew"


@given(content=st.binary(min_size=1, max_size=200))
def test_random_bytes_are_refused(tmp_path_factory, content):
    """Never anything but our own exception."""
    refusal(tmp_path_factory.getbasetemp(), content)


@settings(max_examples=300, deadline=None)
@given(
    name=st.sampled_from(sorted(SOURCES)),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=8),
    keep=st.floats(0.2, 1),
)
def test_damaged_images_are_refused_or_used_but_never_crash(tmp_path_factory, name, changes, keep):
    """Whatever a decoder trips over becomes a refusal; whatever comes out is square."""
    content = bytearray(SOURCES[name])
    for place, value in changes:
        content[int(place**3 * len(content))] = value  # more often near the head, where the structure is
    try:
        prepared = prepare(tmp_path_factory.getbasetemp(), bytes(content[: int(keep * len(content))]))
    except AvatarRefused:
        return
    image = opened(prepared)
    assert image.width == image.height <= 400


def test_running_out_of_memory_is_a_refusal_too(tmp_path, monkeypatch):
    """One giant picture doesn't end a run of a thousand."""

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(avatars, "_square", fail)
    assert "needs more memory than there is" in refusal(tmp_path, encoded(SCENE)).message


def test_a_file_that_changed_since_it_was_inspected_is_refused(tmp_path):
    """What was planned is what is uploaded, or nothing is."""
    (tmp_path / "a.jpg").write_bytes(encoded(SCENE))
    picture = avatars.inspect(tmp_path, "a.jpg")
    (tmp_path / "a.jpg").write_bytes(encoded(SCENE, quality=50))
    with pytest.raises(AvatarRefused, match=r"picture a\.jpg changed while it was being used"):
        avatars.prepare(tmp_path, picture)
