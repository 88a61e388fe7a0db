"""Profiles with an agent's name that the ledger doesn't know: one or two are a slip, many are a lost ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from profilectl.model import Agent, LedgerState, Profile
from profilectl.plan.changes import Change, Reason
from profilectl.plan.intents import known_ids
from profilectl.text.names import as_compared

MANY = 3
"""So many agents of a brand with a namesake each aren't decided one by one, as `recover` compares all at once."""


class Namesake(Struct, frozen=True):
    """An agent, and a profile of its name that the ledger doesn't know."""

    agent: Agent
    profile: Profile
    bound_id: str | None  # the profile that is the agent's; None when it has none


def find_namesakes(
    agents: Sequence[Agent], profiles: Iterable[Profile], ledger_state: LedgerState
) -> Iterator[Namesake]:
    """Yield every profile that bears an agent's name and that the ledger doesn't know, the oldest first.

    Of several agents with one name, those without a profile come first, and each profile is yielded once. What an open
    intent may have made is left out: the next sync settles it. Nobody who was offboarded gets a profile.
    """
    known = known_ids(ledger_state)
    pending = {as_compared(intent.name) for intent in ledger_state.intents}
    bound = {binding.agent: binding.profile_id for binding in ledger_state.bindings}
    allowed = [agent for agent in agents if agent.key not in ledger_state.blocked]
    waiting: dict[str, list[Agent]] = {}
    for agent in sorted(allowed, key=lambda agent: agent.key in bound):
        waiting.setdefault(as_compared(agent.name), []).append(agent)
    for profile in sorted(profiles, key=lambda profile: (profile.created_ms, profile.id)):
        name = as_compared(profile.name)
        if profile.id not in known and name not in pending and name in waiting:
            those = waiting[name]
            agent = those.pop(0) if len(those) > 1 else those[0]  # the last one has all that are left
            yield Namesake(agent, profile, bound.get(agent.key))


def is_unbound(change: Change) -> bool:
    """Say whether an agent without a binding has a namesake in its way: `recover` binds such agents, and no others."""
    return change.is_blocked and Reason.NAMESAKE in change.why and change.before is None


def lost_brands(changes: Iterable[Change]) -> dict[str, int]:
    """Return how many unbound agents have a namesake in their way, by brand, where so many mean a lost ledger."""
    counts = Counter(change.brand for change in changes if is_unbound(change))
    return {brand: count for brand, count in counts.items() if count >= MANY}


def lost_ledger(brand: str, count: int) -> str:
    """Return what a brand's lost ledger shows as."""
    return f"{count:,} agents of brand {brand} have profiles at X that this ledger doesn't know"


def recover_command(brand: str, options: str) -> str:
    """Return the command that binds what is sure, with the `options` that name the same roster and X."""
    return f"profilectl recover --brand {brand}{options}"
