"""The JSON documents about the roster: what it says, what is wrong with it, and what a command has changed in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import asdict

from profilectl.model import Agent, Brand, Problem, undecorated
from profilectl.render.json_documents import Document

if TYPE_CHECKING:
    from profilectl.roster.checks.waivers import WaivedProblem
    from profilectl.roster.compliance import Compliance, Gap
    from profilectl.roster.layers import LayeredValue


def check(agents: int, problems: Iterable[Problem], waived: Iterable[WaivedProblem] = (), *, ok: bool) -> Document:
    """``profilectl.check/1``: every problem of a roster with line and column; `ok` says what the exit code does."""
    from profilectl.roster.checks.rules import advice_for

    listed = [
        {
            "file": problem.file,
            "line": problem.line,
            "column": problem.column,
            "path": problem.path,
            "severity": problem.severity,
            "message": problem.message,
            "rule": problem.rule,
            "hint": advice_for(problem.rule, problem.hint),
        }
        for problem in problems
    ]
    exceptions = [
        {
            "rule": waiver.rule,
            "agent": waiver.agent,
            "reason": waiver.reason,
            "until": waiver.until.isoformat(),
            "message": problem.message,
        }
        for problem, waiver in waived
    ]
    document = {"schema": "profilectl.check/1", "ok": ok, "agents": agents, "problems": listed}
    return document | {"waived": exceptions}


def roster(brands: Iterable[Brand], agents: Iterable[Agent], day: date) -> Document:
    """``profilectl.roster/1``: the agents as each brand shows them, with their state on a day."""
    return {
        "schema": "profilectl.roster/1",
        "brands": [{"brand": brand.key, "handle": brand.handle, "language": brand.language} for brand in brands],
        "agents": [
            {
                "brand": agent.brand,
                "agent": agent.key,
                "kind": agent.kind.value,
                "name": agent.name,
                "avatar": undecorated(agent.avatar)[1],  # the roster's own key, so that a script finds the line again
                "operators": list(agent.operators),
                "until": None if agent.until is None else agent.until.isoformat(),
                "protected": agent.protected,
                "from": None if agent.starts is None else agent.starts.isoformat(),
                "state": agent.state_on(day) or None,
                "labels": dict(agent.labels),
            }
            for agent in agents
        ],
    }


def init(roster: Path, pictures: Iterable[Path]) -> Document:
    """``profilectl.init/1``: the files that were written."""
    return {"schema": "profilectl.init/1", "roster": str(roster), "pictures": [str(path) for path in pictures]}


def edit(
    file: Path,
    action: str,
    agent: str | None,
    former: str | None,
    picture: str | None,
    line: int | None,
    notes: Iterable[str],
    *,
    is_changed: bool,
) -> Document:
    """``profilectl.edit/1``: what a command has changed in the roster.

    Args:
        file: the roster's path.
        action: the command's word.
        agent: the key of the agent it was about, as it is now; None for the whole file.
        former: the agent's key before, where that was changed.
        picture: the picture that was stored, as the roster names it.
        line: on which the agent begins now; None where there is none any more.
        notes: what a person should know, a sentence each.
        is_changed: whether the roster's text is another one than before, or would be.
    """
    return {
        "schema": "profilectl.edit/1",
        "file": str(file),
        "action": action,
        "agent": agent,
        "former": former,
        "picture": picture,
        "changed": is_changed,
        "line": line,
        "notes": list(notes),
    }


def agent(key: str, file: Path, line: int, shown: Iterable[Agent], values: Sequence[LayeredValue]) -> Document:
    """``profilectl.agent/1``: an agent as each brand shows it, and where each value comes from.

    `line` is where the agent begins in `file`; a value that another layer wins against isn't `used`. A legal name never
    leaves the machine, so it is null.
    """
    return {
        "schema": "profilectl.agent/1",
        "agent": key,
        "file": str(file),
        "line": line,
        "brands": [
            {
                "brand": entry.brand,
                "name": entry.name,
                "avatar": entry.avatar,
                "kind": entry.kind.value,
                "values": [
                    {
                        "field": value.field,
                        "value": None if value.field == "legal_name" else plain(value.value),
                        "from": value.table,
                        "line": value.line,
                        "column": value.column,
                        "used": value.is_used,
                    }
                    for value in values
                    if value.brand == entry.brand
                ],
            }
            for entry in shown
        ],
    }


def plain(value: Any) -> Any:
    """Return a value of the roster as JSON has it: dates as text, tuples as lists."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Struct):
        return {name: plain(part) for name, part in asdict(value).items() if part is not None}
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return value


def compliance(answer: Compliance) -> Document:
    """``profilectl.compliance/1``: who speaks for each brand, whether they say so, and what is missing."""
    kinds = [entry.agent.kind.value for entry in answer.agents]
    return {
        "schema": "profilectl.compliance/1",
        "ok": answer.is_complete,
        "brands": [
            {
                "brand": rule.brand.key,
                "handle": rule.brand.handle,
                "language": rule.brand.language,
                "markers": list(rule.markers),
                "own_markers": rule.is_own,  # the roster's, not the built-in ones of the language
            }
            for rule in answer.brands
        ],
        "agents": [
            {
                "brand": entry.agent.brand,
                "agent": entry.agent.key,
                "kind": entry.agent.kind.value,
                "name": entry.agent.name,
                "marker": entry.marker,
                "missing": [_gap(gap) for gap in entry.gaps],
            }
            for entry in answer.agents
        ],
        "roster": [{"path": path} | _gap(gap) for path, gap in answer.general],
        "counts": {
            "agents": len(kinds),
            "humans": kinds.count("human"),
            "bots": kinds.count("bot"),
            "complete": sum(not entry.gaps for entry in answer.agents),
            "missing": {kind.value: number for kind, number in answer.counts().items()},
        },
    }


def _gap(gap: Gap) -> Document:
    return {"code": gap.kind.value, "message": gap.message}
