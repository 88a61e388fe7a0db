"""Pictures without a person: for the demo, a fresh roster, and those who haven't agreed to a photograph."""

from __future__ import annotations

import colorsys
import hashlib
import io
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from profilectl.text.initials import capital, initials

if TYPE_CHECKING:
    from PIL.Image import Image

Colour = tuple[int, int, int]


def initials_portrait(name: str, size: int = 400, *, colour_of: str | None = None) -> bytes:
    """Draw up to two initials, or an emblem, on a colour of their own; the same name gives the same bytes.

    The colour is that of the name, or of another text.

    Returns a PNG without transparency, `size` pixels wide and high.
    """
    from PIL import Image

    # A digest, as hash() differs from run to run.
    seed = hashlib.sha256((name if colour_of is None else colour_of).encode("utf-8", "surrogatepass")).digest()
    # Drawn twice as large and scaled down, which smooths the edges; at a lightness on which white letters can be read.
    image = Image.new("RGB", (2 * size, 2 * size), _tone(seed, 0.38))
    letters = _latin_initials(name)
    if letters:  # the only ones that Pillow's built-in font has
        _draw_initials(image, letters)
    else:
        _draw_emblem(image, seed)
    buffer = io.BytesIO()
    image.resize((size, size), Image.Resampling.LANCZOS).save(buffer, "PNG")
    return buffer.getvalue()


def photograph() -> bytes:
    """Return the photograph of nobody that `demo` uses, a JPEG."""
    # It lies on its side as a telephone stores it: EXIF orientation 6 asks for a quarter turn clockwise.
    return Path(__file__).with_name("photograph.jpg").read_bytes()


def _tone(seed: bytes, lightness: float) -> Colour:
    red, green, blue = colorsys.hls_to_rgb(int.from_bytes(seed[:2], "big") / 0xFFFF, lightness, 0.46)
    return round(255 * red), round(255 * green), round(255 * blue)


def _latin_initials(name: str) -> str:
    """Return the initials of the first two words, without accents; empty when one of them isn't Latin."""
    letters = unicodedata.normalize("NFKD", "".join(map(capital, initials(name)[:2])))
    plain = "".join(char for char in letters if not unicodedata.combining(char))
    return plain if plain.isascii() else ""


def _draw_initials(image: Image, letters: str) -> None:
    from PIL import ImageDraw, ImageFont

    font = ImageFont.load_default(image.width * 0.42)
    left, top, right, bottom = font.getbbox(letters)
    place = (image.width - left - right) / 2, (image.height - top - bottom) / 2
    ImageDraw.Draw(image).text(place, letters, fill="white", font=font)


def _draw_emblem(image: Image, seed: bytes) -> None:
    """Draw rounded squares on a grid of five by five, the right side a mirror of the left one."""
    from PIL import ImageDraw

    draw = ImageDraw.Draw(image)
    cell = image.width / 7.6
    side = 0.88 * cell
    shades = (None, _tone(seed, 0.56), _tone(seed, 0.74), (255, 255, 255))
    for index in range(15):
        column, row = divmod(index, 5)
        shade = shades[seed[2 + index] % len(shades)]
        for mirrored in {column, 4 - column} if shade else ():
            left, top = (1.36 + mirrored) * cell, (1.36 + row) * cell
            draw.rounded_rectangle((left, top, left + side, top + side), radius=0.32 * side, fill=shade)
