"""What a command adds to the record of a profile, and the way back to it, on every engine."""

from __future__ import annotations

import contextlib

import pytest

from profilectl.model import Account, Event, Intent, Profile

USER = "7001"
NOW = 1_900_000_000_000


@pytest.fixture
def book(ledger):
    ledger.register_account("acme", Account(USER, "acmecare", "api.x.com"), NOW)
    return ledger


def create(ledger, number, *, agent="alice"):
    nonce, profile_id = f"n{number}", str(100_000 + number)
    ledger.begin_intent(USER, Intent(nonce, agent, "Alice F.", "sha256:a", frozenset(), NOW))
    made = Profile(profile_id, "Alice F.", "https://pbs.example/1.jpg", NOW)
    ledger.finish_intent(USER, nonce, made, NOW + number, adopted=False)
    return profile_id


def details(ledger):
    return {(record.event.what, record.event.profile_id): record.event.detail for record in ledger.events()}


def test_facts_stand_with_the_beginning_and_the_end_of_a_profile(book):
    """Asked for the account and the agent; what the event says itself stays, and after the block nothing is added."""
    asked = []

    def facts(user_id, agent):
        asked.append((user_id, agent))
        return {"plan": "sha256:p", "name": "another"}

    with book.noting(facts):
        first = create(book, 1)
        book.block(USER, "alice", NOW)
        book.retire(USER, "alice", NOW)
    book.drop(USER, first, NOW)

    told = details(book)
    assert ("sha256:p", "Alice F.") == (told["created", first]["plan"], told["created", first]["name"])
    assert "sha256:p" == told["retired", first]["plan"]
    assert not any("plan" in told[key] for key in (("destroyed", first), ("intended", None), ("blocked", None)))
    assert [(USER, "alice")] * 2 == asked


def test_the_way_back_to_the_beginning_of_a_profile(book, engine):
    """Of each profile as long as it is ours; whoever only reads finds it as well, and a batch keeps it."""
    with book.batch(), book.noting(lambda *_: {"plan": "sha256:p"}):
        first, second = create(book, 1), create(book, 2)
    with engine.reader() as reader:
        events = [reader.origin_of(USER, profile_id) for profile_id in (first, second)]
    assert [("created", first, "sha256:p"), ("created", second, "sha256:p")] == [
        (event.what, event.profile_id, event.detail["plan"]) for event in events
    ]
    assert book.origin_of("7002", first) is None
    book.drop(USER, first, NOW)
    book.forget(USER, "alice", NOW)
    assert [None, None] == [book.origin_of(USER, profile_id) for profile_id in (first, second)]
    book.adopt(USER, "bob", Profile(second, "Bob", "u", NOW), avatar="sha256:b", protected=False, now_ms=NOW)
    assert "adopted" == book.origin_of(USER, second).what


def test_a_way_that_leads_elsewhere_is_no_way(book):
    """Somebody may have changed it behind the program's back: what is found must be about that very profile."""
    from profilectl.ledger import schema

    first = create(book, 1)
    with book._engine.transaction() as execute:
        execute(schema.SAVE_NOTE, name=f"origin:{USER}:{first}", value="1")
    assert book.origin_of(USER, first) is None


def test_a_note_is_kept_with_its_event_or_not_at_all(book):
    """And the last one counts, by its name."""
    assert book.note("roster:7001") is None
    book.record(Event("roster-changed", USER, NOW), ("roster:7001", "sha256:1"))
    book.record(Event("roster-changed", USER, NOW), ("roster:7001", "sha256:2"))
    with contextlib.suppress(KeyboardInterrupt), book.batch():
        book.record(Event("roster-changed", USER, NOW), ("roster:7001", "sha256:3"))
        raise KeyboardInterrupt
    assert ("sha256:2", None) == (book.note("roster:7001"), book.note("roster:7002"))
    assert 2 == sum(record.event.what == "roster-changed" for record in book.events())


def test_no_note_passes_for_the_ledger_s_own_settings(book):
    """The name stands apart: neither the format nor the place of a ledger is changed by one."""
    book.record(Event("roster-changed", USER, NOW), ("format", "99"))
    book.record(Event("roster-changed", USER, NOW), ("moved_to", "elsewhere"))
    assert ("99", "elsewhere") == (book.note("format"), book.note("moved_to"))
    assert "99" != book.summary().format
    create(book, 1)


def test_what_picture_files_show_is_known_by_account(book, engine):
    """What is remembered last is all that is; the record says nothing of it, and another account's stays."""
    records = book.last_seq()
    book.note_pixels("70011", {"sha256:a": "sha256:other"})
    book.note_pixels(USER, {"sha256:a": "sha256:1", "sha256:b": "sha256:2"})
    book.note_pixels(USER, {"sha256:b": "sha256:3", "sha256:c": "sha256:3"})

    with engine.reader() as reader:
        assert {"sha256:b": "sha256:3", "sha256:c": "sha256:3"} == reader.pixels_of(USER)
        assert {"sha256:a": "sha256:other"} == reader.pixels_of("70011")
    assert records == book.last_seq()
