"""``roster list``: the agents as each brand shows them."""

from __future__ import annotations

from profilectl.cli.context import Context
from profilectl.model import Agent
from profilectl.render import json_documents

_HEADERS = ("brand", "agent", "kind", "name", "avatar", "until", "protected")


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
