"""Whose the profiles at X are, concluded from names and pictures alone: pure, everything that was seen comes in.

A match is sure only when nothing contradicts it: a wrong binding shows one person's picture beside another's words.
"""

from __future__ import annotations

import enum
import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, product

from msgspec import Struct
from msgspec.structs import replace

from profilectl.model import Agent, LedgerState, Profile
from profilectl.pictures.similarity import LARGEST_DISTANCE
from profilectl.plan.intents import known_ids
from profilectl.text.names import as_compared

CLEAR_GAP = LARGEST_DISTANCE / 2
"""How much farther than the closest picture any other must be, beside being another one, before the closest counts."""


class Candidate(Struct, frozen=True):
    """A profile that may be an agent's, and how far its picture is from the roster's, see `pictures.similarity`."""

    profile: Profile
    distance: float | None  # None when the live picture can't be had, for the reason in `problem`
    problem: str | None = None

    @property
    def is_close(self) -> bool:
        """Whether the picture is the agent's, as far as its pixels can tell."""
        return self.distance is not None and self.distance <= LARGEST_DISTANCE

    @property
    def is_far(self) -> bool:
        """Whether the picture is so different that any close one is clearly closer."""
        return self.distance is not None and self.distance >= LARGEST_DISTANCE + CLEAR_GAP

    def is_clearly_closer(self, other: Candidate) -> bool:
        """Whether this picture is the agent's and the other one surely isn't."""
        if self.distance is None or other.distance is None or not self.is_close or other.is_close:
            return False
        return other.distance - self.distance >= CLEAR_GAP


Candidates = Mapping[tuple[str, str], Candidate]
"""What was compared, by the agent's key and the profile's id; of strangers only what isn't far."""


class Doubt(enum.StrEnum):
    """Why a person has to decide."""

    SHARED_NAME = "shared-name"  # several agents are called so, and the pictures don't tell them apart
    SEVERAL = "several"  # several profiles are called so, and the pictures don't tell them apart
    NO_PICTURE = "no-picture"
    OTHER_PICTURE = "other-face"
    OTHER_NAME = "other-name"  # the picture is the agent's and nobody else's, the name is another one
    OTHER_BINDING = "other-binding"  # the ledger binds the agent to an older profile, or to one that X doesn't list


class FindingStatus(enum.StrEnum):
    """What follows for an agent."""

    BOUND = "bound"  # the profile is the agent's, for sure
    DOUBTFUL = "doubtful"  # a person has to decide
    ABSENT = "absent"  # X has no profile for it


class Finding(Struct, frozen=True):
    """What was concluded about one agent."""

    agent: Agent
    candidates: tuple[Candidate, ...] = ()  # a doubtful one's are no other agent's
    doubt: Doubt | None = None

    @property
    def sure(self) -> Candidate | None:
        """The one profile that is the agent's, if that is sure."""
        return self.candidates[0] if self.candidates and self.doubt is None else None

    @property
    def renamed(self) -> Candidate | None:
        """The one profile that is the agent's by its picture, under another name; a person has to agree."""
        return self.candidates[0] if self.doubt is Doubt.OTHER_NAME else None

    @property
    def status(self) -> FindingStatus:
        """What follows from it."""
        if self.doubt is not None:
            return FindingStatus.DOUBTFUL
        return FindingStatus.BOUND if self.candidates else FindingStatus.ABSENT

    def agreed(self) -> Finding:
        """Return the finding after a person has agreed that the profile of another name is the agent's."""
        return replace(self, doubt=None)


class Group(Struct, frozen=True):
    """The agents of one name without a binding, and the profiles of that name that nobody owns."""

    agents: tuple[Agent, ...]
    profiles: tuple[Profile, ...]  # oldest first


class Search(Struct, frozen=True):
    """Who has no profile in the ledger or may have a newer one at X, and what nobody owns."""

    agents: tuple[Agent, ...]  # without a binding, in roster order
    groups: tuple[Group, ...]  # of these agents, by name
    renamed: tuple[Agent, ...] = ()  # without a profile of their name, with a picture of their own
    strangers: tuple[Profile, ...] = ()  # of no agent's name, oldest first; empty where nobody could be renamed
    outdated: tuple[Group, ...] = ()  # agents with a binding, of whose name there are profiles that nobody owns

    def comparisons(self) -> Iterator[tuple[Profile, tuple[Agent, ...]]]:
        """Yield every profile whose picture is needed, once, with the agents whose pictures it is compared with."""
        for group in (*self.groups, *self.outdated):
            for profile in group.profiles:
                yield profile, group.agents
        # Whether a picture is nobody else's can only be said after it was compared with everybody's.
        for profile in self.strangers:
            yield profile, self.agents


