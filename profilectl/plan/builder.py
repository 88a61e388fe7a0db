"""What would make X equal to the roster, decided in a value.

Pure: everything that was gathered comes in, a `Plan` comes out; no file, clock, random number or network.
``diff`` shows the plan, ``sync`` applies it, so what a dry run shows is decided by the same code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from msgspec import Struct
from msgspec.structs import asdict, replace

from profilectl.digests import digest_of
from profilectl.model import Agent, Binding, Intent, Picture, Policy, Profile, Retired, Roster
from profilectl.plan.changes import Action, Appearance, Change, Reason
from profilectl.plan.fingerprint import Basis, basis_of
from profilectl.plan.guards import Refusal, guard_deletes, guard_losses, guard_unrecorded_destroys
from profilectl.plan.intents import (
    IntentStatus,
    Observation,
    missing_bindings,
    remembered,
    resolve,
    settling_until,
    weigh,
)
from profilectl.plan.notices import Notice, NoticeKind, Staying
from profilectl.text.names import as_compared


class Plan(Struct, frozen=True):
    """Changes in the order in which they are applied, and what speaks against them."""

    changes: tuple[Change, ...]
    basis: Basis
    unchanged: int = 0
    strangers: tuple[tuple[str, Profile], ...] = ()  # (brand, profile) that the ledger doesn't know
    refused: Refusal | None = None
    withdrawals: tuple[tuple[str, str], ...] = ()  # (brand, nonce) of intents that surely made nothing
    protections: tuple[tuple[str, str, bool], ...] = ()  # (brand, agent, protected): bound, and to be remembered
    protected: frozenset[tuple[str, str]] = frozenset()  # (brand, agent) that the roster protects
    doubles: tuple[tuple[str, str, Profile], ...] = ()  # (brand, agent, stranger with the name of that bound agent)
    undecided: tuple[tuple[str, str, tuple[Profile, ...]], ...] = ()
    """(brand, agent, unknown profiles), one of which a withdrawn create of the agent's may have made."""
    notices: tuple[Notice, ...] = ()  # what stays as it is, and why
    spellings: tuple[tuple[str, Binding, str], ...] = ()  # (brand, binding, name as X shows it, not noted so far)

    @property
    def digest(self) -> str:
        """The digest of changes and basis: equal digests mean equal changes, made from the same things."""
        return digest_of([asdict(self.basis), [change.plain() for change in self.changes]])

    def summary(self) -> dict[str, int]:
        """Count changes by action, unchanged agents and unmanaged profiles."""
        counts = {action.value: 0 for action in (Action.CREATE, Action.REPLACE, Action.DELETE)}
        counts |= {Action.ADOPT.value: 0, Action.DESTROY.value: 0}
        counts |= {"unchanged": self.unchanged, "unmanaged": len(self.strangers), Action.BLOCKED.value: 0}
        counts[Action.RENAME.value] = 0
        for change in self.changes:
            counts[change.action.value] += 1
        return counts

    def needing_a_person(self) -> tuple[Change, ...]:
        """Return the blocked changes that time alone won't settle."""
        return tuple(change for change in self.changes if change.needs_person)


def build(
    roster: Roster,
    pictures: Mapping[str, Picture],
    observations: Sequence[Observation],
    *,
    today: date,
    allow_deletes: int | None = None,
    allow_lost: int | None = None,
    prune_now: bool = False,
    only_agents: frozenset[str] = frozenset(),
    labelled: Mapping[str, frozenset[str]] | None = None,
    muted: frozenset[tuple[str, str]] = frozenset(),
    swapped: frozenset[str] = frozenset(),
    recorded: Mapping[str, frozenset[str]] | None = None,
    pixels: Mapping[str, str] | None = None,
) -> Plan:
    """Compare the roster with what was observed; total and deterministic.

    Args:
        roster: the desired state.
        pictures: every avatar that the roster names, by its path as written.
        observations: one per brand that takes part, in roster order.
        today: the date against which `until` is read.
        allow_deletes: how many deletions per brand a person has agreed to; None for the policy's guards.
        allow_lost: how many profiles per brand may be made anew because X lost them; None for the policy's guards.
        prune_now: whether retired profiles are destroyed before their grace is over.
        only_agents: keys of the agents that take part; empty for all.
        labelled: keys of the agents with the chosen labels, by brand; None where no label was chosen.
        muted: fields ("name" or "avatar") of agents whose difference doesn't count, by key and field.
        swapped: ids of bound profiles whose live picture turned out to be another one.
        recorded: ids of the profiles of which a record says that they were retired, by brand; None asks for none.
        pixels: digests of what picture files show, by the digest of the file: two that show the same are one picture.
    """
    parts = [
        _BrandPlan(
            roster, pictures, observation, today, swapped, prune_now=prune_now, muted=muted, pixels=pixels or {}
        ).build(only_agents, None if labelled is None else labelled.get(observation.brand, frozenset()))
        for observation in observations
    ]
    refused = _refusal(roster.policy, parts, allow_deletes, allow_lost, recorded)
    return _joined(roster, parts, basis_of(roster, pictures, observations), refused)


