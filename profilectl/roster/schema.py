"""The fields a roster may have, and what each may hold: one table of rules per kind of TOML table."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from profilectl.model import Consent, Decoration, Kind
from profilectl.system.host import today
from profilectl.text.escape import visible
from profilectl.text.names import MAX_NAME
from profilectl.text.suggest import did_you_mean
from profilectl.toml import rules
from profilectl.toml.paths import Path
from profilectl.toml.rules import FieldError, Rule, expected, shown, text

MOST_AGENTS = 20_000
"""Agents of a roster, each counted once for each of its brands: X's 1,000 creates a day make as many in 20 days."""

MOST_BRANDS = 100
"""Brands of a roster; a group of companies has some dozen accounts."""

_MOST_OPERATORS = 100  # of one agent; more people share an agent by leaving the field out
_MOST_MARKERS = 50  # of one language; those that profilectl brings have five
BUILT_IN_LABELS = frozenset({"kind"})
"""What every agent can be selected by without a label of its own."""

_MOST_LABELS = 20  # of one agent
_LABEL = r"[^\W_][\w.-]{0,62}"  # neither "," nor "=", which divide a selector
_MOST_WAIVERS = 1000  # exceptions; more would be the rule
_MOST_PROTECTED = 200  # names that nobody may resemble: a board, not a company
_LONGEST_PATH = 1000  # code points, which are 4,000 bytes at most: Linux takes 4,095
_LONGEST_TAG = 35  # characters of a language tag (RFC 5646, section 4.4.1)
_HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")
_LANGUAGE = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*"  # the shape of BCP 47, without its registry
_RECIPIENT = r"[1-9][0-9]{0,19}|@[A-Za-z0-9_]{1,15}"
_URL = r"[A-Za-z][A-Za-z0-9+.-]+://|[Dd][Aa][Tt][Aa]:"
_WEB_PAGE = r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?][!-~]{0,1900})?"  # one that any client can read
_DRIVE = r"[A-Za-z]:"
_COLOUR = r"#[0-9A-Fa-f]{6}"
_SIDES = (100, 800)  # pixels: X shows 400; less than 100 has no room for a badge
CONSENT: Mapping[str, Rule] = {
    "name": rules.flag,
    "photo": rules.flag,
    "ref": rules.text,
    "given": rules.day,
    "expires": rules.day,
}


def kind(value: Any) -> Kind:
    """Accept "human" or "bot"."""
    return Kind(rules.choice(*Kind)(value))


def handle(value: Any) -> str:
    """Accept an X handle: 1 to 15 letters, digits and underscores, without its @."""
    expected(value, str)
    if value.startswith("@") and _HANDLE.fullmatch(value[1:]):
        raise FieldError(f'write it without the @: "{value[1:]}"')
    if not _HANDLE.fullmatch(value):
        raise FieldError(f"expected 1 to 15 letters, digits and underscores, got {shown(value)}")
    return str(value)


def language(value: Any) -> str:
    """Accept something of the shape of a BCP 47 tag."""
    expected(value, str, '"en"')
    rules.bounded(value, _LONGEST_TAG)
    if not re.fullmatch(_LANGUAGE, value):
        dashed = value.replace("_", "-")
        advice = f', did you mean "{dashed}"?' if re.fullmatch(_LANGUAGE, dashed) else ""
        raise FieldError(f'expected a language tag such as "en" or "pt-BR", got {shown(value)}{advice}')
    return str(value)


def timezone(value: Any) -> str:
    """Accept the name of a time zone that this system knows."""
    text(value)
    try:
        today(value)
    except (ValueError, LookupError, OSError):  # as zoneinfo has it for what is no name, unknown, or a folder
        advice = 'expected a time zone such as "UTC" or "Europe/Berlin"'
        raise FieldError(f"{advice}, got {shown(value)}") from None
    return str(value)


def web_page(value: Any) -> str:
    """Accept an ``https://`` address of a page."""
    text(value)
    if not re.fullmatch(_WEB_PAGE, value):
        raise FieldError(f'expected an address such as "https://example.com/privacy", got {shown(value)}')
    return str(value)


