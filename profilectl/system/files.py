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
from typing import BinaryIO, Final

from profilectl.errors import InputRefused
from profilectl.system.folders import LinkRefused, folder_of, make_folder
from profilectl.text.escape import visible

_PRIVATE: Final = 0o600
_USUAL: Final = 0o666  # of which the umask takes its part
_BLOCK: Final = 1 << 20  # bytes that are copied at once
_KINDS: Final = {stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}
_STREAMS: Final = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_MOST_DIGITS: Final = 9  # of a descriptor's number: it fits into the kernel's
_DESCRIPTORS: Final = ("/dev/fd/", "/proc/self/fd/")  # what stands before a descriptor's number

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
    with os.fdopen(descriptor, "rb", closefd=False) as file:
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
        raise InputRefused(f"can't read {shown}: {reason(error)}{_who_may(path, error)}", hint=hint) from None
    if file is None:
        kind = "is a folder" if path.is_dir() else "isn't a regular file"
        raise InputRefused(f"{shown} {kind}", hint=hint)
    if len(file[0]) > largest:
        raise InputRefused(f"{shown} is larger than {largest} bytes")
    return file[0]


def _who_may(path: Path, error: Exception) -> str:
    """Return mode and owner of a file that this user may not read, where they can be seen."""
    if not isinstance(error, PermissionError):
        return ""
    try:
        status = path.stat()
    except OSError:  # it is the folder that may not be entered
        return ""
    return f" (mode {stat.S_IMODE(status.st_mode):03o}, owner {_owner(status.st_uid)})"


def _owner(uid: int) -> str:
    try:
        import pwd

        return visible(pwd.getpwuid(uid).pw_name)
    except (ImportError, KeyError):  # Windows, or a user of another machine
        return f"uid {uid}"


@contextmanager
def opened_stream(path: Path) -> Iterator[BinaryIO]:
    """Open a regular file, or what the shell handed over for it, such as the pipe of ``<(ssh ...)``, for reading.

    Raises:
        OSError: it can't be opened, or is something else, whose end may never come.
        ValueError: the path holds a NUL.
    """
    descriptor = _handed_over(path)
    if descriptor is not None:
        with os.fdopen(descriptor, "rb") as stream:
            yield stream
        return
    with opened(path) as descriptor:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it isn't a regular file", str(path))
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            yield stream


