"""Characters that are newer than the oldest Python's Unicode."""

from __future__ import annotations

import itertools
import unicodedata

import pytest

from profilectl.text.confusables import mixed_scripts
from profilectl.text.escape import describe, visible
from profilectl.text.later_unicode import _ranges, category, is_newer, script_name
from profilectl.text.names import name_problems

PASSES: tuple[str, ...] = ()
HIDDEN = "hidden"

BLOCKS = {  # one string for each block that 14.0 doesn't have
    "15.0 Arabic Extended-C": ("\u0628\U00010efd", PASSES),
    "15.0 Devanagari Extended-A": ("\U00011b00", PASSES),
    "15.0 Kawi": ("\U00011f04\U00011f34", PASSES),
    "15.0 Kaktovik Numerals": ("\U0001d2c0", PASSES),
    "15.0 Cyrillic Extended-D": ("\U0001e030", PASSES),
    "15.0 Nag Mundari": ("\U0001e4d0\U0001e4ec", PASSES),
    "15.0 CJK Extension H": ("\U00031350 明", PASSES),
    "15.1 CJK Extension I": ("\U0002ebf0 明", PASSES),
    "16.0 Todhri": ("\U000105c0", PASSES),
    "16.0 Garay": ("\U00010d50", PASSES),
    "16.0 Tulu-Tigalari": ("\U00011380\U000113b8", PASSES),
    "16.0 Myanmar Extended-C": ("\U000116d0", PASSES),
    "16.0 Sunuwar": ("\U00011bc0", PASSES),
    "16.0 Egyptian Hieroglyphs Extended-A": ("\U00013460", PASSES),
    "16.0 Gurung Khema": ("\U00016100\U0001611e", PASSES),
    "16.0 Kirat Rai": ("\U00016d43", PASSES),
    "16.0 Symbols for Legacy Computing Supplement": ("\U0001cc00", PASSES),
    "16.0 Ol Onal": ("\U0001e5d0\U0001e5ee", PASSES),
    "17.0 Sidetic": ("\U00010940", PASSES),
    "17.0 Sharada Supplement": ("\U00011191\U00011b60", PASSES),
    "17.0 Tolong Siki": ("\U00011db0", PASSES),
    "17.0 Beria Erfe": ("\U00016ea0", PASSES),
    "17.0 Tangut Components Supplement": ("\U00018d80", PASSES),
    "17.0 Miscellaneous Symbols Supplement": ("\U0001cec0", PASSES),
    "17.0 Tai Yo": ("\U0001e6c0", PASSES),
    "17.0 CJK Extension J": ("\U000323b0", PASSES),
    "18.0 Jurchen": ("\U00018e00", PASSES),
    "18.0 Small Seal": ("\U0003d000", PASSES),
    "15.0 Egyptian format controls": ("\U00013000\U00013439", HIDDEN),
    "emoji of 15.0": ("\U0001fae8", PASSES),
    "emoji of 17.0": ("\U0001f6d8", PASSES),
    "emoji to come": ("\U0001fc00", PASSES),
    "ideograph to come": ("\U0003fffd", PASSES),
    "noncharacter": ("a\U0003fffe", HIDDEN),
    "unassigned": ("a\U000e0fff", HIDDEN),
}


@pytest.mark.parametrize(("name", "verdict"), BLOCKS.values(), ids=BLOCKS)
def test_every_block_since_unicode_14_has_one_verdict(name, verdict):
    """The table holds on every Python, whichever Unicode it brings."""
    problems = name_problems(name)

    assert (HIDDEN if problems and "contains" in problems[0] else problems) == verdict
    assert (visible(name) == name) == (verdict == PASSES)
    assert mixed_scripts(name) is None


def test_the_table_says_what_newer_pythons_say():
    """Where this Python knows a character of the table, both have the same category, but for what is put together."""
    kinds = {"L": "Lo", "N": "No", "S": "So", "P": "Po"}
    differing = {
        hex(code): (known, part.category)
        for part in _ranges()
        for code in (range(part.first, part.last + 1) if part.last < 0x20000 else ())
        if (known := unicodedata.category(chr(code))) != "Cn"
        and (known if known in {"Lm", "Mn", "Mc", "Cf"} else kinds[known[0]]) != part.category
    }

    assert {} == differing


def test_ranges_do_not_overlap():
    """A search by the first code point finds the only one."""
    parts = _ranges()

    assert all(left.last < right.first for left, right in itertools.pairwise(parts))


def test_an_unassigned_character_stays_one():
    """What no version has is neither newer nor a letter."""
    assert (category("\u0378"), is_newer("\u0378"), script_name("\u0378")) == ("Cn", False, "")
    assert describe("\u0378") == "U+0378 UNASSIGNED IN UNICODE 18.0"


def test_a_new_script_is_a_script():
    """Its name is known, so that it is told apart from others within one word."""
    assert script_name("\U00011f04").startswith("KAWI")
    assert mixed_scripts("a\U00011f04") is not None
