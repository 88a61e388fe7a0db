"""The tree over a ledger's records goes on from where it was, and is never believed over them: on both engines."""

from __future__ import annotations

import json

import pytest

from profilectl.audit.kept_tree import TreeFiles, grow, origin_of_ledger
from profilectl.audit.notes import origin_of
from profilectl.audit.tree import Tree
from profilectl.errors import LedgerRefused
from profilectl.model import Event
from tests.ledger.filled import USER, fill
from tests.ledger.test_record import CHANGE, tampered


def root(ledger, size=None):
    tree = Tree()
    for record in ledger.events():
        if tree.size != size:
            tree.add(record.hash)
    return tree.root()


def test_a_tree_that_was_kept_goes_on(ledger, tmp_path):
    """With the root at the size of the newest checkpoint, and the hashes of what came since."""
    fill(ledger)
    origin, files = origin_of_ledger(ledger), TreeFiles(tmp_path / "trees")
    first = grow(ledger, origin, files.load(origin))
    files.save(first)
    size = first.tree.size
    ledger.record(Event("sent", USER, 99))
    second = grow(ledger, origin, files.load(origin), size)

    assert origin_of(next(ledger.events()).hash) == origin
    assert (root(ledger, size), root(ledger)) == (second.roots[size], second.checkpoint.root)
    assert ({size + 1: ledger.hash_of(size + 1)}, size + 1) == (second.leaves, second.seq)
    assert set(range(1, size + 1)) == set(first.leaves)
    assert 0o600 == files.path(origin).stat().st_mode & 0o777


def test_only_what_is_new_is_read(ledger, tmp_path, monkeypatch):
    """A checkpoint over a million records takes as long as one over ten."""
    fill(ledger)
    origin, files = origin_of_ledger(ledger), TreeFiles(tmp_path)
    files.save(grow(ledger, origin, None))
    asked, events = [], type(ledger).events
    monkeypatch.setattr(
        type(ledger), "events", lambda self, *, after=0: asked.append(after) or events(self, after=after)
    )
    size = ledger.last_seq()
    grow(ledger, origin, files.load(origin), size)
    assert {size - 1, size} == set(asked)


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_the_root_of_a_checkpoint_is_noted_wherever_it_comes(ledger, monkeypatch, at_once):
    """However many hashes the tree gets at once; with the hashes behind that, and no others."""
    fill(ledger)
    monkeypatch.setattr("profilectl.audit.kept_tree._AT_ONCE", at_once)
    origin, last = origin_of_ledger(ledger), ledger.last_seq()
    for size in range(1, last + 1):
        grown = grow(ledger, origin, None, size)
        assert (root(ledger, size), set(range(size + 1, last + 1))) == (grown.roots[size], set(grown.leaves))


def test_records_that_were_changed_since_are_computed_anew(ledger, tmp_path):
    """The last record's hash is another one, so what is kept is of no use."""
    fill(ledger)
    origin, files = origin_of_ledger(ledger), TreeFiles(tmp_path)
    files.save(grow(ledger, origin, None))
    tampered(ledger, "DELETE FROM audit WHERE seq = :seq", seq=ledger.last_seq())
    assert root(ledger) == grow(ledger, origin, files.load(origin)).checkpoint.root


@pytest.mark.parametrize(
    "damage",
    [
        lambda document: {**document, "peaks": ["00" * 32] * len(document["peaks"])},
        lambda document: {**document, "size": document["size"] + 1},
        lambda document: {**document, "peaks": ["not hexadecimal"]},
        lambda document: {**document, "origin": "profilectl/ledger/another"},
        lambda _: {},
        lambda _: [],
    ],
)
def test_a_file_that_was_damaged_is_not_used(ledger, tmp_path, damage):
    """The tree is computed from the records."""
    fill(ledger)
    origin, files = origin_of_ledger(ledger), TreeFiles(tmp_path)
    files.save(grow(ledger, origin, None))
    path = files.path(origin)
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    assert files.load(origin) is None
    path.write_bytes(b"")
    assert files.load(origin) is None


def test_a_smaller_checkpoint_takes_the_whole_record(ledger, tmp_path):
    """The root at a smaller size can't be told from a larger tree."""
    fill(ledger)
    origin, files = origin_of_ledger(ledger), TreeFiles(tmp_path)
    files.save(grow(ledger, origin, None))
    assert root(ledger, 3) == grow(ledger, origin, files.load(origin), 3).roots[3]


def test_nothing_is_signed_over_a_broken_record(ledger):
    """It is named; behind one that a person has accepted it goes on."""
    fill(ledger)
    last = ledger.last_seq()
    tampered(ledger, CHANGE, seq=last, text='{"account":"1"}')
    with pytest.raises(LedgerRefused, match=f"nothing was signed: the record is broken at {last}"):
        grow(ledger, origin_of_ledger(ledger), None)
    [broken] = ledger.events(after=last - 1)
    ledger.accept_break(broken, 95)
    assert last + 1 == grow(ledger, origin_of_ledger(ledger), None).tree.size


def test_an_empty_ledger_has_no_origin_and_the_sandbox_keeps_nothing(ledger):
    """There is nothing to sign, and a rehearsal leaves no state."""
    assert origin_of_ledger(ledger) is None
    fill(ledger)
    origin, files = origin_of_ledger(ledger), TreeFiles(None)
    files.save(grow(ledger, origin, None))
    files.forget(origin)
    assert files.load(origin) is None
