"""Read a roster and plan a first sync and one with nothing to do, in this process: ``planning.py ROUNDS``."""

from __future__ import annotations

import json
import statistics
import sys
import time
from datetime import date
from pathlib import Path

from profilectl.model import Binding, LedgerState, Picture, Profile
from profilectl.plan.builder import build
from profilectl.plan.intents import Observation
from profilectl.roster.parser import parse

_MADE_MS = 1_790_000_000_000


def main() -> None:
    text = Path("roster.toml").read_text(encoding="utf-8")
    timings: dict[str, list[float]] = {"parse": [], "first": [], "idle": []}
    for _ in range(int(sys.argv[1])):
        roster = _timed(timings["parse"], parse, text, "roster.toml")
        pictures = {one.avatar: Picture(one.avatar, f"sha256:{one.avatar}", 1) for one in roster.agents}
        first = _timed(timings["first"], _plan, roster, pictures, Observation("acme", (), _MADE_MS))
        observation = _situation(roster, pictures)
        idle = _timed(timings["idle"], _plan, roster, pictures, observation)
    changes = {"first": len(first.changes), "idle": len(idle.changes)}
    print(json.dumps({"changes": changes} | {name: statistics.median(own) for name, own in timings.items()}))


def _timed(timings, deed, *words):
    started = time.perf_counter()
    result = deed(*words)
    timings.append(time.perf_counter() - started)
    return result


def _plan(roster, pictures, observation):
    return build(roster, pictures, [observation], today=date(2026, 11, 23))


def _situation(roster, pictures) -> Observation:
    """Return what X lists, and the ledger knows, when every agent has the right face."""
    ids = {agent.key: str(number) for number, agent in enumerate(roster.agents, 1)}
    profiles = tuple(Profile(ids[agent.key], agent.name, "", _MADE_MS) for agent in roster.agents)
    bindings = tuple(
        Binding(agent.key, ids[agent.key], agent.name, pictures[agent.avatar].digest, _MADE_MS, _MADE_MS)
        for agent in roster.agents
    )
    return Observation("acme", profiles, _MADE_MS, LedgerState(bindings))


if __name__ == "__main__":
    main()
