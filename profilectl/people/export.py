"""A roster as a list of people, such as `importing` reads: into the roster that it came from, it changes nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from profilectl.people.mapping import FIELDS, as_cell
from profilectl.people.merge import agents_of, public_name, usual_values

_LOOKS_GUARDED: Final = re.compile(r"'+\s*[=+\-@|%＝＋－＠]")  # noqa: RUF001 - one apostrophe of it is taken off again
_PRIVATE: Final = "legal_name"


class Export(Struct, frozen=True):
    """A roster's agents as a list."""

    columns: tuple[str, ...]
    people: tuple[Mapping[str, str], ...]  # by column; without what an agent doesn't say
    left_out: tuple[str, ...]  # keys of agents who differ from brand to brand, in what a list has no columns for
    private: int  # legal names that were left out


def export(tables: Mapping[str, Any], *, with_legal_names: bool, keys: Collection[str] | None = None) -> Export:
    """Return the agents of a roster's tables as they are in all brands, names with their patterns filled in.

    `keys` are of those who are exported, None for all.
    """
    people = []
    left_out = []
    private = 0
    for key in agents_of(tables):
        if keys is not None and key not in keys:
            continue
        values = usual_values(tables, key)
        if isinstance(values.get("brands"), dict):
            left_out.append(key)
        private += _PRIVATE in values and not with_legal_names
        name = public_name(values)
        texts = {field: values[field] for field in FIELDS if field in values and not isinstance(values[field], dict)}
        texts |= {} if name is None else {"name": name}
        if not with_legal_names:
            texts.pop(_PRIVATE, None)
        people.append({"key": key, **{field: as_cell(value) for field, value in texts.items()}})
    columns = tuple(column for column in ("key", *FIELDS) if any(column in person for person in people))
    return Export(columns, tuple(people), tuple(left_out), private)


def csv_rows(people: Export) -> Iterator[Sequence[str]]:
    """Yield the cells of each person, for `render.spreadsheets`."""
    for person in people.people:
        yield [_cell(person.get(column, "")) for column in people.columns]


def _cell(text: str) -> str:
    return f"'{text}" if _LOOKS_GUARDED.match(text) else text


def json_lines(people: Export) -> Iterator[str]:
    """Yield a line of ASCII for each person."""
    for person in people.people:
        yield json.dumps({column: person[column] for column in people.columns if column in person})
