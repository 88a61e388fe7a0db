"""Feedback cards: issue one, look at it, and read what became of all."""

from __future__ import annotations

import base64
import binascii
import re
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.request import Call, Endpoint
from profilectl.sandbox.http.responses import answer
from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.model.feedback import MATURITY, SCALES, VARIANTS, Event, Request

if TYPE_CHECKING:
    from collections.abc import Collection

    from profilectl.sandbox.http.responses import Answer

PAGE = 100  # events, by default and at most
MAX_EXTERNAL_ID, MAX_DISPLAY_NAME = 256, 20  # characters
_BEYOND_MS = 253_402_300_800_000  # the end of the year 9999
_PLACE = re.compile(r"(\d{1,15})\.(\d{1,15})\.(\d{1,9})", re.ASCII)


def create(call: Call) -> Answer:
    """Issue a card; the message that it hangs on obeys the rules of all messages."""
    kind = _choice(call, "type", SCALES)
    request = Request(
        type=kind,
        to_user_id=_digits(call, "to_user_id"),
        message=_required(call, "message"),
        privacy_url=_address(call, "privacy_url"),
        external_id=_short(call, "external_id", MAX_EXTERNAL_ID),
        question_variant_id=int(_choice(call, "question_variant_id", {str(one) for one in VARIANTS[kind]}, "0")),
        display_name=_short(call, "display_name", MAX_DISPLAY_NAME),
        is_test=_choice(call, "test", {"true", "false"}, "false") == "true",
    )
    card = call.world.feedback.create(call.user_id, call.world.tokens.app().id, request)
    return answer(responses.feedback(card))


def show(call: Call) -> Answer:
    """One of the caller's cards, with its answer."""
    try:
        card = call.world.feedback.require(call.path_values["id"])
    except KeyError:
        raise Refused(Refusal.NO_SUCH_PAGE) from None
    if card.from_user_id != call.user_id:
        raise Refused(Refusal.NO_SUCH_PAGE)
    return answer(responses.feedback(card))


def list_events(call: Call) -> Answer:
    """A page of what happened to the caller's cards, oldest first; an empty ``next_cursor`` is the end."""
    count, place = call.number("count", PAGE, PAGE), _place(call)
    span = (place.from_ms, place.to_ms)
    found = call.world.feedback.events(call.user_id, span, place.skipped, count + 1)
    has_more = len(found) > count
    cursor = place._replace(skipped=place.skipped + count).cursor() if has_more else ""
    return answer({"events": [_event(one) for one in found[:count]], "next_cursor": cursor})


def _event(event: Event) -> dict[str, Any]:
    return {
        "event_type": event.type,
        "created_at": responses.moment(event.at_ms),
        "feedback": responses.feedback(event.card),
    }


class _Place(NamedTuple):
    """Where the events go on; a span that is a day old doesn't change any more."""

    from_ms: int
    to_ms: int
    skipped: int = 0

    def cursor(self) -> str:
        return base64.b64encode(".".join(map(str, self)).encode()).decode()


def _place(call: Call) -> _Place:
    """The place that the cursor stands for, or the beginning of the span that the first page names.

    Raises:
        Refused: no span, one that isn't a day old, or a cursor that isn't ours
    """
    cursor = call.query.get("cursor")
    if not cursor:
        place = _Place(_milliseconds(call, "from_time"), _milliseconds(call, "to_time"))
        if place.to_ms > call.world.store.now_ms() - MATURITY * 1000 or place.from_ms > place.to_ms:
            raise Refused(Refusal.PARAMETER_INVALID, "to_time")
        return place
    try:
        found = _PLACE.fullmatch(base64.b64decode(cursor, validate=True).decode())
    except (binascii.Error, ValueError):
        found = None
    if found is None:
        raise Refused(Refusal.PARAMETER_INVALID, "cursor")
    return _Place(*(int(part) for part in found.groups()))


def _milliseconds(call: Call, name: str) -> int:
    text = call.query.get(name, "")
    if not text:
        raise Refused(Refusal.PARAMETER_MISSING, name)
    if not re.fullmatch("[0-9]{1,15}", text) or int(text) >= _BEYOND_MS:
        raise Refused(Refusal.PARAMETER_INVALID, name)
    return int(text)


def _required(call: Call, name: str) -> str:
    value = call.form(name)
    if not value or not value.strip():
        raise Refused(Refusal.PARAMETER_MISSING, name)
    return value


def _choice(call: Call, name: str, choices: Collection[str], default: str | None = None) -> str:
    value = _required(call, name) if default is None else call.form(name) or default
    if value not in choices:
        raise Refused(Refusal.PARAMETER_INVALID, name)
    return value


def _digits(call: Call, name: str) -> str:
    value = _required(call, name)
    if not re.fullmatch("[0-9]{1,19}", value):
        raise Refused(Refusal.PARAMETER_INVALID, name)
    return value


def _short(call: Call, name: str, longest: int) -> str:
    value = call.form(name) or ""
    if len(value) > longest:
        raise Refused(Refusal.PARAMETER_INVALID, name)
    return value


def _address(call: Call, name: str) -> str:
    value = _required(call, name)
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