def copy_within(source: BinaryIO, target: BinaryIO, largest: int) -> bool:
    """Copy a stream to its end, and return whether it was at most so many bytes; no more of it is copied."""
    left = largest
    while block := source.read(min(_BLOCK, left + 1)):
        left -= len(block)
        if left < 0:
            return False
        target.write(block)
    return True


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
        OSError: it can't be written, see `folders.folder_of`; what was there before is still there.
    """
    draft = f".{path.name}.new" if alone else _draft_name(path)
    with folder_of(path, folder) as parent:
        if alone:
            with suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=parent)
        with undone_on_error(partial(os.unlink, draft, dir_fd=parent)):  # after Ctrl-C as well: it may hold a token
            _create(draft, content, folder=parent, durable=durable)
            os.replace(draft, path.name, src_dir_fd=parent, dst_dir_fd=parent)


@contextmanager
def private_draft(path: Path, *, replaces: bool) -> Iterator[Path]:
    """Yield an empty file that only this user can read; after the block it lies at `path`, durably and as a whole.

    For what is too large to be held in memory, or is written by a library. After an error nothing of it is left.

    Args:
        path: in a folder that exists.
        replaces: whether it may take the place of a file that is at `path`.

    Raises:
        FileExistsError: something is there by now, and it doesn't replace.
        LinkRefused: what it would replace is a link, or `folders.folder_of` refuses the way.
        OSError: what it would replace is no file; or the disk refuses.
    """
    draft = _draft_name(path)
    with folder_of(path) as parent:
        if replaces:
            status_of_file(path, parent)
        elif _exists(path.name, parent):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
        with cleaned_up(partial(_remove, draft, parent)):
            _create(draft, b"", folder=parent)
            yield path.with_name(draft)
            _sync(draft, parent)
            if replaces:
                os.replace(draft, path.name, src_dir_fd=parent, dst_dir_fd=parent)
            else:
                _link(draft, path.name, parent)
        _sync(os.curdir, parent)


def create_private(path: Path, content: bytes) -> None:
    """Create a file that only this user can read, durably and whole or not at all; leave alone what is there already.

    Raises:
        OSError: the disk refuses, or `folders.folder_of` the way.
    """
    if os.path.lexists(path):
        return
    draft = _draft_name(path)
    with folder_of(path) as parent:
        with cleaned_up(partial(_remove, draft, parent)):
            _create(draft, content, folder=parent, durable=True)
            with suppress(FileExistsError):  # another first run was quicker, with the same content
                _link(draft, path.name, parent)
        _sync(os.curdir, parent)


def create_shared(path: Path, content: bytes) -> None:
    """Create a file with usual rights in a folder that is there, durably and whole or not at all; replace nothing.

    Raises:
        FileExistsError: something is there.
        OSError: the folder is missing, the disk refuses, or `folders.folder_of` the way.
    """
    draft = _draft_name(path)
    with folder_of(path) as parent, cleaned_up(partial(_remove, draft, parent)):
        _create(draft, content, folder=parent, durable=True, mode=_USUAL)
        _link(draft, path.name, parent)
        _sync(os.curdir, parent)


@contextmanager
def created(path: Path, content: bytes) -> Iterator[None]:
    """Create a file with usual rights where there is nothing, and its folder; after an error in the block it goes.

    It is there whole or not at all, even after a kill.

    Raises:
        FileExistsError: something is there.
        OSError: the disk refuses, or `folders.folder_of` the way.
    """
    make_folder(path.parent)
    with folder_of(path) as parent:
        draft = f".{os.urandom(8).hex()}.new"  # without the name, which may be as long as names can be
        try:
            with cleaned_up(partial(_remove, draft, parent)):
                with os.fdopen(_new(draft, parent, _USUAL), "wb") as file:
                    file.write(content)
                _name_anew(draft, path.name, parent)
        except OSError as error:
            error.filename, error.filename2 = str(path), None
            raise
        with undone_on_error(partial(os.unlink, path.name, dir_fd=parent)):
            yield


def write_named(path: Path, content: bytes) -> None:
    """Write a file that a person named, whole or not at all; it keeps the rights of the one whose place it takes.

    Of what is no file, only that is written to which the person can but have meant: a descriptor that the shell handed
    over, such as ``/dev/stdout``, and a device in ``/dev``, such as ``/dev/null``.

    Raises:
        InputRefused: it can't be written; it is a link, or behind one that a checkout may have brought; or it is
            something else than a file, such as a pipe that nobody may be reading.
    """
    shown = visible(str(path))
    try:
        descriptor = _handed_over(path)
        if descriptor is None:
            descriptor = _device(path)
        if descriptor is None:
            _replace(path, content)
        else:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
    except LinkRefused as error:
        raise InputRefused(f"can't write {shown}: {error.strerror}", hint=error.hint) from None
    except (OSError, ValueError) as error:
        raise InputRefused(f"can't write {shown}: {reason(error)}") from None


def replace_alike(name: str, content: bytes, former: os.stat_result, folder: int) -> None:
    """Put new bytes in the place of a file, whole or not at all, and durably, with the rights and the owner it had.

    Args:
        name: in the folder.
        content: the new bytes.
        former: status of the file that is there.
        folder: descriptor of the folder.

    Raises:
        OSError: the disk refuses.
    """
    draft = f".{os.urandom(8).hex()}.new"
    with undone_on_error(partial(_remove, draft, folder)):
        descriptor = _new(draft, folder, _PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            mine = os.fstat(descriptor)
            if (mine.st_uid, mine.st_gid) != (former.st_uid, former.st_gid):
                with suppress(PermissionError):  # only root gives files away: anybody else's edit makes it theirs
                    os.fchown(descriptor, former.st_uid, former.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(former.st_mode))
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    _sync(os.curdir, folder)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut.

    Raises:
        OSError: the disk refuses.
    """
    with opened(folder) as descriptor:
        os.fsync(descriptor)


