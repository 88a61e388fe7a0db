"""The newest events of an account, without reading the whole trail."""

from __future__ import annotations

import pytest

from profilectl.audit.chain import seal
from profilectl.ledger import schema
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.model import Event

NOW = 1_900_000_000_000


@pytest.fixture
def ledger(tmp_path):
    """An empty ledger."""
    with open_for_writing(tmp_path / "ledger.db") as ledger:
        yield ledger


def test_recent_events_of_one_account(ledger):
    """What is as young as asked comes back oldest first; other accounts' events don't."""
    for at_ms, account in ((1, "1"), (NOW, "1"), (NOW + 1, "2"), (NOW + 2, "1")):
        ledger.record(Event("sent", account, at_ms))

    assert [NOW, NOW + 2] == [event.at_ms for event in ledger.recent("1", NOW)]
    assert () == ledger.recent("3", NOW)


def test_clocks_that_disagree(ledger):
    """An event that was dated back stands in nobody's way."""
    for at_ms in (NOW, 5, NOW + 1):
        ledger.record(Event("sent", "1", at_ms))

    assert [NOW, NOW + 1] == [event.at_ms for event in ledger.recent("1", NOW)]


def test_old_records_are_not_read(tmp_path):
    """A long trail costs no more than its last day: damage further back isn't even seen."""
    path = tmp_path / "ledger.db"
    with open_for_writing(path) as ledger:
        with ledger._engine.transaction() as execute:
            for seq in range(1, 1_999):
                execute(schema.ADD_RECORD, seq=seq, prev_hash="", hash="", text="not a record")
            last = seal(Event("sent", "1", 1), "ann@desk", seq=1_999, prev_hash="")
            execute(schema.ADD_RECORD, seq=last.seq, prev_hash="", hash=last.hash, text=last.text)
        with ledger._engine.transaction() as execute:
            for number in range(1_100):
                ledger._append(execute, Event("sent", "1", number if number < 600 else NOW))
    with open_for_reading(path) as reader:
        assert 500 == len(reader.recent("1", NOW))


def test_recent_calls_are_read_once_for_all_accounts(ledger, monkeypatch):
    """Those that X limits, by account and oldest first, page after page; messages don't come along."""
    monkeypatch.setattr("profilectl.ledger.store._PAGE", 2)
    kinds = ("intended", "1"), ("sent", "1"), ("created", "1"), ("destroyed", "2"), ("blocked", "2"), ("withdrawn", "1")
    events = [
        Event(what, account, NOW + number, detail={"nonce": f"n{number}"})
        for number, (what, account) in enumerate(kinds)
    ]
    for event in (Event("created", "1", 5), *events):
        ledger.record(event)

    assert {"1": [events[0], events[2], events[5]], "2": [events[3]]} == ledger.recent_limited_calls(NOW)
    assert {} == ledger.recent_limited_calls(NOW + 99)


def test_recent_events_of_profiles(ledger):
    """Those of one account, oldest first, without its messages."""
    events = [Event(what, "1", NOW, profile_id="7") for what in ("adopted", "sent", "forgotten")]
    for event in (Event("adopted", "1", 5), Event("adopted", "2", NOW), *events):
        ledger.record(event)

    assert (events[0], events[2]) == ledger.recent_profile_events("1", NOW)


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (schema.GET_LIMITED_RECORDS_BACKWARDS, "audit_of_limited_calls"),
        (schema.GET_PROFILE_RECORDS_BACKWARDS, "audit_about_profiles"),
    ],
)
def test_an_index_leads_past_the_messages(ledger, statement, index):
    """The database uses it for what it is for, however many messages there are."""
    with ledger.engine.transaction() as execute:
        plan = execute(f"EXPLAIN QUERY PLAN {statement}", account="1", before=9, limit=9)
    assert index in str(plan)
