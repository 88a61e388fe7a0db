"""Feedback cards on the wire: the form that issues one, and X's JSON about cards.

A customer's id and words aren't read, so that no value holds anything that names a customer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from profilectl.api.wire import LONGEST_CURSOR, Page, Unreadable, digits, document_of, id_of, mapping_or_empty
from profilectl.model import Ask, Card, Survey

if TYPE_CHECKING:
    from profilectl.api.wire import Answer

SCALES: Mapping[Survey, range] = {Survey.CSAT: range(1, 6), Survey.NPS: range(11)}  # X: GET feedback/show

_MOMENT = r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) ([0-9]{1,2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) \+0000 ([0-9]{4})"
# Not strptime, whose %b is read in the language of the machine.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def card_form(ask: Ask) -> dict[str, str]:
    """Return the fields that issue a card (X: POST feedback/create)."""
    fields = {
        "type": ask.survey.value,
        "to_user_id": digits("recipient id", ask.recipient_id),
        "message": ask.text,
        "privacy_url": ask.privacy_url,
        "external_id": ask.external_id,
        "question_variant_id": str(ask.variant),
        "test": "true" if ask.is_test else "false",
    }
    return fields | ({} if ask.display_name is None else {"display_name": ask.display_name})


def read_card(answer: Answer) -> Card:
    """Return the card that was issued; its id and its times must be there."""
    card = _card(document_of(answer))
    if card is None:
        raise Unreadable("no feedback card in it")
    return card


def read_card_events(answer: Answer) -> Page[Card]:
    """Return a page of events, each card as it was then, without cards of a survey that we don't know."""
    document = document_of(answer)
    events = document.get("events")
    if not isinstance(events, list):
        raise Unreadable("no list of events in it")
    cursor = document.get("next_cursor") or None
    if not isinstance(cursor, str | None) or (cursor and not (cursor.isascii() and len(cursor) <= LONGEST_CURSOR)):
        raise Unreadable("no usable next_cursor in it")
    cards = (_card(mapping_or_empty(event).get("feedback")) for event in events)
    return Page(tuple(card for card in cards if card is not None), cursor)


def _card(document: object) -> Card | None:
    if not isinstance(document, dict):
        raise Unreadable("no feedback card in it")
    try:
        survey = Survey(str(document.get("type")))
    except ValueError:  # of another program: X has surveys whose scale we don't know
        return None
    created = _moment(document.get("created_at"))
    score = mapping_or_empty(mapping_or_empty(document.get("response")).get("score"))
    return Card(
        id=id_of(document, "id"),
        survey=survey,
        external_id=str(document.get("external_id") or ""),
        is_test=document.get("test") is True,
        created_ms=created,
        updated_ms=_moment(document["updated_at"]) if document.get("updated_at") else created,
        score=_score(score, SCALES[survey]),
        answered_ms=_moment(score["created_at"]) if score.get("created_at") else None,
    )


def _score(score: Mapping[str, Any], scale: range) -> int | None:
    """Return the score of a customer's answer, or None without one, even if there are words."""
    value = score.get("value")
    if value is None:
        return None
    if isinstance(value, bool) or str(value) not in {str(score) for score in scale}:
        raise Unreadable("no usable score in it")
    return int(str(value))


def _moment(value: object) -> int:
    """Return epoch milliseconds of a time as v1.1 writes it, "Sat Dec 15 17:58:20 +0000 2015"."""
    match = re.fullmatch(_MOMENT, value) if isinstance(value, str) else None
    try:
        month, *numbers = match.groups() if match else ()
        day, hour, minute, second, year = map(int, numbers)
        moment = datetime(year, _MONTHS.index(month) + 1, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise Unreadable("no usable time in it") from None
    return int(moment.timestamp()) * 1000
