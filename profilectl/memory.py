"""Files that one run keeps for the next so that it needn't do something twice: private, whole, and never needed.

Whatever is wrong with such a file, it is as if there were none; one that can't be written costs nothing but time.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 30_000_000  # bytes: the pictures of a hundred thousand agents


def recall(path: Path) -> bytes | None:
    """Return what `keep` wrote; None when nothing is there, or nothing that only this user can have written.

    Git makes no private files, so a private one didn't come with somebody's repository.
    """
    try:
        with open(path, "rb", opener=_open_no_link) as file:
            status = os.fstat(file.fileno())
            is_private = not status.st_mode & (stat.S_IRWXG | stat.S_IRWXO) and status.st_uid == os.geteuid()
            is_ours = is_private and stat.S_ISREG(status.st_mode) and status.st_size <= LARGEST
            return file.read(LARGEST) if is_ours else None
    except OSError:
        return None


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def forget(path: Path) -> None:
    """Remove what `keep` wrote, because it turned out to be wrong."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def keep(path: Path, content: bytes) -> None:
    """Put a file in the place of an older one, whole or not at all.

    Args:
        path: in a folder that exists and that others can't write, see `ledger.place`.
        content: at most `LARGEST` bytes.
    """
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}.new")
    with suppress(OSError):
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
                file.write(content)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
