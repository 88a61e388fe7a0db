"""``[[moved]]``: keys of agents that were changed, so that the ledger's bindings follow them.

An entry names a key that no agent has any more, and the key of the agent whose it was. Entries may follow one another,
as keys are changed more than once; the last of them must lead to an agent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from profilectl.errors import UsageError
from profilectl.model import Move
from profilectl.roster.schema import MOVED
from profilectl.roster.unknown_keys import read_table
from profilectl.text.escape import visible
from profilectl.toml.paths import Path, dotted
from profilectl.toml.problems import ProblemList


def read_moves(tables: Sequence[Mapping[str, Any]], agents: Collection[str], problems: ProblemList) -> tuple[Move, ...]:
    """Return each former key with the agent's key of today, an agent's oldest one first; note what is wrong.

    `agents` are the keys that the roster has now.
    """
    targets: dict[str, str] = {}  # by former key
    places: dict[str, Path] = {}
    for index, table in enumerate(tables):
        path: Path = ("moved", index)
        values = read_table(table, MOVED, path, problems)
        for field in ("from", "to"):
            if field not in values:
                problems.error((*path, field), "missing; an entry says which key was changed, and to which", "moved")
        old, new = values.get("from"), values.get("to")
        if old is None or new is None:
            continue
        if old in targets:
            problems.error(
                (*path, "from"), f"{dotted((*places[old], 'from'))} is the same key; one agent gets it", "moved"
            )
            continue
        targets[old], places[old] = new, path
    return _judged(targets, places, agents, problems) if agents else ()


def _judged(
    targets: Mapping[str, str], places: Mapping[str, Path], agents: Collection[str], problems: ProblemList
) -> tuple[Move, ...]:
    moves: list[tuple[int, Move]] = []
    for old, new in targets.items():
        path, (end, steps) = places[old], _end(new, targets)
        if old in agents:
            message = f"{dotted(('agents', old))} is still there; a key that was changed is no agent's any more"
            problems.error((*path, "from"), message, "moved")
        elif end is None:
            problems.error(
                (*path, "to"), "the entries lead in a circle; take out the one that isn't true any more", "moved"
            )
        elif end not in agents:
            problems.error(
                (*path, "to"),
                f"there is no {dotted(('agents', end))}; take the entry out if they have left",
                "moved",
            )
        else:
            moves.append((steps, Move(old, end)))
    moves.sort(key=lambda move: -move[0])
    return tuple(move for _, move in moves)


def valid_moves(tables: Iterable[Mapping[str, Any]], agents: Collection[str]) -> tuple[Move, ...]:
    """Return the entries of a roster, right or wrong, that lead from a former key to an agent."""
    pairs = ((table.get("from"), table.get("to")) for table in tables)
    targets = {old: new for old, new in pairs if isinstance(old, str) and isinstance(new, str)}
    ends = ((old, _end(new, targets)[0]) for old, new in targets.items() if old not in agents)
    return tuple(Move(old, end) for old, end in ends if end is not None and end in agents)


def _end(key: str, targets: Mapping[str, str]) -> tuple[str | None, int]:
    """Return the key at which the entries end, None when they never do, and how many there are before it."""
    seen = set()
    while key in targets:
        if key in seen:
            return None, 0
        seen.add(key)
        key = targets[key]
    return key, len(seen)


def current_key(key: str, moves: Iterable[Move]) -> str:
    """Return the key of today, which is the same where it was never changed."""
    return next((move.new for move in moves if move.old == key), key)


def first_key(key: str, moves: Iterable[Move]) -> str:
    """Return the oldest key that an agent had, as far as the entries tell: what stays when a key is changed."""
    return next((move.old for move in moves if move.new == key), key)


def require_current(keys: Iterable[str], moves: Sequence[Move]) -> None:
    """Raise UsageError for the first key that was changed, with the one that it is now."""
    for key in keys:
        if (error := changed_key(key, moves)) is not None:
            raise error


def changed_key(key: str, moves: Iterable[Move]) -> UsageError | None:
    """Return the error that a key was changed, with the one that it is now; None where it never was."""
    current = current_key(key, moves)
    if current == key:
        return None
    new = visible(current)
    return UsageError(f"{visible(key)} is called {new} now", hint=f"use {new}; the roster's [[moved]] says so")
