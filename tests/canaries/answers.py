"""Every way to fail an answer that we could think of, each of them quoting the secrets wherever it has a place to."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from profilectl.api.error_codes import VERDICTS
from tests.canaries.gate import RESET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.canaries.traces import Canaries

    Answer = Callable[[str], bytes]  # what can be quoted → the bytes on the wire

REDIRECTS = (301, 302, 303, 307, 308)
_CODES = sorted({code for verdict in VERDICTS for code in verdict.codes})
_KINDS = sorted({kind for verdict in VERDICTS for kind in verdict.kinds})


def http(status: int | str, body: str | bytes, *headers: str, length: int | None = None) -> bytes:
    """Return an answer as it is on the wire; `length` lies about the body."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content) if length is None else length}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + content


def quotable(canaries: Canaries, head: bytes) -> str:
    """Return what a server may quote: the Authorization header as it came, and the values in all encodings."""
    header = re.search(rb"authorization: *([^\r\n]*)", head, re.IGNORECASE)
    return f"{header[1].decode() if header else ''} {canaries.echo()}"


def v1(code: int, said: str) -> str:
    return json.dumps({"errors": [{"code": code, "message": said, "label": said}]})


def answers(*, all_refusals: bool) -> dict[str, Answer]:
    """Return them by name: every code and status that X refuses with, or only one of each form."""
    refusals = (*_codes(), *_refusals(400, 401, 403, 404, 410, 422)) if all_refusals else _refusals(401)
    return dict([*refusals, *_limits(), *_troubles(), *_pointers(), *_successes(), *_broken()])


def _codes() -> Iterator[tuple[str, Answer]]:
    for code in _CODES:
        yield f"403 code {code}", lambda said, code=code: http("403 Forbidden", v1(code, said))
    for kind in _KINDS:
        problem = {"type": f"https://api.x.com/2/problems/{kind}"}
        yield f"403 {kind}", lambda said, problem=problem: http(403, json.dumps({**problem, "detail": said}))


def _refusals(*statuses: int) -> Iterator[tuple[str, Answer]]:
    for status in statuses:
        yield f"{status} v1", lambda said, status=status: http(status, v1(32, said))
        yield f"{status} v2", lambda said, status=status: http(status, json.dumps({"title": said, "detail": said}))
        yield f"{status} legacy", lambda said, status=status: http(status, json.dumps({"error": said, "request": said}))
        yield f"{status} text", lambda said, status=status: http(status, said, "Content-Type: text/plain")
        yield f"{status} HTML", lambda said, status=status: http(status, f"<h1>{said}</h1>", "Content-Type: text/html")
        yield f"{status} echo", lambda said, status=status: http(f"{status} {said}", said, *_echoes(said))


def _limits() -> Iterator[tuple[str, Answer]]:
    yield "401 late", lambda said: http(401, v1(135, said), "Date: Fri, 01 Jan 1999 00:00:00 GMT")
    yield "429", lambda said: http(429, v1(88, said))
    yield "429 with reset", lambda said: http(429, v1(88, said), "x-rate-limit-reset: 4000000000")
    yield "429 with echo", lambda said: http(429, said, f"Retry-After: {said}", f"x-rate-limit-reset: {said}")


def _echoes(said: str) -> list[str]:
    names = ("Authorization", "Date", "Set-Cookie", "WWW-Authenticate", "x-access-level", "x-transaction-id")
    return [f"{name}: {said}" for name in names]


def _troubles() -> Iterator[tuple[str, Answer]]:
    for status in (408, 500, 503):
        yield f"{status} v1", lambda said, status=status: http(status, v1(130, said))
        yield f"{status} HTML", lambda said, status=status: http(status, f"<pre>{said}</pre>")
        yield f"{status} text", lambda said, status=status: http(f"{status} {said}", said, *_echoes(said))


def _pointers() -> Iterator[tuple[str, Answer]]:
    for status in REDIRECTS:
        yield f"{status}", lambda said, status=status: http(status, said, f"Location: /1.1/?quoted={said}")


def _successes() -> Iterator[tuple[str, Answer]]:
    yield "200 text", lambda said: http("200 OK", said, *_echoes(said))
    yield "200 HTML", lambda said: http("200 OK", f"<!DOCTYPE html><p>{said}", "Content-Type: text/html")
    yield "200 cut JSON", lambda said: http("200 OK", json.dumps(_everything(said))[:-9])
    yield "200 everything", lambda said: http("200 OK", json.dumps(_everything(said)), *_echoes(said))
    yield "200 other types", lambda said: http("200 OK", json.dumps({name: [said] for name in _everything(said)}))
    yield "200 errors", lambda said: http("200 OK", v1(50, said))
    yield "204", lambda said: http(f"204 {said}", "", *_echoes(said))


def _everything(said: str) -> dict[str, object]:
    """Return an answer that any call could take for its own, with a quotation in every text."""
    media = {"media": {"url": f"https://localhost:9/{said}"}}
    profile = {"id": "100777", "name": said, "avatar": media, "created_timestamp": "1790000000000"}
    deed = {"sender_id": said, "target": {"recipient_id": said}, "custom_profile_id": said}
    return {
        "id_str": "4242",
        "screen_name": said,
        "custom_profiles": [profile],
        "custom_profile": profile,
        "data": {"id": "42"},
        "media_id_string": "42",
        "event": {"id": "42", "message_create": deed},
    }


def _broken() -> Iterator[tuple[str, Answer]]:
    yield "reset", lambda _: RESET
    yield "no status line", lambda said: f"{said}\r\n\r\n".encode()
    yield "no status", lambda said: f"HTTP/1.1 {said}\r\n\r\n".encode()
    yield "no header", lambda said: f"HTTP/1.1 200 OK\r\n{said}\r\n\r\n".encode()
    yield "no length", lambda said: f"HTTP/1.1 200 OK\r\nContent-Length: {said}\r\n\r\n".encode()
    yield "no chunk", lambda said: f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{said}\r\n".encode()
    yield "no coding", lambda said: http("200 OK", said, f"Transfer-Encoding: {said}")
    yield "no gzip", lambda said: http("200 OK", said, "Content-Encoding: gzip")
    yield "no charset", lambda said: http("401 No", said, f"Content-Type: text/plain; charset={said}")
    yield "cut", lambda said: http("401 No", said[: len(said) // 2], length=len(said))
    yield "no end", lambda said: f"HTTP/1.1 401 {said}".encode()
