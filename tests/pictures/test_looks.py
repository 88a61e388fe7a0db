"""Pictures that customers see otherwise than they are."""

from __future__ import annotations

import pytest

from profilectl.model import Agent, Kind, Picture, PreparedPicture, Shape
from profilectl.pictures.looks import judge_looks

ALICE = Agent("alice", "acme", "Alice", "a.png", Kind.HUMAN)
OPAQUE, CLEAR = (PreparedPicture(b"", media_type, "d") for media_type in ("image/jpeg", "image/png"))


def warnings(shape, prepared=OPAQUE):
    objections = judge_looks([ALICE], {"a.png": Picture("a.png", "d", 9, "", shape)}, {"d": prepared})
    return [(objection.rule, objection.severity) for objection in objections]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Shape(400, 400), []),
        (Shape(20, 20), ["picture-small"]),
        (Shape(48, 48), []),
        (Shape(4000, 100), ["picture-cropped"]),
        (Shape(100, 4000), ["picture-cropped"]),
        (Shape(800, 400), []),
        (Shape(1920, 1080), []),
        (Shape(400, 400, is_animated=True), ["picture-animated"]),
        (Shape(), []),
    ],
)
def test_what_will_look_otherwise_is_told(shape, expected):
    """Each as a warning; a shape that can't be read says nothing."""
    assert [(rule, "warning") for rule in expected] == warnings(shape)


def test_only_what_is_transparent_is_told_as_such():
    """A channel in which nothing is transparent isn't seen."""
    shape = Shape(400, 400, has_alpha=True)

    assert [] == warnings(shape, OPAQUE)
    assert [("picture-transparent", "warning")] == warnings(shape, CLEAR)


def test_an_agent_is_told_once_for_all_brands():
    """And a picture that can't be read not at all."""
    agents = [ALICE, Agent("alice", "beta", "Alice", "a.png", Kind.HUMAN), Agent("bob", "acme", "B", "b", Kind.BOT)]
    pictures = {"a.png": Picture("a.png", "d", 9, "", Shape(20, 20))}

    assert [ALICE.key] == [objection.agent.key for objection in judge_looks(agents, pictures, {})]
