"""Looking into a ledger on any SQL engine: what is read is said here once, the engine says how."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from profilectl.ledger import schema, steps
from profilectl.ledger.protocol import LedgerReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from profilectl.audit import chain
    from profilectl.ledger.steps import Execute
    from profilectl.model import Account, Dispatch, Event, LedgerState

Result = TypeVar("Result")


class Reader(LedgerReader):
    """The reading half of a ledger; `base.LedgerReader` is its contract."""

    @abstractmethod
    def _read(self, look: Callable[[Execute], Result]) -> Result:
        """Let `look` see one moment of the ledger; it may be called again when that moment didn't last."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the ledger; closing twice is allowed."""

    def account_of(self, brand: str) -> Account | None:
        """Return the account that the brand's key was last claimed for, or None."""
        return self._read(lambda execute: steps.account_of(execute, brand))

    def check_account(self, brand: str, account: Account) -> None:
        """Make sure that a brand may be used with these credentials; WrongAccount if not."""
        self._read(lambda execute: steps.check_account(execute, brand, account))

    def state_of(self, user_id: str) -> LedgerState:
        """Return everything known about an account, read at one moment."""
        return self._read(lambda execute: steps.state_of(execute, user_id))

    def events(self, *, after: int = 0) -> Iterator[chain.Record]:
        """Yield the audit records with a sequence number above `after`, oldest first."""
        while page := self._read(partial(steps.records, after=after)):
            yield from page
            after = page[-1].seq

    def recent(self, user_id: str, since_ms: int) -> tuple[Event, ...]:
        """Return an account's events since a moment, oldest first."""
        return self._read(lambda execute: steps.recent(execute, user_id, since_ms))

    def dispatch(self, user_id: str, key: str) -> Dispatch | None:
        """Return what was last sent, or promised, under a key."""
        return self._read(lambda execute: steps.dispatch(execute, user_id, key))

    def is_delivery(self, user_id: str, event_id: str) -> bool:
        """Say whether a message at X is known as what became of a dispatch."""
        return bool(self._read(lambda execute: execute(schema.GET_DELIVERY, account=user_id, event_id=event_id)))

    def seen_ms(self, user_id: str, profile_id: str) -> int:
        """Return when X last showed a profile to a send, 0 for never."""
        return self._read(lambda execute: steps.seen_ms(execute, user_id, profile_id))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
