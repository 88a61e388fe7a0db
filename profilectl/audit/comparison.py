"""Whether the chain is whole, and has all that somebody saw of it earlier."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from msgspec import Struct

from profilectl.audit import chain
from profilectl.errors import InputRefused


class NoMarks(InputRefused):
    """A file that says nothing of records, or nothing that can be compared."""


class Mark(Struct, frozen=True):
    """What is known of one record from elsewhere; None where that isn't known."""

    line: int  # of the file
    seq: int
    hash: str
    prev_hash: str | None = None
    text: str | None = None

    def fits(self, record: chain.Record) -> bool:
        """Say whether it is of this record."""
        # of a record that was pruned since only the hash is what it was; `chain.verify` judges whether it was
        text = None if record.text != self.text and record.pruned_by is not None else self.text
        pairs = ((self.hash, record.hash), (self.prev_hash, record.prev_hash), (text, record.text))
        return all(mine is None or mine == theirs for mine, theirs in pairs)


class Verdict(Struct, frozen=True):
    """What a look at the whole chain has shown."""

    records: int  # that are whole; those before `broken`
    head: chain.Record | None  # the last of them
    broken: int | None = None  # the first record that isn't as it was written
    compared: int = 0  # marks that fit
    other: int | None = None  # the first record that isn't the one of its mark
    missing: tuple[int, int] | None = None  # the first and the last record that have a mark and aren't there
    pruned: int = 0  # records from which texts and recipients were removed

    @property
    def is_whole(self) -> bool:
        """Whether nothing was changed, as far as that can be seen."""
        return self.broken is None and self.other is None and self.missing is None


def examine(
    records: Iterable[chain.Record], marks: Iterable[Mark] = (), accepted: Collection[tuple[int, str]] = ()
) -> Verdict:
    """Read a chain from its beginning, and compare it with marks in the order of their numbers.

    `accepted` are the breaks with which a person chose to go on, see `chain.verify`.
    """
    look = _Look(iter(marks))
    broken = chain.verify(look.passing(records), accepted=accepted)
    if broken is not None:
        return Verdict(look.count - 1, look.former, broken, look.compared, look.other, None, look.pruned)
    missing = None if look.other is not None else look.gap or look.rest()
    return Verdict(look.count, look.last, None, look.compared, look.other, missing, look.pruned)


class _Look:
    def __init__(self, marks: Iterator[Mark]) -> None:
        self.count = self.compared = self.pruned = 0
        self.last: chain.Record | None = None
        self.other: int | None = None
        self.former: chain.Record | None = None
        self.gap: tuple[int, int] | None = None  # of marks whose records aren't there, though later ones are
        self._marks = marks
        self._mark = next(marks, None)

    def passing(self, records: Iterable[chain.Record]) -> Iterator[chain.Record]:
        """Yield the records, and look at each."""
        for record in records:
            self.count += 1
            self.former, self.last = self.last, record
            self.pruned += record.pruned_by is not None
            while self._mark is not None and self._mark.seq < record.seq:
                self._miss(self._mark.seq)
                self._mark = next(self._marks, None)
            if self._mark is not None and self._mark.seq == record.seq:
                fits = self._mark.fits(record)
                self.compared += fits
                if not fits and self.other is None:
                    self.other = record.seq
                self._mark = next(self._marks, None)
            yield record

    def _miss(self, seq: int) -> None:
        if self.gap is None:
            self.gap = seq, seq
        elif self.gap[1] == seq - 1:
            self.gap = self.gap[0], seq

    def rest(self) -> tuple[int, int] | None:
        """Return the first and the last record that only have a mark, None when there is none."""
        if self._mark is None:
            return None
        first = last = self._mark.seq
        for mark in self._marks:
            last = mark.seq
        return first, last


def read_marks(lines: Iterable[bytes]) -> Iterator[Mark]:
    """Yield what a file says of records: one that an export or a verification wrote, or a head that was kept.

    Raises:
        NoMarks: the file says nothing of records, or not in their order.
    """
    last, last_hash = 0, ""
    for number, line in enumerate(lines, start=1):
        values = _record_in(line)
        if values is None:
            continue
        mark = _mark(number, values)
        if mark.seq == last and mark.hash == last_hash:
            continue  # the last line of an export names the head, which may be the record before it
        if mark.seq <= last:
            raise NoMarks(f"line {number} is about record {mark.seq}, after one about record {last}")
        last, last_hash = mark.seq, mark.hash
        yield mark
    if not last:
        hint = (
            "it is what `ledger export`, `audit export` or `audit verify --json` wrote, or a head in the state folder"
        )
        raise NoMarks("nothing of the record is in it", hint=hint)


def _record_in(line: bytes) -> dict[str, Any] | None:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict):
        return None
    if "table" in values:  # of a ledger's export, which has other tables as well
        values = values.get("row") if values["table"] == "audit" else None
    else:
        values = values.get("head", values)
    return values if isinstance(values, dict) and {"seq", "hash"} <= values.keys() else None


def _mark(number: int, values: dict[str, Any]) -> Mark:
    seq, parts = values["seq"], (values["hash"], values.get("prev_hash"), values.get("text"))
    if type(seq) is not int or seq < 1 or not isinstance(parts[0], str):
        raise NoMarks(f"line {number} can't be understood")
    return Mark(number, seq, *parts)
