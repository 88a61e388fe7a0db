"""What is known about a call that failed, and how long to wait before it is repeated, if it may be.

httpx's exceptions are known here by name only, so that this module stays free of httpx.
"""

from __future__ import annotations

import enum
import itertools
import math
import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from profilectl.errors import Fate, RateLimited, RemoteError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

T = TypeVar("T")

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 8.0  # seconds, of the back-off
SHORTEST_WAIT = 1.0  # seconds until a reset, even one that is over
RESET_MARGIN = 2.0  # seconds after a reset, spread so that parallel workers don't all come back at once

FATE_BY_EXCEPTION: Mapping[str, Fate] = {
    # No connection was made, so nothing can have been sent. DNS and TLS failures are ConnectErrors.
    "ConnectError": Fate.NOT_APPLIED,
    "ConnectTimeout": Fate.NOT_APPLIED,
    "PoolTimeout": Fate.NOT_APPLIED,
    "ProxyError": Fate.NOT_APPLIED,
    "UnsupportedProtocol": Fate.NOT_APPLIED,
    # The request may have arrived, whole or in part.
    "ReadTimeout": Fate.UNKNOWN,
    "ReadError": Fate.UNKNOWN,
    "WriteTimeout": Fate.UNKNOWN,
    "WriteError": Fate.UNKNOWN,
    "CloseError": Fate.UNKNOWN,
    "RemoteProtocolError": Fate.UNKNOWN,
    "LocalProtocolError": Fate.UNKNOWN,
    # An answer came, and couldn't be used.
    "DecodingError": Fate.UNKNOWN,
    "TooManyRedirects": Fate.UNKNOWN,
    "HTTPStatusError": Fate.UNKNOWN,
    "InvalidURL": Fate.UNKNOWN,
    "CookieConflict": Fate.UNKNOWN,
    "StreamConsumed": Fate.UNKNOWN,
    "StreamClosed": Fate.UNKNOWN,
    "ResponseNotRead": Fate.UNKNOWN,
    "RequestNotRead": Fate.UNKNOWN,
}


def fate_of_exception(error: Exception) -> Fate:
    """Return what an httpx exception tells about its request; unknown, unless it surely never left."""
    named = (FATE_BY_EXCEPTION.get(kind.__name__) for kind in type(error).__mro__)
    return next((fate for fate in named if fate), Fate.UNKNOWN)


def fate_of_status(status: int) -> Fate:
    """Return what an HTTP status tells about a request that wasn't answered with 2xx.

    A 5xx may come after the work was done, a 3xx or 408 from somebody on the way. Every other 4xx is X's own no.
    """
    if status in {420, 429}:
        return Fate.NOT_APPLIED
    return Fate.REFUSED if 400 <= status < 500 and status != 408 else Fate.UNKNOWN


class Repeat(enum.Enum):
    """When a call may be repeated without being asked; the value is the number of attempts in all."""

    SAFE = 4  # reading, deleting, uploading: twice does what once does
    UNSENT = 3  # only when no connection was made
    NEVER = 1


def may_repeat(error: RemoteError, repeat: Repeat, attempt: int) -> bool:
    """Tell whether attempt number `attempt` (from 1) may be followed by another one."""
    if attempt >= repeat.value:
        return False
    if isinstance(error, RateLimited):
        return repeat is Repeat.SAFE and error.retry_at is not None
    is_redirect = error.status is not None and 300 <= error.status < 400
    return isinstance(error, Unreachable) and not is_redirect


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take: seconds, and bytes of its answer.

    `total` is looked at whenever bytes arrive, because httpx's own timeouts begin anew with every byte; a server that
    falls silent ends with `read` instead.
    """

    connect: float = 10.0
    read: float = 20.0
    total: float = 30.0
    body: int = 4 * 1024 * 1024


class Deadline:
    """The end of the time that a command was given, `seconds` from now; ``math.inf`` never comes."""

    def __init__(self, seconds: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._ends_at = monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds that are left, at least 0."""
        return max(0.0, self._ends_at - self._monotonic())


