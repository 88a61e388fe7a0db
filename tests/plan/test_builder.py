"""Plans as a table: what is there, what is wanted, what is to be done."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from profilectl.model import (
    Agent,
    Binding,
    Brand,
    Intent,
    Kind,
    LedgerState,
    LocalTime,
    Picture,
    Policy,
    Profile,
    Retired,
    Roster,
    WithdrawnIntent,
)
from profilectl.plan.builder import build
from profilectl.plan.changes import Action, Appearance, Change, Reason
from profilectl.plan.intents import (
    REMEMBERED_MS,
    IntentStatus,
    Observation,
    left_ms,
    missing_bindings,
    resolve,
)

NOW = 1_800_000_000_000
OLD = NOW - 3_600_000
TODAY = date(2027, 1, 15)
BOOT = "a-start-of-this-machine"
UPTIME = 5_000_000  # milliseconds, at NOW
DAY = 24 * 3_600_000


def digest(path):
    return f"sha256:{path}"


def agent(key, name=None, *, avatar="a.png", brand="acme", **more):
    return Agent(key, brand, name or key.title(), avatar, Kind.HUMAN, **more)


def roster(*agents, **policy):
    brands = dict.fromkeys(["acme", *(one.brand for one in agents)])
    return Roster(tuple(Brand(key, f"{key}care") for key in brands), agents, Policy(**policy))


def bound(key, profile_id, name=None, *, avatar="a.png", created=OLD, **more):
    return Binding(key, profile_id, name or key.title(), digest(avatar), created, created, **more)


def profile(profile_id, name, created=OLD):
    return Profile(profile_id, name, "https://pbs.example/x.jpg", created)


def intent(key, name=None, *, begun=OLD, listed=(), nonce="n1", **more):
    """Return an intent of a ledger of this machine, attempted as long ago by its clock as by X's."""
    attempted = more.pop("attempted", begun)
    local = {"boot": BOOT, "attempted_local_ms": UPTIME - (NOW - attempted)} | more
    return Intent(nonce, key, name or key.title(), digest("a.png"), frozenset(listed), begun, 1, attempted, **local)


def withdrawn(an_intent, *, ago=1000):
    return WithdrawnIntent(an_intent, NOW - ago)


def observation(profiles=(), bindings=(), intents=(), retired=(), brand="acme", **more):
    """Return what two readings have shown."""
    kept = {name: more.pop(name) for name in ("withdrawn", "blocked") if name in more}
    state = LedgerState(tuple(bindings), tuple(intents), tuple(retired), **kept)
    return Observation(brand, tuple(profiles), NOW, state, **{"readings": 2, "local": LocalTime(BOOT, UPTIME)} | more)


def plan(wanted, *found, **options):
    pictures = {one.avatar: Picture(one.avatar, digest(one.avatar), 1) for one in wanted.agents}
    return build(wanted, pictures, found, today=TODAY, **options)


def steps(one):
    return [(change.action.value, change.agent, change.why, change.profile_id) for change in one.changes]


