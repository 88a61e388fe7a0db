"""What a public name may be: every character of it must be one that a reader can see."""

from __future__ import annotations

import unicodedata

from profilectl.text.escape import describe, excerpt, is_hidden
from profilectl.text.later_unicode import category

MAX_NAME = 48
"""Code points of a public name after NFC, X's limit."""

LONGEST_SPELLED = 4 * MAX_NAME
"""Code points that can become a name of `MAX_NAME`: NFC makes one of four at most (Unicode FAQ, Normalization)."""

_PLAIN_QUOTES = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")

MAX_MARKS = 4
"""Combining marks in a row (UTS 39, 5.4): Burmese has as many; more is a way to paint over neighbours."""


def normalise(name: str) -> str:
    """Return the form of a name that is counted, compared and sent: NFC."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def as_compared(name: str) -> str:
    """Return the form in which two spellings of one name are equal, a name as it was sent and as X shows it.

    X may escape ``&``, fold spaces, decompose letters, straighten quotes and drop emoji; so may other tools.
    """
    if name.isascii() and "&" not in name:
        return " ".join(name.split())
    import html  # its table of entities is long, and hardly any name needs it

    letters = unicodedata.normalize("NFC", html.unescape(name)).translate(_PLAIN_QUOTES)
    kept = "".join(char for char in letters if not _is_pictorial(char))
    return " ".join((kept if kept.strip() else letters).split())


def _is_pictorial(char: str) -> bool:
    # emoji and what changes them: skin tones, joiners, variation selectors and keycaps; "^" is a modifier, too
    is_emoji = category(char) in {"So", "Sk", "Cf"} or "\ufe00" <= char <= "\ufe0f" or char == "\u20e3"
    return is_emoji and not char.isascii()


def name_problems(name: str) -> tuple[str, ...]:
    """Return every reason why `name` can't be a public name; empty when it can.

    The name is judged in NFC, unless it is too long to become one: to normalise takes quadratic time. A reason is a
    phrase such as ``53 characters, at most 48``; what it quotes is visible.
    """
    if len(name) > LONGEST_SPELLED:
        return (f"{len(name)} characters, at most {MAX_NAME}",)
    name = normalise(name)
    if not name.strip():
        return ("only whitespace" if name else "empty",)
    problems = [*_length_problems(name)]
    if not (name.isascii() and name.isprintable()):
        problems += [*_hidden_problems(name), *_mark_problems(name)]
    return tuple(problems)


def _length_problems(name: str) -> list[str]:
    problems = []
    if len(name) > MAX_NAME:
        problems.append(f"{len(name)} characters, at most {MAX_NAME}")
    if name != name.strip():
        problems.append("starts or ends with whitespace")
    return problems


def _hidden_problems(name: str) -> list[str]:
    hidden = dict.fromkeys(char for at, char in enumerate(name) if is_hidden(name, at))
    if not hidden:
        return []
    named = [describe(char) for char in hidden]
    more = f" and {len(named) - 3} more" if len(named) > 3 else ""
    return [f'contains {", ".join(named[:3])}{more}: "{excerpt(name)}"']


def _mark_problems(name: str) -> list[str]:
    problems = []
    if category(name[0])[0] == "M":
        problems.append(f"starts with a combining mark, {describe(name[0])}")
    longest = row = 0
    before = twice = ""
    for char in name:
        row = row + 1 if category(char) in {"Mn", "Me"} else 0
        longest = max(longest, row)
        twice = twice or (char if row > 1 and char == before else "")
        before = char
    if twice:  # no writing has it, and it shows what one shows, or paints over it
        problems.append(f"has the combining mark {describe(twice)} twice in a row")
    if longest > MAX_MARKS:
        problems.append(f"{longest} combining marks in a row, at most {MAX_MARKS}")
    return problems
