"""Measure whether what X serves is the picture that was uploaded.

X encodes every picture anew and serves it in several sizes, so bytes can't be compared. What stays is where a picture
is bright and where it is coloured: brightness is averaged on a grid of 16x16, colour on one of 4x4, as encoders keep
far less of it. The distance of two pictures is the root mean square of what is left between their grids.

Measured on 178 pictures (photographs, drawn portraits, either in greyscale, initials, emblems, flat colours): 12,816
copies of them, JPEG of quality 60 to 95 and WebP of 60 and 80, 400, 200, 73 and 48 pixels wide; and 311,655 pairs of
these and of 612 more that are hard to tell apart, such as portraits of one composition and letters on one colour:

===================================  =====================  ================  ===========================
measure                              farthest copy          limit             others taken for a copy
===================================  =====================  ================  ===========================
64-bit difference hash               3 bits                 10 bits           27,729 (flat colours: all)
this one                             3.2                    4.0               4
===================================  =====================  ================  ===========================

The four are two pairs of initials, DO and BO or VO and VQ on practically one colour, and two of portraits that were
drawn with the same hair, skin, clothes and background.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from profilectl.pictures.decode import refusal
from profilectl.pictures.signature import apart, grids

if TYPE_CHECKING:
    from PIL.Image import Image

LARGEST_DISTANCE: Final = 4.0
"""How far two copies of one picture may be apart: a quarter more than the farthest that was measured."""


class Template(Struct, frozen=True):
    """A picture as it was uploaded, measured once to be compared with many."""

    grids: tuple[bytes, bytes]  # brightness and colour, its transparency dropped
    clear: Image | None  # the picture itself where parts of it are fully transparent


def template(uploaded: bytes, name: str) -> Template:
    """Measure an uploaded picture; AvatarRefused, which calls it `name`, when it is no usable image."""
    from profilectl.pictures import avatars

    picture = avatars.square(uploaded, name)
    # X serves JPEG, so transparency is gone: dropping it shows the colours below.
    return Template(grids(picture.convert("RGB")), picture if _clear_mask(picture) is not None else None)


def distance(uploaded: bytes, live: bytes, name: str) -> float:
    """Return how far a picture that X serves is from the one that was uploaded: 0 for equal ones, at most 510.

    Raises:
        AvatarRefused: `live` is no usable image; `name` is what the message calls it.
    """
    return distances([template(uploaded, name)], live, name)[0]


def distances(templates: Iterable[Template], live: bytes, name: str) -> list[float]:
    """Return how far a picture that X serves, decoded once, is from each of these; see `distance`."""
    from profilectl.pictures import avatars

    served = avatars.square(live, name).convert("RGB")
    fields = grids(served)
    return [min(apart(version, fields) for version in _versions(uploaded, served)) for uploaded in templates]


def shows(signature: str, live: bytes, name: str) -> bool:
    """Return whether a picture that X serves is the one of the signature.

    Raises:
        AvatarRefused: `live` is no usable image, or the signature is damaged, so that they can't be compared; `name` is
            what the message calls the picture.
    """
    from base64 import b64decode

    from profilectl.pictures import avatars

    served = grids(avatars.square(live, name).convert("RGB"))
    length = sum(map(len, served))
    try:
        fields = b64decode(signature, validate=True)
    except ValueError:  # binascii.Error, or letters beyond ASCII
        fields = b""
    if not fields or len(fields) % length:
        raise refusal(name, "can't be compared: what the ledger knows of the uploaded one is damaged")
    variants = (fields[at : at + length] for at in range(0, len(fields), length))
    cut = len(served[0])
    return any(apart((grid[:cut], grid[cut:]), served) <= LARGEST_DISTANCE for grid in variants)


def _versions(uploaded: Template, served: Image) -> Iterator[tuple[bytes, bytes]]:
    # Nothing documents how X drops transparency: the picture is compared with either way.
    yield uploaded.grids
    if uploaded.clear is not None:
        from PIL import Image, ImageStat

        # Whatever colour X has put behind it; the median, as edges are blurred by the encoder.
        ground = ImageStat.Stat(served.resize(uploaded.clear.size), _clear_mask(uploaded.clear)).median
        laid = Image.new("RGB", uploaded.clear.size, tuple(map(int, ground)))
        laid.paste(uploaded.clear, mask=uploaded.clear.getchannel("A"))
        yield grids(laid)


def _clear_mask(picture: Image) -> Image | None:
    """Return where a picture is fully transparent, None when it is nowhere."""
    if picture.mode != "RGBA":
        return None
    clear = picture.getchannel("A").point([255] + 255 * [0])
    return clear if clear.getbbox() is not None else None
