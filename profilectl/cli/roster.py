"""``roster check`` and ``roster list``: the file, before anything else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from profilectl.cli.context import Context
from profilectl.cli.options import add_group, option
from profilectl.errors import ExitCode, ProfilectlError
from profilectl.model import Agent, Brand, Problem
from profilectl.render import json_documents
from profilectl.render.console import info, problem_line
from profilectl.system.host import today

if TYPE_CHECKING:
    from profilectl.roster.compliance import Compliance

_HEADERS = ("brand", "agent", "kind", "name", "picture", "until", "protected")
_COMPLIANCE_HEADERS = ("brand", "agent", "kind", "name", "marker", "missing")


def register(app: typer.Typer) -> None:
    """Add the ``roster`` group."""
    add_group(app, "roster", "The roster file: who your agents are.", {"check": check, "list": listing})


def check(
    context: Context,
    compliance: Annotated[
        bool, option("--compliance", "Tell who speaks, whether each bot says so, and what is missing.")
    ] = False,
) -> None:
    """Tell every problem of the roster, each at its line.

    A picture is decoded for it, unless a profile was made of that very file before.

    With --compliance it lists every agent instead, with the bot marker in the public name and what is missing, for the
    person who must answer for the disclosure rules: exit 0 when nothing is, 5 otherwise. Only the roster is read.
    """
    if compliance:
        raise typer.Exit(_show_compliance(context))
    agents, problems = _examine(context)
    errors = sum(problem.severity == "error" for problem in problems)
    output = replace(context.output, is_quiet=False)  # problems are the result, so they are told in any case
    output.show(
        json_documents.check(agents, problems), lines=(problem_line(problem, sys.stdout) for problem in problems)
    )
    if not context.is_quiet:
        counts = [_counted(errors, "error"), _counted(len(problems) - errors, "warning")]
        info(", ".join([_counted(agents, "agent"), *counts] if agents else counts))
    raise typer.Exit(ExitCode.REFUSED if errors else ExitCode.DONE)


def _examine(context: Context) -> tuple[int, tuple[Problem, ...]]:
    """Return the number of agents, and every problem of the file and of the pictures of agents without errors."""
    from profilectl.pictures.loader import examine, judge
    from profilectl.pictures.loader import problems as picture_problems
    from profilectl.roster.consent import agreed_agents, consent_warnings
    from profilectl.roster.parser import parse_partially
    from profilectl.toml.document import decode
    from profilectl.toml.problems import ProblemList

    name, content = str(context.roster_path), context.read_roster()
    roster = parse_partially(content, name)
    problems = roster.problems
    # To decode a picture is what takes long here, and a profile proves that X and we took that very file.
    proven = _synced_digests(context, roster.brands)
    day = today(roster.policy.timezone)
    agents = agreed_agents(roster.agents, roster.policy, day)
    pictures, refusals = examine(context.roster_path.parent, agents, proven)
    if objections := judge(agents, pictures, refusals, roster.policy):
        problems += picture_problems(objections, decode(content, name), name)
    notes, warnings = ProblemList(), [*consent_warnings(roster.agents, roster.policy, day)]
    for path, message in warnings:
        notes.warning(path, message)
    problems += notes.placed(decode(content, name), name) if warnings else ()
    return roster.named, tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))


def _synced_digests(context: Context, brands: Iterable[Brand]) -> frozenset[str]:
    """Return the digests of the picture files that profiles were made of; none where the ledger can't tell."""
    try:
        ledger = context.ledger_for_reading()
        accounts = [account for brand in brands if (account := ledger.account_of(brand.key)) is not None]
        return frozenset(
            binding.avatar for account in accounts for binding in ledger.state_of(account.user_id).bindings
        )
    except ProfilectlError:  # which is for `doctor` to tell: it costs this command nothing but time
        return frozenset()


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listing(context: Context) -> None:
    """List the agents as each brand shows them."""
    chosen = {brand.key for brand in context.brands()}
    agents = [agent for agent in context.roster.agents if agent.brand in chosen]
    context.output.show(
        json_documents.roster(context.roster.brands, agents), _HEADERS, [_row(agent) for agent in agents]
    )


def _row(agent: Agent) -> tuple[str, ...]:
    until = agent.until.isoformat() if agent.until is not None else ""
    protected = "protected" if agent.protected else ""
    return (agent.brand, agent.key, agent.kind.value, agent.name, agent.avatar, until, protected)


def _show_compliance(context: Context) -> ExitCode:
    """List every agent with its marker and what is missing; `ExitCode.REFUSED` when anything is."""
    from profilectl.roster.compliance import assess
    from profilectl.roster.parser import parse_partially

    # Whoever answers for the rules must see the other agents, though one entry has a mistake.
    roster = parse_partially(context.read_roster(), str(context.roster_path))
    answer = assess(roster, context.options.brand, today(roster.policy.timezone))
    context.output.show(json_documents.compliance(answer), _COMPLIANCE_HEADERS, [*_compliance_rows(answer)])
    if not context.is_quiet:
        gaps = ", ".join(f"{number} {kind.value}" for kind, number in answer.counts().items())
        info(f"{_counted(len(answer.agents), 'agent')}; missing: {gaps or 'nothing'}")
    return ExitCode.DONE if answer.is_complete else ExitCode.REFUSED


def _compliance_rows(answer: Compliance) -> Iterator[tuple[str, ...]]:
    """Yield what is missing in no single agent first, with its path where an agent would stand."""
    for path, gap in answer.general:
        yield ("", path, "", "", "", gap.message)
    for entry in answer.agents:
        agent, messages = entry.agent, "; ".join(gap.message for gap in entry.gaps)
        yield (agent.brand, agent.key, agent.kind.value, agent.name, entry.marker or "", messages)
