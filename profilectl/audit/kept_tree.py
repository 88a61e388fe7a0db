"""The tree over a ledger's records, see `audit.tree`, and how far this host had computed it.

What is kept is believed only where the ledger's record of that number still has the hash that it had then, which stands
for all records before it; otherwise the tree is computed from the first record on. `audit verify` compares what is
kept with the records themselves.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Protocol

from msgspec import MsgspecError, Struct, json

from profilectl.audit import chain
from profilectl.audit.anchor_folder import MOST_LEAVES
from profilectl.audit.notes import Checkpoint, origin_of
from profilectl.audit.tree import Tree
from profilectl.errors import LedgerRefused
from profilectl.system.files import read_regular, write_private
from profilectl.system.folders import make_private_folder

_AT_ONCE = 256  # hashes; more of them would leave the cache of the processor before they are used
_LARGEST = 16_384  # bytes; a tree has at most 64 peaks


class RecordReader(Protocol):
    """The part of a ledger that is read here."""

    def events(self, *, after: int = 0) -> Iterator[chain.Record]:
        """Yield all records above a number, oldest first."""

    def hash_of(self, seq: int) -> str | None:
        """Return the hash of a record, or None when there is no such record."""

    def accepted_breaks(self) -> frozenset[tuple[int, str]]:
        """Return the broken records with which a person chose to go on."""


class KeptTree(Struct, frozen=True):
    """How far a tree was computed: over so many records, up to the one with that number and hash."""

    origin: str
    size: int
    seq: int
    hash: str
    peaks: tuple[str, ...]  # in hexadecimal
    check: str  # of the rest, so that what was damaged isn't used

    @property
    def checkpoint(self) -> Checkpoint:
        """What it says of the records."""
        return Checkpoint(self.origin, self.size, self.tree().root())

    def tree(self) -> Tree:
        """Return the tree as it was; ValueError where it can't be one."""
        return Tree(self.size, [bytes.fromhex(peak) for peak in self.peaks])

    @property
    def is_sound(self) -> bool:
        """Whether it is as it was written."""
        try:
            self.tree()
        except ValueError:
            return False
        return self.check == _check(self)


class TreeFiles:
    """Keeps one tree for each ledger in a folder of this user's state; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def path(self, origin: str) -> Path | None:
        """Return where a ledger's tree is kept."""
        return None if self._folder is None else self._folder / f"{re.sub(r'[^0-9A-Za-z]', '_', origin)}.json"

    def load(self, origin: str) -> KeptTree | None:
        """Return what is kept of a ledger, None where nothing is, or it was damaged."""
        path = self.path(origin)
        try:
            file = None if path is None else read_regular(path, _LARGEST)
            kept = None if file is None else json.decode(file[0], type=KeptTree)
        except (OSError, MsgspecError):
            return None
        return kept if kept is not None and kept.origin == origin and kept.is_sound else None

    def save(self, grown: GrownTree) -> None:
        """Keep a tree; OSError where that can't be."""
        path = self.path(grown.origin)
        if path is None or not grown.tree.size:
            return
        make_private_folder(path.parent)
        peaks = tuple(peak.hex() for peak in grown.tree.peaks)
        kept = KeptTree(grown.origin, grown.tree.size, grown.seq, grown.hash, peaks, "")
        write_private(path, json.encode(KeptTree(*_fields(kept), _check(kept))))

    def forget(self, origin: str) -> None:
        """Keep nothing of a ledger any more, as a person has accepted that its records were changed."""
        path = self.path(origin)
        if path is not None:
            path.unlink(missing_ok=True)


class GrownTree:
    """The tree over all records that a ledger has."""

    def __init__(self, origin: str, kept: KeptTree | None) -> None:
        self.origin = origin
        self.tree = Tree() if kept is None else kept.tree()
        self.seq, self.hash = (0, chain.GENESIS) if kept is None else (kept.seq, kept.hash)
        self.roots = {self.tree.size: self.tree.root()}  # at the size that is asked for, and at its first
        self.leaves: dict[int, str] = {}  # by the place of their record; none where these would be too many

    @property
    def checkpoint(self) -> Checkpoint:
        """What it says of the records."""
        return Checkpoint(self.origin, self.tree.size, self.tree.root())

    def take(self, records: Iterator[chain.Record], size: int) -> Iterator[chain.Record]:
        """Let records pass, and grow by each; the root is noted at that size, and the leaves behind it are."""
        first, last = max(size, self.tree.size), None
        # many at once take the tree less time, and so does handing them on
        while batch := list(islice(records, self._most_at_once(size))):
            self._add([record.hash for record in batch], size)
            yield from batch
            last = batch[-1]
        if last is not None:
            self.seq, self.hash = last.seq, last.hash
        if self.tree.size - first > MOST_LEAVES:
            self.leaves.clear()

    def _most_at_once(self, size: int) -> int:
        """Return how many records may be added before the root is noted, or the processor's cache is full."""
        return min(_AT_ONCE, size - self.tree.size) if self.tree.size < size else _AT_ONCE

    def _add(self, hashes: list[str], size: int) -> None:
        """Grow by records that are all up to that size, or all above it."""
        place = self.tree.size + 1
        self.tree.extend(hashes)
        if self.tree.size == size:
            self.roots[size] = self.tree.root()
        if place > size and len(self.leaves) <= MOST_LEAVES:
            self.leaves.update(enumerate(hashes, place))


def origin_of_ledger(ledger: RecordReader) -> str | None:
    """Return the origin of a ledger's checkpoints, None where it has no record yet."""
    first = next(ledger.events(), None)
    return None if first is None else origin_of(first.hash)


def grow(ledger: RecordReader, origin: str, kept: KeptTree | None, size: int = 0) -> GrownTree:
    """Return the tree over a ledger's records, with its root at a size where it has grown through that.

    Args:
        ledger: with a record at least.
        origin: of its checkpoints.
        kept: how far the tree was computed earlier.
        size: of the newest checkpoint; the hashes of the records after it are returned as well.

    Raises:
        LedgerRefused: a record that is read isn't as it was written, and nobody has accepted that.
    """
    if kept is not None and (kept.size > size > 0 or ledger.hash_of(kept.seq) != kept.hash):
        kept = None  # a root of fewer records can't be told from it
    grown = GrownTree(origin, kept)
    behind = None
    if kept is not None:
        behind = next(ledger.events(after=kept.seq - 1))
    records = grown.take(ledger.events(after=grown.seq), size)
    broken = chain.verify(records, behind=behind, accepted=ledger.accepted_breaks())
    if broken is not None:
        hint = "`profilectl audit verify` shows more"
        raise LedgerRefused(f"nothing was signed: the record is broken at {broken}", hint=hint)
    return grown


def _fields(kept: KeptTree) -> tuple[str, int, int, str, tuple[str, ...]]:
    return kept.origin, kept.size, kept.seq, kept.hash, kept.peaks


def _check(kept: KeptTree) -> str:
    return hashlib.sha256(json.encode(_fields(kept))).hexdigest()
