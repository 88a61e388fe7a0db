"""Compares customers' answers by agent, by kind, and by custom profile or brand; no customer can be recognised.

Figures are made of whole blocks of answers, as `blocks` divides them: fewer than `LEAST` say nothing of all customers,
and may say something of a single one, also where they are what two figures differ by. The rest is only counted.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from profilectl.errors import UsageError
from profilectl.feedback import statistics
from profilectl.feedback.blocks import DAY_MS, Answer, Block, Dimension, divide, month_begin_ms
from profilectl.feedback.cards import Key, read_key
from profilectl.feedback.statistics import Balance, Estimate, Tally
from profilectl.model import Card, Survey

OTHERS = "the others"
_SATISFIED = 4  # and above, of 5
_PROMOTER, _DETRACTOR = 9, 6  # and above, and below, of 10 (Reichheld 2003)
_CSAT_SCALE = range(1, 6)
_MATURITY_MS = DAY_MS  # X reports nothing younger (X: GET feedback/events)
# The ledger is asked for the key of a card that was issued so long before its answer, whatever days are reported on:
# an answer that is known to some reports only would be what they differ by.
_REMEMBERED_MS = 31 * DAY_MS


class Verdict(enum.StrEnum):
    """What can be said about the groups of a dimension."""

    ALONE = "alone"  # fewer than two groups
    TOO_FEW = "too-few"  # fewer than two with enough answers
    SAME = "no-difference"  # any difference may be chance
    DIFFERENT = "difference"


class Period(NamedTuple):
    """The first and the last moment of a report, epoch milliseconds of X's clock."""

    since_ms: int
    until_ms: int

    def covers(self, moment_ms: int) -> bool:
        """Return whether a moment lies in it."""
        return self.since_ms <= moment_ms <= self.until_ms

    def with_its_months(self) -> Period:
        """Return the period from the beginning of its first calendar month on, which blocks are made of."""
        return Period(month_begin_ms(self.since_ms), self.until_ms)

    def remembered_since_ms(self) -> int:
        """Return from when on the ledger is asked for the keys of cards."""
        return max(self.with_its_months().since_ms - _REMEMBERED_MS, 0)


class Response(Struct, frozen=True):
    """A card of ours: its key, when it was issued, and the answer, or None if the customer hasn't given one."""

    survey: Survey
    key: Key
    issued_ms: int
    answer: Answer | None


class CardSet(Struct, frozen=True):
    """The cards that were issued or answered in a period, or before it in its first calendar month."""

    period: Period
    responses: tuple[Response, ...]
    tests: int  # issued to our own people, left out
    strangers: int  # issued by other programs, left out