CASES = {
    "a new agent is created": (
        roster(agent("alice")),
        observation(),
        [("create", "alice", ("new",), None)],
    ),
    "an agent as the roster says stays": (
        roster(agent("alice")),
        observation([profile("1", "Alice")], [bound("alice", "1")]),
        [],
    ),
    "a new name is a replacement": (
        roster(agent("alice", "Alice F.")),
        observation([profile("1", "Alice")], [bound("alice", "1")]),
        [("replace", "alice", ("name",), "1")],
    ),
    "a new name and picture are one replacement": (
        roster(agent("alice", "Alice F.", avatar="b.png")),
        observation([profile("1", "Alice")], [bound("alice", "1")]),
        [("replace", "alice", ("name", "avatar"), "1")],
    ),
    "a neutral name and face say why they are": (
        roster(agent("alice", "Agent 1", avatar="b.png", withheld="name"), agent("bruno", withheld="photo")),
        observation([profile("1", "Alice")], [bound("alice", "1")]),
        [("replace", "alice", ("name", "avatar", "consent"), "1"), ("create", "bruno", ("new", "consent"), None)],
    ),
    "a neutral name and face that are live stay": (
        roster(agent("alice", withheld="name")),
        observation([profile("1", "Alice")], [bound("alice", "1")]),
        [],
    ),
    "a bound profile that X says is gone is created again, first": (
        roster(agent("bruno"), agent("alice")),
        observation([], [bound("alice", "1")], gone=frozenset({"1"})),
        [("create", "alice", ("lost",), None), ("create", "bruno", ("new",), None)],
    ),
    "a bound profile that is only missing from X's list is waited for": (
        roster(agent("bruno"), agent("alice")),
        observation([], [bound("alice", "1")]),
        [("create", "bruno", ("new",), None), ("blocked", "alice", ("unconfirmed",), "1")],
    ),
    "a new name of an agent whose profile isn't listed waits, too": (
        roster(agent("alice", "Ally")),
        observation([], [bound("alice", "1")]),
        [("blocked", "alice", ("unconfirmed",), "1")],
    ),
    "the old face of an agent whose profile isn't listed isn't destroyed": (
        roster(agent("alice")),
        observation([], [bound("alice", "1")], retired=[Retired("0", "alice", "Al", OLD, "replaced")]),
        [("blocked", "alice", ("unconfirmed",), "1")],
    ),
    "a young profile that X calls gone already is waited for": (
        roster(agent("alice")),
        observation([], [bound("alice", "1", created=NOW - 1000)], gone=frozenset({"1"})),
        [],
    ),
    "a profile of another time under a bound id is for a person": (
        roster(agent("alice")),
        observation([profile("1", "Alice", OLD + 1)], [bound("alice", "1")]),
        [("blocked", "alice", ("reused",), "1")],
    ),
    "a binding that doesn't know its profile's time can't tell": (
        roster(agent("alice")),
        observation([profile("1", "Alice", OLD + 1)], [bound("alice", "1", created=0)]),
        [],
    ),
    "a reused id isn't replaced, either": (
        roster(agent("alice", "Ally")),
        observation([profile("1", "Alice", OLD + 1)], [bound("alice", "1")]),
        [("blocked", "alice", ("reused",), "1")],
    ),
    "a bound profile that X may not list yet stays": (
        roster(agent("alice")),
        observation([], [bound("alice", "1", created=NOW - 1000)]),
        [],
    ),
    "an agent who left is deleted": (
        roster(agent("bruno")),
        observation([profile("1", "Alice"), profile("2", "Bruno")], [bound("alice", "1"), bound("bruno", "2")]),
        [("delete", "alice", ("removed",), "1")],
    ),
    "an agent whose last day is over is deleted": (
        roster(agent("alice", until=date(2027, 1, 14))),
        observation([profile("1", "Alice")], [bound("alice", "1")]),
        [("delete", "alice", ("until",), "1")],
    ),
    "an agent is there on the last day": (
        roster(agent("alice", until=TODAY)),
        observation([profile("1", "Alice")], [bound("alice", "1")]),
        [],
    ),
    "a protected agent outlives the entry": (
        roster(agent("bruno")),
        observation(
            [profile("1", "Alice"), profile("2", "Bruno")], [bound("alice", "1", protected=True), bound("bruno", "2")]
        ),
        [],
    ),
    "a namesake blocks a create": (
        roster(agent("alice")),
        observation([profile("9", "Alice")]),
        [("blocked", "alice", ("namesake",), "9")],
    ),
    "a namesake blocks a replacement": (
        roster(agent("alice", "Ally")),
        observation([profile("1", "Alice"), profile("9", "Ally")], [bound("alice", "1")]),
        [("blocked", "alice", ("namesake",), "9")],
    ),
    "agents of one name each propose another namesake, the oldest first": (
        roster(agent("alice"), agent("twin", "Alice"), agent("third", "Alice")),
        observation([profile("7", "Alice", OLD + 1), profile("9", "Alice")]),
        [
            ("blocked", "alice", ("namesake",), "9"),
            ("blocked", "twin", ("namesake",), "7"),
            ("blocked", "third", ("namesake",), "7"),
        ],
    ),
    "a namesake of an agent who stays is left alone": (
        roster(agent("alice")),
        observation([profile("1", "Alice"), profile("9", "Alice")], [bound("alice", "1")]),
        [],
    ),
    "a name in another Unicode form is a namesake too": (
        roster(agent("dora", "D\u00f3ra")),
        observation([profile("9", "Do\u0301ra")]),
        [("blocked", "dora", ("namesake",), "9")],
    ),
    "a retired profile is destroyed once its grace is over": (
        roster(agent("alice")),
        observation(
            [profile("1", "Alice")], [bound("alice", "1")], retired=[Retired("0", "alice", "Al", OLD, "replaced")]
        ),
        [("destroy", "alice", ("replaced",), "0")],
    ),
    "a retired profile stays during its grace": (
        roster(agent("alice")),
        observation(
            [profile("1", "Alice")],
            [bound("alice", "1")],
            retired=[Retired("0", "alice", "Al", NOW - 1000, "replaced")],
        ),
        [],
    ),
    "the profile of a removed agent has no grace": (
        roster(agent("alice")),
        observation(
            [profile("1", "Alice")], [bound("alice", "1")], retired=[Retired("0", "bob", "Bob", NOW, "removed")]
        ),
        [("destroy", "bob", ("removed",), "0")],
    ),
    "the old face of a blocked agent isn't destroyed": (
        roster(agent("alice", "Ally")),
        observation(
            [profile("1", "Alice"), profile("9", "Ally")],
            [bound("alice", "1")],
            retired=[Retired("0", "alice", "Al", OLD, "replaced")],
        ),
        [("blocked", "alice", ("namesake",), "9")],
    ),
    "an unanswered create is adopted": (
        roster(agent("alice")),
        observation([profile("5", "Alice", NOW - 500)], intents=[intent("alice", begun=NOW - 1000)]),
        [("adopt", "alice", ("unanswered",), "5")],
    ),
    "an unanswered create that isn't wanted any more is adopted and replaced": (
        roster(agent("alice", "Ally")),
        observation([profile("5", "Alice", NOW - 500)], intents=[intent("alice", begun=NOW - 1000)]),
        [("adopt", "alice", ("unanswered",), "5"), ("replace", "alice", ("name",), "5")],
    ),
    "an unanswered create of an agent who left is adopted and deleted": (
        roster(agent("bruno")),
        observation(
            [profile("5", "Alice", NOW - 500), profile("2", "Bruno")],
            [bound("bruno", "2")],
            [intent("alice", begun=NOW - 1000)],
        ),
        [("adopt", "alice", ("unanswered",), "5"), ("delete", "alice", ("removed",), "5")],
    ),
    "a create that surely made nothing is tried again": (
        roster(agent("alice")),
        observation(intents=[intent("alice", begun=OLD)]),
        [("create", "alice", ("new",), None)],
    ),
    "a create that X may not list yet waits": (
        roster(agent("alice")),
        observation(intents=[intent("alice", begun=NOW - 1000)]),
        [("blocked", "alice", ("unsettled",), None)],
    ),
    "another agent of the same name waits with it": (
        roster(agent("alice"), agent("other", "Alice")),
        observation(intents=[intent("alice", begun=NOW - 1000)]),
        [("blocked", "alice", ("unsettled",), None), ("blocked", "other", ("unsettled",), None)],
    ),
    "two candidates are for a person to tell apart": (
        roster(agent("alice")),
        observation(
            [profile("5", "Alice", NOW - 500), profile("6", "Alice", NOW - 400)],
            intents=[intent("alice", begun=NOW - 1000)],
        ),
        [("blocked", "alice", ("ambiguous",), "5")],
    ),
}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_build_decides(case):
    """Each observation leads to exactly these steps, in this order."""
    wanted, found, expected = CASES[case]

    assert expected == steps(plan(wanted, found))


