# ruff: noqa: RUF001 - letters that look alike are the point here
"""Names that could be taken for one another, after UTS 39: mixed scripts and skeletons.

Unicode's own table of confusables has thousands of rows. This one keeps the letters that Cyrillic and Greek share with
Latin in ordinary fonts, and the digits and pairs that UTS 39 gives within Latin (0 O, 1 l I |, m rn): enough for names
that people type, and small enough to read.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from profilectl.text.escape import describe, excerpt
from profilectl.text.later_unicode import category, script_name
from profilectl.text.word_matching import fold, words

_LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХԌԚԜ"  # Cyrillic capitals
    "аеѕіјорсухһԁԛԝӏү"
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"  # Greek capitals
    "αγινορσυ"
    "ıɑɡ",
    "ABESIJKMHOPCTYXGQWaesijopcyxhdqwlyABEZHIKMNOPTYXayivopouiag",
)

# Scripts that are written together in one word; everything else is mixed only to deceive or by mistake.
_EAST_ASIAN = frozenset({"Han", "Hiragana", "Katakana", "Hangul", "Bopomofo", "Latin"})
_HAN = {"Cjk": "Han", "Ideographic": "Han", "Masu": "Han"}  # 〆 and 〼 are written in Japanese names and signs
_SCRIPT_WORD = r"[A-Z]+"


class Skeletons(NamedTuple):
    """Two forms under which equal names look alike."""

    folded: str  # without case: "ALICE" and "alice"
    shape: str  # by the look of letters in their own case: "AlI" and "All", "rn" and "m"


def skeletons(name: str) -> Skeletons:
    """Return both skeletons of a name."""
    plain = name
    if not name.isascii():
        plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).translate(_LOOKALIKES))
    shape = plain.replace("I", "l").replace("1", "l").replace("|", "l").replace("0", "O")
    return Skeletons(" ".join(fold(plain).split()), " ".join(fold(shape).replace("m", "rn").split()))


def mixed_scripts(name: str) -> str | None:
    """Return a warning about the first word that mixes scripts as no language does, or None.

    Words of different scripts may stand side by side, and Latin may be part of a Chinese, Japanese or Korean word.
    """
    if name.isascii():
        return None
    for word in words(unicodedata.normalize("NFKC", name)):
        scripts = [script for letter in word if (script := _script(letter))]
        if len(set(scripts)) > 1 and not _EAST_ASIAN.issuperset(scripts):
            rarest = min(set(scripts), key=lambda script: (scripts.count(script), script))
            odd = next(letter for letter in word if _script(letter) == rarest)
            mixed = " and ".join(sorted(set(scripts)))
            return f'mixes {mixed} letters in one word, "{excerpt(word)}": is {describe(odd)} meant?'
    return None


def _script(letter: str) -> str | None:
    """Return the script of a letter, read off its Unicode name; None for marks, digits and modifiers.

    The standard library has no script property, but names begin with it: ``CYRILLIC SMALL LETTER O``.
    """
    if letter.isascii():
        return "Latin" if letter.isalpha() else None
    if category(letter) not in {"Lu", "Ll", "Lt", "Lo"}:
        return None
    match = re.match(_SCRIPT_WORD, script_name(letter))
    script = match[0].capitalize() if match else None
    return _HAN.get(script, script) if script else None
