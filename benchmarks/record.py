"""What a long record costs commands that ask it something: a million messages, against none."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.measure import interleave
from benchmarks.table import Goal, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measure import Sample
    from benchmarks.sizes import Size
    from benchmarks.workshop import Desk, Workshop

_COMMANDS = {
    "doctor": ("doctor",),
    "diff": ("diff",),
    "TAB after a send": ("__complete", "agents"),
}
_MORE = Goal(0.3)  # seconds
_MEMORY = Goal(120)  # MB


def measure(workshop: Workshop, size: Size) -> Iterator[Row]:
    """Yield the seconds that each command takes more, and the most memory that one takes."""
    desk = workshop.desk("unwritten", size.addressed)
    with workshop.server() as server:
        desk.sync(server.url, 8)
        busy = replace(desk, folder=workshop.folder / "busy")
        shutil.copytree(desk.folder, busy.folder)
        busy.script("messages", str(size.recorded))
        contestants = {
            (name, place.folder.name): partial(_run, place, server.url, words)
            for name, words in _COMMANDS.items()
            for place in (desk, busy)
        }
        samples = interleave(contestants, size.sync_rounds)
    note = f"{size.recorded:,} records of messages"
    for name in _COMMANDS:
        more = samples[name, "busy"].median - samples[name, "unwritten"].median
        yield Row("record", f"{name}, more than without", more, "s", goal=_MORE, note=note)
    peak = max(samples[name, "busy"].peak_bytes for name in _COMMANDS)
    yield Row("record", "peak memory", peak / 1e6, "MB", goal=_MEMORY, note=note)


def _run(desk: Desk, url: str, words: tuple[str, ...]) -> Sample:
    shutil.rmtree(desk.env["XDG_CACHE_HOME"], ignore_errors=True)  # TAB reads the ledger anew after every change of it
    return desk.profilectl(*words, url=url)
