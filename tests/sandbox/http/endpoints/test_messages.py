"""Direct Messages with a face: the echo, the silent fallback, limits and reading back."""

from __future__ import annotations

import pytest

from profilectl.sandbox.model.faults import Fault, Kind

NEW = "/1.1/direct_messages/events/new.json"
LIST = "/1.1/direct_messages/events/list.json"
SHOW = "/1.1/direct_messages/events/show.json"


@pytest.fixture
def ada(world):
    return world.ensure_customer("ada").user_id


def _echo(answer):
    return answer.raise_for_status().json()["event"]["message_create"].get("custom_profile_id")


def test_send_echoes_the_profile(remote, ada):
    """The documented answer, all ids as strings, no app on the way out."""
    alice = remote.created()
    event = remote.send(ada, custom_profile_id=alice).json()["event"]

    assert (event["type"], event["created_timestamp"]) == ("message_create", "1790000000000")
    assert event["id"].isdigit()
    assert event["message_create"] == {
        "target": {"recipient_id": ada},
        "sender_id": remote.brand.user_id,
        "message_data": {"text": "Hello", "entities": {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []}},
        "custom_profile_id": alice,
    }


def test_a_profile_that_cant_be_shown_is_dropped_silently(remote, ada):
    """Unknown, destroyed, foreign, in the wrong place, or not allowed any more: sent as the brand, no echo."""
    alice = remote.created()
    gone = remote.created()
    remote.client.delete("/1.1/custom_profiles/destroy.json", params={"id": gone})
    other = remote.world.ensure_brand("globex")
    media = remote.world.media.add(other.user_id, remote.picture)
    foreign = remote.world.profiles.create(other.user_id, "Theirs", media.id).id
    echoes = [_echo(remote.send(ada, custom_profile_id=profile_id)) for profile_id in ("999", "x", gone, foreign, None)]
    body = {
        "type": "message_create",
        "message_create": {"target": {"recipient_id": ada}, "message_data": {"text": "Hi"}},
    }
    misplaced = remote.client.post(NEW, json={"event": {**body, "custom_profile_id": alice}})
    remote.world.accounts.allow("acmecare", False)

    assert [None] * 5 == echoes
    assert _echo(misplaced) is None
    assert _echo(remote.send(ada, custom_profile_id=alice)) is None


def test_the_echo_can_be_told_to_lie(remote, ada):
    """Missing or another agent's, once each."""
    alice, bruno = remote.created("Alice"), remote.created("Bruno")
    remote.world.faults.add(
        Fault(call="send", kind=Kind.ECHO_MISSING), Fault(call="send", kind=Kind.ECHO_OTHER, after=1)
    )
    echoes = [_echo(remote.send(ada, custom_profile_id=alice)) for _ in range(3)]

    assert echoes == [None, bruno, alice]


@pytest.mark.parametrize(
    ("expected", "recipient"),
    [((400, 214), "ada"), ((400, 214), None), ((400, 214), str(2**63)), ((404, 108), "12345")],
)
def test_bad_recipients(remote, error_of, expected, recipient):
    """No long: 214 with the path; nobody: 108."""
    assert expected == error_of(remote.send(recipient))


def test_a_recipient_who_takes_no_messages(remote, error_of, ada):
    """403, code 349."""
    remote.world.accounts.set_reachable("ada", False)

    assert error_of(remote.send(ada)) == (403, 349)


def test_ten_thousand_characters(remote, error_of, ada):
    """One more is 354; none at all 214."""
    assert remote.send(ada, "x" * 10_000).status_code == 200
    assert error_of(remote.send(ada, "x" * 10_001)) == (403, 354)
    assert error_of(remote.send(ada, "")) == (400, 214)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"event": {}}', b'{"event": {"type": "message_create"}}'])
def test_bad_bodies_get_214(remote, error_of, body):
    """Whatever isn't an event."""
    assert error_of(remote.client.post(NEW, content=body)) == (400, 214)


def test_a_picture_may_go_along(remote, error_of, ada):
    """Attached by id; an unknown one is 325."""
    attachment = {"type": "media", "media": {"id": remote.upload()}}
    data = {"text": "Look", "attachment": attachment}
    event = remote.send(ada, message_data=data).json()["event"]

    assert event["message_create"]["message_data"]["attachment"]["media"]["id_str"] == attachment["media"]["id"]
    attachment["media"]["id"] = "77"
    assert error_of(remote.send(ada, message_data=data)) == (400, 325)


@pytest.mark.parametrize(
    ("status", "options"),
    [
        (200, [{"label": "Yes"}, {"label": "No", "metadata": "n" * 1_000}]),
        (403, []),
        (403, [{"label": "x"}] * 21),
        (403, [{"label": "x" * 37}]),
        (403, [{"label": "see https://example.com"}]),
        (403, [{"label": "a", "description": "d"}, {"label": "b"}]),
        (403, [{"description": "no label"}]),
    ],
)
def test_quick_replies_have_their_rules(remote, ada, status, options):
    """20 options, 36 characters, no URL, descriptions on all or none; else 151."""
    data = {"text": "Well?", "quick_reply": {"type": "options", "options": options}}

    assert status == remote.send(ada, message_data=data).status_code


