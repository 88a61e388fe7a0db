"""What would make X equal to the roster, decided in a value.

Pure: everything that was gathered comes in, a `Plan` comes out; no file, clock, random number or network.
``diff`` shows the plan, ``sync`` shows it and applies it, so a dry run is never a second path.
"""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from profilectl.model import Binding, Retired
from profilectl.plan import fingerprint
from profilectl.plan.changes import Action, Appearance, Change
from profilectl.plan.guards import Refusal, guard_deletes
from profilectl.plan.intents import Observation, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from profilectl.model import Agent, Intent, Picture, Profile, Roster
    from profilectl.plan.fingerprint import Basis


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes in the order in which they are applied, and what speaks against them."""

    changes: tuple[Change, ...]
    basis: Basis
    unchanged: int = 0
    strangers: tuple[tuple[str, Profile], ...] = ()  # (brand, profile) that the ledger doesn't know
    refused: Refusal | None = None
    withdrawals: tuple[tuple[str, str], ...] = ()  # (brand, nonce) of intents that surely made nothing
    protections: tuple[tuple[str, str, bool], ...] = ()  # (brand, agent, protected): bound, and to be remembered
    protected: frozenset[tuple[str, str]] = frozenset()  # (brand, agent) that the roster protects

    @property
    def digest(self) -> str:
        """The SHA-256 of the plan's plain-data form: equal digests mean equal changes, made from the same things."""
        return fingerprint.digest_of([asdict(self.basis), [change.plain() for change in self.changes]])

    def summary(self) -> dict[str, int]:
        """Count changes by action, unchanged agents and unmanaged profiles."""
        counts = {action.value: 0 for action in (Action.CREATE, Action.REPLACE, Action.DELETE)}
        counts |= {Action.ADOPT.value: 0, Action.DESTROY.value: 0}
        counts |= {"unchanged": self.unchanged, "unmanaged": len(self.strangers), Action.BLOCKED.value: 0}
        for change in self.changes:
            counts[change.action.value] += 1
        return counts

    def needing_a_person(self) -> tuple[Change, ...]:
        """Return the blocked changes that time alone won't settle."""
        return tuple(c for c in self.changes if c.action is Action.BLOCKED and c.why != ("unsettled",))


def build(
    roster: Roster,
    pictures: Mapping[str, Picture],
    observations: Sequence[Observation],
    *,
    today: date,
    allow_deletes: int | None = None,
    prune_now: bool = False,
    only_agents: frozenset[str] = frozenset(),
    swapped: frozenset[str] = frozenset(),
) -> Plan:
    """Compare the roster with what was observed; total and deterministic.

    Args:
        roster: the desired state.
        pictures: every avatar that the roster names, by its path as written.
        observations: one per brand that takes part, in roster order.
        today: the date against which `until` is read.
        allow_deletes: how many deletions per brand a person has agreed to; None for the policy's guards.
        prune_now: whether retired profiles are destroyed before their grace is over.
        only_agents: keys of the agents that take part; empty for all.
        swapped: ids of bound profiles whose live picture turned out to be another one.
    """
    parts = [
        _BrandPlan(roster, pictures, observation, today, swapped, prune_now=prune_now).build(only_agents)
        for observation in observations
    ]
    changes = tuple(change for part in parts for change in part.changes)
    deletes = [
        (part.brand, sum(c.action is Action.DELETE for c in part.changes), len(part.observation.ledger_state.bindings))
        for part in parts
    ]
    return Plan(
        changes=changes,
        basis=fingerprint.take(roster, pictures, observations),
        unchanged=sum(len(part.unchanged) for part in parts),
        strangers=tuple(pair for part in parts for pair in part.strangers),
        refused=guard_deletes(roster.policy, deletes, allow_deletes),
        withdrawals=tuple(pair for part in parts for pair in part.withdrawals),
        protections=tuple(triple for part in parts for triple in part.protections),
        protected=frozenset((agent.brand, agent.key) for agent in roster.agents if agent.protected),
    )


