"""The fields a roster may have, and what each may hold: one table per kind of TOML table.

A rule takes a value as tomllib read it and returns it as the model wants it, or raises `Misfit`. Types are exact:
``true`` is no number, and nothing is converted behind the writer's back.
"""

from __future__ import annotations

import datetime as dt
import posixpath
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from profilectl.errors import UsageError
from profilectl.model import Kind
from profilectl.text.escape import excerpt, visible

if TYPE_CHECKING:
    from profilectl.toml.positions import Path

Rule = Callable[[Any], Any]

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""Keys of brands and agents: part of commands, file names and ledger rows, so kept plain."""

_HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")  # the shape of BCP 47, without its registry
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_OPERATOR = re.compile(r"uid:[0-9]{1,10}|[^\s:/\x00-\x1f\x7f]{1,64}")
_RECIPIENT = re.compile(r"[0-9]{1,20}|@[A-Za-z0-9_]{1,15}")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|//|data:", re.IGNORECASE)
_WEB_PAGE = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?][!-~]{0,1900})?")  # one that any client can read
_DRIVE = re.compile(r"[A-Za-z]:")

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


class Misfit(Exception):
    """A value that its rule refuses; `faults` are messages, each with the path below the value."""

    def __init__(self, message: str, *more: tuple[Path, str]) -> None:
        super().__init__(message)
        self.faults: tuple[tuple[Path, str], ...] = more or (((), message),)


def shown(value: Any) -> str:
    """Return how a message names a wrong value: strings and numbers, cut and visible, anything else by its type."""
    if isinstance(value, str):
        return f'"{excerpt(value, 40)}"'
    if isinstance(value, bool):
        return str(value).lower()
    is_short = isinstance(value, float) or (isinstance(value, int) and abs(value) < 10**15)
    return str(value) if is_short else _TYPES[type(value)]


def expected(value: Any, kind: type, example: str = "") -> None:
    """Raise `Misfit` unless `value` is exactly of type `kind`."""
    if type(value) is not kind:
        example = f" such as {example}" if example else ""
        raise Misfit(f"expected {_TYPES[kind]}{example}, got {shown(value)}")


def text(value: Any) -> str:
    """Accept a string with something in it."""
    if type(value) is not str:
        # What stands here may be a legal name, so only its type is told.
        raise Misfit(f"expected a string, got {_TYPES[type(value)]}")
    if not value.strip():
        raise Misfit("empty; leave it out instead")
    return value


def name(value: Any) -> str:
    """Accept any string: what a public name may hold is judged once its pattern is filled in."""
    expected(value, str)
    return str(value)


def flag(value: Any) -> bool:
    """Accept true or false."""
    expected(value, bool)
    return bool(value)


def choice(*words: str) -> Rule:
    """Make a rule that accepts exactly these strings."""
    listed = " or ".join(f'"{word}"' for word in words)

    def rule(value: Any) -> str:
        if type(value) is not str or value not in words:
            raise Misfit(f"expected {listed}, got {shown(value)}")
        return value

    return rule


def kind(value: Any) -> Kind:
    """Accept "human" or "bot"."""
    return Kind(choice(*Kind)(value))


def version(value: Any) -> int:
    """Accept 1, the only version there is."""
    if type(value) is not int or value != 1:
        raise Misfit(f"expected 1, got {shown(value)}")
    return value


def count(value: Any) -> int:
    """Accept a whole number from 0 on."""
    expected(value, int)
    if value < 0:
        raise Misfit("below 0")
    return int(value)


def ratio(value: Any) -> float:
    """Accept a number from 0 to 1."""
    if type(value) not in {int, float}:
        raise Misfit(f"expected a number from 0 to 1, got {shown(value)}")
    if not 0 <= value <= 1:
        raise Misfit("outside 0 to 1")
    return float(value)


def duration(value: Any) -> int:
    """Accept ``"15m"`` and its like; return seconds."""
    match = _DURATION.fullmatch(value) if type(value) is str else None
    if not match:
        raise Misfit(f'expected a duration such as "60s", "15m", "2h" or "1d", got {shown(value)}')
    return int(match[1]) * _SECONDS[match[2]]


def parse_duration(words: str, option: str) -> int:
    """Return the seconds of a duration given to an option, such as ``10m``; UsageError when it is none."""
    try:
        return duration(words)
    except Misfit as misfit:
        raise UsageError(f"{option}: {misfit}") from None


def day(value: Any) -> dt.date:
    """Accept a TOML local date."""
    if type(value) is dt.datetime:
        raise Misfit("expected a day without a time, such as 2027-01-31")
    if type(value) is str:
        raise Misfit("expected a date without quotes, such as 2027-01-31")
    expected(value, dt.date, "2027-01-31")
    return dt.date(value.year, value.month, value.day)


def handle(value: Any) -> str:
    """Accept an X handle: 1 to 15 letters, digits and underscores, without its @."""
    expected(value, str)
    if value.startswith("@") and _HANDLE.fullmatch(value[1:]):
        raise Misfit(f'write it without the @: "{value[1:]}"')
    if not _HANDLE.fullmatch(value):
        raise Misfit(f"expected 1 to 15 letters, digits and underscores, got {shown(value)}")
    return str(value)


def language(value: Any) -> str:
    """Accept something of the shape of a BCP 47 tag."""
    expected(value, str, '"en"')
    if not _LANGUAGE.fullmatch(value):
        dashed = value.replace("_", "-")
        advice = f', did you mean "{dashed}"?' if _LANGUAGE.fullmatch(dashed) else ""
        raise Misfit(f'expected a language tag such as "en" or "pt-BR", got {shown(value)}{advice}')
    return str(value)


def web_page(value: Any) -> str:
    """Accept an ``https://`` address of a page."""
    text(value)
    if not _WEB_PAGE.fullmatch(value):
        raise Misfit(f'expected an address such as "https://example.com/privacy", got {shown(value)}')
    return str(value)


