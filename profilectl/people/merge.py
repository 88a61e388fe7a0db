"""Agents of a list against those of a roster: what would be added, set or removed, and the edit of the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from profilectl.people.entries import Entry
from profilectl.people.mapping import FIELDS
from profilectl.roster import name_templates
from profilectl.roster.editing.apply import edited
from profilectl.roster.editing.edits import AddAgent, Batch, RemoveAgent, SetFields
from profilectl.roster.moves import read_moves
from profilectl.text.escape import visible
from profilectl.text.names import normalise
from profilectl.toml.paths import Path
from profilectl.toml.problems import ProblemList

_MARK: Final = "\ufeff"  # of the order of bytes, which some editors put first


class Change(Struct, frozen=True):
    """A field of an agent that gets another value; None: it had none."""

    agent: str
    field: str
    before: Any
    after: Any


class Comparison(Struct, frozen=True):
    """What a list changes in a roster."""

    added: tuple[tuple[str, Mapping[str, Any]], ...]  # keys with their fields, in the list's order
    changes: tuple[Change, ...]
    removed: tuple[str, ...]
    missing: tuple[str, ...]  # agents of the roster that the list doesn't name, and that stay
    unchanged: int

    @property
    def changes_anything(self) -> bool:
        """Whether the roster's text would be another one."""
        return bool(self.added or self.changes or self.removed)


def agents_of(tables: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the tables of a roster's agents by their keys, whatever they hold."""
    agents = tables.get("agents")
    return agents if isinstance(agents, dict) else {}


def moves_of(tables: Mapping[str, Any]) -> dict[str, str]:
    """Return the agents' keys by those that they had before, as a roster's [[moved]] tells."""
    entries = tables.get("moved")
    written = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    # what is wrong with an entry is told of the roster as it will be
    return {move.old: move.new for move in read_moves(written, agents_of(tables), ProblemList())}


def usual_values(tables: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return what a roster says of an agent in all brands: its own fields, and the defaults for the others."""
    defaults, own = tables.get("defaults"), agents_of(tables).get(key)
    return {**(defaults if isinstance(defaults, dict) else {}), **(own if isinstance(own, dict) else {})}


def pictures_in_use(tables: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return who has which picture, by its path: agents by their keys, the first path of each its usual one."""
    uses = [(key, usual_values(tables, key).get("avatar")) for key in agents_of(tables)]
    tables_of = {key: agent.get("brands") for key, agent in agents_of(tables).items() if isinstance(agent, dict)}
    for key, brands in tables_of.items():
        differences = brands.values() if isinstance(brands, dict) else ()
        uses += [(key, each.get("avatar")) for each in differences if isinstance(each, dict)]
    defaults, brands = tables.get("defaults"), tables.get("brands")
    uses += [("[defaults]", defaults.get("avatar"))] if isinstance(defaults, dict) else []
    for brand, table in brands.items() if isinstance(brands, dict) else ():
        marks = table.get("avatar") if isinstance(table, dict) else None
        uses += [(f"brand {brand}", marks.get("badge"))] if isinstance(marks, dict) else []
    return [(user, path) for user, path in uses if isinstance(path, str)]


def parts_in_use(tables: Mapping[str, Any]) -> set[str]:
    """Return the fields that a roster's name patterns draw on: of its defaults, its agents, and these in a brand."""
    agents = [agent for agent in agents_of(tables).values() if isinstance(agent, dict)]
    differences = [agent["brands"].values() for agent in agents if isinstance(agent.get("brands"), dict)]
    named = [tables.get("defaults"), *agents, *(each for brands in differences for each in brands)]
    names = [each.get("name") for each in named if isinstance(each, dict)]
    patterns = [name for name in names if isinstance(name, str) and name_templates.is_pattern(name)]
    return {
        field
        for pattern in patterns
        if not name_templates.pattern_problems(pattern)
        for field in name_templates.needs(pattern)
    }


def public_name(values: Mapping[str, Any]) -> str | None:
    """Return the name that an agent's fields give, its pattern filled in; None where they give none."""
    name = values.get("name")
    if not isinstance(name, str):
        return None
    if not name_templates.is_pattern(name):
        return normalise(name)
    if name_templates.pattern_problems(name):
        return None
    parts = {field: values.get(field) for field in name_templates.needs(name)}
    texts = {field: text for field, text in parts.items() if isinstance(text, str) and text.strip()}
    return normalise(name_templates.fill(name, texts)) if len(texts) == len(parts) else None


def compare(
    tables: Mapping[str, Any],
    entries: Sequence[Entry],
    pictures: Mapping[str, str],
    *,
    remove_missing: bool = False,
) -> Comparison:
    """Return what a list of people changes in a roster's tables.

    Args:
        tables: of the roster, as `load` returns them.
        entries: of the list; each with a key of its own.
        pictures: paths that the roster will have, by the keys of those whose list names a picture.
        remove_missing: remove the agents whom the list doesn't name; protected ones stay.
    """
    agents = agents_of(tables)
    added: list[tuple[str, Mapping[str, Any]]] = []
    changes: list[Change] = []
    unchanged = 0
    for entry in entries:
        current = usual_values(tables, entry.key)
        pattern = current.get("name")
        values = entry.values(pattern if isinstance(pattern, str) else None)
        if entry.key in pictures:
            values["avatar"] = pictures[entry.key]
        if entry.key not in agents:
            added.append((entry.key, _ordered(_unlike(values, current))))
            continue
        own = [Change(entry.key, field, current.get(field), value) for field, value in _unlike(values, current).items()]
        changes += own
        unchanged += not own
    named = {entry.key for entry in entries}
    missing = [key for key in agents if key not in named]
    removed = [key for key in missing if remove_missing and usual_values(tables, key).get("protected") is not True]
    kept = tuple(key for key in missing if key not in removed)
    return Comparison(tuple(added), tuple(changes), tuple(removed), kept, unchanged)


def _unlike(values: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that say something else than what is there already, defaults included."""
    return {field: value for field, value in values.items() if not _is_same(field, value, current)}


def _is_same(field: str, value: Any, current: Mapping[str, Any]) -> bool:
    before = current.get(field)
    if field == "name":
        name = public_name({"name": value, **{part: current.get(part) for part in ("first", "last", "title")}})
        return before == value or (name is not None and public_name(current) == name)
    if field in {"brands", "operators"} and isinstance(before, list | dict):
        return sorted(map(str, before)) == sorted(map(str, value))
    # A list that was exported spells out what can't be seen: such a cell changes nothing.
    return bool(before == value or (isinstance(before, str) and visible(before).strip() == value))


def _ordered(values: Mapping[str, Any]) -> dict[str, Any]:
    return {field: values[field] for field in FIELDS if field in values}


# The edit


def edit(text: str, file: str, comparison: Comparison) -> str:
    """Return a roster's text with what a list changes, and every other byte as it was, a byte order mark included.

    Raises:
        InputRefused: an agent is written so that a person has to change it.
    """
    values: dict[str, dict[Path, Any]] = {}
    for change in comparison.changes:
        values.setdefault(change.agent, {})[change.field,] = change.after
    batch = Batch(
        tuple(SetFields(key, fields) for key, fields in values.items()),
        tuple(map(RemoveAgent, comparison.removed)),
        tuple(AddAgent(key, fields) for key, fields in comparison.added),
    )
    content = text.removeprefix(_MARK)
    return text[: len(text) - len(content)] + edited(content, file, batch).text
