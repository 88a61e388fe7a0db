"""X's own list of messages beside the record: what went out under our faces, and what the record says went out."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct

from profilectl.audit.faces import Entry
from profilectl.model import SentMessage

SHOWN_AFTER_MS = 120_000
"""How young a message may be for X's list to lack it."""

GAPS = frozenset({"restored", "recovered", "begun"})
"""Events behind which a ledger went on that may lack messages from before."""


class Reconciliation(Struct, frozen=True):
    """What a comparison of X's list with the record has brought out, from one moment to another.

    Attributes:
        asked_ms: since when it was asked for, X's clock.
        from_ms: since when X's list is complete, as it is read page by page.
        until_ms: what is younger, X's list may not have yet.
        agreed: messages that X lists and the record has.
        unknown: messages that X lists with a face of ours, and that the record doesn't have, the newest first.
        missing: messages that the record has as sent, and that X doesn't list, the oldest first.
        gap: the newest event of `GAPS` since then, or None; messages from before it may be unknown for no other reason.
    """

    asked_ms: int
    from_ms: int
    until_ms: int
    agreed: int
    unknown: tuple[SentMessage, ...]
    missing: tuple[Entry, ...]
    gap: Entry | None = None

    @property
    def is_agreed(self) -> bool:
        """Whether X and the record tell the same."""
        return not self.unknown and not self.missing


def reconcile(
    listed: Iterable[SentMessage],
    entries: Iterable[Entry],
    faces: Collection[str],
    user_id: str,
    span: tuple[int, int, int],
) -> Reconciliation:
    """Compare the messages that X lists for an account with those that the record has as sent.

    Of what X lists without a profile nobody can tell who sent it, so it counts only where the record has it.

    Args:
        listed: everything that X lists, of both sides.
        entries: the account's "sent" entries and those of `GAPS`, oldest first; some may be from before the span.
        faces: ids of all profiles that were ever ours.
        user_id: of the account.
        span: since when it is asked for, since when the list is complete, and up to when it has to be; X's clock.
    """
    asked_ms, from_ms, until_ms = span
    ours = [message for message in listed if message.sender_id == user_id]
    at_x = {message.event_id for message in ours}
    gap, recorded = None, {}
    for entry in entries:
        if entry.event.what not in GAPS:
            recorded[str(entry.event.detail.get("event_id"))] = entry
        elif entry.event.at_ms >= from_ms:
            gap = entry
    unknown = [message for message in ours if message.profile_id in faces and message.event_id not in recorded]
    missing = [
        entry
        for event_id, entry in recorded.items()
        if event_id not in at_x and from_ms <= entry.event.at_ms < until_ms
    ]
    agreed = len(at_x & recorded.keys())
    return Reconciliation(asked_ms, from_ms, until_ms, agreed, tuple(unknown), tuple(missing), gap)
