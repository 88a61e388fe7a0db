"""User, machine, home folder and time, for the audit trail and for other processes that wait."""

from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

NO_HOME = Path(os.devnull)
"""Stands for a home folder that there isn't: nobody can make anything in it, not even root."""


def user_name() -> str:
    """Return the name of the OS user, ``uid:1234`` for one without a name; the environment can't change it."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid:{os.getuid()}"


def host_name() -> str:
    """Return the machine's own name."""
    return os.uname().nodename


def user_at_host() -> str:
    """Return ``user@host``."""
    return f"{user_name()}@{host_name()}"


def actor() -> str:
    """Return who runs this, for the record: ``user@host``, and behind it in brackets what makes the name doubtful.

    That is the login uid where it is another one (after sudo or su), and the map of a user namespace, in which anybody
    may be root. Both are what the kernel tells in /proc (proc(5), user_namespaces(7)); inside a namespace the login
    uid is mapped as well.
    """
    login, mapped = login_uid(), uid_map()
    doubts = [] if login in {None, os.getuid()} else [f"login uid {login}"]
    doubts += [f"uid map {mapped}"] if mapped not in {"", _WHOLE_MAP} else []
    return f"{user_at_host()} ({', '.join(doubts)})" if doubts else user_at_host()


def name_of(uid: int) -> str | None:
    """Return this machine's name for a uid, None where it has none."""
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except (KeyError, OverflowError):  # a number that is no uid may stand in a record
        return None


def uid_of(name: str) -> int | None:
    """Return the uid of a user of this machine, None where there is no such one."""
    import pwd

    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def login_uid() -> int | None:
    """Return the uid that logged in, whoever it has become since (proc(5)); None for a daemon, or if unknown."""
    login = _proc("loginuid")
    return int(login) if login.isascii() and login.isdecimal() and login != _NO_LOGIN else None


def uid_map() -> str:
    """Return which uids outside this process's user namespace its own are (user_namespaces(7)); empty: unknown."""
    return " ".join(_proc("uid_map").split())


def is_by_this_user(recorded: str) -> bool:
    """Say whether `actor` returned this for the OS user who runs this, on this machine, whatever the login."""
    return recorded.partition(" (")[0] == user_at_host()


def parent_program() -> str:
    """Return the name of the program that started this one, empty where the system doesn't tell (proc(5), comm)."""
    try:
        return Path(f"/proc/{os.getppid()}/comm").read_text("utf-8", "backslashreplace").strip()
    except OSError:
        return ""


_PROCESS = Path("/proc/self")
_NO_LOGIN = str(2**32 - 1)  # a daemon's, which nobody logged in for
_WHOLE_MAP = f"0 0 {2**32 - 1}"  # of no user namespace but the first


def _proc(name: str) -> str:
    try:
        return (_PROCESS / name).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):  # not Linux, or a kernel without audit
        return ""


def expand_home(text: str) -> Path:
    """Return a path as a person writes it; a leading ``~`` is the user's home folder, ``~name`` another user's."""
    first, *others = Path(text).parts or [text]
    if first == "~":
        return home_folder().joinpath(*others)
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)  # nobody of that name


def home_folder() -> Path:
    """Return the user's home folder, `NO_HOME` where neither HOME nor the system's list of users names one."""
    try:
        return Path.home()
    except RuntimeError:
        return NO_HOME


@cache  # a start of the machine is longer than any process, and a sync asks eight times for each profile
def boot_id() -> str:
    """Return which start of which machine this is, empty where the system doesn't tell (proc(5), random/boot_id)."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def boot_time() -> float:
    """Return seconds since this machine was started, those included in which it slept, where the system counts them."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


# Linux has both; CLOCK_MONOTONIC of macOS, unlike what Python calls monotonic there, runs on in its sleep.
_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def today(timezone: str) -> date:
    """Return the date in a time zone of the IANA's database; ZoneInfoNotFoundError when the system doesn't have it."""
    if timezone == "UTC":
        return datetime.now(UTC).date()
    from zoneinfo import ZoneInfo

    return datetime.now(ZoneInfo(timezone)).date()


def now_ms() -> int:
    """Return this machine's time, epoch milliseconds."""
    return int(time.time() * 1000)