SAME = {("n1", "5"): True}
OTHER = {("n1", "5"): False}
ALICE = profile("5", "Alice", NOW - 500)
ALICIA = profile("5", "Alicia", NOW - 500)
WITH_PICTURE = intent("alice", begun=NOW - 1000, listed=["4"], picture="of alice")
LACKING = {
    "nothing": (ALICE, SAME, IntentStatus.CREATED),
    "not listed before": (profile("4", "Alice", NOW - 500), SAME, IntentStatus.PENDING),
    "not known": (profile("3", "Alice", NOW - 500), SAME, IntentStatus.PENDING),
    "created after": (profile("5", "Alice", NOW - 1001), SAME, IntentStatus.PENDING),
    "the name": (ALICIA, SAME, IntentStatus.AMBIGUOUS),
    "the picture": (ALICE, OTHER, IntentStatus.AMBIGUOUS),
    "the picture, which can't be had": (ALICE, {}, IntentStatus.AMBIGUOUS),
    "name and picture, which can't be had": (ALICIA, {}, IntentStatus.AMBIGUOUS),
    "name and picture": (ALICIA, OTHER, IntentStatus.PENDING),
}


@pytest.mark.parametrize("lacking", LACKING, ids=str)
def test_adoption_needs_each_of_its_five_proofs(lacking):
    """A profile that lacks one isn't taken for what a create made; where it may be that, a person decides."""
    candidate, same_picture, status = LACKING[lacking]
    observed = observation([candidate], [bound("bob", "3")], [WITH_PICTURE], same_picture=same_picture)

    has_candidate = status is not IntentStatus.PENDING
    assert (status, (candidate,) * has_candidate) == resolve(WITH_PICTURE, observed, 60)


def test_an_intent_without_a_picture_is_settled_by_four_proofs():
    """As a ledger of an earlier version has it."""
    without = intent("alice", begun=NOW - 1000)

    assert (IntentStatus.CREATED, (ALICE,)) == resolve(without, observation([ALICE], intents=[without]), 60)
    assert (IntentStatus.PENDING, ()) == resolve(without, observation([ALICIA], intents=[without]), 60)


BOB = intent("bob", "Bob", begun=NOW - 1000, nonce="n2", picture="of bob")
EXPLAINED = {
    "by an open intent": ({}, [BOB], [], {("n2", "6"): True}, IntentStatus.CREATED),
    "by a withdrawn intent": ({}, [], [BOB], {("n2", "6"): True}, IntentStatus.CREATED),
    "by nothing, as the picture isn't Bob's": ({}, [BOB], [], {("n2", "6"): False}, IntentStatus.AMBIGUOUS),
    "by nothing, as nobody knows the picture": ({}, [BOB], [], {}, IntentStatus.AMBIGUOUS),
    "by nothing, as Bob has another name": ({"name": "Robert"}, [BOB], [], {("n2", "6"): True}, IntentStatus.AMBIGUOUS),
}