@pytest.mark.parametrize(
    ("status", "count", "button"),
    [
        (200, 1, {"type": "web_url", "label": "Returns", "url": "https://example.com/r"}),
        (200, 3, {"type": "web_url", "label": "x" * 36, "url": "https://example.com/r"}),
        (403, 4, {"type": "web_url", "label": "Returns", "url": "https://example.com/r"}),
        (403, 0, {}),
        (403, 1, {"type": "web_url", "label": "x" * 37, "url": "https://example.com/r"}),
        (403, 1, {"type": "web_url", "label": "Returns"}),
        (403, 1, {"type": "call", "label": "Returns", "url": "https://example.com/r"}),
        (403, 1, {"type": "web_url", "label": "Returns", "url": "javascript:alert(1)"}),
    ],
)
def test_buttons_have_their_rules(remote, ada, status, count, button):
    """One to three, 36 characters, an address of the web; else 151. They may stand beside quick replies."""
    quick_reply = {"type": "options", "options": [{"label": "Yes"}]}
    answer = remote.send(ada, message_data={"text": "Well?", "quick_reply": quick_reply, "ctas": [button] * count})

    assert status == answer.status_code
    if status == 200:
        echoed = answer.json()["event"]["message_create"]["message_data"]["ctas"]
        assert [button] * count == [{key: cta[key] for key in button} for cta in echoed]


def test_typing(remote, error_of, ada):
    """A form, answered with nothing; a recipient must be named, exist, and take messages."""
    url = "/1.1/direct_messages/indicate_typing.json"
    signed = {"auth": remote.signer(form=True)}
    answer = remote.client.post(url, data={"recipient_id": ada}, **signed)

    assert (204, b"") == (answer.status_code, answer.content)
    assert error_of(remote.client.post(url, data={}, **signed)) == (403, 38)
    assert error_of(remote.client.post(url, data={"recipient_id": "12345"}, **signed)) == (404, 108)
    remote.world.accounts.set_reachable("ada", False)
    assert error_of(remote.client.post(url, data={"recipient_id": ada}, **signed)) == (403, 349)
    assert [] == remote.world.messages.all()


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, 150, "You cannot send messages to users who are not following you."),
        (403, 151, "There was an error sending your message: its reason"),
        (403, 226, "This request looks like it might be automated."),
        (403, 349, "You cannot send messages to this user."),
        (403, 354, "The text of your direct message is over the max character limit."),
        (403, 389, "You cannot send messages to users you have blocked."),
        (403, 476, "This user only accepts message requests from verified users."),
        (404, 108, "Cannot find specified user."),
        (403, None, "Client is not permitted to perform this action."),
    ],
)
def test_refusals_on_order(remote, error_of, ada, status, code, words):
    """A fault names one of X's codes, and X's status and words come with it; the next message goes out."""
    remote.world.faults.add(Fault(call="send", kind=Kind.REFUSE, code=code))
    refused = remote.send(ada)

    assert error_of(refused) == (status, code or 87)
    assert words == refused.json()["errors"][0]["message"]
    assert 200 == remote.send(ada).status_code


def test_a_thousand_a_day_but_five_answers_are_free(remote, ada):
    """A message from the customer opens a day with five replies that don't count."""
    left = remote.world.quotas
    remote.world.messages.receive("ada", "acmecare", "Anybody there?")
    for _ in range(5):
        remote.send(ada)
    assert left.status("send", remote.brand.user_id).remaining == 1_000

    remote.send(ada)
    assert left.status("send", remote.brand.user_id).remaining == 999
    remote.world.messages.receive("ada", "acmecare", "Hello?")
    remote.clock.now += 86_401
    remote.send(ada)
    assert left.status("send", remote.brand.user_id).remaining == 999  # the day's window opened anew


def test_over_the_days_limit_nothing_is_sent(remote, error_of, ada):
    """The thousand-and-first: 429, code 88, and no message."""
    for _ in range(1_000):
        remote.world.quotas.spend("send", remote.brand.user_id)

    assert error_of(remote.send(ada)) == (429, 88)
    assert remote.world.messages.all() == []


def test_reading_back(remote, ada):
    """Newest first with the profile; own messages name the app, received ones don't."""
    alice = remote.created()
    remote.world.messages.receive("ada", "acmecare", "Hi")
    sent = remote.send(ada, "Hello Ada", custom_profile_id=alice).json()["event"]["id"]
    listed = remote.client.get(LIST).json()
    shown = remote.client.get(SHOW, params={"id": sent}).json()
    mine, hers = (event["message_create"] for event in listed["events"])

    assert (mine["message_data"]["text"], mine["custom_profile_id"]) == ("Hello Ada", alice)
    assert listed["apps"][mine["source_app_id"]]["name"]
    assert (hers["sender_id"], "source_app_id" in hers) == (ada, False)
    assert shown["event"] == listed["events"][0]


def test_the_list_has_pages_and_forgets_after_30_days(remote, ada):
    """20 by default, a cursor until the end; a month later nothing."""
    for number in range(25):
        remote.world.messages.receive("ada", "acmecare", str(number))
    first = remote.client.get(LIST).json()
    second = remote.client.get(LIST, params={"cursor": first["next_cursor"]}).json()

    assert (len(first["events"]), len(second["events"]), "next_cursor" in second) == (20, 5, False)
    remote.clock.now += 30 * 86_400
    assert remote.client.get(LIST).json()["events"] == []


def test_messages_of_others_cant_be_shown(remote, error_of, ada):
    """404, code 34 for a stranger's message, an unknown id and no id of ours; 38 without id."""
    remote.world.ensure_brand("globex")
    foreign = remote.world.messages.receive("ada", "globex", "Hi").id
    codes = [
        error_of(remote.client.get(SHOW, params={"id": message_id})) for message_id in (foreign, "5", "x", "9" * 19)
    ]

    assert [(404, 34)] * 4 == codes
    assert error_of(remote.client.get(SHOW)) == (403, 38)
