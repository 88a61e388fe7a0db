"""``init --csv``: a roster made of a list of people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from profilectl.cli.people.lists import mapping_of, photo_source, read_list, tell_about
from profilectl.errors import InputRefused
from profilectl.people.entries import PATTERN
from profilectl.people.importing import plan_import, write
from profilectl.render import roster_documents
from profilectl.render.console import info
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.cli.context import Context


def start_from_list(
    context: Context,
    file: Path,
    head: Callable[[str | None], str],
    columns: Sequence[str],
    photos: Path | None,
) -> None:
    """Write a roster of a list's people, with their pictures beside it; everything or nothing.

    `head` returns what the roster says before its agents, given the pattern of their names.
    """
    path = context.roster_path
    if path.exists() or path.is_symlink():  # before pictures are fetched for nothing
        raise InputRefused(
            f"{visible(str(path))} exists already; nothing was written",
            hint="`profilectl roster import` reads a list into it; --roster PATH starts one in another folder",
        )
    table = read_list(file)
    mapping = mapping_of(context, table, columns, head(None).encode())
    name = mapping.header("name")
    is_in_parts = any(not row.cells.get(name or "") for row in table.rows) and {"first", "last"} <= {*mapping.columns}
    text = head(PATTERN if is_in_parts else None)
    change = plan_import(text.encode(), str(path), table, mapping, photo_source(context, file, photos))
    write(change, path, None)
    pictures = [path.parent / photo.path for photo in change.pictures]
    people = len(change.comparison.added)
    line = f"wrote {visible(str(path))}: {people} {'agent' if people == 1 else 'agents'}, {_counted(len(pictures))}"
    context.output.show(roster_documents.init(path, pictures), lines=[line])
    tell_about(context, change)
    if is_in_parts:
        info(f'public names are made by the pattern "{PATTERN}": change it in [defaults]')


def _counted(pictures: int) -> str:
    return "1 picture" if pictures == 1 else f"{pictures} pictures"
