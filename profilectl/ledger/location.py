"""Where a ledger may lie: on a local disk, in a folder that others can't write, as a private file of our own.

Nothing here ever opens the ledger's file: SQLite's locks belong to the process, and closing any other handle on the
file would silently drop them (sqlite.org/howtocorrupt.html, section 2.2). `lstat` is harmless.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
import stat
from collections.abc import Mapping
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from profilectl.errors import LedgerRefused
from profilectl.system.files import create_private, sync_folder
from profilectl.system.folders import LinkRefused, make_private_folder, require_own_way
from profilectl.system.host import NO_HOME, home_folder, name_of
from profilectl.text.escape import visible

OWN_FOLDER = ".profilectl"
MAKE_WRITABLE = "make the ledger and its folder writable for this user"
KNOWN_ELSEWHERE = "if another ledger knows them, name it with PROFILECTL_LEDGER; if none does,"
"""Stands before the command that binds what this ledger doesn't know: a colleague's may be the right one."""

_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "glusterfs", "fuse.glusterfs", "fuse.sshfs"}
)
# Where every file shows the mode that the mount was given.
_FIXED_MODES = frozenset(
    {"9p", "drvfs", "exfat", "fat", "fuse.grpcfuse", "fuseblk", "hgfs", "msdos", "ntfs", "ntfs3", "vboxsf", "vfat"}
)
_MOUNTS = Path("/proc/self/mountinfo")
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_CHOOSE_ANOTHER = "choose another path with PROFILECTL_LEDGER"
_COMPANIONS = ("-wal", "-shm", "-journal", ".lock")


def default_ledger_path(environ: Mapping[str, str], api_host: str) -> Path:
    """Return where the ledger of the accounts at one X is kept, whatever the folder or checkout of the roster.

    The host has its port unless that is the usual one: ``127.0.0.1:8123`` is kept in ``127.0.0.1_8123``.
    """
    return state_folder(environ) / _folder_name(api_host) / "ledger.db"


def heads_folder(environ: Mapping[str, str], api_host: str) -> Path:
    """Return where the heads of the ledgers of one X's accounts are kept, see `heads`; its host is as above."""
    return state_folder(environ) / "heads" / _folder_name(api_host)


def trees_folder(environ: Mapping[str, str], api_host: str) -> Path:
    """Return where the trees over the ledgers of one X's accounts are kept, see `kept_tree`; its host is as above."""
    return state_folder(environ) / "trees" / _folder_name(api_host)


def state_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of this user for what profilectl must remember, which needn't exist."""
    chosen = Path(environ.get("XDG_STATE_HOME", ""))
    # a relative one has to be ignored (XDG Base Directory Specification): it would be another one in every folder
    return (chosen if chosen.is_absolute() else home_folder() / ".local" / "state") / "profilectl"


def _folder_name(api_host: str) -> str:
    return re.sub(r"[^a-z0-9.-]|^\.", "_", api_host.lower())


def prepare_folder(folder: Path) -> None:
    """Make the ledger's folder, private and ignored by git, unless it exists; then check it.

    Raises:
        LedgerRefused: it can't be made, or `check_folder` refuses it.
    """
    if NO_HOME in folder.parents:
        what = "can't be made: neither HOME nor the system's list of users names a home folder"
        refuse(folder, what, "set HOME, or XDG_STATE_HOME, to a folder of yours")
    try:
        _check_way(folder)  # before anything is made there
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        make_private_folder(folder)
        for path in reversed(missing):
            sync_folder(path.parent)
        is_ours = folder.name == OWN_FOLDER  # versions that didn't care may have made it under a umask of 002
        if is_ours and folder.stat().st_uid == os.geteuid() and folder.stat().st_mode & _WRITABLE_BY_OTHERS:
            folder.chmod(0o700)
        check_folder(folder)
        if is_ours or missing:  # into a folder that people made, nothing is put that they didn't ask for
            create_private(folder / ".gitignore", b"*\n")
    except OSError as error:
        may_not = error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}
        hint = _in_own_folder(folder) if may_not else elsewhere(folder, _CHOOSE_ANOTHER)
        refuse(folder, f"can't hold a ledger: {error.strerror}", hint)


