"""``roster check``: every problem of the file, or what its agents disclose, before anything else."""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct
from msgspec.structs import replace

from profilectl.cli.context import Context
from profilectl.cli.options import option
from profilectl.errors import ExitCode, ProfilectlError, UsageError
from profilectl.model import Agent, Brand, Problem
from profilectl.render import json_documents, roster_documents
from profilectl.render.console import folded_sentence, info, is_terminal, out, out_all, problem_line, progress
from profilectl.system.host import today
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.pictures.loader import Objection
    from profilectl.roster.checks.waivers import WaivedProblem
    from profilectl.roster.compliance import Compliance
    from profilectl.roster.parser import PartialRoster

_COMPLIANCE_HEADERS = ("brand", "agent", "kind", "name", "marker", "missing")


class CheckFormat(enum.StrEnum):
    """How problems are shown."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


class Findings(Struct, frozen=True):
    """What a check has found."""

    agents: int  # that the file names
    problems: tuple[Problem, ...]
    waived: tuple[WaivedProblem, ...]
    states: Mapping[str, list[str]]  # keys of the agents who are "over" or "to come"
    notes: tuple[str, ...]  # what is wrong on this machine only, a sentence each


def check(
    context: Context,
    compliance: Annotated[
        bool, option("--compliance", "Tell who speaks, whether each bot says so, and what is missing.")
    ] = False,
    strict: Annotated[bool, option("--strict", "Fail on warnings, too.")] = False,
    form: Annotated[
        CheckFormat | None, option("--format FORM", "text, json, github (annotations of a pull request) or sarif.")
    ] = None,
) -> None:
    """Tell every problem of the roster, each at its line.

    Opens each picture, except those of which a profile was made before.

    With --compliance it lists every agent instead, with the bot marker in the public name and what is missing, for
    the person who must answer for the disclosure rules: exit 0 when nothing is missing, 5 otherwise. Only the
    roster is read.
    """
    if compliance and (strict or form is not None):
        raise UsageError("--compliance has neither --strict nor --format", hint="--json prints it as one document")
    if context.wants_json and form not in {None, CheckFormat.JSON}:
        raise UsageError(f"--json and --format {form} exclude each other")
    if compliance:
        raise typer.Exit(_show_compliance(context))
    findings = _examine(context)
    errors = sum(problem.severity == "error" for problem in findings.problems)
    is_refused = bool(findings.problems) if strict else errors > 0
    for line in findings.notes:
        info(line)
    _show(context, findings, CheckFormat.JSON if context.wants_json else form, is_refused=is_refused)
    if not context.is_quiet:
        counts = [_counted(errors, "error"), _counted(len(findings.problems) - errors, "warning")]
        counts += [f"{len(findings.waived)} waived"] if findings.waived else []
        counts += [f"{len(keys)} {state}" for state, keys in findings.states.items() if keys]
        info(", ".join([_counted(findings.agents, "agent"), *counts] if findings.agents else counts))
    raise typer.Exit(ExitCode.REFUSED if is_refused else ExitCode.DONE)


def _show(context: Context, findings: Findings, form: CheckFormat | None, *, is_refused: bool) -> None:
    # Problems are the result, so they are told in any case, however quiet.
    if form is CheckFormat.JSON:
        document = roster_documents.check(findings.agents, findings.problems, findings.waived, ok=not is_refused)
        document |= {"over": findings.states["over"], "to_come": findings.states["to come"]}
        replace(context.output, wants_json=True).show(document)
        return
    from profilectl.render import check as forms

    if form is CheckFormat.SARIF:
        out(json_documents.dump(forms.sarif(findings.problems, findings.waived)))
    elif form is CheckFormat.GITHUB:
        out_all(forms.github_lines(findings.problems))
    else:
        line_of = partial(problem_line, stream=sys.stdout)
        lines = forms.text_lines(findings.problems, for_people=is_terminal(sys.stdout), line_of=line_of)
        out_all(folded_sentence(line, sys.stdout) for line in lines)


def _examine(context: Context) -> Findings:
    """Return every problem of the file and of the pictures that its agents name, those with errors included."""
    from profilectl.roster.checks.waivers import unused, waive
    from profilectl.roster.consent import consent_warnings
    from profilectl.roster.parser import parse_partially
    from profilectl.toml.document import decode
    from profilectl.toml.problems import ProblemList

    name, content = str(context.roster_path), context.read_roster()
    roster = parse_partially(content, name, today)
    notes = ProblemList()
    for path, message in consent_warnings(roster.agents, roster.policy, today(roster.policy.timezone)):
        notes.warning(path, message, "consent")
    problems = [*roster.problems, *_picture_problems(context, roster, content, name)]
    kept, waived = waive(problems, roster.policy.waivers)
    if not any(problem.severity == "error" for problem in kept):  # an error hides what would be waived
        for path, message in unused(roster.policy.waivers, waived):
            notes.warning(path, message, "waiver-unused")
    # Where the text can't be read there are no notes either.
    placed = notes.placed(decode(content, name), name) if roster.brands else ()
    ordered = sorted((*kept, *placed), key=lambda problem: (problem.line, problem.column))
    day = today(roster.policy.timezone)
    states = {
        state: [*dict.fromkeys(agent.key for agent in roster.agents if agent.state_on(day) == state)]
        for state in ("over", "to come")
    }
    return Findings(roster.named, tuple(ordered), waived, states, tuple(_unknown_users(context, roster.agents)))


def _unknown_users(context: Context, agents: Iterable[Agent]) -> Iterator[str]:
    """Yield whom roster and policy file let send and this machine doesn't know; another may, so no file is wrong."""
    try:
        authority = context.authority
    except ProfilectlError as error:  # nobody can send then, but the roster can be judged
        yield f"warning: {error.message}"
        return
    for user, where in authority.unknown_users(agents).items():
        names = f"{where} names" if where == authority.file else f"{where}'s operators name"
        yield f"warning: {names} {visible(user)}, whom this machine doesn't know: nobody sends by that name here"


