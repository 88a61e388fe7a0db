"""``diff``: what `sync` would do. It walks the same way, and turns back before anything is written."""

from __future__ import annotations

import enum
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.errors import ExitCode, UsageError
from profilectl.plan.changes import Action
from profilectl.render import documents
from profilectl.render.console import as_text, draw, info, is_terminal, out, write_rows
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from profilectl.plan.builder import Plan
    from profilectl.plan.guards import Refusal
    from profilectl.render.documents import Document
    from profilectl.sync.quota import Forecast
    from profilectl.sync.session import SyncSession

_JOBS = 8  # pictures that are fetched at once

Agents = Annotated[list[str] | None, typer.Option("--agent", metavar="AGENT", help="Only this agent; repeatable.")]
AllowDeletes = Annotated[
    int | None, typer.Option("--allow-deletes", metavar="N", min=0, help="Agree to N deletions per brand.")
]
PruneNow = Annotated[bool, typer.Option("--prune-now", help="Destroy replaced profiles without waiting.")]
VerifyAvatars = Annotated[bool, typer.Option("--verify-avatars", help="Compare the live pictures, too.")]


class Format(enum.StrEnum):
    """How a plan is shown."""

    TABLE = "table"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


def register(app: typer.Typer) -> None:
    """Add ``diff``."""
    app.command("diff")(command(diff))


def diff(
    context: Context,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 3 when anything differs.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Save the plan, too, for `sync --plan`.")
    ] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="How to show it; else a table, and plain lines in a pipe.")
    ] = None,
    agent: Agents = None,
    allow_deletes: AllowDeletes = None,
    prune_now: PruneNow = False,
    verify_avatars: VerifyAvatars = False,
) -> None:
    """Show what sync would do.

    Says also whether a guard would refuse it. Never writes at X or in the ledger.
    """
    from profilectl.plan.saved import check_place, describe
    from profilectl.plan.saved import write as save
    from profilectl.sync.session import Selection, SyncSession

    form = _chosen(context, form)
    if out is not None:
        check_place(out)
    selection = Selection(frozenset(agent or ()), allow_deletes, prune_now, verify_avatars)
    session = SyncSession(context, selection, _JOBS if verify_avatars or form is Format.HTML else 1)
    ledger = context.ledger_for_reading()
    session.check_accounts(ledger)
    session.check_agents(ledger)
    plan = session.plan(ledger, patience=None)
    session.prepare(plan)
    forecasts = session.forecasts(plan, ledger)
    document = documents.plan(plan, describe(session.brands, session.selection), forecasts)
    if out is not None:
        save(out, document)  # before anything is printed, so that stdout never gets a plan and an error
    _show(context, session, plan, document, form)
    if form is not Format.JSON:
        tell_limits(context, forecasts)
    if out is not None and not context.is_quiet:
        shown = visible(str(out))
        info(f"wrote {shown}; `profilectl sync --plan {shown}{visible(context.again())}` applies it")
    raise typer.Exit(_diff_code(plan) if exit_code or plan.refused else ExitCode.DONE)


def _chosen(context: Context, form: Format | None) -> Format | None:
    if context.wants_json and form not in {None, Format.JSON}:
        raise UsageError(f"--json and --format {form} exclude each other")
    return Format.JSON if context.wants_json else form


def _diff_code(plan: Plan) -> ExitCode:
    if plan.refused is not None:
        return ExitCode.REFUSED
    if plan.needing_a_person():
        return ExitCode.PERSON
    return ExitCode.DIFFERENCES if plan.changes else ExitCode.DONE


def _show(context: Context, session: SyncSession, plan: Plan, document: Document, form: Format | None) -> None:
    """Show the plan in the form that was chosen; a document stands for itself, a table has words beside it."""
    if form is Format.JSON:
        out(documents.dump(document))
        return
    if form in {Format.MARKDOWN, Format.HTML}:
        if plan.changes or not context.is_quiet:
            out(_page(context, session, plan, form))
    else:
        show_plan(context, plan, drawn=form is Format.TABLE)
        if plan.changes and not context.is_quiet:
            info(f"plan {plan.digest}")
    if plan.refused is not None:
        _show_refusal(plan.refused)


def _page(context: Context, session: SyncSession, plan: Plan, form: Format | None) -> str:
    if form is Format.MARKDOWN:
        from profilectl.render.markdown import plan_document

        return plan_document(plan, context.again())
    from profilectl.cli.plan_pictures import face_the_changes
    from profilectl.render.html import plan_page

    return plan_page(plan, face_the_changes(context, session, plan))


def tell_limits(context: Context, forecasts: Iterable[Forecast]) -> None:
    """Say on stderr what X's limits mean for a plan, where they mean anything."""
    from profilectl.render.phrases import forecast

    if not context.is_quiet:
        for line in (line for one in forecasts for line in forecast(one)):
            info(line)


def show_plan(context: Context, plan: Plan, *, drawn: bool = False) -> None:
    """Show the changes on stdout, and what stands in their way on stderr.

    Args:
        context: knows how much is to be said.
        plan: what to show.
        drawn: whether it is a table even where nobody watches; without colours then, and as wide as it needs.
    """
    from profilectl.render.phrases import obstacle, summary
    from profilectl.render.tables import plan_rows, plan_table

    has_rows = plan.changes or (plan.strangers and not context.is_quiet)
    if is_terminal(sys.stdout):
        if has_rows:
            draw(plan_table(plan))
    elif not drawn:
        write_rows(plan_rows(plan))
    elif has_rows:
        out(as_text(plan_table(plan)))
    for change in plan.changes:
        if change.action is Action.BLOCKED:
            info(obstacle(change, change.goal.name, context.again()))
    if not context.is_quiet:
        info(summary(plan))


def _show_refusal(refused: Refusal) -> None:
    info(f"refused: {refused.message}")
    if refused.allow is not None:
        info(f"hint: `{refused.allow}` allows this plan")
