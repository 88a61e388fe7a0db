"""Folders on the way to a file that is written: entered one by one, and never through a link that a checkout brought.

Whoever may send a pull request may send a symbolic link, and one in the place of a folder would have our files written
wherever its author likes. A link of the user's own, such as ``~/site`` on another disk, is followed as everywhere.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from profilectl.system.host import home_folder
from profilectl.text.escape import visible

_MARKS: Final = (".git", ".hg", ".jj", ".svn", "roster.toml")  # what lies at the top of a checkout
_FOLDER: Final = os.O_DIRECTORY | getattr(os, "O_PATH", os.O_RDONLY)  # one that may be entered needn't be readable
_NO_MODE: Final = 0


class LinkRefused(OSError):
    """A symbolic link that isn't followed, because a checkout may have brought it; `hint` says what helps."""

    def __init__(self, link: str, hint: str) -> None:
        super().__init__(errno.ELOOP, f"{visible(link)} is a symbolic link", link)
        self.hint = hint


@contextmanager
def folder_of(path: Path, opened: int | None = None) -> Iterator[int]:
    """Yield a descriptor of the folder that a file is in, or is to be in.

    Args:
        path: the file's.
        opened: descriptor of the folder that has been opened already; the caller closes it.

    Raises:
        LinkRefused: a folder on the way is a link that a checkout may have brought.
        OSError: there is no such folder.
    """
    if opened is not None:
        yield opened
        return
    descriptor = _open(path.parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Make a folder as the umask has it, and those above it that are missing, unless it exists; errors as below."""
    os.close(_open(folder, 0o777))


def make_private_folder(folder: Path) -> None:
    """Make a folder that only this user can enter, and those above it that are missing, unless it exists.

    `Path.mkdir` makes those above it as the umask has it, which may let a whole group put another folder there.

    Raises:
        LinkRefused: one of them is a link that a checkout may have brought.
        OSError: one of them can't be made, or is no folder.
    """
    os.close(_open(folder, 0o700))


def require_own_way(folder: Path) -> None:
    """Raise LinkRefused where the way to a folder, which needn't exist, holds a link that a checkout may have brought.

    For what is written by a library, which opens its files itself.
    """
    try:
        os.close(_open(folder))
    except LinkRefused:
        raise
    except OSError:  # whoever opens it says what is wrong with it
        return


def is_link(name: str, folder: int) -> bool:
    """Say whether a name in an open folder is a symbolic link."""
    return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def _open(folder: Path, mode: int = _NO_MODE) -> int:
    """Return a descriptor of a folder; with a mode, those that are missing are made with it."""
    first, *names = folder.parts if folder.is_absolute() else (os.curdir, *folder.parts)
    current, way = os.open(first, _FOLDER), Path(first)
    for name in names:
        try:
            following = _enter(current, name, way, mode)
        except OSError as error:
            error.filename = str(way / name)
            raise
        finally:
            os.close(current)
        current, way = following, way / name
    return current


def _enter(current: int, name: str, way: Path, mode: int) -> int:
    try:
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=current)
    except FileNotFoundError:
        if mode == _NO_MODE:
            raise
        with suppress(FileExistsError):  # another process may be making the same
            os.mkdir(name, mode, dir_fd=current)
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=current)
    except OSError as error:
        if error.errno not in {errno.ELOOP, errno.ENOTDIR} or not is_link(name, current):
            raise
    if _may_be_brought(way):
        link = way / name
        raise LinkRefused(str(link), f"name the folder itself, {visible(os.path.realpath(link))}, if that is meant")
    return os.open(name, _FOLDER, dir_fd=current)


def _may_be_brought(folder: Path) -> bool:
    """Say whether links in a folder may have come with a checkout: it is named from the current one, or is in one."""
    if not folder.is_absolute() and not os.path.normpath(folder).startswith(os.pardir):
        return True
    home, place = Path(os.path.realpath(home_folder())), Path(os.path.realpath(folder))
    for parent in (place, *place.parents):
        if parent == home:  # settings that somebody keeps in git are nevertheless their own
            return False
        if any(os.path.lexists(parent / mark) for mark in _MARKS):
            return True
    return False
