"""What was signed is compared with what is there, and the first record that is another one is named."""

from __future__ import annotations

from collections import deque

from profilectl.audit.anchors import Comparison, Contradiction, Signed
from profilectl.audit.chain import GENESIS, seal
from profilectl.audit.notes import Checkpoint, origin_of
from profilectl.audit.tree import Tree
from profilectl.model import Event


def chain(count, actor="ann@desk", since=1, before=GENESIS):
    records = []
    for seq in range(since, count + 1):
        records.append(seal(Event("sent", "1", seq), actor, seq=seq, prev_hash=before))
        before = records[-1].hash
    return records


def signed(records, *sizes):
    """Return a checkpoint of each size, and the leaves that are kept beside them."""
    origin, tree, found = origin_of(records[0].hash), Tree(), []
    for record in records:
        tree.add(record.hash)
        if tree.size in sizes:
            found.append(Signed(f"c{tree.size}", Checkpoint(origin, tree.size, tree.root())))
    return found, {place: record.hash for place, record in enumerate(records, start=1)}


def compared(records, checkpoints, leaves):
    comparison = Comparison(checkpoints, leaves)
    deque(comparison.passing(iter(records)), 0)
    comparison.end()
    return comparison.fits, comparison.contradiction


def test_what_only_went_on_fits_every_checkpoint():
    """At any size, in any order."""
    records = chain(20)
    checkpoints, leaves = signed(records, 1, 8, 13)
    assert (3, None) == compared(records, checkpoints[::-1], leaves)


def test_a_fork_is_named_by_its_first_record():
    """Where the leaves are kept; else the records are named among which it is."""
    records = chain(20)
    forked = [*records[:9], *chain(20, "mallory@x", 10, records[8].hash)]
    checkpoints, leaves = signed(records, 4, 16)
    assert (1, Contradiction("c16", 16, 10, 10)) == compared(forked, checkpoints, leaves)
    assert (1, Contradiction("c16", 16, 5, 16)) == compared(forked, checkpoints, {})


def test_leaves_that_lead_to_no_signed_root_name_nothing():
    """They are unsigned, so whoever can write to the folder could put them there."""
    records = chain(20)
    forked = [*records[:9], *chain(20, "mallory@x", 10, records[8].hash)]
    checkpoints, leaves = signed(records, 16)
    leaves[12] = "f" * 64
    assert (0, Contradiction("c16", 16, 1, 16)) == compared(forked, checkpoints, leaves)
    leaves[3] = "f" * 64
    assert (1, None) == compared(records, checkpoints, leaves)


def test_a_cut_tail_is_named():
    """From the first to the last record that is missing."""
    records = chain(20)
    checkpoints, leaves = signed(records, 8, 20)
    assert (1, Contradiction("c20", 20, 16, 20, True)) == compared(records[:15], checkpoints, leaves)


def test_a_shorter_chain_with_other_records_is_named_by_these():
    """What is missing behind them comes second."""
    records = chain(20)
    forked = [*records[:9], *chain(12, "mallory@x", 10, records[8].hash)]
    assert (0, Contradiction("c20", 20, 10, 10)) == compared(forked, *signed(records, 20))


def test_another_ledger_is_another_from_its_first_record():
    """As when everything was written anew."""
    assert (0, Contradiction("c20", 20, 1, 1)) == compared(chain(30, "mallory@x"), *signed(chain(20), 20))


def test_nothing_is_left_of_an_empty_ledger():
    """All of it is missing."""
    assert (0, Contradiction("c3", 3, 1, 3, True)) == compared([], *signed(chain(3), 3))
