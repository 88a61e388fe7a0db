"""One run, and one login, at a time on one machine: the kernel's lock on an empty file, freed however its holder ends.

A lock file is never deleted, for a lock on a deleted file guards nothing. Who holds the ledger's lock stands in a
second file, only so that those who wait learn it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import MsgspecError, Struct, json

from profilectl.errors import InputRefused, LedgerRefused, TryLater
from profilectl.system.files import cleaned_up, read_regular, write_private
from profilectl.system.folders import make_private_folder
from profilectl.system.host import host_name, user_name
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from filelock import BaseFileLock

_CONFIG_SECONDS: Final = 10.0  # nobody is asked anything while it is held
_CONFIG_HINT: Final = "the list of accounts is kept there: set HOME or XDG_CONFIG_HOME to a folder of yours"
_MOMENT: Final = 0.25  # seconds that a holder gets to introduce itself, or to leave
_PAUSE: Final = 0.01  # seconds
_LARGEST_NOTE: Final = 16_384  # bytes


class Holder(Struct, frozen=True):
    """Who holds a ledger, as others read it."""

    command: str  # such as "profilectl sync"
    pid: int
    host: str
    user: str
    since: str  # RFC 3339, UTC

    def describe(self) -> str:
        """Return command, process, user and start in one line that is safe to print."""
        return visible(f"{self.command} (pid {self.pid} on {self.host}, user {self.user}) since {self.since}")


@contextmanager
def hold_config(config: Path) -> Iterator[None]:
    """Hold the lock beside a config file, whose folder is made when it is missing.

    Two logins that end together would else each write a list of accounts without the other's.

    Raises:
        TryLater: another process has held it for 10 seconds.
        InputRefused: the folder can't be made or written.
    """
    lock = _lock(config.with_name(".lock"))
    try:
        make_private_folder(config.parent)
        is_held = _acquire(lock, _CONFIG_SECONDS)
    except (OSError, NotImplementedError) as error:
        folder, reason = visible(str(config.parent)), getattr(error, "strerror", None) or "no locks on this file system"
        raise InputRefused(f"{folder} can't be used: {reason}", hint=_CONFIG_HINT) from None
    if not is_held:
        raise TryLater("another login or logout is under way", hint="run this again when it has ended")
    with cleaned_up(lock.release):
        yield


@contextmanager
def hold_ledger(
    path: Path, max_wait: float, command: str, announce: Callable[[float, str], None] | None = None
) -> Iterator[None]:
    """Hold the ledger's lock.

    Args:
        path: of the lock file; the note about its holder lies beside it.
        max_wait: seconds to wait for another process at most.
        command: what this process does, for those who wait.
        announce: called once with the seconds and the holder, before a wait.

    Raises:
        TryLater: another process holds it for longer than `max_wait` seconds.
        LedgerRefused: the file can't be locked: a symbolic link, no permission, no locks on this file system.
    """
    lock = _lock(path)
    try:
        holder = _acquire_or_name_holder(lock, path)
        if holder is not None and max_wait > 0:
            if announce:
                announce(max_wait, f"at most: the ledger is {holder}")
            holder = None if _acquire(lock, max_wait) else _acquire_or_name_holder(lock, path)
    except (OSError, NotImplementedError) as error:
        raise LedgerRefused(f"{visible(str(path))} can't be locked: {error}") from error
    if holder is not None:
        raise TryLater(
            f"the ledger is {holder}",
            hint="wait for it to end, or allow more time with --max-wait; the lock file needn't be deleted",
        )
    note = _note_of(path)
    with cleaned_up(lock.release), cleaned_up(partial(_remove_note, note)):  # the note first: later it isn't ours
        _write_note(note, command)
        yield


def hold_folder(descriptor: int) -> bool:
    """Hold an open folder against other processes until it is closed, and return whether nobody else holds it.

    Raises:
        OSError: its file system has no locks.
    """
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock(path: Path) -> BaseFileLock:
    from filelock import FileLock

    return FileLock(path, mode=0o600)


def _acquire(lock: BaseFileLock, seconds: float) -> bool:
    """Take a lock within that many seconds, and return whether it worked."""
    from filelock import Timeout

    try:
        lock.acquire(timeout=seconds)
    except Timeout:
        return False
    return True


def _acquire_or_name_holder(lock: BaseFileLock, path: Path) -> str | None:
    """Take the lock, or return "held by …"."""
    # Between a holder's lock and its note there is a moment without a note, or with that of a run that was killed; and
    # another one between the end of its note and that of its lock. Who comes then looks again.
    end = time.monotonic() + _MOMENT
    while not _acquire(lock, 0):
        holder = holder_of(path)
        if holder is not None:
            return f"held by {holder.describe()}"
        if time.monotonic() >= end:
            return "held by another process"
        time.sleep(_PAUSE)
    return None


def _write_note(note: Path, command: str) -> None:
    """Write who holds the lock, as a whole: somebody may be reading it."""
    since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    holder = Holder(command, os.getpid(), host_name(), user_name(), since)
    try:
        write_private(note, json.encode(holder), alone=True)
    except OSError as error:
        raise LedgerRefused(f"{visible(str(note))} can't be written: {error.strerror}") from error


def _remove_note(note: Path) -> None:
    with suppress(OSError):  # a note that stays is believed while its process runs, and replaced by the next holder's
        note.unlink(missing_ok=True)


def holder_of(path: Path) -> Holder | None:
    """Return who says to hold a ledger's lock, given the lock file, or None; nothing is locked to find out."""
    try:
        note = read_regular(_note_of(path), _LARGEST_NOTE)
        holder = json.decode(b"" if note is None else note[0], type=Holder)
        # a folder may be shared by machines, and a process id says something on its own only
        return None if holder.host == host_name() and not _runs(holder.pid) else holder
    except (OSError, MsgspecError, OverflowError):
        return None


def is_held(path: Path) -> bool:
    """Say whether a process holds a ledger's lock, given the lock file; where there is none, none is made.

    Raises:
        LedgerRefused: the file can't be locked.
    """
    if not os.path.lexists(path):
        return False
    lock = _lock(path)
    try:
        if not _acquire(lock, 0):
            return True
    except (OSError, NotImplementedError) as error:
        raise LedgerRefused(f"{visible(str(path))} can't be locked: {error}") from error
    lock.release()
    return False


def _note_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.holder")


def _runs(pid: int) -> bool:
    """Ask the kernel whether there is such a process; another user's can't be signalled, but is there."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    return True
