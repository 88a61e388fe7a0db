"""``roster check --compliance``: for the person who must answer for what customers are told about who speaks."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING

from profilectl.errors import ExitCode, UsageError
from profilectl.names import visible
from profilectl.render import documents
from profilectl.render.consoles import draw, is_terminal, talk, write, write_rows
from profilectl.roster.compliance import assess
from profilectl.roster.parse import survey

if TYPE_CHECKING:
    from collections.abc import Iterator

    from profilectl.cli.context import Context
    from profilectl.roster.compliance import BrandRule, Compliance, Missing, Standing

_HEADERS = ("brand", "agent", "kind", "name", "marker", "missing")


def show(context: Context) -> ExitCode:
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
        write(documents.dump(_document(one)))
    elif is_terminal(sys.stdout):
        from profilectl.render.tables import listing

        draw(listing(_HEADERS, _rows(one)))
    else:
        write_rows(_rows(one))
    if not context.is_quiet:
        talk(_summary(one))
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


def _document(one: Compliance) -> documents.Document:
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