@pytest.mark.parametrize("case", EXPLAINED, ids=str)
def test_a_profile_with_the_same_picture_and_another_name_has_to_be_explained(case):
    """Two agents may share a picture: what another create made is no doubt about this one."""
    changes, intents, former, same_picture, status = EXPLAINED[case]
    made_for_bob = replace(profile("6", "Bob", NOW - 400), **changes)
    observed = observation(
        [ALICE, made_for_bob],
        intents=[WITH_PICTURE, *intents],
        withdrawn=tuple(map(withdrawn, former)),
        same_picture={("n1", "5"): True, ("n1", "6"): True, **same_picture},
    )

    assert status is resolve(WITH_PICTURE, observed, 60)[0]


def test_a_newer_profile_that_nobody_explains_keeps_an_intent_open():
    """Under another name, of which no picture can be had: it may be what the create made, however long ago that was."""
    old = intent("alice", begun=OLD, picture="of alice")
    newer = profile("5", "Alicia", OLD + 1)
    doubtful = observation([newer], intents=[old])
    excluded = observation([newer], intents=[old], same_picture={("n1", "5"): False})

    assert [IntentStatus.AMBIGUOUS, IntentStatus.NOT_CREATED] == [
        resolve(old, observed, 60)[0] for observed in (doubtful, excluded)
    ]
    assert [("blocked", "alice", ("ambiguous",), "5")] == steps(plan(roster(agent("alice")), doubtful))


@pytest.mark.parametrize(("readings", "status"), [(1, IntentStatus.PENDING), (2, IntentStatus.NOT_CREATED)])
def test_nothing_was_made_needs_two_readings(readings, status):
    """One list may lack what the next one shows."""
    old = intent("alice")

    assert (status, ()) == resolve(old, observation(intents=[old], readings=readings), 60)
    assert (status, ()) == resolve(old, observation(intents=[old], readings=readings), 0)


def test_x_has_shown_nothing_until_both_clocks_say_so():
    """61 s by X's clock, whose Date has whole seconds, and 60 by this machine's; whichever is later counts."""
    just = intent("alice", begun=NOW - 20_000)  # 20 s by either clock
    date_jumped = replace(just, attempted_ms=NOW - 9_999_000)
    date_was_set_back = replace(just, attempted_ms=NOW + 9_000, attempted_local_ms=0)

    assert [41_000, 40_000, 70_000] == [
        left_ms(one, observation(intents=[one]), 60) for one in (just, date_jumped, date_was_set_back)
    ]


@pytest.mark.parametrize("boot", ["", "another start"])
@pytest.mark.parametrize(("watched", "left"), [(0, 95_000), (50_000, 45_000), (95_000, 0)])
def test_after_a_restart_only_what_was_watched_counts(boot, watched, left):
    """Of a create of another machine or an earlier start nobody knows the age; it may be 35 s late, too."""
    foreign = intent("alice", boot=boot)

    assert left == left_ms(foreign, observation(intents=[foreign], watched_ms=watched), 60)


def test_where_no_start_is_known_two_unknown_ones_are_not_the_same():
    """A system without a boot id counts like another machine."""
    foreign = intent("alice", boot="", attempted_local_ms=0)
    observed = observation(intents=[foreign], local=LocalTime("", UPTIME))

    assert 95_000 == left_ms(foreign, observed, 60)


def test_an_x_that_never_lags_needs_no_time():
    """A settle time of nothing holds for every clock."""
    assert 0 == left_ms(intent("alice", boot=""), observation(), 0)


@pytest.mark.parametrize(("age", "missing"), [(59_999, ()), (60_000, ("1",))])
def test_what_is_younger_than_the_settle_time_is_not_missing_yet(age, missing):
    """X's list may lag behind what it has made."""
    assert missing == missing_bindings(observation([], [bound("alice", "1", created=NOW - age)]), 60)


def test_settle_time_counts_from_the_last_attempt():
    """An intent that was attempted again just now isn't given up because it is old."""
    recent = intent("alice", begun=OLD, attempted=NOW - 1000)

    assert (IntentStatus.PENDING, ()) == resolve(recent, observation(intents=[recent]), 60)


def test_withdrawals_name_the_intents_that_made_nothing():
    """The plan says which intents are to be closed before anything is created again."""
    assert (("acme", "n1"),) == plan(roster(agent("alice")), observation(intents=[intent("alice")])).withdrawals


