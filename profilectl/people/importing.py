"""A list of people into a roster: all of it is read, matched and judged before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from profilectl.errors import GuardRefused, InputRefused, TryLater
from profilectl.model import Kind, Problem
from profilectl.people.entries import Entry, is_made_up, read_entries
from profilectl.people.mapping import ColumnMapping
from profilectl.people.merge import (
    Comparison,
    agents_of,
    compare,
    edit,
    moves_of,
    pictures_in_use,
    public_name,
    usual_values,
)
from profilectl.people.photos import (
    Photo,
    PhotoFolder,
    PhotoSource,
    collect,
    drawn,
    places_of,
    unstored,
    with_own_files,
)
from profilectl.people.tables import Problems, Table
from profilectl.roster.parser import parse_partially
from profilectl.system.edited_files import replace_unchanged
from profilectl.system.files import created, write_named
from profilectl.text.escape import excerpt, visible
from profilectl.toml.document import decode, load

MAX_DELETES: Final = 5  # agents who may leave the roster at once, as its [policy] has it for profiles


class Import(Struct, frozen=True):
    """What a list changes: in the roster's text, and of the pictures beside it."""

    text: str  # of the roster afterwards
    comparison: Comparison
    pictures: tuple[Photo, ...]  # that have to be written
    repainted: tuple[str, ...]  # keys of agents whose picture's file gets another content under its old name
    drawn: tuple[str, ...]  # keys of those for whom nothing but initials is there
    warnings: tuple[str, ...]
    notes: tuple[str, ...] = ()  # of pictures that are stored under another name, and of those that nobody gets
    unmatched: tuple[str, ...] = ()  # names of the folder's pictures that match nobody
    unusable: tuple[str, ...] = ()  # and of those in formats that X doesn't take

    @property
    def changes_anything(self) -> bool:
        """Whether any file would be written."""
        return bool(self.comparison.changes_anything or self.pictures)


def plan_import(
    content: bytes,
    file: str,
    table: Table,
    mapping: ColumnMapping,
    source: PhotoSource,
    *,
    remove_missing: bool = False,
) -> Import:
    """Return what a list of people changes in a roster, without writing anything.

    Args:
        content: of the roster's file; it may have no agents yet.
        file: what problems call the roster.
        table: the people.
        mapping: of the list's columns.
        source: where pictures come from.
        remove_missing: remove agents whom the list doesn't name.

    Raises:
        RosterRefused: with everything that is wrong with the list, at its lines.
        InputRefused: the roster is written so that only a person can change it.
    """
    tables = load(decode(content, file), file)
    text = content.decode("utf-8")  # with its byte order mark, if it has one
    problems = Problems(table.file)
    known = agents_of(tables)
    entries = read_entries(table, mapping, known.__contains__, problems, moves_of(tables))
    photos = collect(entries, mapping.header("avatar"), source, problems)
    drawings = initials(entries, photos, tables)
    photos |= drawings
    problems.refuse()
    photos, notes = with_own_files(photos, pictures_in_use(tables), source.roster_folder)
    paths = {key: photo.path for key, photo in photos.items()}
    comparison = compare(tables, entries, paths, remove_missing=remove_missing)
    own = {key: str(usual_values(tables, key).get("avatar")) for key in known}
    places = places_of(entries, mapping.header("avatar"))
    pictures = unstored(photos, source.roster_folder, own, places, problems)
    edited = edit(text, file, comparison)
    warnings = judge(edited, file, entries, mapping, photos, problems)
    problems.refuse()
    missing = {photo.path for photo in pictures}
    changed = {change.agent for change in comparison.changes if change.field == "avatar"}
    added = {key for key, _ in comparison.added}
    repainted = tuple(key for key, path in paths.items() if path in missing and key not in changed | added)
    change = Import(edited, comparison, tuple(pictures), repainted, tuple(drawings), warnings, tuple(notes))
    return change if source.photos is None else _with_left_over(change, source.photos, entries, table.file)


def _with_left_over(change: Import, folder: PhotoFolder, entries: Sequence[Entry], file: str) -> Import:
    """Return the change with the pictures of a folder that nobody gets: their people may have got initials."""
    unmatched = folder.unmatched(entries)
    notes = (*change.notes, *folder.notes(unmatched, file))
    return replace(change, notes=notes, unmatched=unmatched, unusable=folder.unusable)


def guard_leavers(number: int, most: int, source: str, advice: str) -> GuardRefused | None:
    """Return the refusal of a list of people that has become too short at once; None where it may take effect.

    Args:
        number: of agents who would leave the roster.
        most: how many may.
        source: the list or directory that they have left.
        advice: what to look at before more are allowed.
    """
    if number <= most:
        return None
    agents = "1 agent has" if number == 1 else f"{number} agents have"
    return GuardRefused(
        f"{agents} left {source}, and at most {most} may go at once",
        hint=f"--max-deletes {number} allows this; look first {advice}",
    )


