"""An agent by the key that somebody typed."""

from __future__ import annotations

from profilectl.errors import InputRefused, UsageError
from profilectl.model import Agent, Brand, Roster
from profilectl.roster.moves import require_current
from profilectl.text.escape import visible

_MOST_OFFERED = 3  # keys, so that a hint stays one line


def agent_of(roster: Roster, brand: Brand, key: str) -> Agent:
    """Return the agent with that key in one brand.

    Raises:
        InputRefused: the agent belongs to other brands only.
        UsageError: no agent has the key.
    """
    agents = {agent.key: agent for agent in roster.agents_of(brand.key)}
    if key in agents:
        return agents[key]
    if any(agent.key == key for agent in roster.agents):
        raise InputRefused(f"{key} doesn't speak for brand {brand.key}")
    require_current([key], roster.moved)
    raise unknown_agent(key, set(agents))


def unknown_agent(key: str, known: set[str]) -> UsageError:
    """Return the error that no agent has this key, with those that may be meant."""
    from difflib import get_close_matches

    # Whoever types a first name means one of those that have it; a slip of the finger comes after.
    longer = sorted(other for other in known if key and other.startswith(key))[:_MOST_OFFERED]
    close = longer or get_close_matches(key, known, n=1)
    return UsageError(
        f"there is no agent {visible(key)}",
        hint=f"did you mean {' or '.join(close)}?" if close else "`profilectl roster list` shows them all",
    )
