"""Calls in threads of their own: in the background, or with a limit in time that they don't have themselves."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future


T = TypeVar("T")


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
