import json
import threading

import httpx
import pytest

from profilectl.api.clock import Clock
from profilectl.api.retry import Deadline
from profilectl.errors import CredentialsRefused, NotAllowlisted, OutcomeUnknown, RateLimited, Unreachable
from profilectl.model import Message
from tests.patience import join

DATE = "Sun, 22 Nov 2026 12:00:00 GMT"
NEARBY = 1795348810.0  # epoch seconds of a machine whose clock is ten seconds ahead of that
MESSAGE = Message("alice", "acme", "4534871", "Grüße ☃", "100001")

# What may be repeated, call by call.

READING = {
    "verify_credentials": lambda client: client.verify_credentials(),
    "list_profiles": lambda client: client.list_profiles(),
    "show_profile": lambda client: client.show_profile("1"),
    "find_user": lambda client: client.find_user("x"),
    "rate_limits": lambda client: client.rate_limits(),
    "upload": lambda client: client.upload(b"x", "image/png"),
    "destroy_profile": lambda client: client.destroy_profile("1"),
    "invalidate_token": lambda client: client.invalidate_token(),
}
WRITING = {
    "create_profile": lambda client: client.create_profile("Ana", "1"),
    "send_message": lambda client: client.send_message(MESSAGE),
}
BROKEN = [
    httpx.ReadTimeout("too slow"),
    httpx.RemoteProtocolError("cut"),
    httpx.ReadError("reset"),
    httpx.WriteError(""),
]
STRANGE = [
    {"status_code": 503, "json": {"errors": [{"code": 130, "message": "Over capacity"}]}},
    {"status_code": 500},
    {"html": "<html>Hello</html>"},
    {"content": b'{"custom_profile": {"id": "1000'},
    {"json": {"errors": [{"code": 131}]}, "status_code": 200},
]


@pytest.mark.parametrize("ask", READING.values(), ids=READING)
def test_what_does_no_harm_is_tried_four_times(client, httpx_mock, pauses, ask):
    """Reading, deleting, uploading and revoking go on as long as it makes sense; what was to be deleted may be gone."""
    httpx_mock.add_exception(httpx.ReadTimeout("too slow"), is_reusable=True)
    with pytest.raises(OutcomeUnknown if ask is READING["destroy_profile"] else Unreachable):
        ask(client)
    assert (4, 3) == (len(httpx_mock.get_requests()), len(pauses))


@pytest.mark.parametrize("error", [*BROKEN, httpx.ConnectError("refused")], ids=repr)
def test_whatever_broke_reading_is_tried_again(client, httpx_mock, error):
    """For reading it doesn't matter whether the request had left."""
    httpx_mock.add_exception(error)
    httpx_mock.add_response(json={"custom_profiles": []})
    assert client.list_profiles() == ()


@pytest.mark.parametrize("answer", STRANGE[:4], ids=repr)
def test_strange_answers_to_reading(client, httpx_mock, answer):
    """What can't be read is read again, and counted each time."""
    httpx_mock.add_response(**answer, is_reusable=True)
    with pytest.raises(Unreachable):
        client.list_profiles()
    assert client.requests["list"] == 4


@pytest.mark.parametrize("ask", WRITING.values(), ids=WRITING)
@pytest.mark.parametrize("error", BROKEN, ids=repr)
def test_a_write_that_left_is_never_repeated(client, httpx_mock, ask, error):
    """After a broken connection nobody knows, and nothing is sent a second time."""
    httpx_mock.add_exception(error)
    with pytest.raises(OutcomeUnknown, match="the connection broke before X had answered"):
        ask(client)


@pytest.mark.parametrize("ask", WRITING.values(), ids=WRITING)
@pytest.mark.parametrize("answer", STRANGE, ids=repr)
def test_strange_answers_to_a_write(client, httpx_mock, ask, answer):
    """5xx, web pages, cut JSON and answers without an id leave the outcome open."""
    httpx_mock.add_response(**answer)
    with pytest.raises(OutcomeUnknown):
        ask(client)


@pytest.mark.parametrize(("attempts", "name"), [(1, "create_profile"), (3, "send_message")])
def test_a_write_that_never_left(client, httpx_mock, attempts, name):
    """Without a connection a message is tried three times; a create is left to the one who keeps its intent."""
    httpx_mock.add_exception(httpx.ConnectError("refused"), is_reusable=True)
    with pytest.raises(Unreachable, match=r"no connection to https://api.x.com \(refused\)"):
        WRITING[name](client)
    assert len(httpx_mock.get_requests()) == attempts
    assert sum(client.requests.values()) == 0


