"""Feedback cards: the exact bytes of each call, paging to the end, and refusals that say what to ask X for."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from profilectl.errors import (
    CredentialsRefused,
    InputRefused,
    NotAllowlisted,
    OutcomeUnknown,
    RateLimited,
    RemoteError,
    Unreachable,
)
from profilectl.model import Ask, Card, Survey

CREATE = "https://api.x.com/1.1/feedback/create.json"
EVENTS = "https://api.x.com/1.1/feedback/events.json"
ASK = Ask(
    Survey.CSAT,
    "4534871",
    "How did we do? ☃ & more",
    "https://acme.example/privacy?a=b",
    "profilectl:alice:human:profile:1190",
    variant=12,
    display_name="Alice F.",
)
CREATED_MS = 1_450_202_300_000  # Tue Dec 15 17:58:20 +0000 2015


def document(**more):
    return {
        "created_at": "Tue Dec 15 17:58:20 +0000 2015",
        "updated_at": "Tue Dec 15 17:59:22 +0000 2015",
        "id": "123456789",
        "type": "csat",
        "test": False,
        "dm_id": "8989898989",
        "from_user_id": "7",
        "to_user_id": "4534871",
        "privacy_url": ASK.privacy_url,
        "external_id": ASK.external_id,
        "question_variant_id": 12,
        "display_name": "Alice F.",
        **more,
    }


def answered(score, **more):
    at = "Tue Dec 15 17:59:22 +0000 2015"
    text = {"created_at": at, "value": "I am Ada and this is my number"}
    return document(response={"score": {"created_at": at, "value": score}, "text": text}, **more)


def event(card, kind="feedback.updated"):
    return {"event_type": kind, "created_at": card["created_at"], "feedback": card}


CARD = Card("123456789", Survey.CSAT, ASK.external_id, False, CREATED_MS, CREATED_MS + 62_000)


def test_create(client, httpx_mock):
    """A form, every field encoded, no JSON."""
    httpx_mock.add_response(json=document())
    assert client.create_feedback(ASK) == CARD
    [request] = httpx_mock.get_requests()
    assert (request.method, str(request.url)) == ("POST", CREATE)
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.content == (
        b"type=csat&to_user_id=4534871&message=How+did+we+do%3F+%E2%98%83+%26+more"
        b"&privacy_url=https%3A%2F%2Facme.example%2Fprivacy%3Fa%3Db"
        b"&external_id=profilectl%3Aalice%3Ahuman%3Aprofile%3A1190&question_variant_id=12&test=false"
        b"&display_name=Alice+F."
    )
    assert client.requests["other"] == 1


def test_create_without_a_name(client, httpx_mock):
    """No display name, no field: X says the brand's own; a card to a test recipient says so."""
    httpx_mock.add_response(json=document())
    client.create_feedback(replace(ASK, display_name=None, is_test=True))
    [request] = httpx_mock.get_requests()
    assert request.content.endswith(b"&question_variant_id=12&test=true")


def test_create_with_a_wrong_id(client, httpx_mock):
    """Nothing leaves."""
    with pytest.raises(InputRefused):
        client.create_feedback(replace(ASK, recipient_id="@ada"))
    assert not httpx_mock.get_requests()


def test_create_unanswered(client, httpx_mock):
    """It isn't repeated, and nobody knows."""
    httpx_mock.add_response(status_code=503)
    with pytest.raises(OutcomeUnknown):
        client.create_feedback(ASK)
    assert len(httpx_mock.get_requests()) == 1


@pytest.mark.parametrize(
    ("code", "error"), [(87, NotAllowlisted), (453, CredentialsRefused)], ids=["not allowed", "plan"]
)
@pytest.mark.parametrize("call", ["create", "events"])
def test_not_allowed(client, httpx_mock, code, error, call):
    """What it takes and whom to ask; nothing about custom profiles, which are another list."""
    body = {"errors": [{"code": code, "message": "Client is not permitted to perform this action."}]}
    httpx_mock.add_response(status_code=403, json=body)
    with pytest.raises(error, match="feedback cards") as caught:
        client.create_feedback(ASK) if call == "create" else client.feedback_events(1, 2)
    assert "Enterprise" in caught.value.hint
    assert "custom profiles" not in caught.value.message


