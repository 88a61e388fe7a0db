"""What is told about customers' answers: by group, with intervals, and nothing about a few."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profilectl.feedback.cards import Face, Key
from profilectl.feedback.report import LEAST, OTHERS, Dimension, Exchange, Verdict, evaluate, harvest
from profilectl.feedback.statistics import Balance, Tally, difference_of_shares, net_promoter, share
from profilectl.model import Card, Kind, Survey

ALICE = "profilectl:alice:human:profile:1"
CARD = Card("5", Survey.CSAT, ALICE, False, 1_000, 1_000)


def exchange(score, agent="alice", kind=Kind.HUMAN, face=Face.PROFILE, survey=Survey.CSAT):
    return Exchange(survey, Key(agent, kind, face, "1"), score)


def group_of(findings, name):
    [found] = [one for one in findings.groups if one.name == name]
    return found


def comparison_of(findings, dimension):
    [found] = [one for one in findings.comparisons if one.dimension is dimension]
    return found


def test_the_latest_state_counts():
    """In whatever order the events come; within X's whole second an answer wins."""
    later = replace(CARD, updated_ms=2_000, score=4)
    same = replace(CARD, score=3)

    assert [4] == [one.score for one in harvest([later, CARD, same], 0, 5_000, {}).exchanges]
    assert [3] == [one.score for one in harvest([same, CARD], 0, 5_000, {}).exchanges]


def test_cards_of_the_span_count():
    """By the moment of issue: answers are set against what was asked."""
    cards = [replace(CARD, id=str(at), created_ms=at, updated_ms=9_000, score=5) for at in (999, 1_000, 2_000, 2_001)]

    assert 2 == len(harvest(cards, 1_000, 2_000, {}).exchanges)


def test_what_is_left_out():
    """Cards of other programs and those to test recipients, counted."""
    cards = [CARD, replace(CARD, id="6", external_id="case 17"), replace(CARD, id="7", is_test=True)]
    crop = harvest(cards, 0, 5_000, {})

    assert (1, 1, 1) == (len(crop.exchanges), crop.tests, crop.strangers)


def test_our_ledger_knows_cards_without_a_key():
    """Should X return one without its external_id; X's word goes first."""
    nameless = replace(CARD, external_id="")
    bob = "profilectl:bob:bot:brand:2"

    assert harvest([nameless], 0, 5_000, {"5": bob}).exchanges[0].key.agent == "bob"
    assert harvest([CARD], 0, 5_000, {"5": bob}).exchanges[0].key.agent == "alice"
    assert harvest([nameless], 0, 5_000, {}).strangers == 1


def test_a_csat_group():
    """Asked, answered, the share of 4 and 5, and the mean."""
    group = group_of(evaluate([exchange(score) for score in (5, 4, 4, 3, 1, None)], Survey.CSAT), "alice")

    assert (group.asked, group.answered, group.score) == (6, 5, share(Tally(3, 5)))
    assert group.mean.value == pytest.approx(3.4)


def test_an_nps_group():
    """9 and 10 less 0 to 6; a mean isn't told."""
    answers = [exchange(score, survey=Survey.NPS) for score in (10, 9, 8, 7, 6, 0)]
    group = group_of(evaluate(answers, Survey.NPS), "alice")

    assert (net_promoter(Balance(2, 2, 6)), None) == (group.score, group.mean)


def test_the_other_survey_stays_out():
    """A 5 of 10 isn't a 5 of 5."""
    answers = [exchange(5)] * 5 + [exchange(5, survey=Survey.NPS)] * 5

    assert {5} == {one.answered for one in evaluate(answers, Survey.CSAT).groups}


def test_few_answers_are_only_counted():
    """Four say nothing of all customers, and too much of one."""
    group = group_of(evaluate([exchange(5)] * 4 + [exchange(None)] * 90, Survey.CSAT), "alice")

    assert (94, 4, None, None) == (group.asked, group.answered, group.score, group.mean)


