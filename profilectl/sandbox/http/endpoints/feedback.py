"""Feedback cards: issue and show them, and list what happened to them."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.request import ApiRequest, Endpoint
from profilectl.sandbox.http.responses import Response, json_response
from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.model.feedback import MATURITY, SCALES, VARIANTS, Request
from profilectl.sandbox.model.profiles import decode_cursor, encode_cursor

PAGE = 100  # events, by default and at most
MAX_EXTERNAL_ID, MAX_DISPLAY_NAME = 256, 20  # characters
_BEYOND_MS = 253_402_300_800_000  # the end of the year 9999
_CURSOR = re.compile(r"(\d{1,15})\.(\d{1,15})\.(\d{1,9})", re.ASCII)


def create(request: ApiRequest) -> Response:
    """Issue a card; its message obeys the rules of all messages."""
    kind = _field(request, "type", SCALES.__contains__)
    variants = set(map(str, VARIANTS[kind]))
    draft = Request(
        type=kind,
        to_user_id=_field(request, "to_user_id", re.compile("[0-9]{1,19}").fullmatch),
        message=_field(request, "message", bool),
        privacy_url=_field(request, "privacy_url", _is_of_the_web),
        external_id=_field(request, "external_id", lambda text: len(text) <= MAX_EXTERNAL_ID, ""),
        question_variant_id=int(_field(request, "question_variant_id", variants.__contains__, "0")),
        display_name=_field(request, "display_name", lambda text: len(text) <= MAX_DISPLAY_NAME, ""),
        is_test=_field(request, "test", ("true", "false").__contains__, "false") == "true",
    )
    card = request.world.feedback.create(request.user_id, request.world.tokens.app().id, draft)
    return json_response(responses.feedback(card))


def show(request: ApiRequest) -> Response:
    """One of the caller's cards, with its answer."""
    try:
        card = request.world.feedback.require(request.path_values["id"])
    except KeyError:
        raise Refused(Refusal.NO_SUCH_PAGE) from None
    if card.from_user_id != request.user_id:
        raise Refused(Refusal.NO_SUCH_PAGE)
    return json_response(responses.feedback(card))


def list_events(request: ApiRequest) -> Response:
    """A page of what happened to the caller's cards, oldest first; an empty ``next_cursor`` is the end."""
    count, position = request.number("count", PAGE, PAGE), _position(request)
    span = (position.from_ms, position.to_ms)
    events = request.world.feedback.events(request.user_id, span, position.skipped, count + 1)
    has_more = len(events) > count
    cursor = encode_cursor(*position[:2], position.skipped + count) if has_more else ""
    listed = [
        {"event_type": kind, "created_at": responses.moment(at_ms), "feedback": responses.feedback(card)}
        for kind, at_ms, card in events[:count]
    ]
    # An empty cursor ends this list, where that of profiles lacks the key: X's pages really differ.
    return json_response({"events": listed, "next_cursor": cursor})


class _Position(NamedTuple):
    """Where the events go on; a span that is a day old doesn't change any more."""

    from_ms: int
    to_ms: int
    skipped: int = 0


def _position(request: ApiRequest) -> _Position:
    """The position of the cursor, or the start of the span that a first page names; Refused if not a day old."""
    cursor = request.query.get("cursor")
    if not cursor:
        position = _Position(_milliseconds(request, "from_time"), _milliseconds(request, "to_time"))
        if position.to_ms > request.world.store.now_ms() - MATURITY * 1000 or position.from_ms > position.to_ms:
            raise Refused(Refusal.PARAMETER_INVALID, "to_time")
        return position
    return _Position(*decode_cursor(cursor, _CURSOR))


def _milliseconds(request: ApiRequest, name: str) -> int:
    text = request.required(name)
    if not re.fullmatch("[0-9]{1,15}", text) or int(text) >= _BEYOND_MS:
        raise Refused(Refusal.PARAMETER_INVALID, name)
    return int(text)


def _field(request: ApiRequest, name: str, is_valid: Callable[[str], object], default: str | None = None) -> str:
    """A field of the form, or its default; Refused if it is invalid, or has no default and is missing or blank."""
    value = request.form(name) or default
    if value is None or (default is None and not value.strip()):
        raise Refused(Refusal.PARAMETER_MISSING, name)
    if not is_valid(value):
        raise Refused(Refusal.PARAMETER_INVALID, name)
    return value


def _is_of_the_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


_endpoint = partial(Endpoint, needs_messages=True, needs_feedback=True)
ENDPOINTS = (
    _endpoint("feedback-create", "POST", "/1.1/feedback/create.json", create, "feedback", needs_write=True),
    _endpoint("feedback-show", "GET", "/1.1/feedback/show/<digits:id>.json", show, "feedback-show"),
    _endpoint("feedback-events", "GET", "/1.1/feedback/events.json", list_events, "feedback-events"),
)
