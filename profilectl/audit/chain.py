"""The hash chain over events: each record's hash covers its text and the hash before it.

`verify` notices a change, an insertion or a removal in the middle. Texts and recipients may be taken out by a pruning,
which is a record itself and says what was left: see `without_private`. It can't notice that the newest records were cut
off, or that the whole chain was rewritten: for that the last hash has to be kept somewhere else. What is hashed is the
very text that is stored, so no reader has to reproduce how it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from msgspec import Struct

from profilectl.errors import LedgerRefused
from profilectl.model import Detail, Event

GENESIS = "0" * 64
"""What the first record names as the hash before it."""


class Record(Struct, frozen=True):
    """One record of the chain.

    Attributes:
        seq: counts from 1, without gaps.
        prev_hash: the hash of the record before, `GENESIS` for the first.
        hash: SHA-256 of `prev_hash` and `text`, 64 hexadecimal digits.
        text: the canonical JSON of the event and its actor.
    """

    seq: int
    prev_hash: str
    hash: str
    text: str

    @property
    def event(self) -> Event:
        """What happened; LedgerRefused when the text was damaged."""
        return contents(self)[0]

    @property
    def written_ms(self) -> int:
        """When it was written, by the clock of the machine that wrote it, never before the record before it.

        Epoch milliseconds; 0 for one that was damaged, or of a version that noted X's time only.
        """
        return int(_values(self).get(_WRITTEN, 0)) if self.is_readable else 0

    @property
    def is_sealed(self) -> bool:
        """Whether the hash is that of the text, and of the hash before it."""
        return _seal_check()(self)

    @property
    def is_readable(self) -> bool:
        """Whether the text is that of a record."""
        try:
            _values(self)
        except LedgerRefused:
            return False
        return True

    @property
    def pruned_by(self) -> int | None:
        """The number of the record by which texts and recipients were taken out of this one, None where none were.

        Only what `verify` says of the chain makes that true.
        """
        try:
            says_so = _PRUNED_KEY in self.text
        except TypeError:  # a database keeps what it is given
            return None
        if not says_so or not self.is_readable:
            return None
        detail = self.event.detail
        seq = detail.get(PRUNED)
        return seq if type(seq) is int and seq > self.seq and PRIVATE.isdisjoint(detail) else None

    @property
    def mark(self) -> str:
        """A digest of the record as it stands, its hash included: SHA-256, 64 hexadecimal digits."""
        return _hash(f"{self.seq} {self.prev_hash} {self.hash} ", str(self.text))

    @property
    def actor(self) -> str:
        """Who did it, as ``user@host``; LedgerRefused when the text was damaged."""
        return str(_values(self)["actor"])


def seal(event: Event, actor: str, *, seq: int, prev_hash: str, written_ms: int | None = None) -> Record:
    """Return the record that continues a chain whose last record was `seq` - 1 with `prev_hash`.

    `written_ms` is this machine's time; None leaves it out, as versions before did.
    """
    text = canonical(event, actor, written_ms)
    return Record(seq, prev_hash, _hash(prev_hash, text), text)


def verify(
    records: Iterable[Record], *, behind: Record | None = None, accepted: Collection[tuple[int, str]] = ()
) -> int | None:
    """Return the sequence number of the first record that breaks the chain, None when it is whole.

    Args:
        records: a whole chain, oldest first. For a gap, the record behind it is the broken one.
        behind: the record before the first of them, which is believed; None where they begin with the first of all.
        accepted: numbers and marks (see `Record.mark`) of broken records with which a person chose to go on.
    """
    # so that records missing at the beginning are noticed as well
    seq, prev_hash = (0, GENESIS) if behind is None else (behind.seq, behind.hash)
    is_sealed, prunings = _seal_check(), _Prunings(seq)
    for record in records:
        follows = record.seq == seq + 1 and record.prev_hash == prev_hash
        if follows and is_sealed(record):
            if record.text.endswith(_PRUNING):
                prunings.settle(record)
        elif not (follows and prunings.has(record)) and (record.seq, record.mark) not in accepted:
            return record.seq
        seq, prev_hash = record.seq, record.hash
    return prunings.first_unsettled()


class Pruned:
    """Takes the records of one pruning, as they are left, and digests them."""

    def __init__(self) -> None:
        self.first = self.last = self.count = 0
        self._hash: Any = None

    def add(self, record: Record) -> None:
        """Take the next one, in the order of the record."""
        from hashlib import sha256

        self._hash = self._hash or sha256()
        self._hash.update(record.mark.encode())
        self.first, self.last, self.count = self.first or record.seq, record.seq, self.count + 1

    def detail(self) -> Detail:
        """Return what the event of the pruning says of them."""
        digest = "" if self._hash is None else self._hash.hexdigest()
        return {"records": self.count, "first": self.first, "last": self.last, "digest": digest}


class _Prunings:
    """Records whose text isn't that of their hash, because a later one says that they were pruned."""

    def __init__(self, after: int) -> None:
        self._after = after  # records up to that one aren't read
        self._open: dict[int, Pruned] = {}
        self._untrue: list[int] = []

    def has(self, record: Record) -> bool:
        """Say whether a record says that it was pruned; what it says is judged when that record comes."""
        seq = record.pruned_by
        if seq is None:
            return False
        self._open.setdefault(seq, Pruned()).add(record)
        return True

    def settle(self, record: Record) -> None:
        """Compare what was pruned with the record of that, which is sealed."""
        pruned = self._open.pop(record.seq, None)
        detail = record.event.detail if record.is_readable else {}
        first = detail.get("first")
        if type(first) is int and 0 < first <= self._after:
            return  # the first of them aren't read, so the digest of all of them can't be compared
        expected = Pruned().detail() if pruned is None else pruned.detail()
        if any(detail.get(key) != value for key, value in expected.items()):
            self._untrue.append(pruned.first if pruned is not None else record.seq)

    def first_unsettled(self) -> int | None:
        """Return the first record that isn't as it was left by a pruning, None where each is."""
        return min((*self._untrue, *(pruned.first for pruned in self._open.values())), default=None)


