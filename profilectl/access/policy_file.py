"""The policy file of this machine, and who runs the program; both by what the kernel says, never the environment."""

from __future__ import annotations

import errno
import os
import shlex
import stat
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from profilectl.access.policy import EVERYBODY_ELSE, Authority, Operator
from profilectl.digests import digest_of_bytes
from profilectl.errors import InputRefused, RosterRefused
from profilectl.system.files import opened, read
from profilectl.system.host import user_name
from profilectl.text.names import as_compared
from profilectl.text.suggest import did_you_mean
from profilectl.toml import rules
from profilectl.toml.problems import ProblemList, ReadingStopped, format_problem

# No option, variable or roster names another file: whoever could would loosen it.
POLICY: Final = Path("/etc/profilectl/policy.toml")
_ROOT = 0
_LARGEST = 1_000_000  # bytes
_LARGEST_ROSTER = 100_000_000  # bytes; what is read is only compared
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_STRICT = ("disclosure", "consent", "ai_faces")  # in the order of `Authority`
_PLAIN = "put a plain file into a plain folder"


def current_operator() -> Operator:
    """Return who runs this program by what the kernel says, named by the machine's user database."""
    return Operator(user_name(), os.getuid())


@cache  # a roster may name the same few people a thousand times, and the database may be on a network
def uid_of(name: str) -> int | None:
    """Return the uid that this machine gives to a user's name, None when there is no such user."""
    import pwd

    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def read_policy(path: Path) -> Authority:
    """Return what the policy file at `path` says; where there is none the roster decides, and everybody is an admin.

    Raises:
        InputRefused: it can't be read, isn't root's alone to write, or says something that can't be obeyed.
    """
    try:
        content = _content(path)
    except FileNotFoundError:
        return Authority(uid_of)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:
            raise _refused(path, "is a link, or lies in no real folder", _PLAIN) from None
        mend = f"chmod a+rx {_quoted(path.parent)} && chmod a+r {_quoted(path)}"
        raise _refused(path, f"can't be read: {error.strerror}", mend) from None
    return _parse(content, str(path))


def digest_of_policy(path: Path) -> str:
    """Return the digest of the policy file's bytes, empty where there is none; errors as for `read_policy`."""
    try:
        return digest_of_bytes(_content(path))
    except FileNotFoundError:
        return ""
    except OSError:
        read_policy(path)  # which says what is wrong
        raise


def read_pinned_roster(authority: Authority) -> bytes:
    """Return the bytes of the roster that the policy names.

    Raises:
        InputRefused: it can't be read, or somebody may change it who isn't root or an admin.
    """
    path = Path(authority.roster)
    try:
        with opened(path.parent, os.O_DIRECTORY | os.O_NOFOLLOW) as folder:
            _require_admins_only(path.parent, os.fstat(folder), authority)
            with opened(path.name, os.O_NOFOLLOW | os.O_NONBLOCK, folder=folder) as descriptor:
                _require_admins_only(path, os.fstat(descriptor), authority)
                return read(descriptor, _LARGEST_ROSTER + 1)
    except OSError as error:
        what = f"{path}, the roster that {authority.file} names, can't be read: {error.strerror}"
        raise InputRefused(what, hint="an admin puts it there, as a plain file that you may read") from None


def _require_admins_only(path: Path, status: os.stat_result, authority: Authority) -> None:
    owner = Operator("", status.st_uid)
    if (status.st_uid != _ROOT and not authority.is_admin(owner)) or status.st_mode & _OTHERS_WRITE:
        raise InputRefused(
            f"others than root and the admins can change {path}, which holds the roster that {authority.file} names",
            hint=f"chown root {_quoted(path)} && chmod go-w {_quoted(path)}",
        )


def _content(path: Path) -> bytes:
    """Return the file's bytes, once its folder and it are root's alone."""
    # Each is judged by what was opened: a path could lead elsewhere by the time it is read.
    with opened(path.parent, os.O_DIRECTORY | os.O_NOFOLLOW) as folder:
        _require_root_only(path.parent, os.fstat(folder))
        with opened(path.name, os.O_NOFOLLOW, folder=folder) as descriptor:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise _refused(path, "isn't a regular file", _PLAIN)
            _require_root_only(path, status)
            content = read(descriptor, _LARGEST + 1)
    if len(content) > _LARGEST:
        raise _refused(path, f"is larger than {_LARGEST} bytes", "name a few people, not a company")
    return content


