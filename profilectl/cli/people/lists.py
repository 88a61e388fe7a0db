"""What every command does that reads a list of people: the file, its columns, its pictures, and what it tells."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from profilectl.errors import InputRefused
from profilectl.people.entries import PATTERN
from profilectl.people.mapping import COLUMNS, ColumnMapping, consent_columns, map_columns
from profilectl.people.merge import parts_in_use
from profilectl.people.photos import JOBS, PhotoFolder, PhotoSource
from profilectl.people.tables import LARGEST, Table, read_table
from profilectl.render.console import info
from profilectl.roster.name_templates import needs
from profilectl.system.files import copy_within, opened_stream
from profilectl.text.escape import excerpt, visible
from profilectl.toml.document import decode, load

if TYPE_CHECKING:
    from profilectl.cli.context import Context
    from profilectl.people.importing import Import

_UNWRITTEN = {"email": "for keys and pictures only", "key": "names the agents"}


class _Buffer(bytearray):
    """What `copy_within` writes to."""

    def write(self, block: bytes) -> None:
        self.extend(block)


def read_list(file: Path) -> Table:
    """Return the people of a file that a person named, or of the pipe that the shell handed over.

    Raises:
        RosterRefused: with everything that is wrong with its form.
        InputRefused: it can't be read, or is too large.
    """
    shown, buffer = visible(str(file)), _Buffer()
    try:
        with opened_stream(file) as stream:
            if not copy_within(stream, buffer, LARGEST):  # type: ignore[arg-type]  # all it needs is `write`
                raise InputRefused(f"the list {shown} is larger than {LARGEST} bytes")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputRefused(f"can't read the list {shown}: {reason}") from None
    return read_table(bytes(buffer), str(file))


def mapping_of(context: Context, table: Table, options: Sequence[str], roster: bytes) -> ColumnMapping:
    """Return which column is which field, and tell it: a guess is worth nothing unseen.

    `roster` is what the list goes into: its name patterns say which parts of a name are written.
    """
    mapping = map_columns(table.headers, options)
    people = "1 person" if len(table.rows) == 1 else f"{len(table.rows)} people"
    context.remark(f"{visible(table.file)}: {table.form}, {table.encoding}, {people}")
    pairs = [(field, mapping.columns[field]) for field in COLUMNS if field in mapping.columns]
    parts = _parts_in_use(context, table, mapping, roster)
    pairs_shown = [f"{field} = {excerpt(header)}{_note(field, mapping, parts)}" for field, header in pairs]
    context.remark(f"columns: {', '.join(pairs_shown) or 'none that is known: --map name=COLUMN names one'}")
    used = set(mapping.columns.values())
    if unused := [excerpt(header, 40) for header in table.headers if header not in used]:
        more = f" and {len(unused) - 12} more" if len(unused) > 12 else ""
        context.remark(f"not used: {', '.join(unused[:12])}{more}")
    for header in consent_columns(table.headers, mapping):
        info(
            f'warning: column "{excerpt(header, 40)}" looks like consent and isn\'t imported: enter it with '
            "`roster set KEY consent.name=… consent.photo=… consent.ref=…` before the first sync"
        )
    return mapping


def _parts_in_use(context: Context, table: Table, mapping: ColumnMapping, roster: bytes) -> set[str]:
    name = str(context.roster_path)
    parts = parts_in_use(load(decode(roster, name), name))
    is_in_parts = not all(mapping.text(row.cells, "name") for row in table.rows)
    return parts | needs(PATTERN) if is_in_parts else parts


def _note(field: str, mapping: ColumnMapping, parts: set[str]) -> str:
    if field in {"first", "last", "title"} and field not in mapping.given:
        return " (where the name is made of it)" if field in parts else " (left out, as no name uses it)"
    return f" ({_UNWRITTEN[field]})" if field in _UNWRITTEN else ""


def photo_source(context: Context, file: Path, photos: Path | None) -> PhotoSource:
    """Return where the pictures of a list come from."""
    list_folder = file.parent if file.is_file() else None
    folder = None if photos is None else PhotoFolder(photos)
    return PhotoSource(context.roster_path.parent, list_folder, folder, _download(context))


def _download(context: Context) -> Callable[[str], bytes]:
    """Return what fetches a picture: from public addresses only, without credentials, redirects and surprises."""
    opened: list[Callable[[str], bytes]] = []
    lock = Lock()

    def download(url: str) -> bytes:
        with lock:
            if not opened:  # a list without addresses needs no network, and its libraries take 0.1 s to load
                opened.append(context.fetcher(JOBS))
        return opened[0](url)

    return download


def tell_about(context: Context, change: Import) -> None:
    """Say on stderr what a person should know of a change beside the change itself."""
    for warning in change.warnings:
        info(f"warning: {warning}")
    for note in change.notes:
        context.remark(note)
    if change.drawn:
        who = some(change.drawn)
        context.remark(f"without a picture, so with drawn initials: {who}")


def some(keys: Sequence[str]) -> str:
    """Return the first eight of some keys, and how many more there are."""
    return ", ".join(keys[:8]) + (f" and {len(keys) - 8} more" if len(keys) > 8 else "")


def next_command(context: Context, command: str) -> str:
    """Return a command that uses the same roster, to be pasted."""
    path = context.roster_path
    roster = "" if path == Path("roster.toml") else f" --roster {shlex.quote(str(path))}"
    return f"profilectl {command}{visible(roster)}"
