"""Visible text."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given

from profilectl.text.escape import describe, excerpt, visible
from profilectl.text.later_unicode import NEWEST
from tests.text.samples import ANYTHING, ENGLAND, TROUBLE

HIDDEN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def test_an_unassigned_character_is_told_with_the_version_of_unicode():
    """The message says which version that is, the same on every Python."""
    assert describe("\u0378") == f"U+0378 UNASSIGNED IN UNICODE {NEWEST}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2J", "a\\x1b[2J"),
        ("a\nb\tc\r", "a\\nb\\tc\\x0d"),
        ("\x7f\x9b\xad", "\\x7f\\x9b\\xad"),
        ("\u202eevil", "<U+202E>evil"),
        ("\u2066\u2069\u200e\u061c", "<U+2066><U+2069><U+200E><U+061C>"),
        ("\ufeffa\u2060", "<U+FEFF>a<U+2060>"),
        ("\u0628\u061c\u200c\u0628", "\u0628<U+061C><U+200C>\u0628"),
        ("\u1160\u200d\u094d", "<U+1160><U+200D>\u094d"),
        ("\u2800\ufe0f\u2800\u200d\u2615", "<U+2800><U+FE0F><U+2800><U+200D>\u2615"),
        ("\u1820\u180b\u180b\u180e\u180c", "\u1820\u180b<U+180B><U+180E><U+180C>"),
        ("\U0010ffff", "<U+10FFFF>"),
        (ENGLAND[:-1], "\U0001f3f4<U+E0067><U+E0062><U+E0065><U+E006E><U+E0067>"),
        ("back\\slash", "back\\slash"),
        ("a b\u3000c", "a b\u3000c"),
    ],
)
def test_visible_spells_out_what_cannot_be_seen(text, shown):
    """Controls are spelled as in source code, everything else as a code point; the rest stays."""
    assert visible(text) == shown


@given(ANYTHING | TROUBLE)
def test_visible_text_holds_nothing_hidden(text):
    """No control, bidi, private or unpaired code point survives; joiners only where they do work."""
    left = {char for char in visible(text) if unicodedata.category(char) in HIDDEN_CATEGORIES}
    assert left <= {"\u200c", "\u200d"} | {chr(code) for code in range(0xE0030, 0xE0080)}


@given(ANYTHING | TROUBLE)
def test_visible_is_stable(text):
    """Text that is visible already isn't changed again."""
    assert visible(visible(text)) == visible(text)


@given(TROUBLE)
def test_joiners_that_stay_stand_between_characters(text):
    """A joiner is never the first character, and never next to another one."""
    shown = visible(text)
    assert not shown.startswith(("\u200c", "\u200d", "\ufe0f"))
    assert "\u200d\u200d" not in shown


def test_excerpt_cuts_long_text():
    """What a message quotes has an end."""
    assert excerpt("x" * 61) == "x" * 60 + "…"
    assert excerpt("a\u202eb", 2) == "a<U+202E>…"


def test_every_letter_of_every_script_is_ordinary_text():
    """No assigned letter, digit, punctuation or symbol is spelled out, apart from the fillers that show nothing."""
    spelled = {
        chr(code)
        for code in range(sys.maxunicode + 1)
        if unicodedata.category(chr(code))[0] in "LNPSZ" and visible(f"a{chr(code)}") != f"a{chr(code)}"
    }
    assert spelled == {*"\u115f\u1160\u3164\uffa0\u2800\u2028\u2029"}
