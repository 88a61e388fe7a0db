"""Compares customers' answers by agent, by kind, and by custom profile or brand; no customer can be recognised.

Groups with fewer answers than `LEAST` are only counted: too few to say anything of all customers, and few enough to
say something of a single one.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from profilectl.errors import UsageError
from profilectl.feedback import statistics
from profilectl.feedback.cards import Key, read_key
from profilectl.feedback.statistics import Balance, Estimate, Tally
from profilectl.model import Card, Survey

LEAST = 5  # answers that a group needs before more than their number is reported
OTHERS = "the others"
_SATISFIED = 4  # and above, of 5
_PROMOTER, _DETRACTOR = 9, 6  # and above, and below, of 10 (Reichheld 2003)
_CSAT_SCALE = range(1, 6)
_DAY_MS = 86_400_000
_USUAL_PERIOD_MS = 30 * _DAY_MS
_MATURITY_MS = _DAY_MS  # X reports nothing younger (X: GET feedback/events)


class Dimension(enum.StrEnum):
    """What cards are grouped by."""

    AGENT = "agent"
    KIND = "kind"
    SENT_AS = "face"

    def of(self, key: Key) -> str:
        """Return the group that a key belongs to."""
        if self is Dimension.AGENT:
            return key.agent
        return key.kind.value if self is Dimension.KIND else key.sent_as.value


class Verdict(enum.StrEnum):
    """What can be said about the groups of a dimension."""

    ALONE = "alone"  # fewer than two groups
    TOO_FEW = "too-few"  # fewer than two with enough answers
    SAME = "no-difference"  # any difference may be chance
    DIFFERENT = "difference"


class Period(NamedTuple):
    """The first and the last moment in which reported cards were issued, epoch milliseconds of X's clock."""

    since_ms: int
    until_ms: int


class Response(Struct, frozen=True):
    """A card of ours: its key, and the score, or None if the customer hasn't answered."""

    survey: Survey
    key: Key
    score: int | None


class CardSet(Struct, frozen=True):
    """The cards that were issued in a period."""

    responses: tuple[Response, ...]
    tests: int  # to our own people, left out
    strangers: int  # of other programs, left out


class Group(Struct, frozen=True):
    """The cards of an agent, of a kind, or sent as a profile or a brand; the estimates are None below `LEAST` answers.

    Groups are compared by the score: of CSAT the share that is satisfied, from 0 to 1, of NPS the Net Promoter Score,
    from -1 to 1. Only CSAT has a mean, from 1 to 5.
    """

    dimension: Dimension
    name: str
    asked: int
    answered: int
    score: Estimate | None
    mean: Estimate | None


class Difference(Struct, frozen=True):
    """By how much a group's score is above that of another one."""

    group: str
    other: str
    estimate: Estimate

    @property
    def can_be_told(self) -> bool:
        """Whether chance is an unlikely reason for it."""
        return self.estimate.interval is not None and self.estimate.interval.excludes_zero()


class Comparison(Struct, frozen=True):
    """The differences between the groups of a dimension."""

    dimension: Dimension
    verdict: Verdict
    differences: tuple[Difference, ...]


class SurveyReport(Struct, frozen=True):
    """The groups of a brand's cards for one survey, and how they compare."""

    survey: Survey
    groups: tuple[Group, ...]
    comparisons: tuple[Comparison, ...]


class BrandReport(Struct, frozen=True):
    """The reports on the surveys that a brand has asked, and how many cards were left out of them."""

    brand: str
    surveys: tuple[SurveyReport, ...]
    tests: int
    strangers: int