LATE = intent("alice", begun=NOW - 90_000, picture="of alice")
LATE_ALICE = profile("5", "Alice", NOW - 20_000)
LATE_CASES = {
    "is the agent's who has none": (
        roster(agent("alice")),
        observation([LATE_ALICE]),
        [("adopt", "alice", ("late",), "5")],
    ),
    "is the agent's and then replaced, as the roster has moved on": (
        roster(agent("alice", "Ally")),
        observation([LATE_ALICE]),
        [("adopt", "alice", ("late",), "5"), ("replace", "alice", ("name",), "5")],
    ),
    "is destroyed as ours when the agent has another": (
        roster(agent("alice")),
        observation([profile("1", "Alice"), LATE_ALICE], [bound("alice", "1")]),
        [("destroy", "alice", ("late",), "5")],
    ),
    "is the agent's whose other one is gone": (
        roster(agent("alice")),
        observation([LATE_ALICE], [bound("alice", "1")], gone=frozenset({"1"})),
        [("adopt", "alice", ("late",), "5")],
    ),
    "stays while it isn't sure that the agent's other one is gone": (
        roster(agent("alice")),
        observation([LATE_ALICE], [bound("alice", "1")]),
        [("blocked", "alice", ("unconfirmed",), "1")],
    ),
    "is destroyed when the agent has left": (
        roster(agent("bruno")),
        observation([profile("2", "Bruno"), LATE_ALICE], [bound("bruno", "2")]),
        [("destroy", "alice", ("late",), "5")],
    ),
    "is destroyed when the agent was offboarded": (
        roster(agent("alice")),
        observation([LATE_ALICE], blocked=frozenset({"alice"})),
        [("destroy", "alice", ("late",), "5"), ("blocked", "alice", ("offboarded",), None)],
    ),
    "and a second one: one create makes one, so a person tells whose they are": (
        roster(agent("alice")),
        observation([LATE_ALICE, profile("6", "Alice", NOW - 10_000)]),
        [("blocked", "alice", ("namesake",), "5")],
    ),
    "is a namesake when its picture is another": (
        roster(agent("alice")),
        observation([LATE_ALICE], same_picture={("n1", "5"): False}),
        [("blocked", "alice", ("namesake",), "5")],
    ),
    "is a namesake while nobody knows its picture": (
        roster(agent("alice")),
        observation([LATE_ALICE], same_picture={("n1", "6"): True}),
        [("blocked", "alice", ("namesake",), "5")],
    ),
}


@pytest.mark.parametrize("case", LATE_CASES, ids=str)
def test_what_a_create_that_was_taken_for_lost_made(case):
    """A profile that a withdrawn intent made after all …"""
    desired, observed, expected = LATE_CASES[case]
    state = replace(observed.ledger_state, withdrawn=(withdrawn(LATE),))
    same_picture = observed.same_picture or {("n1", "5"): True, ("n1", "6"): True}
    late_plan = plan(desired, replace(observed, ledger_state=state, same_picture=same_picture))

    assert expected == steps(late_plan)
    ours = {change.profile_id for change in late_plan.changes if Reason.LATE in change.why}
    assert ours.isdisjoint(stranger.id for _, stranger in late_plan.strangers)
    assert {"n1"} >= {change.nonce for change in late_plan.changes if Reason.LATE in change.why}


UNDECIDED_CASES = {
    "two that look alike": ([LATE_ALICE, profile("6", "Alice", NOW - 10_000)], {("n1", "5"): True, ("n1", "6"): True}),
    "another picture": ([LATE_ALICE], {("n1", "5"): False}),
    "an unknown picture": ([LATE_ALICE], {}),
    "the picture under another name": ([profile("5", "Al", NOW - 20_000)], {("n1", "5"): True}),
}


@pytest.mark.parametrize("case", UNDECIDED_CASES, ids=str)
def test_what_may_be_late_without_proof_is_told_and_left(case):
    """The agent has left, so nothing else in the plan would ever speak of it, and only a person can tell."""
    late, same_picture = UNDECIDED_CASES[case]
    observed = observation([profile("2", "Bruno"), *late], [bound("bruno", "2")], withdrawn=(withdrawn(LATE),))
    made = plan(roster(agent("bruno")), replace(observed, same_picture=same_picture))

    assert () == made.changes
    assert (("acme", "alice", tuple(late)),) == made.undecided


@pytest.mark.parametrize("bindings", [[], [bound("alice", "1")]])
def test_what_may_be_late_is_told_once(bindings):
    """As a namesake in the agent's way, or as a double of the bound agent, and not a second time."""
    observed = observation([profile("1", "Alice"), LATE_ALICE][not bindings :], bindings, withdrawn=(withdrawn(LATE),))
    made = plan(roster(agent("alice")), replace(observed, same_picture={("n1", "5"): False}))

    assert ["5"] == [change.profile_id for change in made.changes] + [double.id for *_, double in made.doubles]
    assert () == made.undecided


@pytest.mark.parametrize(("ago", "action"), [(REMEMBERED_MS, "adopt"), (REMEMBERED_MS + 1, "blocked")])
def test_a_withdrawn_intent_is_remembered_for_two_days(ago, action):
    """Then what bears its name is a stranger."""
    late = observation([LATE_ALICE], withdrawn=(withdrawn(LATE, ago=ago),), same_picture={("n1", "5"): True})

    assert (2 * DAY, [action]) == (REMEMBERED_MS, [step[0] for step in steps(plan(roster(agent("alice")), late))])


