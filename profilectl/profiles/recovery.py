"""Whose profiles are these? What a lost ledger knew, concluded from names and faces.

Pure: lists and distances come in, findings come out. A finding is sure only when nothing speaks against it, because a
wrong binding puts one person's face on another's words.
"""

from __future__ import annotations

import enum
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from profilectl.pictures.similarity import LARGEST_DISTANCE
from profilectl.plan.intents import known_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from profilectl.model import Agent, LedgerState, Profile


@dataclass(frozen=True, slots=True)
class Candidate:
    """A profile that bears an agent's name, and how its face compares.

    Attributes:
        distance: of the live picture from the roster's, see `likeness`; None when the live one can't be had.
        problem: why it can't be had.
    """

    profile: Profile
    distance: float | None
    problem: str | None = None

    @property
    def is_close(self) -> bool:
        """Whether the face is the agent's, as far as a `likeness` can tell."""
        return self.distance is not None and self.distance <= LARGEST_DISTANCE


class Doubt(enum.StrEnum):
    """Why a person has to decide."""

    SHARED_NAME = "shared-name"  # several agents are called so
    SEVERAL = "several"  # several profiles are called so
    NO_PICTURE = "no-picture"
    OTHER_FACE = "other-face"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was concluded about one agent; without candidates there is nothing to bind."""

    agent: Agent
    candidates: tuple[Candidate, ...] = ()
    doubt: Doubt | None = None

    @property
    def sure(self) -> Candidate | None:
        """The one profile that is the agent's, if that is sure."""
        return self.candidates[0] if self.candidates and self.doubt is None else None


def search(
    agents: Iterable[Agent], profiles: Sequence[Profile], ledger_state: LedgerState
) -> tuple[tuple[Agent, tuple[Profile, ...]], ...]:
    """Return every agent without a binding, each with the profiles of exactly its name that nobody owns.

    An agent with an open intent is left out: ``sync`` settles that from better proofs than a name. So is one who was
    offboarded: a face must not come back with a lost binding.
    """
    known = known_ids(ledger_state)
    settled_elsewhere = {one.agent for one in ledger_state.bindings} | {one.agent for one in ledger_state.intents}
    settled_elsewhere |= ledger_state.blocked
    strangers = [profile for profile in profiles if profile.id not in known]
    return tuple(
        (agent, tuple(one for one in strangers if _nfc(one.name) == _nfc(agent.name)))
        for agent in agents
        if agent.key not in settled_elsewhere
    )


def conclude(sightings: Iterable[tuple[Agent, tuple[Candidate, ...]]]) -> tuple[Finding, ...]:
    """Tell the sure from the doubtful, for all the agents of one brand at once."""
    known = tuple(sightings)
    bearers = Counter(_nfc(agent.name) for agent, _ in known)
    return tuple(
        Finding(agent, candidates, _doubt(candidates, is_shared=bearers[_nfc(agent.name)] > 1))
        for agent, candidates in known
    )


def _doubt(candidates: tuple[Candidate, ...], *, is_shared: bool) -> Doubt | None:
    if not candidates:
        return None
    if is_shared:
        return Doubt.SHARED_NAME
    if len(candidates) > 1:
        return Doubt.SEVERAL
    if candidates[0].distance is None:
        return Doubt.NO_PICTURE
    return None if candidates[0].is_close else Doubt.OTHER_FACE


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)
