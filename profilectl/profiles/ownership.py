"""Whose the profiles at X are, as far as the ledger knows."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from profilectl.model import Agent, LedgerState, Profile
from profilectl.plan.intents import IntentStatus, Observation, resolve, settling_until


class ProfileStatus(enum.StrEnum):
    """What a profile is to us."""

    BOUND = "bound"  # an agent's
    RETIRED = "retired"  # replaced, about to go
    UNMANAGED = "unmanaged"  # not ours
    NAMESAKE = "namesake"  # not ours, with an agent's name
    LOST = "lost"  # an agent's, but gone from X


class ClassifiedProfile(Struct, frozen=True):
    """A profile of the brand with that key, and the key of the agent whose it is, was, or is about to be."""

    brand: str
    status: ProfileStatus
    agent: str | None
    profile: Profile  # as X lists it; as the ledger knows it where it is lost
    settling_until: int | None = None  # lost, but so young that X's list may just lack it yet; X's milliseconds


def classify(
    brand: str,
    profiles: Sequence[Profile],
    ledger_state: LedgerState,
    names: set[str],
    *,
    observed_ms: int = 0,
    settle_after: int = 0,
) -> Iterator[ClassifiedProfile]:
    """Yield every profile of a brand with its status; bound ones that X doesn't list come last, as lost.

    What an unanswered create made is still unmanaged, with its agent beside it: the next sync adopts it. `names` are
    the public names of the brand's agents. `observed_ms` is X's time of the list, `settle_after` the policy's.
    """
    bound = {binding.profile_id: binding.agent for binding in ledger_state.bindings}
    retired = {profile.profile_id: profile.agent for profile in ledger_state.retired}
    created = _created(brand, profiles, ledger_state)
    owners = bound | retired | created
    for profile in profiles:
        if profile.id in bound:
            status = ProfileStatus.BOUND
        elif profile.id in retired:
            status = ProfileStatus.RETIRED
        elif profile.name in names and profile.id not in created:
            status = ProfileStatus.NAMESAKE
        else:
            status = ProfileStatus.UNMANAGED
        yield ClassifiedProfile(brand, status, owners.get(profile.id), profile)
    listed = {profile.id for profile in profiles}
    for binding in ledger_state.bindings:
        if binding.profile_id not in listed:
            gone = Profile(binding.profile_id, binding.name, binding.avatar_url, binding.created_ms)
            until_ms = settling_until(binding, observed_ms, settle_after)
            yield ClassifiedProfile(brand, ProfileStatus.LOST, binding.agent, gone, until_ms)


class Namesake(Struct, frozen=True):
    """A profile that a ledger doesn't know, and an agent whose public name it bears."""

    agent: Agent
    profile: Profile


def namesakes(agents: Sequence[Agent], profiles: Sequence[Profile], ledger_state: LedgerState) -> Iterator[Namesake]:
    """Yield the profiles that may be an agent's, for each agent of that name; see `ProfileStatus.NAMESAKE`.

    Those who were offboarded don't count: nobody is to get their name and picture back by a command that is proposed.
    """
    agents = [agent for agent in agents if agent.key not in ledger_state.blocked]
    for entry in classify("", profiles, ledger_state, {agent.name for agent in agents}):
        if entry.status is ProfileStatus.NAMESAKE:
            yield from (Namesake(agent, entry.profile) for agent in agents if agent.name == entry.profile.name)


def _created(brand: str, profiles: Sequence[Profile], ledger_state: LedgerState) -> dict[str, str]:
    """Return the agents whose open intents are proven to have made a profile, by its id."""
    # pictures aren't looked at for a list: the next sync does, and an intent without one goes by its other proofs
    intents = tuple(replace(intent, picture="") for intent in ledger_state.intents)
    observation = Observation(brand, tuple(profiles), 0, replace(ledger_state, intents=intents))
    statuses = {intent.agent: resolve(intent, observation, 0) for intent in intents}
    return {made[0].id: agent for agent, (status, made) in statuses.items() if status is IntentStatus.CREATED}
