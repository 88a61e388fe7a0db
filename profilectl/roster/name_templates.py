"""Name patterns: ``{first} {last_initial}., {title}``; two braces for a plain one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from profilectl.text.escape import excerpt
from profilectl.text.initials import initial
from profilectl.text.suggest import did_you_mean

FIELDS = {"first": "first", "last": "last", "title": "title", "first_initial": "first", "last_initial": "last"}
"""What may stand between braces, and the agent's field that it comes from."""

LONGEST = 500
"""Code points of a pattern: all its fields, some twice, and words between them."""

_MOST_PROBLEMS = 5  # of one pattern, which as many agents may use as there are

# Both doubled braces come first, so that "{{first}}" is text.
_PIECE = r"\{\{|\}\}|\{([^{}]*)\}|[{}]"


def is_pattern(name: str) -> bool:
    """Say whether a name has to be filled in."""
    return "{" in name


def pattern_problems(pattern: str) -> list[str]:
    """Return what is wrong with the pattern itself, whoever uses it; the first five things."""
    if len(pattern) > LONGEST:
        return [f"a name pattern of {len(pattern)} characters, at most {LONGEST}"]
    problems: list[str] = []
    for piece in re.finditer(_PIECE, pattern):
        field = piece[1]
        if field is None and len(piece[0]) == 1:
            problems.append(f'a single "{piece[0]}" in a name pattern; write "{piece[0] * 2}" for a plain brace')
        elif field == "legal_name":
            problems.append("a public name can't use {legal_name}, which never leaves the machine")
        elif field is not None and field not in FIELDS:
            advice = did_you_mean(field, FIELDS) or f"; there are {', '.join(FIELDS)}"
            problems.append(f'unknown field "{excerpt(field, 40)}" in the name pattern{advice}')
        if len(problems) == _MOST_PROBLEMS:
            break
    return problems


def needs(pattern: str) -> set[str]:
    """Return the agent's fields that a pattern without problems draws on."""
    return {FIELDS[piece[1]] for piece in re.finditer(_PIECE, pattern) if piece[1] is not None}


def without_initial(pattern: str, values: Mapping[str, str]) -> set[str]:
    """Return the fields of which a pattern without problems needs the initial, and that have no letter."""
    names = (piece[1] for piece in re.finditer(_PIECE, pattern))
    initials = {FIELDS[name] for name in names if name and name.endswith("_initial")}
    return {field for field in initials if not initial(values[field])}


def fill(pattern: str, values: Mapping[str, str]) -> str:
    """Return the name that a pattern without problems makes of the values that it `needs`."""

    def filled(piece: re.Match[str]) -> str:
        field = piece[1]
        if field is None:
            return piece[0][0]
        value = values[FIELDS[field]]
        return initial(value) if field.endswith("_initial") else value

    return re.sub(_PIECE, filled, pattern)
