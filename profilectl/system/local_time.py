"""Moments as people type them: a day or a time, of this machine's time zone unless they name another."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from profilectl.text.escape import visible

_FORM = re.compile(
    r"(?P<day>\d{4}-\d\d-\d\d)(?:[T ](?P<minute>\d\d:\d\d)(?P<second>:\d\d)?(?P<zone>Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
EXAMPLE = "a day such as 2026-05-03, or a time such as 2026-05-03T12:00"


class Moment(Struct, frozen=True):
    """A day, a minute or a second that was typed: when it begins and when it is over, epoch milliseconds."""

    text: str  # as it was typed
    begin_ms: int
    end_ms: int
    zone: str | None  # the local one that it was read in, such as "CEST (UTC+02:00)"; None where it names its own

    def describe(self) -> str:
        """Return what was typed and how it was read, such as ``2026-05-03 (local time, CEST (UTC+02:00))``."""
        return self.text if self.zone is None else f"{self.text} in this machine's time zone, {self.zone}"


def parse_moment(text: str) -> Moment:
    """Return the moment that a text means.

    Raises:
        ValueError: it is none; the message says what one looks like.
    """
    refusal = ValueError(f"takes {EXAMPLE}, not {visible(text)}")
    match = _FORM.fullmatch(text)
    if match is None:
        raise refusal
    try:
        return _moment(text, match)
    except (ValueError, OverflowError, OSError):  # no such day, or one that this machine's clock can't tell
        raise refusal from None


def _moment(text: str, match: re.Match[str]) -> Moment:
    day, minute, second, zone = match.group("day", "minute", "second", "zone")
    begin = datetime.fromisoformat(f"{day}T{minute or '00:00'}{second or ':00'}{zone or ''}")
    length = timedelta(days=1) if minute is None else timedelta(minutes=1) if second is None else timedelta(seconds=1)
    if zone is not None:
        return Moment(text, _milliseconds(begin), _milliseconds(begin + length), None)
    # A day of 23 or 25 hours is one as well, so its end is read from the calendar.
    local, end = begin.astimezone(), (begin + length).astimezone()
    if minute is not None:
        end = local + length
    return Moment(text, _milliseconds(local), _milliseconds(end), _name(local))


def zone_at(milliseconds: int) -> str:
    """Return this machine's time zone at a moment, such as ``CEST (UTC+02:00)``."""
    return _name(datetime.fromtimestamp(milliseconds / 1000, UTC).astimezone())


def _name(moment: datetime) -> str:
    name, offset = moment.tzname() or "", moment.strftime("%z")
    return "UTC" if name == "UTC" else f"{name} (UTC{offset[:3]}:{offset[3:]})"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000
