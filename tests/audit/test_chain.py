"""The hash chain, as a pure value."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from profilectl.audit.chain import BREAK_ACCEPTED, GENESIS, Record, accepted_breaks, canonical, seal, verify
from profilectl.errors import LedgerRefused
from profilectl.model import Event

QUICK = settings(
    database=None, derandomize=True, deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)


def chain(length):
    records, prev_hash = [], GENESIS
    for seq in range(1, length + 1):
        event = Event("sent", "1", 1000 + seq, "alice", str(seq), {"length": seq})
        records.append(seal(event, "ann@desk", seq=seq, prev_hash=prev_hash))
        prev_hash = records[-1].hash
    return records


def test_canonical_text():
    """An event has one text: ASCII, keys sorted, no spaces, the actor inside."""
    event = Event("created", "1", 5, "alice", "100", {"name": "Zoë\x1b", "adopted": False, "old": None})
    assert (
        '{"account":"1","actor":"ann@desk","agent":"alice","at_ms":5,'
        '"detail":{"adopted":false,"name":"Zo\\u00eb\\u001b","old":null},"profile_id":"100","what":"created"}'
    ) == canonical(event, "ann@desk")


def test_known_hash():
    """The first hash is SHA-256 over 64 zeros and the text, so that anybody can recompute it."""
    record = seal(Event("sent", "1", 0), "a@b", seq=1, prev_hash=GENESIS)
    assert record.hash == "3b3c3a259d41070b6ae3f3356f01e50506af8fdc7d9e18c0a23ffb75ff1ed19e"


def test_record_tells_its_event_again():
    """What was sealed is what is read."""
    event = Event("created", "1", 5, None, "100", {"name": "Zoë", "adopted": True, "old": None, "n": 3})
    record = seal(event, "ann@desk", seq=1, prev_hash=GENESIS)
    assert (event, "ann@desk") == (record.event, record.actor)


def test_whole_chain():
    """A whole chain, and an empty one, have no broken record."""
    assert verify(chain(5)) is None
    assert verify([]) is None


def test_removed_record():
    """The record behind a gap is the broken one, also when the first is missing."""
    records = chain(5)
    assert verify(records[:2] + records[3:]) == 4
    assert verify(records[1:]) == 2


def test_rehashed_record():
    """A record that was changed and hashed anew breaks the chain at its successor."""
    records = chain(5)
    forged = seal(Event("sent", "1", 1, "mallory"), "ann@desk", seq=3, prev_hash=records[1].hash)
    assert verify([*records[:2], forged, *records[3:]]) == 4


@pytest.mark.parametrize("text", ["", "[]", "{}", "17", '{"what": "sent"}', "\ud800"])
def test_damaged_text(text):
    """A record whose text is no event any more is refused by number, not with a traceback."""
    with pytest.raises(LedgerRefused, match="audit record 7 "):
        _ = Record(7, GENESIS, GENESIS, text).event


@QUICK
@given(data=st.data())
def test_any_change_is_found(data):
    """Whatever field of whatever record is changed, that record is named."""
    records = chain(6)
    index = data.draw(st.integers(0, 5))
    name = data.draw(st.sampled_from(["seq", "prev_hash", "hash", "text"]))
    old = getattr(records[index], name)
    new = data.draw((st.integers(-1, 9) if name == "seq" else st.text()).filter(lambda value: value != old))
    records[index] = replace(records[index], **{name: new})
    assert verify(records) == records[index].seq


@QUICK
@given(detail=st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()))
def test_text_is_stable(detail):
    """Reading an event and writing it again gives the same bytes, all of them ASCII."""
    text = canonical(Event("sent", "1", 0, detail=detail), "a@b")
    assert text.isascii()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))


def test_the_newest_records_alone_can_be_verified():
    """Behind one that is believed; a gap, a change and another chain's record are noticed as in a whole one."""
    records = chain(6)
    assert verify(records[3:], behind=records[2]) is None
    assert 6 == verify([records[3], *records[5:]], behind=records[2])
    changed = replace(records[4], text=records[4].text.replace("alice", "malice"))
    assert 5 == verify([records[3], changed, records[5]], behind=records[2])
    assert 4 == verify(records[3:], behind=replace(records[2], hash="0" * 64))


def test_a_break_that_a_person_accepted_is_none_as_long_as_it_stays_the_same():
    """The mark is that of the record as it was found; another change of it is another break."""
    records = chain(4)
    changed = replace(records[1], text=records[1].text.replace("alice", "malice"))
    accepted = {(changed.seq, changed.mark)}
    assert verify([records[0], changed, *records[2:]], accepted=accepted) is None
    again = replace(changed, text=changed.text.replace("malice", "alicia"))
    assert 2 == verify([records[0], again, *records[2:]], accepted=accepted)


def test_what_was_accepted_is_read_from_the_record():
    """By its number and its mark."""
    word = seal(Event(BREAK_ACCEPTED, "1", 5, detail={"seq": 3, "mark": "ab"}), "ann@desk", seq=9, prev_hash=GENESIS)
    assert {(3, "ab")} == accepted_breaks([*chain(2), word])


def test_a_record_has_the_time_of_the_machine_that_wrote_it():
    """Beside that of X; a version before noted only the latter, and what is damaged has none."""
    new, old = (seal(Event("sent", "1", 7), "a@b", seq=1, prev_hash=GENESIS, written_ms=ms) for ms in (9, None))
    assert [(9, 7), (0, 7)] == [(record.written_ms, record.event.at_ms) for record in (new, old)]
    assert 0 == Record(1, GENESIS, "", "not JSON").written_ms
    assert new.text.endswith('"what":"sent"}')
