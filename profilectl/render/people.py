"""What a list of people changes in a roster, as rows and as a document; legal names are neither shown nor written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from profilectl.people.mapping import as_cell

if TYPE_CHECKING:
    from profilectl.people.importing import Import
    from profilectl.people.mapping import ColumnMapping
    from profilectl.people.tables import Table
    from profilectl.render.json_documents import Document

HEADERS = ("change", "agent", "field", "before", "after")
_PRIVATE = "(private)"


def rows(change: Import) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield a row for each field that gets a value, and for each agent that goes."""
    comparison = change.comparison
    for key, values in comparison.added:
        for field, value in values.items():
            yield ("add", key, field, "", _shown(field, value))
    for item in comparison.changes:
        yield ("set", item.agent, item.field, _shown(item.field, item.before), _shown(item.field, item.after))
    for key in change.repainted:
        yield ("set", key, "avatar", "", "another picture in the same file")
    for key in comparison.removed:
        yield ("remove", key, "", "", "")


def _shown(field: str, value: Any) -> str:
    if value is None:
        return ""
    return _PRIVATE if field == "legal_name" else as_cell(value)


def document(table: Table, mapping: ColumnMapping, change: Import, *, is_written: bool) -> Document:
    """``profilectl.import/1``: what a list of people changed in the roster, or would."""
    comparison = change.comparison
    return {
        "schema": "profilectl.import/1",
        "written": is_written,
        "file": table.file,
        "format": table.form,
        "encoding": table.encoding,
        "columns": [{"field": field, "column": header} for field, header in mapping.columns.items()],
        "added": [{"agent": key, "fields": _fields(values)} for key, values in comparison.added],
        "changed": [
            {
                "agent": item.agent,
                "field": item.field,
                "before": None if item.before is None else _shown(item.field, item.before),
                "after": _shown(item.field, item.after),
            }
            for item in comparison.changes
        ],
        "removed": list(comparison.removed),
        "missing": list(comparison.missing),
        "unchanged": comparison.unchanged,
        "pictures": [photo.path for photo in change.pictures],
        "drawn": list(change.drawn),
        "unmatched": list(change.unmatched),
        "unusable": list(change.unusable),
    }


def _fields(values: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"field": field, "value": _shown(field, value)} for field, value in values.items()]


def summary(change: Import) -> str:
    """Return in one line what is added, set and removed."""
    comparison = change.comparison
    set_agents = {item.agent for item in comparison.changes} | set(change.repainted)
    counts = {
        "added": len(comparison.added),
        "changed": len(set_agents),
        "removed": len(comparison.removed),
        "unchanged": comparison.unchanged - len(set_agents - {item.agent for item in comparison.changes}),
    }
    return ", ".join(f"{count} {word}" for word, count in counts.items())
