"""Feedback cards: issue and show them, and list what happened to them."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.request import ApiRequest, Endpoint
from profilectl.sandbox.http.responses import Response, json_response
from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.model.feedback import MATURITY, SCALES, VARIANTS, Request
from profilectl.sandbox.model.profiles import decode_cursor, encode_cursor

if TYPE_CHECKING:
    from collections.abc import Collection

PAGE = 100  # events, by default and at most
MAX_EXTERNAL_ID, MAX_DISPLAY_NAME = 256, 20  # characters
_BEYOND_MS = 253_402_300_800_000  # the end of the year 9999
_CURSOR = re.compile(r"(\d{1,15})\.(\d{1,15})\.(\d{1,9})", re.ASCII)


def create(request: ApiRequest) -> Response:
    """Issue a card; its message obeys the rules of all messages."""
    kind = _choice(request, "type", SCALES)
    draft = Request(
        type=kind,
        to_user_id=_digits(request, "to_user_id"),
        message=_required(request, "message"),
        privacy_url=_address(request, "privacy_url"),
        external_id=_short(request, "external_id", MAX_EXTERNAL_ID),
        question_variant_id=int(_choice(request, "question_variant_id", set(map(str, VARIANTS[kind])), "0")),
        display_name=_short(request, "display_name", MAX_DISPLAY_NAME),
        is_test=_choice(request, "test", {"true", "false"}, "false") == "true",
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


def _required(request: ApiRequest, name: str) -> str:
    value = request.form(name)
    if not value or not value.strip():
        raise Refused(Refusal.PARAMETER_MISSING, name)
    return value


def _choice(request: ApiRequest, name: str, choices: Collection[str], default: str | None = None) -> str:
    value = _required(request, name) if default is None else request.form(name) or default
    if value not in choices:
        raise Refused(Refusal.PARAMETER_INVALID, name)
    return value


def _digits(request: ApiRequest, name: str) -> str:
    value = _required(request, name)
    if not re.fullmatch("[0-9]{1,19}", value):
        raise Refused(Refusal.PARAMETER_INVALID, name)
    return value


def _short(request: ApiRequest, name: str, longest: int) -> str:
    value = request.form(name) or ""
    if len(value) > longest:
        raise Refused(Refusal.PARAMETER_INVALID, name)
    return value


def _address(request: ApiRequest, name: str) -> str:
    value = _required(request, name)
    try:
        parts = urlsplit(value)
    except ValueError:
        raise Refused(Refusal.PARAMETER_INVALID, name) from None
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise Refused(Refusal.PARAMETER_INVALID, name)
    return value


_endpoint = partial(Endpoint, needs_messages=True, needs_feedback=True)
ENDPOINTS = (
    _endpoint("feedback-create", "POST", "/1.1/feedback/create.json", create, "feedback", needs_write=True),
    _endpoint("feedback-show", "GET", "/1.1/feedback/show/<digits:id>.json", show, "feedback-show"),
    _endpoint("feedback-events", "GET", "/1.1/feedback/events.json", list_events, "feedback-events"),
)
