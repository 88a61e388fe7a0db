"""The initials of people's names: letters only, at most one for each written word."""

from __future__ import annotations

import re
import unicodedata
from itertools import takewhile

from profilectl.text.later_unicode import category
from profilectl.text.names import normalise

_ASIDE = r"[(\[{（［【「『〔][^()\[\]{}（）［］【】「」『』〔〕]*[)\]}）］】」』〕]?"  # noqa: RUF001 - as people write
_ELIDED = r"['\u2018\u2019\u02bc`][a-z]{1,2}"  # "'t Hooft", "'s Gravesande": an article, not a name
_TITLE = "[,\uff0c\u060c]"  # what follows a comma is what somebody does

# Vowels that are written before the consonant they follow in speech: Unicode's Logical_Order_Exception.
_LEADING_VOWELS = "[\u0e40-\u0e44\u0ec0-\u0ec4\u19b5-\u19b7\u19ba\uaab5\uaab6\uaab9\uaabb\uaabc]"
_WITHOUT_MARKS = "[\u0e00-\u0eff]"  # Thai and Lao abbreviate to the consonant alone
_LETTERS = frozenset({"Lu", "Ll", "Lt", "Lo"})  # general categories; without modifier letters, such as the okina
_VIRAMA = 9  # combining class of what joins two consonants to one


def initials(name: str) -> list[str]:
    """Return the initial of each word of a name up to a comma, without what stands in brackets beside a name.

    Jean-Pierre and O'Brien are one word each. A word without a letter has none, nor has a code with digits in it.
    """
    spoken = re.split(_TITLE, normalise(name), maxsplit=1)[0]
    words = _words(re.sub(_ASIDE, " ", spoken)) or _words(spoken)
    names = [word for word in words if not re.fullmatch(_ELIDED, word)] or words
    return [_first(word) for word in names]


def _words(text: str) -> list[str]:
    return [word for word in text.split() if _has_letters(word) and not any(map(str.isdigit, word))]


def initial(part: str) -> str:
    """Return the initial of a first or last name as it is written, "" when no letter is in it."""
    letters = initials(part) or [_first(word) for word in normalise(part).split() if _has_letters(word)]
    return letters[0] if letters else ""


def capital(letter: str) -> str:
    """Return an initial as a capital, where its script has one that is a single letter."""
    upper = letter.upper()
    return upper if len(upper) == len(letter) else letter


def _has_letters(word: str) -> bool:
    return any(category(char) in _LETTERS for char in word)


def _first(word: str) -> str:
    """Return the first letter of a word that has one, with the marks and joined letters that belong to it."""
    places = [at for at, char in enumerate(word) if category(char) in _LETTERS]
    spoken = [at for at in places if not re.match(_LEADING_VOWELS, word[at])]
    start = (spoken or places)[0]
    if re.match(_WITHOUT_MARKS, word[start]):
        return word[start]
    end = start + 1
    while end < len(word):
        marks = "".join(takewhile(lambda char: category(char)[0] == "M", word[end:]))
        end += len(marks)
        is_joined = bool(marks) and unicodedata.combining(marks[-1]) == _VIRAMA
        if not (is_joined and end < len(word) and category(word[end]) == "Lo"):
            break
        end += 1
    return word[start:end]
