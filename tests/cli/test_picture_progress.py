"""Whoever waits for many pictures sees on a terminal how far it is; scripts see nothing of it."""

from __future__ import annotations

import pytest
from PIL import Image

KEYS = [f"agent{number:02}" for number in range(24)]


@pytest.fixture
def team(desk):
    """Two dozen agents with a picture each."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    for number, key in enumerate(KEYS):
        Image.effect_noise((1200, 1200), 10 + number).save(desk.folder / f"{key}.png")
    return desk.write(*((key, key.title(), f'avatar = "{key}.png"') for key in KEYS))


@pytest.mark.parametrize("words", [("roster", "check"), ("diff",), ("sync", "--yes")], ids=" ".join)
def test_a_terminal_shows_how_far_the_pictures_are(team, words):
    """With what is next, by its file; the bar is gone afterwards."""
    code, screen = team.watch(*words)

    assert 0 == code
    assert ".png" in screen
    assert "/24" in screen


@pytest.mark.parametrize("words", [("roster", "check"), ("diff",), ("sync", "--yes")], ids=" ".join)
def test_a_pipe_shows_nothing_of_it(team, words):
    """Neither on stdout nor on stderr."""
    result = team.run(*words)

    assert (0, False) == (result.code, ".png" in result.out + result.err)
