"""What a person sees of a message before it leaves, and what they are asked."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from msgspec import json

from profilectl.errors import RemoteError
from profilectl.messaging.typing import TypingSign, shown_typing
from profilectl.render.console import console, draw, draw_aside, info, is_terminal, out, shown_name
from profilectl.system.cache import cache_file, read_cache, write_cache
from profilectl.system.threads import run_with_deadline
from profilectl.text.escape import visible
from profilectl.text.names import as_compared

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from profilectl.cli.context import Context
    from profilectl.messaging.reading import Reading
    from profilectl.messaging.sender import MessageSender, PreparedSend
    from profilectl.model import Message
    from profilectl.render.bubbles.bubble import Draft

_LONGEST_WORDS = 240  # characters of what the customer wrote
_PATIENCE = 3.0  # seconds that a person waits for what the customer wrote; the draft is shown without it then
_LARGEST_CACHE = 4096  # bytes


def review(
    context: Context,
    sender: MessageSender,
    prepared: PreparedSend,
    message: Message,
    recipient: str,
    before: tuple[tuple[str, ...], ...],
    *,
    typing: bool,
) -> tuple[str, TypingSign | None]:
    """Show a message as the customer will see it, and ask; return the answer (y, n, e) and what became of the sign.

    Args:
        context: whose terminal it is.
        sender: of the message.
        prepared: what it was prepared for.
        message: as it will leave.
        recipient: as people read it.
        before: the customer's last words and who answered, see `words_before`.
        typing: the customer sees that somebody types, for as long as it is read.
    """
    from profilectl.cli.prompts import confirm_or_edit  # most messages are sent by scripts

    sign: AbstractContextManager[TypingSign | None] = (
        shown_typing(prepared.client, prepared.recipient_id) if typing else nullcontext()
    )
    with sign as shown:
        _show(draft_of(context, sender, message, recipient, before))
        face = _face(context, sender, message)
        where = " on the local X" if is_local(context) else ""
        return confirm_or_edit(f"Send as {face} to {recipient.partition(' (')[0]}{where}?"), shown


def is_local(context: Context) -> bool:
    """Say whether X is the local one, in this process or served on this machine."""
    from profilectl.api.urls import parse_address

    # An address that isn't loopback might be the real one under another name.
    return context.uses_sandbox or parse_address(context.api_url).is_loopback


def draft_of(
    context: Context,
    sender: MessageSender,
    message: Message,
    recipient: str,
    before: tuple[tuple[str, ...], ...] = (),
    *,
    plain: bool = False,
) -> Draft:
    """Return everything that will go out; a `plain` one has no picture, which takes time to open."""
    from profilectl.render.bubbles.bubble import AgentCard, Draft

    agent, handle = sender.sender.agent, sender.sender.brand.handle
    prepared = None
    if not plain:
        # Read even where it isn't shown: a roster with a bad picture is refused before anything is sent.
        picture = context.inspect_pictures([agent])[agent.avatar]
        prepared = context.prepare_pictures([picture])[picture.digest] if message.profile_id is not None else None
    card = AgentCard(
        agent.key,
        agent.name if message.profile_id is not None else handle,
        agent.kind.value,
        handle,
        None if prepared is None else prepared.content,
        None if prepared is None else prepared.media_type,
        message.text,
    )
    return Draft(card, recipient, sender.attachment, message.quick_replies, message.links, sender.survey, before)


def may_draw() -> bool:
    """Say whether stdout is a terminal with colours to draw with."""
    # Rich, which knows the terminal, isn't loaded for a pipe.
    return is_terminal(sys.stdout) and console(sys.stdout).color_system is not None


def show_on_stdout(draft: Draft) -> None:
    """Show everything that would go out, as a result."""
    from profilectl.render.bubbles.bubble import draft_bubble, plain_draft

    if not may_draw():
        for line in plain_draft(draft).splitlines():
            out(line)
    else:
        draw(draft_bubble(draft, console(sys.stdout).width))


def words_before(context: Context, prepared: PreparedSend, recipient: str) -> tuple[tuple[str, ...], ...]:
    """Return what the customer wrote last and who has answered since, or why it isn't shown: lines of several parts.

    It takes one of the 15 pages that X lets the account read in a quarter of an hour, and none where few are left.
    """
    from profilectl.messaging.reading import gather, may_read
    from profilectl.render.conversations import clock

    name, client = recipient.partition(" (")[0], prepared.client
    cache = cache_file(
        f"{context.api_host if not context.uses_sandbox else context.sandbox_folder.absolute()}", "reads"
    )
    known = _known(cache, prepared.account.user_id)
    if not may_read(known, client.now_ms()):
        again = clock(known["again_ms"])
        return ((f"{name}'s last words aren't shown: few readings of the messages are left until {again}",),)
    try:
        reading = run_with_deadline(_PATIENCE, lambda: gather(client.event_pages(1)))
    except TimeoutError:
        return ((f"{name}'s last words aren't shown: X didn't list the messages within {_PATIENCE:.0f} s",),)
    except RemoteError as error:  # they are a help, and the message doesn't depend on them
        when = "" if error.retry_at is None else f"; again after {error.retry_at.astimezone():%H:%M}"
        return ((f"{name}'s last words can't be read: {error.message}{when}",),)
    if reading.allowance is not None:
        _remember(cache, prepared.account.user_id, reading.allowance.left, reading.allowance.again_ms)
    return (_words(reading, prepared.recipient_id, name), *_answer(reading, prepared, name))


def _words(reading: Reading, customer: str, name: str) -> tuple[str, ...]:
    """Return what a customer wrote last, or that there is nothing: a line in parts."""
    from profilectl.messaging.reading import last_words
    from profilectl.render.conversations import clock

    words = last_words(reading.messages, customer)
    if words is None:
        since = "in the last 30 days" if reading.since_ms == 0 else f"among the newest {len(reading.messages)} messages"
        return (f"{name} has written nothing {since}",)
    text = " ".join(words.text.split()) or ("a picture" if words.has_attachment else "nothing that can be shown")
    shortened = text if len(text) <= _LONGEST_WORDS else f"{text[:_LONGEST_WORDS]}…"
    return name, f", {clock(words.created_ms)}: ", shortened


def _answer(reading: Reading, prepared: PreparedSend, name: str) -> tuple[tuple[str, ...], ...]:
    """Return in a line who of the brand has written to a customer after their last words, nothing where nobody has."""
    from profilectl.audit.queries import faces_of
    from profilectl.messaging.reading import last_answer, last_words
    from profilectl.render.conversations import clock

    user_id, customer = prepared.account.user_id, prepared.recipient_id
    answer = last_answer(reading.messages, user_id, customer)
    if answer is None:
        return ()
    names = {binding.profile_id: binding.name for binding in prepared.ledger.state_of(user_id).bindings}
    if answer.profile_id is not None and answer.profile_id not in names:  # one of before, which only the record has
        names = {face.profile_id: face.name or "" for face in faces_of(prepared.ledger, user_id)}
    face = names.get(answer.profile_id or "") or "the brand"
    has_asked = last_words(reading.messages, customer) is not None
    return ((face, f" {'answered' if has_asked else f'wrote to {name}'} at {clock(answer.created_ms)}"),)


def _show(draft: Draft) -> None:
    from profilectl.render.bubbles.bubble import draft_bubble, plain_draft

    screen = console(sys.stderr)  # stdout is for the receipt alone
    if screen.color_system is not None:
        draw_aside(draft_bubble(draft, screen.width))
        return
    for line in plain_draft(draft).splitlines():
        info(line)


def _face(context: Context, sender: MessageSender, message: Message) -> str:
    """Return under which name the customer sees a message, with the agent's key where another agent has that name."""
    agent, brand = sender.sender.agent, sender.sender.brand
    if message.profile_id is not None:
        names = [as_compared(other.name) for other in context.roster.agents_of(brand.key)]
        whose = f" ({agent.key})" if names.count(as_compared(agent.name)) > 1 else ""
        return f"{shown_name(agent.name, sys.stderr)}{whose}"
    return f"@{visible(brand.handle)}, signed {visible('^' + message.text.rpartition('^')[2])},"


def _known(cache: str, user_id: str) -> dict[str, int]:
    try:
        accounts: Any = json.decode(read_cache(cache, _LARGEST_CACHE) or b"{}")
        left, again_ms = accounts[user_id]
        return {"left": int(left), "again_ms": int(again_ms)}
    except (ValueError, KeyError, TypeError):
        return {}


def _remember(cache: str, user_id: str, left: int, again_ms: int) -> None:
    write_cache(cache, json.encode({user_id: [left, again_ms]}))
