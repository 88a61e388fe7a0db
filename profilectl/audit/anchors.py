"""Checkpoints that somebody else keeps, beside the records: what was signed has to be a prefix of what is there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from profilectl.audit import chain
from profilectl.audit.notes import Checkpoint, origin_of
from profilectl.audit.tree import Tree


class Signed(Struct, frozen=True):
    """A checkpoint whose signature was found good, and the file that it is in."""

    file: str
    checkpoint: Checkpoint


class Contradiction(Struct, frozen=True):
    """What a ledger has otherwise than it was signed.

    Attributes:
        file: the first checkpoint that isn't about a prefix of the records.
        size: how many records that is about.
        first: the first record that isn't the signed one, or the first of those of which one isn't.
        last: the last of those; `first` where it is known to be that one.
        is_missing: the records from `first` on aren't there at all.
    """

    file: str
    size: int
    first: int
    last: int
    is_missing: bool = False


class Comparison:
    """Lets records pass, oldest first, and compares the tree over them with every checkpoint.

    `leaves` are the hashes that were kept beside the checkpoints, by the place of their record. They are unsigned, so
    they are believed only where they lead to a root that was signed; then they tell which record is another one.
    """

    def __init__(self, signed: Iterable[Signed], leaves: Mapping[int, str]) -> None:
        self.fits = 0
        self.contradiction: Contradiction | None = None
        self._signed: Sequence[Signed] = sorted(signed, key=lambda known: known.checkpoint.size)
        self._next = 0  # the checkpoint that is compared next
        self._leaves = leaves
        self._tree = Tree()
        self._former = Tree()  # at the last checkpoint that fitted
        self._former_seq = self._last_seq = 0
        self._differs: int | None = None  # the first record since then whose leaf is another one
        self._differs_at = 0

    def passing(self, records: Iterable[chain.Record]) -> Iterator[chain.Record]:
        """Yield the records, and look at each."""
        for record in records:
            if self.contradiction is None and self._next < len(self._signed):
                self._take(record)
            yield record

    def end(self) -> None:
        """Judge the checkpoints that are about more records than there are."""
        if self.contradiction is not None or self._next >= len(self._signed):
            return
        signed = self._signed[self._next]
        size = signed.checkpoint.size
        exact = self._proven(signed.checkpoint)
        if exact is not None:
            self.contradiction = Contradiction(signed.file, size, exact, exact)
            return
        first = self._last_seq + 1
        self.contradiction = Contradiction(signed.file, size, first, first + size - self._tree.size - 1, True)

    def _take(self, record: chain.Record) -> None:
        if not self._tree.size:
            self._judge_origins(origin_of(record.hash))
        self._tree.add(record.hash)
        self._last_seq = record.seq
        place = self._tree.size
        if self._differs is None and self._leaves.get(place, record.hash) != record.hash:
            self._differs, self._differs_at = record.seq, place
        while (
            self.contradiction is None
            and self._next < len(self._signed)
            and self._signed[self._next].checkpoint.size <= place
        ):
            self._compare(self._signed[self._next])

    def _judge_origins(self, origin: str) -> None:
        strange = [signed for signed in self._signed if signed.checkpoint.origin != origin]
        if strange:  # the origin is made of the first record
            self.contradiction = Contradiction(strange[0].file, strange[0].checkpoint.size, 1, 1)

    def _compare(self, signed: Signed) -> None:
        checkpoint = signed.checkpoint
        self._next += 1
        if checkpoint.size == self._tree.size and checkpoint.root == self._tree.root():
            self.fits += 1
            self._former, self._former_seq, self._differs = self._tree.copy(), self._last_seq, None
            return
        exact = self._proven(checkpoint)
        first, last = (self._former_seq + 1, self._last_seq) if exact is None else (exact, exact)
        self.contradiction = Contradiction(signed.file, checkpoint.size, first, last)

    def _proven(self, checkpoint: Checkpoint) -> int | None:
        """Return the first record that is another one, where the kept leaves lead to the signed root."""
        if self._differs is None or self._differs_at > checkpoint.size:
            return None
        tree = self._former.copy()
        for place in range(tree.size + 1, checkpoint.size + 1):
            if place not in self._leaves:
                return None
            tree.add(self._leaves[place])
        return self._differs if tree.root() == checkpoint.root else None
