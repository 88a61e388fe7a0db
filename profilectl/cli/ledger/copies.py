"""``ledger export``, ``import`` and ``backup``: what a ledger holds, in a file."""

from __future__ import annotations

import shlex
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

from profilectl.cli.context import Context
from profilectl.cli.ledger.earlier_copies import require_earlier_backup, require_earlier_export
from profilectl.cli.ledger.files import (
    MAX_WAIT,
    new_file,
    open_at,
    open_sound,
    place_of,
    pour,
    refusal_of,
    require_apart,
    rereadable_file,
)
from profilectl.cli.options import argument, option
from profilectl.errors import InputRefused, LedgerRefused, UsageError
from profilectl.ledger import export as export_lines
from profilectl.ledger import relocation
from profilectl.ledger.address import PostgresAddress
from profilectl.render import ledger as render
from profilectl.render.console import info, show_error
from profilectl.system.host import expand_home
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.cli.ledger.files import Place
    from profilectl.ledger.export import Extent, Verdict
    from profilectl.ledger.sqlite import SQLiteReader
    from profilectl.ledger.store import Execute, Store, StoreReader

Force = Annotated[bool, option("--force", "Replace FILE where there is one.")]


def export(
    context: Context,
    file: Annotated[Path | None, argument("[FILE]", "Where to; else stdout.")] = None,
    force: Force = False,
) -> None:
    """Write all that the ledger knows as lines of JSON.

    The first line names the tables, each row is a line, and the last line has the count and a digest, so that
    `profilectl ledger import` notices when a line is missing. The same ledger makes the same file, byte for byte.
    It names customers and agents, so only you can read FILE. With --force it replaces an earlier export of the same
    ledger, and no export that knows more than the ledger.
    """
    context.require_admin("export the ledger")
    if file is None and context.wants_json:
        raise UsageError("the export is lines of JSON already", hint="leave --json out, or name a FILE")
    place = place_of(context)
    with ExitStack() as stack:
        ledger = stack.enter_context(closing(open_sound(context, place, even_moved=True)))  # its copy may be lost
        if file is not None:
            file = expand_home(str(file))
            require_apart(file, place)
            draft = stack.enter_context(new_file(file, force=force))
            require_earlier_export(file, ledger, place)
            extent = _export_to(ledger, stack.enter_context(draft.open("r+b")))
        else:
            spool = stack.enter_context(tempfile.TemporaryFile())
            extent = _export_to(ledger, spool)
            pour(spool)
        if ledger.engine.hides_keys():
            info("warning: the keys of the texts' digests aren't in it, as a reader's role doesn't see them")
    what = f"exported {extent.rows} rows of {visible(str(place))}"
    if file is None:
        context.remark(what)
        return
    document = render.copy("export", str(place), str(file), extent.rows, extent.digest)
    context.output.show(document, lines=[f"{what} to {visible(str(file))}"])


def _export_to(ledger: StoreReader, file: BinaryIO) -> Extent:
    def write(execute: Execute) -> Extent:
        file.seek(0)  # a look at a ledger that changes may be repeated
        file.truncate()
        return export_lines.write(execute, file)

    return ledger.engine.read(write)


def import_(
    context: Context,
    file: Annotated[str, argument("FILE", "What `ledger export` wrote; - is stdin.")],
) -> None:
    """Read an export into a ledger that is empty or missing.

    Every line, the count, the digest and the chain of the audit trail are checked before anything is written; what is
    wrong is named by its line, and then nothing is imported.
    """
    context.require_admin("import a ledger")
    place = place_of(context)
    with rereadable_file(file) as (lines, pipe):
        verdict = export_lines.judge(lines, pipe)
        _require_no_problem(file, verdict)
        _require_empty(context, place)
        ledger = context.ledger_for_writing()
        with ledger.lock(MAX_WAIT, "profilectl ledger import", context.announce_wait):
            export_lines.import_into(cast("Store", ledger).engine, lines, verdict.extent)
        refusal = refusal_of(context, ledger, place)
    rows, digest = verdict.extent.rows, verdict.extent.digest
    line = f"imported {rows} rows from {visible(file)} into {visible(str(place))}"
    context.output.show(render.copy("import", file, str(place), rows, digest), lines=[line])
    if refusal is not None:  # such as an export of last week, which knows less than this host has seen
        show_error(refusal)


def _require_no_problem(file: str, verdict: Verdict) -> None:
    shown = "stdin" if file == "-" else visible(file)
    for problem in verdict.problems:
        info(f"{shown}:{problem.line}: {problem.message}")
    if verdict.problems:
        first, count = verdict.problems[0], len(verdict.problems)
        what = "1 problem" if count == 1 else f"{count} problems"
        message = f"nothing was imported: {shown} has {what}, the first in line {first.line}"
        raise InputRefused(message, hint="export the ledger once more, and copy the file whole")


def _require_empty(context: Context, place: Place) -> None:
    with closing(open_at(context, place)) as ledger:
        if not ledger.engine.read(export_lines.is_empty):
            hint = "PROFILECTL_LEDGER=ADDRESS imports it elsewhere; or move this one away first"
            raise LedgerRefused(f"nothing was imported: {visible(str(place))} isn't empty", hint=hint)


def backup(
    context: Context,
    file: Annotated[Path, argument("FILE", "Where to.")],
    force: Force = False,
) -> None:
    """Copy the ledger into a file, while others work.

    The copy is made by SQLite itself, of one moment, and checked before it gets its name; only you can read it. With
    --force it replaces an earlier copy of the same ledger, and no copy that knows more than the ledger. A ledger in
    PostgreSQL is backed up by pg_dump instead.
    """
    context.require_admin("back up the ledger")
    place = place_of(context)
    if isinstance(place, PostgresAddress):
        dump = f"pg_dump --format=custom --schema={place.schema} --file={shlex.quote(str(file))}"
        hint = f"(umask 077; {dump} {shlex.quote(place.connection_string())})"  # its file is everybody's else
        raise LedgerRefused(f"{visible(str(place))} is backed up by PostgreSQL's own pg_dump", hint=visible(hint))
    with closing(open_sound(context, place)) as ledger:
        relocation.require_content(ledger, str(place))
        file = expand_home(str(file))
        require_apart(file, place)
        with new_file(file, force=force) as draft:
            require_earlier_backup(file, ledger, place)
            cast("SQLiteReader", ledger.engine).back_up(draft.absolute())
    document = render.copy("backup", str(place), str(file), None, None)
    context.output.show(document, lines=[f"backed up {visible(str(place))} to {visible(str(file))}"])
