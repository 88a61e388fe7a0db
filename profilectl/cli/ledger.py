"""``ledger show`` and its kin: the ledger itself, apart from what X has."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

from profilectl.cli.context import Context
from profilectl.cli.options import add_group, argument, option
from profilectl.cli.prompts import require_consent
from profilectl.errors import InputRefused, LedgerRefused, TryLater, UsageError
from profilectl.ledger import export as export_lines
from profilectl.ledger import relocation
from profilectl.ledger.grants import Roles, statements
from profilectl.ledger.location import companions
from profilectl.ledger.store import refusal_of_mark
from profilectl.render import ledger as render
from profilectl.render.console import info, out, show_error, unless_nobody_reads
from profilectl.system.files import private_draft
from profilectl.system.host import expand_home
from profilectl.system.locks import holder_of, is_held
from profilectl.text.escape import visible

if TYPE_CHECKING:
    import typer

    from profilectl.ledger.export import Extent, Verdict
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.ledger.sqlite import SQLiteReader
    from profilectl.ledger.store import Execute, Store, StoreReader

_HEADERS = ("what", "value")
_MAX_WAIT = 60.0  # seconds that a command waits for a run to end

Force = Annotated[bool, option("--force", "Replace FILE where there is one.")]


def register(app: typer.Typer) -> None:
    """Add the ``ledger`` group."""
    add_group(
        app,
        "ledger",
        "The ledger itself: look, copy, move.",
        {
            "show": show,
            "export": export,
            "import": import_,
            "backup": backup,
            "migrate": migrate,
            "unlock": unlock,
            "grants": grants,
        },
    )


def show(context: Context) -> None:
    """Show where the ledger is and what it holds.

    Nothing is asked of X and nothing is written. A ledger that other commands refuse, because it went backwards, is
    shown all the same.
    """
    place = context.ledger_path.absolute()
    exists = os.path.lexists(place)
    with closing(_open(place)) as ledger:
        summary = ledger.summary() if exists else None
        refusal = _refusal(context, ledger, place)
    holder = holder_of(_lock_of(place))
    document = render.show(str(place), "sqlite", summary, holder, refusal)
    rows = None if summary is None else render.rows(str(place), "sqlite", summary, holder)
    context.output.show(document, _HEADERS, rows)
    if summary is None:
        info(f"there is no ledger at {visible(str(place))} yet: the first `profilectl sync` makes it")
    if refusal is not None:
        show_error(refusal)


def export(
    context: Context,
    file: Annotated[Path | None, argument("[FILE]", "Where to; else stdout.")] = None,
    force: Force = False,
) -> None:
    """Write all that the ledger knows as lines of JSON.

    The first line names the tables, each row is a line, and the last line has the count and a digest, so that
    `profilectl ledger import` notices when a line is missing. The same ledger makes the same file, byte for byte. It
    names customers and agents: a FILE is made for your eyes only.
    """
    context.require_admin("export the ledger")
    if file is None and context.wants_json:
        raise UsageError("the export is lines of JSON already", hint="leave --json out, or name a FILE")
    place = context.ledger_path.absolute()
    with ExitStack() as stack:
        ledger = stack.enter_context(closing(_open_sound(context, place)))
        if file is not None:
            _require_apart(file, place)
            extent = _export_to(ledger, stack.enter_context(_new_file(file, force=force)))
        else:
            spool = stack.enter_context(tempfile.TemporaryFile())
            extent = ledger.engine.read(lambda execute: _rewritten(execute, spool))
            _pour(spool)
    what = f"exported {extent.rows} rows of {visible(str(place))}"
    if file is None:
        context.remark(what)
        return
    document = render.copy("export", str(place), str(file), extent.rows, extent.digest)
    context.output.show(document, lines=[f"{what} to {visible(str(file))}"])


def _export_to(ledger: StoreReader, draft: Path) -> Extent:
    with draft.open("r+b") as sink:
        return ledger.engine.read(lambda execute: _rewritten(execute, sink))


def _rewritten(execute: Execute, file: BinaryIO) -> Extent:
    """Write an export from the beginning of a file on: a look at a ledger that changes may be repeated."""
    file.seek(0)
    file.truncate()
    return export_lines.write(execute, file)


def _pour(spool: BinaryIO) -> None:
    spool.seek(0)
    with unless_nobody_reads():
        sys.stdout.flush()
        shutil.copyfileobj(spool, sys.stdout.buffer)


def import_(
    context: Context,
    file: Annotated[str, argument("FILE", "What `ledger export` wrote; - is stdin.")],
) -> None:
    """Read an export into a ledger that is empty or missing.

    Every line, the count, the digest and the chain of the audit trail are checked before anything is written; what is
    wrong is named by its line, and then nothing is imported.
    """
    context.require_admin("import a ledger")
    with _readable(file) as lines:
        verdict = export_lines.judge(lines)
        _require_no_problem(file, verdict)
        place = context.ledger_path.absolute()
        if os.path.lexists(place):
            _require_empty(place)
        ledger = context.ledger_for_writing()
        with ledger.lock(_MAX_WAIT, "profilectl ledger import", context.announce_wait):
            export_lines.import_into(cast("Store", ledger).engine, lines, verdict.extent)
        refusal = _refusal(context, ledger, place)
    rows, digest = verdict.extent.rows, verdict.extent.digest
    line = f"imported {rows} rows from {visible(file)} into {visible(str(place))}"
    context.output.show(render.copy("import", file, str(place), rows, digest), lines=[line])
    if refusal is not None:  # such as an export of last week, which knows less than this host has seen
        show_error(refusal)


def _require_no_problem(file: str, verdict: Verdict) -> None:
    for problem in verdict.problems:
        info(f"{visible(file)}:{problem.line}: {problem.message}")
    if verdict.problems:
        first, count = verdict.problems[0], len(verdict.problems)
        what = "1 problem" if count == 1 else f"{count} problems"
        message = f"nothing was imported: {visible(file)} has {what}, the first in line {first.line}"
        raise InputRefused(message, hint="export the ledger once more, and copy the file whole")


def _require_empty(place: Path) -> None:
    with closing(_open(place)) as ledger:
        if not ledger.engine.read(export_lines.is_empty):
            hint = "PROFILECTL_LEDGER=PATH imports it elsewhere; or move this one away first"
            raise LedgerRefused(f"nothing was imported: {visible(str(place))} isn't empty", hint=hint)


@contextmanager
def _readable(file: str) -> Iterator[BinaryIO]:
    """Yield a file that can be read twice; what is no regular file, such as stdin, is copied aside first."""
    with ExitStack() as stack:
        try:
            source = sys.stdin.buffer if file == "-" else stack.enter_context(expand_home(file).open("rb"))
            lines: BinaryIO = source
            if file == "-" or not source.seekable():
                lines = stack.enter_context(tempfile.TemporaryFile())
                shutil.copyfileobj(source, lines)
        except OSError as error:
            raise InputRefused(f"can't read {visible(file)}: {error.strerror}") from None
        yield lines


@contextmanager
def _new_file(file: Path, *, force: bool) -> Iterator[Path]:
    """Yield a private draft that takes its place at the end; InputRefused where it can't."""
    shown = visible(str(file))
    if file.is_dir():
        raise InputRefused(f"{shown} is a folder", hint=f"name a file in it: {visible(str(file / 'ledger.jsonl'))}")
    try:
        with private_draft(file, replaces=force) as draft:
            yield draft
    except FileExistsError:
        raise InputRefused(f"{shown} exists already", hint="choose another name, or replace it with --force") from None
    except OSError as error:
        raise InputRefused(f"{shown} can't be written: {error.strerror}") from None


