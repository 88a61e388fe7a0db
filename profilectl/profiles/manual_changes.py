"""Repairs of the ledger by a person's word: a profile is adopted, forgotten, or destroyed.

Each is looked at first, without the lock, so that a person can be asked; and looked at again under it, because another
run may have changed something meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from profilectl.errors import InputRefused, NotFound, PersonNeeded, ProfilectlError
from profilectl.ledger.accounts import check_account
from profilectl.model import Account, Agent, Binding, Brand, Event, LedgerState, Profile, Retired, Roster
from profilectl.profiles.ownership import ProfileStatus
from profilectl.roster.lookup import unknown_agent
from profilectl.sync import removals
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.sync.ports import Wait

    Announce = Callable[[float, str], None]

_MAX_WAIT = 60.0  # seconds that a repair waits for another run to end


@dataclass(frozen=True, slots=True)
class Adoption:
    """A profile that is about to be bound to an agent; `former` is what the agent has now."""

    brand: Brand
    account: Account
    agent: Agent
    profile: Profile
    former: Binding | None


def find_adoption(client: XClient, ledger: LedgerReader, brand: Brand, agent: Agent, profile_id: str) -> Adoption:
    """Return what is known of a profile that shall become an agent's; NotFound when X has none."""
    account = client.verify_credentials()
    profile = _show(client, profile_id)
    return Adoption(brand, account, agent, profile, ledger.state_of(account.user_id).binding(agent.key))


def adopt(client: XClient, ledger: Ledger, adoption: Adoption, avatar: str, announce: Announce) -> None:
    """Bind the profile to the agent; `avatar` is the digest of the file that its picture is believed to come from.

    Raises:
        WrongAccount: the credentials belong to somebody else.
        LedgerRefused: the profile is bound already, or retired for another agent.
        TryLater: another run doesn't end.
    """
    with ledger.lock(_MAX_WAIT, "profilectl profiles adopt", announce):
        check_account(adoption.brand, adoption.account, ledger)
        ledger.register_account(adoption.brand.key, adoption.account, client.now_ms())
        # Whether the profile is another agent's by now, the ledger itself refuses.
        ledger.adopt(
            adoption.account.user_id,
            adoption.agent.key,
            adoption.profile,
            avatar=avatar,
            protected=adoption.agent.protected,
            now_ms=client.now_ms(),
        )


def find_binding(ledger: LedgerReader, roster: Roster, brand: Brand, agent: str) -> tuple[str, Binding]:
    """Return the user id of the account that the ledger has for a brand, and the agent's binding there.

    Raises:
        InputRefused: the agent has no profile.
        UsageError: neither the ledger nor the roster knows the agent.
    """
    account = ledger.account_of(brand.key)
    bindings = ledger.state_of(account.user_id).bindings if account is not None else ()
    for binding in bindings:
        if account is not None and binding.agent == agent:
            return account.user_id, binding
    # Whoever left the roster may still have a binding, so both are searched for a name that was mistyped.
    rostered = {member.key for member in roster.agents_of(brand.key)}
    if agent in rostered:
        raise InputRefused(f"{agent} has no profile at brand {brand.key} in this ledger")
    raise unknown_agent(agent, rostered | {binding.agent for binding in bindings})


def forget(
    ledger: Ledger, roster: Roster, brand: Brand, binding: Binding, now_ms: Callable[[], int], announce: Announce
) -> None:
    """Drop a binding, and leave its profile at X.

    Raises:
        InputRefused: the agent has another profile by now, or none.
        TryLater: another run doesn't end.
    """
    with ledger.lock(_MAX_WAIT, "profilectl profiles forget", announce):
        user_id, current = find_binding(ledger, roster, brand, binding.agent)
        if current.profile_id != binding.profile_id:
            raise InputRefused(f"{binding.agent} has another profile by now", hint="run the same command again")
        ledger.forget(user_id, binding.agent, now_ms())


