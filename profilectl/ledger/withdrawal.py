"""Custom profiles that X took away: what it refuses to an account that had them before."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from profilectl.errors import CredentialsRefused, NotAllowlisted, ProfilesWithdrawn, Refused, RemoteError
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.model import Account

_CODES = frozenset({87, 453, 34, 68, 251})
"""Not allowlisted; not in the app's plan; no such page, which for the list can only mean that it is gone; retired."""

_GONE = 410
_WAYS_ON = (
    "nothing was changed, and the agents' profiles stay theirs: ask X's developer support or your X contact why;\n"
    'when_withdrawn = "sign-off" in the roster\'s [policy] lets `profilectl send` go on under the brand, signed;\n'
    "`profilectl doctor --wait 2h` ends when X allows them again, and so does this message"
)


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
