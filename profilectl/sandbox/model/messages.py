"""Direct Messages between brands and customers, and the profiles that they were sent with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.model.rate_limits import DAY
from profilectl.sandbox.model.store import MAX_ID

if TYPE_CHECKING:
    import sqlite3

    from profilectl.sandbox.model.accounts import Accounts
    from profilectl.sandbox.model.media import Uploads
    from profilectl.sandbox.model.profiles import Profiles
    from profilectl.sandbox.model.rate_limits import Quotas
    from profilectl.sandbox.model.store import Store

MAX_TEXT = 10_000  # characters
REMEMBERED = 30 * DAY  # seconds that the list of messages reaches back, by X's page on events/list
_SELECT = "SELECT * FROM messages LEFT JOIN message_extras ON message_id = id"
TYPING_MS = 3000  # for which the sign that somebody types is seen
FREE_REPLIES = 5  # uncounted answers to a message that a customer sent within the last day


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to send."""

    recipient_id: str
    text: str
    profile_id: str | None = None
    media_id: str | None = None
    quick_reply: dict[str, Any] | None = None
    ctas: list[dict[str, str]] | None = None  # buttons that lead somewhere
    response: dict[str, str] | None = None  # which quick reply of an earlier message this is


@dataclass(frozen=True, slots=True)
class Message:
    """One Direct Message as it went out."""

    id: str
    created_ms: int
    sender_id: str
    recipient_id: str
    text: str
    profile_id: str | None  # the profile that X showed; None is the account itself
    media_id: str | None
    quick_reply: dict[str, Any] | None
    by_app: bool
    ctas: list[dict[str, str]] | None = None
    response: dict[str, str] | None = None