def label_problem(key: str, value: Any) -> str | None:
    """Return what is wrong with a label, None when nothing is."""
    if key in BUILT_IN_LABELS:
        return f"{key} is told by the agent's own {key}; choose another word"
    if not re.fullmatch(_LABEL, key):
        return "a label's name has 1 to 63 letters, digits, -, _ and ., and begins with a letter or digit"
    if type(value) is not str or not re.fullmatch(_LABEL, value):
        return f"a label's value has 1 to 63 letters, digits, -, _ and ., got {shown(value)}"
    return None


def labels(value: Any) -> dict[str, str]:
    """Accept a table of free labels."""
    expected(value, dict, '{ team = "night" }')
    if len(value) > _MOST_LABELS:
        raise FieldError(f"{len(value)} labels, at most {_MOST_LABELS}")
    wrong: list[tuple[Path, str]] = [
        ((key,), message) for key, part in value.items() if (message := label_problem(key, part)) is not None
    ]
    if wrong:
        raise FieldError("labels", *wrong)
    return dict(value)


def avatar(value: Any) -> str:
    """Accept a relative path that stays in the roster's folder."""
    # As far as its words say: links are judged when the file is opened.
    expected(value, str)
    rules.bounded(value, _LONGEST_PATH)
    text(value[: rules.LONGEST_TEXT])
    if visible(value) != value:
        raise FieldError(f"a path can't hold control or invisible characters: {shown(value)}")
    has_colon = ":" in value  # hardly any has, so for most nothing is compiled or searched
    if value.startswith("//") or (has_colon and re.match(_URL, value)):
        raise FieldError("avatars are local files, not URLs")
    if value.startswith(("/", "~")) or (has_colon and re.match(_DRIVE, value)):
        raise FieldError("must be relative to the roster's folder")
    if "\\" in value:
        raise FieldError("write folders with forward slashes")
    inside = posixpath.normpath(value)
    if inside == ".." or inside.startswith("../"):
        raise FieldError("leads outside the roster's folder")
    return str(value)


def colour(value: Any) -> str:
    """Accept a colour, such as "#e20074", in lower case from then on."""
    expected(value, str, '"#e20074"')
    if not re.fullmatch(_COLOUR, value):
        raise FieldError(f'expected a colour such as "#e20074", got {shown(value)}')
    return str(value).lower()


def side(value: Any) -> int:
    """Accept the side of a picture in pixels."""
    least, most = _SIDES
    if type(value) is not int or not least <= value <= most:
        raise FieldError(f"expected {least} to {most} pixels, got {shown(value)}")
    return value


DECORATION: Mapping[str, Rule] = {"badge": avatar, "ring": colour, "size": side}


def decoration(value: Any) -> Decoration | None:
    """Accept a table of what is drawn on a brand's pictures; None where it changes nothing of them."""
    expected(value, dict, '{ badge = "badge.png" }')
    fields, wrong = _fields(value, DECORATION)
    if wrong:
        raise FieldError("avatar", *wrong)
    drawn = Decoration(**fields)
    return None if drawn == Decoration() else drawn


def _fields(value: Mapping[str, Any], known: Mapping[str, Rule]) -> tuple[dict[str, Any], list[tuple[Path, str]]]:
    """Return what a small table holds by these rules, and everything that is wrong with it, by its path there."""
    fields: dict[str, Any] = {}
    wrong: list[tuple[Path, str]] = []
    for key, part in value.items():
        try:
            if key not in known:
                raise FieldError(f"unknown key{did_you_mean(key, known)}")  # noqa: TRY301 - noted with the others
            fields[key] = known[key](part)
        except FieldError as error:
            wrong += [((key, *below), message) for below, message in error.problems]
    return fields, wrong


