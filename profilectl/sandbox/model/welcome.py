"""Welcome messages: what a customer gets on opening a conversation, perhaps under the name of an agent.

X's documentation says that custom profiles work with them, and shows nowhere how: here the id stands where a Direct
Message has it, beside the message's data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from profilectl.sandbox.model.store import MAX_ID

if TYPE_CHECKING:
    import sqlite3

    from profilectl.sandbox.model.store import Store


@dataclass(frozen=True, slots=True)
class WelcomeMessage:
    """One welcome message of an account."""

    id: str
    created_ms: int
    text: str
    profile_id: str | None


class WelcomeMessages:
    """All welcome messages of a world."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, user_id: str, text: str, profile_id: str | None) -> WelcomeMessage:
        """Make one."""
        message_id = self._store.next_id()
        with self._store.transaction():
            self._store.change(
                "INSERT INTO welcome_messages VALUES (?, ?, ?, ?, ?)",
                *(message_id, self._store.now_ms(), user_id, text, profile_id),
            )
        return self.mine(user_id, 1, message_id + 1)[0]

    def clear(self, user_id: str) -> None:
        """Remove all of an account's."""
        self._store.change("DELETE FROM welcome_messages WHERE user_id = ?", user_id)

    def mine(self, user_id: str, count: int, before: int = MAX_ID) -> list[WelcomeMessage]:
        """At most `count` of an account's, newest first, below `before`."""
        rows = self._store.rows(
            "SELECT * FROM welcome_messages WHERE user_id = ? AND id < ? ORDER BY id DESC LIMIT ?",
            *(user_id, min(before, MAX_ID), count),
        )
        return [_message(row) for row in rows]


def _message(row: sqlite3.Row) -> WelcomeMessage:
    return WelcomeMessage(str(row["id"]), row["created_ms"], row["text"], row["profile_id"])
