"""To whom an account has written, as the record tells: the newest first, and not further back than a person would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from profilectl.audit.chain import Record
from profilectl.audit.faces import Entry
from profilectl.audit.queries import Selection
from profilectl.errors import InputRefused
from profilectl.system.host import is_by_this_user

if TYPE_CHECKING:
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.model import Brand

_PAGE: Final = 1000  # records that are read at once
_MOST: Final = 20_000  # records that are looked through: months of a desk, and a moment to read


class RecordReader(Protocol):
    """The part of a ledger that is read here."""

    def events(self, *, after: int = 0) -> Iterator[Record]:
        """Yield the records above a number, oldest first."""

    def last_seq(self) -> int:
        """Return the number of the newest record, 0 when there is none."""


class Correspondent(Struct, frozen=True):
    """Somebody whom an account has written to."""

    user_id: str
    handle: str | None  # as it was typed then, without @; None where only the id was


def sent_newest_first(ledger: RecordReader, user_id: str, most: int = _MOST) -> Iterator[Entry]:
    """Yield what an account has sent, as far as so many of the ledger's newest records tell."""
    sent = Selection(accounts=frozenset({user_id}), events=frozenset({"sent"}))
    last = ledger.last_seq()
    oldest = max(0, last - most)
    while last > oldest:
        after = max(oldest, last - _PAGE)
        page = list(takewhile(lambda record: record.seq <= last, ledger.events(after=after)))  # noqa: B023 - used at once
        yield from reversed(list(sent.entries(page)))
        last = after


def correspondents(
    ledger: RecordReader, user_id: str, *, by: Callable[[str], bool] = lambda _actor: True
) -> Iterator[Correspondent]:
    """Yield everybody whom an account has written to, the latest first, each once with the newest handle.

    Args:
        ledger: whose record is read.
        user_id: the account's.
        by: says of an actor, as the record names one, if what they sent counts.
    """
    seen: set[str] = set()
    for entry in sent_newest_first(ledger, user_id):
        recipient, handle = (entry.event.detail.get(key) for key in ("recipient_id", "recipient_handle"))
        if isinstance(recipient, str) and recipient not in seen and by(entry.actor):
            seen.add(recipient)
            yield Correspondent(recipient, handle if isinstance(handle, str) else None)


def handles(ledger: RecordReader, user_id: str, most: int = _MOST) -> dict[str, str]:
    """Return the handles under which an account wrote to people, by their ids; the newest of each, the latest first."""
    known: dict[str, str] = {}
    for entry in sent_newest_first(ledger, user_id, most):
        recipient, handle = (entry.event.detail.get(key) for key in ("recipient_id", "recipient_handle"))
        if isinstance(recipient, str) and isinstance(handle, str):
            known.setdefault(recipient, handle)
    return known


def last_recipient(known: LedgerReader, brand: Brand) -> tuple[str, str | None]:
    """Return the id of whom this user wrote to last for a brand, and the handle where the record has it.

    The id is what counts: somebody else may have the handle by now.

    Raises:
        InputRefused: the record tells of nobody.
    """
    account = known.account_of(brand.key)
    newest = None if account is None else next(correspondents(known, account.user_id, by=is_by_this_user), None)
    if newest is None:
        raise InputRefused(
            f"the record has nobody whom you wrote to as @{brand.handle}", hint="say --to @HANDLE or --to ID"
        )
    return newest.user_id, newest.handle


def known_handle(known: LedgerReader, brand: Brand, recipient: str) -> str | None:
    """Return the handle under which the record has an id that a brand wrote to; None for a handle, and for others."""
    account = known.account_of(brand.key)
    if account is None or recipient.startswith("@"):
        return None
    return handles(known, account.user_id).get(recipient)
