"""The way to a file that is written: links of the user's own are followed, links of a checkout aren't."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from profilectl.system.folders import LinkRefused, folder_of, make_folder, make_private_folder, require_own_way


@pytest.fixture
def target(tmp_path, monkeypatch):
    """A folder that links lead to; the home folder is elsewhere."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "target" / "sub").mkdir(parents=True)
    return tmp_path / "target"


def open_files():
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def reached(path):
    """Return whether the folder of a path is reached, and that it is the one that the kernel finds."""
    try:
        with folder_of(path) as folder:
            return os.path.samestat(os.fstat(folder), path.parent.stat())
    except LinkRefused:
        return False


@pytest.mark.parametrize("mark", [".git", ".hg", ".jj", ".svn", "roster.toml", None])
@pytest.mark.parametrize("depth", ["", "inner", "inner/most"])
def test_links_in_a_checkout_are_refused(tmp_path, target, mark, depth):
    """Wherever in it they are, and whatever keeps its history; without any such mark a folder is the user's own."""
    checkout = tmp_path / "checkout"
    (checkout / depth).mkdir(parents=True)
    (checkout / depth / "link").symlink_to(target)
    if mark is not None:
        (checkout / mark).mkdir()

    assert (mark is None) == reached(checkout / depth / "link" / "file")
    assert (mark is None) == reached(checkout / depth / "link" / "sub" / "file")
    assert reached(checkout / depth / "file")


def test_a_link_that_leads_into_a_checkout_is_followed_as_far_as_that(tmp_path, target):
    """From there on its links are refused, by where they are and not by how the path is written."""
    (tmp_path / "checkout" / ".git").mkdir(parents=True)
    (tmp_path / "checkout" / "link").symlink_to(target)
    (tmp_path / "own").symlink_to(tmp_path / "checkout")

    assert reached(tmp_path / "own" / "file")
    assert not reached(tmp_path / "own" / "link" / "file")
    assert not reached(tmp_path / "own" / ".." / "checkout" / "link" / "file")


@pytest.mark.parametrize(
    ("place", "expected"),
    [("link/file", False), ("sub/../link/file", False), ("../own/file", True), ("../checkout/link/file", False)],
)
def test_what_is_named_from_the_current_folder(tmp_path, target, monkeypatch, place, expected):
    """Without a mark, too, for an archive has none; what is named from the folder above is judged by marks."""
    (tmp_path / "checkout" / "sub").mkdir(parents=True)
    (tmp_path / "checkout" / "link").symlink_to(target)
    (tmp_path / "own").symlink_to(target)
    monkeypatch.chdir(tmp_path / "checkout")
    if "checkout" in place:
        (tmp_path / "checkout" / ".git").touch()

    assert expected == reached(Path(place))


@pytest.mark.parametrize("is_linked", [False, True])
def test_a_home_in_git_is_no_checkout(tmp_path, target, is_linked):
    """Its links are its owner's; those of a checkout in it aren't."""
    home = tmp_path / ("real" if is_linked else "home")
    (home / "roster" / ".git").mkdir(parents=True)
    if is_linked:
        (tmp_path / "home").symlink_to(home)
    (home / ".git").mkdir()
    for folder in (home, home / "roster"):
        (folder / "link").symlink_to(target)

    assert reached(home / "link" / "file")
    assert not reached(home / "roster" / "link" / "file")


def test_a_refusal_names_the_link_and_the_way_around(tmp_path, target):
    """As can be seen on a terminal."""
    (tmp_path / "c\x1b").mkdir()
    (tmp_path / "c\x1b" / ".git").mkdir()
    (tmp_path / "c\x1b" / "link").symlink_to(target)
    with pytest.raises(LinkRefused) as refusal:
        require_own_way(tmp_path / "c\x1b" / "link" / "missing")

    assert f"{tmp_path}/c\\x1b/link is a symbolic link" == refusal.value.strerror
    assert str(target) in refusal.value.hint


def test_what_is_missing_is_no_link(tmp_path):
    """Whoever opens it says what is wrong, so nothing is raised here."""
    (tmp_path / "file").touch()
    require_own_way(tmp_path / "missing" / "folder")
    require_own_way(tmp_path / "file" / "folder")


@pytest.mark.parametrize(
    ("name", "error"), [("file", NotADirectoryError), ("none", FileNotFoundError), ("dangling", FileNotFoundError)]
)
def test_an_error_names_its_place(tmp_path, name, error):
    """The folder at which the way ends, not all of the path; and no descriptor stays open."""
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    before = open_files()
    with pytest.raises(error) as caught, folder_of(tmp_path / name / "sub" / "page.html"):
        pass

    assert str(tmp_path / name) == caught.value.filename
    assert before == open_files()


def test_a_folder_that_may_only_be_entered_is_entered(tmp_path, require):
    """As the kernel does it: the way through another user's home needn't be readable."""
    require("a user with rights of its own", os.geteuid() != 0, "root may read everything")
    (tmp_path / "home" / "site").mkdir(parents=True)
    (tmp_path / "home").chmod(0o311)
    assert reached(tmp_path / "home" / "site" / "file")


@pytest.mark.parametrize(("make", "expected"), [(make_folder, 0o750), (make_private_folder, 0o700)])
def test_folders_are_made_on_the_way(tmp_path, target, make, expected):
    """All that are missing, behind links of the user's own as well, and none behind a checkout's."""
    (tmp_path / "own").symlink_to(target)
    former = os.umask(0o027)
    try:
        make(tmp_path / "own" / "new" / "newer")
        (tmp_path / "own" / ".git").touch()
        (target / "link").symlink_to(target / "sub")
        with pytest.raises(LinkRefused):
            make(tmp_path / "own" / "link" / "new")
    finally:
        os.umask(former)

    made = [target / "new", target / "new" / "newer"]
    assert [expected] * 2 == [stat.S_IMODE(folder.stat().st_mode) for folder in made]
    assert [] == list((target / "sub").iterdir())
