"""The commands of the ``ledger`` group; here are those that are about it where it is: a look, its lock, its roles."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from profilectl.cli.context import Context
from profilectl.cli.ledger.files import (
    exists,
    open_at,
    place_of,
    refusal_of,
)
from profilectl.cli.options import add_group, option
from profilectl.cli.prompts import require_consent
from profilectl.errors import LedgerRefused, TryLater, UsageError
from profilectl.ledger.address import PostgresAddress
from profilectl.ledger.grants import Roles, statements
from profilectl.render import ledger as render
from profilectl.render.console import info, out, show_error
from profilectl.system.locks import is_held
from profilectl.text.escape import visible

if TYPE_CHECKING:
    import typer

_HEADERS = ("what", "value")


def register(app: typer.Typer, word: str | None) -> None:
    """Add the ``ledger`` group."""
    add_group(
        app,
        "ledger",
        "The ledger itself: look, copy, move, mend.",
        {
            "show": show,
            "export": "ledger.copies.export",
            "import": "ledger.copies.import_",
            "backup": "ledger.copies.backup",
            "migrate": "ledger.moving.migrate",
            "unlock": unlock,
            "accept-restore": "ledger.restoring.accept_restore",
            "grants": grants,
        },
        word,
    )


def show(context: Context) -> None:
    """Show where the ledger is and what it holds.

    Nothing is asked of X and nothing is written. A ledger that other commands refuse, because it is older than what
    this host has seen of it, is shown all the same.
    """
    place = place_of(context)
    with closing(open_at(context, place)) as ledger:
        summary = ledger.summary() if exists(place, ledger) else None
        refusal = refusal_of(context, ledger, place)
        holder = ledger.holder()
    kind = "postgresql" if isinstance(place, PostgresAddress) else "sqlite"
    document = render.show(str(place), kind, summary, holder, refusal)
    context.output.show(document, _HEADERS, None if summary is None else render.rows(str(place), kind, summary, holder))
    if summary is None:
        info(f"there is no ledger at {place} yet: the first `profilectl sync` makes it")
    if refusal is not None:
        show_error(refusal)


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
    holds = f"{holder.describe()} holds {shown}"
    if not (yes or context.may_ask):
        hint = "--yes ends its right to write there; `profilectl ledger show` tells of it"
        raise UsageError(f"not unlocked: {holds}, and {context.cannot_ask}", hint=hint)
    require_consent(context, f"{holds}. End its right to write there?", "unlocked", yes=yes)
    context.ledger_for_writing().unlock(holder)
    line = f"{holder.describe()} doesn't hold {shown} any more; it stops before its next call to X"
    context.output.show(render.unlock(str(place), holder, ended=True), lines=[line])


def grants(
    context: Context,
    admin: Annotated[str, option("--admin ROLE", "May do everything.")] = Roles().admin,
    agent: Annotated[str, option("--agent ROLE", "May look, and send messages.")] = Roles().agent,
    reader: Annotated[str, option("--reader ROLE", "May only look.")] = Roles().reader,
    schema: Annotated[str | None, option("--schema NAME", "Of the ledger; else its address's, or profilectl.")] = None,
) -> None:
    """Print the SQL for three roles in PostgreSQL.

    This command only prints, and needs no ledger. A superuser runs the SQL in psql twice: before the first sync, for
    the roles and the schema, and after it, for the tables; and again after each update of profilectl. Then people and
    machines get one of the roles: GRANT profilectl_agent TO afast.
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
