"""Every way to fail an answer that we could think of, each of them quoting the secrets wherever it has a place to."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from profilectl.api.error_codes import ERROR_RULES
from tests.canaries.gate import RESET

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.canaries.traces import Canaries

    Answer = Callable[[str], bytes]  # what can be quoted → the bytes on the wire

REDIRECTS = (301, 302, 303, 307, 308)
_CODES = sorted({code for rule in ERROR_RULES for code in rule.codes})
_KINDS = sorted({kind for rule in ERROR_RULES for kind in rule.kinds})


def http(status: int | str, body: str | bytes, *headers: str, length: int | None = None) -> bytes:
    """Return an answer as it is on the wire; `length` lies about the body."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(content) if length is None else length}", *headers]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + content


def quotable(canaries: Canaries, head: bytes) -> str:
    """Return what a server may quote: the Authorization header as it came, and the values in all encodings."""
    header = re.search(rb"authorization: *([^\r\n]*)", head, re.IGNORECASE)
    return f"{header[1].decode() if header else ''} {canaries.echo()}"


def v1(code: int, quote: str) -> str:
    return json.dumps({"errors": [{"code": code, "message": quote, "label": quote}]})


def answers(*, all_refusals: bool) -> dict[str, Answer]:
    """Return them by name: every code and status that X refuses with, or only one of each form."""
    refusals = (*_codes(), *_refusals(400, 401, 403, 404, 410, 422)) if all_refusals else _refusals(401)
    return dict([*refusals, *_limits(), *_troubles(), *_pointers(), *_successes(), *_broken()])


def _codes() -> Iterator[tuple[str, Answer]]:
    for code in _CODES:
        yield f"403 code {code}", lambda quote, code=code: http("403 Forbidden", v1(code, quote))
    for kind in _KINDS:
        problem = {"type": f"https://api.x.com/2/problems/{kind}"}
        yield f"403 {kind}", lambda quote, problem=problem: http(403, json.dumps({**problem, "detail": quote}))


def _refusals(*statuses: int) -> Iterator[tuple[str, Answer]]:
    for status in statuses:
        yield f"{status} v1", lambda quote, status=status: http(status, v1(32, quote))
        yield f"{status} v2", lambda quote, status=status: http(status, json.dumps({"title": quote, "detail": quote}))
        yield (
            f"{status} legacy",
            lambda quote, status=status: http(status, json.dumps({"error": quote, "request": quote})),
        )
        yield f"{status} text", lambda quote, status=status: http(status, quote, "Content-Type: text/plain")
        yield (
            f"{status} HTML",
            lambda quote, status=status: http(status, f"<h1>{quote}</h1>", "Content-Type: text/html"),
        )
        yield f"{status} echo", lambda quote, status=status: http(f"{status} {quote}", quote, *_echoes(quote))


def _limits() -> Iterator[tuple[str, Answer]]:
    yield "401 late", lambda quote: http(401, v1(135, quote), "Date: Fri, 01 Jan 1999 00:00:00 GMT")
    yield "429", lambda quote: http(429, v1(88, quote))
    yield "429 with reset", lambda quote: http(429, v1(88, quote), "x-rate-limit-reset: 4000000000")
    yield "429 with echo", lambda quote: http(429, quote, f"Retry-After: {quote}", f"x-rate-limit-reset: {quote}")


def _echoes(quote: str) -> list[str]:
    names = ("Authorization", "Date", "Set-Cookie", "WWW-Authenticate", "x-access-level", "x-transaction-id")
    return [f"{name}: {quote}" for name in names]


def _troubles() -> Iterator[tuple[str, Answer]]:
    for status in (408, 500, 503):
        yield f"{status} v1", lambda quote, status=status: http(status, v1(130, quote))
        yield f"{status} HTML", lambda quote, status=status: http(status, f"<pre>{quote}</pre>")
        yield f"{status} text", lambda quote, status=status: http(f"{status} {quote}", quote, *_echoes(quote))


def _pointers() -> Iterator[tuple[str, Answer]]:
    for status in REDIRECTS:
        yield f"{status}", lambda quote, status=status: http(status, quote, f"Location: /1.1/?quoted={quote}")


def _successes() -> Iterator[tuple[str, Answer]]:
    yield "200 text", lambda quote: http("200 OK", quote, *_echoes(quote))
    yield "200 HTML", lambda quote: http("200 OK", f"<!DOCTYPE html><p>{quote}", "Content-Type: text/html")
    yield "200 cut JSON", lambda quote: http("200 OK", json.dumps(_everything(quote))[:-9])
    yield "200 everything", lambda quote: http("200 OK", json.dumps(_everything(quote)), *_echoes(quote))
    yield "200 other types", lambda quote: http("200 OK", json.dumps({name: [quote] for name in _everything(quote)}))
    yield "200 errors", lambda quote: http("200 OK", v1(50, quote))
    yield "204", lambda quote: http(f"204 {quote}", "", *_echoes(quote))


def _everything(quote: str) -> dict[str, object]:
    """Return an answer that any call could take for its own, with a quotation in every text."""
    media = {"media": {"url": f"https://localhost:9/{quote}"}}
    profile = {"id": "100777", "name": quote, "avatar": media, "created_timestamp": "1790000000000"}
    deed = {"sender_id": quote, "target": {"recipient_id": quote}, "custom_profile_id": quote}
    return {
        "id_str": "4242",
        "screen_name": quote,
        "custom_profiles": [profile],
        "custom_profile": profile,
        "data": {"id": "42"},
        "media_id_string": "42",
        "event": {"id": "42", "message_create": deed},
    }


def _broken() -> Iterator[tuple[str, Answer]]:
    yield "reset", lambda _: RESET
    yield "no status line", lambda quote: f"{quote}\r\n\r\n".encode()
    yield "no status", lambda quote: f"HTTP/1.1 {quote}\r\n\r\n".encode()
    yield "no header", lambda quote: f"HTTP/1.1 200 OK\r\n{quote}\r\n\r\n".encode()
    yield "no length", lambda quote: f"HTTP/1.1 200 OK\r\nContent-Length: {quote}\r\n\r\n".encode()
    yield "no chunk", lambda quote: f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{quote}\r\n".encode()
    yield "no coding", lambda quote: http("200 OK", quote, f"Transfer-Encoding: {quote}")
    yield "no gzip", lambda quote: http("200 OK", quote, "Content-Encoding: gzip")
    yield "no charset", lambda quote: http("401 No", quote, f"Content-Type: text/plain; charset={quote}")
    yield "cut", lambda quote: http("401 No", quote[: len(quote) // 2], length=len(quote))
    yield "no end", lambda quote: f"HTTP/1.1 401 {quote}".encode()
