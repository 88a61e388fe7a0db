"""What a person saw, in words: the answers that are understood, and the line that the report shows."""

from __future__ import annotations

import pytest

from profilectl.doctor.face_check import APPS, SEEN, answer_of, describe, question

NOON_MS = 1_795_953_600_000  # 2026-11-29 12:00 UTC


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("both", "both"),
        (" Name ", "name"),
        ("p", "picture"),
        ("noth", "nothing"),
        ("n", None),  # name or nothing
        ("", None),
        ("yes", None),
    ],
)
def test_answers(typed, answer):
    """The beginning of a word will do where it fits one only; anything else is asked again."""
    assert answer == answer_of(typed)


def test_every_question_names_its_app_and_the_answers():
    """Nobody has to know the words beforehand."""
    for app, name in APPS.items():
        assert question(app).startswith(f"{name}: ")
        assert all(word in question(app) for word in SEEN)


def test_the_line():
    """In the order of the questions, without the apps that weren't looked at; a word of a later version is no lie."""
    answers = {"web": "nothing", "ios": "both", "xchat": "sparkles"}

    assert "last seen by a person on 2026-11-29: iOS yes, web no, XChat unknown" == describe(NOON_MS, answers)
