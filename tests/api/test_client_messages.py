"""The calls around a message, to the byte: pictures in one go, typing, reading back, and why X refuses a message."""

from __future__ import annotations

import json
import re

import pytest

from profilectl.api.client import MOST_EVENT_PAGES
from profilectl.errors import (
    CredentialsRefused,
    ExitCode,
    Fate,
    InputRefused,
    NotFound,
    RateLimited,
    Refused,
    RemoteError,
    Unreachable,
)
from profilectl.model import Message, SentMessage

UPLOAD = "https://api.x.com/2/media/upload"
EVENTS = "https://api.x.com/1.1/direct_messages/events"
MESSAGE = Message("alice", "acme", "42", "Hello", "100001")


def lines(httpx_mock) -> list[tuple[str, str]]:
    return [(request.method, str(request.url)) for request in httpx_mock.get_requests()]


def parts(request) -> bytes:
    boundary = re.fullmatch(r"multipart/form-data; boundary=(\w+)", request.headers["Content-Type"])[1].encode()
    return request.content.replace(boundary, b"B")


def event(number: int, time: int, recipient: str = "42") -> dict:
    creation = {"target": {"recipient_id": recipient}, "sender_id": "7", "message_data": {"text": f"text {number}"}}
    return {"type": "message_create", "id": f"{number}", "created_timestamp": f"{time}", "message_create": creation}


def message(number: int, time: int) -> SentMessage:
    return SentMessage(f"{number}", "7", "42", None, f"text {number}", time)


def test_a_picture_goes_in_one_piece(connect, httpx_mock):
    """The message's category is its own, whatever avatars are filed as."""
    httpx_mock.add_response(json={"data": {"id": "99"}})
    client = connect(media_category="tweet_image")
    assert "99" == client.upload_for_message(b"\x89PNG", "image/png", "dm_image")
    [request] = httpx_mock.get_requests()

    assert [("POST", UPLOAD)] == lines(httpx_mock)
    assert parts(request) == (
        b'--B\r\nContent-Disposition: form-data; name="media_category"\r\n\r\ndm_image\r\n'
        b'--B\r\nContent-Disposition: form-data; name="media"; filename="attachment.png"\r\n'
        b"Content-Type: image/png\r\n\r\n\x89PNG\r\n--B--\r\n"
    )


def test_typing(client, httpx_mock):
    """A form, signed, answered with nothing."""
    httpx_mock.add_response(status_code=204)
    client.indicate_typing("42")
    [request] = httpx_mock.get_requests()

    assert [("POST", "https://api.x.com/1.1/direct_messages/indicate_typing.json")] == lines(httpx_mock)
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.content == b"recipient_id=42"


@pytest.mark.parametrize("status", [403, 429, 500])
def test_typing_is_tried_once(client, httpx_mock, pauses, status):
    """Whatever becomes of it, it costs no time, and its failure is of the one kind that a caller catches."""
    httpx_mock.add_response(status_code=status)
    with pytest.raises(RemoteError, match=r"^showing that somebody types: "):
        client.indicate_typing("42")

    assert [] == pauses


def test_reading_back(client, httpx_mock):
    """Pages of 50 until something older comes; what others got, and what is older, isn't yielded."""
    httpx_mock.add_response(json={"events": [event(9, 900), event(8, 800, "7")], "next_cursor": "a+/="})
    httpx_mock.add_response(json={"events": [], "next_cursor": "b"})
    httpx_mock.add_response(json={"events": [event(7, 700), event(6, 500), event(5, 499)], "next_cursor": "c"})
    messages = list(client.sent_messages("42", 500))

    assert [message(9, 900), message(7, 700), message(6, 500)] == messages
    queries = ["count=50", "count=50&cursor=a%2B%2F%3D", "count=50&cursor=b"]
    assert [("GET", f"{EVENTS}/list.json?{query}") for query in queries] == lines(httpx_mock)


def test_reading_back_to_the_end(client, httpx_mock):
    """Without a cursor there is nothing more."""
    httpx_mock.add_response(json={"events": [event(9, 900)]})

    assert [message(9, 900)] == list(client.sent_messages("42", 0))


def test_reading_back_stops_where_the_reader_does(client, httpx_mock):
    """Whoever has found what they looked for costs X no further page."""
    httpx_mock.add_response(json={"events": [event(9, 900)], "next_cursor": "a"})

    assert message(9, 900) == next(client.sent_messages("42", 0))
    assert 1 == len(httpx_mock.get_requests())