def search(agents: Sequence[Agent], profiles: Iterable[Profile], ledger_state: LedgerState) -> Search:
    """Return who of a brand's agents has no binding, with the profiles of exactly their name that nobody owns."""
    known = known_ids(ledger_state)
    # Who was offboarded must not come back with a lost binding; an open intent is settled by `sync`, from better proofs
    # than a name.
    settled_elsewhere = {binding.agent for binding in ledger_state.bindings} | ledger_state.blocked
    settled_elsewhere |= {intent.agent for intent in ledger_state.intents}
    by_name: dict[str, list[Profile]] = {}
    for profile in sorted(profiles, key=lambda profile: (profile.created_ms, profile.id)):
        if profile.id not in known:
            by_name.setdefault(as_compared(profile.name), []).append(profile)
    unbound = tuple(agent for agent in agents if agent.key not in settled_elsewhere)
    agents_by_name: dict[str, list[Agent]] = {}
    for agent in unbound:
        agents_by_name.setdefault(as_compared(agent.name), []).append(agent)
    groups = tuple(Group(tuple(those), tuple(by_name.get(name, ()))) for name, those in agents_by_name.items())
    # What many agents show says nothing of one of them.
    shown = Counter(agent.avatar for agent in agents)
    unnamed = chain.from_iterable(group.agents for group in groups if not group.profiles)
    renamed = tuple(agent for agent in unnamed if shown[agent.avatar] == 1)
    spoken_for = {as_compared(agent.name) for agent in agents} | {
        as_compared(intent.name) for intent in ledger_state.intents
    }
    strangers = chain.from_iterable(those for name, those in by_name.items() if name not in spoken_for)
    free = {name: those for name, those in by_name.items() if name not in agents_by_name}
    outdated = tuple(_outdated(agents, free, ledger_state))
    return Search(unbound, groups, renamed, tuple(strangers) if renamed else (), outdated)


def _outdated(
    agents: Sequence[Agent], by_name: Mapping[str, Sequence[Profile]], ledger_state: LedgerState
) -> Iterator[Group]:
    """Yield the agents with a binding, by name, of whose name there are profiles that nobody owns."""
    bound = {binding.agent for binding in ledger_state.bindings} - ledger_state.blocked
    bound -= {intent.agent for intent in ledger_state.intents}
    groups: dict[str, list[Agent]] = {}
    for agent in agents:
        if agent.key in bound and as_compared(agent.name) in by_name:
            groups.setdefault(as_compared(agent.name), []).append(agent)
    for name, those in groups.items():
        yield Group(tuple(those), tuple(by_name[name]))


def current_agents(
    agents: Iterable[Agent], listed: Collection[str], ledger_state: LedgerState, digests: Mapping[str, str]
) -> frozenset[str]:
    """Return the keys of the agents whose binding is of a profile that X lists, with the roster's name and picture.

    `listed` are ids of profiles, `digests` those of the roster's picture files, by their path as written.
    """
    bindings = {binding.agent: binding for binding in ledger_state.bindings if binding.profile_id in listed}
    pairs = ((agent, bindings[agent.key]) for agent in agents if agent.key in bindings)
    return frozenset(
        agent.key
        for agent, binding in pairs
        if as_compared(agent.name) == as_compared(binding.name) and digests.get(agent.avatar) == binding.avatar
    )