class WaitBudget:
    """The seconds that a run may wait for limits in all; those that several calls wait at once count once.

    Safe to share between threads, and between the clients of one run.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._taken_until = -math.inf
        self._lock = threading.Lock()

    def take(self, begin: float, end: float) -> float | None:
        """Take a wait from one moment to another, both in epoch seconds of X's clock.

        Returns:
            how many of its seconds nobody had taken yet; None, with nothing taken, when fewer are left.
        """
        with self._lock:
            fresh = max(0.0, end - max(begin, self._taken_until))
            if fresh > self._left:
                return None
            self._left -= fresh
            self._taken_until = max(end, self._taken_until)
            return fresh


class Persistence:
    """Repeats calls as far as their kind, the deadline and the wait_budget for limits permit.

    Args:
        deadline: no attempt begins after it, no pause reaches beyond it.
        wait_budget: what may be waited for rate limits to reset.
        announce: told seconds and reason before every pause, in the thread that pauses; once for a shared one.
        now: X's time in epoch seconds.
        sleep: waits; returns True when it was cut short for good. Default: until `halt`.
        uniform: a random number between two.
    """

    def __init__(
        self,
        *,
        deadline: Deadline,
        wait_budget: WaitBudget,
        announce: Callable[[float, str], None] | None,
        now: Callable[[], float],
        sleep: Callable[[float], bool | None] | None = None,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.deadline = deadline
        self._allowance = wait_budget
        self._announce = announce
        self._now = now
        self._halted = threading.Event()
        self._sleep = self._halted.wait if sleep is None else sleep
        self._uniform = uniform
        self._waiting = threading.Lock()  # one thread waits for a limit, those that come to it meanwhile for the thread

    def halt(self) -> None:
        """End every pause, now and later; calls that wait raise what they waited for."""
        self._halted.set()

    def pause(self, seconds: float) -> bool:
        """Wait; False, when the deadline or a halt leaves no time for it."""
        return self._is_bearable(seconds) and not self._sleep(seconds)

    def persist(self, send: Callable[[], T], repeat: Repeat) -> T:
        """Call `send` until it returns, and return that.

        Raises:
            RemoteError: the failure of the last attempt; Unreachable, when no time is left for a first one.
        """
        for attempt in itertools.count(1):
            self._require_time()
            try:
                return send()
            except RemoteError as error:
                if not may_repeat(error, repeat, attempt):
                    raise
                rest = self._await_reset if isinstance(error, RateLimited) else self._back_off
                if not rest(error, attempt):
                    raise
        raise AssertionError("attempts are bounded")

    def _require_time(self) -> None:
        if not self.deadline.remaining():
            raise Unreachable("no time is left to ask X", hint="allow more time with --timeout")

    def _back_off(self, error: RemoteError, attempt: int) -> bool:
        """Pause until X's own time to come back, else with full jitter under a doubling ceiling.

        Like `_await_reset` it tells whether another attempt makes sense.
        """
        if error.retry_at is not None:
            seconds = self._until(error.retry_at) + self._uniform(0.0, RESET_MARGIN)
        else:
            seconds = self._uniform(SHORTEST_PAUSE, min(LONGEST_PAUSE, 2.0**attempt))
        if not self._is_bearable(seconds):
            return False
        self._tell(seconds, error)
        return not self._sleep(seconds)

    def _await_reset(self, error: RemoteError, _attempt: int) -> bool:
        """Wait until X's limit is reset, on the run's wait_budget."""
        assert error.retry_at is not None  # noqa: S101 - `may_repeat` lets nobody guess
        now, seconds = self._now(), self._until(error.retry_at)
        if not self._is_bearable(seconds + RESET_MARGIN):
            return False
        fresh = self._allowance.take(now, now + seconds + RESET_MARGIN)
        if fresh is None:
            return False
        end = now + seconds + self._uniform(0.0, RESET_MARGIN)
        if fresh >= SHORTEST_WAIT:
            self._tell(end - now, error)
        with self._waiting:
            left = end - self._now()
            return left <= 0 or not self._sleep(left)

    def _until(self, moment: datetime) -> float:
        return max(SHORTEST_WAIT, moment.timestamp() - self._now())

    def _is_bearable(self, seconds: float) -> bool:
        return seconds < self.deadline.remaining() and not self._halted.is_set()

    def _tell(self, seconds: float, error: RemoteError) -> None:
        if self._announce:
            self._announce(seconds, error.message)
