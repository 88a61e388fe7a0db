"""What the ledger knows of agents whose keys were changed, as if it had followed the roster already.

A key is only ours: X knows profiles by their ids. So nothing is made or destroyed there when one is changed; what the
ledger has under the former key belongs to the new one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from profilectl.model import LedgerState, Move


class Followed(Struct, frozen=True):
    """An account's ledger with the new keys in it."""

    state: LedgerState
    renames: tuple[Move, ...] = ()  # those that the ledger itself has still to follow
    conflicts: tuple[Move, ...] = ()  # two people may have had these keys: a person has to decide


def follow(state: LedgerState, moves: Sequence[Move]) -> Followed:
    """Return what a ledger holds once it has followed the roster's entries, and what that changes.

    A move is left out where nothing is under the former key, where both keys have a profile or an open create, and
    where one of them was offboarded and the other one has either: a block would end the face of somebody else.
    """
    if not moves:  # as nearly always, and a message waits for this
        return Followed(state)
    bound, creating = ({entry.agent for entry in entries} for entries in (state.bindings, state.intents))
    held = bound | creating | state.blocked | {profile.agent for profile in state.retired}
    held |= {late.intent.agent for late in state.withdrawn}
    renames, conflicts = [], []
    for move in moves:
        if move.old not in held:
            continue
        both = {move.old, move.new}
        live = both & (bound | creating)
        divides = len(both & state.blocked) == 1 and not live <= state.blocked
        if both <= bound or both <= creating or divides:
            conflicts.append(move)
            continue
        renames.append(move)
        for keys in (bound, creating):
            if move.old in keys:
                keys.add(move.new)  # so that a second former key collides with this one
    return Followed(_renamed(state, {move.old: move.new for move in renames}), tuple(renames), tuple(conflicts))


def _renamed(state: LedgerState, keys: Mapping[str, str]) -> LedgerState:
    def now(key: str) -> str:
        return keys.get(key, key)

    return LedgerState(
        bindings=tuple(replace(binding, agent=now(binding.agent)) for binding in state.bindings),
        intents=tuple(replace(intent, agent=now(intent.agent)) for intent in state.intents),
        retired=tuple(replace(profile, agent=now(profile.agent)) for profile in state.retired),
        withdrawn=tuple(
            replace(late, intent=replace(late.intent, agent=now(late.intent.agent))) for late in state.withdrawn
        ),
        blocked=frozenset(now(key) for key in state.blocked),
    )
