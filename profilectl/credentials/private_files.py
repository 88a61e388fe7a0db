"""Reading a file that holds credentials: ours only when nobody else could have read or written it."""

from __future__ import annotations

import os
import shlex
import stat
import sys
from pathlib import Path
from typing import BinaryIO, Final

from profilectl.errors import CredentialsError
from profilectl.system.files import read_regular
from profilectl.text.escape import visible

MAX_BYTES: Final = 64 * 1024
"""Of any text that holds credentials."""

_PRIVATE: Final = 0o077  # nothing for group and others
# systemd lets the service's user in by an access list, which shows as r-- for the group; Kubernetes by the pod's group.
_GROUP_READS: Final = 0o037


def read_private(path: Path, *, by_systemd: bool = False) -> bytes:
    """Return a file's bytes, at most one more than `MAX_BYTES`.

    Args:
        path: relative or absolute; a link is followed.
        by_systemd: the file is a systemd credential, where root's group may have read permission.

    Raises:
        CredentialsError: it can't be read, is no regular file, or somebody else could read or write it.
    """
    # Whoever puts the JSON itself where its path belongs mustn't see it again in a message.
    if "{" in str(path) and '"' in str(path):
        raise CredentialsError(
            "the path of a file is needed here, not the credentials themselves", hint="write them to a file"
        )
    content, status = _read(path)
    _check_access(status, visible(str(path)), by_systemd=by_systemd)
    return content


def read_exposed(path: Path) -> tuple[bytes, CredentialsError | None]:
    """Return the bytes of another tool's file, at most one more than `MAX_BYTES`, and what `read_private` would raise.

    CredentialsError when it can't be read or is no regular file.
    """
    # How that tool keeps its file is up to its user, so one that somebody else can get at is still read.
    content, status = _read(path)
    try:
        _check_access(status, visible(str(path)), by_systemd=False)
    except CredentialsError as error:
        return content, error
    return content, None


def read_stdin(stream: BinaryIO | None = None) -> bytes:
    """Return what was piped into the process, at most one byte more than `MAX_BYTES`.

    Raises:
        CredentialsError: stdin is a terminal, which would show what is typed, or closed.
    """
    if stream is None:
        if sys.stdin is None or sys.stdin.isatty():
            raise CredentialsError("no credentials came in on stdin", hint="pipe a JSON object into the command")
        stream = sys.stdin.buffer
    return stream.read(MAX_BYTES + 1)


def _read(path: Path) -> tuple[bytes, os.stat_result]:
    name = visible(str(path))
    try:
        # Opened once and judged by what was opened. Links are followed: mounted secrets are links as a rule.
        file = read_regular(path, MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file name"
        raise CredentialsError(f"credentials file {name}: {reason}", hint="check the path") from None
    if file is None:
        raise CredentialsError(f"credentials file {name} is not a regular file", hint="name a plain file")
    return file


def _check_access(status: os.stat_result, name: str, *, by_systemd: bool) -> None:
    if not hasattr(os, "geteuid"):
        return  # Windows: the access list guards the file, the mode bits say nothing
    if status.st_uid not in {0, os.geteuid()}:
        message = f"credentials file {name} belongs to another user (uid {status.st_uid})"
        raise CredentialsError(message, hint=f"run: chown {os.geteuid()} {shlex.quote(name)}")
    mode = stat.S_IMODE(status.st_mode)
    by_root = status.st_uid == 0
    lets_group_read = by_root and (by_systemd if status.st_gid == 0 else _is_ours_alone(status.st_gid))
    forbidden = _GROUP_READS if lets_group_read else _PRIVATE
    if mode & forbidden:
        message = f"credentials file {name} has mode {mode:03o}: other users can get at it"
        if status.st_uid == os.geteuid():
            hint = f"run: chmod 600 {shlex.quote(name)}; and change the token if others may have read it"
        else:  # root's, as a secret that Kubernetes mounts for a group: chmod isn't for us, nor may the volume bear it
            way = f"--credentials-file - < {shlex.quote(name)}"
            hint = f"only root can change that; give the four variables instead, or: {way}"
        raise CredentialsError(message, hint=hint)


def _quoted(name: str) -> str:
    return shlex.quote(name)


def _is_ours_alone(gid: int) -> bool:
    """Say whether nobody but this user is in a group, as far as this machine's lists of users and groups tell."""
    import grp  # these two aren't on Windows, where nobody asks
    import pwd

    me = os.geteuid()
    if gid not in {os.getegid(), *os.getgroups()}:
        return False
    # The group of a pod (fsGroup) has no name, and the container's lists know nobody else who is in it.
    try:
        members = set(grp.getgrgid(gid).gr_mem)
    except KeyError:
        members = set()
    others = {user.pw_name for user in pwd.getpwall() if user.pw_uid != me and user.pw_gid == gid}
    ours = {user.pw_name for user in pwd.getpwall() if user.pw_uid == me}
    return not others and members <= ours