def report_period(first_ms: int | None, last_ms: int | None, now_ms: int) -> Period:
    """Return the period of a report, from the first day to the end of the last, as far as X reports it.

    Both days are named by their beginning; None stands for 30 days, and for the last moment that X reports.

    Raises:
        UsageError: X reports nothing between these days.
    """
    newest_ms = now_ms - _MATURITY_MS
    until_ms = newest_ms if last_ms is None else min(last_ms + _DAY_MS - 1, newest_ms)
    since_ms = max(until_ms - _USUAL_PERIOD_MS if first_ms is None else first_ms, 0)  # days before 1970 are negative
    if since_ms > until_ms:
        newest = datetime.fromtimestamp(newest_ms // 1000, UTC)
        hint = f"X tells of answers a day later, so up to {newest:%Y-%m-%dT%H:%M:%SZ} today"
        raise UsageError("there is nothing between --since and --until", hint=hint)
    return Period(since_ms, until_ms)


def collect(cards: Iterable[Card], period: Period, known: Mapping[str, str]) -> CardSet:
    """Return the cards that were issued in a period, each in its latest state, from states in any order.

    `known` holds the keys in our ledger by the id of the card, for cards that X returns without one.
    """
    # X's times have whole seconds, so two states may be of the same; an answer is never taken back.
    states = sorted(cards, key=lambda card: (card.updated_ms, card.score is not None))
    responses, tests, strangers = [], 0, 0
    for card in {state.id: state for state in states}.values():
        key = read_key(card.external_id or known.get(card.id, ""))
        # X's span is about what happened to a card: an answer in it may belong to a card of the day before.
        if not period.since_ms <= card.created_ms <= period.until_ms:
            continue
        if card.is_test:
            tests += 1
        elif key is None:
            strangers += 1
        else:
            responses.append(Response(card.survey, key, card.score))
    return CardSet(tuple(responses), tests, strangers)


def brand_report(brand: str, cards: CardSet) -> BrandReport:
    """Return the reports on all surveys of a brand of which there are cards."""
    asked = {response.survey for response in cards.responses}
    surveys = tuple(evaluate(cards.responses, survey) for survey in Survey if survey in asked)
    return BrandReport(brand, surveys, cards.tests, cards.strangers)


def evaluate(responses: Sequence[Response], survey: Survey) -> SurveyReport:
    """Return the report on one of the surveys that customers responded to."""
    own = [response for response in responses if response.survey is survey]
    by_dimension = {dimension: _divide(own, dimension) for dimension in Dimension}
    groups = tuple(
        _group(survey, dimension, name, members)
        for dimension, parts in by_dimension.items()
        for name, members in sorted(parts.items())
    )
    comparisons = tuple(_compare(survey, dimension, parts) for dimension, parts in by_dimension.items())
    return SurveyReport(survey, groups, comparisons)


Parts = dict[str, list[Response]]


def _divide(responses: Sequence[Response], dimension: Dimension) -> Parts:
    parts: Parts = {}
    for response in responses:
        parts.setdefault(dimension.of(response.key), []).append(response)
    return parts


def _scores(responses: Iterable[Response]) -> list[int]:
    return [response.score for response in responses if response.score is not None]


def _group(survey: Survey, dimension: Dimension, name: str, members: Sequence[Response]) -> Group:
    scores = _scores(members)
    group = Group(dimension, name, len(members), len(scores), None, None)
    if len(scores) < LEAST:  # not even the mean: of two answers, whoever knows one knows the other
        return group
    if survey is Survey.NPS:
        return replace(group, score=statistics.net_promoter(_balance(scores)))
    return replace(group, score=statistics.share(_tally(scores)), mean=statistics.mean(scores, _CSAT_SCALE))


def _compare(survey: Survey, dimension: Dimension, parts: Parts) -> Comparison:
    """Compare each group with all the others together; two groups with each other, once."""
    if len(parts) < 2:
        return Comparison(dimension, Verdict.ALONE, ())
    # Groups with too few answers take no part: their figures could be worked out from those of the others.
    scores = {name: own for name, members in parts.items() if len(own := _scores(members)) >= LEAST}
    if len(scores) < 2:
        return Comparison(dimension, Verdict.TOO_FEW, ())
    pairs = list(_pairs(scores, dimension))
    # Of many comparisons one in twenty would show a difference by chance alone, so each gets its part of the doubt
    # (Bonferroni).
    confidence = 1 - (1 - statistics.CONFIDENCE) / len(pairs)
    differences = tuple(
        Difference(name, other, _difference(survey, own, rest, confidence)) for name, own, other, rest in pairs
    )
    is_different = any(difference.can_be_told for difference in differences)
    return Comparison(dimension, Verdict.DIFFERENT if is_different else Verdict.SAME, differences)


def _pairs(scores: Mapping[str, list[int]], dimension: Dimension) -> Iterator[tuple[str, list[int], str, list[int]]]:
    """Yield which groups are compared: name and scores of both sides."""
    names = sorted(scores, reverse=dimension is not Dimension.AGENT)  # human before bot, profile before brand
    if len(names) == 2:
        name, other = names
        yield name, scores[name], other, scores[other]
        return
    for name in names:
        yield name, scores[name], OTHERS, [score for other in names if other != name for score in scores[other]]


def _difference(survey: Survey, scores: Sequence[int], rest: Sequence[int], confidence: float) -> Estimate:
    if survey is Survey.NPS:
        return statistics.difference_of_net_promoters(_balance(scores), _balance(rest), confidence)
    return statistics.difference_of_shares(_tally(scores), _tally(rest), confidence)


def _tally(scores: Sequence[int]) -> Tally:
    return Tally(sum(score >= _SATISFIED for score in scores), len(scores))


def _balance(scores: Sequence[int]) -> Balance:
    promoters = sum(score >= _PROMOTER for score in scores)
    return Balance(promoters, sum(score <= _DETRACTOR for score in scores), len(scores))
