"""The hash chain over events: each record's hash covers its text and the hash before it.

`verify` notices a change, an insertion or a removal in the middle. It can't notice that the newest records were cut
off, or that the whole chain was rewritten: for that the last hash has to be kept somewhere else. What is hashed is the
very text that is stored, so no reader has to reproduce how it was written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from profilectl.errors import LedgerRefused
from profilectl.model import Event

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
    def actor(self) -> str:
        """Who did it, as ``user@host``; LedgerRefused when the text was damaged."""
        return str(_values(self)["actor"])


def seal(event: Event, actor: str, *, seq: int, prev_hash: str) -> Record:
    """Return the record that continues a chain whose last record was `seq` - 1 with `prev_hash`."""
    text = canonical(event, actor)
    return Record(seq, prev_hash, _hash(prev_hash, text), text)


def verify(records: Iterable[Record]) -> int | None:
    """Return the sequence number of the first record that breaks the chain, None when it is whole.

    Args:
        records: a whole chain, oldest first. For a gap, the record behind it is the broken one.
    """
    prev_hash = GENESIS  # so that records missing at the beginning are noticed as well
    for seq, record in enumerate(records, start=1):
        follows = record.seq == seq and record.prev_hash == prev_hash
        if not follows or record.hash != _hash(prev_hash, record.text):
            return record.seq
        prev_hash = record.hash
    return None


def contents(record: Record) -> tuple[Event, str]:
    """Return what happened, and who did it, as ``user@host``; LedgerRefused when the text was damaged."""
    values = _values(record)
    actor = str(values.pop("actor"))
    return Event(**values), actor


def canonical(event: Event, actor: str) -> str:
    """Return the one JSON text of an event: ASCII, keys sorted, no spaces."""
    values = {
        "account": event.account,
        "actor": actor,
        "agent": event.agent,
        "at_ms": event.at_ms,
        "detail": dict(event.detail),
        "profile_id": event.profile_id,
        "what": event.what,
    }
    # NaN isn't JSON (RFC 8259 6), so other programs couldn't verify a chain with it
    return json.dumps(values, ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _hash(prev_hash: str, text: str) -> str:
    import hashlib  # loads OpenSSL, which a command that records nothing does without

    # a damaged text may hold half of a surrogate pair: it has to be found broken, not to end the verification
    return hashlib.sha256((prev_hash + text).encode("utf-8", "surrogatepass")).hexdigest()


_FIELDS = frozenset({"account", "actor", "agent", "at_ms", "detail", "profile_id", "what"})


def _values(record: Record) -> dict[str, Any]:
    try:
        values = json.loads(record.text)
    except ValueError:
        values = None
    if not isinstance(values, dict) or values.keys() != _FIELDS:
        raise LedgerRefused(
            f"audit record {record.seq} can't be read: it was changed after it was written",
            hint="restore a backup of the ledger, and find out who wrote to it",
        )
    return values
