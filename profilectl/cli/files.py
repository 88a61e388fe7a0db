"""Files that a person names on the command line: read within bounds, so that nothing hangs or swells; written whole."""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from pathlib import Path

from profilectl.credentials import files
from profilectl.errors import InputRefused
from profilectl.names import visible


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


def put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; a link stays a link, a pipe or a device is written to, never replaced.

    Raises:
        OSError: it can't be written.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(content)
    else:
        replace(Path(os.path.realpath(path)), content)


def replace(path: Path, content: bytes) -> None:
    """Make a file of that name, whole or not at all; it takes the place of an older one, and keeps its mode.

    Raises:
        OSError: it can't be written.
    """
    draft = path.with_name(f".{os.urandom(8).hex()}.new")
    with draft.open("xb") as file, ExitStack() as undo:  # x: neither an old file nor a link is written to
        undo.callback(draft.unlink)
        if path.is_file():
            draft.chmod(stat.S_IMODE(path.stat().st_mode))
        file.write(content)
        file.flush()
        draft.replace(path)
        undo.pop_all()