def test_a_stranger_is_never_destroyed_for_an_intent_without_a_picture():
    """Name and time alone don't make a namesake ours, as a ledger of an earlier version would have it."""
    former = withdrawn(replace(LATE, picture=""))
    observed = observation([profile("1", "Alice"), LATE_ALICE], [bound("alice", "1")], withdrawn=(former,))

    assert [] == steps(plan(roster(agent("alice")), observed))


def test_what_an_open_intent_claims_is_not_late():
    """The second create made a profile, the first one nothing: there is one to adopt, and none to destroy."""
    again = intent("alice", begun=NOW - 30_000, nonce="n2", picture="of alice")
    same_picture = {("n1", "5"): True, ("n2", "5"): True}
    observed = observation([LATE_ALICE], intents=[again], withdrawn=(withdrawn(LATE),), same_picture=same_picture)

    assert [("adopt", "alice", ("unanswered",), "5")] == steps(plan(roster(agent("alice")), observed))


def test_nothing_late_is_decided_about_an_agent_in_doubt():
    """While another create of the agent's is pending, what the first one made stays."""
    again = intent("alice", begun=NOW - 10_000, nonce="n2", picture="of alice")
    same_picture = {("n1", "5"): True, ("n2", "5"): True}
    observed = observation([LATE_ALICE], intents=[again], withdrawn=(withdrawn(LATE),), same_picture=same_picture)

    assert [("blocked", "alice", ("unsettled",), None)] == steps(plan(roster(agent("alice")), observed))


@pytest.mark.parametrize(
    ("strangers", "doubles"), [([], []), ([profile("9", "Alice")], ["9"]), ([profile("9", "Bruno")], [])]
)
def test_a_stranger_with_a_bound_agent_s_name_is_named(strangers, doubles):
    """It changes nothing in the plan, but customers see two of that name."""
    bindings = [bound("alice", "1")]
    one = plan(roster(agent("alice")), observation([profile("1", "Alice"), *strangers], bindings))

    assert [("acme", "alice", profile(stranger, "Alice")) for stranger in doubles] == list(one.doubles)
    assert () == one.changes


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Tom & Jo", "Tom &amp; Jo"),
        ("Tom  Jo", "Tom Jo"),
        ("D\u00f3ra", "Do\u0301ra"),
        ("Kim \U0001f469\U0001f3fd\u200d\U0001f4bb", "Kim"),
    ],
)
def test_another_spelling_of_a_name_neither_blocks_nor_replaces(name, shown):
    """It is what X makes of the name: noted, and from then on known."""
    first = bound("alice", "1", name)
    desired = roster(agent("alice", name))
    fresh = plan(desired, observation([profile("1", shown)], [first]))
    noted = plan(desired, observation([profile("1", shown)], [replace(first, name_as_shown=shown)]))

    assert ((), (("acme", first, shown),)) == (fresh.changes, fresh.spellings)
    assert ((), ()) == (noted.changes, noted.spellings)


@pytest.mark.parametrize("shown", ["Tom &amp; Jo", " Tom  &  Jo", "Tom & Jo \U0001f600"])
def test_another_spelling_of_a_name_is_adopted(shown):
    """What an unanswered create made is recognised by the name as X writes it."""
    open_intent = intent("alice", "Tom & Jo", begun=NOW - 1000)
    observed = observation([profile("5", shown, NOW - 500)], intents=[open_intent])

    assert [("adopt", "alice", ("unanswered",), "5")] == steps(plan(roster(agent("alice", "Tom & Jo")), observed))


@pytest.mark.parametrize("shown", ["Tom &amp; Jo", "Tom  & Jo", unicodedata.normalize("NFD", "Tom & Jo")])
def test_another_spelling_of_a_name_is_a_namesake(shown):
    """A stranger of that name makes it impossible to tell later which profile a create made."""
    assert [("blocked", "alice", ("namesake",), "9")] == steps(
        plan(roster(agent("alice", "Tom & Jo")), observation([profile("9", shown)]))
    )


def test_strangers_are_told_apart_from_ours():
    """Bound, retired and adopted profiles are ours; all others are counted as unmanaged."""
    found = observation(
        [profile("1", "Alice"), profile("2", "Old"), profile("9", "Nobody")],
        [bound("alice", "1")],
        retired=[Retired("2", "alice", "Old", NOW, "replaced")],
    )

    assert [("acme", profile("9", "Nobody"))] == list(plan(roster(agent("alice")), found).strangers)


def test_prune_now_ends_every_grace():
    """--prune-now destroys what was replaced a second ago."""
    found = observation(
        [profile("1", "Alice")], [bound("alice", "1")], retired=[Retired("0", "alice", "Al", NOW, "replaced")]
    )

    assert steps(plan(roster(agent("alice")), found, prune_now=True)) == [("destroy", "alice", ("replaced",), "0")]


def test_only_chosen_agents_take_part():
    """--agent leaves everybody else as they are."""
    chosen = frozenset({"bruno"})

    assert [
        c.agent for c in plan(roster(agent("alice"), agent("bruno")), observation(), only_agents=chosen).changes
    ] == ["bruno"]


