"""A first sync on loopback with one job, against the least that makes the same calls, and against a tweepy script."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks.measure import Failed, Samples, interleave
from benchmarks.table import Goal, Row, compared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.measure import Sample
    from benchmarks.sizes import Size
    from benchmarks.workshop import Desk, Server, Workshop

_OTHERS = {"bare httpx loop": "bare_httpx", "sequential tweepy": "sequential_tweepy"}
_OURS = "sync --jobs 1"
_LIMITS = (1.6, 0.8)  # against each of the others
_BOUND = "half of one job is httpx, h11 and oauthlib, as in the bare loop; the rest is start-up, plan and ledger"
_KINDS = ("verify", "list", "upload", "create", "other")


def measure(workshop: Workshop, size: Size) -> Iterator[Row]:
    """Yield the rows of shared pictures, of own ones, and of the real sandbox."""
    with workshop.server() as server:
        warm_up = workshop.desk("warm-up", 3)
        interleave(_contestants(warm_up, server), 1, 0)
        yield from _race(workshop.desk("shared", size.synced), server, size.synced, size.sync_rounds, goals=True)
        if size.own_pictures:
            desk = workshop.desk("own", size.own_pictures, own_pictures=True)
            yield from _race(desk, server, size.own_pictures, min(2, size.sync_rounds), what=", own pictures")
    if size.sandboxed:
        yield from _against_sandbox(workshop, size.sandboxed)


def _race(
    desk: Desk, server: Server, agents: int, rounds: int, *, what: str = "", goals: bool = False
) -> Iterator[Row]:
    samples = interleave(_contestants(desk, server), rounds, 0)
    for name, own in samples.items():
        note = f"{agents:,} agents{what}, loopback"
        if name == _OURS:
            for (other, baseline), limit in zip(_without_ours(samples).items(), _LIMITS, strict=True):
                goal = Goal(limit, bound=_BOUND) if goals else None
                yield compared("wire", name, own, baseline, against=other, goal=goal, note=note)
        else:
            yield compared("wire", name, own, note=note)


def _without_ours(samples: dict[str, Samples]) -> dict[str, Samples]:
    return {name: samples[name] for name in _OTHERS}


def _contestants(desk: Desk, server: Server) -> dict[str, Callable[[], Sample]]:
    run = {name: partial(desk.client, script, server.url) for name, script in _OTHERS.items()}
    run[_OURS] = partial(desk.sync, server.url, 1)
    calls: dict[str, int] = {}
    return {name: partial(_with_equal_calls, server, one, calls) for name, one in run.items()}


def _with_equal_calls(server: Server, run: Callable[[], Sample], expected: dict[str, int]) -> Sample:
    """Run one contestant against a server without profiles; Failed when it made other calls than the one before."""
    server.reset()
    sample = run()
    counts = {kind: server.counts().get(kind, 0) for kind in _KINDS}
    if expected and counts != expected:
        raise Failed(f"the contestants make other calls: {counts} and {expected}")
    expected.update(counts)
    return sample


def _against_sandbox(workshop: Workshop, agents: int) -> Iterator[Row]:
    """Yield the race against ``sandbox serve``, which takes most of the time itself: it decodes every picture."""
    desk = workshop.desk("sandboxed", agents)
    name = "bare httpx loop"

    def served(run: Callable[..., Sample]) -> Sample:
        with workshop.sandbox() as settings:
            return run(settings.pop("PROFILECTL_API_URL"), **settings)

    ours, theirs = partial(desk.sync, jobs=1), partial(desk.client, _OTHERS[name])
    samples = interleave({name: partial(served, theirs), _OURS: partial(served, ours)}, 1, 0)
    note = f"{agents:,} agents, against `sandbox serve --generous`, whose own work flatters us"
    yield compared("wire", name, samples[name], note=note)
    yield compared("wire", _OURS, samples[_OURS], samples[name], against=name, note=note)
