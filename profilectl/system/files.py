"""Files: opened without surprises, read within bounds, and written whole or not at all.

Everything that this program writes or keeps private goes through here, but for databases, which keep themselves.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from profilectl.errors import InputRefused
from profilectl.text.escape import visible

# Opening a FIFO would wait for a writer, and a terminal could become the one that controls this process. Windows has
# neither flag.
_NEVER_WAITING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


@contextmanager
def undone_on_error(undo: Callable[[], object]) -> Iterator[None]:
    """Call `undo` when an error leaves the block, and let that error pass.

    Neither a disk that refuses nor a Ctrl-C takes its place: what couldn't be undone says less than what went wrong.
    """
    try:
        yield
    except BaseException:
        with suppress(OSError, KeyboardInterrupt):
            undo()
        raise


@contextmanager
def cleaned_up(clean: Callable[[], object]) -> Iterator[None]:
    """Call `clean` after the block, after an error as in `undone_on_error`; without one its own errors pass."""
    with undone_on_error(clean):
        yield
    clean()


@contextmanager
def opened(path: Path | str, flags: int = 0, *, folder: int | None = None) -> Iterator[int]:
    """Open whatever lies at a path for reading; its descriptor is to be judged before it is read.

    Args:
        path: relative or absolute.
        flags: further ones of `os.open`, such as ``O_NOFOLLOW``.
        folder: descriptor of the folder that a relative path starts from; else the current one.

    Raises:
        OSError: it can't be opened.
        ValueError: the path holds a NUL.
    """
    descriptor = os.open(path, _NEVER_WAITING | flags, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read(descriptor: int, limit: int) -> bytes:
    """Return the bytes of an open regular file, at most `limit`."""
    with open(descriptor, "rb", closefd=False) as file:
        return file.read(limit)


def read_regular(path: Path | str, limit: int) -> tuple[bytes, os.stat_result] | None:
    """Return the bytes of a regular file, at most `limit`, and the status of the file that they are from.

    Returns:
        None when something else lies there, such as a folder, a pipe or a device.

    Raises:
        OSError: it can't be opened or read.
        ValueError: the path holds a NUL.
    """
    with opened(path) as descriptor:
        status = os.fstat(descriptor)  # of what was opened: at the path something else may lie by now
        return (read(descriptor, limit), status) if stat.S_ISREG(status.st_mode) else None


def read_named(path: Path, what: str, largest: int, hint: str | None = None) -> bytes:
    """Return the bytes of a file that a person named.

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
        file = read_regular(path, largest + 1)  # the size in the status is old as soon as somebody appends
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file name"
        raise InputRefused(f"can't read {shown}: {reason}", hint=hint) from None
    if file is None:
        raise InputRefused(f"{shown} is no regular file", hint=hint)
    if len(file[0]) > largest:
        raise InputRefused(f"{shown} is larger than {largest} bytes")
    return file[0]


def make_private_folder(folder: Path) -> None:
    """Make a folder that only this user can enter, and those above it that are missing, unless it exists.

    `Path.mkdir` makes those above it as the umask has it, which may let a whole group put another folder there.

    Raises:
        OSError: one of them can't be made, or is no folder.
    """
    if not folder.parent.is_dir():
        make_private_folder(folder.parent)
    folder.mkdir(0o700, exist_ok=True)


def write_private(
    path: Path, content: bytes, *, durable: bool = False, alone: bool = False, folder: int | None = None
) -> None:
    """Put a file that only this user can read in the place of an older one, whole or not at all.

    Args:
        path: in a folder that exists; a link there is replaced, not followed.
        content: the new file's bytes.
        durable: it survives a power cut once this returns.
        alone: the caller holds a lock, so a draft that is there was left behind by a kill and is replaced.
        folder: descriptor of the folder that a relative path starts from; else the current one.

    Raises:
        OSError: it can't be written; what was there before is still there.
    """
    draft = path.with_name(f".{path.name}.new" if alone else f".{path.name}.{os.urandom(8).hex()}.new")
    if alone:
        with suppress(FileNotFoundError):
            os.unlink(draft, dir_fd=folder)
    with undone_on_error(partial(os.unlink, draft, dir_fd=folder)):  # after Ctrl-C as well: a draft may hold a token
        _create(draft, content, durable=durable, folder=folder)
        os.replace(draft, path, src_dir_fd=folder, dst_dir_fd=folder)


@contextmanager
def private_draft(path: Path, *, replaces: bool) -> Iterator[Path]:
    """Yield an empty file that only this user can read; after the block it lies at `path`, durably and as a whole.

    For what is too large to be held in memory, or is written by a library. After an error nothing of it is left.

    Args:
        path: in a folder that exists; a link there is replaced, not followed.
        replaces: whether it may take the place of what is at `path`.

    Raises:
        FileExistsError: something is there by now.
        OSError: the disk refuses.
    """
    if not replaces and os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}.new")
    with cleaned_up(partial(draft.unlink, missing_ok=True)):
        _create(draft, b"", durable=False)
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        if replaces:
            draft.replace(path)
        else:
            path.hardlink_to(draft)  # unlike a rename, it never replaces
    sync_folder(path.parent)


def create_private(path: Path, content: bytes) -> None:
    """Create a file that only this user can read, durably and whole or not at all; leave alone what is there already.

    Raises:
        OSError: the disk refuses.
    """
    if os.path.lexists(path):
        return
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}.new")
    with cleaned_up(partial(draft.unlink, missing_ok=True)):
        _create(draft, content, durable=True)
        with suppress(FileExistsError):  # another first run was quicker, with the same content
            path.hardlink_to(draft)  # unlike a rename, it never replaces
    sync_folder(path.parent)


def _create(path: Path, content: bytes, *, durable: bool, folder: int | None = None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW  # neither an old file nor a link is written to
    with os.fdopen(os.open(path, flags, 0o600, dir_fd=folder), "wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut.

    Raises:
        OSError: the disk refuses.
    """
    with opened(folder) as descriptor:
        os.fsync(descriptor)


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
    # x: neither an old file nor a link is written to
    with draft.open("xb") as file, undone_on_error(partial(draft.unlink, missing_ok=True)):
        if path.is_file():
            draft.chmod(stat.S_IMODE(path.stat().st_mode))
        file.write(content)
        file.flush()
        draft.replace(path)
