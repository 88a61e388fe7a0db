"""What is begun now, beside everything else, and waited for later or never."""

from __future__ import annotations

from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def begin(call: Callable[[], T]) -> Future[T]:
    """Call something in a thread of its own, and return where its result or its exception will be.

    Unlike a pool's threads it holds up nobody: who is interrupted leaves at once, and the program ends without it.
    """
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
