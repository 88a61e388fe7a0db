"""The text of a roster becomes a `Roster`, or one refusal with every problem in it, or as much as can be read.

Pure: whether avatars exist and whether somebody's last day is over is judged elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from profilectl.errors import RosterRefused
from profilectl.model import Agent, Brand, Policy, Problem, Roster
from profilectl.roster import schema
from profilectl.roster.agents import AgentReader, Entry
from profilectl.roster.checks.waivers import read_waivers
from profilectl.roster.disclosure import MARKERS, markers_for
from profilectl.roster.moves import read_moves
from profilectl.roster.unknown_keys import read_table
from profilectl.toml.document import decode, load, refusal
from profilectl.toml.paths import Path, dotted
from profilectl.toml.problems import ProblemList, ReadingStopped
from profilectl.toml.rules import FieldError, check_key, shown

_MOST_LANGUAGES = 200  # with bot markers; ISO 639-1 has as many
VERSION = 1  # of the roster's format
_AGENT_HEADER = re.compile(r"^[ \t]*\[[ \t]*agents[ \t]*\.[ \t]*([a-z0-9_-]+)[ \t]*\]", re.MULTILINE)


Today = Callable[[str], date]
"""Tells the date in a time zone of the IANA's database."""


class PartialRoster(Struct, frozen=True):
    """A roster as far as it can be read."""

    agents: tuple[Agent, ...]  # without those that have errors
    named: int  # the agents that the file names, with errors or not
    problems: tuple[Problem, ...]
    brands: tuple[Brand, ...] = ()  # those with errors as well
    policy: Policy = Policy()
    faulty: tuple[Agent, ...] = ()  # agents with errors whose picture can be looked at; without a name


class _Reading(Struct, frozen=True):
    """What a text says, without the agents that have errors."""

    roster: Roster
    named: int
    faulty: tuple[Agent, ...]


def parse(text: str, file: str, today: Today | None = None) -> Roster:
    """Return the roster that a TOML text describes, with its warnings in file order; problems call it `file`.

    `today` tells the date in a time zone; without it waivers aren't judged by their end.

    Raises:
        RosterRefused: there is at least one error; `problems` holds all errors and warnings, in file order.
    """
    text = text.removeprefix("\ufeff")  # tomli refuses it
    problems = ProblemList()
    reading = _read(text, file, problems, today)
    placed = problems.placed(text, file)
    if problems.errors:
        raise refusal(placed, file)
    return replace(reading.roster, warnings=placed)


def parse_partially(content: bytes, file: str, today: Today | None = None) -> PartialRoster:
    """Return what can be read of a roster, whatever is wrong with the rest; `today` as for `parse`."""
    problems = ProblemList()
    try:
        text = decode(content, file)
        reading = _read(text, file, problems, today)
    except RosterRefused as error:
        # Not UTF-8, TOML or of this version: then the headers say how many agents nothing is known of.
        headers = _AGENT_HEADER.findall(content.decode("utf-8", "replace"))
        return PartialRoster((), len(set(headers)), error.problems)
    roster, placed = reading.roster, problems.placed(text, file)
    return PartialRoster(roster.agents, reading.named, placed, roster.brands, roster.policy, reading.faulty)


def _read(text: str, file: str, problems: ProblemList, today: Today | None) -> _Reading:
    """Return what a text says.

    Raises:
        RosterRefused: the text isn't TOML, is of a later version, or has too much in it or wrong with it.
    """
    tables = load(text, file)
    try:
        return _roster(tables, text, problems, today)
    except ReadingStopped:
        raise refusal(problems.placed(text, file), file) from None


def read_layers(text: str, file: str, key: str) -> tuple[Entry, ...]:
    """Return what each layer of a roster says about one agent, an entry for each of its brands.

    Raises:
        RosterRefused: the text isn't TOML.
    """
    problems = ProblemList()
    roots = read_table(load(text, file), schema.ROOT, (), problems)
    policy = _policy(roots.get("policy") or {}, problems, None)
    return AgentReader(roots, _brands(roots, problems), policy, problems).entries_of(key)


