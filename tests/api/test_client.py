import re
import threading
import time

import httpx
import pytest

from profilectl import __version__
from profilectl.api.retry import Deadline
from profilectl.errors import CredentialsRefused, InputRefused, NotFound, RemoteError
from profilectl.model import Account, Message, Profile, SentMessage

MESSAGE = Message("alice", "acme", "4534871", "Grüße ☃", "100001")


def entry(number: int) -> dict:
    media = {"url": f"https://pbs.twimg.com/media/{number}.jpg"}
    return {"id": f"{number}", "created_timestamp": "1790000000000", "name": f"A {number}", "avatar": {"media": media}}


def profile(number: int) -> Profile:
    return Profile(f"{number}", f"A {number}", f"https://pbs.twimg.com/media/{number}.jpg", 1790000000000)


def only(httpx_mock) -> httpx.Request:
    """Return the one request that left, after checking what all of them share."""
    [request] = httpx_mock.get_requests()
    assert request.headers["User-Agent"] == f"profilectl/{__version__}"
    assert request.headers["Authorization"].startswith("OAuth oauth_nonce=")
    assert "Cookie" not in request.headers
    return request


def line(request: httpx.Request) -> tuple[str, str]:
    return request.method, str(request.url)


# The exact bytes of each call.


def test_verify_credentials(client, httpx_mock):
    """GET without a body; the permission comes from a header."""
    document = {"id": 7, "id_str": "7", "screen_name": "acmecare"}
    httpx_mock.add_response(json=document, headers={"x-access-level": "read-write-directmessages"})
    assert client.verify_credentials() == Account("7", "acmecare", "api.x.com", "read-write-directmessages")
    request = only(httpx_mock)
    query = "include_entities=false&skip_status=true"
    assert line(request) == ("GET", f"https://api.x.com/1.1/account/verify_credentials.json?{query}")
    assert request.content == b""
    assert "Content-Type" not in request.headers


def test_list_profiles(client, httpx_mock):
    """Pages of 50 until one has no cursor, empty ones included."""
    url = "https://api.x.com/1.1/custom_profiles/list.json?count=50"
    httpx_mock.add_response(url=url, json={"custom_profiles": [entry(1), entry(2)], "next_cursor": "NDU="})
    httpx_mock.add_response(url=f"{url}&cursor=NDU%3D", json={"custom_profiles": [], "next_cursor": "a b+/"})
    httpx_mock.add_response(url=f"{url}&cursor=a%20b%2B%2F", json={"custom_profiles": [entry(3)]})
    assert client.list_profiles() == (profile(1), profile(2), profile(3))
    assert client.requests == {"list": 3, "upload": 0, "create": 0, "destroy": 0, "other": 0}
    paths = [request.url.raw_path.decode().rpartition("?")[2] for request in httpx_mock.get_requests()]
    assert paths == ["count=50", "count=50&cursor=NDU%3D", "count=50&cursor=a%20b%2B%2F"]


def test_a_list_that_moved_while_it_was_read_is_read_again(client, httpx_mock):
    """Where a profile comes twice, another may be missing: both readings count, and each profile once."""
    url = "https://api.x.com/1.1/custom_profiles/list.json?count=50"
    for first, second in (([1, 2], [2, 4]), ([2, 3], [4])):
        httpx_mock.add_response(url=url, json={"custom_profiles": [*map(entry, first)], "next_cursor": "a"})
        httpx_mock.add_response(url=f"{url}&cursor=a", json={"custom_profiles": [*map(entry, second)]})
    assert {"1", "2", "3", "4"} == {profile.id for profile in client.list_profiles()}
    assert 4 == client.requests["list"]


@pytest.mark.parametrize(
    ("limit", "has_others"),
    [
        (None, False),
        ("180", False),
        ("181", True),
        ("1000000", True),
        ("many", False),
        ("\u00b2", False),
        ("-5", False),
    ],
)
def test_an_account_with_limits_of_its_own(client, httpx_mock, limit, has_others):
    """More lists than X's documentation says mean that its other figures aren't this account's either."""
    headers = {} if limit is None else {"x-rate-limit-limit": limit.encode()}
    httpx_mock.add_response(json={"custom_profiles": []}, headers=headers)
    client.list_profiles()

    assert has_others == client.has_other_limits


@pytest.mark.parametrize("cursors", [["a", "a"], ["a", "b", "a"]])
def test_list_in_a_circle(client, httpx_mock, cursors):
    """A cursor that comes again would never end."""
    for cursor in cursors:
        httpx_mock.add_response(json={"custom_profiles": [], "next_cursor": cursor})
    with pytest.raises(RemoteError, match="repeats a cursor"):
        client.list_profiles()


