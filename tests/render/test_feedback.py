"""What is shown of customers' answers: rows for people and for pipes, JSON, and honest sentences."""

from __future__ import annotations

import json

import pytest
from inline_snapshot import snapshot

from profilectl.feedback.blocks import Answer, Dimension
from profilectl.feedback.cards import Key, SentAs
from profilectl.feedback.report import (
    BrandReport,
    Comparison,
    Difference,
    Period,
    Response,
    Verdict,
    evaluate,
)
from profilectl.feedback.statistics import Estimate, Interval
from profilectl.model import Kind, Survey
from profilectl.render import feedback


def response(score, agent="alice", kind=Kind.HUMAN, sent_as=SentAs.PROFILE, survey=Survey.CSAT):
    key = Key(agent, kind, sent_as, "1190")
    return Response(survey, key, 0, None if score is None else Answer(key, score, 0))


def reports(answers, survey=Survey.CSAT, tests=0, strangers=0):
    return [BrandReport("acme", (evaluate(answers, survey, Period(0, 86_399_999)),), tests, strangers)]


ANSWERS = [response(score) for score in (5, 5, 4, 3, None)] + [response(4)]
ANSWERS += [response(1, "ava", Kind.BOT, SentAs.BRAND)] * 2


def test_a_table_for_people():
    """Percent and means with their intervals; a small group is counted."""
    assert list(feedback.table(reports(ANSWERS))) == snapshot(
        [
            ("acme csat", "agent", "alice", "6", "5", "5", "80 % (38 to 96)", "4.2 (3.2 to 5.0)"),
            ("acme csat", "agent", "ava", "2", "2", "0", "too few to tell", ""),
            ("acme csat", "kind", "bot", "2", "2", "0", "too few to tell", ""),
            ("acme csat", "kind", "human", "6", "5", "5", "80 % (38 to 96)", "4.2 (3.2 to 5.0)"),
            ("acme csat", "face", "brand", "2", "2", "0", "too few to tell", ""),
            ("acme csat", "face", "profile", "6", "5", "5", "80 % (38 to 96)", "4.2 (3.2 to 5.0)"),
        ]
    )


def test_rows_for_a_pipe():
    """The same with every figure in a column of its own."""
    assert list(feedback.rows(reports(ANSWERS)))[:2] == snapshot(
        [
            (
                "acme",
                "csat",
                "agent",
                "alice",
                "6",
                "5",
                "80.00",
                "37.55",
                "96.38",
                "4.20",
                "3.16",
                "5.00",
                "5",
            ),
            ("acme", "csat", "agent", "ava", "2", "2", "", "", "", "", "", "", "0"),
        ]
    )


def test_nps_has_a_sign():
    """From -100 to +100."""
    answers = [response(score, survey=Survey.NPS) for score in (10, 9, 9, 7, 3)]

    assert next(feedback.table(reports(answers, Survey.NPS))) == snapshot(
        ("acme nps", "agent", "alice", "5", "5", "5", "+40 (-30 to +80)", "")
    )


def test_answers_that_are_all_alike():
    """A mean without spread has no interval, here and in the other forms."""
    same = reports([response(5)] * 5)

    assert next(feedback.table(same))[-1] == "5.0 (all alike)"
    assert next(feedback.rows(same))[-4:] == ("5.00", "", "", "5")
    assert feedback.document(same, Period(0, 0))["brands"][0]["surveys"][0]["groups"][0]["mean"] == {
        "value": 5.0,
        "low": None,
        "high": None,
    }


def compared(verdict, *differences, dimension=Dimension.KIND):
    return Comparison(dimension, verdict, differences)


HIGHER = Difference("human", "bot", Estimate(0.23, Interval(0.05, 0.404)))
MAYBE = Difference("human", "bot", Estimate(0.07, Interval(-0.12, 0.26)))
LOWER = Difference("bot", "human", Estimate(-0.3, Interval(-0.5, -0.09)))


