"""Whether credentials belong to the account at X that the roster and the ledger mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
