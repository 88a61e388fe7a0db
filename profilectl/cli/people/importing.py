"""``roster import``: a list of people into a roster that exists."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from profilectl.cli.context import Context
from profilectl.cli.options import argument, option
from profilectl.cli.roster.edit import require_no_brand
from profilectl.render.console import info
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.people.importing import Import


def import_people(
    context: Context,
    file: Annotated[Path, argument("FILE", "The list: CSV, or JSON lines.")],
    columns: Annotated[list[str] | None, option("--map FIELD=COLUMN,...", "Which column is which field.")] = None,
    photos: Annotated[Path | None, option("--photos DIR", "Pictures, called by key, e-mail address or name.")] = None,
    dry_run: Annotated[bool, option("--dry-run", "Show the difference, and write nothing.")] = False,
    remove_missing: Annotated[
        bool, option("--remove-missing", "Remove agents whom the list doesn't name, but protected ones.")
    ] = False,
    max_deletes: Annotated[int | None, option("--max-deletes N", "How many may leave at once.", min=0)] = None,
) -> None:
    """Read a list of people into the roster.

    CSV with commas, semicolons or tabs, or JSON lines. Who is new is added, and what differs is set; an empty cell
    changes nothing. Columns are guessed from their names: see what was guessed with --dry-run. X isn't called.
    """
    from profilectl.cli.people.lists import mapping_of, next_command, photo_source, read_list, tell_about
    from profilectl.people.importing import MAX_DELETES, guard_leavers, plan_import, write
    from profilectl.render import people as shown

    require_no_brand(context, "import", "columns of a list are an agent's in every brand; leave it out")
    content, name = context.read_roster(), str(context.roster_path)
    require_readable(content, name)
    table = read_list(file)
    mapping = mapping_of(context, table, columns or (), content)
    source = photo_source(context, file, photos)
    change = plan_import(content, name, table, mapping, source, remove_missing=remove_missing)
    leavers, most = len(change.comparison.removed), MAX_DELETES if max_deletes is None else max_deletes
    refusal = guard_leavers(leavers, most, visible(table.file), "with --dry-run whether the list is whole")
    if refusal is not None and not dry_run:
        raise refusal
    is_written = change.changes_anything and not dry_run
    if is_written:
        write(change, context.roster_path, content)
    context.output.show(
        lambda: shown.document(table, mapping, change, is_written=is_written), shown.HEADERS, [*shown.rows(change)]
    )
    tell_about(context, change)
    _tell_missing(context, change)
    if refusal is not None:
        way = f"without --dry-run this is refused, and --max-deletes {leavers} allows it"
        info(f"warning: {refusal.message}: {way}")
    if not context.is_quiet or change.changes_anything:
        end = "; nothing was written (--dry-run)" if dry_run and change.changes_anything else ""
        info(f"{shown.summary(change)}{end}")
    if is_written:
        context.remark(f"next: `{next_command(context, 'diff')}` shows what that changes at X")


def require_readable(content: bytes, name: str) -> None:
    """Raise RosterRefused for a roster with errors, other than that it has no agents yet."""
    from profilectl.roster.parser import parse_partially
    from profilectl.toml.document import refusal

    problems = parse_partially(content, name).problems
    if any(problem.severity == "error" and problem.path != "agents" for problem in problems):
        raise refusal(problems, name)


def _tell_missing(context: Context, change: Import) -> None:
    from profilectl.cli.people.lists import some

    missing = change.comparison.missing
    if missing:
        context.remark(f"in the roster, but not in the list, so left as they are: {some(missing)}")
