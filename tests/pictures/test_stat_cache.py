"""What may be believed about a picture without reading it again, and what never."""

from __future__ import annotations

import io
import json
import os
import string
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from profilectl.errors import AvatarRefused
from profilectl.model import Picture, Shape
from profilectl.pictures import avatars
from profilectl.pictures.avatars import FileIdentity, Reading
from profilectl.pictures.provenance import MACHINE_MADE, TRAINED, UNSPECIFIED, with_mark
from profilectl.pictures.stat_cache import MARGIN_NS, Entry, PictureStatCache, dump, is_settled, parse
from profilectl.system.cache import cache_file

ENTRY = Entry("sha256:" + 64 * "a", "", Shape(400, 300, has_alpha=True), FileIdentity(1, 2, 3, 4, 5))


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
    paths, real = [], avatars.read
    monkeypatch.setattr(avatars, "read", lambda place, relative: paths.append(relative) or real(place, relative))
    return paths


def inspect(cache, path):
    """Look at a picture as a run does."""
    return cache.recall(path) or cache.read(path)


def open_cache(folder):
    """Return the cache as a run finds it."""
    return PictureStatCache(folder, cache_file(f"{folder}/roster.toml", "pictures"))


def learnt(folder, *paths):
    """Return the cache of a later run, as a file brings it there."""
    cache = open_cache(folder)
    for path in paths:
        inspect(cache, path)
    cache.save(paths)
    return open_cache(folder)


def test_an_untouched_picture_is_not_read(folder, readings):
    """The same digest and size as from its bytes, from its identity alone."""
    cache = learnt(folder, "avatars/a.png")

    assert avatars.inspect(folder, "avatars/a.png") == inspect(cache, "avatars/a.png")
    assert ["avatars/a.png", "avatars/a.png"] == readings, "the first run, and the comparison"


def test_a_mark_is_known_without_reading_it_again(folder, readings):
    """A machine-made picture isn't forgotten as one because its file rests."""
    buffer = io.BytesIO()
    Image.new("RGB", (2, 2)).save(buffer, "PNG")
    (folder / "avatars" / "a.png").write_bytes(with_mark(buffer.getvalue(), TRAINED))
    cache = learnt(folder, "avatars/a.png")
    readings.clear()

    assert (TRAINED, []) == (inspect(cache, "avatars/a.png").mark, readings)


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
    cache = learnt(folder, "avatars/a.png")
    deed(folder / "avatars" / "a.png")

    assert avatars.inspect(folder, "avatars/a.png") == inspect(cache, "avatars/a.png")


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
    cache = learnt(folder, "avatars/a.png")
    deed(folder)

    with pytest.raises(AvatarRefused, match=reason):
        inspect(cache, "avatars/a.png")


@pytest.mark.parametrize("path", ["/etc/passwd", "../up.png", "avatars/..", ".", "", "avatars/", "a\0b", "no/a.png"])
def test_what_is_no_plain_way_into_the_folder_has_no_identity(folder, path):
    """Such a path is left to the reading, which refuses it with its reasons."""
    (folder.parent / "up.png").write_bytes(b"up")

    assert avatars.FolderStats(folder).identify(path) is None


def test_links_inside_of_the_folder_are_followed(folder, readings):
    """A link to a file, and one to a folder, identify the file that they lead to."""
    (folder / "faces").symlink_to("avatars")
    (folder / "avatars" / "b.png").symlink_to("a.png")
    cache = learnt(folder, "faces/a.png", "avatars/b.png")
    readings.clear()

    assert {"faces/a.png": 5, "avatars/b.png": 5} == {
        path: inspect(cache, path).size for path in ("faces/a.png", "avatars/b.png")
    }
    assert [] == readings


@given(modified=st.integers(0, 2 * MARGIN_NS), changed=st.integers(0, 2 * MARGIN_NS))
def test_a_change_right_before_the_reading_is_too_fresh(modified, changed):
    """A second change in the same tick of a coarse clock wouldn't show, so the first one must be older than a tick."""
    begun_ns = 2 * MARGIN_NS
    reading = Reading(Picture("a", "sha256:a", 1), FileIdentity(1, 1, 1, modified, changed), begun_ns)

    assert (min(begun_ns - modified, begun_ns - changed) >= MARGIN_NS) == is_settled(reading)