class Group(Struct, frozen=True):
    """The cards of an agent, of a kind, or sent as a profile or a brand; the estimates are None without a block.

    `asked` are the cards issued in the period and `answered` those answered in it, of which `counted` lie in blocks.
    Groups are compared by the score: of CSAT the share that is satisfied, from 0 to 1, of NPS the Net Promoter Score,
    from -1 to 1. Only CSAT has a mean, from 1 to 5.
    """

    dimension: Dimension
    name: str
    asked: int
    answered: int
    counted: int
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

    Both days are named by their beginning; None stands for the first of the month before that of the last moment, so
    that there is a whole month, and for the last moment that X reports.

    Raises:
        UsageError: X reports nothing between these days.
    """
    newest_ms = now_ms - _MATURITY_MS
    until_ms = newest_ms if last_ms is None else min(last_ms + DAY_MS - 1, newest_ms)
    if first_ms is None:
        first_ms = month_begin_ms(max(month_begin_ms(max(until_ms, 0)) - 1, 0))
    since_ms = max(first_ms, 0)  # days before 1970 are negative
    if since_ms > until_ms:
        newest = datetime.fromtimestamp(newest_ms // 1000, UTC)
        hint = f"X tells of answers a day later, so up to {newest:%Y-%m-%dT%H:%M:%SZ} today"
        raise UsageError("there is nothing between --since and --until", hint=hint)
    return Period(since_ms, until_ms)


def collect(cards: Iterable[Card], period: Period, known: Mapping[str, str]) -> CardSet:
    """Return the cards of a period, each in its latest state, from states in any order.

    `cards` are those to which something happened in `period.with_its_months()`. `known` holds the keys in our ledger by
    the id of the card, for cards that X returns without one.
    """
    # X's times have whole seconds, so two states may be of the same; an answer is never taken back.
    states = sorted(cards, key=lambda card: (card.updated_ms, card.score is not None))
    answered: dict[str, int] = {}
    for state in states:
        if state.score is not None:
            answered.setdefault(state.id, state.updated_ms if state.answered_ms is None else state.answered_ms)
    responses, tests, strangers, whole = [], 0, 0, period.with_its_months()
    for card in {state.id: state for state in states}.values():
        is_issued, answered_ms = period.covers(card.created_ms), answered.get(card.id)
        is_remembered = answered_ms is None or answered_ms - card.created_ms < _REMEMBERED_MS
        key = read_key(card.external_id or (known.get(card.id, "") if is_remembered else ""))
        if card.is_test:
            tests += is_issued
        elif key is None:
            strangers += is_issued
        else:
            answer = None
            if card.score is not None and answered_ms is not None and whole.covers(answered_ms):
                answer = Answer(key, card.score, answered_ms)
            responses.append(Response(card.survey, key, card.created_ms, answer))
    return CardSet(period, tuple(responses), tests, strangers)


def brand_report(brand: str, cards: CardSet) -> BrandReport:
    """Return the reports on all surveys of a brand of which there are cards."""
    reports = (evaluate(cards.responses, survey, cards.period) for survey in Survey)
    return BrandReport(brand, tuple(report for report in reports if report.groups), cards.tests, cards.strangers)


def evaluate(responses: Sequence[Response], survey: Survey, period: Period) -> SurveyReport:
    """Return the report on one of the surveys that customers responded to; all of the period's months are given."""
    own = [response for response in responses if response.survey is survey]
    asked = [response.key for response in own if period.covers(response.issued_ms)]
    answers = [response.answer for response in own if response.answer is not None]
    answered = [answer.key for answer in answers if period.covers(answer.at_ms)]
    blocks = [block for block in divide(answers, period.until_ms) if block.first_day * DAY_MS >= period.since_ms]
    groups, comparisons = [], []
    for dimension in Dimension:
        scores = _scores(blocks, dimension)
        asked_of, answered_of = Counter(map(dimension.of, asked)), Counter(map(dimension.of, answered))
        names = sorted(asked_of.keys() | answered_of.keys())
        groups += [
            _group(survey, dimension, name, asked_of[name], answered_of[name], scores.get(name, [])) for name in names
        ]
        comparisons.append(_compare(survey, dimension, names, scores))
    return SurveyReport(survey, tuple(groups), tuple(comparisons))


Scores = dict[str, list[int]]


def _scores(blocks: Iterable[Block], dimension: Dimension) -> Scores:
    """Return the scores of the groups of a dimension that have any in blocks."""
    scores: Scores = {}
    for block in blocks:
        if dimension in block.groups:
            scores.setdefault(block.groups[dimension], []).extend(answer.score for answer in block.answers)
    return scores


def _group(survey: Survey, dimension: Dimension, name: str, asked: int, answered: int, scores: Sequence[int]) -> Group:
    group = Group(dimension, name, asked, answered, len(scores), None, None)
    if not scores:  # not even the mean: of two answers, whoever knows one knows the other
        return group
    if survey is Survey.NPS:
        return replace(group, score=statistics.net_promoter(_balance(scores)))
    return replace(group, score=statistics.share(_tally(scores)), mean=statistics.mean(scores, _CSAT_SCALE))


def _compare(survey: Survey, dimension: Dimension, names: Sequence[str], scores: Scores) -> Comparison:
    """Compare each group with all the others together; two groups with each other, once."""
    if len(names) < 2:
        return Comparison(dimension, Verdict.ALONE, ())
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
