"""Feedback cards: who may issue them, what they hold, who may answer, and what can be read a day later."""

from __future__ import annotations

import pytest

from profilectl.sandbox.model.faults import Fault, Kind

CREATE = "/1.1/feedback/create.json"
EVENTS = "/1.1/feedback/events.json"
DAY_MS = 86_400_000
FIELDS = {
    "type": "csat",
    "message": "How did we do?",
    "privacy_url": "https://acme.example/privacy",
    "external_id": "case 1 & 2",
}


@pytest.fixture
def ada(world):
    return world.ensure_customer("ada").user_id


@pytest.fixture
def issue(remote, ada):
    """Issue a card to Ada, or to the recipient and with the fields that are named."""
    remote.client.auth.form = True

    def post(**fields):
        return remote.client.post(CREATE, data={"to_user_id": ada, **FIELDS, **fields})

    return post


@pytest.fixture
def read(remote):
    """Read a page of events, of all days until yesterday unless told otherwise."""

    def get(**query):
        now_ms = remote.world.store.now_ms()
        span = {} if "cursor" in query else {"from_time": "0", "to_time": str(now_ms - DAY_MS)}
        return remote.client.get(EVENTS, params=span | query, auth=remote.signer())

    return get


def _show(remote, card_id):
    return remote.client.get(f"/1.1/feedback/show/{card_id}.json", auth=remote.signer())


def test_a_card_hangs_on_a_message(remote, issue, ada):
    """The documented answer; the message goes out under the brand's own face."""
    card = issue(display_name="Alice F.", test="true").json()
    [message] = remote.world.messages.all()

    assert (card["dm_id"], message.text, message.profile_id) == (message.id, "How did we do?", None)
    assert {name: value for name, value in card.items() if name not in {"id", "dm_id"}} == {
        "created_at": "Mon Sep 21 14:13:20 +0000 2026",
        "updated_at": "Mon Sep 21 14:13:20 +0000 2026",
        "type": "csat",
        "test": True,
        "from_user_id": remote.brand.user_id,
        "to_user_id": ada,
        "privacy_url": "https://acme.example/privacy",
        "external_id": "case 1 & 2",
        "question_variant_id": 0,
        "display_name": "Alice F.",
    }


def test_cards_have_an_allowlist_of_their_own(remote, issue, read, error_of):
    """Off: 403, code 87, for all three calls and before any field is looked at; profiles aren't concerned."""
    remote.world.feedback.allow(remote.brand.user_id, False)

    assert [(403, 87)] * 3 == [error_of(answer) for answer in (issue(type=""), _show(remote, "1"), read())]
    assert remote.client.get("/1.1/custom_profiles/list.json", auth=remote.signer()).status_code == 200


def test_profiles_forbidden_cards_allowed(remote, issue):
    """The one list says nothing about the other."""
    remote.world.accounts.allow("acmecare", False)

    assert issue().status_code == 200


@pytest.mark.parametrize("name", ["type", "to_user_id", "message", "privacy_url"])
def test_what_is_missing(issue, error_of, name):
    """403, code 38, and no message went out."""
    assert error_of(issue(**{name: " "})) == (403, 38)


@pytest.mark.parametrize(
    "field",
    [
        {"type": "CSAT"},
        {"type": "ces"},
        {"to_user_id": "ada"},
        {"privacy_url": "acme.example"},
        {"privacy_url": "ftp://acme.example/"},
        {"privacy_url": "https://[acme"},
        {"external_id": "x" * 257},
        {"display_name": "x" * 21},
        {"question_variant_id": "38"},
        {"question_variant_id": "10", "type": "nps"},
        {"test": "yes"},
    ],
)
def test_fields_that_wont_do(remote, issue, field):
    """400, and nothing was sent."""
    assert issue(**field).status_code == 400
    assert remote.world.messages.all() == []


def test_the_longest_and_the_highest_will_do(issue):
    """256 and 20 characters, variant 37."""
    assert issue(external_id="x" * 256, display_name="ü" * 20, question_variant_id="37").status_code == 200


def test_the_rules_of_messages_hold(issue, error_of, world):
    """An unknown recipient, one who takes no messages, a text that is too long."""
    assert error_of(issue(to_user_id="12345")) == (404, 108)
    assert error_of(issue(message="x" * 10_001)) == (403, 354)
    world.accounts.set_reachable("ada", False)
    assert error_of(issue()) == (403, 349)


def test_one_card_per_recipient_and_day(remote, issue, error_of):
    """The second: 429, code 88, until a day has passed; a refused one doesn't count, other recipients may be asked."""
    assert error_of(issue(message="x" * 10_001)) == (403, 354)
    assert issue().status_code == 200
    second = issue()
    other = issue(to_user_id=remote.world.ensure_customer("bob").user_id)

    assert error_of(second) == (429, 88)
    assert int(second.headers["x-rate-limit-reset"]) == int(remote.clock.now) + 86_400
    assert other.status_code == 200
    remote.clock.now += 86_400
    assert issue().status_code == 200


