"""A file that a person edits and a program changes: replaced only while it holds what the program has read."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from profilectl.errors import InputRefused, TryLater
from profilectl.system.files import opened, read, reason, replace_alike, status_of_file
from profilectl.system.folders import LinkRefused, folder_of
from profilectl.text.escape import visible

_LOCK_SECONDS: Final = 10.0  # that an edit waits for another one
_LOCK_PAUSE: Final = 0.05  # seconds


def replace_unchanged(path: Path, former: bytes, content: bytes) -> bool:
    """Put new bytes in the place of a file that still holds the `former` ones, whole or not at all, and durably.

    The file keeps its rights, and its owner where that may be given away. It is locked from the comparison on, so of
    two programs that do this one sees what the other has written. An editor knows no such lock: what it writes between
    the comparison and the replacement, a millisecond later, is lost.

    Returns:
        Whether it was done; not where the file holds something else by now.

    Raises:
        InputRefused: the way leads over a link that a checkout may have brought, or no file is there.
        TryLater: another program has held it for 10 seconds.
    """
    shown = visible(str(path))
    try:
        with folder_of(path) as folder, _locked(path, folder) as descriptor:
            if read(descriptor, len(former) + 1) != former:
                return False
            replace_alike(path.name, content, os.fstat(descriptor), folder)
    except LinkRefused as error:
        raise InputRefused(f"can't write {shown}: {error.strerror}", hint=error.hint) from None
    except (OSError, ValueError) as error:
        raise InputRefused(f"can't write {shown}: {reason(error)}") from None
    return True


@contextmanager
def _locked(path: Path, folder: int) -> Iterator[int]:
    """Lock the file that lies at a path, for others who do the same; it may be replaced while this waits for it."""
    end = time.monotonic() + _LOCK_SECONDS
    while True:
        if status_of_file(path, folder) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        with opened(path.name, os.O_NOFOLLOW, folder=folder) as descriptor:
            if _take_lock(descriptor):
                status, current = os.fstat(descriptor), status_of_file(path, folder)
                if current is not None and (current.st_dev, current.st_ino) == (status.st_dev, status.st_ino):
                    yield descriptor
                    return
        if time.monotonic() > end:
            raise TryLater(f"another program holds {visible(str(path))}", hint="run the same command again")
        time.sleep(_LOCK_PAUSE)


def _take_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