def test_a_list_that_does_not_reach_back_is_no_proof(client, httpx_mock):
    """After five pages nobody can say what is missing, so the end isn't taken for one."""
    httpx_mock.add_response(json={"events": [event(9, 900)], "next_cursor": "a"}, is_reusable=True)
    with pytest.raises(Unreachable, match="more than 5 pages"):
        list(client.sent_messages("42", 500))

    assert MOST_EVENT_PAGES == len(httpx_mock.get_requests())


def test_nobody_is_told_of_typing_by_handle(client, httpx_mock):
    """Ids are checked before anything is sent."""
    with pytest.raises(InputRefused, match="recipient id must be digits"):
        client.indicate_typing("@ada")

    assert not httpx_mock.get_requests()


# What X says when it doesn't send, and what an agent reads.

SAID = "What X says."
REFUSALS = [
    (403, 63, Refused, 5, "X has suspended this customer's account", "another way"),
    (403, 87, CredentialsRefused, 4, "X hasn't allowed this account to use custom profiles", "privacy policy"),
    (429, 88, RateLimited, 75, "X takes 1,000 messages of a brand in 24 hours", "run again"),
    (403, 93, CredentialsRefused, 4, "the app isn't permitted to use Direct Messages", "Direct Messages"),
    (404, 108, NotFound, 5, "X knows no such user", "the id or the handle"),
    (403, 150, Refused, 5, "takes no messages from accounts that they don't follow", "ask them to write to the brand"),
    (403, 151, Refused, 5, "X doesn't send this message, its own words say why", "such as a label"),
    (403, 195, Refused, 5, "X doesn't accept an address in this message", "behind the buttons"),
    (400, 214, Refused, 5, "X doesn't accept a field", "name the field"),
    (403, 226, Refused, 5, "X takes this for automated behaviour", "let a person send it"),
    (400, 323, Refused, 5, "X doesn't accept the picture", "animated GIF under 15 MB"),
    (400, 324, Refused, 5, "X doesn't accept the picture", "animated GIF under 15 MB"),
    (400, 325, Refused, 5, "X doesn't know the uploaded picture", "upload it anew"),
    (403, 326, CredentialsRefused, 4, "the brand's account is locked for now", "log in at x.com as the brand"),
    (403, 344, RateLimited, 75, "the brand has written as much as X allows in a day", "tomorrow"),
    (403, 349, Refused, 5, "hasn't written to the brand and doesn't take messages from everybody", "ask them to write"),
    (403, 354, Refused, 5, "the text is longer than X takes", "10,000 characters"),
    (403, 389, Refused, 5, "the brand has blocked this customer", "unblock them"),
    (403, 476, Refused, 5, "takes messages from verified accounts only", "get the brand verified"),
]


@pytest.mark.parametrize(("status", "code", "kind", "exit_code", "meaning", "hint"), REFUSALS)
def test_why_a_message_does_not_go_out(client, httpx_mock, status, code, kind, exit_code, meaning, hint):
    """In words of the people who look after customers, with what to do; X's own words and code stay beside them."""
    httpx_mock.add_response(
        status_code=status, content=json.dumps({"errors": [{"code": code, "message": SAID}]}).encode()
    )
    with pytest.raises(kind) as caught:
        client.send_message(MESSAGE)
    error = caught.value

    assert (exit_code, code) == (error.exit_code, error.code)
    assert error.fate in {Fate.REFUSED, Fate.NOT_APPLIED}
    assert error.message.startswith("sending the message: ")
    assert meaning in error.message
    assert error.message.endswith(f"(HTTP {status}, code {code}: {SAID})")
    assert hint in error.hint
    assert "recipient" not in meaning
    assert 1 == len(httpx_mock.get_requests())


def test_a_daily_limit_with_a_reset_says_when(client, httpx_mock):
    """Where X names the moment, it is told instead of the rule of thumb."""
    httpx_mock.add_response(
        status_code=429,
        json={"errors": [{"code": 344, "message": SAID}]},
        headers={"x-rate-limit-reset": "4102444800"},
    )
    with pytest.raises(RateLimited) as caught:
        client.send_message(MESSAGE)

    assert "run again after 2100-01-01" in caught.value.hint
    assert ExitCode.TRY_LATER == caught.value.exit_code
