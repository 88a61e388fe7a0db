"""An agent by the key that somebody typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from profilectl.errors import InputRefused, UsageError
from profilectl.model import Agent, Brand, Move, Roster
from profilectl.roster.moves import changed_key
from profilectl.text.escape import visible

_MOST_OFFERED = 3  # keys, so that a hint stays one line
_NEAR = 0.6  # of difflib's ratio, which is its own measure of a close match
_JOINED_NEAR = 0.85  # where a word more or less tells one person from another


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
    raise unknown_agent(key, set(agents), roster.moved)


def unknown_agent(key: str, known: set[str], moves: Iterable[Move] = ()) -> UsageError:
    """Return the error that no agent has this key, with what it was changed to, or with those that may be meant."""
    if (error := changed_key(key, moves)) is not None:
        return error
    # Whoever types a first name means one of those that have it; a slip of the finger comes after.
    longer = sorted(other for other in known if key and other.startswith(key))[:_MOST_OFFERED]
    close = longer or [*_slips(key, known)][:1]
    return UsageError(
        f"there is no agent {visible(key)}",
        hint=f"did you mean {' or '.join(close)}?" if close else "`profilectl roster list` shows them all",
    )


def _slips(key: str, known: set[str]) -> Iterator[str]:
    """Yield the keys that this one may be a slip of the finger for, the nearest first."""
    from difflib import get_close_matches

    return (other for other in get_close_matches(key, known, n=len(known) or 1, cutoff=_NEAR) if _is_slip(key, other))


def _is_slip(key: str, other: str) -> bool:
    """Say whether each word of a key is near one of the other: a colleague may share a surname, and isn't meant."""
    words, others = re.split("[-_]", key), re.split("[-_]", other)
    if len(words) != len(others):
        return _are_near("".join(words), "".join(others), _JOINED_NEAR)
    return all(map(_are_near, words, others))


def _are_near(word: str, other: str, ratio: float = _NEAR) -> bool:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, other, word).ratio() >= ratio