def check_folder(folder: Path) -> None:
    """Refuse a folder in which somebody else could put another ledger in place of ours.

    Raises:
        LedgerRefused: it belongs to neither us nor root, is writable for group or others without the sticky bit, or
            lies in one that all can write without it; ``.profilectl`` or a folder below it is a symbolic link.
    """
    _check_way(folder)
    status = folder.stat()
    _check_owner(folder, status)
    if status.st_mode & _WRITABLE_BY_OTHERS and not status.st_mode & stat.S_ISVTX:
        refuse(
            folder,
            "can be written by other users, who could replace the ledger",
            _or_elsewhere(folder, f"chmod go-w {_quoted(folder)}"),
        )


def check_disk(folder: Path) -> None:
    """Refuse network file systems, where SQLite's write-ahead log doesn't work (sqlite.org/wal.html).

    Raises:
        LedgerRefused: the folder is on one, as far as Linux tells; other systems don't.
    """
    try:
        # a mount point may have any bytes in its name, and isn't ours to understand
        kind = _file_system(os.path.realpath(folder), _MOUNTS.read_text("utf-8", "surrogateescape"))
    except FileNotFoundError:
        return
    if kind in _NETWORK:
        hint = elsewhere(folder, "set PROFILECTL_LEDGER to a path on a local disk")
        refuse(folder, f"is on a network file system ({kind}), where a ledger isn't safe", hint)


def require_no_remnant(path: Path) -> None:
    """Refuse a log that lies where a ledger is about to be made: SQLite would read it into the new one.

    Raises:
        LedgerRefused: there is one.
    """
    for remnant in companions(path)[:3]:
        if os.path.lexists(remnant) and not os.path.lexists(path):  # another first run may be making both
            hint = "restore the ledger from a backup; or remove that file to begin anew"
            refuse(path, f"is missing, but {remnant.name}, which belonged to one, is there", hint)


def check_file(path: Path) -> None:
    """Refuse a ledger, which exists, or a file of SQLite's beside it, that may not be what we left there.

    Raises:
        LedgerRefused: a symbolic link, no regular file, somebody else's, open to others, or an empty ledger.
    """
    _check_private(path)
    if path.lstat().st_size == 0:  # to SQLite it would be a new database, and every profile at X a stranger
        refuse(path, "is empty, so its content was lost", "restore a backup; or remove the file to begin anew")
    check_companions(path)


def check_companions(path: Path) -> None:
    """Refuse a file beside a database that may not be what SQLite left there, as `check_file` does."""
    for companion in companions(path):
        # also one that SQLite removes while we look; where nothing can be looked at, nothing can be opened
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            _check_private(companion)


def check_writable(path: Path) -> None:
    """Refuse a ledger that this user could only read, or couldn't make; nothing is written to find out.

    Raises:
        LedgerRefused: it, a file beside it, its folder, or the folder in which that would be made can't be written.
    """
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not _may(folder, os.W_OK | os.X_OK):
        refuse(
            folder,
            "can't be written",
            of_another_user(path, MAKE_WRITABLE) if path.exists() else _in_own_folder(folder),
        )
    for file in (path, *companions(path)):
        if file.exists() and not _may(file, os.W_OK):
            refuse(file, "can't be written", of_another_user(file, MAKE_WRITABLE))


def elsewhere(path: Path, otherwise: str) -> str:
    """Return a hint about a ledger, or its folder, that can't be used where it is: `otherwise`, if a setting helps."""
    # no setting moves the ledger of `--sandbox` away from the roster
    if is_of_sandbox(path):
        return "remove it, or use a roster in another folder: the sandbox keeps its ledger beside the roster"
    return otherwise


def of_another_user(path: Path, otherwise: str) -> str:
    """Return a hint about a ledger that this user may not open: that of another user isn't to be opened up."""
    owner = _owner(path)
    if owner in {None, os.geteuid()}:
        return otherwise
    return (
        f"{path} belongs to {name_of(owner or 0) or f'uid:{owner}'}, and only they may open it; leave that as it is "
        'and ask them or the admin: "Several people on one machine" in docs/machines.md shows the ways to share'
    )


def _owner(path: Path) -> int | None:
    """Return the uid that owns a file or, where that can't be seen, the nearest folder above; None if unknown."""
    for place in (path, *path.parents):
        try:
            return place.stat().st_uid
        except OSError:
            continue
    return None