def _picture_problems(context: Context, roster: PartialRoster, content: bytes, name: str) -> tuple[Problem, ...]:
    from profilectl.pictures.loader import examine, judge
    from profilectl.pictures.loader import problems as placed_problems
    from profilectl.pictures.looks import judge_looks
    from profilectl.roster.brands import decorated_agents
    from profilectl.roster.consent import agreed_agents
    from profilectl.toml.document import decode

    agents: tuple[Agent, ...] = agreed_agents(roster.agents, roster.policy, today(roster.policy.timezone))
    agents = decorated_agents((*agents, *roster.faulty), roster.brands)
    # To decode a picture is what takes long here, and a profile proves that X and we took that very file.
    proven = _synced_digests(context, roster.brands)
    stats, cache = context.picture_cache, context.prepared_cache
    pictures, refusals, prepared = examine(
        context.roster_path.parent, agents, cache.look_and_keep, proven, stats, progress
    )
    stats.save(agent.avatar for agent in agents)
    cache.trim()
    objections: list[Objection] = [*judge(agents, pictures, refusals, roster.policy)]
    objections += judge_looks(agents, pictures, prepared)
    return placed_problems(objections, decode(content, name), name) if objections else ()


def _synced_digests(context: Context, brands: Iterable[Brand]) -> frozenset[str]:
    """Return the digests of picture files that were decoded for profiles; none where the ledger can't tell."""
    try:
        ledger = context.ledger_for_reading()
        accounts = [account for brand in brands if (account := ledger.account_of(brand.key)) is not None]
        bound = {binding.avatar for account in accounts for binding in ledger.state_of(account.user_id).bindings}
        return frozenset(bound.union(*(ledger.pixels_of(account.user_id) for account in accounts)))
    except ProfilectlError:  # which is for `doctor` to tell: it costs this command nothing but time
        return frozenset()


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _show_compliance(context: Context) -> ExitCode:
    """List every agent with its marker and what is missing; `ExitCode.REFUSED` when anything is."""
    from profilectl.roster.compliance import assess
    from profilectl.roster.parser import parse_partially

    # Whoever answers for the rules must see the other agents, though one entry has a mistake.
    roster = parse_partially(context.read_roster(), str(context.roster_path))
    answer = assess(roster, context.options.brand, today(roster.policy.timezone))
    context.output.show(roster_documents.compliance(answer), _COMPLIANCE_HEADERS, [*_compliance_rows(answer)])
    if not context.is_quiet:
        gaps = [f"{number} {kind.value}" for kind, number in answer.counts().items()]
        info(f"{_counted(len(answer.agents), 'agent')}; missing: {', '.join(gaps) or 'nothing'}")
    return ExitCode.DONE if answer.is_complete else ExitCode.REFUSED


def _compliance_rows(answer: Compliance) -> Iterator[tuple[str, ...]]:
    """Yield what is missing in no single agent first, with its path where an agent would stand."""
    for path, gap in answer.general:
        yield ("", path, "", "", "", gap.message)
    for entry in answer.agents:
        agent, messages = entry.agent, [gap.message for gap in entry.gaps]
        yield (agent.brand, agent.key, agent.kind.value, agent.name, entry.marker or "", "; ".join(messages))
