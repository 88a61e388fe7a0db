"""Who sends: the agent that is meant, the account that the credentials belong to, and the agent's profile at X."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from profilectl.errors import InputRefused, NotFound, UsageError
from profilectl.ledger.accounts import check_account
from profilectl.model import Account, Agent, Binding, Brand, Roster
from profilectl.roster.lookup import unknown_agent
from profilectl.roster.moves import require_current
from profilectl.text.escape import visible
from profilectl.text.names import as_compared

if TYPE_CHECKING:
    from profilectl.access.policy import Authority, Operator
    from profilectl.api.client import XClient
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.secret import Credentials

_FRESH_MS = 3 * 60_000  # a profile that X showed this recently isn't asked for again


class ProfileGone(InputRefused):
    """X says that it has no profile with the id that is an agent's; or nothing at all at such addresses."""


class Sender(Struct, frozen=True):
    """An agent in the one brand that is meant."""

    agent: Agent
    brand: Brand


def find_sender(
    roster: Roster,
    key: str | None,
    operator: Operator,
    authority: Authority,
    *,
    brands: Iterable[Brand],
    prefer: Callable[[Sequence[Brand]], Sequence[Brand]],
) -> Sender:
    """Return the agent of that key, or else the only one whose operators name who runs this.

    Of several `brands` that may be meant, `prefer` leaves the user's default, where it is among them.

    Raises:
        UsageError: there is no such agent, or more than one agent or brand may be meant.
        InputRefused: the agent doesn't speak for the brand that was chosen.
    """
    key = _own_agent(roster, operator, authority) if key is None else key
    entries = [agent for agent in roster.agents if agent.key == key]
    if not entries:
        require_current([key], roster.moved)
        raise unknown_agent(key, {agent.key for agent in roster.agents})
    keys = {agent.brand for agent in entries}
    meant = prefer([brand for brand in brands if brand.key in keys])
    if not meant:
        raise InputRefused(f"{key} doesn't speak for this brand", hint="it has: " + ", ".join(sorted(keys)))
    if len(meant) > 1:
        raise UsageError(f"{key} speaks for several brands", hint="say --brand with one of: " + ", ".join(sorted(keys)))
    return Sender(next(agent for agent in entries if agent.brand == meant[0].key), meant[0])


def _own_agent(roster: Roster, operator: Operator, authority: Authority) -> str:
    keys = sorted({agent.key for agent in roster.agents if authority.is_named(agent, operator)})
    if len(keys) == 1:
        return keys[0]
    if keys:
        raise UsageError(
            f"who speaks? the roster gives several agents to {operator.name}",
            hint="say --as with one of: " + ", ".join(keys),
        )
    raise UsageError(
        f"who speaks? the roster's operators give no agent to {operator.name}",
        hint="say --as AGENT; `profilectl roster list` shows them all",
    )


def verify_account(
    client: XClient, credentials: Credentials, brand: Brand, account: Account | None, ledger: LedgerReader
) -> Account:
    """Return the brand's account, once it is sure that the credentials are its own.

    `account` is what the ledger has for the brand, None when it doesn't know the brand.

    Raises:
        WrongAccount: the credentials belong to somebody else.
        RemoteError: X can't tell.
    """
    # X is asked only where nothing else tells, because a send waits for it. Its tokens begin with the account's id.
    if account is None:
        account = client.verify_credentials()
        check_account(brand, account, ledger)
    elif credentials.user_id is not None:
        ledger.check_account(brand.key, replace(account, user_id=credentials.user_id))
    elif not credentials.token.reveal().startswith(f"{account.user_id}-"):
        ledger.check_account(brand.key, client.verify_credentials())
    return account


def require_live_profile(client: XClient, ledger: Ledger, user_id: str, binding: Binding) -> None:
    """Make sure that the profile a message is about to carry still exists at X, under the name that was bound.

    Raises:
        ProfileGone: X knows no such profile.
        InputRefused: it has another name.
        RemoteError: X can't tell, or doesn't allow profiles (NotAllowlisted).
    """
    # Of a profile that is gone X says nothing when a message carries it, and sends it under the brand.
    now_ms = client.now_ms()
    knows_the_time = client.skew_seconds is not None  # what is promised at X's time must not be this machine's
    if knows_the_time and now_ms - max(binding.bound_ms, ledger.seen_ms(user_id, binding.profile_id)) < _FRESH_MS:
        return
    try:
        profile = client.show_profile(binding.profile_id)
    except NotFound:
        raise ProfileGone(
            f"{binding.agent}'s profile {binding.profile_id} is gone from X; nothing was sent",
            hint="run `profilectl sync`, which makes it anew",
        ) from None
    if as_compared(profile.name) != as_compared(binding.name) and profile.name != binding.name_as_shown:
        raise InputRefused(
            f'{binding.agent}\'s profile {binding.profile_id} is called "{visible(profile.name)}" at X, '
            f'not "{visible(binding.name)}"; nothing was sent',
            hint="run `profilectl diff`, and find out who changed it",
        )
    ledger.mark_seen(user_id, binding.profile_id, client.now_ms())
