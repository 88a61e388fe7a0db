"""A limit in time for calls that have none of their own."""

from __future__ import annotations

import threading
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future


T = TypeVar("T")


def run_with_deadline(seconds: float, function: Callable[[], T]) -> T:
    """Return what the function returns, or raise what it raises.

    The function runs in a thread that doesn't keep the process alive: when it hangs, it is left behind.

    Raises:
        TimeoutError: it didn't finish in that many seconds.
    """
    from concurrent.futures import Future  # it brings logging along, which most commands do without

    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(function())
        except BaseException as error:  # noqa: BLE001 - whatever it is, it belongs to the caller's thread
            outcome.set_exception(error)

    threading.Thread(target=run, name="deadline", daemon=True).start()
    return outcome.result(timeout=seconds)


def begin(call: Callable[[], T]) -> Future[T]:
    """Call something in a thread of its own, and return where its result or its exception will be.

    Unlike a pool's threads it holds up nobody: who is interrupted leaves at once, and the program ends without it.
    """
    from concurrent.futures import Future

    future: Future[T] = Future()
    Thread(target=_fulfil, args=(future, call), daemon=True).start()
    return future


def _fulfil(future: Future[T], call: Callable[[], T]) -> None:
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that wants the result
        future.set_exception(error)
    else:
        future.set_result(result)
