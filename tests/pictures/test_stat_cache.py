"""What may be believed about a picture without reading it again, and what never."""

from __future__ import annotations

import json
import os
import string
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profilectl.errors import AvatarRefused
from profilectl.model import Picture
from profilectl.pictures import avatars
from profilectl.pictures.avatars import Identity, Reading
from profilectl.pictures.stat_cache import MARGIN_NS, Known, PictureMemory, dump, is_settled, parse

KNOWN = Known("sha256:" + 64 * "a", Identity(1, 2, 3, 4, 5))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A roster's folder with one picture; whatever is written in the test is long ago when it is read."""
    real = time.time_ns
    monkeypatch.setattr("profilectl.pictures.avatars.time.time_ns", lambda: real() + 10 * MARGIN_NS)
    (tmp_path / "roster" / "avatars").mkdir(parents=True)
    (tmp_path / "roster" / "avatars" / "a.png").write_bytes(b"first")
    return tmp_path / "roster"


@pytest.fixture
def readings(monkeypatch):
    """The pictures that were opened and read."""
    found, real = [], avatars.read
    monkeypatch.setattr(avatars, "read", lambda place, relative: found.append(relative) or real(place, relative))
    return found


def inspect(memory, path):
    """Look at a picture as a run does."""
    return memory.recall(path) or memory.read(path)


def learnt(folder, *paths):
    """Return the memory of a later run, as a file brings it there."""
    memory = PictureMemory(folder)
    for path in paths:
        inspect(memory, path)
    return PictureMemory(folder, parse(dump(memory.news(paths) or {})))


def test_an_untouched_picture_is_not_read(folder, readings):
    """The same digest and size as from its bytes, from its identity alone."""
    memory = learnt(folder, "avatars/a.png")

    assert avatars.inspect(folder, "avatars/a.png") == inspect(memory, "avatars/a.png")
    assert ["avatars/a.png", "avatars/a.png"] == readings, "the first run, and the comparison"


def rewrite(path):
    """Write as many other bytes, and put the modification time back."""
    before = path.stat()
    path.write_bytes(b"other")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path):
    """Put another file of the same size and time in its place."""
    other = path.with_name("other")
    other.write_bytes(b"other")
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.replace(path)


def link(path):
    """Put a link to another file of the folder in its place."""
    path.with_name("other").write_bytes(b"other")
    path.unlink()
    path.symlink_to("other")


@pytest.mark.parametrize("deed", [rewrite, replace, link])
def test_whatever_happens_to_a_file_is_noticed(folder, deed):
    """The change time and the inode tell what size and modification time don't."""
    memory = learnt(folder, "avatars/a.png")
    deed(folder / "avatars" / "a.png")

    assert avatars.inspect(folder, "avatars/a.png") == inspect(memory, "avatars/a.png")


def move_folder_out(folder):
    """Let a link lead to the same file, which lies outside now."""
    (folder / "avatars").rename(folder.parent / "outside")
    (folder / "avatars").symlink_to(folder.parent / "outside")


def move_file_out(folder):
    """As above, for the file itself."""
    (folder / "avatars" / "a.png").rename(folder.parent / "a.png")
    (folder / "avatars" / "a.png").symlink_to(folder.parent / "a.png")


def remove(folder):
    """Leave nothing there."""
    (folder / "avatars" / "a.png").unlink()


def empty(folder):
    """Leave nothing in it."""
    (folder / "avatars" / "a.png").write_bytes(b"")


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        (move_folder_out, "is outside of the roster's folder"),
        (move_file_out, "is outside of the roster's folder"),
        (remove, "doesn't exist"),
        (empty, "is an empty file"),
    ],
)
def test_a_known_picture_is_refused_like_any_other(folder, deed, reason):
    """Knowing what a file holds doesn't mean that it may be used."""
    memory = learnt(folder, "avatars/a.png")
    deed(folder)

    with pytest.raises(AvatarRefused, match=reason):
        inspect(memory, "avatars/a.png")