def conclude(search: Search, candidates: Candidates, current: Collection[str] = ()) -> tuple[Finding, ...]:
    """Return what is sure and what is doubtful, for all the agents of one brand at once, in the order of `search`.

    An agent gets the profile of its name whose picture is its own, when no other agent of that name has that picture
    and no other profile of that name shows it. Each profile that is left is a candidate of one agent only.

    A ledger from a backup doesn't know what its agents got since. So of whom it knows a profile, any other one of the
    name is a doubt, except of those who are `current`; they come last.
    """
    findings = {finding.agent.key: finding for group in search.groups for finding in _tell_apart(group, candidates)}
    renamed = _clear_pairs(
        search.agents, search.strangers, candidates, searched={agent.key for agent in search.renamed}
    )
    for key, candidate in renamed.items():
        findings[key] = replace(findings[key], candidates=(candidate,), doubt=Doubt.OTHER_NAME)
    outdated = (finding for group in search.outdated for finding in _rebound(group, candidates, current))
    return (*(findings[agent.key] for agent in search.agents), *outdated)


def _rebound(group: Group, candidates: Candidates, current: Collection[str]) -> Iterator[Finding]:
    """Yield a doubt for every agent that isn't current, as what the ledger knows isn't given up without a person."""
    agents = tuple(agent for agent in group.agents if agent.key not in current)
    shares = _share_out(Group(agents, group.profiles), candidates)
    for agent in agents:
        if shares[agent.key]:
            yield Finding(agent, shares[agent.key], Doubt.OTHER_BINDING)


def _tell_apart(group: Group, candidates: Candidates) -> Iterator[Finding]:
    """Yield a finding for every agent of one name."""
    sure = _clear_pairs(group.agents, group.profiles, candidates)
    taken = {candidate.profile.id for candidate in sure.values()}
    agents = tuple(agent for agent in group.agents if agent.key not in sure)
    left = Group(agents, tuple(profile for profile in group.profiles if profile.id not in taken))
    shares = _share_out(left, candidates)
    for agent in group.agents:
        if agent.key in sure:
            yield Finding(agent, (sure[agent.key],))
        elif left.profiles:
            yield Finding(agent, shares[agent.key], _doubt(left, shares[agent.key]))
        else:
            yield Finding(agent)


def _clear_pairs(
    agents: Sequence[Agent],
    profiles: Sequence[Profile],
    candidates: Candidates,
    searched: Collection[str] | None = None,
) -> dict[str, Candidate]:
    """Return the profile of each agent whose picture it shows, where no other pair shares agent, profile and picture.

    `searched` are the keys of the agents that may get one, all of them by default; the others are only compared.
    """
    pairs = {}
    for agent, profile in product(agents, profiles):
        candidate = candidates.get((agent.key, profile.id))
        if candidate is None or not candidate.is_close or (searched is not None and agent.key not in searched):
            continue
        rivals = [(agent.key, other.id) for other in profiles if other.id != profile.id]
        rivals += [(other.key, profile.id) for other in agents if other.key != agent.key]
        if all(pair not in candidates or candidate.is_clearly_closer(candidates[pair]) for pair in rivals):
            pairs[agent.key] = candidate
    return pairs


def _share_out(group: Group, candidates: Candidates) -> dict[str, tuple[Candidate, ...]]:
    """Give each profile to one of the agents, the closest pictures first, so that no two are told to take the same."""
    shares: dict[str, list[Candidate]] = {agent.key: [] for agent in group.agents}
    pairs = [(agent.key, candidates[agent.key, profile.id]) for profile in group.profiles for agent in group.agents]
    pairs.sort(key=lambda pair: math.inf if pair[1].distance is None else pair[1].distance)  # else the oldest first
    taken: set[str] = set()
    for most in (1, len(group.profiles)):  # everybody gets one before anybody gets a second
        for key, candidate in pairs:
            if candidate.profile.id not in taken and len(shares[key]) < most:
                taken.add(candidate.profile.id)
                shares[key].append(candidate)
    return {key: tuple(share) for key, share in shares.items()}


def _doubt(left: Group, share: tuple[Candidate, ...]) -> Doubt:
    if len(left.agents) > 1:
        return Doubt.SHARED_NAME
    if len(left.profiles) > 1:
        return Doubt.SEVERAL
    if share[0].distance is None:
        return Doubt.NO_PICTURE
    return Doubt.SHARED_NAME if share[0].is_close else Doubt.OTHER_PICTURE  # close, but too like another agent's


def bound_name(name: str, profile: Profile) -> str:
    """Return the name that is bound with a profile: the roster's where X only spells it otherwise, else X's own."""
    return name if as_compared(name) == as_compared(profile.name) else profile.name
