"""A key that was changed, over every engine: one transaction, and a record that explains every row."""

from __future__ import annotations

import contextlib

import pytest

from profilectl.audit.queries import faces_of
from profilectl.audit.replay import differences, replay
from profilectl.errors import LedgerConflict
from profilectl.model import Account, Dispatch, Intent, LocalTime, Profile

LOCAL = LocalTime("a start", 7)


def intent(agent, nonce):
    return Intent(nonce, agent, "Alice A.", "sha256:aa", frozenset({"7"}), 10, attempted_ms=10)


def profile(id):
    return Profile(id, "Alice A.", f"https://pbs.example/{id}.jpg", 20)


def bind(ledger, agent, id, now_ms=30):
    ledger.begin_intent("1", intent(agent, f"n{id}"))
    ledger.finish_intent("1", f"n{id}", profile(id), now_ms, adopted=False)


def disagreements(ledger):
    image = replay(record.event for record in ledger.events())
    return [*differences(image, "1", ledger.state_of("1"), ledger.open_dispatches("1"))]


@pytest.fixture
def busy(ledger):
    """A ledger in which `afast` has a profile, a former one, an open and a withdrawn create, and an open message."""
    ledger.register_account("acme", Account("1", "acmecare", "api.x.com"), 5)
    bind(ledger, "afast", "100")
    bind(ledger, "afast", "101")
    ledger.begin_intent("1", intent("afast", "n1"))
    ledger.cancel_intent("1", "n1", "not there", 40, was_sent=True)
    ledger.begin_intent("1", intent("afast", "n2"))
    ledger.begin_send("1", Dispatch("k", "d1", "afast", "9", "f", "101", 50), None)
    ledger.block("1", "afast", 60)
    return ledger


def test_everything_goes_along(busy):
    """Binding, creates, retired profiles, open messages and the block are the new key's, none the old one's."""
    busy.change_key("1", "afast", "alice", 70)
    state = busy.state_of("1")
    agents = [
        state.bindings[0].agent,
        state.intents[0].agent,
        state.retired[0].agent,
        state.withdrawn[0].intent.agent,
        busy.open_dispatches("1")[0].agent,
        *state.blocked,
    ]
    assert ["alice"] * 6 == agents
    assert ("101", "100") == (state.binding("alice").profile_id, state.retired[0].profile_id)


def test_the_record_explains_it(busy):
    """The record replayed gives the rows as they are, and says that the profile was another key's before."""
    busy.change_key("1", "afast", "alice", 70)
    assert [] == disagreements(busy)
    assert ["renamed", "adopted"] == [record.event.what for record in busy.events()][-2:]
    faces = [(face.agent, face.profile_id, face.why) for face in faces_of(busy, "1")]
    assert [("afast", "100", "replaced"), ("afast", "101", "renamed"), ("alice", "101", None)] == faces


def test_life_goes_on_under_the_new_key(ledger):
    """A renamed agent is replaced, retired and destroyed as any other."""
    bind(ledger, "afast", "100")
    ledger.change_key("1", "afast", "alice", 40)
    bind(ledger, "alice", "101", 50)
    ledger.retire("1", "alice", 60)
    ledger.drop("1", "101", 70)
    assert ("100", "alice") == ((left := ledger.state_of("1").retired[0]).profile_id, left.agent)
    assert [] == disagreements(ledger)


@pytest.mark.parametrize("make", ["bindings", "intents"])
def test_two_of_a_kind_are_refused(ledger, make):
    """Where both keys have a profile, or both an open create, nothing at all changes."""
    for agent, number in (("afast", "100"), ("alice", "101")):
        if make == "bindings":
            bind(ledger, agent, number)
        else:
            ledger.begin_intent("1", intent(agent, f"n{number}"))
    before, last = ledger.state_of("1"), ledger.last_seq()
    with pytest.raises(LedgerConflict, match="afast and alice each have"):
        ledger.change_key("1", "afast", "alice", 40)
    assert (before, last) == (ledger.state_of("1"), ledger.last_seq())


def test_a_block_of_both_is_one(ledger):
    """A block under either key, or both, blocks the new one."""
    ledger.block("1", "afast", 10)
    ledger.block("1", "alice", 11)
    ledger.change_key("1", "afast", "alice", 12)
    assert frozenset({"alice"}) == ledger.state_of("1").blocked
    assert [] == disagreements(ledger)


def test_what_fails_in_between_leaves_all_as_it_was(busy):
    """When the transaction doesn't end, no row and no record of it is kept."""
    before, last = busy.state_of("1"), busy.last_seq()
    with contextlib.suppress(KeyboardInterrupt), busy.batch():
        busy.change_key("1", "afast", "alice", 70)
        assert busy.state_of("1") != before
        raise KeyboardInterrupt
    assert (before, last) == (busy.state_of("1"), busy.last_seq())
