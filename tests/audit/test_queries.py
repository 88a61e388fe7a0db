"""What the record answers, over a story of nine months that the real store has written, in both engines."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import profilectl
from profilectl.audit import chain
from profilectl.audit.evidence import Evidence
from profilectl.audit.faces import named
from profilectl.audit.periods import Period
from profilectl.audit.queries import EVENTS, Selection, faces_of, messages, read_entry
from profilectl.errors import LedgerRefused
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.model import Event
from tests.audit.story import ALICE_PICTURE, OTHER, SECOND_PICTURE, USER, at, tell


@pytest.fixture
def reader(tmp_path):
    """The story's ledger, open for reading."""
    with open_for_writing(tmp_path / "ledger.db", actor="ann@desk") as ledger:
        tell(ledger)
    with open_for_reading(tmp_path / "ledger.db") as ledger:
        yield ledger


def day(text):
    return Period(at(f"{text}T00:00"), at(f"{text}T00:00") + 86_400_000)


def whose(reader, name, period, user=USER):
    faces = named(faces_of(reader, user), name)
    return [(face.agent, face.profile_id, face.picture) for face in faces if face.is_in(period)]


WHO = {
    "2026-01-31": [],
    "2026-03-03": [("alice", "100", ALICE_PICTURE)],
    "2026-04-10": [("alice", "100", ALICE_PICTURE), ("alice", "102", SECOND_PICTURE)],  # two pictures on one day
    "2026-05-03": [("alice", "102", SECOND_PICTURE)],
    "2026-05-21": [("alice", "102", SECOND_PICTURE)],  # removed, and still at X
    "2026-06-15": [],
    "2026-07-03": [("afischer", "103", SECOND_PICTURE)],  # another person, with the same name and picture
}


@pytest.mark.parametrize("date", WHO)
def test_who_was_alice(reader, date):
    """Two people of one public name are told apart by the day, and so are two pictures of one of them."""
    assert WHO[date] == whose(reader, "Alice F.", day(date))


def test_who_was_alice_elsewhere(reader):
    """Another account has faces of its own."""
    assert [("alice", "900", ALICE_PICTURE)] == whose(reader, "Alice F.", day("2026-06-15"), OTHER)


def test_what_was_sent_as_alice(reader):
    """Each message has the face that it carried, and whether X showed it with that."""
    sent = messages(reader.events(), Selection(agents=frozenset({"alice"})))

    assert [
        ("5001", "Alice F.", "100", "confirmed", None, None),
        ("5001", "Alice F.", "102", "confirmed", "person vouched", None),
        ("5002", "Alice F.", "102", "not confirmed", None, "It is on its way."),
    ] == [
        (
            message.recipient_id,
            message.name,
            message.entry.event.profile_id,
            message.status,
            message.origin,
            message.text,
        )
        for message in sent
    ]


def test_messages_without_a_face_or_an_end(reader):
    """What went out under the brand, and what nobody knows the end of, is said to be so."""
    sent = messages(reader.events(), Selection(Period(at("2026-07-03T00:00")), frozenset({USER})))

    assert [("5003", "Alice F.", "unknown"), ("5004", None, "as the brand")] == [
        (message.recipient_id, message.name, message.status) for message in sent
    ]


ENDS = {
    "sent": [("5001", "confirmed")],
    "refused": [],
    "taken-back": [],
    "unknown": [("5001", "unknown")],
    None: [("5001", "unknown")],
}


@pytest.mark.parametrize("end", ENDS, ids=str)
def test_how_a_promise_ends(end):
    """A message that surely never went out isn't listed, and each of the others is once; its end may come later."""
    detail = {"recipient_id": "5001", "nonce": "n", "echoed_profile_id": "1", "confirmed": True}
    sealed = [
        chain.seal(Event(what, USER, seq, "alice", "1", detail), "a@b", seq=seq, prev_hash="")
        for seq, what in enumerate(["promised", *([end] if end else [])], start=1)
    ]
    everything, early = (
        [(message.recipient_id, message.status) for message in messages(sealed, selection)]
        for selection in (Selection(), Selection(Period(0, 2)))
    )

    assert ENDS[end] == everything
    assert ([] if end == "sent" else ENDS[end]) == early


def test_a_message_from_another_account_is_not_confirmed():
    """The profile alone proves nothing."""
    event = Event("sent", USER, 1, "alice", "1", {"echoed_profile_id": "1", "confirmed": False})
    (message,) = messages([chain.seal(event, "a@b", seq=1, prev_hash=chain.GENESIS)], Selection())

    assert "not confirmed" == message.status


def test_a_message_keeps_the_name_that_was_recorded_with_it():
    """A name in the message's own record wins over the profile's, which may be younger than the record."""
    event = Event("sent", USER, 1, "alice", "1", {"name": "Ally", "origin": "script"})
    (message,) = messages([chain.seal(event, "ann@desk", seq=1, prev_hash=chain.GENESIS)], Selection())

    assert ("Ally", "script") == (message.name, message.origin)


