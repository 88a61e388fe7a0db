"""Size, frames and transparency by a file's head."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from profilectl.model import Shape
from profilectl.pictures.shape import shape_of


def encoded(kind, mode="RGB", size=(30, 20), frames=1, **options):
    images = [Image.new(mode, size, index * 40) for index in range(frames)]
    buffer = io.BytesIO()
    more = {"save_all": True, "append_images": images[1:]} if frames > 1 else {}
    images[0].save(buffer, kind, **more, **options)
    return buffer.getvalue()


FILES = {
    "JPEG": (encoded("JPEG"), Shape(30, 20)),
    "progressive JPEG": (encoded("JPEG", progressive=True), Shape(30, 20)),
    "JPEG with EXIF": (encoded("JPEG", exif=Image.Exif()), Shape(30, 20)),
    "PNG": (encoded("PNG"), Shape(30, 20)),
    "PNG with alpha": (encoded("PNG", "RGBA"), Shape(30, 20, has_alpha=True)),
    "PNG with a transparent colour": (encoded("PNG", "P", transparency=0), Shape(30, 20, has_alpha=True)),
    "animated PNG": (encoded("PNG", frames=2), Shape(30, 20, is_animated=True)),
    "GIF": (encoded("GIF", "P"), Shape(30, 20)),
    "transparent GIF": (encoded("GIF", "P", transparency=0), Shape(30, 20, has_alpha=True)),
    "animated GIF": (encoded("GIF", "L", frames=3), Shape(30, 20, is_animated=True)),
    "WEBP": (encoded("WEBP"), Shape(30, 20)),
    "lossless WEBP": (encoded("WEBP", lossless=True), Shape(30, 20)),
    "lossless WEBP with alpha": (encoded("WEBP", "RGBA", lossless=True), Shape(30, 20, has_alpha=True)),
    "animated WEBP": (encoded("WEBP", frames=2), Shape(30, 20, is_animated=True)),
    "text": (b"hello", Shape()),
    "nothing": (b"", Shape()),
}


@pytest.mark.parametrize(("content", "shape"), FILES.values(), ids=FILES)
def test_the_head_of_a_file_tells_its_shape(content, shape):
    """In every format that is accepted, as Pillow writes it."""
    assert shape == shape_of(content)


@given(st.sampled_from([content for content, _ in FILES.values()]), st.data())
def test_a_damaged_head_is_no_error(content, data):
    """Cut off anywhere, with a byte changed anywhere."""
    end = data.draw(st.integers(0, len(content)))
    at = data.draw(st.integers(0, max(0, end - 1)))
    damaged = content[:at] + bytes([data.draw(st.integers(0, 255))]) + content[at + 1 : end]

    assert isinstance(shape_of(damaged), Shape)
