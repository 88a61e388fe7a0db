"""One run at a time, and one login at a time: two that end together both stay in the list."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest

from profilectl.config import Config, LoggedIn, read_config, write_config
from profilectl.errors import InputRefused, LedgerRefused, TryLater
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.model import Event
from profilectl.system import locks
from tests.patience import LONGEST, cut_short, join, next_line

HOLDER = """\
import sys
from pathlib import Path
from profilectl.ledger.sqlite import open_for_writing
with open_for_writing(Path(sys.argv[1])) as ledger, ledger.lock(0, "profilectl sync"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".profilectl" / "ledger.db"


@contextmanager
def other_run(path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert next_line(process) == "held\n"
        with cut_short(process):
            yield process
        process.stdin.close()


def test_holder_is_named(path):
    """Who must leave learns what holds the ledger, its pid and host, and since when."""
    with open_for_writing(path) as ledger, other_run(path) as process, pytest.raises(TryLater) as refusal:
        ledger.lock(0, "profilectl sync").__enter__()
    assert f"held by profilectl sync (pid {process.pid} on {os.uname().nodename}" in refusal.value.message
    assert " since 20" in refusal.value.message


@pytest.mark.parametrize("max_wait", [0, 0.3])
def test_leaves_in_time(path, max_wait):
    """The wait ends when it was said to end, and is announced once if there is one."""
    announced = []
    with open_for_writing(path) as ledger, other_run(path):
        begun = time.monotonic()
        with pytest.raises(TryLater), ledger.lock(max_wait, "b", lambda *words: announced.append(words)):
            pytest.fail("two at once")
        assert max_wait <= time.monotonic() - begun < max_wait + 30
    assert ([] if max_wait == 0 else [max_wait]) == [seconds for seconds, _ in announced]
    assert all("held by profilectl sync (pid " in why for _, why in announced)


def test_waits_for_the_other_to_end(path):
    """A run that may wait begins as soon as the other ends."""
    with open_for_writing(path) as ledger, other_run(path) as process:
        wait = ledger.lock(20, "b", lambda *_: process.stdin.close())
        with wait:
            assert str(os.getpid()) in (path.parent / "ledger.db.lock.holder").read_text()


def test_free_at_once_after_kill(path):
    """The kernel frees the lock of a process that was killed; the name it left behind harms nobody."""
    with open_for_writing(path) as ledger, other_run(path) as process:
        process.kill()
        process.wait(LONGEST)
        assert (path.parent / "ledger.db.lock.holder").exists()
        with ledger.lock(0, "profilectl sync"):
            assert str(os.getpid()) in (path.parent / "ledger.db.lock.holder").read_text()


def test_release(path):
    """After the block, or an error in it, the lock is free, its file remains and the holder's name goes."""
    with open_for_writing(path) as ledger:
        with pytest.raises(ZeroDivisionError), ledger.lock(0, "a"):
            raise ZeroDivisionError
        assert ["ledger.db.lock"] == [file.name for file in path.parent.glob("*.lock*")]
        with ledger.lock(0, "b"):
            pass


@pytest.mark.parametrize("trouble", [OSError(30, "Read-only file system"), KeyboardInterrupt()], ids=["disk", "Ctrl-C"])
def test_a_note_that_stays_hides_no_error_and_keeps_no_lock(path, monkeypatch, trouble):
    """The ledger's own error is told although the end of the note is interrupted, and the next run gets the lock."""

    def fail(*_words, **_more):
        raise trouble

    def run(ledger):
        with monkeypatch.context() as patch, ledger.lock(0, "a"):
            patch.setattr(os, "unlink", fail)
            raise LedgerRefused("disk full")

    with open_for_writing(path) as ledger:
        with pytest.raises(LedgerRefused, match="disk full"):
            run(ledger)
        with ledger.lock(0, "b"):
            pass


def test_a_note_that_stays_is_no_failure_of_its_own(path, monkeypatch):
    """The run has done what it was to do."""

    def fail(*_words, **_more):
        raise OSError(30, "Read-only file system")

    with open_for_writing(path) as ledger, monkeypatch.context() as patch, ledger.lock(0, "a"):
        patch.setattr(os, "unlink", fail)
    assert (path.parent / "ledger.db.lock.holder").exists()


def test_two_in_one_process(path):
    """The same holds within one process."""
    with open_for_writing(path) as first, open_for_writing(path) as second, first.lock(0, "profilectl sync"):
        wait = second.lock(0.05, "b")
        with pytest.raises(TryLater, match=f"pid {os.getpid()}"), wait:
            pytest.fail("two at once")


def test_readers_and_single_records_need_no_lock(path):
    """What isn't a run isn't kept waiting: looking, and recording a message that was sent."""
    with other_run(path), open_for_writing(path) as ledger, open_for_reading(path) as reader:
        ledger.record(Event("sent", "1", 5))
        assert 1 == len(list(reader.events()))


@pytest.mark.parametrize("content", ["", "[]", "{}", '"x"', "\x00", '{"pid": 1}'])
def test_holder_that_did_not_introduce_itself(path, content):
    """An unreadable note about the holder costs the name, not the refusal."""
    with open_for_writing(path) as ledger, other_run(path):
        (path.parent / "ledger.db.lock.holder").write_text(content)
        with pytest.raises(TryLater, match="held by another process"), ledger.lock(0, "b"):
            pytest.fail("two at once")


def test_hostile_note_about_the_holder(path):
    """A note can't speak to the terminal."""
    with open_for_writing(path) as ledger, other_run(path):
        note = path.parent / "ledger.db.lock.holder"
        note.write_text(note.read_text().replace("profilectl sync", "\\u001b[2J"))
        with pytest.raises(TryLater) as refusal, ledger.lock(0, "b"):
            pytest.fail("two at once")
    assert "\x1b" not in refusal.value.message


def test_linked_lock(path, tmp_path):
    """A symbolic link in the lock's place is refused, and nothing is made at its other end."""
    with open_for_writing(path) as ledger:
        (path.parent / "ledger.db.lock").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(LedgerRefused, match="can't be locked"), ledger.lock(0, "b"):
            pytest.fail("followed a link")
    assert not (tmp_path / "elsewhere").exists()


def test_linked_note(path, tmp_path):
    """A link in the place of the note, or of its draft, is replaced, never written through."""
    victim = tmp_path / "victim"
    victim.write_text("mine")
    with open_for_writing(path) as ledger:
        for name in ("ledger.db.lock.holder", ".ledger.db.lock.holder.new"):
            (path.parent / name).symlink_to(victim)
        with ledger.lock(0, "b"):
            pass
    assert "mine" == victim.read_text()


def test_note_that_can_not_be_written(path):
    """A run that can't introduce itself doesn't begin, and leaves the lock free."""
    with open_for_writing(path) as ledger:
        (path.parent / ".ledger.db.lock.holder.new").mkdir()
        with pytest.raises(LedgerRefused, match="can't be written"), ledger.lock(0, "b"):
            pytest.fail("began all the same")
        (path.parent / ".ledger.db.lock.holder.new").rmdir()
        with ledger.lock(0, "b"):
            pass


# The config's lock


def test_no_line_is_lost(tmp_path):
    """Eight threads add an account each."""
    path = tmp_path / "new" / "config.toml"

    def add(number):
        with locks.hold_config(path):
            write_config(read_config(path).with_account(LoggedIn(f"user{number}", str(number), "api.x.com")))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    join(*threads)
    assert {account.handle for account in read_config(path).accounts} == {f"user{number}" for number in range(8)}
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_who_waits_too_long_is_told(tmp_path, monkeypatch):
    """Exit 75: the other one ends soon."""
    monkeypatch.setattr(locks, "_CONFIG_SECONDS", 0.01)
    path = tmp_path / "config.toml"
    with (
        locks.hold_config(path),
        pytest.raises(TryLater, match="another login or logout is under way"),
        locks.hold_config(path),
    ):
        pass


def test_a_folder_that_can_not_be_made_is_told(tmp_path):
    """Before anything is asked."""
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(InputRefused, match="can't be used"),
        locks.hold_config(Config(tmp_path / "file" / "config.toml").path),
    ):
        pass
