"""One run at a time on one machine: the kernel's lock on an empty side file, freed however its holder ends.

The side file is never deleted, for a lock on a deleted file guards nothing. Who holds the lock stands in a second file,
only so that those who wait can be told.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from profilectl.errors import LedgerRefused, TryLater
from profilectl.system.files import write_private
from profilectl.system.host import host_name, user_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filelock import BaseFileLock

PRIVATE = 0o600
_MOMENT = 0.25  # seconds that a holder gets to introduce itself, or to leave
_PAUSE = 0.01  # seconds


@contextmanager
def hold_ledger(
    path: Path, max_wait: float, command: str, announce: Callable[[float, str], None] | None = None
) -> Iterator[None]:
    """Hold the lock file at `path`; `ledger.protocol.Ledger.lock` says what it promises.

    Raises:
        TryLater: another process holds it for longer than `max_wait` seconds.
        LedgerRefused: the file can't be locked: a symbolic link, no permission, no locks on this file system.
    """
    holder = path.with_name(f"{path.name}.holder")
    lock = _acquire(path, holder, max_wait, announce)
    try:
        _introduce(holder, command)
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _acquire(path: Path, holder: Path, max_wait: float, announce: Callable[[float, str], None] | None) -> BaseFileLock:
    from filelock import FileLock, Timeout

    lock = FileLock(path, mode=PRIVATE)
    try:
        who = _take_or_ask(lock, holder)
        if who is not None and max_wait > 0:
            if announce:
                announce(max_wait, who)
            try:
                lock.acquire(timeout=max_wait)
                who = None
            except Timeout:
                who = _take_or_ask(lock, holder)
    except (OSError, NotImplementedError) as error:
        raise LedgerRefused(f"{_visible(path)} can't be locked: {error}") from error
    if who is not None:
        raise TryLater(
            f"the ledger is {who}",
            hint="wait for it to end, or allow more time with --max-wait; the lock file needn't be deleted",
        )
    return lock


def _take_or_ask(lock: BaseFileLock, holder: Path) -> str | None:
    """Take the lock, or return "held by …".

    Between a holder's lock and its note there is a moment without a note, or with that of a run that was killed; and
    another one between the end of its note and that of its lock. Who comes then looks again.
    """
    from filelock import Timeout

    end = time.monotonic() + _MOMENT
    while True:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            who = _who(holder)
        else:
            return None
        if who is not None:
            return who
        if time.monotonic() >= end:
            return "held by another process"
        time.sleep(_PAUSE)


def _introduce(holder: Path, command: str) -> None:
    """Write who we are; a whole file or none, because somebody may be reading it."""
    told = {
        "pid": os.getpid(),
        "host": host_name(),
        "user": user_name(),
        "since": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "command": command,
    }
    try:
        write_private(holder, json.dumps(told).encode(), alone=True)
    except OSError as error:
        raise LedgerRefused(f"{_visible(holder)} can't be written: {error.strerror}") from error


def _who(holder: Path) -> str | None:
    """Return "held by …" from the note about the holder; None without one that can be believed."""
    try:
        told = json.loads(holder.read_text("utf-8"))
        if told["host"] == host_name() and not _runs(told["pid"]):
            return None
        return _visible("held by {command} (pid {pid} on {host}, user {user}) since {since}".format_map(told))
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


def _runs(pid: int) -> bool:
    """Ask the kernel whether there is such a process; another user's can't be signalled, but is there."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    return True


def _visible(text: object) -> str:
    from profilectl.text.escape import visible

    return visible(str(text))
