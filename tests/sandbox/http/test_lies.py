"""Every lie on order, at every entry point: what the client is told, and what is really so."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from profilectl.sandbox.http.endpoints import ENDPOINTS
from profilectl.sandbox.model.faults import CALLS, LIST_LIES, Fault, Kind

FACE = "/1.1/custom_profiles/{}.json"
LIST = "/1.1/custom_profiles/list.json"
DESTROY = "/1.1/custom_profiles/destroy.json"
PATHS = {
    "verify": "/1.1/account/verify_credentials.json",
    "list": LIST,
    "user": "/2/users/by/username/ada",
    "limits": "/1.1/application/rate_limit_status.json",
    "messages": "/1.1/direct_messages/events/list.json",
}


def _arm(remote, kind, call="list", **rule):
    remote.world.faults.add(Fault(kind=kind, call=call, **rule))


def _many(remote, count):
    """Make profiles p1, p2, … of one upload; return their ids, newest first as X lists them."""
    media_id = remote.upload()
    made = [remote.world.profiles.create(remote.brand.user_id, f"p{n}", media_id) for n in range(1, count + 1)]
    return [profile.id for profile in reversed(made)]


def _reading(remote, count=50):
    """Read the list to its end; return the names, and how many pages they came on."""
    names, cursor, pages = [], "", 0
    while pages == 0 or cursor:
        page = remote.listed(count=count, **({"cursor": cursor} if cursor else {})).raise_for_status().json()
        names += [profile["name"] for profile in page["custom_profiles"]]
        cursor, pages = page.get("next_cursor", ""), pages + 1
    return names, pages


# Somebody else answers


@pytest.mark.parametrize(("kind", "made"), [(Kind.FOREIGN_BEFORE, []), (Kind.FOREIGN_AFTER, ["Alice"])])
@pytest.mark.parametrize(
    ("status", "body", "content_type", "content"),
    [
        (403, "html", "text/html; charset=utf-8", "<h1>403 Forbidden</h1>"),
        (404, "json", "application/json; charset=utf-8", '{"message":"Not Found"}'),
        (502, "html", "text/html; charset=utf-8", "<h1>502 Bad Gateway</h1>"),
        *((status, "empty", None, "") for status in (400, 403, 404, 407, 410)),
    ],
)
def test_a_stranger_answers_a_create(any_remote, kind, made, status, body, content_type, content):
    """A page, a gateway's JSON or nothing, with any status: the same answer whether the profile was made or not."""
    _arm(any_remote, kind, "create", status=status, body=body)
    answer = any_remote.create()

    assert (status, content_type) == (answer.status_code, answer.headers.get("content-type"))
    assert content in answer.text
    assert (content == "") == (answer.text == "")
    assert "x-access-level" not in answer.headers
    assert made == any_remote.names()


@pytest.mark.parametrize("call", PATHS)
def test_a_stranger_answers_any_reading(any_remote, call):
    """Without a status it is a 502; the next call reaches X again."""
    any_remote.world.ensure_customer("ada")
    _arm(any_remote, Kind.FOREIGN_BEFORE, call)

    assert [502, 200] == [any_remote.client.get(PATHS[call]).status_code for _ in range(2)]


@pytest.mark.parametrize(("kind", "left"), [(Kind.FOREIGN_BEFORE, ["Alice"]), (Kind.FOREIGN_AFTER, [])])
def test_a_stranger_says_that_nothing_is_there(any_remote, kind, left):
    """A gateway's 404 for a destroy proves nothing."""
    alice = any_remote.created()
    _arm(any_remote, kind, "destroy", status=404, body="json")

    assert {"message": "Not Found"} == any_remote.client.delete(DESTROY, params={"id": alice}).json()
    assert left == any_remote.names()


@pytest.mark.parametrize(("kind", "count"), [(Kind.FOREIGN_BEFORE, 0), (Kind.FOREIGN_AFTER, 1)])
def test_a_stranger_answers_for_a_message(any_remote, kind, count):
    """The customer has it, or not."""
    ada = any_remote.world.ensure_customer("ada")
    _arm(any_remote, kind, "send", status=403)

    assert 403 == any_remote.send(ada.user_id).status_code
    assert count == len(any_remote.world.state()["messages"])


def test_a_stranger_can_stand_before_every_call(world):
    """A star is each call that there is."""
    world.faults.add(Fault(kind=Kind.FOREIGN_BEFORE, times=None))

    assert {endpoint.name for endpoint in ENDPOINTS} == {
        call for call in CALLS if [Kind.FOREIGN_BEFORE] == [fault.kind for fault in world.faults.take(call, [""])]
    }


# The list


