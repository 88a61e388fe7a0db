"""``ledger show`` and its kin: the ledger itself, apart from what X has."""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, cast

from profilectl.cli.audit.anchor import forget_tree
from profilectl.cli.context import Context
from profilectl.cli.earlier_copies import require_earlier_backup, require_earlier_export
from profilectl.cli.ledger_files import (
    absolute,
    exists,
    new_file,
    open_at,
    open_sound,
    open_writable,
    place_of,
    pour,
    rereadable_file,
)
from profilectl.cli.options import add_group, argument, option
from profilectl.cli.prompts import require_consent
from profilectl.errors import InputRefused, LedgerRefused, ProfilectlError, TryLater, UsageError
from profilectl.ledger import export as export_lines
from profilectl.ledger import relocation
from profilectl.ledger.accounts import check_account
from profilectl.ledger.address import PostgresAddress, parse_place
from profilectl.ledger.grants import Roles, statements
from profilectl.ledger.location import companions
from profilectl.ledger.store import refusal_of_mark
from profilectl.profiles.ownership import namesakes
from profilectl.render import ledger as render
from profilectl.render.console import info, out, show_error
from profilectl.system.host import expand_home, now_ms
from profilectl.system.locks import is_held
from profilectl.text.escape import visible

if TYPE_CHECKING:
    import typer

    from profilectl.ledger.export import Extent, Verdict
    from profilectl.ledger.heads import Setback
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.ledger.sqlite import SQLiteReader
    from profilectl.ledger.store import Execute, Store, StoreReader
    from profilectl.profiles.ownership import Namesake

    Place = Path | PostgresAddress

_HEADERS = ("what", "value")
_CANDIDATES = ("brand", "agent", "profile", "name", "created", "command")
_MAX_WAIT = 60.0  # seconds that a command waits for a run to end

Force = Annotated[bool, option("--force", "Replace FILE where there is one.")]


def register(app: typer.Typer, word: str | None) -> None:
    """Add the ``ledger`` group."""
    add_group(
        app,
        "ledger",
        "The ledger itself: look, copy, move, mend.",
        {
            "show": show,
            "export": export,
            "import": import_,
            "backup": backup,
            "migrate": migrate,
            "unlock": unlock,
            "accept-restore": accept_restore,
            "grants": grants,
        },
        word,
    )


def show(context: Context) -> None:
    """Show where the ledger is and what it holds.

    Nothing is asked of X and nothing is written. A ledger that other commands refuse, because it went backwards, is
    shown all the same.
    """
    place = place_of(context)
    with closing(open_at(context, place)) as ledger:
        summary = ledger.summary() if exists(place, ledger) else None
        refusal = _refusal(context, ledger, place)
        holder = ledger.holder()
    kind = "postgresql" if isinstance(place, PostgresAddress) else "sqlite"
    document = render.show(str(place), kind, summary, holder, refusal)
    context.output.show(document, _HEADERS, None if summary is None else render.rows(str(place), kind, summary, holder))
    if summary is None:
        info(f"there is no ledger at {place} yet: the first `profilectl sync` makes it")
    if refusal is not None:
        show_error(refusal)


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
            _require_apart(file, place)
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
        with ledger.lock(_MAX_WAIT, "profilectl ledger import", context.announce_wait):
            export_lines.import_into(cast("Store", ledger).engine, lines, verdict.extent)
        refusal = _refusal(context, ledger, place)
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
        hint = f"{dump} {shlex.quote(place.connection_string())}"
        raise LedgerRefused(f"{visible(str(place))} is backed up by PostgreSQL's own pg_dump", hint=visible(hint))
    with closing(open_sound(context, place)) as ledger:
        relocation.require_content(ledger, str(place))
        file = expand_home(str(file))
        _require_apart(file, place)
        with new_file(file, force=force) as draft:
            require_earlier_backup(file, ledger, place)
            cast("SQLiteReader", ledger.engine).back_up(draft.absolute())
    document = render.copy("backup", str(place), str(file), None, None)
    context.output.show(document, lines=[f"backed up {visible(str(place))} to {visible(str(file))}"])


