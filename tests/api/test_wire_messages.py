"""Direct Messages on the wire: what leaves, what X answers, and what its list makes of a text."""

import json

import pytest

from profilectl.api import wire_messages
from profilectl.api.wire import Answer, Unreadable
from profilectl.errors import InputRefused
from profilectl.model import Link, Message, SentMessage

MESSAGE = Message("alice", "acme", "4534871", "Hello", "100001")


def answer(document: object) -> Answer:
    return Answer(200, {}, json.dumps(document).encode())


def sent(number: int = 1190, data: dict | None = None, time: object = "1", **changes: object) -> dict:
    creation = {"target": {"recipient_id": "4534871"}, "sender_id": "7", "custom_profile_id": "100001"} | changes
    if data is not None:
        creation["message_data"] = data
    return {"type": "message_create", "id": str(number), "created_timestamp": time, "message_create": creation}


def body(**parts: object) -> dict:
    content = wire_messages.message_body(Message("alice", "acme", "1", "Hi", "2", **parts))
    return json.loads(content)["event"]["message_create"]["message_data"]


def test_message_body():
    """The profile's id stands inside message_create, where X looks for it."""
    assert wire_messages.message_body(MESSAGE) == (
        b'{"event":{"type":"message_create","message_create":{"target":{"recipient_id":"4534871"},'
        b'"message_data":{"text":"Hello"},"custom_profile_id":"100001"}}}'
    )


def test_message_body_without_a_profile():
    """Under the brand's own face there is no such key at all."""
    plain = wire_messages.message_body(Message("alice", "acme", "1", "Hi ^AF", None))

    assert b'{"target":{"recipient_id":"1"},"message_data":{"text":"Hi ^AF"}}' in plain


def test_message_body_with_everything():
    """Picture, quick replies and buttons stand beside the text, each in X's own shape."""
    links = (Link("Help", "https://example.com/a?b=c"),)
    data = body(media_id="99", quick_replies=("Yes", "No ☃"), links=links)

    assert {
        "text": "Hi",
        "attachment": {"type": "media", "media": {"id": "99"}},
        "quick_reply": {
            "type": "options",
            "options": [{"label": "Yes", "metadata": "Yes"}, {"label": "No ☃", "metadata": "No ☃"}],
        },
        "ctas": [{"type": "web_url", "label": "Help", "url": "https://example.com/a?b=c"}],
    } == data
    assert ["text", "attachment", "quick_reply", "ctas"] == list(data)


@pytest.mark.parametrize("parts", [{"media_id": "x"}, {"media_id": ""}, {"quick_replies": ("\udcff",)}])
def test_no_message_body(parts):
    """What is no id, or no text, doesn't leave."""
    with pytest.raises(InputRefused):
        body(**parts)


@pytest.mark.parametrize(
    ("expected", "event"),
    [
        (SentMessage("1190", "7", "4534871", "100001", "", 1), sent()),
        (SentMessage("1190", "7", "4534871", "100001", "Hello", 1), sent(data={"text": "Hello"})),
        (SentMessage("1190", "7", "4534871", "5", "", 1), sent(custom_profile_id=5)),
        (SentMessage("1190", "7", "4534871", None, "", 0), sent(custom_profile_id=None, time=None)),
        (SentMessage("1190", "7", "4534871", "100001", "", 0), sent(data={"text": 5}, time="soon")),
        (SentMessage("1190", "", "4534871", None), {"id": "1190"}),
    ],
)
def test_read_sent(expected, event):
    """An event's id proves that the message went out, so nothing else that is missing hides it."""
    assert expected == wire_messages.read_sent(answer({"event": event}), MESSAGE)


@pytest.mark.parametrize("document", [{}, {"event": {}}, {"event": {"id": 5}}, {"errors": [{"code": 1}]}])
def test_unreadable_sent(document):
    """Without an event's id nobody knows whether a message went out."""
    with pytest.raises(Unreadable):
        wire_messages.read_sent(answer(document), MESSAGE)


SHORT = {"url": "https://t.co/a", "expanded_url": "https://example.com/?a=1&b=2", "display_url": "example.com"}