def _joined(roster: Roster, parts: Sequence[_BrandPlan], basis: Basis, refused: Refusal | None) -> Plan:
    return Plan(
        changes=tuple(change for part in parts for change in part.changes),
        basis=basis,
        unchanged=sum(len(part.unchanged) for part in parts),
        strangers=tuple(pair for part in parts for pair in part.strangers),
        refused=refused,
        withdrawals=tuple(pair for part in parts for pair in part.withdrawals),
        protections=tuple(triple for part in parts for triple in part.protections),
        protected=frozenset((agent.brand, agent.key) for agent in roster.agents if agent.protected),
        doubles=tuple(triple for part in parts for triple in part.doubles),
        undecided=tuple(triple for part in parts for triple in part.undecided()),
        notices=tuple(notice for part in parts for notice in part.notices),
        spellings=tuple(triple for part in parts for triple in part.spellings()),
    )


def _refusal(
    policy: Policy,
    parts: Sequence[_BrandPlan],
    allow_deletes: int | None,
    allow_lost: int | None,
    recorded: Mapping[str, frozenset[str]] | None,
) -> Refusal | None:
    """Return what the first guard says that looks at these parts and refuses them, None when all agree."""
    bound = {part.brand: len(part.observation.ledger_state.bindings) for part in parts}
    losses = [(part.brand, len(part.observation.gone), bound[part.brand]) for part in parts]
    deletes = [(part.brand, sum(c.action is Action.DELETE for c in part.changes), bound[part.brand]) for part in parts]
    unrecorded = [(part.brand, part.count_unrecorded(recorded), bound[part.brand]) for part in parts]
    refusal = (
        guard_losses(policy, losses, allow_lost)
        or guard_deletes(policy, deletes, allow_deletes)
        or guard_unrecorded_destroys(policy, unrecorded, allow_deletes)
    )
    return None if refusal is None else replace(refusal, agents=_counted(refusal.guard, parts))