def backup(
    context: Context,
    file: Annotated[Path, argument("FILE", "Where to.")],
    force: Force = False,
) -> None:
    """Copy the ledger into a file, while others work.

    The copy is made by SQLite itself, of one moment, and checked before it gets its name; it is for your eyes only. A
    ledger on PostgreSQL is backed up by pg_dump instead.
    """
    context.require_admin("back up the ledger")
    place = context.ledger_path.absolute()
    with closing(_open_sound(context, place)) as ledger:
        _require_apart(file, place)
        with _new_file(file, force=force) as draft:
            cast("SQLiteReader", ledger.engine).back_up(draft.absolute())
    document = render.copy("backup", str(place), str(file), None, None)
    context.output.show(document, lines=[f"backed up {visible(str(place))} to {visible(str(file))}"])


def migrate(
    context: Context,
    address: Annotated[str, argument("ADDRESS", "Where to: a path.")],
    yes: Annotated[bool, option("--yes", "Move it without asking.")] = False,
) -> None:
    """Move the ledger to another place.

    It is copied whole and compared; then the old one is marked as moved, and every command that uses it is refused
    with the new address. Nobody can write meanwhile, not even send. When it is cut short, the same command finishes
    it; until then either the old ledger stays in use, or neither is used.
    """
    context.require_admin("move the ledger")
    if context.uses_sandbox:
        raise UsageError("the sandbox keeps its ledger beside the roster", hint="leave --sandbox out")
    old, new = context.ledger_path.absolute(), expand_home(address).absolute()
    _require_other_place(old, new)
    goal = _moved_to(old)
    if goal == str(new):
        _finish_move(context, old, new)
        return
    if goal is not None:
        raise refusal_of_mark("moved_to", goal)
    question = f"Move the ledger from {visible(str(old))} to {visible(str(new))}? All that use it need the new address."
    require_consent(context, question, "moved", yes=yes)
    ledger = context.ledger_for_writing()
    old = context.ledger_path.absolute()  # one beside the roster was moved to the state folder just now
    with ledger.lock(_MAX_WAIT, "profilectl ledger migrate", context.announce_wait), tempfile.TemporaryFile() as spool:
        extent = relocation.migrate(cast("Store", ledger).engine, partial(_open_marked, new), spool, str(old), str(new))
    with _open_marked(new) as target:
        relocation.finish(cast("Store", ledger).engine, target.engine, str(old), str(new))
    _show_move(context, old, new, extent)