def test_a_thousand_cards_a_day(remote, issue, error_of):
    """The thousand-and-first is refused, and no message went out."""
    for _ in range(1_000):
        remote.world.quotas.spend("feedback", remote.brand.user_id)

    assert error_of(issue()) == (429, 88)
    assert remote.world.messages.all() == []


def test_show_has_the_answer_once_there_is_one(remote, issue):
    """`response` appears, and `updated_at` moves."""
    card_id = issue().json()["id"]
    before = _show(remote, card_id).json()
    remote.clock.now += 60
    remote.world.feedback.respond(card_id, 4, "Quick!")
    after = _show(remote, card_id).json()

    assert "response" not in before
    assert after == before | {
        "updated_at": "Mon Sep 21 14:14:20 +0000 2026",
        "response": {
            "score": {"created_at": "Mon Sep 21 14:14:20 +0000 2026", "value": 4},
            "text": {"created_at": "Mon Sep 21 14:14:20 +0000 2026", "value": "Quick!"},
        },
    }


def test_cards_of_others_cant_be_shown(remote, issue, error_of):
    """404, as for one that never existed."""
    card_id = issue().json()["id"]
    signer = remote.signer(remote.world.ensure_brand("globex"))
    foreign = remote.client.get(f"/1.1/feedback/show/{card_id}.json", auth=signer)

    assert [(404, 34)] * 2 == [error_of(foreign), error_of(_show(remote, "5"))]


def test_events_tell_each_state(remote, issue, read):
    """Created without, updated with the answer; only what is a day old."""
    card_id = issue().json()["id"]
    remote.clock.now += 3_600
    remote.world.feedback.respond(card_id, 5)
    remote.clock.now += 86_400
    page = read().json()
    remote.clock.now -= 1

    assert [event["event_type"] for event in page["events"]] == ["feedback.created", "feedback.updated"]
    assert [event["feedback"].get("response", {}).get("score", {}).get("value") for event in page["events"]] == [
        None,
        5,
    ]
    assert page["next_cursor"] == ""
    assert [event["event_type"] for event in read().json()["events"]] == ["feedback.created"]


def test_events_have_pages(remote, issue, read):
    """The cursor carries the span; an empty one is the end, and cursors never repeat."""
    for number in range(5):
        issue(to_user_id=remote.world.ensure_customer(f"c{number}").user_id, external_id=str(number))
    remote.clock.now += 2 * 86_400
    seen, cursors, page = [], [], read(count="2").json()
    while True:
        seen += [event["feedback"]["external_id"] for event in page["events"]]
        cursors.append(page["next_cursor"])
        if not page["next_cursor"]:
            break
        page = read(count="2", cursor=page["next_cursor"]).json()

    assert ["0", "1", "2", "3", "4"] == seen
    assert (3, 3) == (len(cursors), len(set(cursors)))


def test_events_are_the_callers(remote, issue, read):
    """Nobody reads another brand's answers."""
    issue()
    remote.clock.now += 2 * 86_400
    span = {"from_time": "0", "to_time": str(remote.world.store.now_ms() - DAY_MS)}
    other = remote.signer(remote.world.ensure_brand("globex"))

    assert remote.client.get(EVENTS, params=span, auth=other).json()["events"] == []
    assert len(read().json()["events"]) == 1


@pytest.mark.parametrize(
    ("expected", "query"),
    [
        ((403, 38), {"from_time": ""}),
        ((403, 38), {"to_time": ""}),
        ((400, 44), {"from_time": "x"}),
        ((400, 44), {"to_time": "9" * 15}),
        ((400, 44), {"to_time": str(1_790_000_000_000 - DAY_MS + 1)}),
        ((400, 44), {"from_time": "2000", "to_time": "1000"}),
        ((400, 44), {"count": "0"}),
        ((400, 44), {"cursor": "x"}),
        ((400, 44), {"cursor": "eHg="}),
    ],
)
def test_events_that_cant_be_read(read, error_of, expected, query):
    """No span, one that is less than a day old, one that runs backwards, a foreign cursor."""
    assert expected == error_of(read(**query))


def test_more_than_a_hundred_events_are_a_hundred(read):
    """`count` is cut down, as in the other lists."""
    assert read(count="101").status_code == 200


def test_rate_limit_status_names_the_family(remote):
    """The figures that X reports."""
    answer = remote.client.get("/1.1/application/rate_limit_status.json", params={"resources": "feedback"})
    limits = {path: limit["limit"] for path, limit in answer.json()["resources"]["feedback"].items()}

    assert {"/feedback/events": 1_000, "/feedback/show/:id": 180} == limits


def test_faults_know_the_calls(remote, issue):
    """A card may be issued without anybody hearing of it."""
    remote.world.faults.add(Fault(call="feedback-create", kind=Kind.ERROR_AFTER))

    assert issue().status_code == 503
    assert len(remote.world.feedback.all()) == 1
