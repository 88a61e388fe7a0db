"""Estimates and their intervals against published figures, and what must hold for any answers."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profilectl.feedback.statistics import (
    Balance,
    Interval,
    Tally,
    difference_of_net_promoters,
    difference_of_shares,
    mean,
    net_promoter,
    share,
    student,
)

CSAT = range(1, 6)


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_published(hits, total, low, high):
    """Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3."""
    estimate = share(Tally(hits, total))

    assert estimate.value == hits / total
    assert (low, high) == tuple(round(bound, 4) for bound in estimate.interval)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_difference_of_shares_as_published(first, second, low, high):
    """Newcombe (1998), on the difference between independent proportions, table II, method 10."""
    estimate = difference_of_shares(Tally(*first), Tally(*second))

    assert (low, high) == tuple(round(bound, 4) for bound in estimate.interval)


@pytest.mark.parametrize(
    ("freedom", "expected"), [(4, 2.776), (5, 2.571), (7, 2.365), (10, 2.228), (15, 2.131), (30, 2.042), (120, 1.980)]
)
def test_student_as_tabulated(freedom, expected):
    """The column for 95 % of any table of the t distribution."""
    assert expected == pytest.approx(student(freedom), abs=0.001)


def test_student_at_other_confidences():
    """99 % at 10 and 90 % at 20 degrees of freedom."""
    assert student(10, 0.99) == pytest.approx(3.169, abs=0.002)
    assert student(20, 0.90) == pytest.approx(1.725, abs=0.001)


def test_mean_as_published():
    """Student (1908), hours of sleep gained: 1.58, interval 0.70 to 2.46; here in tenths of an hour."""
    hours = [12, 24, 13, 13, 0, 10, 18, 8, 46, 14]
    estimate = mean(hours, range(100))

    assert estimate.value == pytest.approx(15.8)
    assert (7.0, 24.6) == tuple(round(bound, 1) for bound in estimate.interval)


def test_net_promoter_by_hand():
    """Rocks (2016), with numbers that can be followed: 9 promoters, 3 passives, 5 detractors and three imagined ones.

    (9.75 - 5.75) / 20 = 0.2; variance (0.4875 + 0.2875 - 0.04) / 20 = 0.03675; 1.96 standard errors are 0.3757.
    """
    estimate = net_promoter(Balance(9, 5, 17))

    assert estimate.value == pytest.approx(4 / 17)
    assert (-0.1757, 0.5757) == tuple(round(bound, 4) for bound in estimate.interval)


def test_difference_of_net_promoters_by_hand():
    """The variances add up: 0.2 - -0.2 = 0.4, two times 0.03675, 1.96 standard errors are 0.5314."""
    estimate = difference_of_net_promoters(Balance(9, 5, 17), Balance(5, 9, 17))

    assert (-0.1314, 0.9314) == tuple(round(bound, 4) for bound in estimate.interval)


@pytest.mark.parametrize("scores", [[5], [5, 5, 5, 5, 5, 5, 5], [1, 1, 1, 1, 1]])
def test_no_spread_no_interval(scores):
    """Seven times five isn't certainty."""
    assert (scores[0], None) == mean(scores, CSAT)


def test_nobody_unhappy_is_no_certainty():
    """The shares and the promoters of such answers have an interval with some width."""
    assert share(Tally(5, 5)).interval.low == pytest.approx(0.5655, abs=0.0001)
    assert net_promoter(Balance(5, 0, 5)).interval.low < 0.5


@pytest.mark.parametrize(
    ("interval", "can_be_told"), [((0.1, 0.2), True), ((-0.2, -0.1), True), ((-0.1, 0.1), False), ((0, 0.1), False)]
)
def test_a_difference_that_can_be_told(interval, can_be_told):
    """Only when zero lies outside."""
    assert can_be_told is Interval(*interval).excludes_zero()


tallies = st.integers(1, 2_000).flatmap(lambda total: st.builds(Tally, st.integers(0, total), st.just(total)))
balances = st.tuples(*[st.integers(0, 500)] * 3).filter(any).map(lambda n: Balance(n[0], n[1], sum(n)))
scores = st.lists(st.integers(1, 5), min_size=2, max_size=200)


@given(tallies)
def test_a_share_lies_in_its_interval(tally):
    """Between 0 and 1; and the misses mirror the hits."""
    estimate = share(tally)
    mirrored = share(Tally(tally.total - tally.hits, tally.total)).interval

    assert 0 <= estimate.interval.low <= estimate.value <= estimate.interval.high <= 1
    assert estimate.interval.low == pytest.approx(1 - mirrored.high, abs=1e-9)


@given(tallies, tallies)
def test_differences_of_shares_mirror_each_other(first, second):
    """Who is above whom depends on the order only by its sign, and nothing differs from itself."""
    there, back = difference_of_shares(first, second), difference_of_shares(second, first)

    assert -1 <= there.interval.low <= there.value <= there.interval.high <= 1
    assert there.interval.low == pytest.approx(-back.interval.high, abs=1e-9)
    assert not difference_of_shares(first, first).interval.excludes_zero()


@given(scores)
def test_a_mean_lies_in_its_interval(answers):
    """On the scale; and more confidence needs more room."""
    estimate = mean(answers, CSAT)
    assert estimate.value == statistics.fmean(answers)
    if estimate.interval is not None:
        surer = mean(answers, CSAT, 0.99).interval
        assert 1 <= surer.low <= estimate.interval.low <= estimate.value <= estimate.interval.high <= surer.high <= 5


@given(balances)
def test_a_net_promoter_score_has_an_interval_on_its_scale(balance):
    """The figure itself is the plain one; the mirrored answers have the mirrored interval."""
    estimate = net_promoter(balance)
    mirrored = net_promoter(Balance(balance.detractors, balance.promoters, balance.total)).interval

    assert -1 <= estimate.interval.low < estimate.interval.high <= 1
    assert estimate.interval.low == pytest.approx(-mirrored.high, abs=1e-9)


@given(balances, balances)
def test_differences_of_net_promoters_mirror_each_other(first, second):
    """As those of shares."""
    there, back = difference_of_net_promoters(first, second), difference_of_net_promoters(second, first)

    assert -2 <= there.interval.low < there.interval.high <= 2
    assert there.interval.low == pytest.approx(-back.interval.high, abs=1e-9)
    assert not difference_of_net_promoters(first, first).interval.excludes_zero()


@given(st.integers(1, 200))
def test_ten_times_the_answers_say_more(total):
    """The same share of more answers has a narrower interval."""
    few, many = share(Tally(total // 2, total)).interval, share(Tally(total // 2 * 10, total * 10)).interval

    assert many.high - many.low < few.high - few.low
