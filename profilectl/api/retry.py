"""What is known about a request that failed, whether it may be repeated, and how long to wait before.

httpx's exceptions are named as text, so that this module doesn't load httpx.
"""

from __future__ import annotations

import enum
import itertools
import math
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from msgspec import Struct

from profilectl.errors import Fate, OutcomeUnknown, RateLimited, RemoteError, Unreachable
from profilectl.system.host import boot_time

T = TypeVar("T")

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 8.0  # seconds, of the back-off
SHORTEST_WAIT = 1.0  # seconds until a reset, even one that is over
RESET_MARGIN = 2.0  # seconds after a reset, spread so that parallel workers don't all come back at once

# No connection was made, so nothing can have been sent. DNS and TLS failures are ConnectErrors.
_NOT_SENT = "ConnectError ConnectTimeout PoolTimeout ProxyError UnsupportedProtocol"
# The request may have arrived, whole or in part.
_BROKEN = "ReadTimeout ReadError WriteTimeout WriteError CloseError RemoteProtocolError LocalProtocolError"
# An answer came, and couldn't be used.
_UNUSABLE = (
    "DecodingError TooManyRedirects HTTPStatusError InvalidURL CookieConflict StreamConsumed StreamClosed "
    "ResponseNotRead RequestNotRead"
)
FATE_BY_EXCEPTION: Mapping[str, Fate] = {
    **dict.fromkeys(_NOT_SENT.split(), Fate.NOT_APPLIED),
    **dict.fromkeys(f"{_BROKEN} {_UNUSABLE}".split(), Fate.UNKNOWN),
}


def fate_of_exception(error: Exception) -> Fate:
    """Return the fate of a request that ended with this httpx exception: unknown, unless it surely never left."""
    named = (FATE_BY_EXCEPTION.get(kind.__name__) for kind in type(error).__mro__)
    return next((fate for fate in named if fate), Fate.UNKNOWN)


def fate_of_status(status: int) -> Fate:
    """Return the fate of a request that X itself answered with this HTTP status, which isn't 2xx."""
    if status in {420, 429}:  # 420 is X's own, older than the 429 of RFC 6585 4: both refuse before anything is done
        return Fate.NOT_APPLIED
    # A 5xx may come after the request was applied, a 3xx or 408 from a server on the way (RFC 9110 15.5.9: it gave up
    # waiting, which says nothing about X behind it). Every other 4xx is X's refusal.
    return Fate.REFUSED if 400 <= status < 500 and status != 408 else Fate.UNKNOWN


class RetryPolicy(enum.Enum):
    """When a request is repeated, and how many attempts there are in all."""

    SAFE = (4, False)  # reading, uploading: neither once nor twice does it change anything that matters
    IDEMPOTENT = (4, True)  # a write that may be done twice: destroying
    UNSENT = (3, True)  # only when no connection was made
    NEVER = (1, True)

    def __init__(self, attempts: int, writes: bool) -> None:
        self.attempts = attempts
        self.writes = writes  # so a failure of which nobody knows what it means is an `OutcomeUnknown`


def may_repeat(error: RemoteError, policy: RetryPolicy, attempt: int) -> bool:
    """Return whether attempt number `attempt` (from 1), which ended with this error, may be followed by another."""
    is_repeatable = policy in {RetryPolicy.SAFE, RetryPolicy.IDEMPOTENT}
    is_redirect = error.status is not None and 300 <= error.status < 400
    if attempt >= policy.attempts or is_redirect or error.is_lasting:
        return False
    if isinstance(error, RateLimited):
        return is_repeatable and error.retry_at is not None  # without a time, a wait could be 24 hours
    return isinstance(error, Unreachable) or (is_repeatable and isinstance(error, OutcomeUnknown))


LARGEST_HEAD = 256 * 1024  # bytes before the answer proper, 1xx answers included