@pytest.mark.parametrize(
    ("kind", "names", "pages"),
    [
        (Kind.EMPTY_LIST, [], 1),
        (Kind.HALF_LIST, ["p4", "p2"], 1),
        (Kind.SHRINKING_LIST, ["p5", "p4", "p2"], 2),
        (Kind.REORDERED_LIST, ["p5", "p4", "p4", "p2", "p1"], 3),
        (Kind.CURSORLESS_LIST, ["p5", "p4"], 1),
        (Kind.FOREIGN_LIST, [], 1),
    ],
)
def test_one_reading_is_lied_to(any_remote, kind, names, pages):
    """From its first page to its last, in pages of two; the reading after it is true again."""
    _many(any_remote, 5)
    _arm(any_remote, kind)

    assert (names, pages) == _reading(any_remote, 2)
    assert (["p5", "p4", "p3", "p2", "p1"], 3) == _reading(any_remote, 2)
    assert 5 == len(any_remote.names())


@pytest.mark.parametrize("kind", [Kind.SHRINKING_LIST, Kind.REORDERED_LIST, Kind.CURSORLESS_LIST])
def test_a_single_page_has_no_room_for_some_lies(any_remote, kind):
    """They need a second page."""
    _many(any_remote, 2)
    _arm(any_remote, kind)

    assert (["p2", "p1"], 1) == _reading(any_remote, 2)


def test_lies_are_counted_by_readings(any_remote):
    """Two readings of several pages each, the first one true."""
    _many(any_remote, 5)
    _arm(any_remote, Kind.HALF_LIST, after=1, times=2)

    assert [5, 2, 2, 5] == [len(_reading(any_remote, 1)[0]) for _ in range(4)]


def test_a_stale_list(any_remote):
    """As it was some minutes ago: what was destroyed since is there, what was made since isn't."""
    gone, kept = _many(any_remote, 2)
    any_remote.world.advance(300)
    any_remote.client.delete(DESTROY, params={"id": gone})
    any_remote.created("Newcomer")
    for seconds in (None, 200.0):
        _arm(any_remote, Kind.STALE_LIST, seconds=seconds)
    any_remote.world.advance(301)
    _arm(any_remote, Kind.STALE_LIST, seconds=400.0)

    assert ["p2", "p1"] == _reading(any_remote)[0]
    assert ["Newcomer", "p1"] == _reading(any_remote)[0]
    assert kept in {profile["id"] for profile in any_remote.listed().json()["custom_profiles"]}


def test_a_stale_list_goes_on_as_it_began(any_remote):
    """All pages of a reading show the same moment, however long the reading takes."""
    _many(any_remote, 3)
    any_remote.world.advance(100)
    any_remote.created("Newcomer")
    _arm(any_remote, Kind.STALE_LIST, seconds=60.0)
    first = any_remote.listed(count=2).json()
    any_remote.world.advance(600)
    second = any_remote.listed(count=2, cursor=first["next_cursor"]).json()

    assert ["p3", "p2", "p1"] == [one["name"] for page in (first, second) for one in page["custom_profiles"]]


def test_a_foreign_list(any_remote):
    """The profiles of another account, each with its own id."""
    other = any_remote.world.ensure_brand("beta")
    media = any_remote.world.media.add(other.user_id, any_remote.picture)
    foreign = any_remote.world.profiles.create(other.user_id, "Bea", media.id)
    any_remote.created()
    _arm(any_remote, Kind.FOREIGN_LIST)

    assert [foreign.id] == [profile["id"] for profile in any_remote.listed().json()["custom_profiles"]]
    assert ["Alice"] == _reading(any_remote)[0]


@pytest.mark.parametrize("kind", [kind for kind in LIST_LIES if kind is not Kind.ENDLESS_LIST])
def test_every_list_lie_is_told_of_an_empty_account(any_remote, kind):
    """Nothing is made of nothing."""
    _arm(any_remote, kind)

    assert ([], 1) == _reading(any_remote)


# Names


@pytest.mark.parametrize(
    ("kind", "name", "shown"),
    [
        (Kind.NAME_ESCAPED, 'Tom & "Bo" <3', 'Tom &amp; "Bo" &lt;3'),
        (Kind.NAME_FOLDED, "Tom  Bo \u00a0 C.", "Tom Bo C."),
        (Kind.NAME_NFD, "Zo\u00eb", "Zoe\u0308"),
        (Kind.NAME_WITHOUT_EMOJI, "Tom \U0001f44b\U0001f3fd\u200d\u2600\ufe0f", "Tom"),
        (Kind.NAME_WITHOUT_EMOJI, "\U0001f44b", "\U0001f44b"),
    ],
)
def test_a_name_is_kept_as_x_writes_it(any_remote, kind, name, shown):
    """In the create's answer, in the list and in show alike."""
    _arm(any_remote, kind, "create")
    answer = any_remote.create(name).json()["custom_profile"]
    profile = any_remote.client.get(FACE.format(answer["id"])).json()["custom_profile"]

    assert [shown] * 3 == [answer["name"], profile["name"], *_reading(any_remote)[0]]
    assert name == any_remote.create(name).json()["custom_profile"]["name"]


# Time


