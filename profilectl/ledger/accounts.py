"""Whether credentials, roster and ledger mean the same account at X, and whether the ledger is the account's own.

And what it means when X refuses an account the custom profiles that the ledger has known it with.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.errors import (
    CredentialsRefused,
    NotAllowlisted,
    ProfilesWithdrawn,
    Refused,
    RemoteError,
    WrongAccount,
)
from profilectl.model import Account, Brand
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.ledger.protocol import LedgerReader

_CODES = frozenset({87, 453, 34, 68, 251})
"""Not allowlisted; not in the app's plan; no such page, which for the list can only mean that it is gone; retired."""

_GONE = 410
_WAYS_ON = (
    "nothing was changed, and the agents' profiles stay theirs: ask X's developer support or your X contact why;\n"
    'when_withdrawn = "sign-off" in the roster\'s [policy] lets `profilectl send` go on under the brand, signed;\n'
    "`profilectl doctor --wait 2h` ends when X allows them again, and so does this message"
)


def check_account(brand: Brand, account: Account, ledger: LedgerReader) -> None:
    """Raise WrongAccount unless the credentials belong to the account that roster and ledger mean."""
    # a handle can be renamed at X and then taken by somebody else, a user id can't: the handle only counts at first
    ledger.check_account(brand.key, account)
    if ledger.account_of(brand.key) is None and account.handle.casefold() != brand.handle.casefold():
        raise WrongAccount(
            f"brand {brand.key} is @{brand.handle}, but the credentials belong to @{visible(account.handle)}",
            hint=f"{_own_credentials(brand)}, or go on without it: --brand names the others",
        )


def _own_credentials(brand: Brand) -> str:
    # a login alone wouldn't count: the file's variable and the four come before the keyring
    key, handle = brand.key, brand.handle
    return (
        f"a credentials file and the four variables hold one account's: give brand {key} its own with "
        f"`--brand {key} --credentials-file FILE`, or unset them and run `profilectl auth login` as @{handle}"
    )


def require_distinct(accounts: Mapping[str, Account], brands: Iterable[Brand] = ()) -> None:
    """Raise WrongAccount where two brands, by their keys, are one account at X.

    Each would take the other's profiles for those of agents who have left the roster. With the roster's `brands` it is
    also said whose account it is.
    """
    known = {brand.key: brand for brand in brands}
    owners: dict[str, str] = {}
    for key, account in accounts.items():
        other = owners.setdefault(account.user_id, key)
        if other != key:
            what = f"@{visible(account.handle)} (user id {visible(account.user_id)})"
            whose, way_on = _whose(account, [known[name] for name in (other, key) if name in known])
            raise WrongAccount(f"brands {other} and {key} are one account at X, {what}{whose}", hint=way_on)


def _whose(account: Account, brands: Sequence[Brand]) -> tuple[str, str]:
    """Return whose account it is that several brands' credentials belong to, and the way on for the others."""
    own = [brand for brand in brands if brand.handle.casefold() == account.handle.casefold()]
    others = [brand for brand in brands if brand not in own]
    if len(own) != 1 or not others:
        return "", "keep one of them in the roster, or give each one its own credentials: `profilectl auth login`"
    whose = f": brand {own[0].key}'s, and not that of brand {others[0].key}, which is @{others[0].handle}"
    return whose, f"{_own_credentials(others[0])}; or `--brand {own[0].key}` goes on with that brand alone"


class FormerLedger(Struct, frozen=True):
    """The ledger that was used last for an account on this host."""

    place: str  # a path or an address
    records: int  # of its audit trail

    @property
    def is_gone(self) -> bool:
        """Whether it was a file that isn't there any more; of a database nobody knows."""
        return Path(self.place).is_absolute() and not os.path.lexists(self.place)

    def describe_loss(self) -> str:
        """Say that it is gone, and how much went with it."""
        count = "1 record" if self.records == 1 else f"{self.records:,} records"
        return visible(f"the ledger {self.place} is gone; it had {count}")