def test_protection_holds_for_an_agent_whose_last_day_is_over():
    """`protected` in the roster protects at once, also when `until` came with it."""
    found = observation([profile("1", "Alice")], [bound("alice", "1")])
    one = plan(roster(agent("alice", until=date(2027, 1, 14), protected=True)), found)

    assert ((), (("acme", "alice", True),)) == (one.changes, one.protections)


def test_only_chosen_agents_are_counted():
    """--agent leaves the others out of the count too."""
    found = observation([profile("1", "Alice"), profile("2", "Bruno")], [bound("alice", "1"), bound("bruno", "2")])
    wanted = roster(agent("alice"), agent("bruno"))

    assert 1 == plan(wanted, found, only_agents=frozenset({"bruno"})).unchanged


def test_protection_is_remembered_while_the_entry_exists():
    """A change of `protected` is something to write down, not something to do at X."""
    found = observation([profile("1", "Alice")], [bound("alice", "1")])
    one = plan(roster(agent("alice", protected=True)), found)

    assert (one.changes, one.protections) == ((), (("acme", "alice", True),))


def _team(size, leaving, **policy):
    keys = [f"a{number}" for number in range(size)]
    found = observation(
        [profile(str(number), key.title()) for number, key in enumerate(keys)],
        [bound(key, str(number)) for number, key in enumerate(keys)],
    )
    staying = [agent(key) for key in keys[leaving:]] or [agent("new")]
    return roster(*staying, **policy), found


@pytest.mark.parametrize(
    ("size", "leaving", "guard"),
    [
        (1, 1, None),
        (4, 1, None),
        (4, 2, "max_delete_ratio"),
        (12, 3, None),
        (12, 4, "max_delete_ratio"),
        (40, 5, None),
        (40, 6, "max_deletes"),
        (400, 400, "max_deletes"),
    ],
)
def test_guards_refuse_mass_deletions(size, leaving, guard):
    """More than five, or more than a quarter of the agents, don't go at once; a single one always may."""
    refused = plan(*_team(size, leaving)).refused

    assert guard == (refused.guard if refused else None)


def test_a_refusal_names_the_option_that_allows_the_plan():
    """The message has the figures, and the option has exactly the number that this plan needs."""
    refused = plan(*_team(40, 7)).refused

    assert refused.message == "brand acme: 7 of 40 agents would be deleted, the policy allows 5 at once"
    assert refused.allow == "--allow-deletes 7"
    assert "a larger max_deletes in the roster's [policy] such plans from now on; `--agent KEY`" in refused.ways_on
    assert [("acme", f"a{number}") for number in range(7)] == sorted(refused.agents)


def test_a_disagreement_doesn_t_point_to_a_limit_that_an_option_replaces():
    """Whoever has given a number isn't sent to the roster's."""
    refused = plan(*_team(40, 7), allow_deletes=6).refused

    assert "[policy]" not in refused.ways_on


@pytest.mark.parametrize(("allowed", "refused"), [(6, True), (7, False), (8, False)])
def test_allow_deletes_is_an_agreement_on_a_number(allowed, refused):
    """A person's number replaces both limits, and is kept to."""
    assert refused == (plan(*_team(40, 7), allow_deletes=allowed).refused is not None)


def _lossy(size, lost):
    """Return a team of which X has lost some."""
    desired, observed = _team(size, 0)
    gone = frozenset(str(number) for number in range(lost))
    return desired, replace(observed, profiles=observed.profiles[lost:], gone=gone)


@pytest.mark.parametrize(
    ("size", "lost", "is_refused"),
    [
        (1, 1, False),
        (4, 1, False),
        (4, 2, True),
        (12, 3, False),
        (12, 4, True),
        (40, 5, False),
        (40, 6, True),
        (400, 400, True),
    ],
)
def test_guards_refuse_mass_losses(size, lost, is_refused):
    """More than five, or more than a quarter of the profiles, gone at once look like another account."""
    refused = plan(*_lossy(size, lost)).refused

    assert ("lost" if is_refused else None) == (refused.guard if refused else None)


def test_a_refusal_of_losses_names_its_option():
    """With the figures, and exactly the number that this plan needs."""
    refused = plan(*_lossy(40, 7)).refused

    assert "brand acme: 7 of 40 profiles are gone from X, which looks like another account" == refused.message
    assert "--allow-lost 7" == refused.allow
    assert 7 == len(refused.agents)
    assert "`profilectl profiles list` names them" in refused.ways_on


@pytest.mark.parametrize(("allowed", "is_refused"), [(0, True), (6, True), (7, False), (8, False)])
def test_allow_lost_is_an_agreement_on_a_number(allowed, is_refused):
    """A person's number replaces both limits, and is kept to; it says nothing about deletions."""
    assert is_refused == (plan(*_lossy(40, 7), allow_lost=allowed).refused is not None)
    assert plan(*_lossy(40, 7), allow_deletes=allowed).refused is not None


