"""What is told about customers' answers: by group, with intervals, and nothing about a few."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from profilectl.errors import UsageError
from profilectl.feedback.blocks import LEAST, Answer, Dimension
from profilectl.feedback.cards import Key, SentAs
from profilectl.feedback.report import (
    OTHERS,
    CardSet,
    Period,
    Response,
    Verdict,
    brand_report,
    collect,
    evaluate,
    report_period,
)
from profilectl.feedback.statistics import Balance, Tally, difference_of_shares, net_promoter, share
from profilectl.model import Card, Kind, Survey

ALICE = "profilectl:alice:human:profile:1"
CARD = Card("5", Survey.CSAT, ALICE, False, 1_000, 1_000)
DAY = 86_400_000
MONTH = Period(0, 31 * DAY - 1)  # January 1970


def response(score, agent="alice", kind=Kind.HUMAN, sent_as=SentAs.PROFILE, survey=Survey.CSAT, day=0):
    key = Key(agent, kind, sent_as, "1")
    return Response(survey, key, day * DAY, None if score is None else Answer(key, score, day * DAY))


def group_of(findings, name):
    [group] = [group for group in findings.groups if group.name == name]
    return group


def comparison_of(findings, dimension):
    [comparison] = [each for each in findings.comparisons if each.dimension is dimension]
    return comparison


def test_the_latest_state_counts():
    """In whatever order the events come; within X's whole second an answer wins."""
    later = replace(CARD, updated_ms=2_000, score=4)
    same = replace(CARD, score=3)

    assert [4] == [response.answer.score for response in collect([later, CARD, same], Period(0, 5_000), {}).responses]
    assert [3] == [response.answer.score for response in collect([same, CARD], Period(0, 5_000), {}).responses]


def test_an_answer_is_of_the_day_on_which_it_was_given():
    """As X dates the score; else when the card had one first, because words may follow."""
    dated = replace(CARD, updated_ms=3_000, score=4, answered_ms=2_000)
    worded = [replace(CARD, updated_ms=at, score=4) for at in (4_000, 3_000)]

    assert 2_000 == collect([CARD, dated], Period(0, 5_000), {}).responses[0].answer.at_ms
    assert 3_000 == collect([CARD, *worded], Period(0, 5_000), {}).responses[0].answer.at_ms


