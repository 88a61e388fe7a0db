"""Screens of a real terminal, tmux, at three widths, with names in six scripts: as the pictures show them."""

from __future__ import annotations

import re

import pytest

from profilectl.render.layout import most_cells
from tests.screens import kept, terminal
from tests.screens.story import AFTER, BEFORE, SCENES, Worlds
from tests.screens.terminal import Tmux


@pytest.fixture(scope="module")
def play(tmp_path_factory, require):
    """Play a scene on a screen of so many columns."""
    require("tmux", terminal.is_installed(), "tmux isn't installed")
    worlds = Worlds(tmp_path_factory.mktemp("screens"))
    with Tmux(worlds.place, worlds.environment) as tmux:
        yield lambda scene, width: kept.play(tmux, worlds, scene, width)


def broken(screen):
    """Return the lines for which the terminal had no room, but for a digest's: it is to be copied whole."""
    return [line for line in screen.lines if line not in screen.rows and not line.startswith("plan sha256:")]


def moved(screen):
    """Return the rows whose arrow would change sides with a name from right to left, which isn't isolated."""
    return [row for row in screen.rows if re.search("→ [^\u2068]*[\u0590-\u08ff]", row)]


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_screens_hold(play, scene):
    """The terminal breaks no row, none ends in spaces, arrows keep to the left; and the text is the kept one."""
    screens = [play(scene, width) for width in kept.WIDTHS]
    faults = [
        (broken(screen), [row for row in screen.rows if row != row.rstrip()], moved(screen)) for screen in screens
    ]
    expected = [kept.kept_text(scene, width).read_text("utf-8") for width in kept.WIDTHS]

    assert [([], [], [])] * len(screens) == faults
    for text, screen in zip(expected, screens, strict=True):
        assert kept.stable(text) == kept.stable(kept.text_of(screen)), "run: python -m tests.screens"


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_pictures_are_of_the_kept_texts(scene):
    """A picture names the texts that it was drawn from."""
    assert kept.digest_of(scene) == kept.digest_in(kept.picture(scene)), "run: python -m tests.screens"


def test_every_script_is_there():
    """Latin, Arabic, Hebrew, Hindi, Chinese and emoji, as many as the issue names; none is cut."""
    names = [*BEFORE.values(), *AFTER.values()]
    text = kept.kept_text(SCENES[0], kept.WIDTHS[-1]).read_text("utf-8")

    assert [] == [name for name in names if name not in text]
    assert 120 >= max(map(most_cells, text.splitlines()))


def test_pictures_are_small():
    """All of them together, as everybody who clones the project loads them."""
    assert 1_500_000 > sum(kept.picture(scene).stat().st_size for scene in SCENES)