def _require_root_only(path: Path, status: os.stat_result) -> None:
    if status.st_uid != _ROOT:
        raise _refused(path, f"belongs to uid {status.st_uid}, not to root", f"chown root:root {_quoted(path)}")
    if status.st_mode & _OTHERS_WRITE:
        mode = stat.S_IMODE(status.st_mode)
        raise _refused(path, f"has mode {mode:03o}: others than root can write to it", f"chmod go-w {_quoted(path)}")


def _quoted(path: Path) -> str:
    """Return a path as a word of a command, which will be pasted into root's shell."""
    return shlex.quote(str(path))


def _refused(path: Path, what: str, mend: str) -> InputRefused:
    return InputRefused(f"{path} {what}", hint=f"nobody may do anything until root mends it: {mend}")


def _parse(content: bytes, file: str) -> Authority:
    """Return what a policy's text says; InputRefused with every problem at its place."""
    from profilectl.toml.document import decode, load  # a machine without a policy reads no TOML for it

    problems = ProblemList()
    try:
        text = decode(content, file)
        authority = Authority(uid_of)
        with suppress(ReadingStopped):  # the problems tell
            authority = _read(load(text, file), file, problems)
        placed = problems.placed(text, file)
    except RosterRefused as error:  # not UTF-8, or not TOML
        placed = error.problems
    if placed:
        first, *others = map(format_problem, placed)
        raise InputRefused(first, hint="\n".join([*others, "nobody may do anything until root mends it"]))
    return authority


def _read(tables: Mapping[str, Any], file: str, problems: ProblemList) -> Authority:
    fields = {
        "version": rules.version,
        "admins": _users,
        "operators": rules.table,
        "accounts": rules.table,
        "roster": _absolute,
        "ledger": _ledger,
        "disclosure": rules.choice("enforce", "warn"),
        "consent": rules.choice("require", "record", "off"),
        "ai_faces": rules.choice("refuse", "record"),
        "test_recipients": rules.array_of(str.strip, 'ids in quotes such as "12345" or @handles'),
        "bot_markers": rules.table,
    }
    values = rules.read(tables, fields, (), problems, lambda key: f"unknown key{did_you_mean(key, fields)}")
    if "version" not in values:
        problems.error(("version",), "missing; a policy begins with `version = 1`")
    if "admins" not in values:
        problems.error(("admins",), 'missing; name who may do everything: admins = ["root"]')
    if values.get("admins") == ():
        problems.error(("admins",), "names nobody, so nothing could be done; without the file everybody is an admin")
    agents = values.get("operators") or {}
    for key in agents:
        if key != EVERYBODY_ELSE:
            rules.check_key(("operators", key), problems)
    operators = rules.read(agents, dict.fromkeys(agents, _users), ("operators",), problems, str)
    accounts = _accounts(values.get("accounts") or {}, problems)
    if accounts and operators:
        problems.error(("operators",), "the accounts say who sends, by profile: take this table out")
    languages = values.get("bot_markers")
    markers = None if languages is None else _markers(languages, problems)
    return Authority(
        uid_of,
        values.get("admins") or (),
        operators,
        file,
        accounts,
        test_recipients=values.get("test_recipients"),
        bot_markers=markers,
        **{name: values.get(name) or "" for name in ("roster", "ledger", *_STRICT)},
    )


def _markers(languages: Mapping[str, Any], problems: ProblemList) -> dict[str, tuple[str, ...]]:
    words = rules.array_of(str.strip, 'words such as "bot"')
    values = rules.read(languages, dict.fromkeys(languages, words), ("bot_markers",), problems, str)
    return {language.lower(): markers or () for language, markers in values.items()}


def _accounts(tables: Mapping[str, Any], problems: ProblemList) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return who speaks with which profile of which account, both as they are compared."""
    accounts: dict[str, dict[str, tuple[str, ...]]] = {}
    for account, value in tables.items():
        path = ("accounts", account)
        if type(value) is not dict:
            problems.error(path, 'expected a table of profiles, such as "Alice F." = ["afast"]')
            continue
        profiles = rules.read(value, dict.fromkeys(value, _users), path, problems, str)
        compared = {name if name == EVERYBODY_ELSE else as_compared(name): who or () for name, who in profiles.items()}
        accounts[account.removeprefix("@").casefold()] = compared
    return accounts


def _absolute(value: Any) -> str:
    path = rules.text(value)
    if not path.startswith("/"):
        raise rules.FieldError("expected a path from / on")
    return path


def _ledger(value: Any) -> str:
    place = rules.text(value)
    return place if place.startswith(("postgresql://", "postgres://")) else _absolute(place)


def _users(value: Any) -> tuple[str, ...]:
    # An empty array is accepted, unlike in a roster: here it can only mean nobody.
    users: tuple[str, ...] = rules.os_users()(value)
    return users