def _in_own_folder(path: Path) -> str:
    """Return a hint about a folder in which this user may make nothing."""
    if is_of_sandbox(path):
        return "use a roster in a folder that you can write to: the sandbox keeps its ledger beside the roster"
    return "set PROFILECTL_LEDGER to a path in a folder that you can write to"


def _or_elsewhere(path: Path, command: str) -> str:
    """Return a hint with a command that changes the mode of a path, and what helps on a mount that has none to change.

    Drives of Windows, USB sticks and folders shared with a virtual machine show one mode for all files, whatever chmod
    is told.
    """
    kind = None
    with suppress(OSError):
        kind = _file_system(os.path.realpath(path), _MOUNTS.read_text("utf-8", "surrogateescape"))
    if kind not in _FIXED_MODES:
        return command
    where = f"modes can't be changed on this mount ({kind})"
    if is_of_sandbox(path):
        return f"{where}: use a roster on another disk"
    return f"{where}: set PROFILECTL_LEDGER to a path on another disk"


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def is_of_sandbox(path: Path) -> bool:
    """Say whether a path is in the folder that the sandbox has beside a roster."""
    return (OWN_FOLDER, "sandbox") in pairwise(path.parts)


def refuse(path: Path, what: str, hint: str | None = None) -> NoReturn:
    """Raise LedgerRefused about a path, its characters made visible."""
    raise LedgerRefused(visible(f"{path} {what}"), hint=hint and visible(hint)) from None


def companions(path: Path) -> tuple[Path, ...]:
    """Return the paths of the files that SQLite, or a run, may have made beside a ledger."""
    return tuple(path.with_name(path.name + suffix) for suffix in _COMPANIONS)


def _may(path: Path, mode: int) -> bool:
    # access(2) asks about the real user, but files are opened as the effective one
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _check_way(folder: Path) -> None:
    # a repository can bring links along, and one of that name would lead to a ledger of its author's
    for path in (folder, *folder.parents):
        if OWN_FOLDER in path.parts and path.is_symlink():
            hint = elsewhere(folder, "remove it, or set PROFILECTL_LEDGER to where the ledger really is")
            refuse(path, "is a symbolic link", hint)
    try:
        require_own_way(folder)
    except LinkRefused as error:
        refuse(Path(error.filename), "is a symbolic link, which a checkout may have brought", error.hint)

    # Only what every user can write is refused. A folder that its group can write is what a umask of 002 makes for
    # people who have a group to themselves; and who owns a folder above the ledger, owns the roster as well.
    for parent in dict.fromkeys((*folder.parents, *folder.resolve().parents)):
        mode = parent.stat().st_mode if parent.exists() else 0
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            refuse(
                parent,
                "can be written by all users, who could replace the ledger's folder",
                _or_elsewhere(parent, f"chmod o-w {_quoted(parent)}"),
            )


def _check_owner(path: Path, status: os.stat_result) -> None:
    if status.st_uid not in {0, os.geteuid()}:
        refuse(path, f"belongs to another user (uid {status.st_uid})", "run as that user, or use a ledger of your own")


def _check_private(path: Path) -> None:
    # All that profilectl and SQLite make is private from its first moment. Git makes nothing private by itself, so a
    # file that others can read may have come with somebody's repository, to say which profiles are to be destroyed.
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        refuse(path, "is a symbolic link", elsewhere(path, "set PROFILECTL_LEDGER to where the ledger really is"))
    if not stat.S_ISREG(status.st_mode):
        refuse(path, "isn't a regular file")
    _check_owner(path, status)
    if status.st_mode & _OPEN_TO_OTHERS:
        hint = f"if this one is yours and didn't come with a repository: chmod 600 {_quoted(path)}"
        hint = _or_elsewhere(path, f"profilectl makes ledgers private; {hint}")
        refuse(path, "can be read or changed by other users", hint)


def _file_system(path: str, mounts: str) -> str | None:
    """Return the kind of file system under a resolved path (format: proc(5), /proc/pid/mountinfo)."""
    best, kind = -1, None
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")  # between the two stands any number of optional fields
        point = before.split(" ")[4].replace("\\040", " ").rstrip("/")
        # of two file systems that are mounted on one point, the later hides the earlier
        if (path == point or path.startswith(f"{point}/")) and len(point) >= best:
            best, kind = len(point), after.split(" ")[0]
    return kind
