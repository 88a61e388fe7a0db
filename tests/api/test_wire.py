import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profilectl.api import chunked_upload, wire, wire_messages
from profilectl.api.wire import Answer, Unreadable
from profilectl.errors import InputRefused
from profilectl.model import Account, Message, Profile

# Documented shapes; nobody has recorded a real success.
ANA = {
    "id": "100001",
    "created_timestamp": "1790000000000",
    "name": "Ana R, Billing",
    "avatar": {"media": {"url": "https://pbs.twimg.com/media/XXXX?format=jpg&name=normal"}},
}
ANA_READ = Profile("100001", "Ana R, Billing", "https://pbs.twimg.com/media/XXXX?format=jpg&name=normal", 1790000000000)
MESSAGE = Message("alice", "acme", "4534871", "Hello", "100001")


def answer(document: object, **headers: str) -> Answer:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return Answer(200, headers, content)


def without(document: dict, key: str) -> dict:
    return {name: value for name, value in document.items() if name != key}


def test_profile_body():
    """The documented shape, compact, in UTF-8 and not in escapes."""
    expected = '{"custom_profile":{"name":"Ána ☃","avatar":{"media":{"id":"1234"}}}}'.encode()
    assert expected == wire.profile_body("Ána ☃", "1234")


def test_half_a_character():
    """Text with a lone surrogate, as broken command lines give it, is refused before anything is sent."""
    with pytest.raises(InputRefused, match="half a character"):
        wire.profile_body("\udcff", "1")


@pytest.mark.parametrize("value", ["", "12a", "-1", "1.0", "١٢", "1/../2", "1?x=1", "1" * 21, "1\n"])
def test_ids_are_digits(value):
    """Whatever isn't an id never gets into a URL."""
    with pytest.raises(InputRefused, match="profile id must be digits"):
        wire.digits("profile id", value)


@pytest.mark.parametrize("text", ["", "@", "a b", "acme/care", "acmé", "a" * 16, "@@acme", "acme\n"])
def test_no_handle(text):
    """What X couldn't have as a handle isn't looked up."""
    with pytest.raises(InputRefused, match="is no handle"):
        wire.bare_handle(text)


def test_handle():
    """The @ is optional."""
    assert wire.bare_handle("@acme_Care1") == wire.bare_handle("acme_Care1") == "acme_Care1"


@pytest.mark.parametrize(("expected", "text"), [("1234567", " 123 4567\n"), ("0012345", "0012345")])
def test_pin(expected, text):
    """Spaces around and inside a PIN don't matter, leading zeros do."""
    assert expected == wire.pin_digits(text)


@pytest.mark.parametrize("text", ["", "abc", "12", "１２３４５６７"])
def test_no_pin(text):
    """Anything but digits isn't sent as a PIN, and isn't shown either."""
    with pytest.raises(InputRefused, match="the PIN must be"):
        wire.pin_digits(text)


def test_read_account():
    """The account's id is the string one; the permission stands in a header."""
    document = {"id": 7, "id_str": "7", "screen_name": "acmecare", "verified": True}
    expected = Account("7", "acmecare", "api.x.com", "read-write-directmessages", verified=True)
    headers = {"x-access-level": "read-write-directmessages"}
    assert expected == wire.read_account(answer(document, **headers), "api.x.com")
    assert wire.read_account(answer(document), "api.x.com").access_level is None


def test_read_profile():
    """Unknown keys don't matter, and a missing picture address doesn't either."""
    assert ANA_READ == wire.read_profile(answer({"custom_profile": ANA | {"new": 1}}))
    assert wire.read_profile(answer({"custom_profile": without(ANA, "avatar")})).avatar_url == ""


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>Welcome to the hotel</html>",
        b'{"custom_profile": {"id": "100001", "na',
        b"\xff\xfe\xfd",
        b"[" * 100_000,
        [],
        {},
        {"custom_profile": None},
        {"custom_profile": without(ANA, "id")},
        {"custom_profile": ANA | {"id": 100001}},
        {"custom_profile": ANA | {"id": "a"}},
        {"custom_profile": ANA | {"id": ""}},
        {"custom_profile": without(ANA, "name")},
        {"custom_profile": without(ANA, "created_timestamp")},
        {"custom_profile": ANA | {"created_timestamp": "yesterday"}},
    ],
)
def test_unreadable_profile(document):
    """Without id, name and time of creation an answer is no profile."""
    with pytest.raises(Unreadable):
        wire.read_profile(answer(document))


def test_lone_surrogates_are_replaced():
    """JSON can spell half a character that no terminal, file or database could hold."""
    document = json.dumps({"custom_profile": ANA}).replace("Ana R", "Ana \\ud800").encode()
    assert wire.read_profile(answer(document)).name == "Ana �, Billing"


def test_nul_is_replaced():
    """PostgreSQL holds no text with it, nor does a row that is exported."""
    document = json.dumps({"custom_profile": ANA}).replace("Ana R", "Ana \\u0000").encode()
    assert wire.read_profile(answer(document)).name == "Ana �, Billing"


def test_read_page():
    """A page goes on as long as it has a cursor, however full or empty it is."""
    assert wire.read_page(answer({"custom_profiles": [ANA], "next_cursor": "NDU="})) == wire.Page((ANA_READ,), "NDU=")
    assert wire.read_page(answer({"custom_profiles": [], "next_cursor": "NDU="})) == wire.Page((), "NDU=")
    assert wire.read_page(answer({"next_cursor": "NDU="})) == wire.Page((), "NDU=")
    assert wire.read_page(answer({"custom_profiles": [ANA]})) == wire.Page((ANA_READ,), None)
    assert wire.read_page(answer({"custom_profiles": []})) == wire.Page((), None)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"errors": []},
        {"custom_profiles": None},
        {"custom_profiles": {}},
        {"custom_profiles": [ANA, {}]},
        {"custom_profiles": [], "next_cursor": 5},
    ],
)
def test_unreadable_page(document):
    """What isn't surely a page is never taken for an empty list."""
    with pytest.raises(Unreadable):
        wire.read_page(answer(document))


