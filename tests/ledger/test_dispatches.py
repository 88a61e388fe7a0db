"""A message is promised before it leaves and concluded once; the ledger knows which event at X was whose."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from profilectl.errors import InputRefused, LedgerConflict, TryLater
from profilectl.model import Dispatch, Event, Profile

ACCOUNT = "42"
PROMISED = Dispatch("k", "n1", "alice", "7007", "sha256:f", "100001", 1000)
SENT = Dispatch("k", "n1", "alice", "7007", "sha256:f", "100001", 1000, "900", confirmed=True)
EVENT = Event("sent", ACCOUNT, 2000, "alice", "100001")
BACK = Event("taken-back", ACCOUNT, 3000, "alice", "100001")


@pytest.fixture
def ledger(ledger):
    """A ledger in which the agent has the face that the messages carry."""
    face = Profile("100001", "Alice", "", 1)
    ledger.adopt(ACCOUNT, "alice", face, name="Alice", avatar="sha256:a", protected=False, now_ms=1)
    return ledger


def test_a_promise_is_there_before_anything_is_sent(ledger, engine):
    """What was promised can be read by the next process."""
    ledger.begin_send(ACCOUNT, PROMISED, None)
    with engine.reader() as reader:
        assert PROMISED == reader.dispatch(ACCOUNT, "k")


def test_an_open_promise_is_nobody_elses(ledger):
    """Two processes can't send the same message: the second is told to look again later."""
    ledger.begin_send(ACCOUNT, PROMISED, None)
    with pytest.raises(TryLater, match="is being sent by another process"):
        ledger.begin_send(ACCOUNT, PROMISED, None)
    assert PROMISED == ledger.dispatch(ACCOUNT, "k")


def test_a_conclusion_is_one_transaction_with_its_record(ledger):
    """Event, face and audit record are written together, and the profile counts as seen."""
    ledger.begin_send(ACCOUNT, PROMISED, None)
    ledger.finish_send(ACCOUNT, SENT, EVENT)

    assert SENT == ledger.dispatch(ACCOUNT, "k")
    assert (True, False) == (ledger.is_delivery(ACCOUNT, "900"), ledger.is_delivery(ACCOUNT, "901"))
    assert 2000 == ledger.seen_ms(ACCOUNT, "100001")
    assert ["adopted", "promised", EVENT.what] == [record.event.what for record in ledger.events()]


def test_a_face_that_was_not_confirmed_is_not_seen(ledger):
    """Only what X showed counts as seen."""
    ledger.begin_send(ACCOUNT, PROMISED, None)
    ledger.finish_send(ACCOUNT, Dispatch("k", "n1", "alice", "7007", "sha256:f", "100001", 1000, "900"), EVENT)

    assert 0 == ledger.seen_ms(ACCOUNT, "100001")


def test_what_surely_was_not_sent_is_taken_back(ledger):
    """An open promise can be taken back, a concluded one stays."""
    ledger.begin_send(ACCOUNT, PROMISED, None)
    ledger.cancel_send(ACCOUNT, PROMISED, BACK)
    gone = ledger.dispatch(ACCOUNT, "k")
    ledger.begin_send(ACCOUNT, PROMISED, None)
    ledger.finish_send(ACCOUNT, SENT, EVENT)
    ledger.cancel_send(ACCOUNT, PROMISED, BACK)

    assert (None, SENT) == (gone, ledger.dispatch(ACCOUNT, "k"))
    whats = [record.event.what for record in ledger.events()]
    assert ["adopted", "promised", "taken-back", "promised", "sent"] == whats


def test_a_key_may_stand_for_a_new_message_once_the_old_one_is_out(ledger):
    """The event of the old one stays known, so that it is never taken for the new one."""
    ledger.begin_send(ACCOUNT, PROMISED, None)
    ledger.finish_send(ACCOUNT, SENT, EVENT)
    again = Dispatch("k", "n2", "alice", "7007", "sha256:f", "100001", 900_000)
    ledger.begin_send(ACCOUNT, again, SENT)

    assert again == ledger.dispatch(ACCOUNT, "k")
    assert ledger.is_delivery(ACCOUNT, "900")


def test_who_is_blocked_stays_blocked_until_a_person_says_otherwise(ledger):
    """Blocking and allowing are recorded; allowing somebody who isn't blocked changes nothing."""
    ledger.block(ACCOUNT, "alice", 5)
    blocked = ledger.state_of(ACCOUNT).blocked
    ledger.unblock(ACCOUNT, "alice", 6)
    ledger.unblock(ACCOUNT, "alice", 7)

    assert ({"alice"}, frozenset()) == (blocked, ledger.state_of(ACCOUNT).blocked)
    assert ["adopted", "blocked", "unblocked"] == [record.event.what for record in ledger.events()]


