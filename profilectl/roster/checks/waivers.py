"""``[[policy.waivers]]``: a rule that doesn't count for an agent, for a reason and until a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from profilectl.model import Problem, Waiver
from profilectl.roster.checks.rules import RULES
from profilectl.roster.schema import WAIVER
from profilectl.roster.unknown_keys import read_table
from profilectl.text.suggest import did_you_mean
from profilectl.toml.paths import Path
from profilectl.toml.problems import ProblemList

PLACE: Path = ("policy", "waivers")
_NEEDED = {
    "rule": "missing; name the rule, as `roster check --json` does",
    "agent": "missing; name the agent it is for",
    "reason": "missing; a waiver says why",
    "until": "missing; a waiver has a last day",
}


def read_waivers(
    tables: Sequence[Mapping[str, Any]], problems: ProblemList, today: Callable[[], date] | None
) -> tuple[Waiver, ...]:
    """Return the waivers, and note what is wrong: without `today`, not those that are over."""
    waivers: list[Waiver] = []
    for index, table in enumerate(tables):
        path: Path = (*PLACE, index)
        values = read_table(table, WAIVER, path, problems)
        for field, message in _NEEDED.items():
            if field not in values:
                problems.error((*path, field), message, "waiver")
        if _can_be_waived(values.get("rule"), path, problems) and None not in map(values.get, _NEEDED):
            waiver = Waiver(**values)
            _judge(waiver, waivers, path, problems, today)
            waivers.append(waiver)
    return tuple(waivers)


def _can_be_waived(rule: str | None, path: Path, problems: ProblemList) -> bool:
    if rule is None:
        return False
    if rule not in RULES:
        waivable = [known.id for known in RULES.values() if known.can_be_waived]
        advice = did_you_mean(rule, waivable) or f"; those that may be waived: {', '.join(waivable)}"
        problems.error((*path, "rule"), f"there is no such rule{advice}", "waiver")
    elif not RULES[rule].can_be_waived:
        problems.error((*path, "rule"), f"{rule} can't be waived", "waiver")
    return rule in RULES and RULES[rule].can_be_waived


def _judge(
    waiver: Waiver,
    earlier: Iterable[Waiver],
    path: Path,
    problems: ProblemList,
    today: Callable[[], date] | None,
) -> None:
    if any((waiver.rule, waiver.agent) == (other.rule, other.agent) for other in earlier):
        problems.error(path, f"{waiver.rule} is waived for {waiver.agent} already", "waiver")
    if today is not None and waiver.until < today():
        problems.error((*path, "until"), f"ended on {waiver.until}: renew it, or take it out", "waiver")


class WaivedProblem(NamedTuple):
    """A problem that doesn't count, and why."""

    problem: Problem
    waiver: Waiver


def waive(
    problems: Iterable[Problem], waivers: Sequence[Waiver]
) -> tuple[tuple[Problem, ...], tuple[WaivedProblem, ...]]:
    """Return the problems that count, and those that are waived."""
    by_place = {(waiver.rule, waiver.agent): waiver for waiver in waivers}
    kept, waived = [], []
    for problem in problems:
        waiver = by_place.get((problem.rule, _agent_of(problem.path)))
        if waiver is None:
            kept.append(problem)
        else:
            waived.append(WaivedProblem(problem, waiver))
    return tuple(kept), tuple(waived)


def unused(waivers: Sequence[Waiver], waived: Iterable[WaivedProblem]) -> list[tuple[Path, str]]:
    """Return a message for each waiver that waives nothing, with its path in the roster."""
    used = {entry.waiver for entry in waived}
    return [
        ((*PLACE, index), f"waives nothing: {waiver.agent} keeps {waiver.rule} without it")
        for index, waiver in enumerate(waivers)
        if waiver not in used
    ]


def _agent_of(path: str) -> str:
    table, _, rest = path.partition(".")
    return rest.partition(".")[0] if table == "agents" else ""