def consent(value: Any) -> Consent:
    """Accept a table of what a person has agreed to."""
    expected(value, dict, "{ name = true, photo = true }")
    fields, wrong = _fields(value, CONSENT)
    wrong += [((key,), "missing; true or false") for key in ("name", "photo") if key not in value]
    if not wrong and "given" in fields and "expires" in fields and fields["expires"] < fields["given"]:
        wrong.append((("expires",), f"before the day on which it was given, {fields['given']}"))
    if wrong:
        raise FieldError("consent", *wrong)
    return Consent(**fields)


def agent_key(value: Any) -> str:
    """Accept what an agent may be called in the roster."""
    expected(value, str, '"alice"')
    if not rules.is_key(value):
        raise FieldError(f"expected an agent's key, of lower-case letters, digits, - and _, got {shown(value)}")
    return str(value)


def moved(value: Any) -> list[dict[str, Any]]:
    """Accept an array of tables; what each holds is judged by `roster.moves`."""
    return _tables(value, "[[moved]]", MOST_AGENTS)


def waivers(value: Any) -> list[dict[str, Any]]:
    """Accept an array of tables; what each holds is judged by `roster.checks.waivers`."""
    return _tables(value, "[[policy.waivers]]", _MOST_WAIVERS)


def _tables(value: Any, head: str, most: int) -> list[dict[str, Any]]:
    if type(value) is not list or any(type(entry) is not dict for entry in value):
        raise FieldError(f"expected tables that begin with {head}, got {shown(value)}")
    if len(value) > most:
        raise FieldError(f"{len(value)} entries, at most {most}")
    return value


# An empty array could be read as nobody or as everybody.
operators = rules.os_users("names nobody; leave it out to let anybody with the credentials send", most=_MOST_OPERATORS)
recipients = rules.array_of(partial(re.fullmatch, _RECIPIENT), 'ids in quotes such as "12345" or @handles')
impersonation = rules.array_of(
    lambda name: name.strip() and len(name) <= rules.LONGEST_TEXT,
    f"names of at most {rules.LONGEST_TEXT} characters",
    most=_MOST_PROTECTED,
)
markers = rules.array_of(
    lambda word: word.strip() and len(word) <= MAX_NAME,
    f'words such as "bot", of at most {MAX_NAME} characters',
    "no words; leave the language out to keep its usual ones",
    most=_MOST_MARKERS,
)

ROOT: Mapping[str, Rule] = {
    "version": rules.version,
    **dict.fromkeys(("brands", "policy", "defaults", "agents"), rules.table),
    "moved": moved,
}
MOVED: Mapping[str, Rule] = {"from": agent_key, "to": agent_key}
BRAND: Mapping[str, Rule] = {
    "handle": handle,
    "language": language,
    "fallback": rules.choice("none", "sign-off"),
    "privacy_url": web_page,
    "avatar": decoration,
}
POLICY: Mapping[str, Rule] = {
    "max_deletes": rules.count,
    "max_delete_ratio": rules.ratio,
    "retire_after": rules.duration,
    "settle_after": rules.duration,
    "disclosure": rules.choice("enforce", "warn"),
    "test_recipients": recipients,
    "timezone": timezone,
    "audit_text": rules.flag,
    "consent": rules.choice("require", "record", "off"),
    "when_withdrawn": rules.choice("none", "sign-off"),
    "ai_faces": rules.choice("refuse", "record"),
    "bot_markers": rules.table,
    "impersonation": impersonation,
    "waivers": waivers,
}
WAIVER: Mapping[str, Rule] = {"rule": text, "agent": agent_key, "reason": text, "until": rules.day}
DIFFERENCE: Mapping[str, Rule] = {  # what of an agent may differ from brand to brand
    "name": rules.string,  # what it may hold is judged once its pattern is filled in
    "avatar": avatar,
    "operators": operators,
    "first": text,
    "last": text,
    "legal_name": text,
    "title": text,
    "surname_is": text,
    "from": rules.day,
    "until": rules.day,
    "labels": labels,
    "protected": rules.flag,
}
AGENT: Mapping[str, Rule] = {**DIFFERENCE, "kind": kind, "brands": lambda value: value, "consent": consent}
