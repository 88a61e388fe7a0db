"""One edit of a roster's text: made in small splices, read again, and refused unless it is what was meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from profilectl.errors import InputRefused, UsageError
from profilectl.model import Problem
from profilectl.roster.editing.batches import with_batch, with_fields, without_moves
from profilectl.roster.editing.edits import (
    AddAgent,
    Batch,
    Edit,
    Reformat,
    RemoveAgent,
    RenameAgent,
    SetFields,
    intended,
    keys_leading_to,
    moves_of,
    same,
    undone,
)
from profilectl.roster.editing.splices import CannotSplice, Table, Text, lines_of
from profilectl.roster.lookup import unknown_agent
from profilectl.roster.moves import valid_moves
from profilectl.roster.parser import parse_partially
from profilectl.text.escape import visible
from profilectl.toml.document import load
from profilectl.toml.formatting import formatted
from profilectl.toml.layout import tokens
from profilectl.toml.paths import Path, dotted
from profilectl.toml.rules import is_key

_BY_HAND = "change it by hand; `profilectl roster check` looks at it afterwards"


class EditedRoster(Struct, frozen=True):
    """A roster's text after an edit, and what a person should know of it, a sentence each."""

    text: str
    notes: tuple[str, ...] = ()


def edited(text: str, file: str, edit: Edit) -> EditedRoster:
    """Return a roster's text after an edit; every byte outside of the change is as it was.

    Args:
        text: of the file, without a byte order mark, its line endings as they are.
        file: as messages call it.
        edit: what is to change.

    Raises:
        RosterRefused: the text isn't TOML.
        UsageError: there is no such agent, or such a key can't be given.
        InputRefused: the edit can't be made without touching more, or brings errors into the roster; those of a batch
            are for its caller to judge, who knows where they come from.
    """
    tables = load(text, file)
    require_possible(tables, edit)
    try:
        new = _spliced(text, tables, edit)
    except CannotSplice as obstacle:
        raise InputRefused(f"nothing was written: {obstacle}", hint=_BY_HAND) from None
    _require_intended(tables, text, new, file, edit)
    if not isinstance(edit, Reformat | Batch):
        _require_no_new_errors(text, new, file, edit)
    return EditedRoster(new, tuple(_notes(text, tables, edit)))


def require_possible(tables: Mapping[str, Any], edit: Edit) -> None:
    """Make sure that a roster has the agents that an edit is about, and that a new key is free.

    Raises:
        UsageError: there is no such agent, or such a key can't be given.
        InputRefused: the agents aren't tables.
    """
    agents = tables.get("agents", {})
    if not isinstance(agents, dict):
        raise InputRefused("nothing was written: agents isn't a table here", hint=_BY_HAND)
    match edit:
        case AddAgent():
            _require_free(edit.key, agents, tables)
        case SetFields() | RemoveAgent():
            _require_known(edit.key, agents, tables)
        case Batch():
            for key in (*(part.key for part in edit.changes), *(part.key for part in edit.removals)):
                _require_known(key, agents, tables)
        case RenameAgent():
            _require_known(edit.old, agents, tables)
            if edit.old == edit.new:
                raise UsageError(f"{visible(edit.new)} is the key that it has")
            gone = undone(tables, edit)
            taken = [entry for number, entry in enumerate(moves_of(tables)) if number not in gone]
            _require_free(edit.new, agents, {"moved": taken})
        case Reformat():
            pass


def _require_known(key: str, agents: Mapping[str, Any], tables: Mapping[str, Any]) -> None:
    if key not in agents:
        raise unknown_agent(key, set(agents), valid_moves(moves_of(tables), agents))
    if not isinstance(agents[key], dict):
        raise InputRefused(f"nothing was written: {dotted(('agents', key))} isn't a table", hint=_BY_HAND)


def _require_free(key: str, agents: Mapping[str, Any], tables: Mapping[str, Any]) -> None:
    if not is_key(key):
        raise UsageError(
            f"{visible(key)} can't be a key: it has 1 to 64 lower-case letters, digits, - and _, and no - or _ first"
        )
    if key in agents:
        raise UsageError(f"there is an agent {key} already", hint=f"`profilectl roster set {key}` changes it")
    for entry in moves_of(tables):
        if entry.get("from") == key:
            raise UsageError(
                f"{key} was the key of {visible(str(entry.get('to')))}, says [[moved]]",
                hint="take another key, or take that entry out once every ledger has followed it",
            )


def _spliced(text: str, tables: Mapping[str, Any], edit: Edit) -> str:
    match edit:
        case AddAgent():
            return _with_agent(Text(text), edit)
        case SetFields():
            return with_fields(text, tables, edit)
        case RemoveAgent():
            return without_moves(Text(text).without_value(("agents", edit.key)), tables, [edit])
        case RenameAgent():
            return _with_key(text, tables, edit)
        case Reformat():
            return formatted(text)
        case Batch():
            return with_batch(text, tables, edit)


def _with_agent(text: Text, edit: AddAgent) -> str:
    holder = text.find(("agents",))
    if holder is not None:
        return text.with_value(("agents", edit.key), dict(edit.fields))
    of_agents = [
        section.content_end
        for section in text.sections
        if section.path[:1] == ("agents",) or any(pair.path[:1] == ("agents",) for pair in section.pairs)
    ]
    after = max(of_agents, default=None)
    return text.with_sections([Table(("agents", edit.key), lines_of(edit.fields))], after=after)


