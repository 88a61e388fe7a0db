"""What a pruning has removed."""

from __future__ import annotations

from profilectl.model import Event
from profilectl.render.json_documents import Document
from profilectl.render.record.answers import counted


def pruned(place: str, before: str, event: Event | None) -> Document:
    """``profilectl.pruned/1``: what was removed; `event` is None where there was nothing to remove."""
    detail = {} if event is None else event.detail
    return {
        "schema": "profilectl.pruned/1",
        "place": place,
        "before": before,
        "records": detail.get("records", 0),
        "first": detail.get("first"),
        "last": detail.get("last"),
        "dispatches": detail.get("dispatches", 0),
    }


def sentence(event: Event) -> str:
    """Return what was removed, in a sentence."""
    detail = event.detail
    records, first, last = (int(detail.get(key) or 0) for key in ("records", "first", "last"))
    return f"removed texts and recipients from {counted(records, 'record')}, from record {first} to record {last}"
