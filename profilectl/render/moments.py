"""Moments and distances in time as people read them: this machine's time zone, and how far away that is."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

_SHORT = 90  # of seconds, minutes or hours: above, the next larger unit is easier to grasp
_DAYS = 14  # above, a date says more than a count


def moment(at: datetime, now: datetime) -> str:
    """Return a moment to come in local time, such as ``15:04``, with the day only where it isn't today's.

    Both are aware. It is rounded up to the minute, as a run at the minute before would still be refused.
    """
    there, here = (at + timedelta(seconds=59)).astimezone(), now.astimezone()
    days = (there.date() - here.date()).days
    day = {0: "", 1: " tomorrow", -1: " yesterday"}.get(days, f" on {there:%Y-%m-%d}")
    return f"{there:%H:%M}{day}"


def distance(at: datetime, now: datetime) -> str:
    """Return how far ahead a moment is, such as ``in 12 min``; at least one second, also for one that has come."""
    seconds = max(1, math.ceil((at - now).total_seconds()))
    if seconds <= _SHORT:
        return f"in {seconds} s"
    minutes = math.ceil(seconds / 60)
    return f"in {minutes} min" if minutes <= _SHORT else f"in {round(minutes / 60)} h"


def ago(at: datetime, now: datetime) -> str:
    """Return how long ago a moment was, such as ``2 min ago``; its local date where that is more than two weeks.

    A moment that is still to come by this machine's clock is ``now``: X's clock may be ahead of it.
    """
    seconds = int((now - at).total_seconds())
    if seconds < 1:
        return "now"
    for size, word in ((1, "s"), (60, "min"), (3600, "h")):
        if seconds < _SHORT * size:
            return f"{seconds // size} {word} ago"
    days = seconds // 86400
    if days > _DAYS:
        return f"{at.astimezone():%Y-%m-%d}"
    return f"{days} day{'' if days == 1 else 's'} ago"