def initials(entries: Sequence[Entry], photos: Mapping[str, Photo], tables: Mapping[str, Any]) -> dict[str, Photo]:
    """Return drawn initials for everybody who has no picture, neither of their own nor by default."""
    missing: dict[str, Photo] = {}
    for entry in entries:
        current = usual_values(tables, entry.key)
        if entry.key in photos or entry.picture or "avatar" in current:
            continue
        pattern = current.get("name")
        values = {**current, **entry.values(pattern if isinstance(pattern, str) else None)}
        missing[entry.key] = drawn(entry.key, public_name(values) or entry.key)
    return missing


def judge(
    edited: str,
    file: str,
    entries: Sequence[Entry],
    mapping: ColumnMapping,
    photos: Mapping[str, Photo],
    problems: Problems,
) -> tuple[str, ...]:
    """Note what the roster would refuse, at the lines of the list that it comes from; return its warnings."""
    from profilectl.pictures.provenance import MACHINE_MADE, find_mark

    roster = parse_partially(edited.encode(), file)
    by_key = {entry.key: entry for entry in entries}
    warnings = []
    for problem in roster.problems:
        _, _, rest = problem.path.partition("agents.")
        key, _, below = rest.partition(".")
        entry = by_key.get(key)
        field = below.rpartition(".")[2]
        if problem.severity == "warning":
            if entry is not None:
                warnings.append(f"{problem.path}: {problem.message}{_row_of(entry, problems.file)}")
        elif entry is None:  # what the list doesn't speak of: `roster check` tells it at its own line
            message = f"the roster would be refused: {problem.path}: {problem.message}"
            problems.note((0, 0), "", message)
        else:
            message = f"{problem.message}{_way_to_a_bot(problem, mapping)}"
            problems.note(entry.row.place(mapping.header(field)), f"{key}.{field}", message)
    for agent in {agent.key: agent for agent in roster.agents}.values():
        photo = photos.get(agent.key)
        mark = find_mark(photo.content) if photo is not None and photo.content is not None else ""
        if mark in MACHINE_MADE and agent.kind is Kind.HUMAN and roster.policy.ai_faces == "refuse":
            message = f"the picture is marked as machine-made ({mark}), and {agent.key} is a human"
            problems.note(by_key[agent.key].row.place(mapping.header("avatar")), f"{agent.key}.avatar", message)
    return tuple(warnings)


def _row_of(entry: Entry, file: str) -> str:
    if not is_made_up(entry.key, entry.person):
        return ""
    return f' ({visible(file)}:{entry.row.line}, "{excerpt(entry.person.written_name, 40)}")'


def _way_to_a_bot(problem: Problem, mapping: ColumnMapping) -> str:
    """Return how a list says that somebody is a bot, where a bot's name is refused because it doesn't."""
    if problem.rule != "disclosure" or not problem.message.endswith('its kind is "human"'):
        return ""
    header = mapping.header("kind")
    where = 'a column "kind", or --map kind=COLUMN,' if header is None else f'the column "{excerpt(header, 40)}"'
    return f'; {where} says "bot" of a bot'


@contextmanager
def _replaced(path: Path, content: bytes) -> Iterator[None]:
    """Replace a picture; where the block fails, the former one is put back."""
    former = path.read_bytes()
    try:
        write_named(path, content)
        yield
    except BaseException:
        write_named(path, former)
        raise


def write(change: Import, roster: Path, before: bytes | None) -> None:
    """Write the pictures, then the roster; after an error new pictures go again, and former ones come back.

    Args:
        change: what is written.
        roster: its path.
        before: the roster's bytes as they were read; None for one that mustn't exist yet.

    Raises:
        InputRefused: the disk refuses.
        TryLater: the roster has changed meanwhile.
    """
    try:
        with ExitStack() as stack:
            for photo in change.pictures:
                path = roster.parent / photo.path
                content = photo.content or b""
                if path.exists():
                    stack.enter_context(_replaced(path, content))
                else:
                    stack.enter_context(created(path, content))
            if before is None:
                stack.enter_context(created(roster, change.text.encode()))
            elif change.comparison.changes_anything and not replace_unchanged(roster, before, change.text.encode()):
                what = f"{visible(str(roster))} has changed meanwhile, so nothing was written"
                raise TryLater(what, hint="run the same command again")
    except OSError as error:
        where = visible(str(error.filename or roster))
        raise InputRefused(f"can't write {where}: {error.strerror}; the roster wasn't touched") from None