def _with_key(text: str, tables: Mapping[str, Any], edit: RenameAgent) -> str:
    for number in sorted(undone(tables, edit), reverse=True):
        text = Text(text).without_entry(("moved", number))
    layout = Text(text)
    splices = [
        (*section.keys[1], edit.new)
        for section in layout.sections
        if section.path[:2] == ("agents", edit.old) and len(section.keys) > 1
    ]
    for place in layout.places:
        depth = 1 - len(place.base)
        if place.pair.path[:2] == ("agents", edit.old) and 0 <= depth < len(place.pair.keys):
            splices.append((*place.pair.keys[depth], edit.new))
        if _is_waiver_of(place.pair.path) and _spells(text, place.pair.value.start, place.pair.value.end, edit.old):
            splices.append((place.pair.value.start, place.pair.value.end, f'"{edit.new}"'))
    return _with_move(Text(layout.replaced(*splices)), edit)


def _is_waiver_of(path: Path) -> bool:
    return len(path) == 4 and path[:2] == ("policy", "waivers") and path[3] == "agent"


def _spells(text: str, start: int, end: int, key: str) -> bool:
    return text[start:end] in {f'"{key}"', f"'{key}'"}


def _with_move(text: Text, edit: RenameAgent) -> str:
    entry = {"from": edit.old, "to": edit.new}
    holder = text.find(("moved",))
    if holder is not None:
        items = holder.pair.value.items
        end = items[-1].end if items else holder.pair.value.start + 1
        inline = f'{{ from = "{edit.old}", to = "{edit.new}" }}'
        return text.replaced((end, end, f", {inline}" if items else inline))
    entries = [section for section in text.sections if section.path[:1] == ("moved",)]
    after = entries[-1].content_end if entries else None
    return text.with_sections([Table(("moved",), lines_of(entry), is_entry=True)], after=after)


def _require_intended(tables: Mapping[str, Any], text: str, new: str, file: str, edit: Edit) -> None:
    """Raise InputRefused unless the new text says what was meant, and nothing else."""
    try:
        got: Mapping[str, Any] = load(new, file)
    except InputRefused as error:
        raise InputRefused(
            f"nothing was written: the edit can't be made here ({error.message})", hint=_BY_HAND
        ) from None
    goal = intended(tables, edit)
    is_meant = same(dict(got), goal) or (not goal.get("agents") and same({"agents": {}, **got}, goal))
    if not is_meant or not _keeps_comments(text, new, edit) or [*got.get("agents", ())] != [*goal.get("agents", ())]:
        raise InputRefused("nothing was written: the edit would change more than was asked for", hint=_BY_HAND)


def _keeps_comments(text: str, new: str, edit: Edit) -> bool:
    """Say whether no comment was lost; those in what was taken out may go."""
    before, after = ([token.text.rstrip() for token in tokens(each) if token.kind == "comment"] for each in (text, new))
    parts = edit.edits if isinstance(edit, Batch) else (edit,)
    if all(isinstance(part, AddAgent | Reformat) or (isinstance(part, SetFields) and not part.unset) for part in parts):
        return before == after
    return set(after) <= set(before) and len(after) <= len(before)


def _require_no_new_errors(text: str, new: str, file: str, edit: Edit) -> None:
    """Raise InputRefused for an edit that brings errors; those that are there already may stay."""
    errors = [problem for problem in parse_partially(new.encode(), file).problems if problem.severity == "error"]
    if errors:  # only now, as to read a roster of thousands takes a second
        known = {(problem.path, problem.message) for problem in parse_partially(text.encode(), file).problems}
        errors = [problem for problem in errors if (problem.path, problem.message) not in known]
    if errors:
        listed = "; ".join(f"{problem.path}: {problem.message}" for problem in errors[:3])
        rest = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
        raise InputRefused(f"nothing was written: {listed}{rest}", hint=_picture_hint(errors, edit))


def _picture_hint(errors: Iterable[Problem], edit: Edit) -> str | None:
    """Return how an agent gets a picture, where one is added without."""
    if not isinstance(edit, AddAgent) or "avatar" in edit.fields:
        return None
    if any(problem.path == f"{dotted(('agents', edit.key))}.avatar" for problem in errors):
        return "--photo FILE takes a picture from anywhere, --avatar PATH one in the roster's folder"
    return None


def _notes(text: str, tables: Mapping[str, Any], edit: Edit) -> list[str]:
    notes = []
    if isinstance(edit, RenameAgent):
        notes.append(
            "every ledger follows with its next `profilectl sync`, by the entry in [[moved]]; nothing changes at X"
        )
    if isinstance(edit, RemoveAgent):
        leading = keys_leading_to(edit.key, moves_of(tables))
        if len(leading) > 1:
            notes.append(f"the [[moved]] entries of {', '.join(sorted(leading - {edit.key}))} went along")
        remarks = _remarks_above(text, edit.key)
        if remarks:
            lines = f"line {remarks[0]}" if remarks[0] == remarks[1] else f"lines {remarks[0]} to {remarks[1]}"
            notes.append(f"the comment above it stays ({lines}); take it out if it was about {edit.key}")
    return notes


def _remarks_above(text: str, key: str) -> tuple[int, int] | None:
    """Return the first and the last line of the comment right above an agent's table, None where there is none."""
    section = next((section for section in Text(text).sections if section.path == ("agents", key)), None)
    if section is None:
        return None
    lines = text[: section.start].split("\n")[:-1]
    first = len(lines)
    while first and lines[first - 1].lstrip(" \t").startswith("#"):
        first -= 1
    return (first + 1, len(lines)) if first < len(lines) else None