@pytest.mark.parametrize(
    "document",
    [
        {"data": {"id": "99", "media_key": "3_99", "size": 5, "expires_after_secs": 86400}},
        {"media_id": 99, "media_id_string": "99", "size": 5},
    ],
)
def test_read_media_id(document):
    """The id of v2's answer, or of v1.1's older one."""
    assert wire.read_media_id(answer(document)) == "99"


@pytest.mark.parametrize("document", [{}, {"data": {}}, {"media_id": 99}])
def test_no_media_id(document):
    """A number isn't taken for an id, because numbers may have been rounded on their way."""
    with pytest.raises(Unreadable):
        wire.read_media_id(answer(document))


def test_read_user_id():
    """v2 says 200 for users it doesn't have, too."""
    missing = {"title": "Not Found Error", "type": "https://api.twitter.com/2/problems/resource-not-found"}
    assert wire.read_user_id(answer({"data": {"id": "42", "username": "X", "name": "Mr X"}}), "x") == "42"
    assert wire.read_user_id(answer({"errors": [missing]}), "x") is None


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"errors": [{"title": "Not Found Error"}]},
        {"errors": [{"title": "Not Found", "type": "about:blank"}]},
        {"errors": [{"title": "Not Found", "type": "https://gateway.example/problems/resource-not-found"}]},
        {"data": {"id": "42", "username": "somebody_else"}},
        {"data": {"id": "042", "username": "x"}},
    ],
)
def test_only_x_knows_who_is_a_user(document):
    """Neither another user's id nor somebody else's list of errors answers the question."""
    with pytest.raises(Unreadable):
        wire.read_user_id(answer(document), "x")


def test_another_id_is_no_answer():
    """A profile is read only when it is the one that was asked for."""
    document = {"custom_profile": {"id": "1", "name": "Ana", "created_timestamp": "1790000000000", "avatar": {}}}
    assert wire.read_profile(answer(document), "1").id == "1"
    with pytest.raises(Unreadable, match="about profile 1"):
        wire.read_profile(answer(document), "2")


@pytest.mark.parametrize(("status", "content"), [(200, b""), (200, b"{}"), (202, b""), (204, b"<p>")])
def test_destroyed_is_204_and_nothing_else(status, content):
    """Pages of a network's login come with 200, and gateways take things over with 202."""
    wire.read_destroyed(Answer(204, {}, b""))
    with pytest.raises(Unreadable):
        wire.read_destroyed(Answer(status, {}, content))


@pytest.mark.parametrize("text", ["0", "007", "", "1" * 21, "1 ", "\u0661", "+1", "1e3"])
def test_ids_have_one_form(text):
    """An id that X would take for another one's, or that our ledger would, is refused before it is sent."""
    assert wire.digits("profile id", "100001") == "100001"
    with pytest.raises(InputRefused, match="without zeros before them"):
        wire.digits("profile id", text)


def test_read_rate_limits():
    """Families are flattened, the calls' own names are unique."""
    call = {"limit": 180, "remaining": 179, "reset": 1790000900}
    document = {"rate_limit_context": {}, "resources": {"custom_profiles": {"/custom_profiles/list": call}, "x": []}}
    assert wire.read_rate_limits(answer(document)) == {"/custom_profiles/list": call}


def test_read_token():
    """OAuth's own steps answer in form encoding; secrets don't print themselves."""
    token = wire.read_token(answer(b"oauth_token=7-ab%2Bc&oauth_token_secret=s&user_id=7&screen_name=acmecare"))
    assert (token.key.reveal(), token.secret.reveal(), token.handle, token.user_id) == ("7-ab+c", "s", "acmecare", "7")
    assert "ab+c" not in repr(token)


@pytest.mark.parametrize("content", [b"", b"oauth_token=x", b"<html>", b"\xff", b"oauth_token=&oauth_token_secret="])
def test_unreadable_token(content):
    """Half a token is none."""
    with pytest.raises(Unreadable):
        wire.read_token(answer(content))


def test_read_nothing():
    """An empty body or X's JSON will do, a web page won't."""
    wire.read_nothing(answer(b""))
    wire.read_nothing(answer({"access_token": "x"}))
    with pytest.raises(Unreadable):
        wire.read_nothing(answer(b"<html>"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*ANA, "data", "event", "errors"]), inner),
)
READERS = [
    lambda answer: wire.read_account(answer, "api.x.com"),
    lambda answer: wire_messages.read_sent(answer, MESSAGE),
    lambda answer: wire_messages.read_events(answer, "4534871"),
    chunked_upload.read_upload,
    wire.read_page,
    wire.read_profile,
    wire.read_media_id,
    lambda answer: wire.read_user_id(answer, "x"),
    wire.read_rate_limits,
    wire.read_token,
    wire.read_nothing,
]


@given(st.binary() | JSON.map(lambda document: json.dumps(document).encode()))
def test_readers_never_stumble(content):
    """Whatever X or a proxy answers, a reader returns a value or says that it can't."""
    for read in READERS:
        with contextlib.suppress(Unreadable):  # anything else fails the test
            read(Answer(200, {}, content))