def migrate(
    context: Context,
    address: Annotated[str, argument("ADDRESS", "Where to: a path, or postgresql://HOST/DATABASE.")],
    yes: Annotated[bool, option("--yes", "Move it without asking.")] = False,
) -> None:
    """Move the ledger to another place.

    It is copied whole and compared; then the old one is marked as moved, and every command that uses it is refused
    with the new address. Syncs wait until it is done, and so does send in the last moment. When it is cut short,
    the same command finishes it; until then either the old ledger stays in use, or neither is used.
    """
    context.require_admin("move the ledger")
    if context.uses_sandbox:
        raise UsageError("the sandbox keeps its ledger beside the roster", hint="leave --sandbox out")
    old, new = place_of(context), absolute(parse_place(address))
    goal = _moved_to(context, old, new)
    if goal == str(new):
        _finish_move(context, old, new)
        return
    if goal is not None:
        raise refusal_of_mark("moved_to", goal)
    question = f"Move the ledger from {visible(str(old))} to {visible(str(new))}? All that use it need the new address."
    require_consent(context, question, "moved", yes=yes)
    source = cast("Store", context.ledger_for_writing()).engine
    old = place_of(context)  # one beside the roster was moved to the state folder just now
    target = partial(_open_marked, context, new)
    with source.lock(_MAX_WAIT, "profilectl ledger migrate", context.announce_wait), tempfile.TemporaryFile() as spool:
        extent = relocation.migrate(source, target, spool, str(old), str(new))
        with target() as ledger:
            relocation.finish(source, ledger.engine, str(old), str(new))
    _show_move(context, old, new, extent)


def _moved_to(context: Context, old: Place, new: Place) -> str | None:
    with closing(open_at(context, old, even_moved=True)) as ledger:
        if not exists(old, ledger):
            hint = "the first `profilectl sync` makes it"
            raise LedgerRefused(f"there is no ledger at {visible(str(old))}", hint=hint)
        if new == old or (isinstance(old, Path) and isinstance(new, Path) and _is_of_ledger(new, old)):
            raise UsageError(f"{visible(str(new))} is where the ledger is already", hint="name another place")
        return relocation.goal_of(ledger.engine)


def _open_marked(context: Context, place: Place) -> Store:
    return open_writable(context, place, even_moved=True)


def _finish_move(context: Context, old: Place, new: Place) -> None:
    with closing(open_at(context, new, even_moved=True)) as target:
        if not exists(new, target):  # opened for writing, an empty one would take its place
            hint = f"restore it there; {relocation.former(str(old))}"
            raise LedgerRefused(f"the ledger was moved to {visible(str(new))}, and isn't there", hint=visible(hint))
    with closing(open_at(context, old, even_moved=True)) as source, _open_marked(context, new) as target:
        is_new = relocation.finish(source.engine, target.engine, str(old), str(new))
        extent = relocation.extent_of(target.engine)
    if not is_new:
        context.remark("the ledger was moved before, so nothing changed")
    _show_move(context, old, new, extent)


def _show_move(context: Context, old: Place, new: Place, extent: Extent) -> None:
    address = visible(shlex.quote(str(new)))
    context.output.show(
        render.copy("migrate", str(old), str(new), extent.rows, extent.digest),
        lines=[
            f"the ledger is {visible(str(new))} now ({extent.rows} rows)",
            f"everywhere it is used, set PROFILECTL_LEDGER={address}, or the key ledger in profilectl's config.toml",
        ],
    )


def unlock(
    context: Context,
    yes: Annotated[bool, option("--yes", "End the run's right without asking.")] = False,
) -> None:
    """Tell which run holds the ledger, and end its right to it.

    In PostgreSQL the right is a row that ends by itself a minute after its run was last heard of; to end it sooner is
    safe, as the run stops before its next call to X. A ledger in a file is locked by the system: the lock ends with its
    process, also after a crash, so nothing is left to remove; the process is named, and the exit code is 75.
    """
    context.require_admin("unlock the ledger")
    place = place_of(context)
    shown = visible(str(place))
    with closing(open_at(context, place)) as ledger:
        holder = ledger.holder()
    if isinstance(place, Path) and is_held(lock := place.with_name(f"{place.name}.lock")):
        if holder is None:
            raise TryLater(f"another process holds {shown}", hint=f"it has {visible(str(lock))} open: wait for its end")
        hint = f"its lock ends with it: wait, or end it on {visible(holder.host)} by `kill {holder.pid}`"
        raise TryLater(f"{holder.describe()} holds {shown}", hint=hint)
    if holder is None or isinstance(place, Path):
        context.output.show(render.unlock(str(place), None, ended=False), lines=[f"nobody holds {shown}"])
        return
    question = f"{holder.describe()} holds {shown}. End its right to write there?"
    require_consent(context, question, "unlocked", yes=yes)
    context.ledger_for_writing().unlock(holder)
    line = f"{holder.describe()} doesn't hold {shown} any more; it stops before its next call to X"
    context.output.show(render.unlock(str(place), holder, ended=True), lines=[line])