@pytest.mark.parametrize(("share", "is_refused"), [(0.28, True), (0.29, False), (0.3, False)])
def test_a_ratio_is_exact(share, is_refused):
    """29 of 100 are 0.29, whatever a float makes of it, for deletions as for losses."""
    desired, observed = _team(100, 29, max_deletes=100, max_delete_ratio=share)
    lossy, lost = _lossy(100, 29)
    lossy = replace(lossy, policy=desired.policy)

    assert is_refused == (plan(desired, observed).refused is not None)
    assert is_refused == (plan(lossy, lost).refused is not None)


def test_replacements_are_not_deletions():
    """Renaming everybody passes the guards."""
    _, found = _team(40, 0)
    renamed = roster(*(agent(f"a{number}", f"Name {number}") for number in range(40)))

    assert (plan(renamed, found).summary()["replace"], plan(renamed, found).refused) == (40, None)


def test_each_brand_is_compared_with_its_own_account():
    """The same agent may be unchanged in one brand and new in the next; changes keep the brands' order."""
    wanted = roster(agent("alice"), agent("alice", "Ally", brand="beta"))
    one = plan(wanted, observation([profile("1", "Alice")], [bound("alice", "1")]), observation(brand="beta"))

    assert [
        Change("beta", "alice", Action.CREATE, (Reason.NEW,), None, None, Appearance("Ally", digest("a.png")))
    ] == list(one.changes)


def test_digest_follows_the_changes():
    """Equal plans have equal digests, a different name makes another one."""
    first, same, other = (plan(roster(agent("alice", name)), observation()) for name in ("Alice", "Alice", "Ally"))

    assert first.digest == same.digest != other.digest


names = st.sampled_from(["Alice", "Bruno", "Chidi", "Dora"])
agents = st.lists(st.tuples(st.sampled_from("abcdef"), names), unique_by=lambda pair: pair[0], min_size=1)


@given(agents, agents, st.lists(names, max_size=3))
def test_plans_obey_their_laws(before, after, strangers):
    """Only ours is destroyed, each agent is created at most once, and carrying it out leaves nothing to do."""
    bindings = [bound(key, f"1{number}", name) for number, (key, name) in enumerate(before)]
    profiles = [profile(one.profile_id, one.name) for one in bindings]
    profiles += [profile(f"9{number}", name) for number, name in enumerate(strangers)]
    wanted = roster(*(agent(key, name) for key, name in after))
    one = plan(wanted, observation(profiles, bindings), allow_deletes=99)

    touched = {c.profile_id for c in one.changes if c.action in {Action.DELETE, Action.DESTROY, Action.REPLACE}}
    assert touched <= {binding.profile_id for binding in bindings}
    creating = [c.agent for c in one.changes if c.creates]
    assert len(set(creating)) == len(creating)
    assert [c for c in _again(wanted, one, profiles, bindings).changes if c.action is not Action.BLOCKED] == []


def _again(wanted, one, profiles, bindings):
    """Plan once more after the plan was carried out by hand."""
    kept = {binding.agent: binding for binding in bindings}
    for number, change in enumerate(one.changes):
        if change.creates:
            kept[change.agent] = bound(change.agent, f"5{number}", change.goal.name)
            profiles = [*profiles, profile(f"5{number}", change.goal.name)]
        if change.action is Action.DELETE:
            del kept[change.agent]
        if change.action in {Action.DELETE, Action.REPLACE}:
            profiles = [p for p in profiles if p.id != change.profile_id]
    return plan(wanted, observation(profiles, kept.values()), allow_deletes=99)


PIXEL_CASES = {
    "the same pixels": ({"sha256:a.png": "1", "sha256:b.png": "1"}, []),
    "other pixels": ({"sha256:a.png": "1", "sha256:b.png": "2"}, [("replace", "alice", ("avatar",), "1")]),
    "pixels that are unknown of the one that is live": (
        {"sha256:b.png": "1"},
        [("replace", "alice", ("avatar",), "1")],
    ),
    "pixels that are unknown of the new one": ({"sha256:a.png": "1"}, [("replace", "alice", ("avatar",), "1")]),
}


@pytest.mark.parametrize("case", PIXEL_CASES, ids=str)
def test_another_file_is_another_picture_unless_it_shows_the_same(case):
    """A new file with …"""
    pixels, expected = PIXEL_CASES[case]
    observed = observation([profile("1", "Alice")], [bound("alice", "1")])

    assert expected == steps(plan(roster(agent("alice", avatar="b.png")), observed, pixels=pixels))


def test_the_same_pixels_are_nothing_to_be_blocked_for():
    """A stranger with the agent's name is in the way of a new profile, and none is to be made."""
    observed = observation([profile("1", "Alice"), profile("2", "Alice")], [bound("alice", "1")])
    same = {"sha256:a.png": "1", "sha256:b.png": "1"}
    desired = roster(agent("alice", avatar="b.png"))

    assert [("blocked", "alice", ("namesake",), "2")] == steps(plan(desired, observed))
    assert [] == steps(plan(desired, observed, pixels=same))
