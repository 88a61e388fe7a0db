"""What the record shows of a period, gathered for one page: faces, messages counted by agent, changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from profilectl.audit.faces import Entry, Face, FaceHistory
from profilectl.audit.queries import CHANGES, MESSAGE_EVENTS, STATUSES, Outbox, Outgoing, Selection

MOST_CHANGES: Final = 2000
MOST_MESSAGES: Final = 500
"""How many rows a page shows of each, so that a browser can open it; the file beside it has all."""


class Tally(Struct):
    """An agent's messages, counted; it changes while they are read."""

    account: str
    agent: str
    by_status: dict[str, int]
    by_origin: dict[str | None, int]

    def count(self, message: Outgoing) -> None:
        """Take one more message."""
        self.by_status[message.status] += 1
        self.by_origin[message.origin] = self.by_origin.get(message.origin, 0) + 1


class Evidence:
    """Takes the records one after the other, those before the period as well: a face may have begun in them."""

    def __init__(self, selection: Selection) -> None:
        self.selection = selection
        self.changes: list[Entry] = []
        self.messages: list[Outgoing] = []
        self.more_changes = self.more_messages = 0  # that no page shows
        self._history = FaceHistory()
        self._outbox = Outbox()
        self._tallies: dict[tuple[str, str], Tally] = {}

    def take(self, entry: Entry) -> bool:
        """Learn from one more record, and say whether it belongs to the period."""
        if self.selection.accounts is None or entry.event.account in self.selection.accounts:
            self._history.take(entry)
        is_asked = self.selection.has(entry)
        if entry.event.what in MESSAGE_EVENTS:  # the end of a promise may come after the period
            message = self._outbox.take(entry, self._history, is_asked=is_asked)
            if message is not None:
                self._take_message(message)
        if not is_asked:
            return False
        if entry.event.what in CHANGES and len(self.changes) < MOST_CHANGES:
            self.changes.append(entry)
        elif entry.event.what in CHANGES:
            self.more_changes += 1
        return True

    def end(self) -> None:
        """Count the messages whose end no record tells, once all records were taken."""
        for message in self._outbox.without_end():
            self._take_message(message)

    def _take_message(self, message: Outgoing) -> None:
        event = message.entry.event
        key = event.account, event.agent or ""
        if key not in self._tallies:
            self._tallies[key] = Tally(*key, dict.fromkeys(STATUSES, 0), {})
        self._tallies[key].count(message)
        if len(self.messages) < MOST_MESSAGES:
            self.messages.append(message)
        else:
            self.more_messages += 1

    def tallies(self) -> list[Tally]:
        """Return the counts, by account and agent."""
        return [tally for _, tally in sorted(self._tallies.items())]

    def faces(self) -> Iterator[Face]:
        """Yield the faces that customers could see in the period."""
        return (face for face in self._history.faces() if face.is_in(self.selection.period))
