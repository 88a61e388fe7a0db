"""What a ledger refuses to write behind, and what its rows have to be by its record: on both engines."""

from __future__ import annotations

import pytest

from profilectl.audit import chain
from profilectl.audit.replay import differences, replay
from profilectl.errors import LedgerRefused
from profilectl.ledger import schema
from profilectl.ledger.heads import NEWEST, require_whole
from profilectl.model import Event
from tests.ledger.filled import USER, fill


def tampered(ledger, statement, **values):
    """Change the ledger as somebody does who knows SQL and isn't this program."""
    with ledger.engine.transaction() as execute:
        execute(statement, **values)


CHANGE = "UPDATE audit SET text = :text WHERE seq = :seq"


def untrue(ledger):
    """Return what rows and record disagree about."""
    image = replay(record.event for record in ledger.events())
    return list(differences(image, USER, ledger.state_of(USER), ledger.open_dispatches(USER)))


def test_a_ledger_that_only_the_program_wrote_is_what_its_record_says(ledger):
    """With every kind of row: bound, replaced, retired, blocked, promised, sent."""
    fill(ledger)
    ledger.protect(USER, "ann", protected=True)

    assert [] == untrue(ledger)


TAMPERINGS = {
    "a block taken away": (
        "DELETE FROM blocked WHERE account = '1'",
        "agent čeněk is offboarded by its record, and not in the ledger",
    ),
    "a block put there": (
        "INSERT INTO blocked (account, agent) VALUES ('1', 'ann')",
        "agent ann is offboarded in the ledger, and not by its record",
    ),
    "another's face": (
        "UPDATE bindings SET profile_id = '666' WHERE agent = 'ann'",
        'agent ann has profile 666 "Name of ann" in the ledger, and profile 100 "Name of ann" by its record',
    ),
    "another name": (
        "UPDATE bindings SET name = 'Mallory' WHERE agent = 'ann'",
        'agent ann has profile 100 "Mallory" in the ledger, and profile 100 "Name of ann" by its record',
    ),
    "a binding taken away": (
        "DELETE FROM bindings WHERE agent = 'ann'",
        'agent ann has no profile in the ledger, and profile 100 "Name of ann" by its record',
    ),
    "a profile to be destroyed": (
        "INSERT INTO retired (account, profile_id, agent, name, since_ms, why) VALUES ('1', '7', 'x', 'X', 1, 'x')",
        "profile 7 is retired in the ledger, and not by its record",
    ),
    "a retired profile given to another": (
        "UPDATE retired SET agent = 'mallory' WHERE profile_id = '101'",
        "retired profile 101 is mallory's in the ledger, and bob's by its record",
    ),
    "a protection lifted": (
        "UPDATE bindings SET protected = 0 WHERE agent = 'ann'",
        "agent ann is not protected in the ledger, and protected by its record",
    ),
    "a promise taken away": (
        "DELETE FROM dispatches WHERE event_id IS NULL",
        "the message of attempt dk2 has no end by the record, and none is on its way in the ledger",
    ),
    "a promise put there": (
        "UPDATE dispatches SET nonce = 'n9', event_id = NULL, begun_ms = 90 WHERE event_id IS NOT NULL",
        "a message as ann to 5 is on its way in the ledger, and was never promised by its record",
    ),
}


@pytest.mark.parametrize(("statement", "sentence"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_a_row_that_was_changed_behind_the_program_s_back_is_named(ledger, statement, sentence):
    """Whoever is bound, offboarded, protected or promised something is so by an event."""
    fill(ledger)
    ledger.protect(USER, "ann", protected=True)
    tampered(ledger, statement)

    assert [sentence] == untrue(ledger)


def test_nothing_is_written_behind_a_record_that_was_changed(ledger):
    """The last link is checked by every append, whatever else is written with it."""
    fill(ledger)
    last = ledger.last_seq()
    tampered(ledger, CHANGE, seq=last, text="{}")
    for change in (lambda: ledger.record(Event("sent", USER, 90)), lambda: ledger.unblock(USER, "čeněk", 90)):
        with pytest.raises(LedgerRefused, match=f"audit record {last} was changed after it was written"):
            change()
    assert (last, {"čeněk"}) == (ledger.last_seq(), ledger.state_of(USER).blocked)


@pytest.mark.parametrize("back", [0, 1, 3])
def test_a_writer_begins_with_the_newest_records(ledger, back):
    """The first bad one is named, with both ways on."""
    fill(ledger)
    broken = ledger.last_seq() - back
    tampered(ledger, CHANGE, seq=broken, text='{"account":"1","what":"sent"}')
    with pytest.raises(LedgerRefused, match=f"the record is broken at {broken}") as refusal:
        require_whole(ledger, 4)
    assert "audit verify --accept-break" in refusal.value.hint


def test_older_records_are_left_to_who_verifies_all(ledger):
    """So that a message as the millionth record waits for no more than as the thousandth."""
    fill(ledger)
    tampered(ledger, CHANGE, seq=2, text="{}")
    require_whole(ledger, 4)
    assert 2 == chain.verify(ledger.events())


def test_a_record_that_is_missing_breaks_the_next_one(ledger):
    """A gap among the newest is noticed as a change is."""
    fill(ledger)
    last = ledger.last_seq()
    tampered(ledger, "DELETE FROM audit WHERE seq = :seq", seq=last - 1)
    with pytest.raises(LedgerRefused, match=f"the record is broken at {last}"):
        require_whole(ledger, 4)


def test_a_person_may_go_on_behind_a_break_and_that_is_on_the_record(ledger):
    """Only behind this one: when it is changed once more, that is another break."""
    fill(ledger)
    last = ledger.last_seq()
    tampered(ledger, CHANGE, seq=last, text='{"account":"1"}')
    [broken] = ledger.events(after=last - 1)
    ledger.accept_break(broken, 95)
    require_whole(ledger, 4)
    ledger.record(Event("sent", USER, 96))
    accepted = ledger.accepted_breaks()

    assert {"sent", "promised"} <= {event.what for event in ledger.recent(USER, 0)}
    assert ({(last, broken.mark)}, None) == (accepted, chain.verify(ledger.events(), accepted=accepted))
    tampered(ledger, CHANGE, seq=last, text='{"account":"2"}')
    with pytest.raises(LedgerRefused, match=f"the record is broken at {last}"):
        require_whole(ledger, 4)


def test_records_are_in_the_order_of_their_times_though_a_clock_goes_back(ledger):
    """Several machines write one ledger, and their clocks differ: no record is older than the one before it."""
    times = iter([500, 400, 450, 600])
    ledger._now_ms = lambda: next(times)
    for number in range(4):
        ledger.record(Event("sent", USER, number))

    assert [500, 500, 500, 600] == [record.written_ms for record in ledger.events()]


def test_an_intent_has_the_time_at_which_it_was_written(ledger):
    """Not that at which its create is over at the latest, which is after that of what it made."""
    fill(ledger)
    times = [record.event.at_ms for record in ledger.events() if record.event.what in {"intended", "created"}]
    assert times[:2] == [10, 20]


def test_the_newest_records_take_one_look(ledger, monkeypatch):
    """Every message begins with it, and on PostgreSQL a look is a round trip."""
    fill(ledger)
    for number in range(NEWEST):
        ledger.record(Event("sent", USER, number))
    looks, rows = [], type(ledger)._rows

    def noted(self, statement, **values):
        looks.append(statement)
        return rows(self, statement, **values)

    monkeypatch.setattr(type(ledger), "_rows", noted)
    require_whole(ledger, NEWEST)
    assert [schema.GET_LAST_RECORD, schema.GET_RECORDS] == looks
