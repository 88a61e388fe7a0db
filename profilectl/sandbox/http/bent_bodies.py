"""Answers whose bodies are bent: packed, JSON that readers disagree about, pictures at addresses of this network."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from profilectl.sandbox.http import responses
from profilectl.sandbox.model.faults import Kind

if TYPE_CHECKING:
    from profilectl.sandbox.http.responses import Response
    from profilectl.sandbox.model.faults import Fault

_INSIDE = "https://10.0.0.1/1.jpg"  # an address of RFC 1918, which a client may be able to reach
_TEXTS = ("name", "screen_name", "text", "message", "url")


def bent(fault: Fault, response: Response) -> Response:
    """The response with its body as the fault has it; itself where the fault is another one, or finds no JSON."""
    if fault.kind is Kind.PACKED and response.body:
        body = gzip.compress(response.body, mtime=0)
        return replace(response, body=body).with_headers(("Content-Encoding", "gzip"))
    if not response.body or response.content_type != responses.JSON:
        return response
    if fault.kind is Kind.PICTURE_ADDRESS:
        document = _with_addresses(json.loads(response.body), fault.message or _INSIDE)
        return replace(response, body=json.dumps(document).encode())
    bend = _BENDS.get(fault.kind)
    return response if bend is None else replace(response, body=bend(json.loads(response.body)).encode())


def _with_more(text: str) -> Callable[[dict[str, Any]], str]:
    """A document with one more field."""
    return lambda document: f'{json.dumps(document)[:-1]}, "odd": {text}}}'


def _twice(document: dict[str, Any]) -> str:
    """Each key comes again, empty, as most readers take the last."""
    empty = {key: type(value)() for key, value in document.items() if value is not None}
    return f"{json.dumps(document)[:-1]}, {json.dumps(empty)[1:]}"


def _with_ends(document: Any, end: str) -> Any:
    """Every text for people is followed by `end`."""
    if isinstance(document, list):
        return [_with_ends(entry, end) for entry in document]
    if not isinstance(document, dict):
        return document
    return {
        key: f"{value}{end}" if key in _TEXTS and isinstance(value, str) else _with_ends(value, end)
        for key, value in document.items()
    }


def _with_addresses(document: Any, url: str) -> Any:
    if isinstance(document, list):
        return [_with_addresses(entry, url) for entry in document]
    if not isinstance(document, dict):
        return document
    return {
        key: {"media": {"url": url}} if key == "avatar" else _with_addresses(value, url)
        for key, value in document.items()
    }


_DEPTH, _DIGITS = 100_000, 5_000
_BENDS: Mapping[Kind, Callable[[dict[str, Any]], str]] = {
    Kind.JSON_NAN: _with_more("NaN"),
    Kind.JSON_TWICE: _twice,
    Kind.JSON_DEEP: _with_more("[" * _DEPTH + "]" * _DEPTH),
    Kind.JSON_HUGE: _with_more("9" * _DIGITS),
    Kind.JSON_SURROGATE: lambda document: json.dumps(_with_ends(document, "\ud800")),
    Kind.JSON_LONG: lambda document: json.dumps(_with_ends(document, "x" * 1_000_000)),
}