def test_two_groups_are_compared_once():
    """People with bots, in that order, at 95 %."""
    answers = [exchange(5)] * 30 + [exchange(2, "bot", Kind.BOT)] * 30
    findings = evaluate(answers, Survey.CSAT)
    comparison = comparison_of(findings, Dimension.KIND)
    [difference] = comparison.differences

    assert (Verdict.DIFFERENT, "human", "bot") == (comparison.verdict, difference.one, difference.other)
    assert difference.estimate == difference_of_shares(Tally(30, 30), Tally(0, 30))
    assert comparison_of(findings, Dimension.FACE).verdict is Verdict.ALONE
    assert ["alice"] == [one.one for one in comparison_of(findings, Dimension.AGENT).differences]


def test_chance_is_no_difference():
    """Four of six against five of six can't be told apart."""
    answers = [exchange(score) for score in (5, 5, 5, 5, 1, 1)]
    answers += [exchange(score, face=Face.BRAND) for score in (5, 5, 5, 5, 5, 1)]
    comparison = comparison_of(evaluate(answers, Survey.CSAT), Dimension.FACE)

    assert (Verdict.SAME, False) == (comparison.verdict, comparison.differences[0].can_be_told)


def test_several_agents_are_each_compared_with_the_others():
    """Each with its part of the doubt; the one who stands out is told."""
    answers = [exchange(5, "alice")] * 40
    answers += [exchange(score, agent) for agent in ("bob", "carl") for score in [5, 2] * 20]
    comparison = comparison_of(evaluate(answers, Survey.CSAT), Dimension.AGENT)
    alice = comparison.differences[0]

    assert [(one.one, one.other) for one in comparison.differences] == [
        *(("alice", OTHERS), ("bob", OTHERS), ("carl", OTHERS))
    ]
    assert alice.can_be_told
    assert alice.estimate == difference_of_shares(Tally(40, 40), Tally(40, 80), 1 - 0.05 / 3)


def test_groups_with_few_answers_take_no_part():
    """What the others' figures left over would be theirs."""
    answers = [exchange(5, "alice")] * 9 + [exchange(4, "bob")] * 9 + [exchange(1, "carl")] * 4
    comparison = comparison_of(evaluate(answers, Survey.CSAT), Dimension.AGENT)

    assert [("alice", "bob")] == [(one.one, one.other) for one in comparison.differences]


def test_too_few_to_compare():
    """Two groups, of which one is too small."""
    answers = [exchange(5)] * 9 + [exchange(5, kind=Kind.BOT)] * 4

    assert comparison_of(evaluate(answers, Survey.CSAT), Dimension.KIND).verdict is Verdict.TOO_FEW


def test_nothing_at_all():
    """No cards, no groups, nothing to compare."""
    findings = evaluate([], Survey.NPS)

    assert ((), {Verdict.ALONE}) == (findings.groups, {one.verdict for one in findings.comparisons})


exchanges = st.lists(
    st.builds(
        exchange,
        st.none() | st.integers(1, 5),
        st.sampled_from(["alice", "bob", "carl"]),
        st.sampled_from(Kind),
        st.sampled_from(Face),
        st.sampled_from(Survey),
    ),
    max_size=60,
)


@given(exchanges, st.sampled_from(Survey))
def test_counts_add_up_and_small_groups_stay_silent(answers, survey):
    """In each dimension every card is in one group, and a figure needs its answers."""
    findings = evaluate(answers, survey)
    own = [one for one in answers if one.survey is survey]

    for dimension in Dimension:
        groups = [one for one in findings.groups if one.dimension is dimension]
        assert len(own) == sum(one.asked for one in groups)
        assert sum(one.score is not None for one in own) == sum(one.answered for one in groups)
        assert all((one.answered >= LEAST) == (one.score is not None) for one in groups)
        large = {one.name for one in groups if one.answered >= LEAST}
        compared = comparison_of(findings, dimension).differences
        assert {name for one in compared for name in (one.one, one.other)} <= large | {OTHERS}


@given(exchanges, st.randoms())
def test_the_order_of_answers_says_nothing(answers, random):
    """Who answered first isn't told."""
    shuffled = list(answers)
    random.shuffle(shuffled)

    assert evaluate(answers, Survey.CSAT) == evaluate(shuffled, Survey.CSAT)
