"""``preview --html`` replaces the file that was named, and touches no other."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from profilectl.cli.preview import _put

PAGE = b"<!DOCTYPE html>"


@pytest.fixture(autouse=True)
def _usual_umask():
    former = os.umask(0o022)
    yield
    os.umask(former)


def mode(path):
    return oct(stat.S_IMODE(path.stat().st_mode))


def test_a_new_page_has_usual_rights(tmp_path):
    """What the umask leaves of 0666."""
    _put(tmp_path / "page.html", PAGE)
    assert ("0o644", PAGE) == (mode(tmp_path / "page.html"), (tmp_path / "page.html").read_bytes())


@pytest.mark.parametrize("rights", [0o600, 0o664])
def test_an_old_page_keeps_its_rights(tmp_path, rights):
    """Neither more people nor fewer can read it."""
    path = tmp_path / "page.html"
    path.write_text("a longer page from yesterday")
    path.chmod(rights)
    _put(path, PAGE)
    assert (oct(rights), PAGE) == (mode(path), path.read_bytes())


def test_no_link_is_followed_on_the_way(tmp_path, monkeypatch):
    """Somebody who guessed the name of the draft, and waits there with a link, gets nothing."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    for name in (f".page.html.{os.getpid()}.new", f".{bytes(8).hex()}.new"):
        (tmp_path / name).symlink_to(victim)
    _put(tmp_path / "page.html", PAGE)
    monkeypatch.setattr(os, "urandom", bytes)
    with pytest.raises(FileExistsError):
        _put(tmp_path / "page.html", PAGE)
    assert "precious" == victim.read_text()


@pytest.mark.parametrize("is_dangling", [False, True])
def test_a_link_stays_a_link(tmp_path, is_dangling):
    """What it leads to is replaced, and keeps its rights."""
    target = tmp_path / "site" / "page.html"
    target.parent.mkdir()
    if not is_dangling:
        target.touch(0o640)
    (tmp_path / "page.html").symlink_to(target)
    _put(tmp_path / "page.html", PAGE)
    assert (tmp_path / "page.html").is_symlink()
    assert ("0o644" if is_dangling else "0o640", PAGE) == (mode(target), target.read_bytes())
    assert [target] == list(target.parent.iterdir())


def test_a_draft_does_not_stay(tmp_path, monkeypatch):
    """When the page can't take its place, the draft goes."""

    def fail(*_arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        _put(tmp_path / "page.html", PAGE)
    assert [] == list(tmp_path.iterdir())
