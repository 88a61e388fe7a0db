"""Whether customers can tell who writes: each agent as it stands, and what is missing.

A customer must be told that a machine writes (EU AI Act, article 50; California B&P 17941), and the public name is the
only place for it that every message has.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.errors import UsageError
from profilectl.model import Agent, Brand, Kind, Policy
from profilectl.roster.consent import agreed_agents
from profilectl.roster.disclosure import MARKERS, Disclosure, markers_for
from profilectl.text.escape import visible
from profilectl.text.word_matching import fold

if TYPE_CHECKING:
    from profilectl.roster.parser import PartialRoster


class GapKind(enum.StrEnum):
    """What can be missing."""

    MARKER = "no-marker"  # of a bot
    HUMAN_MARKER = "marker-of-a-human"
    KIND = "no-kind"
    OPERATORS = "no-operators"  # anybody with the credentials may send as this agent
    CONSENT = "no-consent"  # of a person, where the policy keeps consents in the roster
    LAST_DAY = "until-over"
    LANGUAGE = "no-markers-known"
    OWN_MARKERS = "own-markers"  # words that this program doesn't know for a bot's
    ENFORCEMENT = "not-enforced"
    ROSTER = "roster-error"  # something that can't be read, so it can't be judged


class Gap(Struct, frozen=True):
    """One thing that is missing."""

    kind: GapKind
    message: str


class AgentCompliance(Struct, frozen=True):
    """One agent in one brand, as customers see it."""

    agent: Agent
    marker: str | None
    gaps: tuple[Gap, ...]


class BrandRule(Struct, frozen=True):
    """What a bot's name must hold in one brand."""

    brand: Brand
    markers: tuple[str, ...]
    is_own: bool  # the roster's


class Compliance(Struct, frozen=True):
    """What is missing in a roster."""

    brands: tuple[BrandRule, ...]
    agents: tuple[AgentCompliance, ...]
    general: tuple[tuple[str, Gap], ...]  # what is missing in no single agent, with the path in the roster

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing that the disclosure rules ask for."""
        # Who may send as an agent, and who agreed to be shown, is no question of disclosure, and only remarked.
        return not self.general and self.counts().keys() <= {GapKind.OPERATORS, GapKind.CONSENT}

    def counts(self) -> dict[GapKind, int]:
        """Return how often each thing is missing; what never is isn't there."""
        counter = Counter(gap.kind for _, gap in self.general)
        counter.update(gap.kind for entry in self.agents for gap in entry.gaps)
        return {kind: counter[kind] for kind in GapKind if counter[kind]}


def assess(roster: PartialRoster, chosen: Collection[str], today: date) -> Compliance:
    """Judge a roster, whatever is wrong with it, for the brands with the chosen keys, or for all where none is chosen.

    Raises:
        UsageError: a chosen brand isn't one of the roster's.
    """
    known = [brand.key for brand in roster.brands]
    for key in chosen:
        if known and key not in known:
            raise UsageError(f"there is no brand {visible(key)}", hint="the roster has: " + ", ".join(known))
    rules = [_rule(brand, roster.policy) for brand in roster.brands]
    shown = agreed_agents(roster.agents, roster.policy, today)  # a neutral name is what customers read, too
    agents = [entry for rule in rules for entry in _agents(rule, shown, roster.policy, today)]
    general = list(_general_gaps(roster.policy, rules))
    # The parser reports some of this as well, by path or in the same words; what can't be judged is missing too.
    covered = {path for path, _ in general} | {gap.message for entry in agents for gap in entry.gaps}
    general += [
        (problem.path, Gap(_gap_kind(problem.path), problem.message))
        for problem in roster.problems
        if problem.severity == "error" and not covered & {problem.path, problem.message}
    ]
    if not chosen:
        return Compliance(tuple(rules), tuple(agents), tuple(general))
    # Everything that isn't another brand's stays: the policy and the agents' errors are of all brands.
    others = tuple(f"brands.{rule.brand.key}." for rule in rules if rule.brand.key not in chosen)
    return Compliance(
        tuple(rule for rule in rules if rule.brand.key in chosen),
        tuple(entry for entry in agents if entry.agent.brand in chosen),
        tuple((path, gap) for path, gap in general if not path.startswith(others)),
    )


def _rule(brand: Brand, policy: Policy) -> BrandRule:
    markers = markers_for(brand.language, policy.bot_markers)
    return BrandRule(brand, markers, markers != markers_for(brand.language, MARKERS))


def _agents(rule: BrandRule, agents: Iterable[Agent], policy: Policy, today: date) -> Iterator[AgentCompliance]:
    disclosure = Disclosure(rule.brand.language, rule.markers)
    for agent in agents:
        if agent.brand == rule.brand.key:
            problem = disclosure.problem(agent.name, agent.kind, agent.surname_is) if rule.markers else None
            marker = disclosure.marker(agent.name, agent.surname_is)
            yield AgentCompliance(agent, marker, tuple(_agent_gaps(agent, problem, policy, today)))


def _agent_gaps(agent: Agent, problem: str | None, policy: Policy, today: date) -> Iterator[Gap]:
    if problem is not None:
        yield Gap(GapKind.MARKER if agent.kind is Kind.BOT else GapKind.HUMAN_MARKER, problem)
    if not agent.operators:
        yield Gap(GapKind.OPERATORS, "no operators: anybody with the credentials may send as this agent")
    if agent.until is not None and agent.until < today:
        yield Gap(GapKind.LAST_DAY, f"the last day was {agent.until.isoformat()}, and the roster still has the entry")
    if policy.consent != "off" and agent.kind is Kind.HUMAN and agent.consent is None:
        yield Gap(GapKind.CONSENT, "no consent: the roster doesn't say that this person agreed to name and photo")


def _general_gaps(policy: Policy, rules: Iterable[BrandRule]) -> Iterator[tuple[str, Gap]]:
    if policy.disclosure != "enforce":
        message = f'"{policy.disclosure}" lets names reach customers that hide who speaks; "enforce" refuses them'
        yield "policy.disclosure", Gap(GapKind.ENFORCEMENT, message)
    for tag, own in policy.bot_markers.items():
        usual = {fold(marker) for marker in markers_for(tag, MARKERS)}
        odd = [marker for marker in own if usual and fold(marker) not in usual]
        if odd:
            listed = ", ".join(f'"{visible(marker)}"' for marker in odd)
            message = f"{listed}: a person has to confirm that customers take it for a machine's, which no rule knows"
            yield f"policy.bot_markers.{tag}", Gap(GapKind.OWN_MARKERS, message)
    for rule in rules:
        if not rule.markers:
            language = rule.brand.language
            message = f'no bot markers are known for "{language}", so no name can be judged: set [policy.bot_markers]'
            yield f"brands.{rule.brand.key}.language", Gap(GapKind.LANGUAGE, message)


def _gap_kind(path: str) -> GapKind:
    table, _, field = path.rpartition(".")
    # An agent may have the key "kind": then the path is that of its table.
    return GapKind.KIND if field == "kind" and table != "agents" else GapKind.ROSTER
