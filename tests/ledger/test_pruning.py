"""Texts and recipients go, and what is left is as provable as before: on both engines."""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress

import pytest

from profilectl.audit import chain
from profilectl.audit.comparison import Mark, examine
from profilectl.audit.kept_tree import grow, origin_of_ledger
from profilectl.audit.replay import differences, replay
from profilectl.errors import LedgerRefused
from profilectl.ledger.heads import require_whole
from profilectl.model import Account, Dispatch, Event
from tests.ledger.filled import USER, fill
from tests.ledger.test_record import CHANGE, tampered

OTHER = "2"


def sent(ledger, number, at_ms, *, user=USER, ends=True):
    """Promise a message and, unless it never ends, have it sent."""
    dispatch = Dispatch(f"p{number}", f"m{number}", "ann", "777001", "print", None, at_ms)
    detail = {"recipient_id": "777001", "nonce": f"m{number}", "text": "confidential", "text_hmac": "2026-01:ab"}
    ledger.begin_send(user, dispatch, None, detail=detail)
    if ends:
        ended = Dispatch(f"p{number}", f"m{number}", "ann", "777001", "print", None, at_ms, f"e{number}", False)
        ledger.finish_send(user, ended, Event("sent", user, at_ms, "ann", None, {**detail, "event_id": f"e{number}"}))


@pytest.fixture
def story(ledger):
    """A ledger with messages before and after a moment, 1000, one of which has no end."""
    fill(ledger)
    for number, at_ms in enumerate((100, 200, 2000)):
        sent(ledger, number, at_ms)
    sent(ledger, 9, 300, ends=False)
    return ledger


def private(ledger, before_ms=1000):
    """Return the records that still have something private, by whether they are older than a moment."""
    records = [record for record in ledger.events() if not chain.PRIVATE.isdisjoint(record.event.detail)]
    return [[record.seq for record in records if (record.event.at_ms < before_ms) is older] for older in (True, False)]


def test_what_is_older_goes_and_what_is_newer_stays(story):
    """But for the message whose end nobody knows, which may have to be looked for at X."""
    old, new = private(story)
    event = story.prune([USER], 1000, 5000, "1970-01-01T00:00:01Z")
    left, still = private(story)

    [promise] = [record for record in story.events() if record.event.detail.get("nonce") == "m9"]
    open_ones = {promise.seq, *(record.seq for record in story.events() if record.event.detail.get("nonce") == "dk2")}
    assert (set(old) & open_ones, new) == (set(left), still)
    assert len(old) - len(left) == event.detail["records"]
    assert "confidential" not in "".join(record.text for record in story.events() if record.seq in set(old) - set(left))
    assert {"confidential"} == {record.event.detail["text"] for record in story.events() if record.seq in new[:2]}


def test_chain_rows_and_checkpoints_hold(story):
    """What was verified, exported and signed before is true afterwards."""
    records = list(story.events())
    before = grow(story, origin_of_ledger(story), None).checkpoint
    marks = [Mark(record.seq, record.seq, record.hash, record.prev_hash, record.text) for record in records]
    story.prune([USER], 1000, 5000, "x")
    story.record(Event("sent", USER, 5001))
    verdict = examine(story.events(), marks)
    image = replay(record.event for record in story.events())

    assert (True, len(records), 5) == (verdict.is_whole, verdict.compared, verdict.pruned)
    assert before.root == grow(story, before.origin, None, before.size).roots[before.size]
    assert [] == list(differences(image, USER, story.state_of(USER), story.open_dispatches(USER)))
    for most in (2, 4, 10, 100):
        require_whole(story, most)


def test_a_second_pruning_goes_on_behind_the_first(story):
    """Each has its own records, and both are judged."""
    first = story.prune([USER], 1000, 5000, "x").detail["records"]
    again = story.prune([USER], 1000, 5001, "x").detail["records"]
    second = story.prune([USER], 3000, 5002, "x").detail["records"]
    assert (5, 0, 2) == (first, again, second)
    assert chain.verify(story.events()) is None