def test_only_what_was_looked_at_is_overwritten(ledger):
    """Two processes that both found the key free, or both found an old message under it, don't both send."""
    second, third = (replace(PROMISED, nonce=nonce) for nonce in ("n2", "n3"))
    ledger.begin_send(ACCOUNT, PROMISED, None)
    ledger.finish_send(ACCOUNT, SENT, EVENT)
    with pytest.raises(TryLater):
        ledger.begin_send(ACCOUNT, second, None)
    ledger.begin_send(ACCOUNT, second, SENT)
    with pytest.raises(TryLater):
        ledger.begin_send(ACCOUNT, third, SENT)

    assert second == ledger.dispatch(ACCOUNT, "k")


def test_nobody_takes_another_one_s_promise_back(ledger):
    """A promise belongs to the attempt that made it."""
    ledger.begin_send(ACCOUNT, PROMISED, None)
    ledger.cancel_send(ACCOUNT, replace(PROMISED, nonce="n2"), BACK)

    assert PROMISED == ledger.dispatch(ACCOUNT, "k")
    assert ["adopted", "promised"] == [record.event.what for record in ledger.events()]


def test_a_promise_and_its_record_are_one_transaction(ledger, engine):
    """Whoever finds the one finds the other; it says to whom, as whom, by which attempt, and what the caller adds."""
    ledger.begin_send(ACCOUNT, PROMISED, None, lambda: 77, {"kind": "human"})
    with engine.reader() as reader:
        *_, last = reader.events()
        assert PROMISED.nonce == reader.open_dispatches(ACCOUNT)[0].nonce
    detail = {"recipient_id": "7007", "nonce": "n1", "kind": "human"}
    assert Event("promised", ACCOUNT, 77, "alice", "100001", detail) == last.event


def test_a_promise_that_is_refused_leaves_no_record(ledger):
    """Nothing was promised: somebody else has the key."""
    ledger.begin_send(ACCOUNT, PROMISED, None)
    before = list(ledger.events())
    with pytest.raises(TryLater):
        ledger.begin_send(ACCOUNT, replace(PROMISED, nonce="n2"), None)
    assert before == list(ledger.events())


def test_promises_without_an_end_are_listed_the_oldest_first(ledger):
    """Until they are finished or taken back."""
    later = replace(PROMISED, key="j", nonce="n2")
    ledger.begin_send(ACCOUNT, later, None, lambda: 2000)
    ledger.begin_send(ACCOUNT, PROMISED, None)
    both = [dispatch.key for dispatch in ledger.open_dispatches(ACCOUNT)]
    ledger.finish_send(ACCOUNT, SENT, EVENT)
    ledger.cancel_send(ACCOUNT, later, BACK)

    assert (["k", "j"], ()) == (both, ledger.open_dispatches(ACCOUNT))


def test_a_customer_is_known_once_a_message_is_out(ledger):
    """A promise alone is no contact, and nobody else's customer is ours."""
    ledger.begin_send(ACCOUNT, PROMISED, None)
    before = ledger.has_contact(ACCOUNT, "7007")
    ledger.finish_send(ACCOUNT, SENT, EVENT)

    assert (False, True) == (before, ledger.has_contact(ACCOUNT, "7007"))
    assert not ledger.has_contact(ACCOUNT, "7008")
    assert not ledger.has_contact("43", "7007")


@pytest.mark.parametrize(
    ("deed", "reason"), [("block", "was offboarded meanwhile"), ("retire", "face has changed meanwhile")]
)
def test_whoever_lost_their_face_meanwhile_promises_nothing(ledger, deed, reason):
    """Blocked or retired between the question and the answer: nothing is sent."""
    getattr(ledger, deed)(ACCOUNT, "alice", 5)
    with pytest.raises(InputRefused, match=reason):
        ledger.begin_send(ACCOUNT, PROMISED, None)


def test_adopting_allows_again_and_says_so(ledger):
    """A person's word lifts a block, on the record."""
    ledger.block(ACCOUNT, "alice", 5)
    other = Profile("100002", "Alice", "", 2)
    ledger.adopt(ACCOUNT, "alice", other, name=other.name, avatar="sha256:a", protected=False, now_ms=6)

    assert frozenset() == ledger.state_of(ACCOUNT).blocked
    assert "unblocked" == [record.event.what for record in ledger.events()][-1]


def test_finishing_a_dispatch_that_is_another_one_by_now(ledger):
    """Exactly one row is finished, or the change is refused and no record is made."""
    ledger.begin_send(ACCOUNT, PROMISED, None)
    before = len(list(ledger.events()))
    other = replace(PROMISED, nonce="another", event_id="77")
    with pytest.raises(LedgerConflict, match="is another one by now"):
        ledger.finish_send(ACCOUNT, other, Event("sent", ACCOUNT, 5))
    assert before == len(list(ledger.events()))
    assert not ledger.is_delivery(ACCOUNT, "77")


def test_a_message_is_begun_when_it_is_written(ledger):
    """Not when it was asked for: it may wait for many other writers until then, and has to leave soon after it."""
    begun = ledger.begin_send(ACCOUNT, PROMISED, None, lambda: 77)
    assert (replace(PROMISED, begun_ms=77), begun) == (begun, ledger.dispatch(ACCOUNT, "k"))
