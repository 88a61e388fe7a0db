"""The rows of a list become entries of the roster: their fields are converted and judged, their keys made."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from profilectl.people.keys import Person, keys_of, slug
from profilectl.people.mapping import FIELDS, ColumnMapping, convert
from profilectl.people.tables import Problems, Row, Table
from profilectl.roster import name_templates
from profilectl.text.escape import excerpt
from profilectl.text.names import name_problems
from profilectl.toml.rules import FieldError

PATTERN: Final = "{first} {last_initial}."
"""The public name where a list has only given and family names: customers needn't know the latter."""

_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NO_MOVES: Final[Mapping[str, str]] = MappingProxyType({})


class Entry(Struct, frozen=True):
    """One person of a list, as an agent."""

    key: str
    row: Row
    person: Person
    fields: Mapping[str, Any]  # as the roster holds them; without a picture that has to be fetched first
    spare: Mapping[str, str]  # parts of a name that are written only where a pattern needs them
    picture: str = ""  # what the list says of it: an address or a path

    def values(self, pattern: str | None) -> dict[str, Any]:
        """Return the fields that are written, in the roster's order, where the name comes from a pattern or from here.

        `pattern` is the name that the roster gives the agent already, None where it gives none.
        """
        values = dict(self.fields)
        if "name" not in values:
            if pattern is None:
                values["name"] = name = self._own_pattern()
            else:
                name = pattern
            if name_templates.is_pattern(name) and not name_templates.pattern_problems(name):
                values |= {field: self.spare[field] for field in name_templates.needs(name) if field in self.spare}
        return {field: values[field] for field in FIELDS if field in values}

    def _own_pattern(self) -> str:
        return PATTERN if "last" in {*self.spare, *self.fields} else "{first}"

    @property
    def has_name(self) -> bool:
        """Whether the list says how the agent is called in public, if only in parts."""
        return "name" in self.fields or "first" in self.spare or "first" in self.fields


def as_written(name: str) -> str:
    """Return a public name as the roster writes it: a brace of it isn't the beginning of a pattern."""
    return name.replace("{", "{{").replace("}", "}}") if name_templates.is_pattern(name) else name


def read_entries(
    table: Table,
    mapping: ColumnMapping,
    known_keys: Callable[[str], bool],
    problems: Problems,
    moves: Mapping[str, str] = _NO_MOVES,
) -> list[Entry]:
    """Return an entry for each person; what is wrong with a row is noted in `problems`, and the row left out.

    `known_keys` says whether the roster has a key; `moves` has the agents' keys by those that they had before.
    """
    people = [person_of(row, mapping) for row in table.rows]
    entries: list[Entry] = []
    has_names = mapping.header("name") is not None or mapping.header("first") is not None
    # A list goes on to say what a key was made from, or had been, before somebody changed it.
    keys = [moves.get(key, key) for key in _keys(table.rows, people, mapping, problems)]
    for row, person, key in zip(table.rows, people, keys, strict=True):
        if is_made_up(key, person):
            problems.call(key, person.written_name)
        entry = _entry(row, person, key, mapping, problems)
        if has_names and not entry.has_name and not known_keys(key):
            problems.note((row.line, 1), key, "no name: --map name=COLUMN says which column has it")
        entries.append(entry)
    if not has_names and not all(known_keys(entry.key) for entry in entries):
        listed = ", ".join(excerpt(header, 40) for header in table.headers[:30])
        problems.note((1, 1), "", f"no column is known to have names: --map name=COLUMN says which; there are {listed}")
    _refuse_twins(entries, mapping, known_keys, problems)
    return entries


def person_of(row: Row, mapping: ColumnMapping) -> Person:
    """Return what a key is made from."""
    return Person(*(mapping.text(row.cells, field) for field in ("email", "first", "last", "name")))


def is_made_up(key: str, person: Person) -> bool:
    """Say whether a key ends with digits that the list doesn't have, and the list has a name for the person."""
    return key.endswith(f"-{person.digest}") and bool(person.written_name)


def _keys(rows: Sequence[Row], people: Sequence[Person], mapping: ColumnMapping, problems: Problems) -> list[str]:
    """Return the key of each row: the one that it names, else one that is made for it."""
    header = mapping.header("key")
    made = iter(keys_of([person for row, person in zip(rows, people, strict=True) if not row.cells.get(header or "")]))
    keys: list[str] = []
    for row in rows:
        key = row.cells.get(header or "") or next(made)
        if not _KEY.fullmatch(key):
            advice = f', such as "{slug(key)}"' if slug(key) else ""
            message = f"a key has 1 to 64 lower-case letters, digits, - and _, and no - or _ first{advice}"
            problems.note(row.place(header), excerpt(key, 40), message)
        keys.append(key)
    return keys


def _entry(row: Row, person: Person, key: str, mapping: ColumnMapping, problems: Problems) -> Entry:
    fields: dict[str, Any] = {}
    spare: dict[str, str] = {}
    picture = ""
    for field in FIELDS:
        header = mapping.header(field)
        text = mapping.text(row.cells, field)
        if not text:
            continue
        if field == "avatar":
            picture = text
        elif field in {"first", "last", "title"} and field not in mapping.given:
            spare[field] = text
        else:
            try:
                fields[field] = as_written(text) if field == "name" else convert(field, text)
            except FieldError as error:
                problems.note(row.place(header), f"{key}.{field}", str(error))
    for message in name_problems(person.name) if "name" in fields else ():
        problems.note(row.place(mapping.header("name")), f"{key}.name", message)
    return Entry(key, row, person, fields, spare, picture)


def _refuse_twins(
    entries: Sequence[Entry], mapping: ColumnMapping, known_keys: Callable[[str], bool], problems: Problems
) -> None:
    """Note people who share a key, and those whose usual key is somebody's in the roster, who may be either."""
    header = mapping.header("key")
    lines: dict[str, int] = {}
    usual: dict[str, int] = {}
    for entry in entries:
        if entry.key in lines:
            message = f"the same person as in line {lines[entry.key]}, or keys are needed: --map key=COLUMN"
            problems.note(entry.row.place(header), entry.key, message)
        lines.setdefault(entry.key, entry.row.line)
        short = keys_of([entry.person])[0]
        if header is not None and entry.row.cells.get(header):
            continue
        if short != entry.key and known_keys(short) and short in usual:
            message = f'the roster\'s "{short}" may be this person or that of line {usual[short]}: add a column "key"'
            problems.note((entry.row.line, 1), entry.key, message)
        usual.setdefault(short, entry.row.line)
