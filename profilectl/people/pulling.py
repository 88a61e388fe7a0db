"""People of a directory into the roster, run after run: who is new comes, who has left goes, and hands win.

A small file of this user remembers whom a directory gave which key, and what it said last. A field whose value in the
roster isn't what was pulled last was edited by hand, and stays; so does an agent whom a hand has removed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from profilectl.digests import digest_of_bytes
from profilectl.errors import InputRefused
from profilectl.ledger.location import state_folder
from profilectl.people.entries import Entry, person_of, read_entries
from profilectl.people.importing import Import, guard_leavers, initials, judge
from profilectl.people.keys import keys_of
from profilectl.people.mapping import ColumnMapping, as_cell
from profilectl.people.merge import Comparison, agents_of, compare, edit, moves_of, usual_values
from profilectl.people.photos import PhotoSource, collect, places_of, unstored
from profilectl.people.tables import Problems, Row, Table
from profilectl.system.files import read_named, write_private
from profilectl.system.folders import make_private_folder
from profilectl.text.escape import visible
from profilectl.toml.document import decode, load

_VERSION: Final = 1
_LARGEST: Final = 50_000_000  # bytes of the memory: 20,000 people with all fields
_KEY: Final = "key"


class Known(Struct, frozen=True):
    """Whom a directory's person became, and what the directory said last."""

    key: str
    fields: Mapping[str, str]  # as cells


Memory = Mapping[str, Known]
"""What was pulled last of one directory into one roster, by the directory's own ids."""


class Pull(Struct, frozen=True):
    """What a directory changes in the roster."""

    change: Import
    memory: Memory  # afterwards
    kept: tuple[tuple[str, str], ...]  # agents and their fields that were edited by hand
    stay_out: tuple[str, ...]  # agents of the directory whom a hand has removed from the roster


def memory_path(environ: Mapping[str, str], roster: Path, kind: str) -> Path:
    """Return where it is remembered what a directory said of a roster's agents."""
    name = digest_of_bytes(str(roster.absolute()).encode("utf-8", "surrogateescape")).removeprefix("sha256:")[:16]
    return state_folder(environ) / "people" / f"{name}-{kind}.json"


