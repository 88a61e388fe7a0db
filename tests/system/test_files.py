"""Files appear whole or not at all, are read within bounds, and links and pipes surprise nobody."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from profilectl.errors import InputRefused
from profilectl.system.files import (
    cleaned_up,
    create_private,
    created,
    read_named,
    read_regular,
    write_named,
    write_private,
)
from profilectl.system.folders import make_private_folder


def full_disk(_descriptor):
    raise OSError(28, "No space left on device")


READ_ONLY = OSError(30, "Read-only file system")


def failing(error):
    """Return what a deed does that ends with this error."""

    def fail(*_words, **_more):
        raise error

    return fail


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config.toml"


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_file_is_made_whole_or_not_at_all(tmp_path, monkeypatch):
    """A file that can't be completed doesn't appear, and its draft goes."""
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        create_private(tmp_path / "ledger.db", b"content")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("late", [False, True])
def test_file_that_exists_is_never_replaced(tmp_path, monkeypatch, late):
    """Of two that create a file, the first wins, also when it comes between the other's look and deed."""
    if late:
        monkeypatch.setattr(os.path, "lexists", lambda _path: False)
    (tmp_path / "ledger.db").write_bytes(b"first")
    create_private(tmp_path / "ledger.db", b"second")
    assert [("ledger.db", b"first")] == [(path.name, path.read_bytes()) for path in tmp_path.iterdir()]


@pytest.mark.parametrize("alone", [False, True])
def test_a_new_content_replaces_the_old_file(path, alone):
    """Only this user can read it, whatever the old file's mode and the umask were."""
    path.write_bytes(b"old")
    path.chmod(0o666)
    write_private(path, b"new", durable=True, alone=alone)
    assert {"config.toml": b"new"} == contents(path.parent)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failing_disk_leaves_the_old_file(path, monkeypatch, alone, call):
    """What was there is still there, and no draft is."""
    path.write_bytes(b"old")
    monkeypatch.setattr(os, call, lambda *_paths, **_folders: full_disk(0))
    with pytest.raises(OSError, match="No space left"):
        write_private(path, b"new", durable=True, alone=alone)
    assert {"config.toml": b"old"} == contents(path.parent)


