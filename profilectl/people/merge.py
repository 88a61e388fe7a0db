"""Agents of a list against those of a roster: what would be added, set or removed, and the edit of the text.

Only the lines of the change are touched: every comment, order and line ending outside of them stays, byte for byte.
Whether the edited text says what was intended, and nothing else, is read back from it before it is written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from profilectl.errors import InputRefused, RosterRefused
from profilectl.people.entries import Entry
from profilectl.people.mapping import FIELDS
from profilectl.roster import name_templates
from profilectl.text.escape import visible
from profilectl.text.names import normalise
from profilectl.toml.document import load

_HEADER: Final = re.compile(r"[ \t]*\[{1,2}[ \t]*([^\]#\r\n]+?)[ \t]*\]{1,2}[ \t]*(#[^\r\n]*)?\r?\n?")
_LINE: Final = re.compile(r"[^\n]*\n|[^\n]+")
_REMARK: Final = re.compile(r"[ \t]*(#[^\r\n]*)?\r?\n?")


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


def usual_values(tables: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Return what a roster says of an agent in all brands: its own fields, and the defaults for the others."""
    defaults, own = tables.get("defaults"), agents_of(tables).get(key)
    return {**(defaults if isinstance(defaults, dict) else {}), **(own if isinstance(own, dict) else {})}


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


def edit(text: str, comparison: Comparison) -> str:
    """Return a roster's text with what a list changes, and every other byte as it was.

    Raises:
        InputRefused: an agent isn't written as a table of its own, so that a person has to change it.
    """
    from tomlkit.exceptions import TOMLKitError

    lines = _LINE.findall(text)
    end = "\r\n" if "\r\n" in text else "\n"
    expected = _intended(load(text.removeprefix("\ufeff"), "roster.toml"), comparison)
    values: dict[str, dict[str, Any]] = {}
    for change in comparison.changes:
        values.setdefault(change.agent, {})[change.field] = change.after
    try:
        edited = _edited(lines, values, comparison, end)
        is_as_intended = load(edited.removeprefix("\ufeff"), "roster.toml") == expected
    except (RosterRefused, TOMLKitError):  # what looked like a table was none, as in a text of many lines
        is_as_intended = False
    if not is_as_intended:
        named = ", ".join([*values, *comparison.removed, *(key for key, _ in comparison.added)][:5])
        raise InputRefused(
            f"the roster can't be edited at {named} without touching more; nothing was written",
            hint="write every agent as a table of its own, [agents.KEY], or make this change by hand",
        )
    return edited


def _edited(lines: list[str], values: Mapping[str, Mapping[str, Any]], comparison: Comparison, end: str) -> str:
    # From the end, so that the numbers of the lines before stay as they are.
    for name, start, stop in reversed(_sections(lines)):
        key = name[1] if len(name) > 1 and name[0] == "agents" else ""
        last = _last_value(lines, start, stop)
        if key in comparison.removed:
            del lines[start : last + 1]
        elif key in values and len(name) == 2:
            lines[start : last + 1] = [_with_fields("".join(lines[start : last + 1]), key, values[key], end)]
    edited = "".join(lines)
    if comparison.added and edited and not edited.endswith("\n"):
        edited += end
    return edited + "".join(_block(key, fields, end) for key, fields in comparison.added)


def _intended(tables: dict[str, Any], comparison: Comparison) -> dict[str, Any]:
    agents = {key: dict(table) for key, table in agents_of(tables).items() if key not in comparison.removed}
    for change in comparison.changes:
        agents[change.agent][change.field] = change.after
    agents |= {key: dict(values) for key, values in comparison.added}
    return {**tables, "agents": agents} if agents or "agents" in tables else tables


def _block(key: str, values: Mapping[str, Any], end: str) -> str:
    lines = ["", f"[agents.{key}]", *(f"{field} = {as_toml(value)}" for field, value in values.items()), ""]
    return end.join(lines)


def as_toml(value: Any) -> str:
    """Return a field's value as TOML writes it."""
    import tomlkit

    return str(tomlkit.item(value).as_string())


def _sections(lines: Sequence[str]) -> list[tuple[tuple[str, ...], int, int]]:
    """Return each table's name with the numbers of its header's line and of the line behind it."""
    starts = [(_name(match[1]), number) for number, line in enumerate(lines) if (match := _HEADER.fullmatch(line))]
    ends = [number for _, number in starts[1:]] + [len(lines)]
    return [(name, start, end) for (name, start), end in zip(starts, ends, strict=False)]


def _name(header: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in header.split("."))


def _with_fields(table: str, key: str, values: Mapping[str, Any], end: str) -> str:
    """Return the lines of an agent's table with fields set: in their own lines, or behind all others."""
    import tomlkit

    document = tomlkit.parse(table if table.endswith("\n") else table + end)
    agents: Any = document["agents"]
    for field, value in values.items():
        if field in agents[key]:
            agents[key][field] = value
    missing = (f"{field} = {as_toml(value)}{end}" for field, value in values.items() if field not in agents[key])
    return tomlkit.dumps(document) + "".join(missing)


def _last_value(lines: Sequence[str], start: int, stop: int) -> int:
    """Return the number of a table's last line that is neither empty nor a comment, which may be its header's.

    The comments behind it belong to what follows.
    """
    return next(number for number in range(stop - 1, start - 1, -1) if not _REMARK.fullmatch(lines[number]))