def test_another_account_keeps_its_own(story):
    """Only what was asked for goes."""
    story.register_account("beta", Account(OTHER, "betacare", "api.x.com"), 1)
    sent(story, 20, 150, user=OTHER)
    story.prune([USER], 1000, 5000, "x")
    assert 2 == sum(record.event.account == OTHER and "text" in record.event.detail for record in story.events())
    assert story.has_contact(OTHER, "777001")


def test_finished_sends_are_forgotten_with_their_recipients(story):
    """A key of that time may be used anew; one that is open stays."""
    event = story.prune([USER], 1000, 5000, "x")
    keys = [story.dispatch(USER, key) is not None for key in ("p0", "p1", "p2", "p9")]
    assert (3, [False, False, True, True]) == (event.detail["dispatches"], keys)


FORGERIES = {
    "an agent in what was left": ('"agent":"ann"', '"agent":"mallory"'),
    "a text in what was left": ('"detail":{', '"detail":{"text":"never said",'),
    "another pruning is named": ('"pruned":', '"pruned":1'),
}


@pytest.mark.parametrize(("old", "new"), FORGERIES.values(), ids=FORGERIES)
def test_what_was_left_is_as_hard_to_change_as_before(story, old, new):
    """The pruning is a record, and digests what it has left."""
    story.prune([USER], 1000, 5000, "x")
    pruned = [record for record in story.events() if record.pruned_by is not None]
    forged = pruned[1].text.replace(old, new, 1)
    tampered(story, CHANGE, seq=pruned[1].seq, text=forged)
    assert chain.verify(story.events()) in {pruned[0].seq, pruned[1].seq}


def test_a_record_can_not_say_by_itself_that_it_was_pruned(story):
    """Not even the newest ones, which alone are checked before a message."""
    [*_, last] = story.events()
    text = last.text.replace('"detail":{', f'"detail":{{"pruned":{last.seq + 1},').replace("777001", "")
    text = chain.without_private(last, last.seq + 1).text.replace("ann", "bob")
    tampered(story, CHANGE, seq=last.seq, text=text)
    with pytest.raises(LedgerRefused, match=f"audit record {last.seq} was changed"):
        story.record(Event("sent", USER, 1))
    with pytest.raises(LedgerRefused, match=f"the record is broken at {last.seq}"):
        require_whole(story, 4)


def test_a_changed_record_is_not_pruned_away(story):
    """Its break stays to be seen."""
    [*records] = story.events()
    broken = next(record for record in records if record.event.detail.get("nonce") == "m0")
    tampered(story, CHANGE, seq=broken.seq, text=broken.text.replace("ann", "bob"))
    story.prune([USER], 1000, 5000, "x")
    assert broken.seq == chain.verify(story.events())


def test_a_pruning_that_fails_has_removed_nothing(story, monkeypatch):
    """All of it is one transaction."""
    before = [record.text for record in story.events()]
    monkeypatch.setattr(chain.Pruned, "detail", lambda _: {"records": float("nan")})
    with suppress(ValueError):
        story.prune([USER], 1000, 5000, "x")
    assert before == [record.text for record in story.events()]
    assert story.dispatch(USER, "p0") is not None


# The key of the digests


def test_each_month_has_a_key_of_its_own(ledger):
    """It stays the same within the month, for every process."""
    month, key = ledger.text_key("2026-11")
    assert (("2026-11", key), 64) == (ledger.text_key(month), len(key))
    assert ledger.text_key("2026-12") == ledger.text_key("2026-12") != (month, key)
    assert hmac.digest(bytes.fromhex(key), b"x", hashlib.sha256)


def test_a_clock_that_went_back_makes_no_older_key(ledger):
    """The newest one is used on."""
    newest = ledger.text_key("2026-12")
    assert newest == ledger.text_key("2026-11")


def test_keys_of_months_that_were_pruned_are_gone(ledger):
    """Nobody can tell any more which text a digest in an old export is of; the newest and the last pruned stay."""
    fill(ledger)
    for month in ("1969-11", "1969-12", "1970-01", "1970-02"):
        ledger.text_key(month)
    ledger.prune([USER], 0, 5000, "1970-01-01")
    assert ["1970-02", "1970-01", "1969-12"] == [month for month, _ in ledger.text_keys()]
