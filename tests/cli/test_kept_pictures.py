"""A large photograph is decoded once, by the first command that may keep something."""

from __future__ import annotations

import pytest

from tests.photographs import photograph_like_portrait

PROBE = """
import atexit, os, sys
sys.path.insert(0, os.getcwd())
from PIL import JpegImagePlugin
decoded, load_prepare = [], JpegImagePlugin.JpegImageFile.load_prepare
def counting(self):
    decoded.append(1)
    return load_prepare(self)
JpegImagePlugin.JpegImageFile.load_prepare = counting
atexit.register(lambda: open(os.environ["DECODED"], "w").write(str(len(decoded))))
from profilectl.__main__ import main
main()
"""


@pytest.fixture
def team(desk):
    """Two agents with a photograph of a megapixel each, which nobody has touched for a while."""
    desk.env |= {"PROFILECTL_SANDBOX": "1", "XDG_CACHE_HOME": str(desk.folder / "cache")}
    desk.write(*((key, key.title(), f'avatar = "{key}.jpg"') for key in ("alice", "bruno")))
    for seed, key in enumerate(("alice", "bruno")):
        (desk.folder / f"{key}.jpg").write_bytes(photograph_like_portrait(seed, (900, 1200)))
    return desk


def decoded(desk, *words):
    """Run a command, and return how many JPEGs it decoded."""
    import subprocess
    import sys

    count = desk.folder / "decoded"
    env = desk.environment() | {"DECODED": str(count)}
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *words], cwd=desk.folder, env=env, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stderr
    return int(count.read_text())


def kept(desk):
    folder = desk.folder / "cache" / "profilectl" / "prepared"
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_after_a_check_nothing_is_decoded_again(team):
    """Not by another check, a diff, or the sync, whose uploads are those of the check."""
    assert (2, 2) == (decoded(team, "roster", "check"), kept(team))
    assert [0, 0] == [decoded(team, *words) for words in (("roster", "check"), ("diff",))]


def test_a_diff_keeps_nothing_and_a_sync_does(team):
    """`diff` writes nowhere, whatever that costs."""
    assert (2, 0) == (decoded(team, "diff"), kept(team))
    assert 0 == team.run("sync", "--yes").code
    assert 2 == kept(team)


def test_a_home_that_cant_be_written_keeps_nothing_and_nothing_fails(team):
    """As on a server whose root is read-only."""
    team.env["XDG_CACHE_HOME"] = "/proc"

    assert [2, 2] == [decoded(team, "roster", "check") for _ in range(2)]


def test_a_kept_picture_that_was_damaged_is_decoded_and_uploaded_as_it_is(team):
    """Whatever is in the folder, X gets the photograph."""
    assert 2 == decoded(team, "roster", "check")
    for path in (team.folder / "cache" / "profilectl" / "prepared").iterdir():
        path.write_bytes(path.read_bytes()[:-10] + bytes(10))

    assert 2 == decoded(team, "diff")
    assert 0 == team.run("sync", "--yes").code == team.run("diff", "--verify-avatars", "--exit-code").code
