"""A Direct Message as an agent, put together: with whose profile, what goes out, and what makes two the same."""

from __future__ import annotations

import enum
from datetime import date

from msgspec import Struct
from msgspec.structs import replace

from profilectl.digests import digest_of_bytes
from profilectl.errors import InputRefused
from profilectl.messaging.characters import require_readable
from profilectl.model import Agent, Binding, LedgerState, Link, Message
from profilectl.roster.consent import describe_end
from profilectl.text.escape import visible

MAX_TEXT = 10_000  # code points; X's reference speaks of characters


class SendStatus(enum.StrEnum):
    """How far a message has come."""

    DRY_RUN = "dry-run"  # it was composed, and stays here
    SENT = "sent"
    ALREADY_SENT = "already-sent"  # it went out earlier, and nothing was sent now
    UNKNOWN = "unknown"  # nobody knows whether it is out


class NoProfile(InputRefused):
    """An agent who may send, but has no profile yet."""


class OldProfile(InputRefused):
    """An agent whose profile at X has another name than the roster by now."""


class Contents(Struct, frozen=True):
    """What a customer gets beside the agent's name and picture."""

    text: str
    attachment: str | None = None  # digest of the picture's bytes
    quick_replies: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


def require_sendable(agent: Agent, ledger_state: LedgerState, today: date) -> Binding:
    """Return the binding of an agent who may send today, whatever the message is.

    Raises:
        InputRefused: the agent was offboarded, its last day is over, or customers would see another name than the
            roster's.
        NoProfile: no profile is bound.
        OldProfile: customers would see another name than the roster's.
    """
    if agent.key in ledger_state.blocked:
        raise InputRefused(
            f"{agent.key} was offboarded: nobody can send as {agent.key}",
            hint=f"take the entry out of the roster; `profilectl offboard --undo {agent.key}` allows the agent again",
            rule="offboarded",
        )
    if agent.until is not None and agent.until < today:
        raise InputRefused(f"{agent.key} can't send: the last day was {agent.until.isoformat()}", rule="last day")
    if agent.starts is not None and agent.starts > today:
        raise InputRefused(f"{agent.key} can't send: the first day is {agent.starts.isoformat()}", rule="first day")
    binding = ledger_state.binding(agent.key)
    if binding is None:
        raise NoProfile(f"{agent.key} has no profile at brand {agent.brand} yet", hint="run `profilectl sync` first")
    if binding.name != agent.name and agent.withheld == "name":
        raise OldProfile(
            f"{agent.key}'s own name may not be shown any more: {describe_end(agent, today)}, "
            f'and X still shows "{visible(binding.name)}"',
            hint=f'run `profilectl sync` first: customers see "{visible(agent.name)}" then',
            rule="consent",
        )
    if binding.name != agent.name:
        raise OldProfile(
            f'{agent.key} is "{visible(agent.name)}" in the roster and still "{visible(binding.name)}" at X',
            hint="run `profilectl sync` first: the new name isn't at X yet",
        )
    return binding


def compose(agent: Agent, ledger_state: LedgerState, *, recipient_id: str, contents: Contents, today: date) -> Message:
    """Return the message with the agent's profile.

    Raises:
        InputRefused: see `require_sendable`; or the text is empty (with nothing attached), longer than `MAX_TEXT`, or
            holds what `characters.require_readable` refuses.
        NoProfile: no profile is bound.
    """
    require_text(contents)
    binding = require_sendable(agent, ledger_state, today)
    return _message(agent, recipient_id, contents, contents.text, binding.profile_id)


def compose_signed(agent: Agent, *, recipient_id: str, contents: Contents, sign_off: str) -> Message:
    """Return the message without a profile, with the name of who wrote it at the end of its text."""
    text = signed_text(contents, sign_off)
    require_text(replace(contents, text=text), f"; the sign-off {visible(sign_off)} is {len(sign_off) + 1} of them")
    return _message(agent, recipient_id, contents, text, None)


def signed_text(contents: Contents, sign_off: str) -> str:
    """Return the text as it goes out without a profile."""
    return f"{contents.text} {sign_off}".lstrip()


def require_text(contents: Contents, of_which: str = "") -> None:
    """Raise InputRefused where a text can't be sent; `of_which` says what of it wasn't written by the sender."""
    if not contents.text.strip() and contents.attachment is None:
        raise InputRefused("the message is empty")
    # A lone surrogate, as the shell hands over a byte that is no UTF-8; JSON would carry it to X as it is.
    if any("\ud800" <= character <= "\udfff" for character in contents.text):
        raise InputRefused("the message isn't UTF-8: it holds half a character")
    if len(contents.text) > MAX_TEXT:
        raise InputRefused(f"the message has {len(contents.text)} characters, at most {MAX_TEXT} fit{of_which}")
    require_readable(contents.text)


def _message(agent: Agent, recipient_id: str, contents: Contents, text: str, profile_id: str | None) -> Message:
    replies, links = contents.quick_replies, contents.links
    return Message(agent.key, agent.brand, recipient_id, text, profile_id, quick_replies=replies, links=links)


def fingerprint(message: Message, contents: Contents) -> str:
    """Return the digest of what makes two messages the same: who writes what to whom, with a profile or signed."""
    import json

    # Of the words as they were typed, without a sign-off: X's allowlist may open between two tries.
    links = [[link.label, link.url] for link in contents.links]
    words = [contents.text, contents.attachment, list(contents.quick_replies), links]
    plain = json.dumps([message.agent, message.recipient_id, *words])
    return digest_of_bytes(plain.encode())