PRUNED = "pruned"
"""What an event is called by which texts and recipients were taken out of records; these name it in their detail."""

PRIVATE = frozenset({"recipient_id", "recipient", "recipient_handle", "text", "text_sha256", "text_hmac", "attachment"})
"""What is taken out of a record's detail: who got a message, and what tells, or proves, what it said."""

_PRUNED_KEY = f'"{PRUNED}":'
_PRUNING = f'"what":"{PRUNED}"}}'


def without_private(record: Record, by: int) -> Record | None:
    """Return a record without what is `PRIVATE`, pruned by the record of that number; None where nothing is to go.

    Its hash stays, so all records behind it and every checkpoint are as before. One that isn't sealed isn't touched:
    that somebody changed it mustn't be forgotten.
    """
    if not record.is_sealed or not record.is_readable:
        return None
    import json

    values = json.loads(record.text)
    kept = {key: value for key, value in values["detail"].items() if key not in PRIVATE}
    if len(kept) == len(values["detail"]):
        return None
    values["detail"] = {**kept, PRUNED: by}
    return Record(record.seq, record.prev_hash, record.hash, _dumped(values))


BREAK_ACCEPTED = "break-accepted"
"""What an event is called by which a person goes on with a chain that is broken; its detail has `seq` and `mark`."""

_ACCEPTANCE = f'"what":"{BREAK_ACCEPTED}"'


def accepted_breaks(records: Iterable[Record]) -> frozenset[tuple[int, str]]:
    """Return the broken records that these accept, for `verify`."""
    words = (record for record in records if _ACCEPTANCE in record.text and record.is_sealed and record.is_readable)
    details = [event.detail for record in words if (event := record.event).what == BREAK_ACCEPTED]
    pairs = ((detail.get("seq"), detail.get("mark")) for detail in details)
    return frozenset((seq, mark) for seq, mark in pairs if isinstance(seq, int) and isinstance(mark, str))


def contents(record: Record) -> tuple[Event, str]:
    """Return what happened, and who did it, as ``user@host``; LedgerRefused when the text was damaged."""
    values = _values(record)
    actor = str(values.pop("actor"))
    values.pop(_WRITTEN, None)
    return Event(**values), actor


def canonical(event: Event, actor: str, written_ms: int | None = None) -> str:
    """Return the one JSON text of an event: ASCII, keys sorted, no spaces; what happened comes last."""
    values: dict[str, Any] = {
        "account": event.account,
        "actor": actor,
        "agent": event.agent,
        "at_ms": event.at_ms,
        "detail": dict(event.detail),
        "profile_id": event.profile_id,
        "what": event.what,
    }
    values |= {} if written_ms is None else {_WRITTEN: written_ms}
    # NaN isn't JSON (RFC 8259 6), so other programs couldn't verify a chain with it
    return _dumped(values)


def _dumped(values: dict[str, Any]) -> str:
    import json

    return json.dumps(values, ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _hash(prev_hash: str, text: str) -> str:
    import hashlib  # loads OpenSSL, which a command that records nothing does without

    # a damaged text may hold half of a surrogate pair: it has to be found broken, not to end the verification
    return hashlib.sha256((prev_hash + text).encode("utf-8", "surrogatepass")).hexdigest()


def _seal_check() -> Callable[[Record], bool]:
    from hashlib import sha256  # as in `_hash`; once for a million records

    def is_sealed(record: Record) -> bool:
        try:
            content = (record.prev_hash + record.text).encode("utf-8", "surrogatepass")
        except TypeError:  # a database keeps what it is given
            return False
        return record.hash == sha256(content).hexdigest()

    return is_sealed


_FIELDS = frozenset({"account", "actor", "agent", "at_ms", "detail", "profile_id", "what"})
_WRITTEN = "local_ms"  # sorts before "what", which the ledger's indexes look for at the end of a text


def _has_fields(values: dict[str, Any]) -> bool:
    texts = all(isinstance(values.get(name), str) for name in ("account", "actor", "what"))
    numbers = all(type(values.get(name, 0)) is int for name in ("at_ms", _WRITTEN))
    others = all(isinstance(values.get(name), str | None) for name in ("agent", "profile_id"))
    is_whole = values.keys() - {_WRITTEN} == _FIELDS and isinstance(values["detail"], dict)
    return is_whole and texts and numbers and others


def _values(record: Record) -> dict[str, Any]:
    import json  # compiles patterns, which a command that only looks for a binding does without

    try:
        values = json.loads(record.text)
    except (ValueError, TypeError, RecursionError):
        values = None
    if not isinstance(values, dict) or not _has_fields(values):
        raise LedgerRefused(
            f"audit record {record.seq} can't be read: it was changed after it was written",
            hint="restore a backup of the ledger, and find out who wrote to it",
        )
    return values
