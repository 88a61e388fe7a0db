"""Calls in threads of their own: in the background, with a limit in time, or within a budget that they share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future


T = TypeVar("T")


class Budget:
    """An amount, such as bytes of memory, that all threads share: who needs more than is free waits for the others.

    Hold only one part of a budget at a time, or two threads may wait for each other.
    """

    def __init__(self, total: int) -> None:
        self._total = self._free = total
        self._changed = Condition()

    @contextmanager
    def hold(self, amount: int) -> Iterator[None]:
        """Take a part of the budget for the `with` block; ValueError when there will never be that much."""
        if amount > self._total:
            raise ValueError(f"{amount} is more than the whole budget of {self._total}")
        with self._changed:
            self._changed.wait_for(lambda: amount <= self._free)
            self._free -= amount
        try:
            yield
        finally:
            with self._changed:
                self._free += amount
                self._changed.notify_all()


def begin(function: Callable[[], T]) -> Future[T]:
    """Call a function in a thread of its own, and return where its result or its exception will be.

    Unlike a pool's threads it doesn't keep the process alive: who is interrupted leaves at once, and when the function
    hangs, it is left behind.
    """
    from concurrent.futures import Future  # it brings logging along, which most commands do without

    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that takes the result
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


def run_with_deadline(seconds: float, function: Callable[[], T]) -> T:
    """Return what the function returns, or raise what it raises; see `begin`.

    Raises:
        TimeoutError: it didn't finish in that many seconds.
    """
    return begin(function).result(timeout=seconds)