class _BrandPlan:
    """The plan of one brand while it is being made."""

    def __init__(
        self,
        roster: Roster,
        pictures: Mapping[str, Picture],
        observation: Observation,
        today: date,
        swapped: frozenset[str],
        *,
        prune_now: bool,
    ) -> None:
        self.swapped = swapped
        self.policy = roster.policy
        self.pictures = pictures
        self.observation = observation
        self.prune_now = prune_now
        self.brand = observation.brand
        self.listed = observation.listed()
        agents = roster.agents_of(observation.brand)
        self.expired = {agent.key for agent in agents if agent.until is not None and agent.until < today}
        self.agents = {agent.key: agent for agent in agents if agent.key not in self.expired}
        self.bindings = {binding.agent: binding for binding in observation.ledger_state.bindings}
        self.retired = list(observation.ledger_state.retired)
        self.blocked = observation.ledger_state.blocked
        self.protected = {agent.key: agent.protected for agent in agents}
        self.protections = tuple(
            (self.brand, one.agent, self.protected[one.agent])
            for one in observation.ledger_state.bindings
            if one.protected != self.protected.get(one.agent, one.protected)
        )
        self.changes: list[Change] = []
        self.unchanged: set[str] = set()
        self.withdrawals: list[tuple[str, str]] = []
        self.held_back: set[str] = set()  # agents about whom nothing more is decided in this plan
        self.names_in_doubt: set[str] = set()  # another profile of that name would make adoption ambiguous
        self.strangers: tuple[tuple[str, Profile], ...] = ()
        self.strangers_by_name: dict[str, Profile] = {}

    def build(self, only_agents: frozenset[str]) -> _BrandPlan:
        for intent in self.observation.ledger_state.intents:
            self._settle(intent)
        self._tell_strangers_apart()
        for agent in self.agents.values():
            if agent.key in self.blocked:
                self._keep_out(agent)
            elif agent.key not in self.held_back:
                self._compare(agent)
        for binding in list(self.bindings.values()):
            is_wanted = binding.agent in self.agents and binding.agent not in self.blocked
            if not is_wanted and binding.agent not in self.held_back:
                self._remove(binding)
        for one in self.retired:
            self._prune(one)
        if only_agents:
            self.changes = [change for change in self.changes if change.agent in only_agents]
            self.unchanged &= only_agents
        self.changes.sort(key=Change.rank)
        return self

    def _tell_strangers_apart(self) -> None:
        ours = {one.profile_id for one in self.bindings.values()} | {one.profile_id for one in self.retired}
        self.strangers = tuple((self.brand, one) for one in self.observation.profiles if one.id not in ours)
        self.strangers_by_name = {_nfc(profile.name): profile for _, profile in self.strangers}

    def _settle(self, intent: Intent) -> None:
        verdict, candidates = judge(intent, self.observation, self.policy.settle_after)
        if verdict is Verdict.NOT_MADE:
            self.withdrawals.append((self.brand, intent.nonce))
        elif verdict is Verdict.MADE:
            self._adopt(intent, candidates[0])
        else:
            ambiguous = verdict is Verdict.AMBIGUOUS
            self.held_back.add(intent.agent)
            self.names_in_doubt.add(intent.name)
            self.changes.append(
                Change(
                    self.brand,
                    intent.agent,
                    Action.BLOCKED,
                    ("ambiguous",) if ambiguous else ("unsettled",),
                    candidates[0].id if ambiguous else None,
                    after=Appearance(intent.name, intent.avatar),
                )
            )

    def _adopt(self, intent: Intent, profile: Profile) -> None:
        """Plan the adoption, and go on as if it had been done: the roster may have moved since."""
        look = Appearance(intent.name, intent.avatar)
        self.changes.append(Change(self.brand, intent.agent, Action.ADOPT, ("unanswered",), profile.id, after=look))
        old = self.bindings.get(intent.agent)
        now = self.observation.observed_ms
        if old is not None:
            self.retired.append(Retired(old.profile_id, old.agent, old.name, now, "replaced"))
        self.bindings[intent.agent] = Binding(
            intent.agent,
            profile.id,
            intent.name,
            intent.avatar,
            profile.created_ms,
            now,
            protected=intent.protected,
        )

    def _compare(self, agent: Agent) -> None:
        after = Appearance(agent.name, self.pictures[agent.avatar].digest)
        binding = self.bindings.get(agent.key)
        if binding is None:
            self._make(agent, Action.CREATE, ("new",), None, None, after)
            return
        before = Appearance(binding.name, binding.avatar)
        if self._is_lost(binding):
            self._make(agent, Action.CREATE, ("lost",), None, before, after)
            return
        pairs = (("name", before.name, after.name), ("avatar", before.avatar, after.avatar))
        why = tuple(name for name, old, new in pairs if old != new)
        why = why or (("swapped",) if binding.profile_id in self.swapped else ())
        if why:
            self._make(agent, Action.REPLACE, why, binding.profile_id, before, after)
        else:
            self.unchanged.add(agent.key)

    def _keep_out(self, agent: Agent) -> None:
        """Make nothing for an agent who was offboarded, however long the roster goes on naming them."""
        after = Appearance(agent.name, self.pictures[agent.avatar].digest)
        self.changes.append(Change(self.brand, agent.key, Action.BLOCKED, ("offboarded",), after=after))

    def _is_lost(self, binding: Binding) -> bool:
        """Say whether a bound profile is gone from X; a young one may just not be listed yet."""
        age_ms = self.observation.observed_ms - binding.created_ms
        return binding.profile_id not in self.listed and age_ms >= self.policy.settle_after * 1000

    def _make(
        self,
        agent: Agent,
        action: Action,
        why: tuple[str, ...],
        profile_id: str | None,
        before: Appearance | None,
        after: Appearance,
    ) -> None:
        """Plan a create or a replacement, unless something in the way bears the same name."""
        namesake = self.strangers_by_name.get(agent.name)
        unsettled = agent.name in self.names_in_doubt
        if namesake is not None or unsettled:
            self.held_back.add(agent.key)
            why = ("namesake",) if namesake is not None else ("unsettled",)
            action, profile_id = Action.BLOCKED, namesake.id if namesake is not None else None
        self.changes.append(Change(self.brand, agent.key, action, why, profile_id, before, after))

    def _remove(self, binding: Binding) -> None:
        is_blocked = binding.agent in self.blocked
        if self.protected.get(binding.agent, binding.protected) and not is_blocked:
            self.unchanged.add(binding.agent)
            return
        why = ("offboarded",) if is_blocked else ("until",) if binding.agent in self.expired else ("removed",)
        before = Appearance(binding.name, binding.avatar)
        self.changes.append(Change(self.brand, binding.agent, Action.DELETE, why, binding.profile_id, before=before))

    def _prune(self, one: Retired) -> None:
        """Plan the end of a retired profile, but never while its agent waits for another one."""
        grace = 0 if one.why == "removed" or self.prune_now else self.policy.retire_after
        age_ms = self.observation.observed_ms - one.since_ms
        successor = self.bindings.get(one.agent)
        if successor is not None and successor.profile_id not in self.listed and not self._is_lost(successor):
            return  # it may be gone as well as not listed yet: this one may be the agent's last
        if one.agent in self.held_back or age_ms < grace * 1000:
            return
        self.changes.append(Change(self.brand, one.agent, Action.DESTROY, (one.why,), one.profile_id))


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
