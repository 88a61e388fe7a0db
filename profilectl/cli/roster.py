"""``roster check`` and ``roster list``: the file, before anything else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.errors import ExitCode, ProfilectlError
from profilectl.render import documents
from profilectl.render.consoles import draw, is_terminal, talk, write, write_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from profilectl.model import Agent, Brand, Problem

_HEADERS = ("brand", "agent", "kind", "name", "avatar", "until", "protected")


def register(app: typer.Typer) -> None:
    """Add the ``roster`` group."""
    group = typer.Typer(help="The roster file: who your agents are.", no_args_is_help=True)
    group.command("check")(command(check))
    group.command("list")(command(listing))
    app.add_typer(group, name="roster")


def check(
    context: Context,
    compliance: Annotated[
        bool, typer.Option("--compliance", help="Tell who speaks, whether each bot says so, and what is missing.")
    ] = False,
) -> None:
    """Tell every problem of the roster, each at its line.

    A picture is decoded for it, unless a profile was made of that very file before.

    With --compliance it lists every agent instead, with the bot marker in the public name and what is missing, for the
    person who must answer for the disclosure rules: exit 0 when nothing is, 5 otherwise. Only the roster is read.
    """
    if compliance:
        from profilectl.cli.compliance import show

        raise typer.Exit(show(context))
    from profilectl.roster.problems import format_problem

    agents, problems = _examine(context)
    errors = sum(problem.severity == "error" for problem in problems)
    if context.wants_json:
        write(documents.dump(documents.check(agents, problems)))
    else:
        for problem in problems:
            write(format_problem(problem))
    if not context.is_quiet:
        counts = [_counted(errors, "error"), _counted(len(problems) - errors, "warning")]
        talk(", ".join([_counted(agents, "agent"), *counts] if agents else counts))
    raise typer.Exit(ExitCode.REFUSED if errors else ExitCode.DONE)


def _examine(context: Context) -> tuple[int, tuple[Problem, ...]]:
    """Return the number of agents, and every problem of the file and of the pictures of agents without errors."""
    from profilectl.cli.pictures import find_problems
    from profilectl.roster.parse import survey

    found = survey(context.read_roster(), str(context.roster_path))
    problems = (*found.problems, *find_problems(context, found.agents, _faces_at_x(context, found.brands)))
    return found.named, tuple(sorted(problems, key=lambda one: (one.line, one.column)))


def _faces_at_x(context: Context, brands: Iterable[Brand]) -> frozenset[str]:
    """Return the digests of the picture files that were made into faces before; none where the ledger can't tell."""
    try:
        ledger = context.ledger_for_reading()
        accounts = [account for brand in brands if (account := ledger.account_of(brand.key)) is not None]
        return frozenset(one.avatar for account in accounts for one in ledger.holdings(account.user_id).bindings)
    except ProfilectlError:  # which is for `doctor` to tell: it costs this command nothing but time
        return frozenset()


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listing(context: Context) -> None:
    """List the agents as each brand shows them."""
    chosen = {brand.key for brand in context.brands()}
    agents = [agent for agent in context.roster.agents if agent.brand in chosen]
    rows = [_row(agent) for agent in agents]
    if context.wants_json:
        write(documents.dump(documents.roster(context.roster, [_document(agent) for agent in agents])))
    elif is_terminal(sys.stdout):
        from profilectl.render.tables import listing as table

        draw(table(_HEADERS, rows))
    else:
        write_rows(rows)


def _row(agent: Agent) -> tuple[str, ...]:
    until = agent.until.isoformat() if agent.until is not None else ""
    protected = "protected" if agent.protected else ""
    return (agent.brand, agent.key, agent.kind.value, agent.name, agent.avatar, until, protected)


def _document(agent: Agent) -> documents.Document:
    return {
        "brand": agent.brand,
        "agent": agent.key,
        "kind": agent.kind.value,
        "name": agent.name,
        "avatar": agent.avatar,
        "operators": list(agent.operators),
        "until": None if agent.until is None else agent.until.isoformat(),
        "protected": agent.protected,
    }