def test_what_is_of_the_period():
    """Cards by their issue, answers by theirs; the month before is only there for the blocks."""
    cards = [
        replace(CARD, id=f"{asked}", created_ms=asked * DAY, score=5, answered_ms=answered * DAY, updated_ms=99 * DAY)
        for asked, answered in ((1, 2), (3, 11), (12, 15), (13, 40), (-9, -8))
    ]
    period = Period(10 * DAY, 20 * DAY - 1)
    card_set = collect(cards, period, {})
    group = evaluate(card_set.responses, Survey.CSAT, period).groups[0]

    assert [2, 11, 15] == [each.answer.at_ms // DAY for each in card_set.responses if each.answer]
    assert (2, 2, 0) == (group.asked, group.answered, group.counted)


def test_what_is_left_out():
    """Cards of other programs and those to test recipients, counted."""
    cards = [CARD, replace(CARD, id="6", external_id="case 17"), replace(CARD, id="7", is_test=True)]
    card_set = collect(cards, Period(0, 5_000), {})

    assert (1, 1, 1) == (len(card_set.responses), card_set.tests, card_set.strangers)


def test_our_ledger_knows_cards_without_a_key():
    """Should X return one without its external_id; X's word goes first."""
    nameless = replace(CARD, external_id="")
    bob = "profilectl:bob:bot:brand:2"

    assert collect([nameless], Period(0, 5_000), {"5": bob}).responses[0].key.agent == "bob"
    assert collect([CARD], Period(0, 5_000), {"5": bob}).responses[0].key.agent == "alice"
    assert collect([nameless], Period(0, 5_000), {}).strangers == 1


def test_every_report_knows_the_same_answers():
    """However far back it reads the ledger: a card that waited long for its answer is known to none by the ledger."""
    period = Period(40 * DAY, 50 * DAY)
    nameless = replace(CARD, external_id="", created_ms=9 * DAY, score=5)
    late, early = (replace(nameless, updated_ms=day * DAY) for day in (41, 39))

    assert 0 == period.remembered_since_ms() == Period(31 * DAY, 50 * DAY).remembered_since_ms()
    assert () == collect([late], period, {"5": ALICE}).responses
    assert 1 == len(collect([early], period, {"5": ALICE}).responses)


@pytest.mark.parametrize(
    ("expected", "first_ms", "last_ms"),
    [
        (Period(59 * DAY, 99 * DAY), None, None),
        (Period(10 * DAY, 99 * DAY), 10 * DAY, None),
        (Period(10 * DAY, 21 * DAY - 1), 10 * DAY, 20 * DAY),
        (Period(0, 6 * DAY - 1), None, 5 * DAY),
        (Period(90 * DAY, 99 * DAY), 90 * DAY, 100 * DAY),
    ],
)
def test_the_period_of_a_report(expected, first_ms, last_ms):
    """From the first of the month before to the end of the last day, and never beyond what X reports, a day ago."""
    assert expected == report_period(first_ms, last_ms, 100 * DAY)


@pytest.mark.parametrize(("first_ms", "last_ms"), [(99 * DAY + 1, None), (20 * DAY, 10 * DAY), (None, -2 * DAY)])
def test_a_period_without_a_moment(first_ms, last_ms):
    """Usage, with the last moment that X reports."""
    with pytest.raises(UsageError) as caught:
        report_period(first_ms, last_ms, 100 * DAY)

    assert "so up to 1970-04-10T00:00:00Z today" in caught.value.hint


def test_a_brand_is_reported_survey_by_survey():
    """Those that were asked, in the order of the enumeration, with what was left out."""
    responses = (response(9, survey=Survey.NPS), response(5))
    report = brand_report("acme", CardSet(MONTH, responses, 2, 1))

    assert (evaluate(responses, Survey.CSAT, MONTH), evaluate(responses, Survey.NPS, MONTH)) == report.surveys
    assert ("acme", 2, 1) == (report.brand, report.tests, report.strangers)
    assert () == brand_report("acme", CardSet(MONTH, (), 0, 0)).surveys


def test_a_csat_group():
    """Asked, answered, the share of 4 and 5, and the mean."""
    group = group_of(evaluate([response(score) for score in (5, 4, 4, 3, 1, None)], Survey.CSAT, MONTH), "alice")

    assert (group.asked, group.answered, group.counted, group.score) == (6, 5, 5, share(Tally(3, 5)))
    assert group.mean.value == pytest.approx(3.4)


def test_an_nps_group():
    """9 and 10 less 0 to 6; a mean isn't told."""
    answers = [response(score, survey=Survey.NPS) for score in (10, 9, 8, 7, 6, 0)]
    group = group_of(evaluate(answers, Survey.NPS, MONTH), "alice")

    assert (net_promoter(Balance(2, 2, 6)), None) == (group.score, group.mean)


def test_the_other_survey_stays_out():
    """A 5 of 10 isn't a 5 of 5."""
    answers = [response(5)] * 5 + [response(5, survey=Survey.NPS)] * 5

    assert {5} == {group.answered for group in evaluate(answers, Survey.CSAT, MONTH).groups}


def test_few_answers_are_only_counted():
    """Four say nothing of all customers, and too much of one."""
    group = group_of(evaluate([response(5)] * 4 + [response(None)] * 90, Survey.CSAT, MONTH), "alice")

    assert (94, 4, None, None) == (group.asked, group.answered, group.score, group.mean)


def test_two_groups_are_compared_once():
    """People with bots, in that order, at 95 %."""
    answers = [response(5)] * 30 + [response(2, "bot", Kind.BOT)] * 30
    findings = evaluate(answers, Survey.CSAT, MONTH)
    comparison = comparison_of(findings, Dimension.KIND)
    [difference] = comparison.differences

    assert (Verdict.DIFFERENT, "human", "bot") == (comparison.verdict, difference.group, difference.other)
    assert difference.estimate == difference_of_shares(Tally(30, 30), Tally(0, 30))
    assert comparison_of(findings, Dimension.SENT_AS).verdict is Verdict.ALONE
    assert ["alice"] == [each.group for each in comparison_of(findings, Dimension.AGENT).differences]


def test_chance_is_no_difference():
    """Four of six against five of six can't be told apart."""
    answers = [response(score) for score in (5, 5, 5, 5, 1, 1)]
    answers += [response(score, sent_as=SentAs.BRAND) for score in (5, 5, 5, 5, 5, 1)]
    comparison = comparison_of(evaluate(answers, Survey.CSAT, MONTH), Dimension.SENT_AS)

    assert (Verdict.SAME, False) == (comparison.verdict, comparison.differences[0].can_be_told)


def test_several_agents_are_each_compared_with_the_others():
    """Each with its part of the doubt; the one who stands out is told."""
    answers = [response(5, "alice")] * 40
    answers += [response(score, agent) for agent in ("bob", "carl") for score in [5, 2] * 20]
    comparison = comparison_of(evaluate(answers, Survey.CSAT, MONTH), Dimension.AGENT)
    alice = comparison.differences[0]

    assert [(each.group, each.other) for each in comparison.differences] == [
        *(("alice", OTHERS), ("bob", OTHERS), ("carl", OTHERS))
    ]
    assert alice.can_be_told
    assert alice.estimate == difference_of_shares(Tally(40, 40), Tally(40, 80), 1 - 0.05 / 3)


def test_groups_with_few_answers_take_no_part():
    """What the others' figures left over would be theirs."""
    answers = [response(5, "alice")] * 9 + [response(4, "bob")] * 9 + [response(1, "carl")] * 4
    comparison = comparison_of(evaluate(answers, Survey.CSAT, MONTH), Dimension.AGENT)

    assert [("alice", "bob")] == [(each.group, each.other) for each in comparison.differences]


def test_two_reports_a_day_apart():
    """What alice's figures differ by is five answers or nothing, and so is what all people's do."""
    answers = [response(5) for _ in range(9)] + [response(1, day=1), *(response(2, day=2) for _ in range(4))]
    reports = [evaluate(answers, Survey.CSAT, Period(0, (day + 1) * DAY - 1)) for day in range(3)]
    alice, people = ([group_of(report, name) for report in reports] for name in ("alice", "human"))

    assert [(9, 9), (10, 9), (14, 14)] == [(group.answered, group.counted) for group in alice]
    assert alice[0].score == alice[1].score == people[1].score != alice[2].score


def test_what_agents_leave_of_their_total():
    """Nothing: carl's one answer isn't in what all people or all faces have, either."""
    answers = [response(5, "alice")] * 9 + [response(4, "bob")] * 9 + [response(1, "carl")]
    report = evaluate(answers, Survey.CSAT, MONTH)

    carl = group_of(report, "carl")

    assert (1, 0, None, None) == (carl.answered, carl.counted, carl.score, carl.mean)
    assert [18, 18] == [group_of(report, name).counted for name in ("human", "profile")]
    assert 4.5 == group_of(report, "human").mean.value == group_of(report, "profile").mean.value


def test_too_few_to_compare():
    """Two groups, of which one is too small."""
    answers = [response(5)] * 9 + [response(5, kind=Kind.BOT)] * 4

    assert comparison_of(evaluate(answers, Survey.CSAT, MONTH), Dimension.KIND).verdict is Verdict.TOO_FEW


def test_nothing_at_all():
    """No cards, no groups, nothing to compare."""
    findings = evaluate([], Survey.NPS, MONTH)

    assert ((), {Verdict.ALONE}) == (findings.groups, {comparison.verdict for comparison in findings.comparisons})


responses = st.lists(
    st.builds(
        response,
        st.none() | st.integers(1, 5),
        st.sampled_from(["alice", "bob", "carl"]),
        st.sampled_from(Kind),
        st.sampled_from(SentAs),
        st.sampled_from(Survey),
        st.integers(0, 3),
    ),
    max_size=60,
)


@given(responses, st.sampled_from(Survey))
def test_counts_add_up_and_small_groups_stay_silent(answers, survey):
    """In each dimension every card is in one group, and a figure needs its answers."""
    findings = evaluate(answers, survey, MONTH)
    own = [answer for answer in answers if answer.survey is survey]

    for dimension in Dimension:
        groups = [group for group in findings.groups if group.dimension is dimension]
        assert len(own) == sum(group.asked for group in groups)
        assert sum(answer.answer is not None for answer in own) == sum(group.answered for group in groups)
        assert all(group.counted == 0 or LEAST <= group.counted <= group.answered for group in groups)
        assert all((group.counted > 0) == (group.score is not None) for group in groups)
        large = {group.name for group in groups if group.counted}
        compared = comparison_of(findings, dimension).differences
        assert {name for each in compared for name in (each.group, each.other)} <= large | {OTHERS}


@given(responses, st.randoms())
def test_the_order_of_answers_says_nothing(answers, random):
    """Who answered first isn't told."""
    shuffled = list(answers)
    random.shuffle(shuffled)

    assert evaluate(answers, Survey.CSAT, MONTH) == evaluate(shuffled, Survey.CSAT, MONTH)
