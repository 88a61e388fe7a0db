"""Which answers count together; and what somebody who keeps every report can work out from all of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from profilectl.feedback.blocks import DAY_MS, LEAST, Answer, Block, Dimension, divide, month_begin_ms
from profilectl.feedback.cards import Key, SentAs
from profilectl.feedback.report import Period, Response, evaluate
from profilectl.model import Kind, Survey

JANUARY, FEBRUARY = 31, 28  # days, of 1970
ALICE = {Dimension.AGENT: "alice", Dimension.KIND: "human", Dimension.SENT_AS: "profile"}


def answers(*scores, day=0, agent="alice", kind=Kind.HUMAN, sent_as=SentAs.PROFILE):
    return [Answer(Key(agent, kind, sent_as, "1"), score, day * DAY_MS + at) for at, score in enumerate(scores)]


def end_of(day):
    return (day + 1) * DAY_MS - 1


def test_a_block_ends_with_the_day_on_which_it_is_large_enough():
    """All answers of that day are in it, and the next day begins another one."""
    own = answers(5, 4, day=1) + answers(3, 3, 1, 2, day=4)

    assert (Block(ALICE, 1, 4, tuple(own)),) == divide(own + answers(5, 5, 5, 5, day=5), end_of(5))


def test_a_day_that_isnt_over_counts_later():
    """Else the same day would be told twice, with an answer more."""
    given_answers = answers(*[5] * LEAST, day=3)

    assert () == divide(given_answers, end_of(3) - 1)
    assert 1 == len(divide(given_answers, end_of(3)))


def test_agent_kind_and_face_are_kept_apart():
    """Three dimensions of the same answers are one table, whose sums are all shown."""
    given_answers = answers(*[5] * 4) + answers(*[4] * 4, sent_as=SentAs.BRAND) + answers(*[3] * 4, agent="bob")

    assert () == divide(given_answers, end_of(9))


@pytest.mark.parametrize(
    ("groups", "others"),
    [
        ({Dimension.AGENT: "alice", Dimension.KIND: "human"}, {"sent_as": SentAs.BRAND}),
        ({Dimension.KIND: "human", Dimension.SENT_AS: "profile"}, {"agent": "bob"}),
        ({Dimension.KIND: "human"}, {"agent": "bob", "sent_as": SentAs.BRAND}),
        (None, {"agent": "ava", "kind": Kind.BOT}),
    ],
)
def test_what_is_left_of_a_month_counts_together(groups, others):
    """For what it has in common, once the month is over; a person's answer never for bots."""
    given_answers = answers(5, 4, 3) + answers(2, 1, day=20, **others)
    expected = () if groups is None else (Block(groups, 0, JANUARY - 1, tuple(given_answers)),)

    assert () == divide(given_answers, end_of(JANUARY - 2))
    assert expected == divide(given_answers, end_of(JANUARY - 1))


def test_few_of_an_agent_who_has_blocks():
    """They are left over as anybody's."""
    given_answers = answers(*[5] * 5, day=1) + answers(1, 2, day=2) + answers(3, 4, 5, agent="bob", day=3)

    assert [{"alice", "human", "profile"}, {"human", "profile"}] == [
        set(block.groups.values()) for block in divide(given_answers, end_of(JANUARY))
    ]


def test_months_are_kept_apart():
    """What a report needs to read begins with its first month."""
    given_answers = answers(1, 2, 3, day=JANUARY - 1) + answers(3, 4, 5, day=JANUARY)

    assert () == divide(given_answers, end_of(JANUARY + FEBRUARY))


def test_few_that_are_all_alike_are_left_out():
    """Whoever knew that people are all satisfied would know it of carl; a larger block doesn't take them in either."""
    alike = answers(5, 5, 5) + answers(5, 5, agent="carl")
    more = answers(1, 2, agent="bob", sent_as=SentAs.BRAND)

    assert () == divide(alike, end_of(JANUARY)) == divide(alike + more, end_of(JANUARY))
    assert 1 == len(divide(alike + answers(4, agent="bob"), end_of(JANUARY)))


@pytest.mark.parametrize(
    ("day", "first"),
    [(0, 0), (30, 0), (31, 31), (58, 31), (59, 59), (790, 790), (789, 761), (364, 334), (365, 365), (20_787, 20_758)],
)
def test_months_of_the_calendar(day, first):
    """February of 1972 had 29 days; 30 November 2026."""
    assert first * DAY_MS == month_begin_ms(day * DAY_MS) == month_begin_ms(end_of(day))


