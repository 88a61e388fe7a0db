"""Read a roster and plan a first sync and one with nothing to do, in this process: ``planning.py ROUNDS``."""

from __future__ import annotations

import json
import statistics
import sys
import time
from datetime import date
from pathlib import Path

from profilectl.model import Binding, Holdings, Picture, Profile
from profilectl.plan import build
from profilectl.roster.parse import parse
from profilectl.settlement import Situation

_MADE_MS = 1_790_000_000_000


def main() -> None:
    text = Path("roster.toml").read_text(encoding="utf-8")
    timings: dict[str, list[float]] = {"parse": [], "first": [], "idle": []}
    for _ in range(int(sys.argv[1])):
        roster = _timed(timings["parse"], parse, text, "roster.toml")
        pictures = {one.avatar: Picture(one.avatar, f"sha256:{one.avatar}", 1) for one in roster.agents}
        first = _timed(timings["first"], _plan, roster, pictures, Situation("acme", (), _MADE_MS))
        situation = _situation(roster, pictures)
        idle = _timed(timings["idle"], _plan, roster, pictures, situation)
    changes = {"first": len(first.changes), "idle": len(idle.changes)}
    print(json.dumps({"changes": changes} | {name: statistics.median(own) for name, own in timings.items()}))


def _timed(timings, deed, *words):
    started = time.perf_counter()
    result = deed(*words)
    timings.append(time.perf_counter() - started)
    return result


def _plan(roster, pictures, situation):
    return build(roster, pictures, [situation], today=date(2026, 11, 23))


def _situation(roster, pictures) -> Situation:
    """Return what X lists, and the ledger knows, when every agent has the right face."""
    ids = {agent.key: str(number) for number, agent in enumerate(roster.agents, 1)}
    profiles = tuple(Profile(ids[agent.key], agent.name, "", _MADE_MS) for agent in roster.agents)
    bindings = tuple(
        Binding(agent.key, ids[agent.key], agent.name, pictures[agent.avatar].digest, _MADE_MS, _MADE_MS)
        for agent in roster.agents
    )
    return Situation("acme", profiles, _MADE_MS, Holdings(bindings))


if __name__ == "__main__":
    main()
