"""A file that is replaced only while it is as it was read, with what it had of rights and owner."""

from __future__ import annotations

import fcntl
import os
import stat
import threading

import pytest

from profilectl.errors import InputRefused, TryLater
from profilectl.system import edited_files
from profilectl.system.edited_files import replace_unchanged


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "roster.toml"
    path.write_bytes(b"before")
    path.chmod(0o640)
    return path


def names(file):
    return [each.name for each in file.parent.iterdir()]


def test_an_unchanged_file_is_replaced(file):
    """The new bytes are there, with the rights of before, and no draft is left."""
    assert replace_unchanged(file, b"before", b"after")
    assert (b"after", 0o640) == (file.read_bytes(), stat.S_IMODE(file.stat().st_mode))
    assert [file.name] == names(file)


@pytest.mark.parametrize("now", [b"other", b"before and more", b""])
def test_a_changed_file_stays(file, now):
    """Whatever somebody has written meanwhile is still there."""
    file.write_bytes(now)
    assert not replace_unchanged(file, b"before", b"after")
    assert now == file.read_bytes()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_owner_stays(file):
    """An admin who edits as root leaves the file to whom it belongs."""
    os.chown(file, 65534, 65534)
    assert replace_unchanged(file, b"before", b"after")
    assert (65534, 65534) == (file.stat().st_uid, file.stat().st_gid)


def test_a_link_is_refused(file):
    """A link that a checkout may have brought isn't followed, and what it leads to stays."""
    link = file.with_name("link.toml")
    link.symlink_to(file)
    with pytest.raises(InputRefused, match="symbolic link"):
        replace_unchanged(link, b"before", b"after")
    assert b"before" == file.read_bytes()


def test_no_file_is_refused(file):
    """Nothing is made where nothing was read."""
    file.unlink()
    with pytest.raises(InputRefused, match="No such file"):
        replace_unchanged(file, b"before", b"after")
    assert [] == names(file)


def test_a_disk_that_refuses_leaves_the_file(file, monkeypatch):
    """When the new bytes can't be made durable, the old file is there and no draft."""

    def refuse(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(InputRefused, match="No space left"):
        replace_unchanged(file, b"before", b"after")
    assert (b"before", [file.name]) == (file.read_bytes(), names(file))


def test_another_edit_is_waited_for(file):
    """Who comes second waits, and then sees that the file isn't the one that was read."""
    with file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        results = []
        second = threading.Thread(target=lambda: results.append(replace_unchanged(file, b"before", b"second")))
        second.start()
        draft = file.with_name("draft")
        draft.write_bytes(b"first")
        draft.replace(file)
    second.join(20)
    assert ([False], b"first") == (results, file.read_bytes())


def test_a_holder_that_doesn_t_end_is_named(file, monkeypatch):
    """After the wait nothing was written, and the same command may be run again."""
    monkeypatch.setattr(edited_files, "_LOCK_SECONDS", 0.1)
    with file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(TryLater, match="another program holds"):
            replace_unchanged(file, b"before", b"after")
    assert b"before" == file.read_bytes()
