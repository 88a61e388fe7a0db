"""Initials of people's names."""

from __future__ import annotations

import pytest
from hypothesis import given

from profilectl.text.initials import capital, initial, initials
from profilectl.text.later_unicode import category
from tests.text.samples import ANYTHING, TROUBLE

NAMES = {
    "apostrophe": ("Siobhán O’Brien", ["S", "O"]),
    "article": ("Gerard 't Hooft", ["G", "H"]),
    "okina": ("Keanu ʻIolani", ["K", "I"]),
    "written vowel first": ("สมชาย เจริญสุข", ["ส", "จ"]),
    "Lao": ("ແກ້ວ ໄຊ", ["ກ", "ຊ"]),
    "conjunct": ("प्रिया शर्मा", ["प्रि", "श"]),
    "Thai": ("สมหญิง ใจดี", ["ส", "จ"]),
    "hyphen": ("Jean-Pierre Müller", ["J", "M"]),
    "dot above": ("Zoé Q̇uist", ["Z", "Q̇"]),
    "aside": ("Anna (born) Smith", ["A", "S"]),
    "open aside": ("Anna (born", ["A"]),
    "role": ("Alice Fast, Care Team", ["A", "F"]),
    "hyphen first": ("Ann -Smith", ["A", "S"]),
    "code": ("Agent 8D8F47", ["A"]),
    "number": ("Agent 7", ["A"]),
    "emoji": ("Kim \U0001f469\u200d\U0001f4bb", ["K"]),
    "Han": ("山田 花子", ["山", "花"]),
    "ideographs of Unicode 15": ("\U00031350 明", ["\U00031350", "明"]),
    "no letter": ("007 \U0001f600", []),
    "only an article": ("'t", ["t"]),
}


@pytest.mark.parametrize(("name", "expected"), NAMES.values(), ids=NAMES)
def test_each_word_gives_one_letter(name, expected):
    """Only letters, at most one a word, with the marks that belong to it."""
    assert expected == initials(name)


@pytest.mark.parametrize(
    ("part", "expected"),
    [("'t Hooft", "H"), ("(born) Smith", "S"), ("(Smith)", "S"), ("-Smith", "S"), ("van der Berg", "v"), ("7", "")],
)
def test_a_last_name_has_one_initial(part, expected):
    """That of its first word which is a name."""
    assert expected == initial(part)


@pytest.mark.parametrize(("letter", "expected"), [("é", "É"), ("ß", "ß"), ("स", "स"), ("v", "V")])
def test_a_capital_stays_one_letter(letter, expected):
    """Where a script has none, or writes it with two letters, the letter stays."""
    assert expected == capital(letter)


@given(ANYTHING | TROUBLE)
def test_initials_hold_a_letter_each(text):
    """Whatever a name holds."""
    assert all(any(category(char)[0] == "L" for char in letter) for letter in initials(text))
