"""``doctor --wait``: asking X again and again, politely, until it allows custom profiles."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from profilectl.errors import NotAllowlisted, RateLimited, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from profilectl.errors import RemoteError

FIRST_PAUSE = 60.0
"""Seconds before X is asked for the second time."""

LONGEST_PAUSE = 900.0
"""Seconds between two questions in the end; X counts calls in windows of this length."""

_GROWTH = 1.5
_NOT_YET = "before X is asked again whether it allows custom profiles"


@dataclass(frozen=True, slots=True)
class Clock:
    """This machine's clocks, in seconds, and how it waits: a sleep that Ctrl-C interrupts."""

    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Vigil:
    """How the waiting ended.

    Attributes:
        since: epoch seconds of its beginning.
        questions: how often X was asked.
        allowed: whether X has agreed.
    """

    since: float
    questions: int
    allowed: bool


def pauses() -> Iterator[float]:
    """Yield the seconds between two questions: longer and longer, up to `LONGEST_PAUSE`."""
    pause = FIRST_PAUSE
    while True:
        yield pause
        pause = min(LONGEST_PAUSE, pause * _GROWTH)


def keep_vigil(
    ask: Callable[[ExitStack], None], seconds: float, announce: Callable[[float, str], None], clock: Clock | None = None
) -> Vigil:
    """Ask until X allows it, or until the time is over; the last question is asked at the very end.

    Args:
        ask: asks once, and returns when X allows it; what it opens is closed after every question.
        seconds: how long to wait at most, from now.
        announce: told seconds and reason before every pause.
        clock: this machine's.

    Raises:
        RemoteError: X refuses for another reason than its allowlist.
    """
    clock = clock or Clock()
    since, ends_at = clock.now(), clock.monotonic() + seconds
    longer, reason, questions = 0.0, _NOT_YET, 0
    for pause in pauses():
        left = ends_at - clock.monotonic()
        if left <= 0:
            break
        nap = min(left, max(pause, longer))
        announce(nap, reason)
        clock.sleep(nap)
        questions += 1
        try:
            with ExitStack() as stack:
                ask(stack)
        except (NotAllowlisted, RateLimited, Unreachable) as error:
            reason = _reason(error)
            longer = error.retry_at.timestamp() - clock.now() if error.retry_at else 0.0
        else:
            return Vigil(since, questions, allowed=True)
    return Vigil(since, questions, allowed=False)


def _reason(error: RemoteError) -> str:
    return _NOT_YET if isinstance(error, NotAllowlisted) else f"({error.message})"
