"""The known word that somebody may have meant."""

from __future__ import annotations

import pytest

from profilectl.audit.queries import EVENTS
from profilectl.text.suggest import did_you_mean

KNOWN = ("name", "avatar", "operators")


@pytest.mark.parametrize(
    ("word", "expected"),
    [("nmae", ', did you mean "name"?'), ("Operator", ', did you mean "operators"?'), ("zzz", ""), ("", "")],
)
def test_a_near_word_is_suggested(word, expected):
    """Whatever its case; where nothing is near, nothing is said."""
    assert expected == did_you_mean(word, KNOWN)


@pytest.mark.parametrize(("word", "expected"), [("sended", "sent"), ("denyed", "denied"), ("intendet", "intended")])
def test_a_word_with_the_same_beginning_is_nearer(word, expected):
    """A wrong ending is a likelier slip than a whole other beginning."""
    assert f', did you mean "{expected}"?' == did_you_mean(word, EVENTS)


def test_a_suggestion_is_visible():
    """Known words may be foreign, too."""
    assert ', did you mean "al<U+202E>ice"?' == did_you_mean("alice", ["al\u202eice"])


def test_a_word_is_named_as_it_is_spelled():
    """Whatever its case: what is proposed can be typed."""
    assert ', did you mean "Vorname"?' == did_you_mean("Vornme", ["Nachname", "Vorname"])
