"""Estimates for all customers from few answers, with confidence intervals, after the textbooks.

Each interval is the one that its source recommends for small samples, so that five answers aren't taken for a fact:

* a share: the score interval of Wilson (1927), "Probable inference, the law of succession, and statistical inference";
* a difference of two shares: method 10 of Newcombe (1998), "Interval estimation for the difference between independent
  proportions", made of two Wilson intervals;
* a mean: Student (1908), with the quantiles of Abramowitz and Stegun (1964), 26.7.5;
* a Net Promoter Score and a difference of two: the adjusted Wald interval of Rocks (2016), "Interval estimation for
  the 'Net Promoter Score'": three imagined answers more, ¾ promoters, 1½ passives, ¾ detractors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

CONFIDENCE = 0.95

_EXTRA_PROMOTERS, _EXTRA_ANSWERS = 0.75, 3.0  # of Rocks (2016); as many detractors as promoters


class Interval(NamedTuple):
    """Where the true figure lies, with the confidence that was asked for."""

    low: float
    high: float

    def excludes_zero(self) -> bool:
        """Return whether the sign of a difference is known, with that confidence."""
        return self.low > 0 or self.high < 0


class Estimate(NamedTuple):
    """A figure of the answers, and the interval for that of all customers; None where no interval can be given."""

    value: float
    interval: Interval | None


class Tally(NamedTuple):
    """A number of hits among all answers."""

    hits: int
    total: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.hits / self.total


class Balance(NamedTuple):
    """The numbers of promoters, of detractors, and of all answers."""

    promoters: int
    detractors: int
    total: int


def share(tally: Tally, confidence: float = CONFIDENCE) -> Estimate:
    """Estimate a share, from 0 to 1; `tally.total` is at least 1."""
    return Estimate(tally.share, _wilson(tally, confidence))


def difference_of_shares(first: Tally, second: Tally, confidence: float = CONFIDENCE) -> Estimate:
    """Estimate by how much the first share is above the second, from -1 to 1; both totals are at least 1."""
    value = first.share - second.share
    first_interval, second_interval = _wilson(first, confidence), _wilson(second, confidence)
    below = math.hypot(first.share - first_interval.low, second_interval.high - second.share)
    above = math.hypot(first_interval.high - first.share, second.share - second_interval.low)
    return Estimate(value, Interval(max(value - below, -1.0), min(value + above, 1.0)))


def mean(scores: Sequence[int], scale: range, confidence: float = CONFIDENCE) -> Estimate:
    """Estimate the mean of scores, of which there is at least one, on the scale of possible scores."""
    from statistics import fmean, stdev

    value = fmean(scores)
    if len(set(scores)) == 1:  # no spread to calculate with: no interval, rather than one of no width
        return Estimate(value, None)
    margin = student(len(scores) - 1, confidence) * stdev(scores) / math.sqrt(len(scores))
    return Estimate(value, Interval(max(value - margin, float(scale[0])), min(value + margin, float(scale[-1]))))


def net_promoter(balance: Balance, confidence: float = CONFIDENCE) -> Estimate:
    """Estimate a Net Promoter Score, from -1 to 1; `balance.total` is at least 1."""
    centre, variance = _adjusted(balance)
    return Estimate(_score(balance), _wald(centre, variance, confidence, 1.0))


def difference_of_net_promoters(first: Balance, second: Balance, confidence: float = CONFIDENCE) -> Estimate:
    """Estimate by how much the first score is above the second, from -2 to 2; both totals are at least 1."""
    (first_centre, first_variance), (second_centre, second_variance) = _adjusted(first), _adjusted(second)
    interval = _wald(first_centre - second_centre, first_variance + second_variance, confidence, 2.0)
    return Estimate(_score(first) - _score(second), interval)


def student(freedom: float, confidence: float = CONFIDENCE) -> float:
    """Return the two-sided quantile of Student's t distribution with so many degrees of freedom.

    The expansion of Abramowitz and Stegun 26.7.5; at 95 % it is off by less than 0.001 from 4 degrees on.
    """
    z = _normal(confidence)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))


def _normal(confidence: float) -> float:
    from statistics import NormalDist  # 2 ms, which only a report has to spend

    return NormalDist().inv_cdf((1 + confidence) / 2)


def _wilson(tally: Tally, confidence: float) -> Interval:
    z, total = _normal(confidence), tally.total
    centre = (tally.hits + z * z / 2) / (total + z * z)
    margin = z * math.sqrt(total * tally.share * (1 - tally.share) + z * z / 4) / (total + z * z)
    # At a share of 0 or 1 a bound is the share itself, which rounding would otherwise leave just outside.
    return Interval(min(max(centre - margin, 0.0), tally.share), max(min(centre + margin, 1.0), tally.share))


def _score(balance: Balance) -> float:
    return (balance.promoters - balance.detractors) / balance.total


def _adjusted(balance: Balance) -> tuple[float, float]:
    """Return the score with the imagined answers, and its variance."""
    total = balance.total + _EXTRA_ANSWERS
    promoters = (balance.promoters + _EXTRA_PROMOTERS) / total
    detractors = (balance.detractors + _EXTRA_PROMOTERS) / total
    score = promoters - detractors
    return score, (promoters + detractors - score * score) / total


def _wald(centre: float, variance: float, confidence: float, furthest: float) -> Interval:
    margin = _normal(confidence) * math.sqrt(variance)
    return Interval(max(centre - margin, -furthest), min(centre + margin, furthest))