def _roster(tables: Mapping[str, Any], text: str, problems: ProblemList, today: Today | None) -> _Reading:
    version = tables.get("version")
    if type(version) is int and version > VERSION:  # nothing else of it can be judged
        problems.stop(
            ("version",), f"this roster is newer than this profilectl, which reads version {VERSION}", "version"
        )
    roots = read_table(tables, schema.ROOT, (), problems)
    if "version" not in roots:
        problems.error(("version",), "missing; a roster begins with `version = 1`", "version")
    policy = _policy(roots.get("policy") or {}, problems, today)
    brands = _brands(roots, problems)
    _require_markers(brands, policy, problems)
    named = roots.get("agents") or ()
    reader = AgentReader(roots, brands, policy, problems)
    agents = reader.agents(_headers(text, named))
    moves = read_moves(roots.get("moved") or (), named, problems)
    busy = {agent.brand for agent in agents}
    for key in brands:
        if key not in busy and not problems.errors:  # an error may be why
            problems.warning(("brands", key), "no agent belongs to this brand", "idle-brand")
    roster = Roster(tuple(brands.values()), agents, policy, text=text, moved=moves)
    return _Reading(roster, len(named), tuple(reader.faulty))


def _policy(table: Mapping[str, Any], problems: ProblemList, today: Today | None) -> Policy:
    values = read_table(table, schema.POLICY, ("policy",), problems)
    values["bot_markers"] = {**MARKERS, **_own_markers(values.get("bot_markers") or {}, problems)}
    timezone = values.get("timezone") or "UTC"
    day = None if today is None else partial(today, timezone)
    values["waivers"] = read_waivers(values.get("waivers") or (), problems, day)
    return Policy(**{key: value for key, value in values.items() if value is not None})


def _own_markers(table: Mapping[str, Any], problems: ProblemList) -> dict[str, tuple[str, ...]]:
    path: Path = ("policy", "bot_markers")
    own: dict[str, tuple[str, ...]] = {}
    if len(table) > _MOST_LANGUAGES:
        problems.error(path, f"{len(table)} languages, at most {_MOST_LANGUAGES}", "size")
        return own
    for language, value in table.items():
        try:
            own[schema.language(language).lower()] = schema.markers(value)
        except FieldError as error:
            for below, message in error.problems:
                problems.error((*path, language, *below), message)
    return own


def _brands(roots: Mapping[str, Any], problems: ProblemList) -> dict[str, Brand]:
    # A brand with errors stays in, so that it isn't called unknown on top wherever it is named.
    tables = roots.get("brands")
    if not tables and ("brands" not in roots or tables is not None):
        message = 'no brand; name the account that speaks: [brands.acme] with handle = "acmecare"'
        problems.error(("brands",), message, "no-brand")
    if tables and len(tables) > schema.MOST_BRANDS:
        problems.stop(("brands",), f"{len(tables)} brands, at most {schema.MOST_BRANDS}")
    brands = {key: _brand(key, table, problems) for key, table in (tables or {}).items()}
    owners: dict[str, str] = {}
    for key, brand in brands.items():
        other = owners.setdefault(brand.handle.lower(), key)  # X's handles are equal in any case
        if brand.handle and other != key:
            problems.error(("brands", key, "handle"), f"the handle of {dotted(('brands', other))} as well", "brands")
    return brands


def _brand(key: str, table: Any, problems: ProblemList) -> Brand:
    path: Path = ("brands", key)
    check_key(path, problems)
    if type(table) is not dict:
        problems.error(path, f"expected a table such as [brands.acme], got {shown(table)}")
        return Brand(key, "")
    values = read_table(table, schema.BRAND, path, problems)
    if "handle" not in values:
        problems.error((*path, "handle"), "missing; it is the account's name at X, without the @", "missing")
    given = {field: value for field, value in values.items() if value is not None}
    decoration = given.pop("avatar", None)
    return Brand(key, **{"handle": "", **given}, decoration=decoration)


def _require_markers(brands: Mapping[str, Brand], policy: Policy, problems: ProblemList) -> None:
    report = problems.error if policy.disclosure == "enforce" else problems.warning
    for brand in brands.values():
        if not markers_for(brand.language, policy.bot_markers):
            advice = f'set them in [policy.bot_markers]: {brand.language} = ["…"]'
            message = f'no bot markers are known for "{brand.language}"; {advice}'
            report(("brands", brand.key, "language"), message, "disclosure")


def _headers(text: str, agents: Collection[str]) -> dict[str, int]:
    """Return the line on which each agent begins."""
    # Ordinary headers are searched for, as the scan takes almost as long as all of the rest. Agents spelled otherwise
    # get it, and so do multi-line strings, which may hold what looks like a header.
    lines: dict[str, int] = {}
    line, seen = 1, 0
    for header in _AGENT_HEADER.finditer(text):
        line += text.count("\n", seen, header.start())
        seen = header.start()
        lines[header[1]] = line
    if '"""' not in text and "'''" not in text and lines.keys() >= set(agents):
        return lines
    from profilectl.toml.positions import Positions

    positions = Positions(text, lambda path: path[0] == "agents" and len(path) == 2)
    return {key: positions.nearest(("agents", key))[0] for key in agents}
