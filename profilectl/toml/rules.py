"""Reading a TOML table by rules: one for each key; a value that its rule refuses is a problem at its place.

A rule takes a value as the TOML reader returns it and returns it as the model wants it, or raises `FieldError`. Types
are exact: ``true`` is no number, and nothing is converted silently.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from profilectl.errors import UsageError
from profilectl.text.escape import excerpt
from profilectl.toml.paths import Path
from profilectl.toml.problems import ProblemList

Rule = Callable[[Any], Any]

# Keys of brands and agents become part of commands, file names and ledger rows, so they are kept plain.
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
LONGEST_TEXT = 200
"""Code points of a text: four names of X's 48, far more than a person or a title has."""

MOST_ITEMS = 1000
"""Strings of an array, where a rule says nothing else."""

_LARGEST_COUNT = 1_000_000  # profiles; an account with as many is beyond all that X's daily limits let anybody make
_DURATION = r"([0-9]{1,6})([smhd])"
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_OS_USER = r"uid:[0-9]{1,10}|[^\s:/\x00-\x1f\x7f]{1,64}"

_TYPES = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "an array",
    dict: "a table",
    dt.datetime: "a date with a time",
    dt.date: "a date",
    dt.time: "a time",
}


class FieldError(Exception):
    """A value that its rule refuses; `problems` are messages, each with the path below the value."""

    def __init__(self, message: str, *more: tuple[Path, str]) -> None:
        super().__init__(message)
        self.problems: tuple[tuple[Path, str], ...] = more or (((), message),)


def read(
    table: Mapping[str, Any],
    rules: Mapping[str, Rule],
    path: Path,
    problems: ProblemList,
    on_unknown: Callable[[str], str],
) -> dict[str, Any]:
    """Return the fields of a table as their rules return them, None for a refused one, and note what is wrong.

    `on_unknown` returns what is wrong with a key that has no rule.
    """
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in rules:
            problems.error((*path, key), on_unknown(key), "unknown-key")
            continue
        try:
            values[key] = rules[key](value)
        except FieldError as error:
            values[key] = None  # so that it isn't called missing on top
            for below, message in error.problems:
                problems.error((*path, key, *below), message)
    return values


def is_key(key: str) -> bool:
    """Say whether a brand's or agent's key is plain enough to be used on a command line."""
    return _SLUG.fullmatch(key) is not None


def check_key(path: Path, problems: ProblemList) -> None:
    """Note a brand's or agent's key, the last of `path`, that isn't plain enough to be used on a command line."""
    key = str(path[-1])
    if not is_key(key):
        slug = re.sub(r"[^a-z0-9_]+", "-", key.lower()).strip("-_")[:64]
        advice = f', such as "{slug}"' if _SLUG.fullmatch(slug) else ""
        message = f"a key has 1 to 64 lower-case letters, digits, - and _, and no - or _ first{advice}"
        problems.error(path, message, "key")


def shown(value: Any) -> str:
    """Return how a message names a wrong value: strings and numbers, cut and visible, anything else by its type."""
    if isinstance(value, str):
        return f'"{excerpt(value, 40)}"'
    if isinstance(value, bool):
        return str(value).lower()
    # Python refuses to write an integer of more than 4,300 digits (ValueError).
    is_short = isinstance(value, float) or (isinstance(value, int) and abs(value) < 10**15)
    return str(value) if is_short else _TYPES[type(value)]


def expected(value: Any, kind: type, example: str = "") -> None:
    """Raise `FieldError` unless `value` is exactly of type `kind`."""
    if type(value) is not kind:  # not isinstance: a bool is an int, a datetime a date
        example = f" such as {example}" if example else ""
        raise FieldError(f"expected {_TYPES[kind]}{example}, got {shown(value)}")


def text(value: Any) -> str:
    """Accept a string with something in it."""
    if type(value) is not str:
        # What stands here may be a legal name, so only its type is named.
        raise FieldError(f"expected a string, got {_TYPES[type(value)]}")
    if not value.strip():
        raise FieldError("empty; leave it out instead")
    bounded(value, LONGEST_TEXT)
    return value


