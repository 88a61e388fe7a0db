"""The sync that cron runs every day: nothing changes, so as little as possible is asked, read and kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks.measure import Failed, interleave
from benchmarks.table import Goal, Row, compared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measure import Sample
    from benchmarks.sizes import Size
    from benchmarks.workshop import Desk, Workshop

_PAGE = 50


def measure(workshop: Workshop, size: Size) -> Iterator[Row]:
    """Yield time, memory, calls and opened pictures of a sync that has nothing to do."""
    desk = workshop.desk("idle", size.synced)
    with workshop.server() as server:
        first = desk.sync(server.url, 8)
        samples = interleave({"idle": lambda: _sync(desk, server.url)}, size.sync_rounds, 0)["idle"]
        before = server.counts()
        last = json.loads(_sync(desk, server.url).output)["requests"]
        seen = {kind: number - before[kind] for kind, number in server.counts().items() if number != before[kind]}
        watched = _watch(desk, server.url)
    if seen != {"verify": last["other"], "list": last["list"]}:
        raise Failed(f"the server has seen {seen}, and the program tells of {last}")
    note = f"no-op sync of {size.synced:,}"
    yield compared("idle", "time", samples, note=note)
    yield Row("idle", "peak memory", samples.peak_bytes / 1e6, "MB", goal=Goal(90), note=note)
    yield Row("idle", "peak memory", first.peak_bytes / 1e6, "MB", note=f"first sync of {size.synced:,}, 8 jobs")
    pages = -(-size.synced // _PAGE)
    told = ", ".join(f"{kind} {number}" for kind, number in sorted(seen.items()))
    yield Row("idle", "calls", sum(seen.values()), "calls", goal=Goal(pages + 1), note=f"{note}: {told}")
    loaded = "loaded" if watched["pillow"] else "not loaded"
    yield Row("idle", "pictures opened", watched["opened"], "files", goal=Goal(0), note=f"{note}; Pillow is {loaded}")


def _sync(desk: Desk, url: str) -> Sample:
    sample = desk.profilectl("sync", "--yes", "--json", url=url)
    results = json.loads(sample.output)["results"]
    if results:
        raise Failed(f"a sync that has nothing to do did {len(results)} things")
    return sample


def _watch(desk: Desk, url: str) -> dict[str, int]:
    """Return how many pictures such a run opens, and whether it loads what decodes them."""
    desk.script("watched", "watched.json", "sync", "--yes", url=url)
    return json.loads((desk.folder / "watched.json").read_text(encoding="utf-8"))
