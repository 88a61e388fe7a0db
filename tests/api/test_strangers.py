"""What proxies and gateways answer in X's place, call by call."""

from __future__ import annotations

import json

import httpx
import pytest

from profilectl.errors import ExitCode, Fate, NotFound, OutcomeUnknown, RateLimited, Refused, Unreachable
from profilectl.model import Message

PAGE = "<html>404 Not Found</html>"
GATEWAY = json.dumps({"message": "Not Found"})
MESSAGE = Message("alice", "acme", "1", "Hi", "2")
CALLS = {
    "create_profile": lambda client: client.create_profile("Ana", "1"),
    "destroy_profile": lambda client: client.destroy_profile("1"),
    "send_message": lambda client: client.send_message(MESSAGE),
    "show_profile": lambda client: client.show_profile("1"),
    "find_user": lambda client: client.find_user("somebody"),
    "list_profiles": lambda client: client.list_profiles(),
    "upload": lambda client: client.upload(b"picture", "image/png"),
}
WRITES = {"create_profile", "destroy_profile", "send_message"}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("body", ["", PAGE, GATEWAY])
@pytest.mark.parametrize("status", [404, 403])
def test_a_strangers_no_is_nobodys(client, httpx_mock, name, body, status):
    """A write may have been done, and what only reads or uploads is tried again and has found nothing absent."""
    httpx_mock.add_response(status_code=status, text=body, is_reusable=True)
    with pytest.raises(OutcomeUnknown if name in WRITES else Unreachable, match="somebody on the way"):
        CALLS[name](client)
    repeats = {"create_profile": 1, "send_message": 1}
    assert repeats.get(name, 4) == len(httpx_mock.get_requests())


def test_destroyed_after_all(client, httpx_mock):
    """A repeat may reach X, which says that the profile is gone: it is destroyed."""
    httpx_mock.add_response(status_code=404, text=PAGE)
    httpx_mock.add_response(status_code=404, json={"errors": [{"code": 34, "message": "Sorry, that page is gone"}]})
    client.destroy_profile("1")
    assert 2 == client.requests["destroy"]


@pytest.mark.parametrize("answer", [{"status_code": 200}, {"status_code": 200, "text": PAGE}, {"status_code": 202}])
def test_destroyed_is_what_x_calls_so(client, httpx_mock, answer):
    """A network's login page, or a gateway that takes it over, has destroyed nothing."""
    httpx_mock.add_response(**answer, is_reusable=True)
    with pytest.raises(OutcomeUnknown):
        client.destroy_profile("1")


def test_a_user_that_is_gone_is_no_profile_that_is_gone(client, httpx_mock):
    """Of X's own codes only the one for what doesn't exist destroys; another one refuses."""
    httpx_mock.add_response(status_code=404, json={"errors": [{"code": 50, "message": "User not found."}]})
    with pytest.raises(NotFound):
        client.destroy_profile("1")


def test_doubt_outlasts_a_lost_connection(client, httpx_mock):
    """Once an attempt has left, one that couldn't be made doesn't undo it."""
    httpx_mock.add_exception(httpx.ReadTimeout("too slow"))
    httpx_mock.add_exception(httpx.ConnectError("refused"), is_reusable=True)
    with pytest.raises(OutcomeUnknown, match="too slow") as caught:
        client.destroy_profile("1")
    assert Fate.UNKNOWN is caught.value.fate


def test_a_destroy_that_never_left(client, httpx_mock):
    """Without any connection it surely wasn't done."""
    httpx_mock.add_exception(httpx.ConnectError("refused"), is_reusable=True)
    with pytest.raises(Unreachable) as caught:
        client.destroy_profile("1")
    assert Fate.NOT_APPLIED is caught.value.fate


def test_another_profile_is_no_answer(client, httpx_mock):
    """A cache that serves another id's answer has told nothing."""
    profile = {"id": "9", "name": "Ana", "created_timestamp": "1790000000000", "avatar": {}}
    httpx_mock.add_response(json={"custom_profile": profile}, is_reusable=True)
    with pytest.raises(Unreachable, match="about profile 9"):
        client.show_profile("1")


def test_a_message_to_somebody_else_is_no_answer(client, httpx_mock):
    """Nobody knows then what became of ours."""
    event = {"id": "1190", "message_create": {"target": {"recipient_id": "77"}}}
    httpx_mock.add_response(json={"event": event})
    with pytest.raises(OutcomeUnknown, match="somebody else"):
        client.send_message(MESSAGE)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-rate-limit-reset": "4102444800"}, 4_102_444_800),
        (
            {
                "x-rate-limit-reset": "4102444800",
                "x-app-limit-24hour-remaining": "0",
                "x-app-limit-24hour-reset": "4102484800",
            },
            4_102_484_800,
        ),
        ({"x-rate-limit-reset": "1000"}, None),
    ],
)
def test_a_message_over_the_limit_knows_when(client, httpx_mock, headers, expected):
    """X's 429 in its general form: the later of the limits that are used up, and never a moment that is over."""
    problem = {"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank", "status": 429}
    httpx_mock.add_response(status_code=429, json=problem, headers=headers)
    with pytest.raises(RateLimited) as caught:
        client.send_message(MESSAGE)
    moment = caught.value.retry_at
    assert (expected, ExitCode.TRY_LATER) == (moment and moment.timestamp(), caught.value.exit_code)


def test_an_upload_is_refused_by_x_alone(client, httpx_mock):
    """The old upload's sentence is X's own; uploads do no harm, so everything else is tried again."""
    document = {"request": "/2/media/upload", "error": "media type unrecognized."}
    httpx_mock.add_response(status_code=400, json=document)
    with pytest.raises(Refused, match="unrecognized"):
        client.upload(b"picture", "image/png")