class Limits(Struct, frozen=True):
    """What one request may take: seconds, and bytes of its answer."""

    connect: float = 10.0
    read: float = 20.0  # without a byte
    total: float = 30.0  # whatever comes, see `Exchange`
    body: int = 4 * 1024 * 1024


class Exchange:
    """One request on its way: until when it may leave, and when it is over, whatever its connection does.

    Args:
        total: seconds in all; httpx's own timeouts begin anew with every byte.
        to_leave: returns the seconds in which its bytes may still leave; no limit when None.
        is_cut: it ends then, too, even if it has left.

    Attributes:
        is_watched: it goes over a connection that tells it what happens, so `has_left` is true to the fact.
        has_left: X may have seen some of it.
        is_complete: its answer has been read to the end.
    """

    _of_thread = threading.local()

    def __init__(
        self,
        total: float,
        *,
        monotonic: Callable[[], float] = boot_time,
        to_leave: Callable[[], float] | None = None,
        is_cut: bool = False,
    ) -> None:
        self.total = total
        self.is_watched = self.has_left = self.is_complete = False
        self._monotonic = monotonic
        self._ends_at = monotonic() + total
        self._to_leave = to_leave or (lambda: math.inf)
        self._is_cut = is_cut
        self._room = LARGEST_HEAD

    @classmethod
    def current(cls) -> Exchange | None:
        """Return the request that this thread is making."""
        return getattr(cls._of_thread, "exchange", None)

    @contextmanager
    def made_current(self) -> Iterator[None]:
        """Make this the request of this thread."""
        self._of_thread.exchange = self
        try:
            yield
        finally:
            self._of_thread.exchange = None

    @property
    def may_leave(self) -> bool:
        """Whether there is time left for its bytes to leave."""
        return self._to_leave() > 0

    @property
    def is_over(self) -> bool:
        """Whether it has taken longer than it may in all."""
        return self._monotonic() > self._ends_at

    def remaining(self) -> float:
        """Return the seconds that its next step may take, at least 0."""
        return self.remaining_after_leaving() if self.has_left else min(self._rest(), max(0.0, self._to_leave()))

    def remaining_after_leaving(self) -> float:
        """Return the seconds that it may take from its leaving on, at least 0."""
        return min(self._rest(), max(0.0, self._to_leave())) if self._is_cut else self._rest()

    def _rest(self) -> float:
        return max(0.0, self._ends_at - self._monotonic())

    def leave(self) -> bool:
        """Return whether its bytes may leave now; they are taken to have left then."""
        may_leave = self.may_leave
        self.has_left |= may_leave
        return may_leave

    def take(self, size: int) -> bool:
        """Count bytes that came, and return whether the answer may still take that many."""
        self._room -= size
        return self._room >= 0

    def end_head(self, largest: int) -> None:
        """Note that the answer's head has come; its body has `largest` bytes at most, and its chunks are small."""
        self._room = LARGEST_HEAD + 2 * largest  # whose sizes, extensions and trailers no limit of the body counts


class Deadline:
    """The moment at which a command gives up, `seconds` from now; never with ``math.inf``."""

    def __init__(self, seconds: float, *, monotonic: Callable[[], float] = boot_time) -> None:
        self._monotonic = monotonic
        self._ends_at = monotonic() + seconds

    def remaining(self) -> float:
        """Return the seconds that are left, at least 0."""
        return max(0.0, self._ends_at - self._monotonic())


