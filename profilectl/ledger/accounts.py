"""Whether credentials, roster and ledger mean the same account at X, and whether the ledger is the account's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.errors import WrongAccount
from profilectl.model import Account, Brand
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.ledger.protocol import LedgerReader


def check_account(brand: Brand, account: Account, ledger: LedgerReader) -> None:
    """Raise WrongAccount unless the credentials belong to the account that roster and ledger mean."""
    # a handle can be renamed at X and then taken by somebody else, a user id can't: the handle only counts at first
    ledger.check_account(brand.key, account)
    if ledger.account_of(brand.key) is None and account.handle.casefold() != brand.handle.casefold():
        raise WrongAccount(
            f"brand {brand.key} is @{brand.handle}, but the credentials belong to @{visible(account.handle)}",
            hint=f"log in as @{brand.handle}, or choose the brand with --brand",
        )


def require_distinct(accounts: Mapping[str, Account]) -> None:
    """Raise WrongAccount where two brands, by their keys, are one account at X.

    Each would take the other's profiles for those of agents who have left the roster.
    """
    brands: dict[str, str] = {}
    for brand, account in accounts.items():
        other = brands.setdefault(account.user_id, brand)
        if other != brand:
            raise WrongAccount(
                f"brands {other} and {brand} are one account at X, "
                f"@{visible(account.handle)} (user id {visible(account.user_id)})",
                hint="keep one of them in the roster, or log in with each one's own credentials",
            )


class UnknownAccount(Struct, frozen=True):
    """An account that a ledger has never known, although it had profiles before that ledger."""

    user_id: str
    handle: str
    listed: int  # profiles that X lists
    former: str | None  # path of the ledger that was used for it last, where that is remembered

    def describe(self, ledger: str) -> str:
        """Say what is odd about it, given the path of the ledger."""
        count = "1 profile" if self.listed == 1 else f"{self.listed:,} profiles"
        known = f"X lists {count} of it" if self.listed else "another ledger was used for it before"
        return visible(f"the ledger {ledger} doesn't know @{self.handle}, and {known}")

    def ways_on(self, again: str, *, is_sandbox: bool) -> str:
        """Say what can be done about it; `again` are the options that make another command mean the same."""
        address = "PROFILECTL_LEDGER=" + ("PATH" if self.former is None else self.former)
        right = "" if is_sandbox else f"{address} names the right one; "
        return visible(
            f"`profilectl recover{again}` rebuilds a lost ledger; {right}"
            f"`profilectl sync --new-ledger{again}` begins anew, and takes what X lists for strangers' profiles"
        )


def unknown_account(
    account: Account, listed: int, former: str | None, *, is_known: bool, is_registered: bool = False
) -> UnknownAccount | None:
    """Return what speaks against using a ledger for an account, or None.

    A ledger may be an account's first only when X lists no profiles of it, and no other ledger is remembered: else
    every profile would be a stranger's, and every agent whose name has changed would get another one.

    Args:
        account: whom the credentials belong to.
        listed: how many profiles X lists of it.
        former: path of the ledger that was used for it last, None when nothing is remembered.
        is_known: whether the ledger has known the account, see `LedgerReader.knows`.
        is_registered: whether the account is registered there, so that the remembered ledger was compared with this one
            when it was opened: a first run that X let make nothing leaves such a ledger.
    """
    if is_known or (listed == 0 and (former is None or is_registered)):
        return None
    return UnknownAccount(account.user_id, account.handle, listed, former)