def test_profiles_keep_their_own_words(client, httpx_mock):
    """The same code on another call means what it always meant."""
    httpx_mock.add_response(status_code=403, json={"errors": [{"code": 87, "message": "No."}]})
    with pytest.raises(NotAllowlisted, match="custom profiles"):
        client.list_profiles()


def test_asked_today(client, httpx_mock):
    """One card per customer and day, and when the next one may go."""
    httpx_mock.add_response(
        status_code=429,
        json={"errors": [{"code": 88, "message": "Rate limit exceeded"}]},
        headers={"x-rate-limit-reset": "4102444800"},
    )
    with pytest.raises(RateLimited, match="one card per customer in 24 hours") as caught:
        client.create_feedback(ASK)
    assert caught.value.retry_at.timestamp() == 4_102_444_800
    assert len(httpx_mock.get_requests()) == 1


def test_events(client, httpx_mock):
    """The span on the first page only; an empty cursor is the end."""
    first = event(document(response=None), "feedback.created")
    httpx_mock.add_response(json={"events": [first, event(answered(5))], "next_cursor": "100 11"})
    httpx_mock.add_response(json={"events": [event(answered("0", id="2", type="nps", test=True))], "next_cursor": ""})
    cards = client.feedback_events(1_450_000_000_000, 1_450_900_000_000)
    urls = [str(request.url) for request in httpx_mock.get_requests()]

    assert urls == [
        f"{EVENTS}?count=100&from_time=1450000000000&to_time=1450900000000",
        f"{EVENTS}?count=100&cursor=100%2011",
    ]
    assert cards == (
        CARD,
        replace(CARD, score=5, answered_ms=CREATED_MS + 62_000),
        replace(CARD, id="2", survey=Survey.NPS, is_test=True, score=0, answered_ms=CREATED_MS + 62_000),
    )


def test_nothing_of_the_customer_is_kept():
    """Whoever has a card can't tell whose it was."""
    expected = ("id", "survey", "external_id", "is_test", "created_ms", "updated_ms", "score", "answered_ms")
    assert expected == Card.__struct_fields__


@pytest.mark.parametrize("more", [{}, {"next_cursor": None}, {"next_cursor": ""}])
def test_no_events(client, httpx_mock, more):
    """Without a cursor, too, an empty page is the end."""
    httpx_mock.add_response(json={"events": [], **more})
    assert client.feedback_events(1, 2) == ()


@pytest.mark.parametrize("cursors", [["a", "a"], ["a", "b", "a"]])
def test_events_in_a_circle(client, httpx_mock, cursors):
    """A cursor that comes again would never end."""
    for cursor in cursors:
        httpx_mock.add_response(json={"events": [], "next_cursor": cursor})
    with pytest.raises(RemoteError, match="repeats a cursor"):
        client.feedback_events(1, 2)


def test_surveys_to_come_are_left_out(client, httpx_mock):
    """A type that we don't know is nobody's score."""
    httpx_mock.add_response(json={"events": [event(document(type="ces")), event(document())]})
    assert client.feedback_events(1, 2) == (CARD,)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"events": {}},
        {"events": [None]},
        {"events": [{"event_type": "feedback.created"}]},
        {"events": [], "next_cursor": 5},
        {"events": [], "next_cursor": "é"},
        {"events": [event(document(id=5))]},
        {"events": [event(document(created_at="SatDec15"))]},
        {"events": [event(document(created_at="Sat Feb 30 17:58:20 +0000 2015"))]},
        {"events": [event(document(created_at="Sat Foo 15 17:58:20 +0000 2015"))]},
        {"events": [event(document(created_at=None))]},
        {"events": [event(document(created_at="Sat Feb 15 17:58:20 +0000 2015", updated_at="x"))]},
        *({"events": [event(answered(score))]} for score in (0, 6, "6", True, 4.5, "x", [])),
    ],
)
def test_events_that_cant_be_used(connect, httpx_mock, body):
    """Better no figure than a wrong one; reading may be tried again later."""
    for _ in range(4):
        httpx_mock.add_response(json=body)
    with pytest.raises(Unreachable, match="can't be used"):
        connect().feedback_events(1, 2)


@pytest.mark.parametrize("body", [{}, [], {"type": "csat"}, {"type": "ces", "id": "5"}])
def test_a_card_that_cant_be_read(client, httpx_mock, body):
    """It was taken, but nobody knows what became of it."""
    httpx_mock.add_response(json=body)
    with pytest.raises(OutcomeUnknown):
        client.create_feedback(ASK)
