"""Feedback cards: a question beneath a message, which its recipient answers once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from profilectl.sandbox.model.messages import Draft
from profilectl.sandbox.model.rate_limits import DAY
from profilectl.sandbox.model.store import MAX_ID

if TYPE_CHECKING:
    import sqlite3

    from profilectl.sandbox.model.messages import Messages
    from profilectl.sandbox.model.rate_limits import Quotas
    from profilectl.sandbox.model.store import Store

SCALES: Mapping[str, range] = {"csat": range(1, 6), "nps": range(11)}  # scores: CSAT 1 to 5, NPS 0 to 10
VARIANTS: Mapping[str, range] = {"csat": range(38), "nps": range(10)}  # X's wordings of the question, by number
MATURITY = DAY  # seconds until an event can be read: X wants a `to_time` at least 24 hours old
MAX_COMMENT = 10_000  # characters; X names no limit, so that of a message
_QUESTIONS = {"csat": "How satisfied are you with {}?", "nps": "How likely are you to recommend {} to a friend?"}
_CARD = (
    "SELECT feedback.*, messages.text AS message, accounts.handle FROM feedback"
    " JOIN messages ON messages.id = feedback.dm_id JOIN accounts ON accounts.user_id = feedback.from_user_id"
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a brand wants to ask."""

    type: str  # a key of SCALES
    to_user_id: str
    message: str
    privacy_url: str
    external_id: str = ""
    question_variant_id: int = 0
    display_name: str = ""
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A card as its sender and its recipient see it; `score` and `text` are the answer, None until there is one."""

    id: str
    created_ms: int
    type: str
    message: str  # the Direct Message that the card belongs to
    dm_id: str
    handle: str  # of the brand
    from_user_id: str
    to_user_id: str
    privacy_url: str
    external_id: str
    question_variant_id: int
    display_name: str  # in the question, in place of the brand's
    is_test: bool
    score: int | None
    text: str | None
    answered_ms: int | None

    @property
    def updated_ms(self) -> int:
        """When it last changed."""
        return self.created_ms if self.answered_ms is None else self.answered_ms

    @property
    def question(self) -> str:
        """What the card asks, in the sandbox's own words: X has 48 wordings."""
        return _QUESTIONS[self.type].format(self.display_name or f"@{self.handle}")

    @property
    def scale(self) -> range:
        """The scores to choose from."""
        return SCALES[self.type]

    def unanswered(self) -> Card:
        """The card as it was when it was issued."""
        return replace(self, score=None, text=None, answered_ms=None)


class Event(NamedTuple):
    """Something that happened to a card, and the card as it was then."""

    type: str  # "feedback.created" | "feedback.updated"
    at_ms: int
    card: Card


class Feedback:
    """The cards of one world, and who may issue them."""

    def __init__(self, store: Store, messages: Messages, quotas: Quotas) -> None:
        self._store = store
        self._messages = messages
        self._quotas = quotas

    def allow(self, user_id: str, allowed: bool) -> None:
        """Let an account issue cards, as every account may at first, or forbid it."""
        self._store.change("DELETE FROM feedback_forbidden WHERE user_id = ?", user_id)
        if not allowed:
            self._store.change("INSERT INTO feedback_forbidden VALUES (?)", user_id)

    def is_allowed(self, user_id: str) -> bool:
        """Whether X lets an account issue cards."""
        return self._store.row("SELECT 1 FROM feedback_forbidden WHERE user_id = ?", user_id) is None

    def create(self, sender_id: str, app_id: str, request: Request) -> Card:
        """Send a message with a question; Refused if the recipient had one within a day, or can't be sent it."""
        with self._store.transaction():
            # One card per recipient and day; in this transaction, so that a message refused below does not use it up.
            self._quotas.spend("feedback-recipient", f"{sender_id}:{request.to_user_id}")
            message = self._messages.send(sender_id, app_id, Draft(request.to_user_id, request.message))
            card_id = self._store.next_id()
            self._store.change(
                "INSERT INTO feedback VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)",
                *(card_id, self._store.now_ms(), request.type, int(message.id), sender_id, request.to_user_id),
                *(request.privacy_url, request.external_id, request.question_variant_id),
                *(request.display_name, request.is_test),
            )
            return self.require(str(card_id))

    def require(self, card_id: str) -> Card:
        """The card with this id; KeyError if there is none."""
        is_id = card_id.isascii() and card_id.isdigit() and int(card_id[:20]) <= MAX_ID
        row = self._store.row(f"{_CARD} WHERE feedback.id = ?", int(card_id)) if is_id else None
        if row is None:
            raise KeyError(card_id)
        return _card(row)

    def respond(self, card_id: str, score: object, text: object = "") -> Card:
        """Answer a card as its recipient; KeyError if there is none, ValueError if answered, off scale or too long."""
        with self._store.transaction():
            card = self.require(card_id)
            if card.score is not None:  # X's page on feedback: answers are immutable
                raise ValueError(f"card {card.id} is answered already, and answers can't be changed")
            # Forms send digits, JSON a number; True would pass for 1.
            if isinstance(score, bool) or str(score) not in set(map(str, card.scale)):
                raise ValueError(f"a {card.type} score is a number from {card.scale[0]} to {card.scale[-1]}")
            if not isinstance(text, str) or len(text) > MAX_COMMENT:
                raise ValueError(f"the text may have {MAX_COMMENT} characters")
            self._store.change(
                "UPDATE feedback SET score = ?, text = ?, answered_ms = ? WHERE id = ?",
                *(int(str(score)), text, self._store.now_ms(), int(card.id)),
            )
            return self.require(card.id)

    def between(self, brand_id: str, customer_id: str) -> list[Card]:
        """The cards of one conversation, oldest first."""
        where = "WHERE feedback.from_user_id = ? AND feedback.to_user_id = ? ORDER BY feedback.id"
        return [_card(row) for row in self._store.rows(f"{_CARD} {where}", brand_id, customer_id)]

    def all(self) -> list[Card]:
        """Every card, oldest first."""
        return [_card(row) for row in self._store.rows(f"{_CARD} ORDER BY feedback.id")]

    def events(self, sender_id: str, span_ms: tuple[int, int], skipped: int, count: int) -> list[Event]:
        """At most `count` events of an account's cards in a span, both ends included, after the `skipped` oldest."""
        rows = self._store.rows(
            "SELECT id, at_ms, answered FROM (SELECT id, from_user_id, created_ms AS at_ms, 0 AS answered FROM feedback"
            " UNION ALL SELECT id, from_user_id, answered_ms, 1 FROM feedback WHERE answered_ms IS NOT NULL)"
            " WHERE from_user_id = ? AND at_ms BETWEEN ? AND ? ORDER BY at_ms, answered, id LIMIT ? OFFSET ?",
            *(sender_id, *span_ms, count, skipped),
        )
        cards = [(row["at_ms"], row["answered"], self.require(str(row["id"]))) for row in rows]
        return [
            Event("feedback.updated", at_ms, card) if answered else Event("feedback.created", at_ms, card.unanswered())
            for at_ms, answered, card in cards
        ]


def _card(row: sqlite3.Row) -> Card:
    columns = dict(row)
    is_test = bool(columns.pop("test"))
    return Card(**{**columns, "id": str(row["id"]), "dm_id": str(row["dm_id"])}, is_test=is_test)
