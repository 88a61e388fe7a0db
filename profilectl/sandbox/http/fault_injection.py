"""Faults on the wire: what an armed rule does to a call before and after it has changed the world."""

from __future__ import annotations

import json
import threading
from collections.abc import Container, Iterable
from dataclasses import replace
from html import escape
from http.client import responses as HTTP_REASONS  # noqa: N812 - a table of the standard library
from itertools import repeat
from typing import TYPE_CHECKING

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.bent_bodies import bent
from profilectl.sandbox.http.responses import MESSAGES, Response
from profilectl.sandbox.model.faults import Kind
from profilectl.sandbox.model.rate_limits import RateStatus

if TYPE_CHECKING:
    from profilectl.sandbox.model.faults import Fault

FOREVER = 24 * 60 * 60  # seconds; nobody holds a connection for longer
_EDGE_PAGE = b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>"
_NO_CREDITS = "The account has no credits left."
_IDS = ("id", "media_id", "media_id_string")
_STATUS_LINE = b"HTTP/1.1 200 OK\r\n"
_HEADER_FIELD = b"X-More: " + b"x" * 4000 + b"\r\n"
_EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: " + b"x" * 4000 + b"\r\n\r\n"
_MOST_PIECES = 1000  # 4 MB: what has no end ends there, whoever reads on


class ConnectionDropped(ConnectionError):
    """The sandbox closed the connection without an answer; in process this is all that a client gets to see."""


class StrangeAnswer(ConnectionDropped):
    """An answer that isn't sent as a whole: a server sends `start`, then piece after piece until the client hangs up.

    In process it is a dropped connection.
    """

    def __init__(self, what: str, start: bytes, pieces: Iterable[bytes], seconds: float = 0.0) -> None:
        super().__init__(f"the sandbox sends {what}")
        self.start = start
        self.pieces = pieces
        self.seconds = seconds  # between two pieces


class Releases:
    """Waits that can be ended from outside, so that a server with slow calls still stops at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # What ends the waits of a call: taken before the call looks for its faults, so that no release is missed.
        self.current = threading.Event()
        self._is_over = False

    def release(self, *, for_good: bool = False) -> None:
        """End the waits of all calls that have begun; later ones wait again, but never after a release for good."""
        with self._lock:
            self._is_over = self._is_over or for_good
            self.current.set()
            if not self._is_over:
                self.current = threading.Event()


def before(faults: Iterable[Fault], now: float) -> Response | None:
    """The response instead of carrying out the call, or None; ConnectionDropped if nothing comes back."""
    for fault in faults:
        match fault.kind:
            case Kind.DROP_BEFORE:
                raise ConnectionDropped("dropped before the call was applied")
            case Kind.REFUSE:
                message = MESSAGES.get(fault.code or 87, MESSAGES[87])
                return _error(fault, message.status, fault.code or 87, message.message)
            case Kind.ERROR_BEFORE:
                return _error(fault, 503, 130, "Over capacity")
            case Kind.RATE_LIMIT:
                return _rate_limited(fault, now)
            case Kind.CREDITS:
                return responses.problem(402, "CreditsDepleted", fault.message or _NO_CREDITS, "credits")
            case Kind.FOREIGN_BEFORE:
                return _foreign(fault)
    return None


def after(faults: Iterable[Fault], response: Response, released: threading.Event) -> Response:
    """What becomes of the response to a call; `released` ends its waits. ConnectionDropped if it gets lost."""
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
                response = _error(fault, 503, 130, "Over capacity")
            case Kind.CUT:
                response = replace(response, body=response.body[: len(response.body) // 2], length=len(response.body))
            case Kind.HTML:
                response = Response(fault.status or 503, _EDGE_PAGE, responses.HTML)
            case Kind.FOREIGN_AFTER:
                response = _foreign(fault)
            case Kind.NO_ID if response.body and response.content_type == responses.JSON:
                response = replace(response, body=_without_id(response.body))
            case _:
                _send_strangely(fault, response)
                response = bent(fault, response)
    return response


def dated(faults: Iterable[Fault], response: Response) -> Response:
    """The response with a Date as the faults have it."""
    shift = sum(fault.seconds or 3600 for fault in faults if fault.kind is Kind.DATE_JUMP)
    return replace(response, date_shift=shift) if shift else response


def is_foreign(faults: Container[Kind]) -> bool:
    """Whether somebody else than X answers: nothing of the answer is X's then, headers included."""
    return Kind.FOREIGN_BEFORE in faults or Kind.FOREIGN_AFTER in faults


def _foreign(fault: Fault) -> Response:
    """What a proxy, a gateway or a captive portal says; X's shape of errors is nowhere in it."""
    status = fault.status or 502
    reason = fault.message or HTTP_REASONS.get(status, "Error")
    if fault.body == "json":
        return responses.json_response({"message": reason}, status)
    if fault.body == "empty":
        return Response(status, content_type="")
    title = f"{status} {escape(reason)}"
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Response(status, page.encode(), responses.HTML)


def _error(fault: Fault, status: int, code: int, message: str) -> Response:
    return responses.error(fault.status or status, fault.code or code, fault.message or message)


def _rate_limited(fault: Fault, now: float) -> Response:
    response = _error(fault, 429, 88, "Rate limit exceeded")
    if fault.seconds is None:  # clients have met POSTs without any x-rate-limit header
        return response
    return response.with_headers(*responses.rate_headers(RateStatus(1, 0, int(now + fault.seconds))))


def _send_strangely(fault: Fault, response: Response) -> None:
    """Raise StrangeAnswer if the fault is one of the ways in which an answer is sent."""
    match fault.kind:
        case Kind.ENDLESS_HEAD:
            raise StrangeAnswer("header fields without end", _STATUS_LINE, repeat(_HEADER_FIELD, _MOST_PIECES))
        case Kind.ENDLESS_HINTS:
            raise StrangeAnswer("hints without end", b"", repeat(_EARLY_HINTS, _MOST_PIECES))
        case Kind.DRIP:
            start = _STATUS_LINE + f"Connection: close\r\nContent-Length: {len(response.body)}\r\n\r\n".encode()
            pieces = (bytes([byte]) for byte in response.body)
            raise StrangeAnswer("a byte at a time", start, pieces, 1.0 if fault.seconds is None else fault.seconds)


def _without_id(body: bytes) -> bytes:
    """The same document, its ids gone from the top and from the objects right below it."""
    document = json.loads(body)
    for part in (document, *(part for part in document.values() if isinstance(part, dict))):
        for name in _IDS:
            part.pop(name, None)
    return json.dumps(document).encode()