def avatar(value: Any) -> str:
    """Accept a relative path that stays in the roster's folder as far as its words tell; links are judged later."""
    text(value)
    if visible(value) != value:
        raise Misfit(f"a path can't hold control or invisible characters: {shown(value)}")
    if _URL.match(value):
        raise Misfit("avatars are local files, not URLs")
    if value.startswith(("/", "~")) or _DRIVE.match(value):
        raise Misfit("must be relative to the roster's folder")
    if "\\" in value:
        raise Misfit("write folders with forward slashes")
    inside = posixpath.normpath(value)
    if inside == ".." or inside.startswith("../"):
        raise Misfit("leads outside the roster's folder")
    return str(value)


def array_of(accepts: Callable[[str], Any], wanted: str, when_empty: str = "") -> Rule:
    """Make a rule for an array of strings that `accepts` says yes to; with `when_empty`, an empty one is refused."""

    def rule(value: Any) -> tuple[str, ...]:
        if type(value) is not list:
            instead = f"; did you mean [{shown(value)}]?" if type(value) is str else ""
            raise Misfit(f"expected an array of {wanted}, got {shown(value)}{instead}")
        if when_empty and not value:
            raise Misfit(when_empty)
        wrong = [
            ((index,), f"expected {wanted}, got {shown(item)}")
            for index, item in enumerate(value)
            if type(item) is not str or not accepts(item)
        ]
        if wrong:
            raise Misfit(wanted, *wrong)
        return tuple(value)

    return rule


operators = array_of(
    _OPERATOR.fullmatch,
    'OS users such as "afast" or "uid:1001"',
    when_empty="names nobody; leave it out to let anybody with the credentials send",
)
"""Accept an array of names or ids of OS users; an empty one could be read as nobody or as everybody."""

recipients = array_of(_RECIPIENT.fullmatch, 'ids in quotes such as "12345" or @handles')
"""Accept an array of user ids and @handles."""

markers = array_of(
    str.strip,
    'words such as "bot"',
    when_empty="no words; leave the language out to keep its usual ones",
)
"""Accept an array of bot markers."""


def table(value: Any) -> dict[str, Any]:
    """Accept a table; what is in it has rules of its own."""
    expected(value, dict)
    return dict(value)


ROOT: Mapping[str, Rule] = {
    "version": version,
    "brands": table,
    "policy": table,
    "defaults": table,
    "agents": table,
}
BRAND: Mapping[str, Rule] = {
    "handle": handle,
    "language": language,
    "fallback": choice("none", "sign-off"),
    "privacy_url": web_page,
}
POLICY: Mapping[str, Rule] = {
    "max_deletes": count,
    "max_delete_ratio": ratio,
    "retire_after": duration,
    "settle_after": duration,
    "disclosure": choice("enforce", "warn"),
    "test_recipients": recipients,
    "audit_text": flag,
    "bot_markers": table,
}
DIFFERENCE: Mapping[str, Rule] = {  # what of an agent may differ from brand to brand
    "name": name,
    "avatar": avatar,
    "operators": operators,
    "first": text,
    "last": text,
    "legal_name": text,
    "title": text,
    "until": day,
    "protected": flag,
}
AGENT: Mapping[str, Rule] = {**DIFFERENCE, "kind": kind, "brands": lambda value: value}
