"""``roster list``: the agents as each brand shows them."""

from __future__ import annotations

from datetime import date

from profilectl.cli.context import Context
from profilectl.cli.options import Agents, Labels
from profilectl.model import Agent
from profilectl.render import roster_documents
from profilectl.roster.consent import shown_picture
from profilectl.roster.selectors import parse_labels, select
from profilectl.system.host import today

_HEADERS = ("brand", "agent", "kind", "name", "picture", "until", "protected", "from", "state", "labels")


def listing(context: Context, agent: Agents = None, label: Labels = None) -> None:
    """List the agents as each brand shows them.

    An agent is "to come" before its first day, and "over" after its last.
    """
    chosen = [brand.key for brand in context.brands()]
    roster, labels = context.roster, parse_labels(label or ())
    agents = select(roster.agents, frozenset(agent or ()), labels, chosen, roster.moved)
    day = today(context.roster.policy.timezone)
    document = roster_documents.roster(context.roster.brands, agents, day)
    context.output.show(document, _HEADERS, [_row(agent, day) for agent in agents])


def _row(agent: Agent, day: date) -> tuple[str, ...]:
    until = agent.until.isoformat() if agent.until is not None else ""
    protected = "protected" if agent.protected else ""
    starts = agent.starts.isoformat() if agent.starts is not None else ""
    labels = ",".join(f"{key}={value}" for key, value in agent.labels)
    facts = (agent.brand, agent.key, agent.kind.value, agent.name, shown_picture(agent), until, protected)
    return (*facts, starts, agent.state_on(day), labels)
