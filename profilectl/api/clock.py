"""Two clocks: this machine's, and X's as far as the Date headers of its answers show it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from msgspec import Struct

from profilectl.model import LocalTime
from profilectl.system.host import boot_id, boot_time

_LEEWAY = 1.0  # seconds by which the clocks of one service's machines may differ
DATE_RESOLUTION = 1.0  # seconds; a Date header (RFC 9110 5.6.7) names the second that has begun
FURTHEST = 330.0  # seconds between this machine's clock and X's: what is signed five minutes off is refused (code 135)


class Clock(Struct, frozen=True):
    """This machine's clocks, in seconds."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = boot_time  # by one that stops, a suspended machine would wake to an old promise
    sleep: Callable[[float], bool | None] | None = None  # True: ended for good; None: a `Retrier` can be halted
    boot: Callable[[], str] = boot_id  # what `monotonic` counts from

    def local_time(self) -> LocalTime:
        """Return the moment by the clock that nobody can set."""
        return LocalTime(self.boot(), int(self.monotonic() * 1000))


def parse_date(text: str | None) -> datetime | None:
    """Return a header's date in UTC, None when it is absent or isn't one."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)  # also the two old forms of RFC 9110 5.6.7, one of which names no zone
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


class ServerClock:
    """X's clock as far as Date headers show it; safe to use from several threads.

    It is near this machine's, or X would take no signature of ours: a Date that is further off is a lie, however often
    it comes, and moves nothing. So no grace, settling or quota ends years too early, or never.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # Before X's first Date it is this machine's time as it was now: that it is set later must not shift a promise.
        self._local_offset = clock.now() - clock.monotonic()
        self._offset: float | None = None
        self._outlier: float | None = None  # an offset that no other answer has confirmed yet
        self._skew: float | None = None

    def learn(self, date: datetime | None, duration: float) -> None:
        """Take in the Date of an answer that has just arrived, `duration` seconds after its request left."""
        if date is None:
            return
        stamp = date.timestamp()
        offset = stamp - self._clock.monotonic()
        ahead = self._clock.now() - stamp  # at most; at least it is what remains without resolution and travel
        with self._lock:
            if abs(ahead) <= FURTHEST + duration:
                self._weigh(offset, DATE_RESOLUTION + duration + _LEEWAY)
            self._skew = max(ahead - DATE_RESOLUTION - duration, 0.0) + min(ahead, 0.0)

    def _weigh(self, offset: float, tolerance: float) -> None:
        # A Date is rounded down and grows old on the way, so each is a lower bound, and the highest the best. One that
        # is far from the others may be a lie, of a cache or of a machine with another clock: the next one decides.
        if self._offset is None or abs(offset - self._offset) <= tolerance:
            self._offset = offset if self._offset is None else max(self._offset, offset)
            self._outlier = None
        elif self._outlier is not None and abs(offset - self._outlier) <= tolerance:
            self._offset, self._outlier = max(offset, self._outlier), None
        else:
            self._outlier = offset

    def now(self) -> float:
        """Return a lower bound of X's time, epoch seconds; this machine's time before the first answer."""
        with self._lock:
            return (self._local_offset if self._offset is None else self._offset) + self._clock.monotonic()

    @property
    def skew_seconds(self) -> float | None:
        """How far this machine is ahead of X (negative: behind), at least; None before the first answer."""
        with self._lock:
            return self._skew
