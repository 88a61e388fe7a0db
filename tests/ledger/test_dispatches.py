"""A message is promised before it leaves and concluded once; the ledger knows which event at X was whose."""

from __future__ import annotations

import pytest

from profilectl.errors import TryLater
from profilectl.model import Dispatch, Event

ACCOUNT = "42"
PROMISED = Dispatch("k", "alice", "7007", "sha256:f", "100001", 1000)
SENT = Dispatch("k", "alice", "7007", "sha256:f", "100001", 1000, "900", confirmed=True)
EVENT = Event("sent", ACCOUNT, 2000, "alice", "100001")


def test_a_promise_is_there_before_anything_is_sent(ledger, engine):
    """What was promised can be read by the next process."""
    ledger.promise(ACCOUNT, PROMISED)
    with engine.reader() as reader:
        assert PROMISED == reader.dispatch(ACCOUNT, "k")


def test_an_open_promise_is_nobody_elses(ledger):
    """Two processes can't send the same message: the second is told to look again later."""
    ledger.promise(ACCOUNT, PROMISED)
    with pytest.raises(TryLater, match="is being sent by another process"):
        ledger.promise(ACCOUNT, PROMISED)
    assert PROMISED == ledger.dispatch(ACCOUNT, "k")


def test_a_conclusion_is_one_transaction_with_its_record(ledger):
    """Event, face and audit record are written together, and the profile counts as seen."""
    ledger.promise(ACCOUNT, PROMISED)
    ledger.conclude(ACCOUNT, SENT, EVENT)

    assert SENT == ledger.dispatch(ACCOUNT, "k")
    assert (True, False) == (ledger.is_delivery(ACCOUNT, "900"), ledger.is_delivery(ACCOUNT, "901"))
    assert 2000 == ledger.seen_ms(ACCOUNT, "100001")
    assert [EVENT] == [record.event for record in ledger.events()]


def test_a_face_that_was_not_confirmed_is_not_seen(ledger):
    """Only what X showed counts as seen."""
    ledger.promise(ACCOUNT, PROMISED)
    ledger.conclude(ACCOUNT, Dispatch("k", "alice", "7007", "sha256:f", "100001", 1000, "900"), EVENT)

    assert 0 == ledger.seen_ms(ACCOUNT, "100001")


def test_what_surely_was_not_sent_is_taken_back(ledger):
    """An open promise can be taken back, a concluded one stays."""
    ledger.promise(ACCOUNT, PROMISED)
    ledger.take_back(ACCOUNT, "k")
    gone = ledger.dispatch(ACCOUNT, "k")
    ledger.promise(ACCOUNT, PROMISED)
    ledger.conclude(ACCOUNT, SENT, EVENT)
    ledger.take_back(ACCOUNT, "k")

    assert (None, SENT) == (gone, ledger.dispatch(ACCOUNT, "k"))


def test_a_key_may_stand_for_a_new_message_once_the_old_one_is_out(ledger):
    """The event of the old one stays known, so that it is never taken for the new one."""
    ledger.promise(ACCOUNT, PROMISED)
    ledger.conclude(ACCOUNT, SENT, EVENT)
    again = Dispatch("k", "alice", "7007", "sha256:f", "100001", 900_000)
    ledger.promise(ACCOUNT, again)

    assert again == ledger.dispatch(ACCOUNT, "k")
    assert ledger.is_delivery(ACCOUNT, "900")


def test_who_is_blocked_stays_blocked_until_a_person_says_otherwise(ledger):
    """Blocking and allowing are recorded; allowing somebody who isn't blocked changes nothing."""
    ledger.block(ACCOUNT, "alice", 5)
    blocked = ledger.holdings(ACCOUNT).blocked
    ledger.unblock(ACCOUNT, "alice", 6)
    ledger.unblock(ACCOUNT, "alice", 7)

    assert ({"alice"}, frozenset()) == (blocked, ledger.holdings(ACCOUNT).blocked)
    assert ["blocked", "unblocked"] == [record.event.what for record in ledger.events()]
