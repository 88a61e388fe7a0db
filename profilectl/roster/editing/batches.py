"""Edits of many agents at once: each in the lines of its own agent, so that thousands take a second and not an hour."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from profilectl.errors import UsageError
from profilectl.roster.editing.edits import AddAgent, Batch, RemoveAgent, SetFields, keys_leading_to, moves_of, same
from profilectl.roster.editing.splices import (
    CannotSplice,
    Table,
    Text,
    joined,
    lines_at,
    lines_of,
    newline_at,
    span_of_table,
)
from profilectl.toml.layout import Section, read_layout
from profilectl.toml.paths import Path, dotted


class Run(Struct, frozen=True):
    """Statements of one agent that nothing else stands between."""

    key: str
    start: int
    end: int
    header: Path  # of the table that the first statement stands in, empty where that is a header itself
    tables: tuple[tuple[int, int], ...]  # of each header, to the last value below it; none: pairs alone


def with_batch(text: str, tables: Mapping[str, Any], batch: Batch) -> str:
    """Return a text with the agents of a batch set, removed and added; `tables` are what it says so far.

    Raises:
        CannotSplice: one of the edits can't be made without touching more.
    """
    runs = _runs(text)
    edits: tuple[SetFields | RemoveAgent, ...] = (*batch.changes, *batch.removals)
    nearby = {edit.key: edit for edit in edits if _is_cut_out(runs.get(edit.key, ()), edit)}
    # From the end, so that the places before stay as they are.
    for run in sorted((run for key in nearby for run in runs[key]), key=lambda run: -run.start):
        edit = nearby[run.key]
        text = _without_run(text, run) if isinstance(edit, RemoveAgent) else _with_run(text, tables, run, edit)
    for edit in edits:  # of agents who are written otherwise; each reads the whole text
        if edit.key in nearby:
            continue
        if isinstance(edit, RemoveAgent):
            text = Text(text).without_value(("agents", edit.key))
        else:
            text = with_fields(text, tables, edit)
    return _with_agents(without_moves(text, tables, batch.removals), batch.additions)


def _runs(text: str) -> dict[str, list[Run]]:
    """Return where the agents stand who have lines of their own, by their keys."""
    runs: list[Run] = []
    last = None
    for key, start, end, section in _statements(read_layout(text)):
        is_header = start == section.start and section.keys != ()
        table = ((section.start, section.content_end),) if is_header else ()
        if key is not None and key == last:
            runs[-1] = Run(key, runs[-1].start, end, runs[-1].header, runs[-1].tables + table)
        elif key is not None:
            runs.append(Run(key, start, end, () if is_header else section.path, table))
        last = key
    runs_of: dict[str, list[Run]] = {}
    for run in runs:
        runs_of.setdefault(run.key, []).append(run)
    return runs_of


def _statements(sections: Sequence[Section]) -> Iterator[tuple[str | None, int, int, Section]]:
    """Yield whose each header and each pair is, and where it begins and ends; of no agent's in particular: None."""
    for section in sections:
        if section.keys:
            yield _owner(section.path), section.start, section.end, section
        for pair in section.pairs:
            yield _owner(pair.path), pair.start, pair.value.end, section


def _owner(path: Path) -> str | None:
    return str(path[1]) if len(path) > 1 and path[0] == "agents" else None


def _is_cut_out(runs: Sequence[Run], edit: SetFields | RemoveAgent) -> bool:
    """Say whether an edit is the same in the agent's own lines as in the whole text."""
    if not runs or any(run.header and run.tables for run in runs):
        return False
    if isinstance(edit, RemoveAgent):
        return True
    reaches_out = any(path[0] == "brands" and len(path) > 1 for path in edit.values)  # may need a table behind others
    return len(runs) == 1 and not edit.unset and not reaches_out


def _with_run(text: str, tables: Mapping[str, Any], run: Run, edit: SetFields) -> str:
    start, end = lines_at(text, run.start, run.end)
    newline = newline_at(text, start)
    head = newline + (f"[{joined(run.header)}]{newline}" if run.header else "")
    return text[:start] + with_fields(head + text[start:end], tables, edit).removeprefix(head) + text[end:]


def _without_run(text: str, run: Run) -> str:
    if not run.tables:
        start, end = lines_at(text, run.start, run.end)
        return text[:start] + text[end:]
    for table in reversed(run.tables):
        start, end = span_of_table(text, *table)
        text = text[:start] + text[end:]
    return text


def with_fields(text: str, tables: Mapping[str, Any], edit: SetFields) -> str:
    """Return a text with fields of one agent set and taken out; `tables` are what it says so far."""
    agent = tables["agents"][edit.key]
    for path, value in edit.values.items():
        held = _at(agent, path)
        if held is None or not same(held, value):
            text = Text(text).with_value(("agents", edit.key, *path), value)
    for path in edit.unset:
        if _at(agent, path) is None:
            raise UsageError(f"{edit.key} has no {dotted(path)} of its own", hint="`profilectl roster show` tells more")
        text = Text(text).without_value(("agents", edit.key, *path))
        if not Text(text).has_table(("agents", edit.key)):
            command = f"profilectl roster remove {edit.key}"
            raise CannotSplice(f"{dotted(('agents', edit.key))} would have nothing left; `{command}` takes it out")
    return text


def _at(table: Any, path: Path) -> Any:
    """Return what stands at a path, None where there is nothing."""
    for key in path:
        if not isinstance(table, dict) or key not in table:
            return None
        table = table[key]
    return table


def without_moves(text: str, tables: Mapping[str, Any], removals: Sequence[RemoveAgent]) -> str:
    """Take out the entries of ``[[moved]]`` that lead to agents who are removed."""
    moves = moves_of(tables)
    gone = {key for edit in removals for key in keys_leading_to(edit.key, moves)} if moves else set()
    for number in reversed(range(len(moves))):
        if moves[number].get("to") in gone:
            text = Text(text).without_entry(("moved", number))
    return text


def _with_agents(text: str, edits: Sequence[AddAgent]) -> str:
    """Put new agents at the end of the text, or into the inline table that holds all others."""
    if not edits:
        return text
    if Text(text).find(("agents",)) is None:
        return Text(text).with_sections(
            [Table(("agents", edit.key), lines_of(edit.fields)) for edit in edits], after=None
        )
    for edit in edits:
        text = Text(text).with_value(("agents", edit.key), dict(edit.fields))
    return text
