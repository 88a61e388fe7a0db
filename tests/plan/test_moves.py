"""A ledger that follows changed keys: what goes along, and what a person has to decide."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from profilectl.model import (
    Agent,
    Binding,
    Brand,
    Intent,
    Kind,
    LedgerState,
    Move,
    Picture,
    Profile,
    Retired,
    Roster,
    WithdrawnIntent,
)
from profilectl.plan.builder import build
from profilectl.plan.changes import Action, Reason
from profilectl.plan.intents import Observation
from profilectl.plan.moves import Followed, follow

OLD = 1_700_000_000_000
MOVE = Move("afast", "alice")
PICTURE = "sha256:a"


def bound(key, profile_id, name="Alice"):
    return Binding(key, profile_id, name, PICTURE, OLD, OLD)


def intent(key, nonce="n1"):
    return Intent(nonce, key, "Alice", PICTURE, frozenset(), OLD, attempted_ms=OLD)


def planned(state, *moves, agents=("alice",)):
    """Plan for these agents of one brand, whose bound profiles X lists."""
    followed = follow(state, moves)
    roster = Roster(
        (Brand("acme", "acmecare"),),
        tuple(Agent(key, "acme", "Alice", "a.png", Kind.HUMAN) for key in agents),
        moved=moves,
    )
    listed = tuple(Profile(each.profile_id, each.name, "", each.created_ms) for each in state.bindings)
    seen = Observation("acme", listed, OLD + 10_000_000, followed.state, "1", readings=2, watched_ms=10_000_000)
    seen = replace(seen, renames=followed.renames, conflicts=followed.conflicts)
    return build(roster, {"a.png": Picture("a.png", PICTURE, 9)}, [seen], today=date(2027, 1, 1))


def test_everything_under_the_former_key_goes_along():
    """Binding, intents, retired profiles and a block are the new key's; what others have stays theirs."""
    state = LedgerState(
        bindings=(bound("afast", "1"), bound("bob", "2")),
        intents=(intent("afast"),),
        retired=(Retired("3", "afast", "Alice", OLD, "replaced"),),
        withdrawn=(WithdrawnIntent(intent("afast", "n0"), OLD),),
        blocked=frozenset({"afast", "carol"}),
    )
    expected = LedgerState(
        bindings=(bound("alice", "1"), bound("bob", "2")),
        intents=(intent("alice"),),
        retired=(Retired("3", "alice", "Alice", OLD, "replaced"),),
        withdrawn=(WithdrawnIntent(intent("alice", "n0"), OLD),),
        blocked=frozenset({"alice", "carol"}),
    )
    assert Followed(expected, (MOVE,)) == follow(state, [MOVE])


def test_a_ledger_that_followed_has_nothing_to_do():
    """What was followed already changes nothing, and neither does an entry about nobody."""
    state = LedgerState(bindings=(bound("alice", "1"),))
    assert Followed(state) == follow(state, [MOVE, Move("x", "y")])
    assert ((), 1) == ((plan := planned(state, MOVE)).changes, plan.unchanged)


def test_a_rename_is_one_step_that_makes_nothing():
    """A plan names the agent under both keys, and neither creates nor deletes."""
    plan = planned(LedgerState(bindings=(bound("afast", "1"),)), MOVE)
    assert [("alice", Action.RENAME, "afast", "1")] == [
        (change.agent, change.action, change.former, change.profile_id) for change in plan.changes
    ]
    assert (1, 0, 0) == (plan.summary()["rename"], plan.summary()["create"], plan.summary()["delete"])
    assert 0 == plan.summary()["unchanged"]  # an agent is counted once


def test_two_profiles_wait_for_a_person():
    """Where both keys have a profile neither is touched, and a person has to decide."""
    state = LedgerState(bindings=(bound("afast", "1"), bound("alice", "2", "Alice B.")))
    plan = planned(state, MOVE)
    assert [("alice", Action.BLOCKED, (Reason.BOTH,), "1")] == [
        (change.agent, change.action, change.why, change.profile_id) for change in plan.changes
    ]
    assert plan.changes == plan.needing_a_person()


def test_two_open_creates_wait_for_x():
    """Where both keys have an open create X's list settles them first, and nothing is made or destroyed."""
    plan = planned(LedgerState(intents=(intent("afast"), intent("alice", "n2"))), MOVE)
    assert [Action.BLOCKED] == [change.action for change in plan.changes]
    assert plan.changes[0].waits


def test_a_block_holds_under_the_new_key():
    """Who was offboarded under the former key is blocked under the new one, and their profile goes."""
    plan = planned(LedgerState(bindings=(bound("afast", "1"),), blocked=frozenset({"afast"})), MOVE)
    assert [
        (Action.RENAME, (Reason.MOVED,)),
        (Action.DELETE, (Reason.OFFBOARDED,)),
        (Action.BLOCKED, (Reason.OFFBOARDED,)),
    ] == [(change.action, change.why) for change in plan.changes]


def test_a_protected_agent_stays_protected():
    """What the ledger remembers of a protection goes along with the binding."""
    state = follow(LedgerState(bindings=(replace(bound("afast", "1"), protected=True),)), [MOVE]).state
    assert state.bindings[0].protected


def test_a_second_former_key_collides_with_the_first():
    """Of two former keys that both have a profile the second is a person's to decide."""
    state = LedgerState(bindings=(bound("one", "1"), bound("two", "2")))
    followed = follow(state, [Move("one", "alice"), Move("two", "alice")])
    assert ((Move("one", "alice"),), (Move("two", "alice"),)) == (followed.renames, followed.conflicts)


@pytest.mark.parametrize(("blocked", "live"), [("alice", "afast"), ("afast", "alice")])
def test_a_block_is_never_carried_to_somebody_who_is_live(blocked, live):
    """Where one key was offboarded and the other one has a profile they may be two people: nobody's face ends."""
    plan = planned(LedgerState(bindings=(bound(live, "1"),), blocked=frozenset({blocked})), MOVE)
    assert [("alice", Action.BLOCKED, (Reason.DIVIDED,))] == [
        (change.agent, change.action, change.why) for change in plan.changes
    ]
    assert plan.changes == plan.needing_a_person()
