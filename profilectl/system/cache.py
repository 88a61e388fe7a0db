"""The user's cache folder: what is in it may be made anew at any time, and counts only when it is this user's own.

`profilectl __complete` reads from here at every TAB, so this module needs nothing that Python hasn't loaded before it
begins.
"""

# Loading pathlib would take longer than the whole answer.
# ruff: noqa: PTH102, PTH208, PTH111, PTH117, PTH118, PTH119, PTH120

import os

_OPEN_TO_OTHERS = 0o077
_LONGEST = 180  # bytes of a path in a file name, which may have 255: the rest is for what stands around it


def cache_file(subject: str, kind: str) -> str:
    """Return where the cache of that kind about a file belongs, such as ``%home%u%roster.toml.names``.

    The folder is ``$XDG_CACHE_HOME/profilectl``, else ``~/.cache/profilectl``. Only the end of a very long path is in
    the name, so a cache says itself what it is about, or holds nothing that could be true of two files.

    Args:
        subject: the absolute path of what it is about.
        kind: the end of the file's name.
    """
    home = os.path.expanduser("~")
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # a relative one counts as unset (XDG Base Directory Specification)
        base = os.path.join(home if os.path.isabs(home) else os.devnull, ".cache")
    name = os.fsencode(subject)[-_LONGEST:].replace(b"/", b"%")
    return os.path.join(base, "profilectl", f"{os.fsdecode(name)}.{kind}")


def cache_folder(name: str) -> str:
    """Return where caches of one kind have a folder of their own, such as ``prepared``; as for `cache_file`."""
    return os.path.join(os.path.dirname(cache_file("", name)), name)


def trim_folder(folder: str, largest: int) -> None:
    """Remove the oldest files of a folder of caches, until it has no more than that many bytes."""
    from contextlib import suppress

    with suppress(OSError):
        descriptor = _open_folder(os.path.join(folder, ""))
        try:
            names = os.listdir(descriptor)
            files = [(os.stat(name, dir_fd=descriptor, follow_symlinks=False), name) for name in names]
            size = sum(status.st_size for status, _ in files)
            for status, name in sorted(files, key=lambda pair: pair[0].st_mtime_ns):
                if size <= largest:
                    break
                os.unlink(name, dir_fd=descriptor)
                size -= status.st_size
        finally:
            os.close(descriptor)


def read_cache(path: str, largest: int) -> bytes:
    """Return the bytes of a cache; none when it is missing, or anything but a private file in a folder of this user's.

    Args:
        path: of `cache_file`.
        largest: in bytes; of a larger file nothing is returned.
    """
    try:
        folder = _open_folder(path)
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY  # a FIFO would wait for a writer
            descriptor = os.open(os.path.basename(path), flags, dir_fd=folder)
        finally:
            os.close(folder)
    except OSError:
        return b""
    try:
        status = os.fstat(descriptor)
        is_private = status.st_uid == os.geteuid() and not status.st_mode & _OPEN_TO_OTHERS
        is_file = status.st_mode & 0o170000 == 0o100000  # S_IFREG
        return os.read(descriptor, status.st_size) if is_private and is_file and status.st_size <= largest else b""
    finally:
        os.close(descriptor)


def write_cache(path: str, content: bytes, *, levels: int = 2) -> None:
    """Replace a cache; where its folder is a link, somebody else's, or can't be written, nothing happens.

    `levels` is how many folders above it are made where they aren't there.
    """
    from contextlib import suppress
    from pathlib import Path

    from profilectl.system.files import write_private

    folders = [os.path.dirname(path)]
    while len(folders) < levels:
        folders.insert(0, os.path.dirname(folders[0]))
    with suppress(OSError):
        for folder in folders:
            with suppress(FileExistsError):
                os.mkdir(folder, 0o700)
        # the descriptor that was judged is written through, as another folder could be put in its place meanwhile
        descriptor = _open_folder(path)
        try:
            write_private(Path(os.path.basename(path)), content, folder=descriptor)
        finally:
            os.close(descriptor)


def _open_folder(path: str) -> int:
    """Return a descriptor of the folder of a cache; OSError unless it is one, and this user's."""
    descriptor = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    if os.fstat(descriptor).st_uid == os.geteuid():
        return descriptor
    os.close(descriptor)
    raise PermissionError(path)