def test_an_interrupt_leaves_no_draft(path, monkeypatch):
    """Ctrl-C between the draft and its name takes the draft along."""

    def interrupt(_descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_private(path, b"new", durable=True)
    assert {} == contents(path.parent)


@pytest.mark.parametrize("trouble", [READ_ONLY, KeyboardInterrupt()], ids=["a disk", "Ctrl-C"])
@pytest.mark.parametrize("write", [write_private, create_private, write_named])
def test_a_draft_that_can_t_be_removed_hides_nothing(path, monkeypatch, write, trouble):
    """What went wrong first is what is told."""
    deed = "fsync" if write is create_private else "replace"
    monkeypatch.setattr(os, deed, failing(OSError(28, "No space left on device")))
    monkeypatch.setattr(os, "unlink", failing(trouble))
    with pytest.raises((OSError, InputRefused), match="No space left"):
        write(path, b"new")


@pytest.mark.parametrize("trouble", [READ_ONLY, KeyboardInterrupt()], ids=["a disk", "Ctrl-C"])
def test_a_failing_end_is_told_where_nothing_else_failed(trouble):
    """Only an error under way is worth more."""
    with pytest.raises(type(trouble)), cleaned_up(failing(trouble)):
        pass


def test_the_draft_of_a_killed_writer_is_replaced(path):
    """Who holds the lock is the only one who writes, so a draft that is there is nobody's."""
    draft = path.with_name(".config.toml.new")
    draft.write_bytes(b"half a toke")
    draft.chmod(0o644)
    write_private(path, b"new", alone=True)
    assert {"config.toml": b"new"} == contents(path.parent)
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("name", ["config.toml", ".config.toml.new"])
def test_a_link_is_replaced_not_followed(path, tmp_path_factory, name):
    """Whether it has the file's name or the draft's, what it leads to stays as it is."""
    victim = tmp_path_factory.mktemp("elsewhere") / "victim"
    victim.write_bytes(b"untouched")
    path.with_name(name).symlink_to(victim)
    write_private(path, b"new", alone=True)
    assert b"untouched" == victim.read_bytes()
    assert {"config.toml": b"new"} == contents(path.parent)
    assert not path.is_symlink()


def test_a_file_is_written_into_the_folder_that_was_opened(path, tmp_path):
    """A relative path starts from the descriptor, however the folder is called by now."""
    folder = tmp_path / "cache"
    folder.mkdir()
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        folder.rename(tmp_path / "renamed")
        write_private(path.relative_to(tmp_path), b"new", folder=descriptor)
    finally:
        os.close(descriptor)
    assert {"config.toml": b"new"} == contents(tmp_path / "renamed")


@pytest.mark.parametrize(("limit", "content"), [(0, b""), (3, b"abc"), (6, b"abcdef"), (9, b"abcdef")])
def test_no_more_than_the_limit_is_read(path, limit, content):
    """The status is that of the file, whose size may be larger."""
    path.write_bytes(b"abcdef")
    read, status = read_regular(path, limit)
    assert (content, 6) == (read, status.st_size)


@pytest.mark.parametrize("kind", ["folder", "pipe", "device"])
def test_only_regular_files_are_read(path, kind):
    """A folder, a pipe without a writer and a device without an end are recognised, and nothing waits for them."""
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    assert read_regular(path, 10) is None
    with pytest.raises(
        InputRefused, match=r"roster .*config\.toml is" + (" a folder" if kind == "folder" else "n't a regular file")
    ):
        read_named(path, "the roster", 10)


def test_a_named_file_may_be_as_large_as_the_limit(path):
    """And a byte more is refused."""
    path.write_bytes(b"abcdef")
    assert b"abcdef" == read_named(path, "the roster", 6)
    with pytest.raises(InputRefused, match=r"the roster .*config\.toml is larger than 5 bytes"):
        read_named(path, "the roster", 5)


def test_a_named_file_behind_a_link_is_read(path):
    """A person may keep it elsewhere."""
    path.write_bytes(b"abcdef")
    link = path.with_name("link")
    link.symlink_to(path)
    assert b"abcdef" == read_named(link, "the roster", 6)


@pytest.mark.parametrize(("name", "reason"), [("none", "No such file"), ("nul\0", "no file name"), ("\x1b", "No such")])
def test_what_cannot_be_opened_is_named_visibly(tmp_path, name, reason):
    """With the cause and the hint, and without what a terminal would obey."""
    with pytest.raises(InputRefused, match=f"can't read the roster .*: {reason}") as refusal:
        read_named(tmp_path / name, "the roster", 6, "name another one")
    assert "name another one" == refusal.value.hint
    assert refusal.value.message.isprintable()


@pytest.mark.parametrize("umask", [0o022, 0o002, 0])
def test_a_private_folder_is_private_all_the_way(tmp_path, umask):
    """What is made above it, too; what was there keeps its mode."""
    tmp_path.chmod(0o755)
    before = os.umask(umask)
    try:
        make_private_folder(tmp_path / ".local" / "state" / "profilectl")
        make_private_folder(tmp_path / ".local" / "state" / "profilectl")
    finally:
        os.umask(before)

    assert [0o700] * 3 == [stat.S_IMODE(folder.stat().st_mode) for folder in sorted(tmp_path.rglob("*"))]
    assert 0o755 == stat.S_IMODE(tmp_path.stat().st_mode)


# Files that are made anew


def test_a_new_file_is_there_whole_and_with_usual_rights(tmp_path):
    """Its folder is made, and no draft is left beside it."""
    with created(tmp_path / "a" / "b.txt", b"text"):
        assert b"text" == (tmp_path / "a" / "b.txt").read_bytes()

    assert ["b.txt"] == [path.name for path in (tmp_path / "a").iterdir()]
    assert 0o644 == stat.S_IMODE((tmp_path / "a" / "b.txt").stat().st_mode) | 0o044


def test_a_new_file_goes_again_after_an_error(tmp_path):
    """What was to follow it didn't happen."""
    with pytest.raises(RuntimeError), created(tmp_path / "b.txt", b"text"):
        raise RuntimeError

    assert [] == [*tmp_path.iterdir()]


def test_a_new_file_takes_nobody_s_place(tmp_path):
    """A file stays, a link is neither followed nor replaced."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "link"):
        with pytest.raises(FileExistsError) as error, created(tmp_path / name, b"text"):
            pass
        assert str(tmp_path / name) == error.value.filename

    assert (["file", "link"], "mine") == (
        sorted(path.name for path in tmp_path.iterdir()),
        (tmp_path / "file").read_text(),
    )


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP])
def test_a_file_system_without_links_will_do(tmp_path, monkeypatch, code):
    """Such as that of a memory stick; there, too, nothing is replaced."""

    def refuse(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", refuse)
    with created(tmp_path / "b.txt", b"text"):
        pass
    with pytest.raises(FileExistsError), created(tmp_path / "b.txt", b"other"):
        pass

    assert (["b.txt"], b"text") == ([path.name for path in tmp_path.iterdir()], (tmp_path / "b.txt").read_bytes())
