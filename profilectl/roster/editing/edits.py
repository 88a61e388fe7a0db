"""What may be changed in a roster, as values, and what each change means for the tables that a TOML reader returns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from msgspec import Struct

from profilectl.toml.paths import Path

Tables = dict[str, Any]


class AddAgent(Struct, frozen=True):
    """A new agent with its fields, in this order."""

    key: str
    fields: Mapping[str, Any]


class SetFields(Struct, frozen=True):
    """Fields of an agent that get another value, or none; paths begin at the agent: ``("brands", "acme", "name")``."""

    key: str
    values: Mapping[Path, Any] = {}
    unset: tuple[Path, ...] = ()


class RemoveAgent(Struct, frozen=True):
    """An agent who goes, with the entries of ``[[moved]]`` that lead to it."""

    key: str


class RenameAgent(Struct, frozen=True):
    """A key that is changed, everywhere in the roster, with an entry of ``[[moved]]`` for the ledgers."""

    old: str
    new: str


class Reformat(Struct, frozen=True):
    """The whole text in its canonical form, see `toml.formatting`."""


class Batch(Struct, frozen=True):
    """Edits of many agents at once, at most one for each; who is new comes last, in this order."""

    changes: tuple[SetFields, ...] = ()
    removals: tuple[RemoveAgent, ...] = ()
    additions: tuple[AddAgent, ...] = ()

    @property
    def edits(self) -> tuple[SetFields | RemoveAgent | AddAgent, ...]:
        """All of them, in the order in which they are made."""
        return (*self.changes, *self.removals, *self.additions)


Edit = AddAgent | SetFields | RemoveAgent | RenameAgent | Reformat | Batch


def intended(tables: Mapping[str, Any], edit: Edit) -> Tables:
    """Return what a roster's tables are after an edit; `tables` stay as they are."""
    goal: Tables = deepcopy(dict(tables))
    if not isinstance(edit, Reformat):
        goal.setdefault("agents", {})
        for part in edit.edits if isinstance(edit, Batch) else (edit,):
            _carry_out(goal, part)
    return goal


def _carry_out(goal: Tables, edit: AddAgent | SetFields | RemoveAgent | RenameAgent) -> None:
    agents = goal["agents"]
    match edit:
        case AddAgent():
            agents[edit.key] = dict(edit.fields)
        case SetFields():
            for path, value in edit.values.items():
                _set(agents[edit.key], path, value)
            for path in edit.unset:
                _unset(agents[edit.key], path)
        case RemoveAgent():
            del agents[edit.key]
            leading = keys_leading_to(edit.key, moves_of(goal))
            _keep_moves(goal, [entry for entry in moves_of(goal) if entry.get("to") not in leading])
        case RenameAgent():
            goal["agents"] = {edit.new if key == edit.old else key: table for key, table in agents.items()}
            gone = undone(goal, edit)
            moves = [entry for number, entry in enumerate(moves_of(goal)) if number not in gone]
            _keep_moves(goal, [*moves, {"from": edit.old, "to": edit.new}])
            for waiver in _waivers(goal):
                if waiver.get("agent") == edit.old:
                    waiver["agent"] = edit.new


def moves_of(tables: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the entries of ``[[moved]]``."""
    moves = tables.get("moved")
    return [entry for entry in moves if isinstance(entry, dict)] if isinstance(moves, list) else []


def keys_leading_to(key: str, moves: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return a key and all former ones that entries of ``[[moved]]`` lead from to it."""
    moves, keys, before = [*moves], {key}, 0
    while before != len(keys):
        before = len(keys)
        keys |= {entry["from"] for entry in moves if entry.get("to") in keys and "from" in entry}
    return keys


def undone(tables: Mapping[str, Any], edit: RenameAgent) -> set[int]:
    """Return the places of the entries that a rename takes back: a key that is an agent's again moved nowhere."""
    moves = moves_of(tables)
    is_former = edit.new in keys_leading_to(edit.old, moves)
    return {number for number, entry in enumerate(moves) if is_former and entry.get("from") == edit.new}


def _keep_moves(goal: Tables, moves: list[Any]) -> None:
    if moves:
        goal["moved"] = moves
    else:
        goal.pop("moved", None)


def _waivers(tables: Tables) -> list[Any]:
    policy = tables.get("policy")
    waivers = policy.get("waivers") if isinstance(policy, dict) else None
    return [entry for entry in waivers if isinstance(entry, dict)] if isinstance(waivers, list) else []


def _set(table: Any, path: Path, value: Any) -> None:
    for key in path[:-1]:
        table = table.setdefault(key, {})
    table[path[-1]] = deepcopy(value)


def _unset(table: Any, path: Path) -> None:
    for key in path[:-1]:
        table = table[key]
    del table[path[-1]]


def same(left: Any, right: Any) -> bool:
    """Say whether two values of a TOML reader are equal, types included: ``true`` is no number."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(value, right[key]) for key, value in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)
