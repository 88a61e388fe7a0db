"""Where each value of an agent comes from: the layers of a roster, one beside the other.

The defaults come first, then what they say of a brand, then the agent's own table, then what that says of the brand.
"""

from __future__ import annotations

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
        (*layer.path, field)[:end]
        for entry in entries
        for layer in entry.layers
        for field in layer.values
        for end in range(1, len(layer.path) + 2)
    }
    positions = Positions(text, paths.__contains__)
    values = []
    for entry in entries:
        fields = dict.fromkeys(field for layer in reversed(entry.layers) for field in layer.values if field != "brands")
        for field in fields:
            is_used = True
            for layer in reversed(entry.layers):
                if field in layer.values:
                    path: Path = (*layer.path, field)
                    place = positions.nearest(path)
                    value = layer.values[field]
                    values.append(
                        LayeredValue(entry.brand.key, field, value, dotted(layer.path), *place, is_used=is_used)
                    )
                    is_used = False
    return tuple(values)
