"""Faults on the wire: what an armed rule does to a call before and after the world has obeyed it."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.error_messages import SAYINGS
from profilectl.sandbox.model.faults import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from profilectl.sandbox.http.responses import Answer
    from profilectl.sandbox.model.faults import Fault

FOREVER = 24 * 60 * 60  # seconds; nobody holds a connection for longer
_EDGE_PAGE = b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>"
_IDS = ("id", "media_id", "media_id_string")


class ConnectionDropped(ConnectionError):
    """The sandbox closed the connection without an answer; in process this is all that a client gets to see."""


class Patience:
    """Waits that can be ended from outside, so that a server with slow calls still stops at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._is_over = False

    @property
    def released(self) -> threading.Event:
        """What ends the waits of a call: taken before the call looks for its faults, so that no release is missed."""
        return self._released

    def release(self) -> None:
        """End the waits of all calls that have begun; later ones wait again, unless this is over."""
        with self._lock:
            self._released.set()
            if not self._is_over:
                self._released = threading.Event()

    def end(self) -> None:
        """End all waits, for good: a call that has only just come in doesn't wait either."""
        with self._lock:
            self._is_over = True
            self._released.set()


def before(faults: Iterable[Fault], now: float) -> Answer | None:
    """What comes back instead of obeying; None means that the call goes on.

    Raises:
        ConnectionDropped: nothing comes back
    """
    for fault in faults:
        match fault.kind:
            case Kind.DROP_BEFORE:
                raise ConnectionDropped("dropped before the call was applied")
            case Kind.REFUSE:
                return _refusal(fault)
            case Kind.ERROR_BEFORE:
                return _error(fault, 503, 130, "Over capacity")
            case Kind.RATE_LIMIT:
                return _rate_limited(fault, now)
            case _:
                continue
    return None


def after(faults: Iterable[Fault], answer: Answer, released: threading.Event) -> Answer:
    """What becomes of the answer of a call that was obeyed; `released` ends its waits.

    Raises:
        ConnectionDropped: it gets lost
    """
    for fault in faults:
        match fault.kind:
            case Kind.SLOW:
                released.wait(fault.seconds or 1)
            case Kind.HOLD:
                released.wait(fault.seconds or FOREVER)
                raise ConnectionDropped("held, then dropped after the call was applied")
            case Kind.DROP_AFTER:
                raise ConnectionDropped("dropped after the call was applied")
            case Kind.ERROR_AFTER:
                answer = _error(fault, 503, 130, "Over capacity")
            case Kind.CUT:
                answer = replace(answer, body=answer.body[: len(answer.body) // 2], length=len(answer.body))
            case Kind.HTML:
                answer = responses.Answer(fault.status or 503, _EDGE_PAGE, responses.HTML)
            case Kind.NO_ID if answer.body and answer.content_type == responses.JSON:
                answer = replace(answer, body=_without_id(answer.body))
            case _:
                continue
    return answer


def _error(fault: Fault, status: int, code: int, message: str) -> Answer:
    return responses.error(fault.status or status, fault.code or code, fault.message or message)


def _refusal(fault: Fault) -> Answer:
    """What X says with the fault's code, 87 without one."""
    code = fault.code or 87
    saying = SAYINGS.get(code, SAYINGS[87])
    return _error(fault, saying.status, code, saying.message)


def _rate_limited(fault: Fault, now: float) -> Answer:
    answer = _error(fault, 429, 88, "Rate limit exceeded")
    if fault.seconds is None:
        return answer
    reset = str(int(now + fault.seconds))
    return answer.plus(("x-rate-limit-limit", "1"), ("x-rate-limit-remaining", "0"), ("x-rate-limit-reset", reset))


def _without_id(body: bytes) -> bytes:
    """The same document, its ids gone from the top and from the objects right below it."""
    document = json.loads(body)
    for part in (document, *(part for part in document.values() if isinstance(part, dict))):
        for name in _IDS:
            part.pop(name, None)
    return json.dumps(document).encode()
