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
_EIGHT = 8  # jobs, the default: what the goals are about
_EFFICIENCY = Goal(0.8, at_least=True), Goal(0.88, at_least=True)  # of few agents and of many, who hide the start
_GAIN = Goal(7.0, at_least=True)


def measure(workshop: Workshop, size: Size) -> Iterator[Row]:
    """Yield efficiency and gain for each number of jobs."""
    desks = {
        (jobs, agents): workshop.desk(f"jobs-{jobs}-{agents}", agents, own_pictures=True)
        for jobs, agents in size.distant
    }
    few = workshop.desk("tweepy", size.distant_tweepy)
    with workshop.server(DELAY) as server:
        contestants: dict[object, Callable[[], Sample]] = {
            key: partial(afresh, server, partial(desk.sync, server.url, key[0])) for key, desk in desks.items()
        }
        contestants[TWEEPY] = partial(afresh, server, partial(few.client, "sequential_tweepy", server.url))
        samples = interleave(contestants, size.distant_rounds, 0)
    goals = dict(zip((key for key in size.distant if key[0] == _EIGHT), _EFFICIENCY, strict=False))
    for jobs, agents in size.distant:
        name, own = f"sync --jobs {jobs}", samples[jobs, agents]
        note = f"{agents:,} agents with a picture each, 60 ms per call"
        ideal = DELAY * (_READING + _WRITING * agents / jobs)
        goal = goals.get((jobs, agents))
        yield times("latency", name, own, ideal, f"the ideal, {ideal:.2f} s", goal, note)
        yield against_tweepy(
            "latency", name, own, samples[TWEEPY], agents, few.agents, _GAIN if jobs == _EIGHT else None, note
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