@pytest.mark.parametrize(
    ("expected", "comparison", "survey"),
    [
        ("people and bots can't be compared, there is only one group", compared(Verdict.ALONE), Survey.CSAT),
        (
            "too few answers to compare people and bots; two groups need 5 each",
            compared(Verdict.TOO_FEW),
            Survey.CSAT,
        ),
        (
            "no difference can be told between people and bots (+7 points of those satisfied, -12 to +26)",
            compared(Verdict.SAME, MAYBE),
            Survey.CSAT,
        ),
        (
            "no difference can be told between agents",
            compared(Verdict.SAME, MAYBE, MAYBE, MAYBE, dimension=Dimension.AGENT),
            Survey.NPS,
        ),
        (
            "people higher than bots (+23 points of those satisfied, +5 to +40)",
            compared(Verdict.DIFFERENT, HIGHER),
            Survey.CSAT,
        ),
        (
            "human higher than bot (+23 points of NPS, +5 to +40)",
            compared(Verdict.DIFFERENT, HIGHER, MAYBE, dimension=Dimension.AGENT),
            Survey.NPS,
        ),
        (
            "bots lower than people (-30 points of NPS, -50 to -9)",
            compared(Verdict.DIFFERENT, LOWER),
            Survey.NPS,
        ),
    ],
)
def test_one_honest_sentence(expected, comparison, survey):
    """What can't be told isn't; agents keep their names, whatever these are."""
    assert expected == feedback.sentence(comparison, survey)


def test_all_sentences():
    """One per comparison, and what was left out."""
    assert list(feedback.sentences(reports(ANSWERS, tests=2, strangers=1))) == snapshot(
        [
            "acme, csat: too few answers to compare agents; two groups need 5 each",
            "acme, csat: too few answers to compare people and bots; two groups need 5 each",
            "acme, csat: too few answers to compare messages with and without a custom profile; two groups need 5 each",
            "acme: cards left out: 2 to test recipients, 1 of other programs",
        ]
    )


def test_the_document():
    """profilectl.feedback/1: figures from 0 to 1, NPS from -1 to 1, null where too few have answered."""
    document = feedback.document(reports(ANSWERS, strangers=1), Period(1_790_000_000_000, 1_790_086_400_000))
    [brand] = document.pop("brands")
    [survey] = brand.pop("surveys")

    assert document == snapshot(
        {
            "schema": "profilectl.feedback/1",
            "since": "2026-09-21T14:13:20Z",
            "until": "2026-09-22T14:13:20Z",
            "confidence": 0.95,
            "least_answers": 5,
        }
    )
    assert brand == {"brand": "acme", "left_out": {"tests": 0, "strangers": 1}}
    assert survey["groups"][:2] == snapshot(
        [
            {
                "by": "agent",
                "group": "alice",
                "asked": 6,
                "answered": 5,
                "counted": 5,
                "satisfied": {"value": 0.8, "low": 0.3755, "high": 0.9638},
                "nps": None,
                "mean": {"value": 4.2, "low": 3.1615, "high": 5},
            },
            {
                "by": "agent",
                "group": "ava",
                "asked": 2,
                "answered": 2,
                "counted": 0,
                "satisfied": None,
                "nps": None,
                "mean": None,
            },
        ]
    )
    assert survey["comparisons"][1] == snapshot(
        {
            "by": "kind",
            "verdict": "too-few",
            "differences": [],
            "sentence": "too few answers to compare people and bots; two groups need 5 each",
        }
    )


def test_a_difference_in_the_document():
    """Who against whom, by how much, and whether it can be told."""
    answers = [response(5)] * 30 + [response(2, "ava", Kind.BOT)] * 30
    survey = feedback.document(reports(answers), Period(0, 0))["brands"][0]["surveys"][0]

    assert survey["comparisons"][1]["differences"] == snapshot(
        [{"group": "human", "against": "bot", "can_be_told": True, "value": 1.0, "low": 0.8395, "high": 1.0}]
    )


def test_nothing_of_a_single_message_is_reports():
    """Not even the id of the event that a card hangs on."""
    shown = reports(ANSWERS)
    document = json.dumps(feedback.document(shown, Period(0, 0)))

    assert "1190" not in document + str(list(feedback.table(shown))) + str(list(feedback.rows(shown)))