def test_a_file_that_grew_while_it_was_read_is_not_remembered():
    """What was read isn't what the identity, taken before, was of."""
    assert not is_settled(Reading(Picture("a", "sha256:a", 2), FileIdentity(1, 1, 1, 0, 0), 9 * MARGIN_NS))


def test_a_fresh_picture_is_read_until_it_is_old_enough(folder, monkeypatch, readings):
    """The run that reads it too early drops what was known of it before."""
    cache = learnt(folder, "avatars/a.png")
    monkeypatch.setattr("profilectl.pictures.avatars.time.time_ns", lambda: time.clock_gettime_ns(time.CLOCK_REALTIME))
    replace(folder / "avatars" / "a.png")
    inspect(cache, "avatars/a.png")

    cache.save(["avatars/a.png"])
    assert open_cache(folder).recall("avatars/a.png") is None


def kept(folder):
    """Return the file of the cache, and what is in it."""
    path = Path(cache_file(f"{folder}/roster.toml", "pictures"))
    return path, set(parse(path.read_bytes()))


def test_only_news_are_written(folder):
    """Pictures that weren't looked at stay, and those that the roster names no more go."""
    (folder / "b.png").write_bytes(b"other")
    cache = learnt(folder, "avatars/a.png", "b.png")
    path, before = kept(folder)
    inode = path.stat().st_ino
    cache.save(["avatars/a.png", "b.png"])

    assert ({"avatars/a.png", "b.png"}, inode) == (before, path.stat().st_ino)
    cache.save(["avatars/a.png", "new.png"])
    assert (path, {"avatars/a.png"}) == kept(folder)


def test_a_cache_that_was_wrong_is_emptied(folder):
    """The next run reads every file."""
    cache = learnt(folder, "avatars/a.png")
    cache.clear()

    assert open_cache(folder).recall("avatars/a.png") is None


def test_without_a_place_to_keep_it_every_run_reads(folder, monkeypatch, readings):
    """A home that can't be written costs only time."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/nonexistent/cache")
    cache = learnt(folder, "avatars/a.png")
    inspect(cache, "avatars/a.png")

    assert ["avatars/a.png"] * 2 == readings
    PictureStatCache(folder).save(["avatars/a.png"])
    PictureStatCache(folder).clear()
    assert not Path("/nonexistent").exists()


@given(
    st.dictionaries(
        st.text(),
        st.builds(
            Entry,
            st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256:".__add__),
            st.sampled_from(["", UNSPECIFIED, *MACHINE_MADE]),
            st.builds(Shape, st.integers(0, 2**32), st.integers(0, 2**32), st.booleans(), st.booleans()),
            st.builds(FileIdentity, *[st.integers(0, 2**64)] * 5),
        ),
    )
)
def test_what_is_written_is_what_is_read(entries):
    """Every path that a roster can name, and every number that a file system can give."""
    assert entries == parse(dump(entries))


ROW = [ENTRY.digest, ENTRY.mark, 400, 300, False, True, *ENTRY.identity]


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {"version": 3},
        {"version": 2, "pictures": {"a": ROW}},
        {"version": 3, "pictures": [ROW]},
        {"version": 3, "pictures": {"a": ROW, "b": None}},
        {"version": 3, "pictures": {"a": ROW, "b": {}}},
        {"version": 3, "pictures": {"a": ROW, "b": ROW[:-1]}},
        {"version": 3, "pictures": {"a": ROW, "b": [*ROW, 1]}},
        {"version": 3, "pictures": {"a": ROW, "b": [*ROW[:-1], 1.0]}},
        {"version": 3, "pictures": {"a": ROW, "b": [*ROW[:-1], True]}},
        {"version": 3, "pictures": {"a": ROW, "b": ["sha256:" + string.ascii_lowercase, *ROW[1:]]}},
        {"version": 3, "pictures": {"a": ROW, "b": [ROW[0], 1, *ROW[2:]]}},
    ],
)
def test_a_damaged_cache_is_none(document):
    """One wrong entry, and nothing of it is believed."""
    assert {} == parse(json.dumps(document).encode())


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"9" * 10_000, b'"\\ud800"'])
def test_rubbish_is_no_cache(content):
    """Bytes that hold no document."""
    assert {} == parse(content)
