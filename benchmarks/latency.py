"""A first sync where every call takes 60 ms at the server, against the time that no program could go below."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.measure import Samples, interleave
from benchmarks.table import Goal, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.measure import Sample
    from benchmarks.sizes import Size
    from benchmarks.workshop import Server, Workshop

DELAY = 0.06  # seconds
TWEEPY = "sequential tweepy"
_READING = 2  # calls, before the first write may leave: who am I, and the one page of an empty list
_WRITING = 2  # calls for each agent: upload and create
_EFFICIENCY, _GAIN = Goal(0.92, at_least=True), Goal(7.5, at_least=True)


def measure(workshop: Workshop, size: Size) -> Iterator[Row]:
    """Yield efficiency and gain for each number of jobs."""
    desks = {jobs: workshop.desk(f"jobs-{jobs}", agents) for jobs, agents in size.distant.items()}
    few = workshop.desk("tweepy", size.distant_tweepy)
    with workshop.server(DELAY) as server:
        contestants: dict[object, Callable[[], Sample]] = {
            jobs: partial(afresh, server, partial(desk.sync, server.url, jobs)) for jobs, desk in desks.items()
        }
        contestants[TWEEPY] = partial(afresh, server, partial(few.client, "sequential_tweepy", server.url))
        samples = interleave(contestants, size.distant_rounds, 0)
    for jobs, agents in size.distant.items():
        name, own = f"sync --jobs {jobs}", samples[jobs]
        note = f"{agents:,} agents, 60 ms per call"
        ideal = DELAY * (_READING + _WRITING * agents / jobs)
        yield times("latency", name, own, ideal, f"the ideal, {ideal:.2f} s", _EFFICIENCY if jobs == 8 else None, note)
        yield against_tweepy(
            "latency", name, own, samples[TWEEPY], agents, few.agents, _GAIN if jobs == 8 else None, note
        )


def afresh(server: Server, run: Callable[[], Sample]) -> Sample:
    """Run against a server that has no profiles."""
    server.reset()
    return run()


def against_tweepy(
    benchmark: str, name: str, own: Samples, tweepy: Samples, agents: int, measured: int, goal: Goal | None, note: str
) -> Row:
    """Return how many times faster we are than tweepy, whose loop is taken as often as there are agents."""
    scaled = Samples(tuple(_scale(one, agents / measured) for one in tweepy.runs)).median
    baseline = f"{TWEEPY}, {scaled:.1f} s"
    if agents != measured:
        baseline += f", scaled from {measured} agents"
    return times(benchmark, name, own, scaled, baseline, goal, note)


def times(benchmark: str, name: str, own: Samples, seconds: float, baseline: str, goal: Goal | None, note: str) -> Row:
    """Return the row whose ratio is that of a known time to ours: above 1 we are faster."""
    singles = tuple(one.seconds for one in own.runs)
    ratio = seconds / own.median
    return Row(benchmark, name, own.median, "s", ratio, f"{baseline} / this", goal, note=note, samples=singles)


def _scale(sample: Sample, factor: float) -> Sample:
    loop = json.loads(sample.output)["loop_seconds"]
    return type(sample)(sample.seconds - loop + loop * factor)
