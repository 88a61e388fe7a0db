"""User, machine, home folder and time, for the audit trail and for other processes that wait."""

from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime
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


def actor() -> str:
    """Return ``user@host``."""
    return f"{user_name()}@{host_name()}"


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
