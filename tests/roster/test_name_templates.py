"""Name patterns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profilectl.roster.name_templates import fill, is_pattern, needs, pattern_problems, without_initial

ALICE = {"first": "Alice", "last": "Éclair", "title": "Care"}


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("{first} {last_initial}., {title}", "Alice É., Care"),
        ("{first_initial}.{last_initial}.", "A.É."),
        ("{{{first}}}", "{Alice}"),
        ("{{bot}}", "{bot}"),
        ("{title} {title}", "Care Care"),
    ],
)
def test_a_pattern_is_filled_in(pattern, name):
    """Fields are replaced, doubled braces become single ones, nothing else changes."""
    assert pattern_problems(pattern) == []
    assert fill(pattern, ALICE) == name


def test_an_initial_keeps_its_marks():
    """The first letter comes in NFC and with the marks that belong to it."""
    assert fill("{last_initial}.", {"last": " E\u0301clair"}) == "É."
    assert fill("{first_initial}", {"first": "शिव"}) == "शि"


def test_a_pattern_names_the_fields_it_needs():
    """Initials need the whole field."""
    assert needs("{last_initial} {title} {{first}}") == {"last", "title"}


def test_a_name_without_an_opening_brace_is_no_pattern():
    """Only an opening brace makes a pattern."""
    assert not is_pattern("Alice :-}")
    assert is_pattern("{first}")


@given(st.text(st.sampled_from("{}ab"), max_size=12) | st.text())
def test_patterns_without_problems_can_be_filled(pattern):
    """Whatever passes the check can be filled when its needs are met."""
    if not pattern_problems(pattern):
        assert needs(pattern) <= ALICE.keys()
        fill(pattern, ALICE)


@pytest.mark.parametrize(
    ("last", "name"),
    [("'t Hooft", "Gerard H."), ("ʻIolani", "Gerard I."), ("เจริญสุข", "Gerard จ."), ("(born) Smith", "Gerard S.")],
)
def test_an_initial_is_a_letter(last, name):
    """Apostrophes, brackets and vowels that are written first are none."""
    assert name == fill("{first} {last_initial}.", {"first": "Gerard", "last": last})


def test_a_value_without_a_letter_has_no_initial():
    """Only what the pattern takes an initial from counts."""
    values = {"first": "7", "last": "8"}

    assert without_initial("{first} {last_initial}", values) == {"last"}
