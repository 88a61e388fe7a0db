"""Two clocks: this machine's, and X's as far as the Date headers of its answers show it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

DATE_RESOLUTION = 1.0
"""Seconds; a Date header (RFC 9110 5.6.7) names the second that has begun."""


@dataclass(frozen=True, slots=True)
class Clock:
    """This machine's clocks, in seconds.

    `sleep` waits, and returns True when it was cut short for good; with None a `Retrier` waits until it is halted.
    """

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], bool | None] | None = None


def parse_date(text: str | None) -> datetime | None:
    """Return a header's date in UTC, None when it is absent or isn't one."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class ServerClock:
    """X's clock as far as Date headers show it; safe to use from several threads.

    A Date is rounded down to the second and grows old on the way, so each is a lower bound of X's time at its arrival.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._offset: float | None = None  # of X's time from our monotonic clock, at least
        self._skew: float | None = None

    def learn(self, date: datetime | None, duration: float) -> None:
        """Take in the Date of an answer that has just arrived, `duration` seconds after its request left."""
        if date is None:
            return
        stamp = date.timestamp()
        offset = stamp - self._clock.monotonic()
        ahead = self._clock.now() - stamp  # at most; at least it is what remains without resolution and travel
        with self._lock:
            self._offset = offset if self._offset is None else max(self._offset, offset)
            self._skew = _nearest_to_zero(ahead - DATE_RESOLUTION - duration, ahead)

    def now(self) -> float:
        """Return a lower bound of X's time, epoch seconds; this machine's time before the first answer."""
        with self._lock:
            return self._clock.now() if self._offset is None else self._offset + self._clock.monotonic()

    @property
    def skew_seconds(self) -> float | None:
        """How far this machine is ahead of X (negative: behind), at least; None before the first answer."""
        with self._lock:
            return self._skew


def _nearest_to_zero(low: float, high: float) -> float:
    return max(low, 0.0) + min(high, 0.0)