@pytest.mark.parametrize(
    ("expected", "data"),
    [
        ("Fish & chips <3", {"text": "Fish &amp; chips &lt;3"}),
        ("Fish & chips", {"text": "Fish & chips"}),
        (
            "See https://example.com/?a=1&b=2.",
            {"text": "See https://t.co/a.", "entities": {"urls": [SHORT]}},
        ),
        (
            "See https://t.co/a",
            {"text": "See https://t.co/a", "entities": {"urls": [{"url": "https://t.co/a"}, None, 5]}},
        ),
        ("Look", {"text": "Look https://t.co/m", "attachment": {"media": {"url": "https://t.co/m"}}}),
        ("", {"text": "https://t.co/m", "attachment": {"media": {"url": "https://t.co/m"}}}),
        ("Look", {"text": "Look", "attachment": {"media": {"id_str": "99"}}, "entities": {"urls": "none"}}),
        ("half �", {"text": "half \ud800"}),
    ],
)
def test_a_text_as_it_was_written(expected, data):
    """X's own addresses and entities are undone as far as X says what they stand for."""
    assert expected == wire_messages.read_sent(answer({"event": sent(data=data)}), MESSAGE).text


@pytest.mark.parametrize(
    ("expected", "address"),
    [
        ("https://ton.twitter.com/1.1/ton/data/dm/1/2/x.jpg", "https://ton.twitter.com/1.1/ton/data/dm/1/2/x.jpg"),
        ("http://127.0.0.1:8787/_sandbox/media/k.jpg", "http://127.0.0.1:8787/_sandbox/media/k.jpg"),
        (None, "file:///etc/passwd"),
        (None, "https://x.example/\x1b[2J"),
        (None, "https://x.example/" + "x" * 5000),
        (None, 7),
        (None, None),
    ],
)
def test_where_a_picture_is(expected, address):
    """An address that a browser opens, or none; that there is a picture doesn't depend on it."""
    attachment = {"type": "media", "media": {"id": 3, "media_url_https": address}}
    page = wire_messages.read_events(answer({"events": [sent(4, {"text": "", "attachment": attachment})]}))

    assert [(True, expected)] == [(each.has_attachment, each.attachment_url) for each in page.messages]


def test_read_events():
    """Only messages to the one recipient are kept; the others still tell how far back the page reaches."""
    document = {
        "events": [
            sent(4, {"text": "b"}, "40"),
            sent(3, {"text": "from them"}, "30", target={"recipient_id": "7"}, sender_id="4534871"),
            sent(2, {"text": "a"}, "20", custom_profile_id=None),
            {"type": "participants_join", "created_timestamp": "10"},
        ],
        "apps": {},
        "next_cursor": "NDU=",
    }
    expected = (
        SentMessage("4", "7", "4534871", "100001", "b", 40),
        SentMessage("2", "7", "4534871", None, "a", 20),
    )

    assert wire_messages.EventPage(expected, 10, "NDU=") == wire_messages.read_events(answer(document), "4534871")
    assert wire_messages.EventPage((), None, None) == wire_messages.read_events(answer({"events": []}), "4534871")
    assert wire_messages.EventPage((), None, "NDU=") == wire_messages.read_events(
        answer({"next_cursor": "NDU="}), "4534871"
    )


@pytest.mark.parametrize("document", [{}, [], {"events": None}, {"events": {}}, {"events": [], "next_cursor": 5}])
def test_unreadable_events(document):
    """Taken for an empty list, it would look as if nothing had been sent."""
    with pytest.raises(Unreadable):
        wire_messages.read_events(answer(document), "4534871")


@pytest.mark.parametrize(
    ("messages", "ids"),
    [
        ([], set()),
        ([{"id": "1", "message_data": {"text": "Hi"}}], set()),
        (
            [{"id": "1", "custom_profile_id": "100001"}, {"message_data": {"custom_profile_id": 100002}}],
            {"100001", "100002"},
        ),
        ([{"message_create": [{"custom_profile_id": "5"}]}, {"custom_profile_id": None}], {"5"}),
    ],
)
def test_profiles_of_welcome_messages(messages, ids):
    """X documents no place for the id in them, so it counts wherever it stands."""
    assert ids == wire_messages.read_welcome_profiles(answer({"welcome_messages": messages}))


@pytest.mark.parametrize("document", [{}, {"welcome_messages": None}, {"welcome_messages": {"custom_profile_id": "1"}}])
def test_no_list_of_welcome_messages(document):
    """What lacks the list says nothing about profiles."""
    with pytest.raises(Unreadable, match="welcome messages"):
        wire_messages.read_welcome_profiles(answer(document))
