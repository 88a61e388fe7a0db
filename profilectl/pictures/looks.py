"""What a person should know of pictures that can be used, and won't look as they do in their files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from profilectl.model import Agent, Picture, PreparedPicture, undecorated
from profilectl.pictures.loader import Objection
from profilectl.text.escape import visible

SMALLEST_SIDE: Final = 48
"""Pixels, the shorter side: less is too small to make out a face beside a message."""

LARGEST_RATIO: Final = 2
"""Long side to short side: of more than that most is outside of the middle square."""


def judge_looks(
    agents: Iterable[Agent], pictures: Mapping[str, Picture], prepared: Mapping[str, PreparedPicture]
) -> Iterator[Objection]:
    """Yield a warning for each thing about an agent's picture, once for all brands in which it is the same.

    `pictures` come by their paths; `prepared`, by the digests of their files, need only hold those with an alpha
    channel.
    """
    for agent in {(agent.key, undecorated(agent.avatar)[1]): agent for agent in agents}.values():
        picture = pictures.get(agent.avatar)
        if picture is not None:
            for rule, message in _warnings(picture, prepared.get(picture.digest)):
                text = f"picture {visible(undecorated(picture.path)[1])} {message}"
                yield Objection(agent, text, None, "warning", rule)


def _warnings(picture: Picture, prepared: PreparedPicture | None) -> Iterator[tuple[str, str]]:
    shape = picture.shape
    short, long = sorted((shape.width, shape.height))
    if 0 < short < SMALLEST_SIDE:
        yield "picture-small", f"is {shape.width}x{shape.height}: too small to show a face; use one of 400x400"
    if short and long > LARGEST_RATIO * short:
        lost = 100 - 100 * short // long
        yield (
            "picture-cropped",
            f"is {shape.width}x{shape.height}: only its middle square is shown, {lost} % are cut off",
        )
    if shape.is_animated:
        yield "picture-animated", "is animated: customers see its first frame only"
    if shape.has_alpha and prepared is not None and prepared.media_type == "image/png":
        yield "picture-transparent", "is transparent in places: customers see white there"
