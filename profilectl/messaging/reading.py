"""What X lists of an account's messages, read as seldom as may be: X allows 15 pages in a quarter of an hour.

The account's own sends need some of them, to find out what became of a message whose answer was lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from profilectl.model import SentMessage

if TYPE_CHECKING:
    from profilectl.api.wire_messages import EventPage, ReadAllowance

KEPT_BACK: Final = 5
"""Pages that are left for sends in doubt: no more are read at once to find a message in X's list."""

_LONGEST_AHEAD_MS: Final = 15 * 60_000  # X's window: what an answer says of a later one is no truth


class Reading(Struct, frozen=True):
    """What was read of an account's messages, and what that cost.

    Attributes:
        messages: of both sides, the newest first, each once.
        since_ms: from when on they are all there, X's clock; 0 where X lists no older ones.
        pages: that were read.
        allowance: what X says that is left, None where it doesn't.
    """

    messages: tuple[SentMessage, ...]
    since_ms: int
    pages: int
    allowance: ReadAllowance | None


class Thread(Struct, frozen=True):
    """An account's messages with one other, and who wrote last.

    Attributes:
        messages: the oldest first.
        is_answered: the newest is the account's own.
    """

    user_id: str
    messages: tuple[SentMessage, ...]
    is_answered: bool

    @property
    def newest(self) -> SentMessage:
        """The last message of the two."""
        return self.messages[-1]

    @property
    def answer(self) -> SentMessage | None:
        """Which message answers the other: see `_answer`; None where they wait for one."""
        return _answer(self.messages, self.user_id)

    def newest_only(self, count: int) -> Thread:
        """Return the same thread with so many messages at most."""
        return replace(self, messages=self.messages[-count:])

    @property
    def waiting_since(self) -> int | None:
        """When the other first wrote without being answered since, X's clock; None where nobody waits."""
        since = None
        for message in reversed(self.messages):
            if message.sender_id != self.user_id:
                break
            since = message.created_ms
        return since


def gather(pages: Iterable[EventPage], enough: int = 0, of: tuple[str, str] | None = None, *, keep: int = 0) -> Reading:
    """Read pages until `enough` messages between two accounts were found, or to their end.

    Args:
        pages: from `XClient.event_pages`, which bounds them.
        enough: of the messages between `of`, an account and somebody else; 0: all.
        of: their user ids.
        keep: pages that are left for others: no more is read once X allows no more than these.
    """
    messages: dict[str, SentMessage] = {}
    number, oldest_ms, is_end, allowance = 0, 0, False, None
    for page in pages:
        number += 1
        allowance = page.allowance
        for message in page.messages:
            messages.setdefault(message.event_id, message)
        oldest_ms = page.oldest_ms if page.oldest_ms is not None else oldest_ms
        is_end = page.next_cursor is None
        is_enough = of is not None and enough > 0 and len(_between(messages, of)) >= enough
        if is_enough or (allowance is not None and allowance.left <= keep):
            break
    ordered = sorted(messages.values(), key=_age, reverse=True)
    return Reading(tuple(ordered), 0 if is_end else oldest_ms, number, allowance)


def threads(messages: Iterable[SentMessage], user_id: str) -> tuple[Thread, ...]:
    """Return an account's threads, the one with the newest message first; messages of others are left out."""
    by_partner: dict[str, list[SentMessage]] = {}
    for message in messages:
        partner = partner_of(message, user_id)
        if partner is not None:
            by_partner.setdefault(partner, []).append(message)
    ordered = {partner: tuple(sorted(own, key=_age)) for partner, own in by_partner.items()}
    result = [Thread(partner, own, own[-1].sender_id == user_id) for partner, own in ordered.items()]
    return tuple(sorted(result, key=lambda thread: _age(thread.newest), reverse=True))


def partner_of(message: SentMessage, user_id: str) -> str | None:
    """Return with whom an account has a message; None where X lists one that isn't the account's, or names nobody."""
    if message.sender_id == user_id:
        return message.recipient_id or None
    return message.sender_id or None if message.recipient_id == user_id else None


def last_words(messages: Iterable[SentMessage], partner: str) -> SentMessage | None:
    """Return the newest message of somebody, None where there is none."""
    return max((message for message in messages if message.sender_id == partner), key=_age, default=None)


def last_answer(messages: Iterable[SentMessage], user_id: str, partner: str) -> SentMessage | None:
    """Return an account's answer to somebody if they have written nothing since, else None; see `_answer`."""
    return _answer(sorted((each for each in messages if partner_of(each, user_id) == partner), key=_age), partner)


def _answer(messages: Sequence[SentMessage], partner: str) -> SentMessage | None:
    """Return which of an account's messages answers somebody, None where they wrote last; the oldest comes first.

    That is the newest with an agent's face. What carries none, such as a feedback card, answers only where nothing else
    went out since their last words.
    """
    since = tuple(takewhile(lambda message: message.sender_id != partner, reversed(messages)))
    with_face = (message for message in since if message.profile_id is not None)
    return next(with_face, next(iter(since), None))


def may_read(known: Mapping[str, int], now_ms: int) -> bool:
    """Say whether a page may be read for a person's comfort only, by what an earlier reading left.

    Args:
        known: ``left`` and ``again_ms``, as an earlier answer of X had them; empty where there is none.
        now_ms: X's clock.
    """
    left, again_ms = known.get("left"), known.get("again_ms")
    if left is None or again_ms is None or not now_ms < again_ms <= now_ms + _LONGEST_AHEAD_MS:
        return True
    return left > KEPT_BACK


def _between(messages: Mapping[str, SentMessage], of: tuple[str, str]) -> list[SentMessage]:
    return [message for message in messages.values() if partner_of(message, of[0]) == of[1]]


def _age(message: SentMessage) -> tuple[int, int, str]:
    # ids of X grow with time, within a millisecond too; X gives them as digits
    digits = message.event_id
    return message.created_ms, len(digits), digits