class UnknownAccount(Struct, frozen=True):
    """An account that a ledger has never known, although it had profiles before that ledger."""

    user_id: str
    handle: str
    listed: int  # profiles that X lists
    former: FormerLedger | None  # that was used for it last, where that is remembered

    def describe(self, ledger: str) -> str:
        """Say what is odd about it, given the path of the ledger."""
        count = {0: "no profile", 1: "1 profile"}.get(self.listed, f"{self.listed:,} profiles")
        if self.former is not None and self.former.is_gone:
            return f"{self.former.describe_loss()}, and X lists {count} of @{visible(self.handle)}"
        known = f"X lists {count} of it" if self.listed else "another ledger was used for it before"
        return visible(f"the ledger {ledger} doesn't know @{self.handle}, and {known}")

    def ways_on(self, again: str, *, is_sandbox: bool, ledger: str) -> str:
        """Say what can be done about it.

        Args:
            again: the options that make another command mean the same.
            is_sandbox: whether it is about the local X, which has one ledger only.
            ledger: where the one in use is, which is never proposed.
        """
        right = "" if is_sandbox else f"PROFILECTL_LEDGER={self._right_one(ledger)}; "
        restore = "restore its backup; " if self.former is not None and self.former.is_gone else ""
        return visible(
            f"{restore}`profilectl recover{again}` rebuilds a lost ledger; {right}"
            f"`profilectl sync --new-ledger{again}` begins anew, and takes what X lists for strangers' profiles"
        )

    def _right_one(self, ledger: str) -> str:
        from profilectl.ledger.opening import count_bindings

        former = self.former
        if former is None or former.is_gone or former.place in {ledger, str(Path(ledger).absolute())}:
            return "PATH names the right one"
        bindings = count_bindings(former.place, self.user_id)
        if bindings == 0:
            return f"PATH names the right one (that of last time, {former.place}, has no bindings)"
        return f"{shlex.quote(former.place)} names the right one{counted(bindings)}"


def counted(bindings: int | None) -> str:
    """Return how many bindings a ledger that is proposed has, in brackets after a space; nothing where it is None."""
    return "" if bindings is None else f" ({bindings:,} {'binding' if bindings == 1 else 'bindings'})"


def unknown_account(
    account: Account, listed: int, former: FormerLedger | None, *, is_known: bool, is_registered: bool = False
) -> UnknownAccount | None:
    """Return what speaks against using a ledger for an account, or None.

    A ledger may be an account's first only when X lists no profiles of it, and no other ledger is remembered: else
    every profile would be a stranger's, and every agent whose name has changed would get another one.

    Args:
        account: whom the credentials belong to.
        listed: how many profiles X lists of it.
        former: the ledger that was used for it last, None when nothing is remembered.
        is_known: whether the ledger has known the account, see `LedgerReader.knows`.
        is_registered: whether the account is registered there, so that the remembered ledger was compared with this one
            when it was opened: a first run that X let make nothing leaves such a ledger.
    """
    if is_known or (listed == 0 and (former is None or is_registered)):
        return None
    return UnknownAccount(account.user_id, account.handle, listed, former)


def is_refusal(error: RemoteError) -> bool:
    """Say whether an answer of X to the *list* of profiles may mean that the account has no custom profiles any more.

    What proxies answer, limits and lost answers are none of it: only X's own no is.
    """
    if isinstance(error, NotAllowlisted):
        return True
    return isinstance(error, Refused | CredentialsRefused) and (error.code in _CODES or error.status == _GONE)


def as_withdrawal(error: RemoteError, account: Account, ledger: LedgerReader) -> ProfilesWithdrawn | None:
    """Return what X's refusal of the list means for an account, None where it never had custom profiles by the ledger.

    It knows since when X refuses them if the ledger does: then somebody was told already.
    """
    if not is_refusal(error) or not ledger.knows(account.user_id):
        return None
    since_ms = ledger.refused_since(account.user_id)
    since = None if since_ms is None else datetime.fromtimestamp(since_ms / 1000, UTC)
    when = "" if since is None else f" since {moment(since_ms or 0)}"
    quote = error.quote or error.message
    withdrawal = ProfilesWithdrawn(
        f"X refuses @{visible(account.handle)} custom profiles{when}, which it had allowed before ({quote})",
        hint=_WAYS_ON,
        status=error.status,
        code=error.code,
    )
    withdrawal.user_id, withdrawal.since, withdrawal.quote = account.user_id, since, quote
    return withdrawal


def moment(milliseconds: int) -> str:
    """Return epoch milliseconds as a person reads them, to the minute."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M} UTC"