class Messages:
    """The messages of one world."""

    def __init__(self, store: Store, accounts: Accounts, profiles: Profiles, media: Uploads, quotas: Quotas) -> None:
        self._store = store
        self._accounts = accounts
        self._profiles = profiles
        self._media = media
        self._quotas = quotas

    def send(self, sender_id: str, app_id: str, draft: Draft) -> Message:
        """Send by the app; Refused if recipient, text or picture can't be used, or the day's messages are used up."""
        with self._store.transaction():
            self.require_reachable(draft.recipient_id)
            if len(draft.text) > MAX_TEXT:
                raise Refused(Refusal.TEXT_TOO_LONG)
            if draft.media_id is not None:
                self._media.usable(sender_id, draft.media_id)
            if not self._is_free_reply(sender_id, draft.recipient_id):
                self._quotas.spend("send-app", app_id)
                self._quotas.spend("send", sender_id)
            return self._add(sender_id, draft, self._shown_profile(sender_id, draft.profile_id), by_app=True)

    def receive(
        self, customer_handle: str, brand_handle: str, text: str, response: dict[str, str] | None = None
    ) -> Message:
        """Let a customer write as in X's own app; KeyError if one of them doesn't exist, Refused if it is too long."""
        customer, brand = self._accounts.require(customer_handle), self._accounts.require(brand_handle)
        if len(text) > MAX_TEXT:
            raise Refused(Refusal.TEXT_TOO_LONG)
        return self._add(customer.user_id, Draft(brand.user_id, text, response=response), None, by_app=False)

    def require_reachable(self, recipient_id: str) -> None:
        """Make sure that somebody can be written to; Refused if nobody has this id, or they take no messages."""
        recipient = self._accounts.by_id(recipient_id)
        if recipient is None:
            raise Refused(Refusal.NO_SUCH_USER)
        if not recipient.reachable:
            raise Refused(Refusal.UNREACHABLE_USER)

    def show_typing(self, sender_id: str, recipient_id: str) -> None:
        """Let the recipient see for a moment that somebody types; Refused if they can't be written to."""
        self.require_reachable(recipient_id)
        values = (sender_id, recipient_id, self._store.now_ms() + TYPING_MS)
        self._store.change("INSERT OR REPLACE INTO typing VALUES (?, ?, ?)", *values)

    def is_typing(self, sender_id: str, recipient_id: str) -> bool:
        """Whether somebody sees by now that an account types to them."""
        row = self._store.row(
            "SELECT until_ms FROM typing WHERE sender_id = ? AND recipient_id = ?", sender_id, recipient_id
        )
        return row is not None and bool(self._store.now_ms() < row["until_ms"] <= self._store.now_ms() + TYPING_MS)

    def _is_free_reply(self, sender_id: str, recipient_id: str) -> bool:
        # Each received message opens or renews a window of 24 hours; a sixth reply, or one outside, counts (X's page on
        # sending). Only the newest message matters, as it renews the five.
        asked = self._store.row(
            "SELECT max(id) AS id FROM messages WHERE sender_id = ? AND recipient_id = ? AND created_ms > ?",
            *(recipient_id, sender_id, self._store.now_ms() - DAY * 1000),
        )
        if asked is None or asked["id"] is None:
            return False
        sql = "SELECT count(*) FROM messages WHERE sender_id = ? AND recipient_id = ? AND id > ?"
        return bool(self._store.rows(sql, sender_id, recipient_id, asked["id"])[0][0] < FREE_REPLIES)

    def _shown_profile(self, sender_id: str, profile_id: str | None) -> str | None:
        # X documents no error for an id that it can't use; that "valid profiles override" the avatar suggests that
        # others are dropped silently. So the message goes out under the account's own name: what a client must notice.
        sender = self._accounts.by_id(sender_id)
        profile = None if profile_id is None else self._profiles.find(profile_id)
        if profile is None or sender is None or not sender.allowlisted:
            return None
        return profile.id if profile.is_live and profile.user_id == sender_id else None

    def _add(self, sender_id: str, draft: Draft, profile_id: str | None, *, by_app: bool) -> Message:
        message_id = self._store.next_id()
        with self._store.transaction():
            pair = (sender_id, draft.recipient_id)  # who has written isn't typing any more
            self._store.change("DELETE FROM typing WHERE sender_id = ? AND recipient_id = ?", *pair)
            self._store.change(
                "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(message_id, self._store.now_ms(), sender_id, draft.recipient_id, draft.text),
                *(profile_id, draft.media_id, json.dumps(draft.quick_reply), by_app),
            )
            if draft.ctas or draft.response:
                extras = (message_id, json.dumps(draft.ctas), json.dumps(draft.response))
                self._store.change("INSERT INTO message_extras VALUES (?, ?, ?)", *extras)
        return _message(self._store.rows(f"{_SELECT} WHERE id = ?", message_id)[0])

    def show(self, user_id: str, message_id: str) -> Message:
        """A message that this account sent or got within 30 days; Refused if there is none with this id."""
        is_number = message_id.isascii() and message_id.isdigit() and len(message_id) <= 19
        for message in self.mine(user_id, 1, int(message_id) + 1) if is_number else ():
            if message.id == message_id:
                return message
        raise Refused(Refusal.NO_SUCH_PAGE)

    def mine(self, user_id: str, count: int, before: int = MAX_ID) -> list[Message]:
        """At most `count` messages of the last 30 days that an account sent or got, newest first, below `before`."""
        rows = self._store.rows(
            f"{_SELECT} WHERE ? IN (sender_id, recipient_id) AND id < ? AND created_ms > ? ORDER BY id DESC LIMIT ?",
            *(user_id, min(before, MAX_ID), self._store.now_ms() - REMEMBERED * 1000, count),
        )
        return [_message(row) for row in rows]

    def between(self, user_id: str, other_id: str) -> list[Message]:
        """A whole conversation, oldest first."""
        pair = "(sender_id = ? AND recipient_id = ?)"
        rows = self._store.rows(f"{_SELECT} WHERE {pair} OR {pair} ORDER BY id", user_id, other_id, other_id, user_id)
        return [_message(row) for row in rows]

    def latest(self, user_id: str, other_id: str) -> Message | None:
        """The last message of a conversation, or None."""
        return next(reversed(self.between(user_id, other_id)), None)

    def partners(self, user_id: str) -> list[str]:
        """The ids of everybody with whom an account has a conversation, the latest first."""
        rows = self._store.rows(
            "SELECT iif(sender_id = ?, recipient_id, sender_id) AS partner FROM messages"
            " WHERE ? IN (sender_id, recipient_id) GROUP BY partner ORDER BY max(id) DESC",
            *(user_id, user_id),
        )
        return [row["partner"] for row in rows]

    def all(self) -> list[Message]:
        """Every message, oldest first."""
        return [_message(row) for row in self._store.rows(f"{_SELECT} ORDER BY id")]


def _message(row: sqlite3.Row) -> Message:
    values = {name: row[name] for name in ("created_ms", "sender_id", "recipient_id", "text", "media_id")}
    parts = {name: json.loads(row[name] or "null") for name in ("quick_reply", "ctas", "response")}
    profile_id = None if row["profile_id"] is None else str(row["profile_id"])
    return Message(id=str(row["id"]), profile_id=profile_id, by_app=bool(row["by_app"]), **values, **parts)
