"""What a brand draws on every picture of its agents: a ring inside the circle that X shows, and a badge on it.

The ledger knows such a picture by what it is made from, not by its pixels, which another Pillow may draw otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from msgspec.structs import replace

from profilectl.digests import digest_of
from profilectl.errors import AvatarRefused, BadgeRefused
from profilectl.model import Decoration, Picture, undecorated
from profilectl.pictures.decode import decode, plain, resizable

if TYPE_CHECKING:
    from PIL.Image import Image

_VERSION: Final = 1  # of the drawing; every profile with a decoration is replaced when it is raised
_RING_SHARE: Final = 0.05  # of the side
_BADGE_SHARE: Final = 0.26  # of the side, what the longer side of a badge takes
_BADGE_REACH: Final = 0.98 * 0.5**0.5  # of the radius, to the right and down: a corner there is inside of the circle
_BADGE_SIDE: Final = 256  # pixels, as which a badge is kept; the largest picture shows 208
_SMOOTHING: Final = 4  # the ring is drawn as many times larger


class Badge(NamedTuple):
    """A badge's picture in RGBA, and the digest of its file."""

    image: Image
    digest: str


def files_of(avatar: str) -> tuple[str, ...]:
    """Return the pictures that an agent's picture is made from, as the roster writes them: its own, then a badge."""
    decoration, picture = undecorated(avatar)
    return (picture,) if decoration is None or decoration.badge is None else (picture, decoration.badge)


def compose(
    avatars: Iterable[str], files: Mapping[str, Picture], refusals: Mapping[str, AvatarRefused]
) -> tuple[dict[str, Picture], dict[str, AvatarRefused]]:
    """Return agents' pictures, and the refusals, by their avatars; what they are made from comes by its path."""
    pictures: dict[str, Picture] = {}
    refused: dict[str, AvatarRefused] = {}
    for avatar in avatars:
        decoration, own = undecorated(avatar)
        badge = None if decoration is None else decoration.badge
        if badge is not None and badge in refusals:
            refused[avatar] = badge_refusal(refusals[badge])
        elif own in refusals:
            refused[avatar] = refusals[own]
        elif decoration is None:
            pictures[avatar] = files[own]
        else:
            digest = digest_with(decoration, files[own].digest, "" if badge is None else files[badge].digest)
            pictures[avatar] = replace(files[own], path=avatar, digest=digest)
    return pictures, refused


def badge_refusal(error: AvatarRefused) -> BadgeRefused:
    """Return the refusal of a badge for what is wrong with its file."""
    return BadgeRefused(error.message, hint=error.hint)


def digest_with(decoration: Decoration, picture: str, badge: str) -> str:
    """Return what a decorated picture is known by; `picture` and `badge` are digests of files, or empty for none."""
    # The badge by its content: where its file is, or what it is called, changes nothing that customers see.
    return digest_of(["decorated", _VERSION, picture, badge, decoration.ring or "", decoration.size])


def read_badge(content: bytes, path: str, digest: str) -> Badge:
    """Return a badge from its file's bytes, small; AvatarRefused when it is no usable image."""
    image = _badges.get(digest)
    if image is None:
        image = decode(content, path, _small, _BADGE_SIDE)
        if len(_badges) >= _MOST_BADGES:
            _badges.clear()
        _badges[digest] = image
    return Badge(image, digest)


_MOST_BADGES: Final = 100  # of 256 KB each
_badges: dict[str, Image] = {}
"""By the digests of their files, so that a thousand pictures don't decode theirs a thousand times."""


def draw(image: Image, decoration: Decoration, badge: Badge | None) -> Image:
    """Return a square picture, in RGB or RGBA, with what its brand draws on it."""
    for layer, place in _layers(image.width, decoration, badge):
        if image.mode == "RGBA":
            image.alpha_composite(layer, place)
        else:
            image.paste(layer, place, layer)
    return image


def _layers(side: int, decoration: Decoration, badge: Badge | None) -> Iterator[tuple[Image, tuple[int, int]]]:
    from PIL import Image

    if decoration.ring is not None:
        layer = Image.new("RGBA", (side, side), decoration.ring)
        layer.putalpha(_ring(side))
        yield layer, (0, 0)
    if badge is not None:
        size = _fitting(badge.image.size, max(1, round(_BADGE_SHARE * side)))
        end = int(side / 2 * (1 + _BADGE_REACH))
        yield badge.image.resize(size, Image.Resampling.LANCZOS), (end - size[0], end - size[1])


@lru_cache(maxsize=8)
def _ring(side: int) -> Image:
    """Return where a ring covers a picture: its outer edge is the circle that X shows."""
    from PIL import Image, ImageDraw

    large, width = _SMOOTHING * side, max(1, round(_SMOOTHING * _RING_SHARE * side))
    mask = Image.new("L", (large, large))
    drawing = ImageDraw.Draw(mask)
    drawing.ellipse((0, 0, large - 1, large - 1), fill=255)
    drawing.ellipse((width, width, large - 1 - width, large - 1 - width), fill=0)
    return mask.reduce(_SMOOTHING)


def _small(source: Image) -> Image:
    from PIL import Image

    source.load()
    image = resizable(source)
    if max(image.size) > _BADGE_SIDE:
        image = image.resize(_fitting(image.size, _BADGE_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    # A copy where nothing was converted, as the source is closed.
    upright = plain(image, source)
    return upright.copy() if upright.mode == "RGBA" else upright.convert("RGBA")


def _fitting(size: tuple[int, int], longest: int) -> tuple[int, int]:
    factor = longest / max(size)
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
