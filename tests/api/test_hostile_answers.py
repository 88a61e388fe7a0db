"""Answers that nobody sends by accident: echoed secrets, times beyond the calendar, cursors that aren't text."""

from __future__ import annotations

import json
import time

import httpx
import pytest

from profilectl.api.client import XClient
from profilectl.api.transport import Transport
from profilectl.errors import OutcomeUnknown, RemoteError, Unreachable
from profilectl.secret import Credentials, Secret

VALUES = ("consumer-key-1234", "consumer-secret-1234", "77-access-token-1234", "token-secret-1234")


def client_for(answer):
    credentials = Credentials(*(Secret(value) for value in VALUES), source="test")
    return XClient(credentials, Transport(transport=httpx.MockTransport(answer), max_wait=0))


@pytest.mark.parametrize("status", [400, 401, 403, 500])
@pytest.mark.parametrize(
    "body",
    [
        lambda quote: json.dumps({"errors": [{"code": 32, "message": quote}]}),
        lambda quote: json.dumps({"title": "no", "detail": quote}),
        lambda quote: json.dumps({"request": "/", "error": quote}),
        lambda quote: f"refused: {quote}",
    ],
    ids=["v1", "v2", "legacy", "text"],
)
def test_an_answer_that_quotes_the_request_gives_no_secret_away(status, body):
    """Whatever part of the Authorization header comes back in an error's body, it isn't shown."""

    def answer(request):
        quote = f"{request.headers['Authorization']} {' '.join(VALUES)}"
        return httpx.Response(status, text=body(quote))

    with client_for(answer) as client, pytest.raises(RemoteError) as caught:
        client.create_profile("Alice", "1")

    assert not [value for value in VALUES if value in str(caught.value)]


PAGE = {"custom_profiles": [{"id": "1", "name": "A", "created_timestamp": "1790000000000", "avatar": {}}]}


def page(**changes):
    profile = {**PAGE["custom_profiles"][0], **changes}
    return {"custom_profiles": [profile]}


@pytest.mark.parametrize(
    "document", [page(created_timestamp="9" * 20), {**PAGE, "next_cursor": "\ud800"}], ids=["time", "cursor"]
)
def test_values_beyond_reason_are_an_unreadable_answer(document, monkeypatch):
    """A time after the year 9999 or a cursor that is no text is X's trouble, never ours."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with client_for(lambda request: httpx.Response(200, text=json.dumps(document))) as client:
        client._transport._retrier.halt()
        with pytest.raises(RemoteError):
            client.list_profiles()


@pytest.mark.parametrize(
    "text",
    [
        '{"custom_profiles": [], "odd": NaN}',
        '{"custom_profiles": [], "odd": -Infinity}',
        '{"custom_profiles": [], "odd": [' + "9" * 5000 + "]}",
        '{"custom_profiles": [], "odd": ' + "[" * 100_000 + "]" * 100_000 + "}",
        json.dumps(PAGE)[:-1] + ', "custom_profiles": []}',
        '{"custom_profiles": [{"id": "2", "name": "A", "created_timestamp": "1790000000000", "id": "1"}]}',
    ],
    ids=["NaN", "Infinity", "huge number", "depth", "key twice", "key twice inside"],
)
def test_json_that_readers_disagree_about_is_no_answer(text):
    """NaN isn't JSON's, and of a key that comes twice one program takes the first value and another the last."""
    with client_for(lambda request: httpx.Response(200, text=text)) as client:
        client._transport._retrier.halt()
        with pytest.raises(Unreachable, match="isn't JSON"):
            client.list_profiles()


def test_a_refusal_in_such_json_is_no_refusal():
    """What may have been done stays unknown, although the first of two errors is X's no."""
    text = '{"errors": [{"code": 187, "message": "no"}], "errors": [{"code": 187, "message": "no"}]}'
    with (
        client_for(lambda request: httpx.Response(403, text=text)) as client,
        pytest.raises(OutcomeUnknown),
    ):
        client.create_profile("Alice", "1")


def test_a_name_of_megabytes_is_cut():
    """Nobody waits for a name that X could never have taken."""
    with client_for(lambda request: httpx.Response(200, json=page(name="x" * 3_000_000))) as client:
        assert [1000] == [len(profile.name) for profile in client.list_profiles()]


@pytest.mark.parametrize("header", ["Date", "Retry-After"])
def test_a_date_beyond_the_calendar_is_none(header):
    """A header with an impossible date is left out of account."""
    headers = {header: "Fri, 31 Dec 9999 23:59:59 -2300"}
    with client_for(lambda request: httpx.Response(200, json=PAGE, headers=headers)) as client:
        assert 1 == len(client.list_profiles())
