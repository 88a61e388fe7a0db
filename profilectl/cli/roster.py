"""``roster check`` and ``roster list``: the file, before anything else."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.errors import ExitCode, ProfilectlError, UsageError
from profilectl.render import documents
from profilectl.render.console import draw, info, is_terminal, out, write_rows
from profilectl.roster.compliance import assess
from profilectl.roster.parser import survey
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from profilectl.cli.context import Context
    from profilectl.model import Agent, Brand, Problem
    from profilectl.roster.compliance import BrandRule, Compliance, Missing, Standing


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
        raise typer.Exit(show_compliance(context))
    from profilectl.toml.problems import format_problem

    agents, problems = _examine(context)
    errors = sum(problem.severity == "error" for problem in problems)
    if context.wants_json:
        out(documents.dump(documents.check(agents, problems)))
    else:
        for problem in problems:
            out(format_problem(problem))
    if not context.is_quiet:
        counts = [_counted(errors, "error"), _counted(len(problems) - errors, "warning")]
        info(", ".join([_counted(agents, "agent"), *counts] if agents else counts))
    raise typer.Exit(ExitCode.REFUSED if errors else ExitCode.DONE)


def _examine(context: Context) -> tuple[int, tuple[Problem, ...]]:
    """Return the number of agents, and every problem of the file and of the pictures of agents without errors."""
    from profilectl.pictures.loader import find_refusals
    from profilectl.pictures.loader import problems as picture_problems
    from profilectl.roster.parser import survey
    from profilectl.toml.document import decode

    name = str(context.roster_path)
    content = context.read_roster()
    found = survey(content, name)
    problems = found.problems
    if refusals := find_refusals(context.roster_path.parent, found.agents, _faces_at_x(context, found.brands)):
        problems += picture_problems(refusals, found.agents, decode(content, name), name)
    return found.named, tuple(sorted(problems, key=lambda one: (one.line, one.column)))


def _faces_at_x(context: Context, brands: Iterable[Brand]) -> frozenset[str]:
    """Return the digests of the picture files that were made into faces before; none where the ledger can't tell."""
    try:
        ledger = context.ledger_for_reading()
        accounts = [account for brand in brands if (account := ledger.account_of(brand.key)) is not None]
        return frozenset(one.avatar for account in accounts for one in ledger.state_of(account.user_id).bindings)
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
        out(documents.dump(documents.roster(context.roster, [_document(agent) for agent in agents])))
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


_COMPLIANCE_HEADERS = ("brand", "agent", "kind", "name", "marker", "missing")


def show_compliance(context: Context) -> ExitCode:
    """List every agent with its marker and what is missing; `ExitCode.REFUSED` when anything is.

    Raises:
        UsageError: ``--brand`` names none of the roster's.
    """
    found = survey(context.read_roster(), str(context.roster_path))
    known = [brand.key for brand in found.brands]
    for key in context.options.brand:
        if known and key not in known:
            raise UsageError(f"there is no brand {visible(key)}", hint="the roster has: " + ", ".join(known))
    one = assess(found, context.options.brand, datetime.now().astimezone().date())
    if context.wants_json:
        out(documents.dump(_compliance_document(one)))
    elif is_terminal(sys.stdout):
        from profilectl.render.tables import listing

        draw(listing(_COMPLIANCE_HEADERS, _rows(one)))
    else:
        write_rows(_rows(one))
    if not context.is_quiet:
        info(_summary(one))
    return ExitCode.DONE if one.is_complete else ExitCode.REFUSED


def _rows(one: Compliance) -> Iterator[tuple[str, ...]]:
    """Yield what no single agent lacks first, with its path where an agent would stand."""
    for path, missing in one.general:
        yield ("", path, "", "", "", missing.message)
    for standing in one.agents:
        agent = standing.agent
        told = "; ".join(missing.message for missing in standing.missing)
        yield (agent.brand, agent.key, agent.kind.value, agent.name, standing.marker or "", told)


def _summary(one: Compliance) -> str:
    things = ", ".join(f"{number} {lack.value}" for lack, number in one.counts().items())
    agents = "1 agent" if len(one.agents) == 1 else f"{len(one.agents)} agents"
    return f"{agents}; missing: {things or 'nothing'}"


def _compliance_document(one: Compliance) -> documents.Document:
    """``profilectl.compliance/1``: who speaks for each brand, whether they say so, and what is missing."""
    kinds = [standing.agent.kind.value for standing in one.agents]
    return {
        "schema": "profilectl.compliance/1",
        "ok": one.is_complete,
        "brands": [_brand(rule) for rule in one.brands],
        "agents": [_agent(standing) for standing in one.agents],
        "roster": [{"path": path} | _missing(missing) for path, missing in one.general],
        "counts": {
            "agents": len(kinds),
            "humans": kinds.count("human"),
            "bots": kinds.count("bot"),
            "complete": sum(not standing.missing for standing in one.agents),
            "missing": {lack.value: number for lack, number in one.counts().items()},
        },
    }


def _brand(rule: BrandRule) -> documents.Document:
    return {
        "brand": rule.brand.key,
        "handle": rule.brand.handle,
        "language": rule.brand.language,
        "markers": list(rule.markers),
        "own_markers": rule.is_own,
    }


def _agent(standing: Standing) -> documents.Document:
    agent = standing.agent
    return {
        "brand": agent.brand,
        "agent": agent.key,
        "kind": agent.kind.value,
        "name": agent.name,
        "marker": standing.marker,
        "missing": [_missing(missing) for missing in standing.missing],
    }


def _missing(one: Missing) -> documents.Document:
    return {"code": one.lack.value, "message": one.message}
