"""Plans as a table: what is there, what is wanted, what is to be done."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profilectl.model import Agent, Binding, Brand, Intent, Kind, LedgerState, Picture, Policy, Profile, Retired, Roster
from profilectl.plan.builder import build
from profilectl.plan.changes import Action, Appearance, Change, Reason
from profilectl.plan.intents import IntentStatus, Observation, resolve

NOW = 1_800_000_000_000
OLD = NOW - 3_600_000
TODAY = date(2027, 1, 15)


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


def intent(key, name=None, *, begun=OLD, listed=(), **more):
    attempted = more.pop("attempted", begun)
    return Intent("n1", key, name or key.title(), digest("a.png"), frozenset(listed), begun, 1, attempted, **more)


def observation(profiles=(), bindings=(), intents=(), retired=(), brand="acme"):
    return Observation(brand, tuple(profiles), NOW, LedgerState(tuple(bindings), tuple(intents), tuple(retired)))


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
    "a bound profile that is gone from X is created again, first": (
        roster(agent("bruno"), agent("alice")),
        observation([], [bound("alice", "1")]),
        [("create", "alice", ("lost",), None), ("create", "bruno", ("new",), None)],
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


FOUR_PROOFS = {
    "name": profile("5", "Alicia", NOW - 500),
    "not listed before": profile("4", "Alice", NOW - 500),
    "not known": profile("3", "Alice", NOW - 500),
    "created after": profile("5", "Alice", NOW - 1001),
}


@pytest.mark.parametrize("missing", FOUR_PROOFS, ids=str)
def test_adoption_needs_each_of_its_four_proofs(missing):
    """A profile that lacks one proof isn't taken for the one that an unanswered create made."""
    found = observation([FOUR_PROOFS[missing]], [bound("bob", "3")], [intent("alice", begun=NOW - 1000, listed=["4"])])

    assert resolve(found.ledger_state.intents[0], found, 60) == (IntentStatus.PENDING, ())


def test_settle_time_counts_from_the_last_attempt():
    """An intent that was attempted again just now isn't given up because it is old."""
    found = observation(intents=[intent("alice", begun=OLD, attempted=NOW - 1000)])

    assert resolve(found.ledger_state.intents[0], found, 60) == (IntentStatus.PENDING, ())


def test_withdrawals_name_the_intents_that_made_nothing():
    """The plan says which intents are to be closed before anything is created again."""
    assert plan(roster(agent("alice")), observation(intents=[intent("alice")])).withdrawals == (("acme", "n1"),)


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


@pytest.mark.parametrize(("allowed", "refused"), [(6, True), (7, False), (8, False)])
def test_allow_deletes_is_an_agreement_on_a_number(allowed, refused):
    """A person's number replaces both limits, and is kept to."""
    assert refused == (plan(*_team(40, 7), allow_deletes=allowed).refused is not None)


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