class WaitBudget:
    """The seconds that a run may wait for rate limits in all; several threads and clients may share it."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._taken_until = -math.inf  # what several requests wait together counts once
        self._lock = threading.Lock()

    def take(self, begin: float, end: float) -> float | None:
        """Take a wait from one moment to another, both in epoch seconds of X's clock.

        Returns the seconds that weren't taken before; None, with nothing taken, when fewer are left.
        """
        with self._lock:
            fresh = max(0.0, end - max(begin, self._taken_until))
            if fresh > self._left:
                return None
            self._left -= fresh
            self._taken_until = max(end, self._taken_until)
            return fresh


class Retrier:
    """Repeats requests as far as their policy, the deadline and the budget for waits permit.

    Args:
        deadline: no attempt begins after it, no pause reaches beyond it.
        announce: called with seconds and reason before every pause, in the thread that pauses; once for a shared one.
        now: X's time in epoch seconds.
        sleep: as for `Clock`.
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
        self._wait_budget = wait_budget
        self._announce = announce
        self._now = now
        self._halted = threading.Event()
        self._sleep = self._halted.wait if sleep is None else sleep
        self._uniform = uniform
        self._waiting = threading.Lock()  # one thread waits for a limit, and others that meet it wait for that thread

    def halt(self) -> None:
        """End every pause, now and later; requests that wait raise the error that they waited for."""
        self._halted.set()

    def pause(self, seconds: float) -> bool:
        """Wait, and return True; False when the deadline or a halt leaves no time for it."""
        return self._has_time_for(seconds) and not self._sleep(seconds)

    def call(self, send: Callable[[], T], policy: RetryPolicy) -> T:
        """Call `send` until it succeeds, and return its result.

        Raises:
            RemoteError: the failure of the last attempt; Unreachable, when no time is left for a first one.
        """
        doubt: OutcomeUnknown | None = None
        for attempt in itertools.count(1):
            if not self.deadline.remaining():
                raise doubt or Unreachable("no time is left to ask X", hint="allow more time with --timeout")
            try:
                return send()
            except RemoteError as error:
                doubt = error if isinstance(error, OutcomeUnknown) else doubt
                pause = self._await_reset if isinstance(error, RateLimited) else self._back_off
                if may_repeat(error, policy, attempt) and pause(error, attempt):
                    continue
                if doubt is not None and error.fate is Fate.NOT_APPLIED:  # that of this attempt, not of those before
                    raise doubt from error
                raise
        raise AssertionError("attempts are bounded")

    def _back_off(self, error: RemoteError, attempt: int) -> bool:
        """Pause before another attempt; return False when that makes no sense any more, as `_await_reset` does."""
        if error.retry_at is not None:
            seconds = self._until(error.retry_at) + self._uniform(0.0, RESET_MARGIN)
        else:  # random, so that workers which failed together don't come back together, under a ceiling that doubles
            seconds = self._uniform(SHORTEST_PAUSE, min(LONGEST_PAUSE, 2.0**attempt))
        if not self._has_time_for(seconds):
            return False
        self._announce_pause(seconds, error)
        return not self._sleep(seconds)

    def _await_reset(self, error: RemoteError, _attempt: int) -> bool:
        """Wait until X's limit is reset, out of the run's budget."""
        assert error.retry_at is not None  # noqa: S101 - `may_repeat` has checked it
        now, seconds = self._now(), self._until(error.retry_at)
        if not self._has_time_for(seconds + RESET_MARGIN):
            return False
        # The whole margin is taken, not this thread's random part: threads that wait together then take the same.
        fresh = self._wait_budget.take(now, now + seconds + RESET_MARGIN)
        if fresh is None:
            return False
        end = now + seconds + self._uniform(0.0, RESET_MARGIN)
        if fresh >= SHORTEST_WAIT:  # less is the rest of a wait that another thread has announced
            self._announce_pause(end - now, error)
        with self._waiting:
            left = end - self._now()
            return left <= 0 or not self._sleep(left)

    def _until(self, moment: datetime) -> float:
        return max(SHORTEST_WAIT, moment.timestamp() - self._now())

    def _has_time_for(self, seconds: float) -> bool:
        return seconds < self.deadline.remaining() and not self._halted.is_set()

    def _announce_pause(self, seconds: float, error: RemoteError) -> None:
        if self._announce:
            self._announce(seconds, error.message)
