"""Repairs of the ledger by a person's word: a profile is adopted, forgotten, or destroyed.

Each is looked at first, without the lock, so that a person can be asked; and looked at again under it, because another
run may have changed something meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.digests import digest_of_bytes
from profilectl.errors import AvatarRefused, InputRefused, NotFound, PersonNeeded, ProfilectlError, RemoteError
from profilectl.ledger.accounts import check_account
from profilectl.model import (
    Account,
    Agent,
    Binding,
    Brand,
    Event,
    LedgerState,
    Move,
    PreparedPicture,
    Profile,
    Retired,
    Roster,
)
from profilectl.plan.moves import follow
from profilectl.profiles.matching import Candidate, bound_name
from profilectl.profiles.ownership import ProfileStatus
from profilectl.roster.lookup import unknown_agent
from profilectl.roster.moves import current_key, require_current
from profilectl.sync import removals
from profilectl.sync.renames import follow_moves
from profilectl.text.escape import visible
from profilectl.text.names import as_compared

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.sync.ports import Wait

    Announce = Callable[[float, str], None]

MAX_WAIT = 60.0  # seconds that a repair waits for another run to end


class Adoption(Struct, frozen=True):
    """A profile that is about to be bound to an agent, as X shows it and as the roster wants it."""

    brand: Brand
    account: Account
    agent: Agent
    profile: Profile
    former: Binding | None  # what the agent has now
    candidate: Candidate  # the profile's picture against the roster's
    avatar: str  # digest of the file that the live picture comes from; of the live picture itself where it is another
    moves: tuple[Move, ...] = ()  # keys that the roster has changed, which the ledger may have to follow

    @property
    def has_other_name(self) -> bool:
        """Whether the profile has another name than the roster gives the agent."""
        return as_compared(self.profile.name) != as_compared(self.agent.name)

    @property
    def has_other_picture(self) -> bool:
        """Whether the profile surely shows another picture than the roster's."""
        return self.candidate.distance is not None and not self.candidate.is_close

    @property
    def is_doubtful(self) -> bool:
        """Whether a person has to agree to more than to the profile's id."""
        return self.has_other_name or not self.candidate.is_close

    def agrees_with(self, later: Adoption) -> bool:
        """Say whether who agreed to this has agreed to a later look, too."""
        return self._terms() == later._terms()

    def _terms(self) -> tuple[object, ...]:
        former = self.former and self.former.profile_id
        can_compare = self.candidate.distance is not None
        return self.account.user_id, self.agent.name, self.profile, former, self.avatar, can_compare


def find_adoption(
    client: XClient,
    ledger: LedgerReader,
    brand: Brand,
    agent: Agent,
    picture: PreparedPicture,
    profile_id: str,
    moves: Sequence[Move] = (),
) -> Adoption:
    """Return what is known of a profile that shall become an agent's; its picture is fetched and compared.

    A profile whose picture is the roster's becomes the agent's as if sync had made it. One that shows another picture
    is bound with that picture's own digest, which no file of the roster has, so that the next sync replaces it. Where
    the picture can't be had, it is believed to be the roster's. `moves` are the keys that the roster has changed.

    Raises:
        NotFound: X has no profile with that id.
        WrongAccount: the credentials belong to somebody else.
    """
    account = client.verify_credentials()
    check_account(brand, account, ledger)
    profile = _show(client, profile_id)
    candidate, live = _compare(client, profile, picture)
    avatar = picture.source_digest if live is None or candidate.is_close else digest_of_bytes(live)
    former = follow(ledger.state_of(account.user_id), moves).state.binding(agent.key)
    return Adoption(brand, account, agent, profile, former, candidate, avatar, tuple(moves))


def _compare(client: XClient, profile: Profile, picture: PreparedPicture) -> tuple[Candidate, bytes | None]:
    """Return how far the profile's picture is from the agent's, and the live one, None where it can't be had."""
    from profilectl.pictures.similarity import distance

    try:
        live = client.download(profile.avatar_url)
        return Candidate(profile, distance(picture.content, live, profile.avatar_url)), live
    except (RemoteError, AvatarRefused) as error:
        return Candidate(profile, None, error.message), None


