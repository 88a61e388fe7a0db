"""Whether a chain is whole and has what was kept of it: each tampering that a mark shows, by its first record."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import asdict, replace

from profilectl.audit import chain
from profilectl.audit.comparison import NoMarks, examine, read_marks
from profilectl.model import Event


def records(count, actor="ann@desk"):
    sealed, prev_hash = [], chain.GENESIS
    for seq in range(1, count + 1):
        record = chain.seal(Event("sent", "1", seq), actor, seq=seq, prev_hash=prev_hash)
        sealed.append(record)
        prev_hash = record.hash
    return sealed


def lines(*parts):
    return [json.dumps(part).encode() for part in parts]


def ledger_rows(sealed):
    return lines(
        {"schema": "an export"}, *({"table": "audit", "row": asdict(record)} for record in sealed), {"rows": 9}
    )


KEPT = {
    "an export of the ledger": (ledger_rows(records(5)), 5),
    "an export of the record": (
        lines({"schema": "x"}, *map(asdict, records(5)[2:4]), {"records": 2, "head": asdict(records(5)[4])}),
        3,
    ),
    "an export up to the head": (
        lines({"schema": "x"}, *map(asdict, records(5)[2:]), {"records": 3, "head": asdict(records(5)[4])}),
        3,
    ),
    "a verification": (lines({"records": 5, "head": {"seq": 5, "hash": records(5)[4].hash}}), 1),
    "a head": (lines({"seq": 5, "hash": records(5)[4].hash, "ledger": "/x", "at_ms": 1}), 1),
}


@pytest.mark.parametrize("kind", KEPT)
def test_a_record_that_only_grew(kind):
    """What was kept of it is the beginning of what is there."""
    file, compared = KEPT[kind]
    verdict = examine(records(7), read_marks(file))

    assert (True, 7, compared) == (verdict.is_whole, verdict.records, verdict.compared)
    assert records(7)[-1] == verdict.head


@pytest.mark.parametrize("kind", KEPT)
def test_a_record_that_was_rewritten(kind):
    """A chain that was written anew looks whole by itself, and isn't what was kept; the first other record is named."""
    file, compared = KEPT[kind]
    verdict = examine(records(7, actor="eve@desk"), read_marks(file))
    first = {5: 1, 3: 3, 1: 5}[compared]

    assert (None, first, False) == (verdict.broken, verdict.other, verdict.is_whole)


@pytest.mark.parametrize("kind", KEPT)
def test_a_record_whose_end_was_cut_off(kind):
    """What is missing is named, from the first to the last."""
    file, compared = KEPT[kind]
    verdict = examine(records(3), read_marks(file))
    first = 5 if compared == 1 else 4

    assert ((first, 5), 3, False) == (verdict.missing, verdict.records, verdict.is_whole)


def test_a_record_that_was_emptied():
    """Nothing is left of it."""
    verdict = examine([], read_marks(ledger_rows(records(5))))

    assert (0, None, (1, 5), False) == (verdict.records, verdict.head, verdict.missing, verdict.is_whole)


DAMAGES = {
    "changed": lambda sealed: [*sealed[:2], replace(sealed[2], text=sealed[3].text), *sealed[3:]],
    "deleted": lambda sealed: [*sealed[:2], *sealed[3:]],
    "inserted": lambda sealed: [*sealed[:3], sealed[2], *sealed[3:]],
    "out of order": lambda sealed: [*sealed[:2], sealed[3], sealed[2], *sealed[4:]],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_chain_that_is_broken(damage):
    """The first bad record is named, and how many are whole before it."""
    damaged = DAMAGES[damage](records(5))
    verdict = examine(damaged)
    whole = 3 if damage == "inserted" else 2

    assert (whole, damaged[whole].seq) == (verdict.records, verdict.broken)
    assert (damaged[whole - 1], False) == (verdict.head, verdict.is_whole)


@pytest.mark.parametrize("key", ["text", "prev_hash", "hash"])
def test_a_file_that_was_changed(key):
    """What it says beside the hashes counts as well: it isn't shown to be the record's."""
    sealed = records(5)
    sealed[2] = replace(sealed[2], **{key: "another"})
    verdict = examine(records(5), read_marks(ledger_rows(sealed)))

    assert (3, 4) == (verdict.other, verdict.compared)


BAD_FILES = {
    "empty": [],
    "something else": [b"hello", b"[1]", b'"x"', b"\xff", b"null", b"[" * 100_000],
    "another document": lines({"schema": "profilectl.plan/1", "head": None}),
    "out of order": ledger_rows(records(5)[::-1]),
    "twice": ledger_rows([records(1)[0], replace(records(1)[0], hash="x")]),
    "no number": lines({"seq": "1", "hash": "x"}),
    "a truth for a number": lines({"seq": True, "hash": "x"}),
    "no hash": lines({"seq": 1, "hash": None}),
    "before the first": lines({"seq": 0, "hash": "x"}),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_file_that_proves_nothing(kind):
    """It is refused, and never taken for a proof."""
    with pytest.raises(NoMarks):
        examine(records(5), read_marks(BAD_FILES[kind]))


def test_millions_are_no_matter_of_memory():
    """Neither records nor marks are kept: an endless file ends where the ledger's records do."""
    sealed = records(3)

    def endless():
        yield from ledger_rows(sealed)
        seq = 3
        while seq < 50_000:
            seq += 1
            yield json.dumps({"seq": seq, "hash": "x"}).encode()

    assert (4, 50_000) == examine(iter(sealed), read_marks(endless())).missing


def test_a_record_in_the_middle_whose_deletion_was_accepted_is_the_only_one_missing():
    """Those behind it are compared, and the missing one is named by itself."""
    sealed = records(6)
    kept = lines(*map(asdict, sealed))
    left = [*sealed[:2], *sealed[3:]]
    accepted = {(sealed[3].seq, sealed[3].mark)}
    verdict = examine(left, read_marks(kept), accepted)

    assert (None, 5, (3, 3)) == (verdict.broken, verdict.compared, verdict.missing)
    assert (False, None) == (verdict.is_whole, verdict.other)
