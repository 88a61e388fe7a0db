"""Reading what a person names on the command line: regular files of a sane size, so that nothing hangs or swells."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from profilectl.credentials import files
from profilectl.errors import InputRefused
from profilectl.names import visible

if TYPE_CHECKING:
    from pathlib import Path


def read(path: Path, what: str, largest: int, hint: str | None = None) -> bytes:
    """Return a file's bytes.

    Args:
        path: of a regular file, or a link to one.
        what: what the file is to the person, such as "the roster".
        largest: in bytes.
        hint: what to do when it can't be read.

    Raises:
        InputRefused: it can't be opened, is a pipe or a device, or is larger.
    """
    shown = f"{what} {visible(str(path))}"
    try:
        with files.opened(path) as descriptor:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise InputRefused(f"{shown} is no regular file", hint=hint)
            content = files.read(descriptor, largest + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file name"
        raise InputRefused(f"can't read {shown}: {reason}", hint=hint) from None
    if len(content) > largest:
        raise InputRefused(f"{shown} is larger than {largest} bytes")
    return content
