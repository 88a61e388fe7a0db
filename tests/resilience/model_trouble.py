"""What goes wrong in one run of the model, and when: faults of calls, a crash at any step, threads that are dice."""

from __future__ import annotations

import random
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Self

from profilectl.sync.ports import Stop

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS = {
    "list": ("down", "interlude", "colleague", "empty", "half", "stale", "another account's"),
    "show": ("down",),
    "upload": ("down", "refused", "unknown", "namesake before", "stop", "interlude", "colleague"),
    "create": (
        *("down", "refused", "unknown", "revoked", "limited", "limited without reset", "slow"),
        *("lost", "slow and lost", "lagging", "lagging and lost", "namesake after", "stop", "interlude", "colleague"),
        *("late", "much later", "twice", "twice and lost", "id in use", "id in use, applied"),
    ),
    "destroy": ("down", "refused", "lost", "lost before", "limited"),
    "now": ("an hour ahead", "an hour behind"),
    "begin_intent": ("full",),
    "finish_intent": ("full",),
    "retire": ("full",),
    "drop": ("full",),
}


class CrashError(BaseException):
    """The process is gone: nothing may catch this on its way."""


class Fault(NamedTuple):
    """The n-th call of a kind goes wrong."""

    call: str
    nth: int
    how: str
    lag_ms: int = 0


@dataclass
class Script:
    """The trouble of one run; `crash_at` counts steps: before and after each call and each record."""

    faults: list[Fault] = field(default_factory=list)
    crash_at: int | None = None
    dice: random.Random = field(default_factory=lambda: random.Random(0))
    jobs: int = 1
    slack_ms: int = 0  # how far the clock that Date headers tell is behind X's
    patient: bool = True
    stop: Stop = field(default_factory=Stop)
    interlude: Callable[[], None] = lambda: None
    seen: dict[str, int] = field(default_factory=dict)
    steps: int = 0

    def step(self) -> None:
        """Crash, if this is the moment."""
        self.steps += 1
        if self.steps - 1 == self.crash_at:
            raise CrashError

    def strike(self, call: str) -> Fault | None:
        """Count a call and return what happens to it."""
        nth = self.seen.get(call, 0)
        self.seen[call] = nth + 1
        return next((one for one in self.faults if (one.call, one.nth) == (call, nth)), None)


class Pool:
    """A thread pool whose threads run one at a time, in an order that a seed decides."""

    def __init__(self, script: Script, lose: Callable[[Callable, tuple], None]) -> None:
        self.script = script
        self.lose = lose
        self.waiting: list[tuple[Future, Callable, tuple]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind, error, trace) -> None:
        """Finish what is under way; after a crash some of it arrives, some later, some never."""
        for _, call, arguments in self.waiting:
            if kind is CrashError:
                self.lose(call, arguments)
            else:
                _run(Future(), call, arguments)

    def submit(self, call, *arguments) -> Future:
        future = Future()
        future.pool = self
        self.waiting.append((future, call, arguments))
        return future

    def run_one(self) -> Future:
        future, call, arguments = self.waiting.pop(self.script.dice.randrange(len(self.waiting)))
        _run(future, call, arguments)
        return future


class _Ready(NamedTuple):
    done: list[Future]


def wait(futures, return_when) -> _Ready:
    """Let one thread, or several, come to its end."""
    pool = next(iter(futures)).pool
    count = pool.script.dice.randint(1, len(pool.waiting))
    return _Ready([pool.run_one() for _ in range(count)])


def _run(future: Future, call: Callable, arguments: tuple) -> None:
    try:
        future.set_result(call(*arguments))
    except BaseException as error:  # noqa: BLE001 - a future keeps whatever happened for the one who asks
        future.set_exception(error)