# What somebody can work out who keeps every report of every span of days, and knows of all answers whose they are and
# when they were given, but not the scores.

DAYS = (0, 1, 30, 31)
SPANS = [
    Period(first * DAY_MS, end_of(last))
    for first, last in ((0, 58), (0, 30), (31, 58), (1, 30), (0, 1), (0, 0), (31, 31), (1, 1))
]

histories = st.lists(
    st.builds(
        lambda agent, sent_as, day, score: answers(
            score, day=day, agent=agent, kind=Kind.BOT if agent == "ava" else Kind.HUMAN, sent_as=sent_as
        )[0],
        st.sampled_from(["alice", "alice", "alice", "alice", "bob", "carl", "ava"]),
        st.sampled_from([SentAs.PROFILE] * 4 + [SentAs.BRAND]),
        st.sampled_from(DAYS),
        st.sampled_from([1, 4, 5, 5, 5, 5]),
    ),
    min_size=LEAST,
    max_size=16,
)


def shown(history, span, survey):
    """Return the report on a span, as the command would make it of what X tells of the months of that span."""
    read = [answer for answer in history if span.with_its_months().covers(answer.at_ms)]
    return evaluate([Response(survey, answer.key, answer.at_ms, answer) for answer in read], survey, span)


def hidden_groups(history, reports):
    """Return the numbers of the answers of each small group that has no figure in a report, and of each one alone."""
    groups = {frozenset({number}) for number in range(len(history))}
    for span, report in reports.items():
        for group in report.groups:
            if group.score is None and 0 < group.answered < LEAST:
                groups.add(
                    frozenset(
                        number
                        for number, answer in enumerate(history)
                        if span.covers(answer.at_ms) and group.dimension.of(answer.key) == group.name
                    )
                )
    return groups


def other_worlds(history, hidden):
    """Yield histories in which the hidden answers have another sum; the reports may be the same."""
    blocks = [
        {number for number, answer in enumerate(history) if any(answer is member for member in block.answers)}
        for block in divide(history, end_of(99))
    ]
    for number in hidden:
        own = next((block for block in blocks if number in block), None)
        if own is None:  # in no block: all that are left out of the same month with the same score may have another one
            month = month_begin_ms(history[number].at_ms)
            for score in {1, 4, 5} - {history[number].score}:
                yield [
                    replace(answer, score=score)
                    if (answer.score, month_begin_ms(answer.at_ms)) == (history[number].score, month)
                    and not any(at in block for block in blocks)
                    else answer
                    for at, answer in enumerate(history)
                ]
        for partner in (own or set()) - hidden:  # an answer of the same block may have been the other's
            if history[partner].score != history[number].score:
                world = list(history)
                for at, score in ((number, history[partner].score), (partner, history[number].score)):
                    world[at] = replace(history[at], score=score)
                yield world


def is_told_as_a_whole(history, hidden):
    """Return whether all of these lie in blocks of one agent, kind and face of which all are alike, which is shown."""
    told = [
        member
        for block in divide(history, end_of(99))
        if len(block.groups) == 3 and len({answer.score for answer in block.answers}) == 1
        for member in block.answers
    ]
    return all(any(history[number] is member for member in told) for number in hidden)


@settings(max_examples=40)
@given(histories, st.sampled_from(Survey))
def test_nothing_hidden_can_be_worked_out(history, survey):
    """Not by subtracting figures or reports, nor by any other thought: other answers give the very same reports."""
    reports = {span: shown(history, span, survey) for span in SPANS}
    for hidden in hidden_groups(history, reports):
        assert is_told_as_a_whole(history, hidden) or any(
            all(reports[span] == shown(world, span, survey) for span in SPANS)
            for world in other_worlds(history, hidden)
        ), hidden


@given(histories)
def test_a_block_never_changes(history):
    """What is told of it on one day is told on every later day, of at least so many, and nobody is in two."""
    blocks = divide(history, end_of(99))
    members = [id(answer) for block in blocks for answer in block.answers]

    assert len(members) == len(set(members))
    assert all(len(block.answers) >= LEAST for block in blocks)
    for day in range(60):
        earlier = divide(history, end_of(day))
        assert earlier == tuple(block for block in blocks if block.last_day <= day)