def _replace(path: Path, content: bytes) -> None:
    draft = f".{os.urandom(8).hex()}.new"  # without the name, which may be as long as names can be
    with folder_of(path) as parent:
        former = status_of_file(path, parent)
        with undone_on_error(partial(_remove, draft, parent)):
            descriptor = _new(draft, parent, _USUAL)
            with os.fdopen(descriptor, "wb") as file:
                if former is not None:
                    os.fchmod(descriptor, stat.S_IMODE(former.st_mode))
                file.write(content)
            os.replace(draft, path.name, src_dir_fd=parent, dst_dir_fd=parent)


def status_of_file(path: Path, parent: int) -> os.stat_result | None:
    """Return the status of the file that is to be replaced, None when there is none; OSError when it is no file."""
    try:
        status = os.stat(path.name or os.curdir, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFLNK:
        raise LinkRefused(str(path), "links aren't followed, as a checkout may bring them: name the file itself")
    if kind == stat.S_IFDIR:
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if kind != stat.S_IFREG:
        raise OSError(errno.EINVAL, f"it is {_KINDS.get(kind, 'no file')}", str(path))
    return status


def _handed_over(path: Path) -> int | None:
    """Return a copy of the descriptor that a path stands for, such as that of ``<(ssh ...)``; None for other paths.

    It isn't opened by its path: a file would be read or written from its beginning once more.
    """
    text = str(path)
    number = _STREAMS.get(text, -1)
    for folder in _DESCRIPTORS:
        name = text.removeprefix(folder)
        if name != text and name.isascii() and name.isdecimal() and len(name) <= _MOST_DIGITS:
            number = int(name)
    if number < 0:
        return None
    descriptor = os.dup(number)
    if number in _STREAMS.values() or stat.S_IFMT(os.fstat(descriptor).st_mode) in {stat.S_IFIFO, stat.S_IFCHR}:
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is no pipe", text)  # such as a file that this process has opened itself


def _device(path: Path) -> int | None:
    """Return a descriptor of a device in ``/dev`` that takes characters, None where there is none."""
    if path.parts[:2] != ("/", "dev") or not os.path.lexists(path) or not stat.S_ISCHR(path.lstat().st_mode):
        return None
    descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | _NEVER_WAITING)
    os.set_blocking(descriptor, True)  # only opening it could wait for somebody
    return descriptor


def _new(name: str, folder: int, mode: int) -> int:
    """Return a descriptor of a new file; neither an old file nor a link is written to."""
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode, dir_fd=folder)


def _create(name: str, content: bytes, *, folder: int, durable: bool = False, mode: int = _PRIVATE) -> None:
    with os.fdopen(_new(name, folder, mode), "wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def _draft_name(path: Path) -> str:
    return f".{path.name}.{os.urandom(8).hex()}.new"


def _exists(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _link(draft: str, name: str, folder: int) -> None:
    """Give a draft its name; unlike a rename, this never replaces."""
    os.link(draft, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)


def _name_anew(draft: str, name: str, folder: int) -> None:
    """Give a draft its name as `_link` does, also where the file system has no links."""
    try:
        _link(draft, name, folder)
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EMLINK}:
            raise
        os.close(_new(name, folder, _USUAL))  # the name is ours from here on
        os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)


def _remove(name: str, folder: int) -> None:
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)


def _sync(name: str, folder: int) -> None:
    with opened(name, folder=folder) as descriptor:
        os.fsync(descriptor)


def reason(error: OSError | ValueError) -> str:
    """Return why a file couldn't be opened, as the system says it."""
    return getattr(error, "strerror", None) or "no file name"
