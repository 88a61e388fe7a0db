"""The ledger follows keys that the roster has changed, for commands about one agent, which may come before a sync."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from profilectl.model import LedgerState, Move
from profilectl.plan.moves import follow

if TYPE_CHECKING:
    from profilectl.ledger.protocol import Ledger


def follow_moves(ledger: Ledger, user_id: str, moves: Sequence[Move], now_ms: int, agent: str) -> LedgerState:
    """Give what an account's ledger has under an agent's former keys to the agent, and return what it holds then.

    What collides stays under both keys, as in a plan. X isn't asked.
    """
    followed = follow(ledger.state_of(user_id), [move for move in moves if move.new == agent])
    if followed.renames:
        with ledger.batch():
            for move in followed.renames:
                ledger.change_key(user_id, move.old, move.new, now_ms)
    return followed.state