def _counted(guard: str, parts: Sequence[_BrandPlan]) -> tuple[tuple[str, str], ...]:
    """Return (brand, agent) of those about whom a guard is."""
    if guard == "lost":
        return tuple(
            (part.brand, binding.agent)
            for part in parts
            for binding in part.observation.ledger_state.bindings
            if binding.profile_id in part.observation.gone
        )
    action = Action.DESTROY if guard == "unrecorded" else Action.DELETE
    return tuple((change.brand, change.agent) for part in parts for change in part.changes if change.action is action)


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
        muted: frozenset[tuple[str, str]] = frozenset(),
        pixels: Mapping[str, str],
    ) -> None:
        self.pixels = pixels
        self.muted = muted
        self.notices: list[Notice] = []
        self.swapped = swapped
        self.policy = roster.policy
        self.pictures = pictures
        self.observation = observation
        self.prune_now = prune_now
        self.brand = observation.brand
        self.listed = {profile.id: profile for profile in observation.profiles}
        self.missing = frozenset(missing_bindings(observation, roster.policy.settle_after))
        agents = roster.agents_of(observation.brand)
        staying = Staying.of(agents, today)
        self.expired, self.upcoming = staying.ended, staying.upcoming
        self.agents = {agent.key: agent for agent in agents if agent.key not in self.expired}
        self.bindings = {binding.agent: binding for binding in observation.ledger_state.bindings}
        self.retired = list(observation.ledger_state.retired)
        self.blocked = observation.ledger_state.blocked
        self.protected = {agent.key: agent.protected for agent in agents}
        # of an agent who has left the roster, the ledger remembers whether they were protected
        self.protections = tuple(
            (self.brand, binding.agent, self.protected[binding.agent])
            for binding in observation.ledger_state.bindings
            if binding.protected != self.protected.get(binding.agent, binding.protected)
        )
        self.changes: list[Change] = []
        self.unchanged: set[str] = set()
        self.withdrawals: list[tuple[str, str]] = []
        self.held_back: set[str] = set()  # agents about whom nothing more is decided in this plan
        self.names_in_doubt: set[str] = set()  # another profile of that name would make adoption ambiguous
        self.strangers: tuple[tuple[str, Profile], ...] = ()
        self.strangers_by_name: dict[str, Profile] = {}
        self.claimed: set[str] = set()  # ids of what open intents made, or may have made
        self.late: set[str] = set()  # ids of what withdrawn intents made after all
        self.doubles: tuple[tuple[str, str, Profile], ...] = ()
        self.possibly_late: list[tuple[str, tuple[Profile, ...]]] = []  # (agent, what only a person can tell apart)

    def build(self, only_agents: frozenset[str], labelled: frozenset[str] | None = None) -> _BrandPlan:
        self._rename()
        self._await_listing()
        for intent in self.observation.ledger_state.intents:
            self._settle(intent)
        for intent in remembered(self.observation):
            self._take_late(intent)
        self._tell_strangers_apart()
        for agent in self.agents.values():
            self._decide(agent)
        for binding in list(self.bindings.values()):
            stays = binding.agent in self.agents and binding.agent not in self.blocked
            if not stays and binding.agent not in self.held_back:
                self._remove(binding)
        self._propose_each_once()
        for retired in self.retired:
            self._prune(retired)
        self.doubles = self._doubles()
        for keys in (only_agents or None, labelled):
            if keys is not None:  # only now, as what is in the way of some agents may be about others
                self._keep_only(keys)
        self.unchanged -= {change.agent for change in self.changes if change.action is Action.RENAME}  # counted as such
        self.changes.sort(key=Change.rank)
        return self

    def _decide(self, agent: Agent) -> None:
        if agent.key in self.upcoming:
            binding = self.bindings.get(agent.key)
            profile_id = None if binding is None else binding.profile_id
            self._notice(agent.key, NoticeKind.UPCOMING, self.upcoming[agent.key], profile_id=profile_id)
            if binding is None:
                return
        if agent.key in self.held_back:
            return
        if agent.key in self.blocked:  # however long the roster goes on naming an agent who was offboarded
            after = Appearance(agent.name, self.pictures[agent.avatar].digest)
            self._add(agent.key, Action.BLOCKED, Reason.OFFBOARDED, after=after)
        else:
            self._compare(agent)

    def _await_listing(self) -> None:
        """Tell of the young profiles that X doesn't list: about them nothing is decided before they have settled."""
        for binding in self.observation.ledger_state.bindings:
            until_ms = settling_until(binding, self.observation.observed_ms, self.policy.settle_after)
            if until_ms is not None and binding.profile_id not in self.listed:
                self._notice(binding.agent, NoticeKind.SETTLING, at_ms=until_ms, profile_id=binding.profile_id)

    def _keep_only(self, keys: frozenset[str]) -> None:
        self.changes = [change for change in self.changes if change.agent in keys]
        self.notices = [notice for notice in self.notices if notice.agent in keys]
        self.protections = tuple(protection for protection in self.protections if protection[1] in keys)
        self.unchanged &= keys

    def _rename(self) -> None:
        """Plan that the ledger follows keys that were changed; where it can't, both keys are left as they are."""
        for move in self.observation.renames:
            binding = self.bindings.get(move.new)
            look = None if binding is None else Appearance(binding.name, binding.avatar)
            profile_id = None if binding is None else binding.profile_id
            why = (Reason.MOVED,)
            rename = Change(self.brand, move.new, Action.RENAME, why, profile_id, look, look, former=move.old)
            self.changes.append(rename)
        intents = {intent.agent: intent for intent in self.observation.ledger_state.intents}
        for move in self.observation.conflicts:
            former, binding = self.bindings.get(move.old), self.bindings.get(move.new)
            is_bound = former is not None and binding is not None
            is_divided = len({move.old, move.new} & self.blocked) == 1
            reason = Reason.BOTH if is_bound else Reason.UNSETTLED  # open creates become profiles, or nothing
            reason = Reason.DIVIDED if is_divided else reason
            before = None if former is None else Appearance(former.name, former.avatar)
            own = binding or intents.get(move.new) or former or intents[move.old]
            profile_id = None if former is None else former.profile_id
            self.held_back |= {move.old, move.new}
            look = Appearance(own.name, own.avatar)
            blocked = Change(self.brand, move.new, Action.BLOCKED, (reason,), profile_id, before, look)
            self.changes.append(replace(blocked, former=move.old))

    def count_unrecorded(self, recorded: Mapping[str, frozenset[str]] | None) -> int:
        """Count the profiles to destroy that the ledger calls retired without a record of it."""
        if recorded is None:
            return 0
        retired = {retired.profile_id for retired in self.observation.ledger_state.retired}
        unrecorded = retired - recorded.get(self.brand, frozenset())
        return sum(change.action is Action.DESTROY and change.profile_id in unrecorded for change in self.changes)

    def _tell_strangers_apart(self) -> None:
        ours = {binding.profile_id for binding in self.bindings.values()}
        ours |= {retired.profile_id for retired in self.retired} | self.late
        self.strangers = tuple((self.brand, profile) for profile in self.observation.profiles if profile.id not in ours)
        self.strangers_by_name = {as_compared(profile.name): profile for _, profile in self.strangers}

    def _settle(self, intent: Intent) -> None:
        status, candidates = resolve(intent, self.observation, self.policy.settle_after)
        self.claimed |= {profile.id for profile in candidates}
        if status is IntentStatus.NOT_CREATED:
            self.withdrawals.append((self.brand, intent.nonce))
        elif status is IntentStatus.CREATED:
            self._adopt(intent, candidates[0])
        else:
            self.held_back.add(intent.agent)
            self.names_in_doubt.add(as_compared(intent.name))
            reason = Reason.AMBIGUOUS if status is IntentStatus.AMBIGUOUS else Reason.UNSETTLED
            profile_id = candidates[0].id if candidates else None
            self._add(intent.agent, Action.BLOCKED, reason, profile_id, after=Appearance(intent.name, intent.avatar))

    def _take_late(self, intent: Intent) -> None:
        """Plan what becomes of a profile that a withdrawn intent made after all: the agent's, or destroyed as ours."""
        if not intent.picture:  # of a ledger that kept none: without the fifth proof nothing is destroyed
            return
        evidence = weigh(intent, self.observation)
        proven = [profile for profile in evidence.proven if profile.id not in self.claimed | self.late]
        if intent.agent in self.held_back:
            return
        # one create makes one profile: of several, some are another machine's, and a person has to tell which
        if len(proven) != 1 or evidence.doubtful:
            self.possibly_late.append((intent.agent, (*proven, *evidence.doubtful)))
            return
        binding = self.bindings.get(intent.agent)
        is_live = binding is not None and binding.profile_id in self.listed
        if binding is not None and not is_live and not self._is_lost(binding):
            return  # until that is sure, the late one may be the agent's last
        [profile] = proven
        self.late.add(profile.id)
        is_needed = intent.agent in self.agents and intent.agent not in self.blocked
        if is_needed and not is_live:
            self._adopt(intent, profile, Reason.LATE)
            return
        before, reason = Appearance(intent.name, intent.avatar), (Reason.LATE,)
        change = Change(self.brand, intent.agent, Action.DESTROY, reason, profile.id, before, nonce=intent.nonce)
        self.changes.append(change)

    def _adopt(self, intent: Intent, profile: Profile, reason: Reason = Reason.UNANSWERED) -> None:
        after = Appearance(intent.name, intent.avatar)
        adopt = Change(self.brand, intent.agent, Action.ADOPT, (reason,), profile.id, None, after, intent.nonce)
        self.changes.append(adopt)
        # from here on as if it had been done: the roster may have changed since the create was sent
        old = self.bindings.get(intent.agent)
        now = self.observation.observed_ms
        if old is not None:
            self.retired.append(Retired(old.profile_id, old.agent, old.name, now, Reason.REPLACED.value))
        self.bindings[intent.agent] = Binding(
            intent.agent, profile.id, intent.name, intent.avatar, profile.created_ms, now, intent.protected
        )

    def _compare(self, agent: Agent) -> None:
        after = Appearance(agent.name, self.pictures[agent.avatar].digest)
        binding = self.bindings.get(agent.key)
        neutral = (Reason.CONSENT,) if agent.withheld else ()
        if binding is None:
            self._make(Change(self.brand, agent.key, Action.CREATE, (Reason.NEW, *neutral), after=after))
            return
        before = Appearance(binding.name, binding.avatar)
        doubt = self._doubt(binding)
        if doubt is not None:
            self.held_back.add(agent.key)
            self._add(agent.key, Action.BLOCKED, doubt, binding.profile_id, before, after)
            return
        if self._is_lost(binding):
            self._make(Change(self.brand, agent.key, Action.CREATE, (Reason.LOST,), None, before, after))
            return
        facts = (
            (Reason.NAME, before.name != after.name),
            (Reason.AVATAR, not self._show_the_same(before.avatar, after.avatar)),
        )
        differing = tuple(reason for reason, is_other in facts if is_other)
        why = tuple(reason for reason in differing if (agent.key, reason.value) not in self.muted)
        for reason in differing:
            if reason not in why:
                self._notice(agent.key, NoticeKind.MUTED, field=reason.value)
                kept = {reason.value: getattr(before, reason.value)}
                after = replace(after, **kept)
        why = why or ((Reason.SWAPPED,) if binding.profile_id in self.swapped else ())
        if why:
            why += neutral
            self._make(Change(self.brand, agent.key, Action.REPLACE, why, binding.profile_id, before, after))
        else:
            self.unchanged.add(agent.key)

    def _show_the_same(self, uploaded: str, file: str) -> bool:
        # what is known of no pixels, or by another decoder, is another picture, as its file is another one
        return uploaded == file or (uploaded in self.pixels and self.pixels[uploaded] == self.pixels.get(file))

    def _is_lost(self, binding: Binding) -> bool:
        return binding.profile_id in self.missing and binding.profile_id in self.observation.gone

    def _doubt(self, binding: Binding) -> Reason | None:
        """Return why nothing may be decided about a bound profile, None when X shows it or says that it is gone."""
        profile = self.listed.get(binding.profile_id)
        if profile is not None and binding.created_ms and profile.created_ms != binding.created_ms:
            return Reason.REUSED
        is_confirmed = binding.profile_id not in self.missing or self._is_lost(binding)
        return None if is_confirmed else Reason.UNCONFIRMED

    def _doubles(self) -> tuple[tuple[str, str, Profile], ...]:
        names = ((agent.key, as_compared(agent.name)) for agent in self.agents.values() if agent.key in self.bindings)
        return tuple(
            (self.brand, agent, self.strangers_by_name[name]) for agent, name in names if name in self.strangers_by_name
        )

    def undecided(self) -> Iterator[tuple[str, str, tuple[Profile, ...]]]:
        """Yield (brand, agent, profiles) of withdrawn creates about which nothing else in the plan tells."""
        mentioned = self.claimed | self.late | {double.id for _, _, double in self.doubles}
        mentioned |= {change.profile_id for change in self.changes if change.profile_id is not None}
        yielded: set[tuple[str, tuple[Profile, ...]]] = set()
        for agent, profiles in self.possibly_late:
            new = tuple(profile for profile in profiles if profile.id not in mentioned)
            if new and (agent, new) not in yielded:  # two creates of an agent may doubt the same profiles
                yielded.add((agent, new))
                yield self.brand, agent, new

    def spellings(self) -> Iterator[tuple[str, Binding, str]]:
        """Yield the bindings whose name X spells otherwise than is noted, with that spelling."""
        for binding in self.observation.ledger_state.bindings:
            profile = self.listed.get(binding.profile_id)
            if profile is not None and profile.name != (binding.name_as_shown or binding.name):
                yield self.brand, binding, profile.name

    def _make(self, change: Change) -> None:
        """Plan a create or a replacement, unless something in the way bears the same name."""
        name = as_compared(change.goal.name)
        namesake = self.strangers_by_name.get(name)
        if namesake is not None:
            change = replace(change, action=Action.BLOCKED, why=(Reason.NAMESAKE,), profile_id=namesake.id)
        elif name in self.names_in_doubt:
            change = replace(change, action=Action.BLOCKED, why=(Reason.UNSETTLED,), profile_id=None)
        if change.is_blocked:
            self.held_back.add(change.agent)  # and so the retired profile, which may be the agent's last, stays
        self.changes.append(change)

    def _propose_each_once(self) -> None:
        """Let blocked agents of one name each propose another one of the profiles in their way, the oldest first."""
        ids_by_name: dict[str, list[str]] = {}
        for _, profile in sorted(self.strangers, key=lambda pair: (pair[1].created_ms, pair[1].id)):
            ids_by_name.setdefault(as_compared(profile.name), []).append(profile.id)
        for place, change in enumerate(self.changes):
            if Reason.NAMESAKE not in change.why:
                continue
            ids = ids_by_name.get(as_compared(change.goal.name))
            if ids:
                self.changes[place] = replace(change, profile_id=ids.pop(0) if len(ids) > 1 else ids[0])

    def _add(
        self,
        agent: str,
        action: Action,
        reason: Reason,
        profile_id: str | None = None,
        before: Appearance | None = None,
        after: Appearance | None = None,
    ) -> None:
        self.changes.append(Change(self.brand, agent, action, (reason,), profile_id, before, after))

    def _remove(self, binding: Binding) -> None:
        is_blocked = binding.agent in self.blocked  # an offboarding ends a protection, too
        day = self.expired.get(binding.agent)
        if self.protected.get(binding.agent, binding.protected) and not is_blocked:
            self.unchanged.add(binding.agent)
            kind = NoticeKind.PROTECTED if day is None else NoticeKind.PROTECTED_ENDED
            self._notice(binding.agent, kind, day, profile_id=binding.profile_id)
            return
        if day is not None and not is_blocked:
            self._notice(binding.agent, NoticeKind.ENDED, day, profile_id=binding.profile_id)
        reason = Reason.UNTIL if binding.agent in self.expired else Reason.REMOVED
        reason = Reason.OFFBOARDED if is_blocked else reason
        before = Appearance(binding.name, binding.avatar)
        self._add(binding.agent, Action.DELETE, reason, binding.profile_id, before)

    def _prune(self, retired: Retired) -> None:
        reason = Reason.REMOVED if retired.why == Reason.REMOVED else Reason.REPLACED
        grace = 0 if reason is Reason.REMOVED or self.prune_now else self.policy.retire_after
        age_ms = self.observation.observed_ms - retired.since_ms
        successor = self.bindings.get(retired.agent)
        if successor is not None and successor.profile_id not in self.listed and not self._is_lost(successor):
            self._notice(retired.agent, NoticeKind.RETIRED, profile_id=retired.profile_id)
            return  # it may be gone as well as not listed yet: this one may be the agent's last
        # without grace no clock is asked: each run knows X's only to the second
        if retired.agent not in self.held_back and (not grace or age_ms >= grace * 1000):
            self._add(retired.agent, Action.DESTROY, reason, retired.profile_id)
        else:
            goes_ms = retired.since_ms + grace * 1000
            is_waiting = retired.agent in self.held_back
            at_ms = None if is_waiting else goes_ms
            self._notice(retired.agent, NoticeKind.RETIRED, at_ms=at_ms, profile_id=retired.profile_id)

    def _notice(
        self,
        agent: str,
        kind: NoticeKind,
        day: date | None = None,
        *,
        at_ms: int | None = None,
        profile_id: str | None = None,
        field: str = "",
    ) -> None:
        self.notices.append(Notice(self.brand, agent, kind, day, at_ms, profile_id, field))
