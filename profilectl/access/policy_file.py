"""The policy file of this machine, and who runs the program; both by what the kernel says, never the environment."""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from profilectl.access.policy import EVERYBODY_ELSE, Authority, Operator
from profilectl.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from profilectl.cli.context import Context
    from profilectl.toml.problems import Findings

POLICY: Final = Path("/etc/profilectl/policy.toml")
"""Root's word. No option, variable or roster names another file: whoever could would loosen it."""

_ROOT = 0  # uid
_LARGEST = 1_000_000  # bytes
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_PLAIN = "put a plain file into a plain folder"


def current_operator() -> Operator:
    """Ask the kernel who runs this program, and the machine's user database for the name."""
    from profilectl.system.host import user_name

    return Operator(user_name(), os.getuid())


@cache  # a roster may name the same few people a thousand times, and the database may be far away
def uid_of(name: str) -> int | None:
    """Return the uid that this machine gives to a user's name, None when there is no such user."""
    import pwd

    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def require_admin(context: Context, deed: str) -> None:
    """Refuse a command that only an admin may run.

    Args:
        context: the command's.
        deed: what it is about to do, as in "bob may not …".

    Raises:
        InputRefused: whoever runs this isn't one, or `read_authority` refuses the policy file.
    """
    authority_for(context).require_admin(current_operator(), deed)


def authority_for(context: Context) -> Authority:
    """Return who may do what in one command; in the sandbox, where there are no customers, the roster alone decides.

    Raises:
        InputRefused: `read_authority` refuses the policy file.
    """
    return Authority(uid_of) if context.uses_sandbox else read_authority()


def read_authority(path: Path | None = None) -> Authority:
    """Return what the policy file says; where there is none the roster decides, and everybody is an admin.

    Args:
        path: another file than `POLICY`, for tests only.

    Raises:
        InputRefused: it can't be read, isn't root's alone to write, or says something that can't be obeyed.
    """
    path = path or POLICY
    try:
        content = _content(path)
    except FileNotFoundError:
        return Authority(uid_of)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:
            raise _refused(path, "is a link, or lies in no real folder", _PLAIN) from None
        mend = f"chmod a+rx {path.parent} && chmod a+r {path}"
        raise _refused(path, f"can't be read: {error.strerror}", mend) from None
    return _parse(content, str(path))


def _content(path: Path) -> bytes:
    """Return the file's bytes, once its folder and it are root's alone; each is judged by what was opened."""
    with _opened(path.parent, os.O_DIRECTORY) as folder:
        _require_root_only(path.parent, os.fstat(folder))
        with _opened(path.name, os.O_NONBLOCK | os.O_NOCTTY, folder) as descriptor:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise _refused(path, "is no regular file", _PLAIN)
            _require_root_only(path, status)
            with open(descriptor, "rb", closefd=False) as file:
                content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise _refused(path, f"is larger than {_LARGEST} bytes", "name a few people, not a company")
    return content


@contextmanager
def _opened(path: Path | str, flags: int, folder: int | None = None) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | flags, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _require_root_only(path: Path, status: os.stat_result) -> None:
    if status.st_uid != _ROOT:
        raise _refused(path, f"belongs to uid {status.st_uid}, not to root", f"chown root:root {path}")
    if status.st_mode & _OTHERS_WRITE:
        mode = stat.S_IMODE(status.st_mode)
        raise _refused(path, f"has mode {mode:03o}: others than root can write to it", f"chmod go-w {path}")


def _refused(path: Path, what: str, mend: str) -> InputRefused:
    return InputRefused(f"{path} {what}", hint=f"nobody may do anything until root mends it: {mend}")


def _parse(content: bytes, file: str) -> Authority:
    """Return what a policy's text says; InputRefused with every problem at its place."""
    from profilectl.errors import RosterRefused
    from profilectl.toml.document import decode, load
    from profilectl.toml.problems import Findings, format_problem

    findings = Findings()
    try:
        text = decode(content, file)
        authority = _read(load(text, file), file, findings)
        problems = findings.placed(text, file)
    except RosterRefused as error:  # not UTF-8, or not TOML: what is said of such rosters holds for a policy as well
        problems = error.problems
    if problems:
        first, *others = map(format_problem, problems)
        raise InputRefused(first, hint="\n".join([*others, "nobody may do anything until root mends it"]))
    return authority


def _read(tables: Mapping[str, Any], file: str, findings: Findings) -> Authority:
    from profilectl.roster import schema
    from profilectl.roster.unknown_keys import did_you_mean, read

    rules = {"version": schema.version, "admins": _users, "operators": schema.table}
    for key in tables:
        if key not in rules:
            findings.error((key,), f"unknown key{did_you_mean(key, rules)}")
    values = read({key: value for key, value in tables.items() if key in rules}, rules, (), findings)
    if "version" not in values:
        findings.error(("version",), "missing; a policy begins with `version = 1`")
    if "admins" not in values:
        findings.error(("admins",), 'missing; name who may do everything: admins = ["root"]')
    if values.get("admins") == ():
        findings.error(("admins",), "names nobody, so nothing could be done; without the file everybody is an admin")
    return Authority(uid_of, values.get("admins") or (), _operators(values.get("operators") or {}, findings), file)


def _operators(table: Mapping[str, Any], findings: Findings) -> dict[str, tuple[str, ...]]:
    from profilectl.roster.unknown_keys import check_key, read

    for key in table:
        if key != EVERYBODY_ELSE:
            check_key(("operators", key), findings)
    return read(table, dict.fromkeys(table, _users), ("operators",), findings)


def _users(value: Any) -> tuple[str, ...]:
    """Accept what the roster's operators may be, and an empty array, which is nobody and here is meant."""
    from profilectl.roster import schema

    accepted: tuple[str, ...] = () if value == [] else schema.operators(value)
    return accepted
