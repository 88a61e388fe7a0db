"""``sync``: the way of ``diff``, walked further."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.authority import require_admin
from profilectl.cli.context import Context
from profilectl.cli.diff import Agents, AllowDeletes, PruneNow, VerifyAvatars
from profilectl.cli.options import Options, command
from profilectl.errors import UsageError

if TYPE_CHECKING:
    from profilectl.cli.gathering import Selection


def register(app: typer.Typer) -> None:
    """Add ``sync``."""
    app.command("sync")(command(sync))


def sync(
    context: Context,
    yes: Annotated[bool, typer.Option("--yes", help="Apply without asking.")] = False,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="PLAN", help="Only this plan, which `diff --out` saved.")
    ] = None,
    expect: Annotated[
        str | None, typer.Option("--expect", metavar="DIGEST", help="Only the plan of this digest, which `diff` shows.")
    ] = None,
    agent: Agents = None,
    allow_deletes: AllowDeletes = None,
    prune_now: PruneNow = False,
    verify_avatars: VerifyAvatars = False,
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", min=1, max=64, help="Calls at once.")] = 8,
    max_wait: Annotated[
        str, typer.Option("--max-wait", metavar="DURATION", help="Wait this long for another sync or for X.")
    ] = "10m",
) -> None:
    """Make X equal to the roster.

    Creates, replaces, retires, and destroys only what is ours. Asks on a terminal; elsewhere it needs --yes.

    With --plan or --expect it does what was reviewed, or nothing when anything has moved since. A saved plan brings its
    brands, its agents and what was agreed to along.
    """
    from profilectl.cli.gathering import Gathering, Selection
    from profilectl.cli.run import Run
    from profilectl.cli.saved_plan import expected_digest, read
    from profilectl.roster.fields import parse_duration

    require_admin(context, "sync")
    seconds = parse_duration(max_wait, "--max-wait")
    _require_somebody_to_agree(context, yes=yes)
    selection = Selection(frozenset(agent or ()), allow_deletes, prune_now, verify_avatars)
    saved = None
    if plan is not None:
        _refuse_beside_a_plan(context, selection, expect)
        saved = read(plan)
        context, selection = context.overridden_by(Options(brand=saved.brands)), saved.selection
        saved.check_brands(context.roster.brands)
    expected = saved if expect is None else expected_digest(expect)
    gathering = Gathering(context, selection, jobs, seconds)
    gathering.check_accounts(context.ledger_for_reading())  # before a ledger is made for the wrong account
    ledger = context.ledger_for_writing()
    with ledger.lock(seconds, "profilectl sync", context.announce_wait):
        gathering.check_accounts(ledger)
        if saved is None:  # whom a saved plan is about was somebody then, and is a part of what may have moved
            gathering.check_agents(ledger)
        run = Run(context, gathering, ledger, expected)
        raise typer.Exit(run.carry_out(asks=not yes))


def _require_somebody_to_agree(context: Context, *, yes: bool) -> None:
    if not yes and not context.may_ask:
        raise UsageError(
            "nothing was changed: nobody is here to ask", hint="--yes applies the plan; `profilectl diff` only shows it"
        )


def _refuse_beside_a_plan(context: Context, selection: Selection, expect: str | None) -> None:
    """Refuse the options that a saved plan answers already."""
    from profilectl.cli.gathering import Selection

    if expect is not None:
        raise UsageError("--plan and --expect exclude each other", hint="a saved plan knows its digest")
    if context.options.brand or selection != Selection():
        raise UsageError(
            "a saved plan says itself which brands and agents it is about, and what was agreed to",
            hint="leave the other options away, or save another plan with them: `profilectl diff --out`",
        )