@pytest.mark.parametrize("path", ["/etc/passwd", "../up.png", "avatars/..", ".", "", "avatars/", "a\0b", "no/a.png"])
def test_what_is_no_plain_way_into_the_folder_has_no_identity(folder, path):
    """Such a path is left to the reading, which refuses it with its reasons."""
    (folder.parent / "up.png").write_bytes(b"up")

    assert avatars.Shelf(folder).identify(path) is None


def test_links_inside_of_the_folder_are_followed(folder, readings):
    """A link to a file, and one to a folder, identify the file that they lead to."""
    (folder / "faces").symlink_to("avatars")
    (folder / "avatars" / "b.png").symlink_to("a.png")
    memory = learnt(folder, "faces/a.png", "avatars/b.png")
    readings.clear()

    assert {"faces/a.png": 5, "avatars/b.png": 5} == {
        path: inspect(memory, path).size for path in ("faces/a.png", "avatars/b.png")
    }
    assert [] == readings


@given(modified=st.integers(0, 2 * MARGIN_NS), changed=st.integers(0, 2 * MARGIN_NS))
def test_a_change_right_before_the_reading_is_too_fresh(modified, changed):
    """A second change in the same tick of a coarse clock wouldn't show, so the first one must be older than a tick."""
    begun_ns = 2 * MARGIN_NS
    reading = Reading(Picture("a", "sha256:a", 1), Identity(1, 1, 1, modified, changed), begun_ns)

    assert (min(begun_ns - modified, begun_ns - changed) >= MARGIN_NS) == is_settled(reading)


def test_a_file_that_grew_while_it_was_read_is_not_remembered():
    """What was read isn't what the identity, taken before, was of."""
    assert not is_settled(Reading(Picture("a", "sha256:a", 2), Identity(1, 1, 1, 0, 0), 9 * MARGIN_NS))


def test_a_fresh_picture_is_read_until_it_is_old_enough(folder, monkeypatch, readings):
    """The run that reads it in time forgets what was known of it before."""
    memory = learnt(folder, "avatars/a.png")
    monkeypatch.undo()
    replace(folder / "avatars" / "a.png")
    inspect(memory, "avatars/a.png")

    assert {} == memory.news(["avatars/a.png"])


def test_only_news_are_written():
    """Nothing new is None; pictures that weren't looked at stay, and those that the roster names no more go."""
    memory = PictureMemory(Path(), {"a": KNOWN, "b": KNOWN})

    assert memory.news(["a", "b"]) is None
    assert {"a": KNOWN} == memory.news(["a", "new"])


@given(
    st.dictionaries(
        st.text(),
        st.builds(
            Known,
            st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:".__add__),
            st.builds(Identity, *[st.integers(0, 2**64)] * 5),
        ),
    )
)
def test_what_is_written_is_what_is_read(known):
    """Every path that a roster can name, and every number that a file system can give."""
    assert known == parse(dump(known))


ENTRY = [KNOWN.digest, *KNOWN.identity]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {"version": 1},
        {"version": 2, "pictures": {"a": ENTRY}},
        {"version": 1, "pictures": [ENTRY]},
        {"version": 1, "pictures": {"a": ENTRY, "b": None}},
        {"version": 1, "pictures": {"a": ENTRY, "b": {}}},
        {"version": 1, "pictures": {"a": ENTRY, "b": ENTRY[:-1]}},
        {"version": 1, "pictures": {"a": ENTRY, "b": [*ENTRY, 1]}},
        {"version": 1, "pictures": {"a": ENTRY, "b": [*ENTRY[:-1], 1.0]}},
        {"version": 1, "pictures": {"a": ENTRY, "b": [*ENTRY[:-1], True]}},
        {"version": 1, "pictures": {"a": ENTRY, "b": ["sha256:" + string.ascii_lowercase, *ENTRY[1:]]}},
    ],
)
def test_a_damaged_memory_is_none(document):
    """One wrong entry, and nothing of it is believed."""
    assert {} == parse(json.dumps(document).encode())


@pytest.mark.parametrize("content", [None, b"", b"{", b"\xff", b"[" * 100_000, b"9" * 10_000, b'"\\ud800"'])
def test_rubbish_is_no_memory(content):
    """Bytes that hold no document."""
    assert {} == parse(content)