def accept_restore(
    context: Context,
    yes: Annotated[bool, option("--yes", "Go on with it without asking.")] = False,
) -> None:
    """Go on with a ledger that went backwards.

    For a backup that was put in the place of a lost ledger: it lacks what happened since. Shows how far it went
    back, and which profiles at X bear an agent's name and aren't in it, with the commands that adopt them; run
    those before the next sync. The decision is recorded, and commands work again. Without credentials X isn't
    asked, and the output says so.
    """
    context.require_admin("accept a restored ledger")
    place = place_of(context)
    shown = visible(str(place))
    with closing(open_at(context, place)) as ledger:
        setbacks, summary = context.kept_heads.setbacks(ledger), ledger.summary()
        if not setbacks:
            document = render.restored(str(place), summary, (), (), None, context.again())
            has_it = f"{shown} has all that was seen of it on this host"
            line = has_it if exists(place, ledger) else f"there is no ledger at {shown} yet, so nothing to accept"
            context.output.show(document, lines=[line])
            return
        for line in render.setbacks(summary, setbacks):
            info(line)
        candidates, failure = _candidates(context, ledger)
    rows = [render.candidate_row(candidate, context.again()) for candidate in candidates]
    context.output.show_rows(_CANDIDATES, rows)
    if failure is not None:
        info(f"warning: X wasn't asked which profiles the ledger doesn't know: {failure.message}")
    require_consent(context, f"Go on with {shown} as it is?", "accepted", yes=yes)
    _accept(context, place, setbacks)
    document = render.restored(str(place), summary, setbacks, candidates, failure, context.again())
    first = "adopt these profiles, then " if candidates else ""
    line = f"{shown} is used from now on: {first}look at `profilectl diff` before a sync"
    context.output.show(document, lines=[line])


def _accept(context: Context, place: Place, setbacks: Sequence[Setback]) -> None:
    # without the ledger's lock: an agent's role, which only sends, has no right to a lease, and needn't have one here
    with open_writable(context, place) as ledger:
        if context.kept_heads.setbacks(ledger) != tuple(setbacks):
            raise TryLater("the ledger has changed meanwhile, so nothing was accepted", hint="run it once more")
        try:
            context.kept_heads.accept(ledger, place, setbacks, now_ms())
            forget_tree(context, ledger)
        except OSError as error:
            raise LedgerRefused(f"can't write down how far the ledger is: {error.strerror}") from None


def _candidates(context: Context, ledger: LedgerReader) -> tuple[list[Namesake], ProfilectlError | None]:
    """Return the profiles at X that a ledger doesn't know and that bear an agent's name, and why X wasn't asked."""
    candidates: list[Namesake] = []
    try:
        for brand in context.brands():
            client = context.connect(brand)
            account = client.verify_credentials()
            check_account(brand, account, ledger)
            agents = context.roster.agents_of(brand.key)
            candidates += namesakes(agents, client.list_profiles(), ledger.state_of(account.user_id))
    except ProfilectlError as error:
        return candidates, error
    return candidates, None


def grants(
    context: Context,
    admin: Annotated[str, option("--admin ROLE", "May do everything.")] = Roles().admin,
    agent: Annotated[str, option("--agent ROLE", "May look, and send messages.")] = Roles().agent,
    reader: Annotated[str, option("--reader ROLE", "May only look.")] = Roles().reader,
    schema: Annotated[str | None, option("--schema NAME", "Of the ledger; else its address's, or profilectl.")] = None,
) -> None:
    """Print the SQL for three roles in PostgreSQL.

    Nothing is run, and no ledger is needed. A superuser runs it twice: before the first sync, for the roles and the
    schema, and after it, for the tables; and once more after each update of profilectl. Then people and machines get
    one of the roles: GRANT profilectl_agent TO afast.
    """
    roles = Roles(admin, agent, reader)
    schema_name = _schema_of(context) if schema is None else schema
    sql = statements(roles, schema_name)
    if context.wants_json:
        context.output.show(render.grants(roles, schema_name, sql))
        return
    for line in sql:
        out(visible(line))


def _schema_of(context: Context) -> str:
    try:
        place = context.ledger_place
    except LedgerRefused:  # there are two files: neither is what the SQL is about
        place = Path()
    return place.schema if isinstance(place, PostgresAddress) else "profilectl"


def _refusal(context: Context, ledger: LedgerReader, place: Place) -> LedgerRefused | None:
    """Return why other commands refuse the ledger, or None."""
    try:
        context.kept_heads.check(ledger, place)
    except LedgerRefused as error:
        return error
    return None


def _require_apart(file: Path, place: Place) -> None:
    """Refuse to write over the ledger itself, or a file of SQLite's beside it."""
    if isinstance(place, Path) and _is_of_ledger(file.absolute(), place):
        raise UsageError(f"{visible(str(file))} is the ledger itself, or belongs to it", hint="choose another name")


def _is_of_ledger(file: Path, place: Path) -> bool:
    own = (place, *companions(place))
    return file in own or any(path.exists() and file.exists() and path.samefile(file) for path in own)
