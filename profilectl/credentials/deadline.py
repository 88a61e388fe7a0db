"""A limit in time for calls that have none of their own."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def run_with_deadline(seconds: float, function: Callable[[], T]) -> T:
    """Return what the function returns, or raise what it raises.

    The function runs in a thread that doesn't keep the process alive: when it hangs, it is left behind.

    Raises:
        TimeoutError: it didn't finish in that many seconds.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(function())
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to the caller's thread
            outcome.set_exception(error)

    threading.Thread(target=run, name="deadline", daemon=True).start()
    return outcome.result(timeout=seconds)
