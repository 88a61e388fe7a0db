"""What a plan leaves as it is, and which agents it is about."""

from __future__ import annotations

from datetime import date

from profilectl.model import Agent, Binding, Brand, Kind, LedgerState, Picture, Policy, Profile, Retired, Roster
from profilectl.plan.builder import build
from profilectl.plan.changes import Action
from profilectl.plan.intents import Observation
from profilectl.plan.notices import Notice, NoticeKind

NOW = 1_800_000_000_000
TODAY = date(2027, 1, 15)
PICTURES = {"a.png": Picture("a.png", "sha256:a", 1)}


def agent(key, **more):
    return Agent(key, "acme", key.title(), "a.png", Kind.HUMAN, **more)


def plan(*agents, bindings=(), retired=(), listed=(), **options):
    state = LedgerState(bindings=tuple(bindings), retired=tuple(retired))
    bound = [Profile(binding.profile_id, binding.name, "", NOW) for binding in bindings]
    profiles = (*bound, *(Profile(entry.profile_id, entry.name, "", NOW) for entry in retired), *listed)
    seen = Observation("acme", profiles, NOW, state, "1")
    roster = Roster((Brand("acme", "acmecare"),), agents, Policy(retire_after=900))
    return build(roster, PICTURES, [seen], today=TODAY, **options)


def bound(key, **more):
    fields = {"name": key.title(), "avatar": "sha256:a", **more}
    return Binding(key, f"1{len(key)}", created_ms=NOW, bound_ms=NOW, **fields)


def test_who_comes_later_is_planned_and_not_made():
    """On the first day the profile is made."""
    later = plan(agent("alice", starts=date(2027, 1, 16)))

    assert ((), (Notice("acme", "alice", NoticeKind.UPCOMING, date(2027, 1, 16)),)) == (later.changes, later.notices)
    assert [Action.CREATE] == [change.action for change in plan(agent("alice", starts=TODAY)).changes]


def test_who_has_a_profile_before_the_first_day_keeps_it():
    """A day that was moved deletes nothing, and the day and the profile are told."""
    moved = plan(agent("alice", starts=date(2027, 1, 16)), bindings=[bound("alice")])

    assert ((), 1) == (moved.changes, moved.unchanged)
    assert (Notice("acme", "alice", NoticeKind.UPCOMING, date(2027, 1, 16), profile_id="15"),) == moved.notices


def test_the_last_day_is_told_with_what_goes():
    """Of a protected agent too, whose profile stays."""
    leaver = agent("alice", until=date(2027, 1, 14))
    gone = plan(leaver, bindings=[bound("alice")])
    kept = plan(agent("alice", until=date(2027, 1, 14), protected=True), bindings=[bound("alice", protected=True)])

    assert [Action.DELETE] == [change.action for change in gone.changes]
    assert [(NoticeKind.ENDED, date(2027, 1, 14))] == [(notice.kind, notice.day) for notice in gone.notices]
    assert [(NoticeKind.PROTECTED_ENDED, date(2027, 1, 14))] == [(n.kind, n.day) for n in kept.notices]
    assert () == kept.changes


def test_a_protected_profile_without_an_entry_is_named():
    """It counts as unchanged, as ever."""
    made = plan(agent("bob"), bindings=[bound("alice", protected=True), bound("bob")])

    assert [("alice", NoticeKind.PROTECTED, "15")] == [(n.agent, n.kind, n.profile_id) for n in made.notices]
    assert 2 == made.unchanged


def test_a_replaced_profile_is_told_with_its_moment():
    """Fifteen minutes after it was replaced; once they are over, it is a change."""
    retired = Retired("9", "alice", "Alice", NOW - 60_000, "replaced")
    waiting = plan(agent("alice"), bindings=[bound("alice")], retired=[retired])
    over = plan(
        agent("alice"), bindings=[bound("alice")], retired=[Retired("9", "alice", "A", NOW - 10**7, "replaced")]
    )

    assert [(NoticeKind.RETIRED, NOW + 840_000, "9")] == [(n.kind, n.at_ms, n.profile_id) for n in waiting.notices]
    assert ((), [Action.DESTROY]) == (over.notices, [change.action for change in over.changes])


def test_a_muted_field_does_not_count():
    """The other field still does, with what is there in place of the muted one."""
    binding = bound("alice", avatar="sha256:old", name="Ally")
    muted = frozenset({("alice", "avatar")})
    [change] = (made := plan(agent("alice"), bindings=[binding], muted=muted)).changes

    assert (("name",), "sha256:old") == (change.why, change.goal.avatar)
    assert [(NoticeKind.MUTED, "avatar")] == [(notice.kind, notice.field) for notice in made.notices]
    quiet = plan(agent("alice"), bindings=[binding], muted=muted | {("alice", "name")})
    assert ((), 1) == (quiet.changes, quiet.unchanged)


def test_who_is_not_selected_is_left_alone():
    """Neither changed nor deleted, nor told of: not even an agent who left the roster."""
    bindings = [bound("alice", name="Old"), bound("bruno", name="Old"), bound("carolina")]
    chosen = plan(agent("alice"), agent("bruno"), bindings=bindings, labelled={"acme": frozenset({"alice"})})
    nobody = plan(agent("alice"), agent("bruno"), bindings=bindings, labelled={})

    assert ["alice"] == [change.agent for change in chosen.changes]
    assert ((), 0) == (nobody.changes, nobody.unchanged)


def test_a_young_profile_that_x_does_not_list_is_told_until_it_has_settled():
    """From the moment on at which X should list it, it counts as missing."""
    state = LedgerState(bindings=(bound("alice"),))
    roster = Roster((Brand("acme", "acmecare"),), (agent("alice"),), Policy(settle_after=60))
    young, old = (
        build(roster, PICTURES, [Observation("acme", (), NOW + age, state, "1")], today=TODAY)
        for age in (59_999, 60_000)
    )

    expected = Notice("acme", "alice", NoticeKind.SETTLING, at_ms=NOW + 60_000, profile_id="15")
    assert ((expected,), ()) == (young.notices, old.notices)
    assert () == young.changes
