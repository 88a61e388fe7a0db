"""What customers answered, compared by agent, by kind and by face; nobody among them can be told from another.

Groups with fewer answers than `LEAST` are counted and nothing more: too few to tell anything of all customers, and few
enough to tell something of one.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from profilectl.feedback.cards import Key, read_key
from profilectl.feedback.statistics import (
    CONFIDENCE,
    Balance,
    Estimate,
    Tally,
    difference_of_net_promoters,
    difference_of_shares,
    mean,
    net_promoter,
    share,
)
from profilectl.model import Survey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from profilectl.model import Card

LEAST = 5
"""Answers that a group needs before anything but their number is told."""

OTHERS = "the others"

_SATISFIED = 4  # and above, of 5
_PROMOTER, _DETRACTOR = 9, 6  # and above, and below, of 10 (Reichheld 2003)
_CSAT_SCALE = range(1, 6)


class Dimension(enum.StrEnum):
    """What cards are grouped by."""

    AGENT = "agent"
    KIND = "kind"
    FACE = "face"

    def of(self, key: Key) -> str:
        """Return the group that a key belongs to."""
        return {Dimension.AGENT: key.agent, Dimension.KIND: key.kind.value, Dimension.FACE: key.face.value}[self]


class Verdict(enum.StrEnum):
    """What can be said about the groups of one dimension."""

    ALONE = "alone"  # fewer than two groups
    TOO_FEW = "too-few"  # fewer than two with enough answers
    SAME = "no-difference"  # none that can be told
    DIFFERENT = "difference"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One card of ours: who had spoken, and the score, if there was an answer."""

    survey: Survey
    key: Key
    score: int | None


@dataclass(frozen=True, slots=True)
class Harvest:
    """The cards that were issued in a span of time."""

    exchanges: tuple[Exchange, ...]
    tests: int  # to our own people, left out
    strangers: int  # of other programs, left out


@dataclass(frozen=True, slots=True)
class Group:
    """The cards of one agent, kind or face; the estimates are None below `LEAST` answers.

    Attributes:
        score: the figure that groups are compared by: of CSAT the share that is satisfied, 4 or 5, from 0 to 1; of NPS
            the Net Promoter Score, from -1 to 1.
        mean: of CSAT, from 1 to 5.
    """

    dimension: Dimension
    name: str
    asked: int
    answered: int
    score: Estimate | None
    mean: Estimate | None


@dataclass(frozen=True, slots=True)
class Difference:
    """By how much one group's score is above another's."""

    one: str
    other: str
    estimate: Estimate

    @property
    def can_be_told(self) -> bool:
        """Whether chance is an unlikely reason for it."""
        return self.estimate.interval is not None and self.estimate.interval.excludes_zero()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between the groups of one dimension."""

    dimension: Dimension
    verdict: Verdict
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """All that is told about one survey of one brand."""

    survey: Survey
    groups: tuple[Group, ...]
    comparisons: tuple[Comparison, ...]


def harvest(cards: Iterable[Card], since_ms: int, until_ms: int, known: Mapping[str, str]) -> Harvest:
    """Return the cards that were issued in a span of time, each as it was last told of.

    Args:
        cards: states of cards, in any order.
        since_ms: the first moment.
        until_ms: the last one.
        known: the keys that our ledger holds, by the id of the card; for cards that X returns without one.
    """
    latest: dict[str, Card] = {}
    for card in cards:
        known_state = latest.get(card.id)
        if known_state is None or _age(card) >= _age(known_state):
            latest[card.id] = card
    ours, tests, strangers = [], 0, 0
    for card in latest.values():
        key = read_key(card.external_id or known.get(card.id, ""))
        if not since_ms <= card.created_ms <= until_ms:
            continue
        if card.is_test:
            tests += 1
        elif key is None:
            strangers += 1
        else:
            ours.append(Exchange(card.survey, key, card.score))
    return Harvest(tuple(ours), tests, strangers)


def _age(card: Card) -> tuple[int, bool]:
    """Return what orders the states of one card: X's times have whole seconds, and an answer is never taken back."""
    return card.updated_ms, card.score is not None


def evaluate(exchanges: Sequence[Exchange], survey: Survey) -> Findings:
    """Return what the answers to one survey tell."""
    own = [one for one in exchanges if one.survey is survey]
    by_dimension = {dimension: _divide(own, dimension) for dimension in Dimension}
    groups = tuple(
        _group(survey, dimension, name, members)
        for dimension, parts in by_dimension.items()
        for name, members in sorted(parts.items())
    )
    comparisons = tuple(_compare(survey, dimension, parts) for dimension, parts in by_dimension.items())
    return Findings(survey, groups, comparisons)


Parts = dict[str, list[Exchange]]


def _divide(exchanges: Sequence[Exchange], dimension: Dimension) -> Parts:
    parts: Parts = {}
    for one in exchanges:
        parts.setdefault(dimension.of(one.key), []).append(one)
    return parts


def _scores(exchanges: Iterable[Exchange]) -> list[int]:
    return [one.score for one in exchanges if one.score is not None]


def _group(survey: Survey, dimension: Dimension, name: str, members: Sequence[Exchange]) -> Group:
    scores = _scores(members)
    group = Group(dimension, name, len(members), len(scores), None, None)
    if len(scores) < LEAST:
        return group
    if survey is Survey.NPS:
        return replace(group, score=net_promoter(_balance(scores)))
    return replace(group, score=share(_tally(scores)), mean=mean(scores, _CSAT_SCALE))


def _compare(survey: Survey, dimension: Dimension, parts: Parts) -> Comparison:
    """Compare each group with all the others together; two groups with each other, once.

    Groups with too few answers take no part, or what the others' figures leave over would be theirs. Of many
    comparisons one in twenty would show a difference by chance alone, so each gets its part of the doubt (Bonferroni).
    """
    if len(parts) < 2:
        return Comparison(dimension, Verdict.ALONE, ())
    scores = {name: own for name, members in parts.items() if len(own := _scores(members)) >= LEAST}
    if len(scores) < 2:
        return Comparison(dimension, Verdict.TOO_FEW, ())
    pairs = list(_pairs(scores, dimension))
    confidence = 1 - (1 - CONFIDENCE) / len(pairs)
    differences = tuple(
        Difference(name, other, _difference(survey, own, rest, confidence)) for name, own, other, rest in pairs
    )
    told = any(one.can_be_told for one in differences)
    return Comparison(dimension, Verdict.DIFFERENT if told else Verdict.SAME, differences)


def _pairs(scores: Mapping[str, list[int]], dimension: Dimension) -> Iterator[tuple[str, list[int], str, list[int]]]:
    """Yield who is compared with whom: name and scores of both sides."""
    names = sorted(scores, reverse=dimension is not Dimension.AGENT)  # human before bot, profile before brand
    if len(names) == 2:
        one, other = names
        yield one, scores[one], other, scores[other]
        return
    for name in names:
        yield name, scores[name], OTHERS, [score for other in names if other != name for score in scores[other]]


def _difference(survey: Survey, scores: Sequence[int], rest: Sequence[int], confidence: float) -> Estimate:
    if survey is Survey.NPS:
        return difference_of_net_promoters(_balance(scores), _balance(rest), confidence)
    return difference_of_shares(_tally(scores), _tally(rest), confidence)


def _tally(scores: Sequence[int]) -> Tally:
    return Tally(sum(score >= _SATISFIED for score in scores), len(scores))


def _balance(scores: Sequence[int]) -> Balance:
    promoters = sum(score >= _PROMOTER for score in scores)
    return Balance(promoters, sum(score <= _DETRACTOR for score in scores), len(scores))
