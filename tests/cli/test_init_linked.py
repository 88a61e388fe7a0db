"""``init`` writes beside the roster, wherever a repository's links point."""

from __future__ import annotations

import pytest


def test_a_folder_whose_name_is_too_long(desk):
    """The system's reason is told."""
    done = desk.run("init", "--roster", "x" * 300 + "/roster.toml")

    assert (5, True) == (done.code, "File name too long; nothing was written" in done.err)


@pytest.mark.parametrize("target", ["../out", "inside", "../missing"])
def test_a_linked_folder_is_refused(desk, target):
    """A link in the place of the pictures' folder leads nowhere."""
    folder = desk.folder / "brand"
    for one in (folder, folder / "inside", desk.folder / "out"):
        one.mkdir()
    (folder / "avatars").symlink_to(target)
    done = desk.run("init", "--roster", "brand/roster.toml")

    assert (5, True) == (done.code, "brand/avatars is a symbolic link; nothing was written" in done.err)
    assert {"avatars", "inside"} == {one.name for one in folder.iterdir()}
    assert [] == [*(folder / "inside").iterdir(), *(desk.folder / "out").iterdir()]
    assert not (desk.folder / "missing").exists()
