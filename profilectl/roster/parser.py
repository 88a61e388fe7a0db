"""The text of a roster becomes a `Roster`, or one refusal with every problem in it, or as much as can be read.

Pure: whether avatars exist and whether somebody's last day is over is judged elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from profilectl.errors import RosterRefused
from profilectl.model import Agent, Brand, Policy, Problem, Roster
from profilectl.roster import schema
from profilectl.roster.agents import AgentReader, Entry
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


class PartialRoster(NamedTuple):
    """A roster as far as it can be read."""

    agents: tuple[Agent, ...]  # without those that have errors
    named: int  # the agents that the file names, with errors or not
    problems: tuple[Problem, ...]
    brands: tuple[Brand, ...] = ()  # those with errors as well
    policy: Policy = Policy()


def parse(text: str, file: str) -> Roster:
    """Return the roster that a TOML text describes, with its warnings in file order; problems call it `file`.

    Raises:
        RosterRefused: there is at least one error; `problems` holds all errors and warnings, in file order.
    """
    text = text.removeprefix("\ufeff")  # tomli refuses it
    problems = ProblemList()
    roster, _ = _read(text, file, problems)
    placed = problems.placed(text, file)
    if problems.errors:
        raise refusal(placed, file)
    return replace(roster, warnings=placed)


def parse_partially(content: bytes, file: str) -> PartialRoster:
    """Return what can be read of a roster, whatever is wrong with the rest."""
    problems = ProblemList()
    try:
        text = decode(content, file)
        roster, named = _read(text, file, problems)
    except RosterRefused as error:
        # Not UTF-8, TOML or of this version: then the headers say how many agents nothing is known of.
        headers = _AGENT_HEADER.findall(content.decode("utf-8", "replace"))
        return PartialRoster((), len(set(headers)), error.problems)
    return PartialRoster(roster.agents, named, problems.placed(text, file), roster.brands, roster.policy)


def _read(text: str, file: str, problems: ProblemList) -> tuple[Roster, int]:
    """Return the roster without the agents that have errors, and the number of agents that the text names.

    Raises:
        RosterRefused: the text isn't TOML, is of a later version, or has too much in it or wrong with it.
    """
    tables = load(text, file)
    try:
        return _roster(tables, text, problems)
    except ReadingStopped:
        raise refusal(problems.placed(text, file), file) from None


def read_layers(text: str, file: str, key: str) -> tuple[Entry, ...]:
    """Return what each layer of a roster says about one agent, an entry for each of its brands.

    Raises:
        RosterRefused: the text isn't TOML.
    """
    problems = ProblemList()
    roots = read_table(load(text, file), schema.ROOT, (), problems)
    policy = _policy(roots.get("policy") or {}, problems)
    return AgentReader(roots, _brands(roots, problems), policy, problems).entries_of(key)


def _roster(tables: Mapping[str, Any], text: str, problems: ProblemList) -> tuple[Roster, int]:
    version = tables.get("version")
    if type(version) is int and version > VERSION:  # nothing else of it can be judged
        problems.stop(("version",), f"this roster is newer than this profilectl, which reads version {VERSION}")
    roots = read_table(tables, schema.ROOT, (), problems)
    if "version" not in roots:
        problems.error(("version",), "missing; a roster begins with `version = 1`")
    policy = _policy(roots.get("policy") or {}, problems)
    brands = _brands(roots, problems)
    _require_markers(brands, policy, problems)
    named = roots.get("agents") or ()
    agents = AgentReader(roots, brands, policy, problems).agents(_headers(text, named))
    moves = read_moves(roots.get("moved") or (), named, problems)
    busy = {agent.brand for agent in agents}
    for key in brands:
        if key not in busy and not problems.errors:  # an error may be why
            problems.warning(("brands", key), "no agent belongs to this brand")
    return Roster(tuple(brands.values()), agents, policy, text=text, moved=moves), len(named)


def _policy(table: Mapping[str, Any], problems: ProblemList) -> Policy:
    values = read_table(table, schema.POLICY, ("policy",), problems)
    values["bot_markers"] = {**MARKERS, **_own_markers(values.get("bot_markers") or {}, problems)}
    return Policy(**{key: value for key, value in values.items() if value is not None})


def _own_markers(table: Mapping[str, Any], problems: ProblemList) -> dict[str, tuple[str, ...]]:
    path: Path = ("policy", "bot_markers")
    own: dict[str, tuple[str, ...]] = {}
    if len(table) > _MOST_LANGUAGES:
        problems.error(path, f"{len(table)} languages, at most {_MOST_LANGUAGES}")
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
        problems.error(("brands",), 'no brand; name the account that speaks: [brands.acme] with handle = "acmecare"')
    if tables and len(tables) > schema.MOST_BRANDS:
        problems.stop(("brands",), f"{len(tables)} brands, at most {schema.MOST_BRANDS}")
    brands = {key: _brand(key, table, problems) for key, table in (tables or {}).items()}
    owners: dict[str, str] = {}
    for key, brand in brands.items():
        other = owners.setdefault(brand.handle.lower(), key)  # X's handles are equal in any case
        if brand.handle and other != key:
            problems.error(("brands", key, "handle"), f"the handle of {dotted(('brands', other))} as well")
    return brands


def _brand(key: str, table: Any, problems: ProblemList) -> Brand:
    path: Path = ("brands", key)
    check_key(path, problems)
    if type(table) is not dict:
        problems.error(path, f"expected a table such as [brands.acme], got {shown(table)}")
        return Brand(key, "")
    values = read_table(table, schema.BRAND, path, problems)
    if "handle" not in values:
        problems.error((*path, "handle"), "missing; it is the account's name at X, without the @")
    return Brand(key, **{"handle": "", **{field: value for field, value in values.items() if value is not None}})


def _require_markers(brands: Mapping[str, Brand], policy: Policy, problems: ProblemList) -> None:
    report = problems.error if policy.disclosure == "enforce" else problems.warning
    for brand in brands.values():
        if not markers_for(brand.language, policy.bot_markers):
            advice = f'set them in [policy.bot_markers]: {brand.language} = ["…"]'
            report(("brands", brand.key, "language"), f'no bot markers are known for "{brand.language}"; {advice}')


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
