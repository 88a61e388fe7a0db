"""One Direct Message as an agent: who may send it, which face it carries, and whether X confirms that it does."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from profilectl.errors import IdentityNotEchoed, InputRefused, OutcomeUnknown, PersonNeeded, ProfilectlError
from profilectl.model import Event, Message

if TYPE_CHECKING:
    from datetime import date

    from profilectl.model import Agent, Binding, SentMessage

MAX_TEXT = 10_000  # code points; x-api.md 2.2 speaks of characters


class Post(Protocol):
    """The one call of X that a send makes."""

    def send_message(self, message: Message) -> SentMessage:
        """Send; repeated only when it surely wasn't applied."""


class Journal(Protocol):
    """Where a send leaves its trace."""

    def record(self, event: Event) -> None:
        """Append to the audit trail, durably."""


@dataclass(frozen=True, slots=True)
class Operator:
    """The OS user who runs the program, as the kernel knows it."""

    name: str
    uid: int

    def matches(self, rule: str) -> bool:
        """Say whether a roster's operator rule ("afast", "uid:1001") means this user."""
        return rule == f"uid:{self.uid}" if rule.startswith("uid:") else rule == self.name


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message that X took, with the identity confirmed."""

    message: Message
    event_id: str


def compose(
    agent: Agent, binding: Binding | None, *, recipient_id: str, text: str, today: date, operator: Operator
) -> Message:
    """Put a message together, or say why this agent can't send it.

    Raises:
        InputRefused: no profile is bound, the agent's last day is over, the OS user may not speak for the agent, or
            the text is empty or longer than `MAX_TEXT`.
    """
    if agent.operators and not any(operator.matches(rule) for rule in agent.operators):
        raise InputRefused(
            f"{operator.name} may not send as {agent.key}",
            hint="the roster's operators name who may: " + ", ".join(agent.operators),
        )
    if agent.until is not None and agent.until < today:
        raise InputRefused(f"{agent.key} can't send: the last day was {agent.until.isoformat()}")
    if binding is None:
        raise InputRefused(f"{agent.key} has no profile at brand {agent.brand} yet", hint="run `profilectl sync` first")
    if not text.strip():
        raise InputRefused("the message is empty")
    if len(text) > MAX_TEXT:
        raise InputRefused(f"the message has {len(text)} characters, at most {MAX_TEXT} fit")
    return Message(agent.key, agent.brand, recipient_id, text, binding.profile_id)


def deliver(message: Message, user_id: str, post: Post, journal: Journal, now_ms: int) -> Receipt:
    """Send, record, and believe only the echo.

    Args:
        message: what to send.
        user_id: the account that the ledger holds for the brand.
        post: X.
        journal: the audit trail.
        now_ms: X's clock, for the audit trail.

    Raises:
        IdentityNotEchoed: the message went out, but X didn't confirm the brand's account and the agent's profile.
        OutcomeUnknown: nobody knows whether the message went out; it is never repeated.
        PersonNeeded: the message went out, or may have, and the audit trail couldn't take that down.
    """
    try:
        sent = post.send_message(message)
    except OutcomeUnknown as error:
        error.hint = "nothing is confirmed: look into the conversation before you send it again"
        _record(journal, _event("send-unknown", message, user_id, now_ms), "may have gone out")
        raise
    _record(journal, _event("sent", message, user_id, now_ms, sent), f"went out as event {sent.event_id}")
    if sent.sender_id != user_id:
        raise IdentityNotEchoed(
            f"identity not confirmed: message {sent.event_id} "
            f"went out from account {sent.sender_id}, not from the brand's {user_id}",
            hint="these credentials belong to another account: check `profilectl auth status`",
        )
    if sent.profile_id != message.profile_id:
        face = "the brand itself" if sent.profile_id is None else f"profile {sent.profile_id}"
        raise IdentityNotEchoed(
            f"identity not confirmed: message {sent.event_id} went out as {face}, "
            f"not with {message.agent}'s profile {message.profile_id}",
            hint="run `profilectl diff`: the profile may be gone from X",
        )
    return Receipt(message, sent.event_id)


def _record(journal: Journal, event: Event, fact: str) -> None:
    """Record what can't be undone; when that fails, say so instead of "try again"."""
    try:
        journal.record(event)
    except ProfilectlError as error:
        raise PersonNeeded(
            f"the message {fact}, but that couldn't be recorded: {error.message}", hint="don't send it again"
        ) from error


def _event(what: str, message: Message, user_id: str, now_ms: int, sent: SentMessage | None = None) -> Event:
    """Describe a send for the audit trail: of the text only its hash and its length."""
    return Event(
        what,
        user_id,
        now_ms,
        agent=message.agent,
        profile_id=message.profile_id,
        detail={
            "recipient_id": message.recipient_id,
            "text_sha256": hashlib.sha256(message.text.encode()).hexdigest(),
            "text_length": len(message.text),
            "event_id": None if sent is None else sent.event_id,
            "echoed_profile_id": None if sent is None else sent.profile_id,
        },
    )