def adopt(ledger: Ledger, adoption: Adoption, now_ms: int) -> None:
    """Bind the profile to the agent, under the lock under which it was looked at.

    Raises:
        LedgerRefused: another agent has the profile, or had it.
    """
    ledger.register_account(adoption.brand.key, adoption.account, now_ms)
    user_id, key = adoption.account.user_id, adoption.agent.key
    state = follow_moves(ledger, user_id, adoption.moves, now_ms, key)
    with ledger.batch():
        for binding in state.bindings:  # under a former key that the ledger couldn't follow, as both have a profile
            is_former = binding.agent != key and current_key(binding.agent, adoption.moves) == key
            if is_former and binding.profile_id == adoption.profile.id:
                ledger.forget(user_id, binding.agent, now_ms)
        ledger.adopt(
            user_id,
            key,
            adoption.profile,
            name=bound_name(adoption.agent.name, adoption.profile),
            avatar=adoption.avatar,
            protected=adoption.agent.protected,
            now_ms=now_ms,
        )


def find_binding(ledger: LedgerReader, roster: Roster, brand: Brand, agent: str) -> tuple[str, Binding]:
    """Return the user id of the account that the ledger has for a brand, and the agent's binding there.

    Raises:
        InputRefused: the agent has no profile.
        UsageError: neither the ledger nor the roster knows the agent.
    """
    account = ledger.account_of(brand.key)
    bindings = follow(ledger.state_of(account.user_id), roster.moved).state.bindings if account is not None else ()
    for binding in bindings:
        if account is not None and binding.agent == agent:
            return account.user_id, binding
    require_current([agent], roster.moved)
    # Whoever left the roster may still have a binding, so both are searched for a name that was mistyped.
    rostered = {member.key for member in roster.agents_of(brand.key)}
    if agent in rostered:
        hint = "`profilectl profiles list` shows whose profiles it knows"
        if account is None:
            hint = f"run `profilectl sync` first, which tells the ledger that {brand.key} is @{brand.handle}"
        raise InputRefused(f"{agent} has no profile at brand {brand.key} in this ledger", hint=hint)
    raise unknown_agent(agent, rostered | {binding.agent for binding in bindings})


def forget(
    ledger: Ledger, roster: Roster, brand: Brand, binding: Binding, now_ms: Callable[[], int], announce: Announce
) -> None:
    """Drop a binding, and leave its profile at X.

    Raises:
        InputRefused: the agent has another profile by now, or none.
        TryLater: another run doesn't end.
    """
    user_id, _ = find_binding(ledger, roster, brand, binding.agent)
    with ledger.lock(MAX_WAIT, "profilectl profiles forget", announce, {user_id}):
        _, current = find_binding(ledger, roster, brand, binding.agent)
        if current.profile_id != binding.profile_id:
            raise InputRefused(f"{binding.agent} has another profile by now", hint="run the same command again")
        follow_moves(ledger, user_id, roster.moved, now_ms(), binding.agent)
        ledger.forget(user_id, binding.agent, now_ms())


class UnusedProfile(Struct, frozen=True):
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
    with ledger.lock(MAX_WAIT, "profilectl profiles destroy", announce, {user_id}):
        check_account(unused.brand, unused.account, ledger)
        agreed, unused = unused, _find_unused(client, ledger, unused.brand, unused.account, profile_id)
        if unused.name != agreed.name:
            what = f'profile {profile_id} is called "{visible(unused.name)}" by now, so it wasn\'t destroyed'
            raise InputRefused(what, hint="run the same command again")
        ledger.register_account(unused.brand.key, unused.account, client.now_ms())
        removals.await_sends(ledger, user_id, profile_id, client, wait)
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