def test_a_list_of_events_is_read_to_its_end(client, httpx_mock):
    """Lists of every kind are, with one request for each page."""
    for cursor in ("a", "b", None):
        httpx_mock.add_response(json={"events": [], "next_cursor": cursor})

    assert client.feedback_events(0, 1) == ()
    assert 3 == len(httpx_mock.get_requests())


def test_a_later_page_fails_like_the_first(client, httpx_mock, pauses):
    """It is repeated where it may be, and what can't be repeated is told."""
    httpx_mock.add_response(json={"custom_profiles": [entry(1)], "next_cursor": "a"})
    httpx_mock.add_exception(httpx.ReadError("reset"))
    httpx_mock.add_response(status_code=503)
    httpx_mock.add_response(json={"custom_profiles": [entry(2)], "next_cursor": "b"})
    httpx_mock.add_response(status_code=401, json={"errors": [{"code": 89, "message": "Invalid or expired token."}]})
    with pytest.raises(CredentialsRefused, match="listing the profiles"):
        client.list_profiles()

    assert (2, 5) == (len(pauses), client.requests["list"])


def test_a_rate_limit_of_a_later_page_is_waited_for(connect, httpx_mock, pauses):
    """Once, and announced in the thread that waits."""
    threads = []
    client = connect(max_wait=900, announce=lambda *_: threads.append(threading.current_thread()))
    httpx_mock.add_response(json={"custom_profiles": [], "next_cursor": "a"})
    httpx_mock.add_response(status_code=429, headers={"x-rate-limit-reset": str(int(time.time()) + 60)})
    httpx_mock.add_response(json={"custom_profiles": [entry(1)]})

    assert (profile(1),) == client.list_profiles()
    assert ([threading.current_thread()], 1) == (threads, len(pauses))


def test_a_page_that_can_t_be_read_is_asked_for_again(client, httpx_mock):
    """Four times in all, and none behind it is asked for."""
    httpx_mock.add_response(json={"custom_profiles": [{}], "next_cursor": "a"}, is_reusable=True)
    with pytest.raises(RemoteError, match="can't be used"):
        client.list_profiles()

    assert [None] * 4 == [request.url.params.get("cursor") for request in httpx_mock.get_requests()]


def test_no_page_is_asked_for_when_no_time_is_left(connect, httpx_mock):
    """A deadline that comes with the first page ends the reading there."""
    now = [0.0]

    def answer(_request):
        now[0] = 10.0
        return httpx.Response(200, json={"custom_profiles": [], "next_cursor": "a"})

    httpx_mock.add_callback(answer)
    client = connect(deadline=Deadline(5, monotonic=lambda: now[0]))
    with pytest.raises(RemoteError, match="no time is left"):
        client.list_profiles()

    assert 1 == len(httpx_mock.get_requests())


def test_show_profile(client, httpx_mock):
    """The id stands in the path, with .json behind it."""
    httpx_mock.add_response(json={"custom_profile": entry(100001)})
    assert client.show_profile("100001") == profile(100001)
    assert line(only(httpx_mock)) == ("GET", "https://api.x.com/1.1/custom_profiles/100001.json")


@pytest.mark.parametrize("category", ["dm_image", "tweet_image"])
def test_upload(connect, httpx_mock, category):
    """Multipart with the category and the raw bytes."""
    httpx_mock.add_response(json={"data": {"id": "99", "expires_after_secs": 86400}})
    client = connect(media_category=category)
    assert client.upload(b"\xff\xd8\x00\r\n--picture", "image/jpeg") == "99"
    request = only(httpx_mock)
    assert line(request) == ("POST", "https://api.x.com/2/media/upload")
    boundary = re.fullmatch(r"multipart/form-data; boundary=(\w+)", request.headers["Content-Type"])[1].encode()
    assert request.content == (
        b"--" + boundary + b"\r\n"
        b'Content-Disposition: form-data; name="media_category"\r\n\r\n' + category.encode() + b"\r\n"
        b"--" + boundary + b"\r\n"
        b'Content-Disposition: form-data; name="media"; filename="avatar.jpeg"\r\n'
        b"Content-Type: image/jpeg\r\n\r\n"
        b"\xff\xd8\x00\r\n--picture\r\n"
        b"--" + boundary + b"--\r\n"
    )
    assert client.requests["upload"] == 1


def test_create_profile(client, httpx_mock):
    """JSON in UTF-8, nested as documented."""
    httpx_mock.add_response(json={"custom_profile": entry(100001)})
    assert client.create_profile("Ána ☃", "1234") == profile(100001)
    request = only(httpx_mock)
    assert line(request) == ("POST", "https://api.x.com/1.1/custom_profiles/new.json")
    assert request.headers["Content-Type"] == "application/json"
    assert request.content == '{"custom_profile":{"name":"Ána ☃","avatar":{"media":{"id":"1234"}}}}'.encode()
    assert client.requests["create"] == 1


