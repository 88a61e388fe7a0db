"""One login at a time: two that end together would each write a list of accounts without the other's."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from profilectl.errors import InputRefused, TryLater
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SECONDS: Final = 10.0  # nobody is asked anything while it is held
_NAME: Final = ".lock"
_HINT: Final = "the list of accounts is kept there: set HOME or XDG_CONFIG_HOME to a folder of yours"


@contextmanager
def hold_config(config: Path) -> Iterator[None]:
    """Hold the lock beside a config file, whose folder is made when it is missing.

    Raises:
        TryLater: another process has held it for 10 seconds.
        InputRefused: the folder can't be made or written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(config.with_name(_NAME), mode=0o600)
    try:
        config.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock.acquire(timeout=_SECONDS)
    except Timeout:
        raise TryLater("another login or logout is under way", hint="run this again when it has ended") from None
    except (OSError, NotImplementedError) as error:
        folder, reason = visible(str(config.parent)), getattr(error, "strerror", None) or "no locks on this file system"
        raise InputRefused(f"{folder} can't be used: {reason}", hint=_HINT) from None
    try:
        yield
    finally:
        lock.release()
