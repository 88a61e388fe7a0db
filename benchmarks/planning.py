"""What a large roster costs before anything is asked: reading it, and planning."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks.measure import Failed
from benchmarks.table import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sizes import Size
    from benchmarks.workshop import Workshop

_ROUNDS = 5


def measure(workshop: Workshop, size: Size) -> Iterator[Row]:
    """Yield the medians of a process that does it several times, and its memory."""
    desk = workshop.desk("planned", size.planned)
    sample = desk.script("planning", str(_ROUNDS))
    told = json.loads(sample.output)
    if told["changes"] != {"first": size.planned, "idle": 0}:
        raise Failed(f"the plans aren't what they should be: {told['changes']}")
    note = f"{size.planned:,} agents, in one process"
    for name, what in {"parse": "read the roster", "first": "plan a first sync", "idle": "plan a no-op sync"}.items():
        yield Row("planning", what, told[name] * 1000, "ms", note=note)
    yield Row("planning", "peak memory", sample.peak_bytes / 1e6, "MB", note=note)
