"""``doctor --wait``: asking X again and again, politely, until it allows custom profiles."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

from msgspec import Struct

from profilectl.errors import NotAllowlisted, RateLimited, Unreachable

FIRST_PAUSE = 60.0  # seconds
LONGEST_PAUSE = 900.0  # seconds; X counts calls in windows of this length
_GROWTH = 1.5
_NOT_YET = "before X is asked again whether it allows custom profiles"


class Clock(Struct, frozen=True):
    """This machine's clocks, in seconds, and how it waits: a sleep that Ctrl-C interrupts."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class WaitResult(Struct, frozen=True):
    """How the waiting ended."""

    since: float  # epoch seconds of its beginning
    questions: int
    allowed: bool


def pauses() -> Iterator[float]:
    """Yield the seconds between two questions: longer and longer, up to `LONGEST_PAUSE`."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(LONGEST_PAUSE, pause * _GROWTH)


def wait_until_allowed(
    ask: Callable[[ExitStack], None], seconds: float, announce: Callable[[float, str], None], clock: Clock | None = None
) -> WaitResult:
    """Ask until X allows it, or until the time is over; the last question is asked at the very end.

    Args:
        ask: asks once, and returns when X allows it; what it opens is closed after every question.
        seconds: how long to wait at most, from now.
        announce: called with seconds and reason before every pause.
        clock: this machine's.

    Raises:
        RemoteError: X refuses for another reason than its allowlist.
    """
    # The end is measured on the monotonic clock: a wait of hours outlasts corrections of the other one.
    clock = clock or Clock()
    since, ends_at = clock.now(), clock.monotonic() + seconds
    at_least, reason, questions = 0.0, _NOT_YET, 0
    for pause in pauses():
        left = ends_at - clock.monotonic()
        if left <= 0:
            break
        seconds_to_wait = min(left, max(pause, at_least))
        announce(seconds_to_wait, reason)
        clock.sleep(seconds_to_wait)
        questions += 1
        try:
            with ExitStack() as stack:
                ask(stack)
        except (NotAllowlisted, RateLimited, Unreachable) as error:
            reason = _NOT_YET if isinstance(error, NotAllowlisted) else f"({error.message})"
            # X's own moment counts even beyond the longest pause: asking before it is refused for certain.
            at_least = error.retry_at.timestamp() - clock.now() if error.retry_at else 0.0
        else:
            return WaitResult(since, questions, allowed=True)
    return WaitResult(since, questions, allowed=False)