@pytest.mark.parametrize("ask", WRITING.values(), ids=WRITING)
def test_a_write_at_the_limit(connect, httpx_mock, ask):
    """A write over the limit is not waited for, however patient the run is."""
    limit = {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}
    httpx_mock.add_response(status_code=429, headers={"retry-after": "10"}, json=limit)
    with pytest.raises(RateLimited) as caught:
        ask(connect(max_wait=600))
    assert caught.value.retry_at is not None


def test_reading_waits_for_the_limit(connect, httpx_mock, pauses):
    """A reset near enough is waited for, by X's clock, and announced."""
    announced = []
    httpx_mock.add_response(status_code=429, headers={"x-rate-limit-reset": "1795348860", "date": DATE})
    httpx_mock.add_response(json={"custom_profiles": []})
    clock = Clock(now=lambda: NEARBY, sleep=pauses)
    client = connect(clock=clock, max_wait=120, announce=lambda seconds, why: announced.append((seconds, why)))
    assert client.list_profiles() == ()
    [(seconds, why)] = announced
    assert pauses == [pytest.approx(seconds, abs=0.1)]
    assert 59 < seconds < 63
    assert why == "listing the profiles: X's limit for this call is reached (HTTP 429)"


def test_limit_beyond_the_longest_wait(connect, httpx_mock, pauses):
    """A reset too far away is told at once, with its time."""
    httpx_mock.add_response(status_code=429, headers={"x-rate-limit-reset": "1795348860", "date": DATE})
    with pytest.raises(RateLimited) as caught:
        connect(clock=Clock(now=lambda: NEARBY, sleep=pauses), max_wait=30).list_profiles()
    assert caught.value.retry_at.isoformat() == "2026-11-22T12:01:00+00:00"
    assert pauses == []


def test_limit_without_reset(connect, httpx_mock, pauses):
    """Where X doesn't say when to come back, nobody guesses."""
    httpx_mock.add_response(status_code=429)
    with pytest.raises(RateLimited):
        connect(max_wait=600).list_profiles()
    assert pauses == []


def test_deadline_is_over(connect, httpx_mock):
    """Nothing is sent when no time is left."""
    with pytest.raises(Unreachable, match="no time is left"):
        connect(deadline=Deadline(0)).create_profile("Ana", "1")
    assert not httpx_mock.get_requests()


# Refusals, on their way through.


def test_not_allowlisted(client, httpx_mock):
    """Code 87 comes through with X's words and the explanation."""
    message = "Client is not permitted to perform this action."
    httpx_mock.add_response(status_code=403, json={"errors": [{"code": 87, "message": message}]})
    with pytest.raises(NotAllowlisted) as caught:
        client.list_profiles()
    assert caught.value.message == (
        "listing the profiles: X hasn't allowed this account to use custom profiles "
        "(HTTP 403, code 87: Client is not permitted to perform this action.)"
    )


def test_wrong_clock(connect, httpx_mock):
    """Code 135 names by how much this machine's clock is wrong, measured by the very answer that complains."""
    headers = {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}
    document = {"errors": [{"code": 135, "message": "Timestamp out of bounds."}]}
    httpx_mock.add_response(status_code=401, json=document, headers=headers)
    client = connect()
    with pytest.raises(CredentialsRefused) as caught:
        client.verify_credentials()
    assert f"this machine's clock is {client.skew_seconds:.0f} s ahead of X's" in caught.value.message


def test_now_ms(connect, httpx_mock):
    """X's time counts on from its last Date."""
    httpx_mock.add_response(json={"custom_profiles": []}, headers={"date": DATE})
    client = connect(clock=Clock(now=lambda: NEARBY))
    client.list_profiles()
    assert 0 <= client.now_ms() - 1795348800000 < 1000


def test_no_cookies(client, httpx_mock):
    """X's cookies aren't kept, so calls don't depend on each other."""
    httpx_mock.add_response(json={"custom_profiles": []}, headers={"set-cookie": "guest=1"}, is_reusable=True)
    client.list_profiles()
    client.list_profiles()
    assert all("Cookie" not in request.headers for request in httpx_mock.get_requests())


def test_many_threads(client, httpx_mock):
    """Several threads share a client, and no request is forgotten in the count."""
    httpx_mock.add_response(json={"custom_profiles": []}, is_reusable=True)
    threads = [threading.Thread(target=client.list_profiles) for _ in range(16)]
    for thread in threads:
        thread.start()
    join(*threads)
    assert client.requests["list"] == 16


def test_secrets_stay_out_of_failures(client, httpx_mock):
    """An error that came from the wire can be shown whole."""
    httpx_mock.add_exception(httpx.ReadTimeout("too slow"))
    with pytest.raises(OutcomeUnknown) as caught:
        client.create_profile("Ana", "1")
    shown = json.dumps([str(caught.value), repr(caught.value), caught.value.hint])
    assert not any(secret in shown for secret in ("consumer-secret", "token-secret", "7-token"))
