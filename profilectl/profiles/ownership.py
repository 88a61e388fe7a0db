"""Whose the profiles at X are, as far as the ledger knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profilectl.model import Profile
from profilectl.plan.intents import IntentStatus, Observation, resolve
from profilectl.render import documents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from profilectl.model import LedgerState


def classify(
    brand: str, profiles: Sequence[Profile], ledger_state: LedgerState, names: set[str]
) -> Iterator[documents.Document]:
    """Say of every profile whose it is; bound ones that X doesn't list come last, as lost.

    What an unanswered create made is still unmanaged, with its agent beside it: the next sync adopts it.
    """
    bound = {binding.profile_id: binding.agent for binding in ledger_state.bindings}
    retired = {one.profile_id: one.agent for one in ledger_state.retired}
    promised = _promised(brand, profiles, ledger_state)
    owners = bound | retired | promised
    for one in profiles:
        if one.id in bound:
            status = "bound"
        elif one.id in retired:
            status = "retired"
        else:
            status = "namesake" if one.name in names and one.id not in promised else "unmanaged"
        yield _row(brand, status, owners.get(one.id), one)
    listed = {one.id for one in profiles}
    for binding in ledger_state.bindings:
        if binding.profile_id not in listed:
            gone = Profile(binding.profile_id, binding.name, binding.avatar_url, binding.created_ms)
            yield _row(brand, "lost", binding.agent, gone)


def _promised(brand: str, profiles: Sequence[Profile], ledger_state: LedgerState) -> dict[str, str]:
    """Return the agents whose open intents are proven to have made a profile, by its id."""
    observation = Observation(brand, tuple(profiles), 0, ledger_state)
    verdicts = {intent.agent: resolve(intent, observation, 0) for intent in ledger_state.intents}
    return {made[0].id: agent for agent, (verdict, made) in verdicts.items() if verdict is IntentStatus.CREATED}


def _row(brand: str, status: str, agent: str | None, one: Profile) -> documents.Document:
    return {
        "id": one.id,
        "name": one.name,
        "status": status,
        "brand": brand,
        "agent": agent,
        "created": documents.timestamp(one.created_ms),
        "avatar_url": one.avatar_url,
    }
