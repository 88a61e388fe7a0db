"""Whether a backup of a ledger may take the place of an earlier one: only when that knows nothing that would be lost.

A ledger that was lost, and one that was begun anew in its place, look alike to a nightly job. So does the sandbox's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.errors import LedgerRefused
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.model import LedgerAccount


class Contents(Struct, frozen=True):
    """What a ledger knows, as far as it says whether another one is its continuation."""

    accounts: tuple[LedgerAccount, ...]
    last_seq: int  # of its newest audit record, 0 without any
    last_hash: str | None


def contents_of(ledger: LedgerReader) -> Contents:
    """Return what a ledger knows."""
    last_seq = ledger.last_seq()
    return Contents(ledger.accounts(), last_seq, ledger.hash_of(last_seq) if last_seq else None)


def losses(copy: Contents, ledger: Contents, hash_at_copys_end: str | None) -> tuple[str, ...]:
    """Return what only the earlier copy knows, each as a person reads it behind "the copy"; empty for a continuation.

    What the copy's bindings became since is in the records of a ledger that has all of the copy's.

    Args:
        copy: the earlier backup.
        ledger: what is to be backed up now.
        hash_at_copys_end: of the ledger's record that has the number of the copy's newest one, None without such one.
    """
    known = {(account.user_id, account.host) for account in ledger.accounts}
    parts = [
        f"knows @{account.handle} (user id {account.user_id} at {account.host})"
        for account in copy.accounts
        if (account.user_id, account.host) not in known
    ]
    if copy.last_seq and hash_at_copys_end is None:
        parts.append(f"has records up to {copy.last_seq}, and the ledger's end at {ledger.last_seq}")
    elif copy.last_hash != hash_at_copys_end:
        parts.append(f"has another record {copy.last_seq} than the ledger")
    return tuple(parts)


def require_continuation(copy: LedgerReader, ledger: LedgerReader, copy_name: str, ledger_name: str) -> None:
    """Raise LedgerRefused where the earlier copy knows what the ledger doesn't."""
    contents = contents_of(copy)
    end = ledger.hash_of(contents.last_seq) if contents.last_seq else None
    lost = losses(contents, contents_of(ledger), end)
    if lost:
        what = f"{copy_name} stays, as it isn't an earlier copy of {ledger_name}: it {' and '.join(lost)}"
        raise LedgerRefused(visible(what), hint=KEEP_BOTH)


def require_content(ledger: LedgerReader, name: str) -> None:
    """Raise LedgerRefused for a ledger that knows nothing, of which a backup would only look like one."""
    if contents_of(ledger) == Contents((), 0, None):
        hint = f"the first `profilectl sync` fills a new one; if this one was lost, {_RESTORE}"
        raise LedgerRefused(
            visible(f"there is nothing to back up: {name} knows no account and has no record"), hint=hint
        )


_RESTORE = "put a backup in its place, or `profilectl recover` rebuilds it"
KEEP_BOTH = f"another name keeps both; if the ledger was lost, {_RESTORE}"