def _require_other_place(old: Path, new: Path) -> None:
    if not os.path.lexists(old):
        raise LedgerRefused(f"there is no ledger at {visible(str(old))}", hint="the first `profilectl sync` makes it")
    if new in {old, *companions(old)} or (new.exists() and new.samefile(old)):
        raise UsageError(f"{visible(str(new))} is where the ledger is already", hint="name another place")


def _moved_to(place: Path) -> str | None:
    from profilectl.ledger.sqlite import open_for_reading

    with closing(open_for_reading(place, even_moved=True)) as ledger:
        return relocation.goal_of(ledger.engine)


def _open_marked(place: Path) -> Store:
    from profilectl.ledger.sqlite import open_for_writing

    return open_for_writing(place, even_moved=True)


def _finish_move(context: Context, old: Path, new: Path) -> None:
    from profilectl.ledger.sqlite import open_for_reading

    with closing(open_for_reading(old, even_moved=True)) as source, _open_marked(new) as target:
        is_new = relocation.finish(source.engine, target.engine, str(old), str(new))
        extent = relocation.extent_of(target.engine)
    if not is_new:
        context.remark("the ledger was moved before, so nothing changed")
    _show_move(context, old, new, extent)


def _show_move(context: Context, old: Path, new: Path, extent: Extent) -> None:
    address = visible(shlex.quote(str(new)))
    context.output.show(
        render.copy("migrate", str(old), str(new), extent.rows, extent.digest),
        lines=[
            f"the ledger is {visible(str(new))} now ({extent.rows} rows)",
            f"everywhere it is used, set PROFILECTL_LEDGER={address}, or the key ledger in profilectl's config.toml",
        ],
    )


def unlock(context: Context) -> None:
    """Tell which run holds the ledger, and how it ends.

    The lock of a ledger in a file is the system's: it ends with the process that holds it, also after a crash, and
    nothing is left to remove. Exits 75 while a run holds it, 0 when nobody does.
    """
    context.require_admin("unlock the ledger")
    place = context.ledger_path.absolute()
    lock = _lock_of(place)
    shown = visible(str(place))
    if is_held(lock):
        holder = holder_of(lock)
        if holder is None:
            raise TryLater(f"another process holds {shown}", hint="its lock ends with it: wait for it to end")
        hint = f"its lock ends with it: wait, or end process {holder.pid} on {visible(holder.host)}: kill {holder.pid}"
        raise TryLater(f"{holder.describe()} holds {shown}", hint=hint)
    context.output.show(render.unlock(str(place), None, ended=False), lines=[f"nobody holds {shown}"])


def grants(
    context: Context,
    admin: Annotated[str, option("--admin ROLE", "May do everything.")] = Roles().admin,
    agent: Annotated[str, option("--agent ROLE", "May look, and send messages.")] = Roles().agent,
    reader: Annotated[str, option("--reader ROLE", "May only look.")] = Roles().reader,
    schema: Annotated[str, option("--schema NAME", "The schema of the ledger.")] = "profilectl",
) -> None:
    """Print the SQL for three roles in PostgreSQL.

    Nothing is run, and no ledger is needed. Run it as a superuser once before the first sync, so that the schema is
    there, and once after it, so that the tables are; and again after an upgrade. Then give people and machines one of
    the roles: GRANT profilectl_agent TO afast.
    """
    roles = Roles(admin, agent, reader)
    sql = statements(roles, schema)
    if context.wants_json:
        context.output.show(render.grants(roles, schema, sql))
        return
    for line in sql:
        out(visible(line))


def _require_apart(file: Path, place: Path) -> None:
    """Refuse to write over the ledger itself, or a file of SQLite's beside it."""
    own = (place, *companions(place))
    if file.absolute() in own or any(path.exists() and file.exists() and path.samefile(file) for path in own):
        raise UsageError(f"{visible(str(file))} is the ledger itself, or belongs to it", hint="choose another name")


def _open_sound(context: Context, place: Path) -> StoreReader:
    """Open the ledger that is there; LedgerRefused where there is none, or other commands refuse it."""
    if not os.path.lexists(place):
        hint = "the first `profilectl sync` makes it; PROFILECTL_LEDGER names another one"
        raise LedgerRefused(f"there is no ledger at {visible(str(place))}", hint=hint)
    ledger = _open(place)
    with ExitStack() as on_error:
        on_error.callback(ledger.close)
        context.kept_heads.check(ledger, place)
        on_error.pop_all()
    return ledger


def _open(place: Path) -> StoreReader:
    from profilectl.ledger.sqlite import open_for_reading

    return open_for_reading(place)


def _lock_of(place: Path) -> Path:
    return place.with_name(f"{place.name}.lock")


def _refusal(context: Context, ledger: LedgerReader, place: Path) -> LedgerRefused | None:
    """Return why other commands refuse the ledger, or None."""
    try:
        context.kept_heads.check(ledger, place)
    except LedgerRefused as error:
        return error
    return None
