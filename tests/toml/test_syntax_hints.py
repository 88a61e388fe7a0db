"""What is told about a line that isn't TOML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profilectl.errors import RosterRefused
from profilectl.text.escape import visible
from profilectl.toml.document import load
from profilectl.toml.problems import format_problem

LINES = {
    "BOM in the middle": (
        "a = 1\n\ufeff[b]",
        "r:2:1: U+FEFF ZERO WIDTH NO-BREAK SPACE shows nothing and isn't TOML: remove it",
    ),
    "two BOMs": ("\ufeffa = 1", "r:1:1: U+FEFF ZERO WIDTH NO-BREAK SPACE shows nothing and isn't TOML: remove it"),
    "zero width space": ("\u200ba = 1", "r:1:1: U+200B ZERO WIDTH SPACE shows nothing and isn't TOML: remove it"),
    "no-break indent": ("\u00a0 a = 1", "r:1:1: U+00A0 NO-BREAK SPACE is no space in TOML: write an ordinary one"),
    "no-break space": ("name\u00a0= 'é'", "r:1:5: U+00A0 NO-BREAK SPACE is no space in TOML: write an ordinary one"),
    "full-width key": ("ｎame = 1", 'r:1:1: U+FF4E FULLWIDTH LATIN SMALL LETTER N isn\'t TOML: write "n"'),
    "curly quotes": (
        "name = “Alice F.”",
        "r:1:8: U+201C LEFT DOUBLE QUOTATION MARK is no quote in TOML: write \" or ' instead",
    ),
    "letter in a key": (
        "é = 1",
        "r:1:1: U+00E9 LATIN SMALL LETTER E WITH ACUTE stands outside of quotes: put the text or key in quotes",
    ),
    "no quotes": ("handle = acmecare # é", 'r:1:10: put the text in quotes: handle = "acmecare"'),
    "no quotes around words": ("name = Alice F.", 'r:1:8: put the text in quotes: name = "Alice F."'),
    "no quotes around a private name": ("legal_name = Alice", 'r:1:14: put the text in quotes: legal_name = "…"'),
    "no quotes around a secret": ("token = abc", 'r:1:9: put the text in quotes: token = "…"'),
    "quote isn't closed": ('name = "Alice\nkind = 1', "r:1:8: the quote that opens here isn't closed on this line"),
    "second quote isn't closed": (
        "a = ['é', 'b]\n",
        "r:1:11: the quote that opens here isn't closed on this line",
    ),
    "control character": ('a = "\x1b"', "r:1:6: U+001B ESCAPE can't stand in a TOML file as it is: remove it"),
    "no value": ("a = ", "r:1:5: a value is missing here"),
    "no value but a comment": ("a = # b", "r:1:5: a value is missing here"),
    "date": (
        "until = 31.1.2027",
        "r:1:9: no date: write year, month and day with two digits, such as 2027-01-31",
    ),
    "Python's truth": ("protected = True", "r:1:13: write true, in small letters and without quotes"),
    "YAML": ("name: 'x'", 'r:1:5: write "=" between a key and its value'),
    "nothing better": ("[a", "r:1:3: not valid TOML: expected ']' at the end of a table declaration"),
}


def refusal_of(text):
    with pytest.raises(RosterRefused) as refused:
        load(text, "r")
    return refused.value.problems


@pytest.mark.parametrize(("text", "expected"), LINES.values(), ids=LINES)
def test_the_character_is_named_with_what_to_do(text, expected):
    """At its own place, and visible; private values aren't repeated."""
    [problem] = refusal_of(text)

    assert format_problem(problem) == expected


@given(st.text("ab=\"'#é“\u00a0\ufeff\\[]{}., \n:1-", max_size=40))
def test_whatever_is_refused_is_told_visibly(text):
    """A refusal has one problem, whose place is in the file."""
    try:
        load(text, "r")
    except RosterRefused as refused:
        [problem] = refused.problems
        assert visible(problem.message) == problem.message
        assert problem.line <= text.count("\n") + 1