def bounded(value: str, most: int) -> None:
    """Raise `FieldError` when `value` has more than `most` code points."""
    if len(value) > most:
        raise FieldError(f"{len(value)} characters, at most {most}")


def _exactly(kind: type) -> Rule:
    def rule(value: Any) -> Any:
        expected(value, kind)
        return value

    return rule


string = _exactly(str)  # an empty one too
flag = _exactly(bool)
table = _exactly(dict)  # what is in it has rules of its own


def choice(*words: str) -> Rule:
    """Make a rule that accepts exactly these strings."""
    listed = " or ".join(f'"{word}"' for word in words)

    def rule(value: Any) -> str:
        if type(value) is not str or value not in words:
            raise FieldError(f"expected {listed}, got {shown(value)}")
        return value

    return rule


def version(value: Any) -> int:
    """Accept 1, the only version there is."""
    if type(value) is not int or value != 1:
        raise FieldError(f"expected 1, got {shown(value)}")
    return value


def count(value: Any) -> int:
    """Accept a whole number from 0 to a million."""
    expected(value, int)
    if value < 0:
        raise FieldError("below 0")
    if value > _LARGEST_COUNT:
        raise FieldError(f"above {_LARGEST_COUNT}")
    return int(value)


def ratio(value: Any) -> float:
    """Accept a number from 0 to 1."""
    if type(value) not in {int, float}:
        raise FieldError(f"expected a number from 0 to 1, got {shown(value)}")
    if not 0 <= value <= 1:
        raise FieldError("outside 0 to 1")
    return float(value)


def duration(value: Any) -> int:
    """Accept ``"15m"`` and its like; return seconds."""
    match = re.fullmatch(_DURATION, value) if type(value) is str else None
    if not match:
        raise FieldError(f'expected a duration such as "60s", "15m", "2h" or "1d", got {shown(value)}')
    return int(match[1]) * _SECONDS[match[2]]


def parse_duration(words: str, option: str) -> int:
    """Return the seconds of an option's duration, such as ``10m``; UsageError when it is none."""
    try:
        return duration(words)
    except FieldError as error:
        is_bare = words.isascii() and words.isdigit()  # as --timeout has it
        hint = f"say in what: {option} {words}s, or {words}m" if is_bare else None
        raise UsageError(f"{option}: {error}", hint=hint) from None


def day(value: Any) -> dt.date:
    """Accept a TOML local date."""
    if type(value) is dt.datetime:
        raise FieldError("expected a day without a time, such as 2027-01-31")
    if type(value) is str:
        raise FieldError("expected a date without quotes, such as 2027-01-31")
    expected(value, dt.date, "2027-01-31")
    return dt.date(value.year, value.month, value.day)


def array_of(accepts: Callable[[str], Any], items: str, when_empty: str = "", *, most: int = MOST_ITEMS) -> Rule:
    """Make a rule for an array of at most `most` strings that `accepts` says yes to.

    With `when_empty`, an empty one is refused.
    """

    def rule(value: Any) -> tuple[str, ...]:
        if type(value) is not list:
            instead = f"; did you mean [{shown(value)}]?" if type(value) is str else ""
            raise FieldError(f"expected an array of {items}, got {shown(value)}{instead}")
        if when_empty and not value:
            raise FieldError(when_empty)
        if len(value) > most:
            raise FieldError(f"{len(value)} entries, at most {most}")
        wrong = [
            ((index,), f"expected {items}, got {shown(item)}")
            for index, item in enumerate(value)
            if type(item) is not str or not accepts(item)
        ]
        if wrong:
            raise FieldError(items, *wrong)
        return tuple(value)

    return rule


def os_users(when_empty: str = "", *, most: int = MOST_ITEMS) -> Rule:
    """Make a rule for an array of names or ids of OS users; `when_empty` and `most` as for `array_of`."""
    return array_of(partial(re.fullmatch, _OS_USER), 'OS users such as "afast" or "uid:1001"', when_empty, most=most)