@pytest.mark.parametrize("seconds", [7200.0, -7200.0])
def test_the_date_of_an_answer_jumps(any_remote, seconds):
    """For so many answers, refusals by a proxy among them; the world's own time stays."""
    _arm(any_remote, Kind.DATE_JUMP, "*", seconds=seconds, times=2)
    _arm(any_remote, Kind.FOREIGN_BEFORE, "*", after=1)
    dates = [parsedate_to_datetime(any_remote.listed().headers["date"]).timestamp() for _ in range(3)]

    assert [seconds, seconds, 0.0] == [date - any_remote.clock.now for date in dates]


# Creates and messages that come to something else


def test_a_create_applied_twice(any_remote):
    """The answer speaks of the second."""
    _arm(any_remote, Kind.TWICE, "create")
    answered = any_remote.created()

    assert ["Alice", "Alice"] == any_remote.names()
    assert answered == any_remote.world.profiles.all(any_remote.brand.user_id)[0].id


def test_a_message_applied_twice(any_remote):
    """The customer reads it twice."""
    ada = any_remote.world.ensure_customer("ada")
    _arm(any_remote, Kind.TWICE, "send")
    event = any_remote.send(ada.user_id).json()["event"]
    messages = any_remote.world.state()["messages"]

    assert ["Hello", "Hello"] == [message["text"] for message in messages]
    assert event["id"] == messages[1]["id"]


def test_a_create_applied_late(any_remote, error_of):
    """An error now; after its time the profile is there for everybody, made at that moment."""
    _arm(any_remote, Kind.LATE, "create", seconds=90.0)
    assert (503, 130) == error_of(any_remote.create())
    any_remote.world.advance(89)
    assert ([], 1) == _reading(any_remote)
    any_remote.world.advance(2)
    profile = any_remote.listed().json()["custom_profiles"][0]

    assert "Alice" == profile["name"]
    assert int((any_remote.clock.now + 90) * 1000) == int(profile["created_timestamp"])
    assert 200 == any_remote.client.get(FACE.format(profile["id"])).status_code


def test_a_late_create_can_look_like_anything(any_remote):
    """The error's status can be chosen, or a proxy's page stands in for it; a name too long is still refused."""
    _arm(any_remote, Kind.LATE, "create", status=504, seconds=1)
    _arm(any_remote, Kind.LATE, "create", seconds=1, after=1, times=2)
    _arm(any_remote, Kind.FOREIGN_AFTER, "create", after=1)

    assert [504, 502, 400] == [any_remote.create(name).status_code for name in ("Alice", "Bea", "C" * 49)]
    any_remote.world.advance(1)
    assert ["Bea", "Alice"] == any_remote.names()


def test_a_late_create_is_forgotten_by_a_reset(any_remote):
    """A new world has no old packets on their way."""
    _arm(any_remote, Kind.LATE, "create", seconds=1)
    any_remote.create()
    any_remote.world.reset()
    any_remote.world.advance(10)

    assert [] == any_remote.names()


@pytest.mark.parametrize("is_named", [False, True])
def test_a_create_answered_with_an_id_in_use(any_remote, is_named):
    """Nothing is made, and the answer bears the name that was asked for: the oldest profile's id, or a given one."""
    oldest, newest = any_remote.created("Anna"), any_remote.created("Bea")
    _arm(any_remote, Kind.REUSED_ID, "create", id=newest if is_named else "")
    answer = any_remote.create("Carl").json()["custom_profile"]

    assert (newest if is_named else oldest, "Carl") == (answer["id"], answer["name"])
    assert ["Bea", "Anna"] == any_remote.names()


def test_answers_about_another_profile(any_remote):
    """Create, show and destroy do what they are asked, and tell of the oldest other profile."""
    oldest, second = any_remote.created("Anna"), any_remote.created("Bea")
    for call in ("create", "show", "destroy"):
        _arm(any_remote, Kind.OTHER_ID, call)
    created = any_remote.create("Carl").json()["custom_profile"]
    shown = any_remote.client.get(FACE.format(second)).json()["custom_profile"]
    destroyed = any_remote.client.delete(DESTROY, params={"id": second})

    assert (oldest, "Carl") == (created["id"], created["name"])
    assert (oldest, "Anna") == (shown["id"], shown["name"])
    assert (200, oldest) == (destroyed.status_code, destroyed.json()["custom_profile"]["id"])
    assert ["Carl", "Anna"] == any_remote.names()


def test_where_there_is_no_other_the_answer_is_true(any_remote):
    """The first profile of an account can be mistaken for none."""
    for kind in (Kind.REUSED_ID, Kind.OTHER_ID):
        _arm(any_remote, kind, "create")

    assert any_remote.created() == any_remote.world.profiles.all(any_remote.brand.user_id)[0].id


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        ("unknown body 'htm', did you mean 'html'", {"kind": "foreign-before", "body": "htm"}),
        ("id: 5 won't do", {"kind": "other-id", "id": 5}),
    ],
)
def test_lies_that_make_no_sense_are_refused(words, plain):
    """With the reason."""
    with pytest.raises(ValueError, match=words):
        Fault.from_plain(plain)