def test_destroy_profile(client, httpx_mock):
    """DELETE with the id in the query, so that it is signed; 204 has no body."""
    httpx_mock.add_response(status_code=204)
    assert client.destroy_profile("100001") is None
    request = only(httpx_mock)
    assert line(request) == ("DELETE", "https://api.x.com/1.1/custom_profiles/destroy.json?id=100001")
    assert request.content == b""
    assert client.requests["destroy"] == 1


def test_send_message(client, httpx_mock):
    """The profile's id travels inside message_create."""
    creation = {"target": {"recipient_id": "4534871"}, "sender_id": "7", "custom_profile_id": "100001"}
    httpx_mock.add_response(json={"event": {"type": "message_create", "id": "1190", "message_create": creation}})
    assert client.send_message(MESSAGE) == SentMessage("1190", "7", "4534871", "100001")
    request = only(httpx_mock)
    assert line(request) == ("POST", "https://api.x.com/1.1/direct_messages/events/new.json")
    assert request.headers["Content-Type"] == "application/json"
    assert request.content == (
        '{"event":{"type":"message_create","message_create":{"target":{"recipient_id":"4534871"},'
        '"message_data":{"text":"Grüße ☃"},"custom_profile_id":"100001"}}}'.encode()
    )


def test_find_user(client, httpx_mock):
    """The handle stands in the path, without its @."""
    httpx_mock.add_response(json={"data": {"id": "42", "username": "Customer_1"}})
    assert client.find_user("@Customer_1") == "42"
    assert line(only(httpx_mock)) == ("GET", "https://api.x.com/2/users/by/username/Customer_1")


def test_rate_limits(client, httpx_mock):
    """Only the families that concern us are asked for."""
    figures = {"limit": 180, "remaining": 180, "reset": 1790000900}
    httpx_mock.add_response(json={"resources": {"custom_profiles": {"/custom_profiles/list": figures}}})
    assert client.rate_limits() == {"/custom_profiles/list": figures}
    query = "resources=custom_profiles%2Cdirect_messages%2Cmedia"
    assert line(only(httpx_mock)) == ("GET", f"https://api.x.com/1.1/application/rate_limit_status.json?{query}")


def test_invalidate_token(client, httpx_mock):
    """A POST that needs nothing but its signature."""
    httpx_mock.add_response(json={"access_token": "7-token"})
    client.invalidate_token()
    request = only(httpx_mock)
    assert line(request) == ("POST", "https://api.x.com/1.1/oauth/invalidate_token.json")
    assert request.content == b""


# What was asked for already.


def test_destroyed_before(client, httpx_mock):
    """A profile that X doesn't know any more is destroyed."""
    httpx_mock.add_response(status_code=404, json={"errors": [{"code": 34, "message": "Sorry"}]})
    client.destroy_profile("100001")
    assert client.requests["destroy"] == 1


def test_revoked_before(client, httpx_mock):
    """A token that is invalid can't be more so."""
    httpx_mock.add_response(status_code=401, json={"errors": [{"code": 89, "message": "Invalid or expired token."}]})
    client.invalidate_token()

    assert 1 == len(httpx_mock.get_requests())


def test_revoking_refused(client, httpx_mock):
    """Any other refusal of it is told."""
    httpx_mock.add_response(status_code=401, json={"errors": [{"code": 32, "message": "Could not authenticate you."}]})
    with pytest.raises(CredentialsRefused):
        client.invalidate_token()


def test_unknown_user(client, httpx_mock):
    """v2 tells with 200 that there is no such user."""
    detail = "Could not find user with username: [nobody]."
    kind = "https://api.x.com/2/problems/resource-not-found"
    httpx_mock.add_response(json={"errors": [{"detail": detail, "title": "Not Found Error", "type": kind}]})
    with pytest.raises(NotFound, match=r"@nobody: X knows no such user \(Could not find user"):
        client.find_user("nobody")


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.show_profile("1/../2"),
        lambda client: client.destroy_profile("1&id=2"),
        lambda client: client.create_profile("Ana", "x"),
        lambda client: client.find_user("a/b"),
        lambda client: client.send_message(Message("alice", "acme", "@you", "Hi", "1")),
        lambda client: client.send_message(Message("alice", "acme", "1", "Hi", "")),
    ],
)
def test_nothing_leaves_with_a_wrong_id(client, httpx_mock, ask):
    """Ids and handles are checked before anything is sent."""
    with pytest.raises(InputRefused):
        ask(client)
    assert not httpx_mock.get_requests()