@dataclass(frozen=True, slots=True)
class UnusedProfile:
    """A profile that no agent uses."""

    brand: Brand
    account: Account
    profile_id: str
    name: str
    retired: Retired | None  # what the ledger knows of it, None when it was never ours
    is_live: bool

    @property
    def status(self) -> ProfileStatus:
        """Whether it was an agent's, or never ours."""
        return ProfileStatus.UNMANAGED if self.retired is None else ProfileStatus.RETIRED


def find_unused(client: XClient, ledger: LedgerReader, brand: Brand, profile_id: str) -> UnusedProfile:
    """Return what is known of a profile that shall be destroyed; of a retired one that is gone from X, by the ledger.

    Raises:
        InputRefused: an agent uses it.
        NotFound: neither X nor the ledger knows it.
        WrongAccount: the credentials belong to somebody else.
    """
    account = client.verify_credentials()
    check_account(brand, account, ledger)
    return _find_unused(client, ledger, brand, account, profile_id)


def _find_unused(
    client: XClient, ledger: LedgerReader, brand: Brand, account: Account, profile_id: str
) -> UnusedProfile:
    retired = _retired(ledger.state_of(account.user_id), profile_id)
    try:
        return UnusedProfile(brand, account, profile_id, _show(client, profile_id).name, retired, is_live=True)
    except NotFound:
        if retired is None:
            raise
        return UnusedProfile(brand, account, profile_id, retired.name, retired, is_live=False)


def destroy(client: XClient, ledger: Ledger, unused: UnusedProfile, announce: Announce, wait: Wait) -> UnusedProfile:
    """Destroy a profile at X, and return it as the ledger knew it at that moment.

    Raises:
        InputRefused: an agent uses it by now, or it has another name than the one that was agreed to.
        NotFound: X doesn't have it any more, and it was never ours.
        PersonNeeded: it is destroyed, and that couldn't be recorded.
        RemoteError: X didn't destroy it, or nobody knows.
        TryLater: another run doesn't end, or a message with the profile.
    """
    user_id, profile_id = unused.account.user_id, unused.profile_id
    with ledger.lock(_MAX_WAIT, "profilectl profiles destroy", announce):
        check_account(unused.brand, unused.account, ledger)
        agreed, unused = unused, _find_unused(client, ledger, unused.brand, unused.account, profile_id)
        if unused.name != agreed.name:
            what = f'profile {profile_id} is called "{visible(unused.name)}" by now, so it wasn\'t destroyed'
            raise InputRefused(what, hint="run the same command again")
        ledger.register_account(unused.brand.key, unused.account, client.now_ms())
        removals.await_sends(ledger, user_id, profile_id, client.now_ms, wait)
        if unused.is_live:
            removals.destroy(client, profile_id)
        # From here on the profile is gone, so a failure must not read as one that may be tried again.
        try:
            if unused.retired is None:
                detail = {"name": unused.name}
                now_ms = client.now_ms()
                ledger.record(Event("destroyed-stranger", user_id, now_ms, profile_id=profile_id, detail=detail))
            else:
                ledger.drop(user_id, profile_id, client.now_ms())
        except ProfilectlError as error:
            message = f"profile {profile_id} is destroyed, but that couldn't be recorded: {error.message}"
            raise PersonNeeded(message, hint=error.hint) from error
    return unused


def _retired(ledger_state: LedgerState, profile_id: str) -> Retired | None:
    """Return what the ledger knows of a profile that nobody uses; InputRefused when somebody does."""
    for binding in ledger_state.bindings:
        if binding.profile_id == profile_id:
            raise InputRefused(
                f"profile {profile_id} is {binding.agent}'s, and isn't destroyed on its own",
                hint=f"`profilectl offboard {binding.agent}` does it; so does sync, when the agent has left the roster",
            )
    return next((profile for profile in ledger_state.retired if profile.profile_id == profile_id), None)


def _show(client: XClient, profile_id: str) -> Profile:
    """Return a profile as X has it; NotFound says where to look for the right id."""
    try:
        return client.show_profile(profile_id)
    except NotFound as error:
        raise error.with_hint("`profilectl profiles list` shows the ids that there are") from error
