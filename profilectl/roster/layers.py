"""Where each value of an agent comes from: the layers of a roster, one beside the other.

The defaults come first, then what they say of a brand, then the agent's own table, then what that says of the brand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from profilectl.roster.parser import read_layers
from profilectl.toml.paths import Path, dotted
from profilectl.toml.positions import Positions


class LayeredValue(Struct, frozen=True):
    """What one layer says of one field of an agent in one brand."""

    brand: str
    field: str
    value: Any  # as the roster's rules return it
    table: str  # where it stands, such as "agents.alice.brands.acme"
    line: int
    column: int
    is_used: bool  # no later layer says otherwise


def explain(text: str, file: str, key: str) -> tuple[LayeredValue, ...]:
    """Return every value that the layers of a roster without errors have for an agent, brand by brand.

    The one that is used comes first, then those that it wins against, from the nearest to the defaults.

    Raises:
        RosterRefused: the text isn't TOML.
    """
    entries = read_layers(text, file, key)
    paths = {
        (*layer.path, *path)[:end]
        for entry in entries
        for layer in entry.layers
        for path, _ in _flat(layer.values)
        for end in range(1, len(layer.path) + len(path) + 1)
    }
    positions = Positions(text, paths.__contains__)
    values = []
    for entry in entries:
        layers = [(layer.path, dict(_flat(layer.values))) for layer in reversed(entry.layers)]
        for path in dict.fromkeys(path for _, fields in layers for path in fields):
            is_used = True
            for table, fields in layers:
                if path in fields:
                    place = positions.nearest((*table, *path))
                    field = ".".join(map(str, path))
                    layered = LayeredValue(entry.brand.key, field, fields[path], dotted(table), *place, is_used=is_used)
                    values.append(layered)
                    is_used = False
    return tuple(values)


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield a layer's fields; those of a table that layers add to, such as labels, one by one."""
    for field, value in values.items():
        if isinstance(value, Mapping) and field != "brands":
            yield from (((field, key), part) for key, part in value.items())
        elif field != "brands":
            yield (field,), value
