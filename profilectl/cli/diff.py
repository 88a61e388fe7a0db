"""``diff``: what `sync` would do. It walks the same way, and turns back before anything is written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.changes import Action
from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.errors import ExitCode
from profilectl.render import documents
from profilectl.render.consoles import draw, is_terminal, talk, write, write_rows

if TYPE_CHECKING:
    from profilectl.guards import Refusal
    from profilectl.plan import Plan

Agents = Annotated[list[str] | None, typer.Option("--agent", metavar="KEY", help="Only this agent; repeatable.")]
AllowDeletes = Annotated[
    int | None, typer.Option("--allow-deletes", metavar="N", min=0, help="Agree to N deletions per brand.")
]
PruneNow = Annotated[bool, typer.Option("--prune-now", help="Destroy replaced profiles without waiting.")]


def register(app: typer.Typer) -> None:
    """Add ``diff``."""
    app.command("diff")(command(diff))


def diff(
    context: Context,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit 3 when anything differs.")] = False,
    agent: Agents = None,
    allow_deletes: AllowDeletes = None,
    prune_now: PruneNow = False,
) -> None:
    """Show what sync would do.

    Says also whether a guard would refuse it. Never writes.
    """
    from profilectl.cli.gathering import Gathering, Selection

    gathering = Gathering(context, Selection(frozenset(agent or ()), allow_deletes, prune_now))
    ledger = context.ledger_for_reading()
    gathering.check_accounts(ledger)
    gathering.check_agents(ledger)
    plan = gathering.plan(ledger, patience=None)
    gathering.prepare(plan)
    if context.wants_json:
        write(documents.dump(documents.plan(plan)))
    else:
        show_plan(context, plan)
        if plan.refused is not None:
            _show_refusal(plan.refused)
    raise typer.Exit(_diff_code(plan) if exit_code or plan.refused else ExitCode.DONE)


def _diff_code(plan: Plan) -> ExitCode:
    if plan.refused is not None:
        return ExitCode.REFUSED
    if plan.needing_a_person():
        return ExitCode.PERSON
    return ExitCode.DIFFERENCES if plan.changes else ExitCode.DONE


def show_plan(context: Context, plan: Plan) -> None:
    """Show the changes on stdout, and what stands in their way on stderr."""
    from profilectl.render.tables import plan_rows, plan_table
    from profilectl.render.wording import obstacle, summary

    if is_terminal(sys.stdout):
        if plan.changes or (plan.strangers and not context.is_quiet):
            draw(plan_table(plan))
    else:
        write_rows(plan_rows(plan))
    for change in plan.changes:
        if change.action is Action.BLOCKED:
            talk(obstacle(change, change.goal.name, context.again()))
    if not context.is_quiet:
        talk(summary(plan))


def _show_refusal(refused: Refusal) -> None:
    talk(f"refused: {refused.message}")
    if refused.allow is not None:
        talk(f"hint: `{refused.allow}` allows this plan")
