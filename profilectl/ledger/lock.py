"""One run at a time on one machine: the kernel's lock on an empty side file, freed however its holder ends.

The side file is never deleted, for a lock on a deleted file guards nothing. Who holds the lock stands in a second file,
only so that those who wait can be told.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from profilectl.errors import LedgerRefused, TryLater
from profilectl.ledger.actor import host_name, user_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from filelock import BaseFileLock

PRIVATE = 0o600


@contextmanager
def held(
    path: Path, max_wait: float, command: str, announce: Callable[[float, str], None] | None = None
) -> Iterator[None]:
    """Hold the lock file at `path`; what it promises is said in `base.Ledger.lock`.

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
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if max_wait > 0 and announce:
                announce(max_wait, _who(holder))
            lock.acquire(timeout=max(max_wait, 0))
    except Timeout:
        raise TryLater(
            f"the ledger is {_who(holder)}",
            hint="wait for it to end, or allow more time with --max-wait; the lock file needn't be deleted",
        ) from None
    except (OSError, NotImplementedError) as error:
        raise LedgerRefused(f"{_visible(path)} can't be locked: {error}") from error
    return lock


def _introduce(holder: Path, command: str) -> None:
    """Write who we are; a whole file or none, because somebody may be reading it."""
    told = {
        "pid": os.getpid(),
        "host": host_name(),
        "user": user_name(),
        "since": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "command": command,
    }
    draft = holder.with_name(f"{holder.name}.new")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE), "w") as file:
            json.dump(told, file)
        draft.replace(holder)
    except OSError as error:
        raise LedgerRefused(f"{_visible(holder)} can't be written: {error.strerror}") from error


def _who(holder: Path) -> str:
    """Return "held by …", as far as it is known: the holder may be about to introduce itself, or to leave."""
    try:
        told = json.loads(holder.read_text("utf-8"))
        return _visible("held by {command} (pid {pid} on {host}, user {user}) since {since}".format_map(told))
    except (OSError, ValueError, KeyError, TypeError):
        return "held by another process"


def _visible(text: object) -> str:
    from profilectl.names import visible

    return visible(str(text))
