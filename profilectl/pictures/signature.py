"""The signature of a picture: what stays of it when X encodes it anew, and how far two of them are apart.

Brightness is averaged on a grid of 16x16, colour on one of 4x4, as encoders keep far less of it.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL.Image import Image

_BRIGHTNESS_SIDE: Final = 16
_COLOUR_SIDE: Final = 4
_COLOUR_WEIGHT: Final = 2  # Cb and Cr move half as far as the colours they stand for


def signature(picture: Image) -> str:
    """Return what `similarity.shows` needs to recognise a picture by what X serves of it.

    Less than 1,200 ASCII characters; `picture` is what is uploaded, in RGB or RGBA.
    """
    return b64encode(b"".join(b"".join(grids(variant)) for variant in _grounded(picture))).decode()


def _grounded(picture: Image) -> Iterator[Image]:
    # What X will put behind transparent parts isn't known yet: nothing, as it were, or one of the two usual colours.
    yield picture.convert("RGB")
    if picture.mode == "RGBA":
        from PIL import Image

        for colour in ("white", "black"):
            laid = Image.new("RGB", picture.size, colour)
            laid.paste(picture, mask=picture)
            yield laid


def grids(picture: Image) -> tuple[bytes, bytes]:
    """Return the brightness and the colour of a picture in RGB, a byte for each field."""
    from PIL import Image

    # A filter wider than a field: with a box, sharp edges would jump between fields.
    brightness, *colour = picture.convert("YCbCr").split()
    filtered = Image.Resampling.BILINEAR
    fields = [channel.resize((_COLOUR_SIDE, _COLOUR_SIDE), filtered).tobytes() for channel in colour]
    return brightness.resize((_BRIGHTNESS_SIDE, _BRIGHTNESS_SIDE), filtered).tobytes(), b"".join(fields)


def apart(uploaded: tuple[bytes, bytes], served: tuple[bytes, bytes]) -> float:
    """Return how far two pictures' grids are apart: 0 for equal ones, at most 510."""
    brightness, colour = map(_root_mean_square, uploaded, served)
    return max(brightness, _COLOUR_WEIGHT * colour)


def _root_mean_square(left: bytes, right: bytes) -> float:
    return math.dist(left, right) / math.sqrt(len(left))
