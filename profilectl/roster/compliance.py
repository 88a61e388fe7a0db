"""Whether customers can tell who speaks: each agent as it stands, and what is missing before somebody answers for it.

A customer must be told that a machine writes (EU AI Act, article 50; California B&P 17941), and the public name is the
only place for it that every message has.
"""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from profilectl.model import Kind
from profilectl.roster.disclosure import MARKERS, Disclosure, markers_for

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import date

    from profilectl.model import Agent, Brand, Policy
    from profilectl.roster.parser import Survey


class Lack(enum.StrEnum):
    """What can be missing."""

    MARKER = "no-marker"  # a bot that doesn't say so
    HUMANITY = "marker-of-a-human"  # a person who seems to be a bot
    KIND = "no-kind"  # nobody says which of the two it is
    OPERATORS = "no-operators"  # anybody with the credentials may send as this agent
    TIME = "until-over"  # the last day has passed
    LANGUAGE = "no-markers-known"  # a brand whose language has none, so no name can be judged
    ENFORCEMENT = "not-enforced"  # the policy only warns
    ROSTER = "roster-error"  # something that can't be read, so it can't be judged


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing, in words for the person who has to mend it."""

    lack: Lack
    message: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One agent in one brand, as customers see it."""

    agent: Agent
    marker: str | None  # the bot marker that stands in the public name
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class BrandRule:
    """What a bot's name must hold in one brand."""

    brand: Brand
    markers: tuple[str, ...]
    is_own: bool  # the roster's own words instead of the usual ones of the language


@dataclass(frozen=True, slots=True)
class Compliance:
    """The whole answer."""

    brands: tuple[BrandRule, ...]
    agents: tuple[Standing, ...]  # brand by brand, in file order
    general: tuple[tuple[str, Missing], ...]  # what no single agent lacks, with the path in the roster

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing that the disclosure rules ask for; who may send as an agent is only remarked."""
        lacks = {missing.lack for one in self.agents for missing in one.missing}
        return not self.general and lacks <= {Lack.OPERATORS}

    def counts(self) -> dict[Lack, int]:
        """Return how often each thing is missing; what never is isn't there."""
        found = Counter(missing.lack for _, missing in self.general)
        found.update(missing.lack for one in self.agents for missing in one.missing)
        return {lack: found[lack] for lack in Lack if found[lack]}


def assess(found: Survey, chosen: Collection[str], today: date) -> Compliance:
    """Judge a roster, whatever is wrong with it: what can't be judged is missing too.

    Args:
        found: the roster as far as it can be read.
        chosen: keys of brands to keep to; empty means all.
        today: the day on which somebody asks.
    """
    rules = [_rule(brand, found.policy) for brand in found.brands]
    agents = [one for rule in rules for one in _standings(rule, found.agents, today)]
    general = [*_of_policy(found.policy), *_of_brands(rules)]
    told = {path for path, _ in general} | {missing.message for one in agents for missing in one.missing}
    general += [
        (problem.path, Missing(_lack_of(problem.path), problem.message))
        for problem in found.problems
        if problem.severity == "error" and not told & {problem.path, problem.message}
    ]
    if not chosen:
        return Compliance(tuple(rules), tuple(agents), tuple(general))
    others = tuple(f"brands.{rule.brand.key}." for rule in rules if rule.brand.key not in chosen)
    return Compliance(
        tuple(rule for rule in rules if rule.brand.key in chosen),
        tuple(one for one in agents if one.agent.brand in chosen),
        tuple((path, missing) for path, missing in general if not path.startswith(others)),
    )


def _rule(brand: Brand, policy: Policy) -> BrandRule:
    markers = markers_for(brand.language, policy.bot_markers)
    return BrandRule(brand, markers, markers != markers_for(brand.language, MARKERS))


def _standings(rule: BrandRule, agents: Iterable[Agent], today: date) -> Iterator[Standing]:
    disclosure = Disclosure(rule.brand.language, rule.markers)
    for agent in agents:
        if agent.brand == rule.brand.key:
            fault = disclosure.fault(agent.name, agent.kind) if rule.markers else None
            yield Standing(agent, disclosure.marker(agent.name), tuple(_missing(agent, fault, today)))


def _missing(agent: Agent, fault: str | None, today: date) -> Iterator[Missing]:
    if fault is not None:
        yield Missing(Lack.MARKER if agent.kind is Kind.BOT else Lack.HUMANITY, fault)
    if not agent.operators:
        yield Missing(Lack.OPERATORS, "no operators: anybody with the credentials may send as this agent")
    if agent.until is not None and agent.until < today:
        yield Missing(Lack.TIME, f"the last day was {agent.until.isoformat()}, and the roster still has the entry")


def _of_policy(policy: Policy) -> Iterator[tuple[str, Missing]]:
    if policy.disclosure != "enforce":
        message = f'"{policy.disclosure}" lets names reach customers that hide who speaks; "enforce" refuses them'
        yield "policy.disclosure", Missing(Lack.ENFORCEMENT, message)


def _of_brands(rules: Iterable[BrandRule]) -> Iterator[tuple[str, Missing]]:
    for rule in rules:
        if not rule.markers:
            language = rule.brand.language
            message = f'no bot markers are known for "{language}", so no name can be judged: set [policy.bot_markers]'
            yield f"brands.{rule.brand.key}.language", Missing(Lack.LANGUAGE, message)


def _lack_of(path: str) -> Lack:
    """Tell a kind that is absent or unknown from everything else that keeps an agent from being judged."""
    table, _, field = path.rpartition(".")
    return Lack.KIND if field == "kind" and table != "agents" else Lack.ROSTER
