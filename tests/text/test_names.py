"""Public names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profilectl.text.escape import visible
from profilectl.text.names import MAX_NAME, as_compared, name_problems, normalise
from tests.text.samples import ANYTHING, ENGLAND, TROUBLE

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
GOOD = {
    "ASCII": "Alice F., Care Specialist",
    "markup": "Ivan [Tier 2] [link=https://x.com]",
    "composed": "Dóra K.",
    "decomposed": "Do\u0301ra K.",
    "Arabic": "فاطمة · Support",
    "Hebrew with vowels": "שָׁלוֹם",
    "Han and Latin": "花 Hana",
    "Devanagari": "क्षितिज शर्मा",
    "ZWNJ after a virama": "क्\u200cष",
    "Persian ZWNJ": "می\u200cخواهم",
    "Bengali repha": "র\u200d্যাব",
    "Sinhala conjunct": "ශ්\u200dරී",
    "family": FAMILY,
    "profession with a skin tone": "Kim \U0001f469\U0001f3fd\u200d\U0001f4bb Tech",
    "rainbow flag": "\U0001f3f3\ufe0f\u200d\U0001f308",
    "couple": "\U0001f9d1\U0001f3fb\u200d\u2764\ufe0f\u200d\U0001f48b\u200d\U0001f9d1\U0001f3fc",
    "country flag": "\U0001f1e9\U0001f1ea",
    "subdivision flag": ENGLAND,
    "keycap": "1\ufe0f\u20e3",
    "newer than Unicode 14": "\U0001fae8 \U0001f6dc",
    "ideographic variation": "葛\U000e0100城",
    "no-break space": "Anne\u00a0Marie",
    "48 characters": "x" * 48,
    "48 after NFC": "e\u0301" * 48,
    "three marks": "a\u0301\u0302\u0303b\u0323\u0304\u0305",
    "four marks of Burmese": "လှုံ့ဆော်ရေးမှူး",
    "a Burmese place": "ရွှံ့ကုန်းမောင်",
    "Mongolian with its separator": "ᠰᠠᠷ᠎ᠠ",
    "ideographs of Unicode 15 and 15.1": "\U00031350 \U0002ebf0 明",
    "a Japanese mark that is a letter": "〆木 一郎",
}


@pytest.mark.parametrize("name", GOOD.values(), ids=GOOD)
def test_good_names_have_no_problem_and_are_shown_as_they_are(name):
    """Writing of every kind, emoji sequences included, is a valid name and is printed unchanged."""
    assert name_problems(name) == ()
    assert visible(name) == name


BAD = {
    "": ["empty"],
    " \u3000": ["only whitespace"],
    " Alice": ["starts or ends with whitespace"],
    "x" * 53: ["53 characters, at most 48"],
    FAMILY * 7: ["49 characters, at most 48"],
    "Alice\u202e": ['contains U+202E RIGHT-TO-LEFT OVERRIDE: "Alice<U+202E>"'],
    "\x1b[2JAlice": ['contains U+001B ESCAPE: "\\x1b[2JAlice"'],
    "A\nB": ['contains U+000A LINE FEED: "A\\nB"'],
    "A\x9bB": ['contains U+009B CONTROL SEQUENCE INTRODUCER: "A\\x9bB"'],
    "A\u200bB": ['contains U+200B ZERO WIDTH SPACE: "A<U+200B>B"'],
    "A\u200dB": ['contains U+200D ZERO WIDTH JOINER: "A<U+200D>B"'],
    "A\u200cB": ['contains U+200C ZERO WIDTH NON-JOINER: "A<U+200C>B"'],
    "\U0001f469\u200d": ['contains U+200D ZERO WIDTH JOINER: "\U0001f469<U+200D>"'],
    "دا\u200cر": ['contains U+200C ZERO WIDTH NON-JOINER: "دا<U+200C>ر"'],
    "A\ufe0f": ['contains U+FE0F VARIATION SELECTOR-16: "A<U+FE0F>"'],
    "A\u3164": ['contains U+3164 HANGUL FILLER: "A<U+3164>"'],
    "A\u2028B": ['contains U+2028 LINE SEPARATOR: "A<U+2028>B"'],
    "A\ud800": ['contains U+D800 LONE SURROGATE: "A<U+D800>"'],
    "A\ue000": ['contains U+E000 PRIVATE USE: "A<U+E000>"'],
    "A\U000e0041": ['contains U+E0041 TAG LATIN CAPITAL LETTER A: "A<U+E0041>"'],
    "\u0301A": ["starts with a combining mark, U+0301 COMBINING ACUTE ACCENT"],
    "Z\u0335\u0336\u0337\u0338\u0339": ["5 combining marks in a row, at most 4"],
    "Z\u0335\u0335": ["has the combining mark U+0335 COMBINING SHORT STROKE OVERLAY twice in a row"],
    "ᠰ\u180eᠷ": ['contains U+180E MONGOLIAN VOWEL SEPARATOR: "ᠰ<U+180E>ᠷ"'],
    "A\u180eᠠ": ['contains U+180E MONGOLIAN VOWEL SEPARATOR: "A<U+180E>ᠠ"'],
    "\x01\x02\x03\x04": [
        (
            "contains U+0001 CONTROL CHARACTER, U+0002 CONTROL CHARACTER, U+0003 CONTROL CHARACTER and 1 more: "
            '"\\x01\\x02\\x03\\x04"'
        )
    ],
    "\u202e" + "x" * 48: ["49 characters, at most 48", f'contains U+202E RIGHT-TO-LEFT OVERRIDE: "<U+202E>{"x" * 48}"'],
}


@pytest.mark.parametrize(("name", "expected"), BAD.items(), ids=map(ascii, BAD))
def test_bad_names_are_told_with_the_character(name, expected):
    """Each problem of a name is a phrase of its own, and the offending character is named and visible."""
    assert list(name_problems(name)) == expected


SPELLINGS = {
    "escaped": ("Tom & Jo", "Tom &amp; Jo"),
    "escaped brackets": ("Ivan <Tier 2>", "Ivan &lt;Tier 2&gt;"),
    "escaped quotes": ('Kim "K." O\'Hara', "Kim &quot;K.&quot; O&#39;Hara"),
    "straight quotes": ("Kim \u201cK.\u201d O\u2019Hara", 'Kim "K." O\'Hara'),
    "folded spaces": ("Tom  Jo", "Tom Jo"),
    "trimmed": ("Tom Jo", " Tom Jo "),
    "another space": ("Anne\u00a0Marie", "Anne Marie"),
    "decomposed": ("D\u00f3ra K.", "Do\u0301ra K."),
    "without emoji": ("Kim \U0001f469\U0001f3fd\u200d\U0001f4bb Tech", "Kim Tech"),
    "without a skin tone": ("Kim \U0001f469\U0001f3fd", "Kim \U0001f469"),
    "without a selector": ("Love \u2764\ufe0f", "Love \u2764"),
    "without a country's flag": ("Uwe \U0001f1e9\U0001f1ea", "Uwe"),
    "without a part's flag": (f"Kate {ENGLAND}", "Kate"),
    "without a keycap": ("Agent 1\ufe0f\u20e3", "Agent 1"),
    "without a non-joiner": ("می\u200cخواهم", "میخواهم"),
    "without emoji, with what is a modifier in ASCII": ("A^ \U0001f600", "A^"),
    "all at once": ("D\u00f3ra & Kim \U0001f600", "Do\u0301ra  &amp;  Kim"),
}


@pytest.mark.parametrize(("sent", "shown"), SPELLINGS.values(), ids=SPELLINGS)
def test_a_name_and_what_x_makes_of_it_are_one_name(sent, shown):
    """Whichever of the two is whose."""
    assert as_compared(sent) == as_compared(shown)


OTHERS = [
    ("Alice", "Alicia"),
    ("Alice", "alice"),
    ("Alice F.", "Alice F"),
    ("Dora", "D\u00f3ra"),
    ("Tom & Jo", "Tom Jo"),
    ("TomJo", "Tom Jo"),
    ("\U0001f600", "\U0001f601"),
    ("山田", "山本"),
    ("Alice", "Al\u0456ce"),
]


@pytest.mark.parametrize(("name", "other"), OTHERS, ids=ascii)
def test_other_names_stay_others(name, other):
    """Nothing of what tells people apart is lost; names of nothing but emoji are told apart by these."""
    assert as_compared(name) != as_compared(other)


@given(ANYTHING | TROUBLE)
def test_the_compared_form_is_that_of_every_unicode_form(name):
    """However a name was composed; and no name that is allowed is compared as nothing."""
    forms = {as_compared(unicodedata.normalize(form, name)) for form in ("NFC", "NFD")}

    assert {as_compared(name)} == forms
    assert as_compared(name) or name_problems(name)


@given(ANYTHING | TROUBLE | st.text(st.sampled_from("e\u0301n\u0303"), max_size=120))
def test_length_counts_code_points_after_nfc(name):
    """The limit is on the composed form, however the name was typed."""
    is_too_long = any("characters, at most" in problem for problem in name_problems(name))
    composed = unicodedata.normalize("NFC", name)
    assert is_too_long == (len(composed) > MAX_NAME and bool(composed.strip()))
    assert normalise(name) == composed


@given(ANYTHING | TROUBLE)
def test_a_name_without_problems_needs_no_spelling_out(name):
    """Accepted names and hidden characters exclude each other, and messages never contain one."""
    problems = name_problems(name)
    assert problems or visible(normalise(name)) == normalise(name)
    assert all(visible(problem) == problem for problem in problems)
