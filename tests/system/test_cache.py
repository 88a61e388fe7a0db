"""The user's cache folder: where a cache lies, and which files there are believed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from profilectl.system.cache import cache_file, read_cache, write_cache

ROSTER = "/home/u/acme/roster.toml"
LARGEST = 100


@pytest.fixture(name="path")
def _path():
    """A cache in the home of this test, whose folder isn't there yet."""
    return Path(cache_file(ROSTER, "names"))


def test_what_is_written_is_read(path):
    """The folder is made, and only its owner can look into it."""
    write_cache(str(path), b"first")
    write_cache(str(path), b"second")

    assert b"second" == read_cache(str(path), LARGEST)
    assert [path] == list(path.parent.iterdir())
    assert (0o700, 0o600) == tuple(stat.S_IMODE(each.stat().st_mode) for each in (path.parent, path))


def test_a_cache_is_named_after_what_it_is_about(monkeypatch):
    """Whoever looks into the folder sees which file belongs to which roster."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/c")

    assert "/c/profilectl/%home%u%acme%roster.toml.names" == cache_file(ROSTER, "names")


@pytest.mark.parametrize("chosen", ["", "relative", None])
def test_without_a_choice_it_is_in_the_home_folder(monkeypatch, chosen):
    """A relative XDG_CACHE_HOME would depend on the working directory, which may be anybody's checkout."""
    monkeypatch.setenv("HOME", "/home/u")
    monkeypatch.delenv("XDG_CACHE_HOME") if chosen is None else monkeypatch.setenv("XDG_CACHE_HOME", chosen)

    assert cache_file(ROSTER, "names").startswith("/home/u/.cache/profilectl/")


def test_without_a_home_folder_nothing_is_relative(monkeypatch):
    """Where neither HOME nor the list of users names one, there is no cache."""
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    path = cache_file(ROSTER, "names")
    write_cache(path, b"content")

    assert path.startswith("/dev/null/")
    assert b"" == read_cache(path, LARGEST)


@pytest.mark.parametrize("folder", ["/" + "é" * 300, "/x" * 1000, "/\udcff" * 90])
def test_a_path_of_any_length_has_a_cache(folder):
    """A file's name may have 255 bytes, a path many more."""
    path = cache_file(f"{folder}/roster.toml", "sandbox.names")
    write_cache(path, b"content")

    assert b"content" == read_cache(path, LARGEST)


def grow(path):
    path.write_bytes(b"x" * (LARGEST + 1))


def expose(path):
    path.chmod(0o640)


def link(path):
    path.rename(path.with_name("other"))
    path.symlink_to("other")


def block(path):
    path.unlink()
    os.mkfifo(path, 0o600)


def link_folder(path):
    path.parent.rename(path.parent.with_name("other"))
    path.parent.symlink_to("other")


def remove(path):
    path.unlink()


@pytest.mark.parametrize("deed", [grow, expose, link, block, link_folder, remove])
def test_what_is_not_ours_is_not_read(path, deed):
    """Too large, open to others, a link, a pipe, in a folder that is a link, or not there."""
    write_cache(str(path), b"content")
    deed(path)

    assert b"" == read_cache(str(path), LARGEST)


def test_what_belongs_to_somebody_else_is_not_read_and_not_replaced(path, monkeypatch):
    """Nobody's folder becomes ours by having our name."""
    write_cache(str(path), b"content")
    monkeypatch.setattr(os, "geteuid", lambda: 65534)
    write_cache(str(path), b"other")

    assert (b"", b"content") == (read_cache(str(path), LARGEST), path.read_bytes())