def read_memory(path: Path) -> Memory:
    """Return what was pulled last; nothing where there is no such file.

    Raises:
        InputRefused: it can't be read, or isn't what this program writes.
    """
    if not path.exists():
        return {}
    hint = "move it away: the next run then takes every difference for an edit by hand"
    content = read_named(path, "the memory of the last pull", _LARGEST, hint)
    try:
        document = json.loads(content)
        if document["version"] != _VERSION:
            raise InputRefused(f"{visible(str(path))} was written by a newer profilectl", hint="update profilectl")
        return {
            str(each): Known(str(known["key"]), _texts(known["fields"])) for each, known in document["people"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputRefused(f"{visible(str(path))} isn't a memory of people", hint=hint) from None


def _texts(fields: Mapping[str, Any]) -> dict[str, str]:
    return {str(field): str(text) for field, text in fields.items()}


def write_memory(path: Path, memory: Memory) -> None:
    """Remember what was pulled, in a private file, whole or not at all; InputRefused when the disk refuses."""
    people = {each: {"key": known.key, "fields": dict(known.fields)} for each, known in memory.items()}
    content = json.dumps({"version": _VERSION, "people": people}).encode()
    try:
        make_private_folder(path.parent)
        write_private(path, content, durable=True)
    except OSError as error:
        raise InputRefused(f"can't write {visible(str(path))}: {error.strerror}") from None


def plan_pull(
    content: bytes,
    file: str,
    table: Table,
    mapping: ColumnMapping,
    memory: Memory,
    source: PhotoSource,
    *,
    max_deletes: int,
) -> Pull:
    """Return what a directory's people change in a roster, without writing anything.

    Args:
        content: of the roster's file.
        file: what problems call the roster.
        table: the people, each with an ``id``.
        mapping: of what the directory calls things.
        memory: of the last pull.
        source: where pictures of new agents come from.
        max_deletes: how many agents may leave at once.

    Raises:
        RosterRefused: the directory says something that the roster wouldn't take.
        GuardRefused: more agents would leave.
    """
    tables = load(decode(content, file), file)
    known, moves = agents_of(tables), moves_of(tables)
    memory = {each: replace(person, key=moves.get(person.key, person.key)) for each, person in memory.items()}
    problems = Problems(table.file)
    ids = [row.cells.get("id", "") for row in table.rows]
    if not all(ids) or len({*ids}) < len(ids):
        raise InputRefused(f"{table.form} lists people without an id of their own; nothing was written")
    table, mapping = _with_keys(table, mapping, ids, memory, known)
    entries = read_entries(table, mapping, known.__contains__, problems)
    problems.refuse()
    after = {each: _known(entry, tables) for each, entry in zip(ids, entries, strict=True)}
    stay_out = tuple(known_.key for each, known_ in after.items() if each in memory and known_.key not in known)
    followed = [entry for entry in entries if entry.key not in stay_out]
    comparison, kept = _by_hand(compare(tables, followed, {}), memory)
    leavers = _leavers(memory, ids, tables)
    if refusal := guard_leavers(len(leavers), max_deletes, table.form, "whether the token and the group are right"):
        raise refusal
    comparison = replace(comparison, removed=leavers, missing=())
    change = _completed(content.decode("utf-8"), file, tables, comparison, followed, mapping, source, problems)
    return Pull(change, after, kept, stay_out)


def _with_keys(
    table: Table, mapping: ColumnMapping, ids: Sequence[str], memory: Memory, known: Mapping[str, Any]
) -> tuple[Table, ColumnMapping]:
    """Return the people with a key each: the one that they have, else a new one that nobody else has."""
    new = [row for row, each in zip(table.rows, ids, strict=True) if each not in memory]
    made = dict(zip((row.line for row in new), keys_of([person_of(row, mapping) for row in new]), strict=True))
    taken = {known_.key for known_ in memory.values()}
    rows = []
    for row, each in zip(table.rows, ids, strict=True):
        key = memory[each].key if each in memory else made[row.line]
        if each not in memory and (key in taken or (key in known and not _is_same(row, mapping, known[key]))):
            key = f"{key[:50]}-{digest_of_bytes(each.encode())[7:15]}"
        rows.append(Row(row.line, {**row.cells, _KEY: key}, row.places))
    columns = {**mapping.columns, _KEY: _KEY}
    return replace(table, rows=tuple(rows)), replace(mapping, columns=columns, given=mapping.given | {_KEY})


def _is_same(row: Row, mapping: ColumnMapping, agent: object) -> bool:
    """Say whether an agent of the roster is surely this person: a run was killed before it remembered whom it wrote."""
    person = person_of(row, mapping)
    if not isinstance(agent, dict):
        return False
    parts = person.first, person.last
    return agent.get("name") == person.name if person.name else parts == (agent.get("first"), agent.get("last", ""))


def _known(entry: Entry, tables: Mapping[str, Any]) -> Known:
    pattern = usual_values(tables, entry.key).get("name")
    values = entry.values(pattern if isinstance(pattern, str) else None)
    return Known(entry.key, {field: as_cell(value) for field, value in values.items()})


def _by_hand(comparison: Comparison, memory: Memory) -> tuple[Comparison, tuple[tuple[str, str], ...]]:
    """Return the changes without those of fields that were edited by hand, and these fields."""
    last = {known.key: known.fields for known in memory.values()}
    changes = []
    kept = []
    for change in comparison.changes:
        before = "" if change.before is None else as_cell(change.before)
        if before == last.get(change.agent, {}).get(change.field, ""):
            changes.append(change)
        else:
            kept.append((change.agent, change.field))
    return replace(comparison, changes=tuple(changes)), tuple(kept)


def _leavers(memory: Memory, ids: Sequence[str], tables: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of agents whom the directory had last time and hasn't any more; protected ones stay."""
    agents, listed = agents_of(tables), set(ids)
    gone = (known.key for person, known in memory.items() if person not in listed and known.key in agents)
    return tuple(key for key in gone if usual_values(tables, key).get("protected") is not True)


def _completed(
    text: str,
    file: str,
    tables: Mapping[str, Any],
    comparison: Comparison,
    entries: Sequence[Entry],
    mapping: ColumnMapping,
    source: PhotoSource,
    problems: Problems,
) -> Import:
    """Return the edit with pictures for those who are new, judged by the roster's rules."""
    added = {key for key, _ in comparison.added}
    new = [entry for entry in entries if entry.key in added]
    photos = collect(new, mapping.header("avatar"), source, problems)
    drawn = initials(new, photos, tables)
    photos |= drawn
    places = places_of(new, mapping.header("avatar"))
    pictures = unstored(photos, source.roster_folder, {}, places, problems)
    with_pictures = tuple(
        (key, {**values, "avatar": photos[key].path} if key in photos else values) for key, values in comparison.added
    )
    comparison = replace(comparison, added=with_pictures)
    edited = edit(text, file, comparison)
    warnings = judge(edited, file, entries, mapping, photos, problems)
    problems.refuse()
    return Import(edited, comparison, tuple(pictures), (), tuple(drawn), warnings)
