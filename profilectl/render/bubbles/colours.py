"""The colours of terminals that don't have all of them: for each the one that looks nearest.

Rich rounds each part of a colour by itself, which turns the shadows of a face olive.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

Pixel = tuple[int, int, int]  # red, green, blue
Lab = tuple[float, float, float]  # lightness, green to red, blue to yellow

_STEPS: Final = (0, 95, 135, 175, 215, 255)  # of each part in xterm's cube, numbers 16 to 231
_OF_SPECKLES: Final = 6  # weight, found by looking at faces
_STANDARD: Final = (  # xterm's own; a terminal may have others, so these are the last resort
    *((0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)),
    *((127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255)),
    (255, 255, 255),
)


@lru_cache(maxsize=4096)
def nearest(pixel: Pixel, *, is_standard: bool) -> int:
    """Return the number of the colour that looks nearest: of the 16 standard ones, or of xterm's 240 fixed ones.

    Measured in OKLab (Björn Ottosson, 2020), where equal distances look about equal.
    """
    colour = _lab(pixel)
    return min(_palette(is_standard=is_standard), key=lambda entry: _distance(colour, entry[1]))[0]


@lru_cache(maxsize=2)
def _palette(*, is_standard: bool) -> tuple[tuple[int, Lab], ...]:
    if is_standard:
        return tuple((number, _lab(pixel)) for number, pixel in enumerate(_STANDARD))
    cube = [(red, green, blue) for red in _STEPS for green in _STEPS for blue in _STEPS]
    greys = [(level, level, level) for level in range(8, 239, 10)]
    return tuple((number, _lab(pixel)) for number, pixel in enumerate([*cube, *greys], start=16))


def _distance(pixel: Lab, colour: Lab) -> float:
    # What is more colourful than its neighbours stands out as a speckle; what is paler doesn't.
    excess = max(0.0, math.hypot(*colour[1:]) - math.hypot(*pixel[1:]))
    return math.dist(pixel, colour) ** 2 + _OF_SPECKLES * excess**2


def _lab(pixel: Pixel) -> Lab:
    red, green, blue = (_linear(part / 255) for part in pixel)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _linear(part: float) -> float:
    """Undo the curve of sRGB (IEC 61966-2-1)."""
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