SELECTIONS = {
    "an account": (Selection(accounts=frozenset({OTHER})), {2, 7, 8}),
    "two agents": (Selection(agents=frozenset({"bruno", "afischer"})), {5, 6, 20, 21, 22, 23, 24, 25, 26, 27, 29}),
    "an event": (Selection(events=frozenset({"destroyed"})), {13, 19}),
    "a recipient": (Selection(recipients=frozenset({"5002"})), {16, 17}),
    "a user": (Selection(actors=frozenset({"ann"}), events=frozenset({"retired"})), {18}),
    "a user at a host": (Selection(actors=frozenset({"ann@desk"}), events=frozenset({"retired"})), {18}),
    "another user": (Selection(actors=frozenset({"an", "desk", "ann@"})), set()),
    "a time": (Selection(Period(at("2026-05-20T18:00"), at("2026-05-22T09:00"))), {18}),
    "all of it": (
        Selection(agents=frozenset({"alice"}), events=frozenset({"sent"}), recipients=frozenset({"5001"})),
        {10, 15},
    ),
    "nobody": (Selection(agents=frozenset({"alic"})), set()),
}


@pytest.mark.parametrize("case", SELECTIONS)
def test_what_is_asked_for(reader, case):
    """Every filter leaves out what isn't like it, and several together leave out more."""
    selection, expected = SELECTIONS[case]

    assert expected == {entry.seq for entry in selection.entries(reader.events())}


@pytest.mark.parametrize("word", ['Ann "the" B', "ünï\\cöde", "a\nb", "\U0001f600"])
def test_words_are_looked_for_as_the_record_writes_them(word):
    """The quick look into a text misses no record, whatever stands in the word."""
    record = chain.seal(
        Event("sent", USER, 1, word, "1", {"recipient_id": word}), "a@b", seq=1, prev_hash=chain.GENESIS
    )

    for selection in (Selection(agents=frozenset({word})), Selection(recipients=frozenset({word}))):
        assert [1] == [entry.seq for entry in selection.entries([record])]


@pytest.mark.parametrize("actor", ["ann@desk (login uid 1000)", "ann@desk", "ann@other (uid map 0 1000 1)"])
def test_doubts_about_an_actor_are_no_part_of_the_name(actor):
    """Whoever is asked for is found, whatever is recorded beside the name; so is the whole of it."""
    record = chain.seal(Event("sent", USER, 1), actor, seq=1, prev_hash=chain.GENESIS)

    for name in ("ann", actor):
        assert [1] == [entry.seq for entry in Selection(actors=frozenset({name})).entries([record])]


@pytest.mark.parametrize("name", ["Alice", "\ud83d", "\U0001f600", 'a"b', "\x00"])
def test_a_record_is_read_as_it_was_written(name):
    """Whatever a name holds, half of a surrogate pair included."""
    event = Event("created", USER, 5, "alice", None, {"name": name, "yes": True, "count": 2, "nothing": None})
    entry = read_entry(chain.seal(event, "ann@desk", seq=7, prev_hash=chain.GENESIS))

    assert (7, event, "ann@desk") == (entry.seq, entry.event, entry.actor)
    assert entry.event.detail["yes"] is True


@pytest.mark.parametrize("text", ["", "{", "[]", '{"account":"1"}', '{"account":1', "\ud83d"])
def test_a_damaged_record_is_refused(text):
    """It is named by its number, and never skipped."""
    with pytest.raises(LedgerRefused, match="audit record 7 can't be read"):
        read_entry(chain.Record(7, chain.GENESIS, "x", text))


def test_what_a_period_shows(reader):
    """Faces that began before it or nobody knows when, messages by agent, and changes; each record counts once."""
    evidence = Evidence(Selection(Period(at("2026-05-01T00:00"), at("2026-08-01T00:00")), frozenset({USER})))
    taken = [record.seq for record in reader.events() if evidence.take(read_entry(record))]

    assert list(range(14, 27)) == taken
    assert ["101", "102", "103", "666"] == [face.profile_id for face in evidence.faces()]
    assert [("afischer", 1, 0, 0, 1), ("alice", 1, 1, 0, 0), ("bruno", 0, 0, 1, 0)] == [
        (tally.agent, *tally.by_status.values()) for tally in evidence.tallies()
    ]
    assert [18, 19, 20, 21] == [entry.seq for entry in evidence.changes]
    assert ["5001", "5002", "5001", "5003", "5004"] == [message.recipient_id for message in evidence.messages]


def test_a_page_has_an_end(reader, monkeypatch):
    """What is too much for a page is counted."""
    monkeypatch.setattr("profilectl.audit.evidence.MOST_CHANGES", 2)
    monkeypatch.setattr("profilectl.audit.evidence.MOST_MESSAGES", 1)
    evidence = Evidence(Selection())
    for record in reader.events():
        evidence.take(read_entry(record))

    assert (2, 16, 1, 5) == (
        len(evidence.changes),
        evidence.more_changes,
        len(evidence.messages),
        evidence.more_messages,
    )


PLACES = {"Event": 0, "_event": 0, "self._event": 0, "_intent_event": 1}
"""Which argument of a call is the event's word."""


def events_in(tree):
    """Yield the words of the events that a module makes."""
    for node in ast.walk(tree):
        place = PLACES.get(ast.unparse(node.func)) if isinstance(node, ast.Call) else None
        if place is not None and len(node.args) > place and isinstance(node.args[place], ast.Constant):
            yield node.args[place].value


def test_every_event_that_is_recorded_can_be_asked_for():
    """`audit log --event` knows the words of the code, so that a slip of the finger isn't an empty answer."""
    package = Path(profilectl.__file__).parent
    trees = [
        ast.parse(path.read_text(encoding="utf-8")) for path in package.rglob("*.py") if "sandbox" not in path.parts
    ]

    words = {word for tree in trees for word in events_in(tree)}
    assert {"damaged"} == words - EVENTS.keys()  # stands for a record that can't be read, and is never written
