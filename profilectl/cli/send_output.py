"""What a ``send`` tells: what would go out, what went out, and what X confirmed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from profilectl.render.console import console, info, out
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.cli.context import Context
    from profilectl.errors import ProfilectlError
    from profilectl.messaging.delivery import Receipt
    from profilectl.messaging.identity import Speaker
    from profilectl.model import Binding, Message
    from profilectl.render import documents
    from profilectl.render.bubble import Enclosure


def show_dry_run(context: Context, message: Message) -> None:
    """Say what would be sent."""
    if context.wants_json:
        from profilectl.render import documents

        known = None if message.recipient_id.startswith("@") else message.recipient_id
        out(documents.dump(documents.send(message, known, status="dry-run")))
        return
    face = f"profile {message.profile_id}" if message.profile_id else "under the brand, signed off"
    out(
        f"would send {len(message.text)} characters to {message.recipient_id} "
        f"as {message.agent} ({message.brand}, {face})"
    )


def receipt_document(receipt: Receipt, error: ProfilectlError | None = None) -> documents.Document:
    """Return the document of a message that X has, and of what went wrong after it."""
    from profilectl.render import documents

    return documents.send(
        receipt.message,
        receipt.message.recipient_id,
        status="already-sent" if receipt.is_repeat else "sent",
        event_id=receipt.event_id,
        verified=receipt.confirmed,
        error=error,
    )


def show_receipt(context: Context, receipt: Receipt, speaker: Speaker, binding: Binding | None) -> None:
    """Say what was sent, and under which name the customer sees it."""
    message = receipt.message
    if context.wants_json:
        from profilectl.render import documents

        out(documents.dump(receipt_document(receipt)))
        return
    if context.is_quiet:
        return
    verb = "already sent" if receipt.is_repeat else "sent"
    if binding is None or message.profile_id is None:
        signature = "^" + message.text.rpartition("^")[2]
        out(
            f"{verb} to {message.recipient_id} under @{speaker.brand.handle}, signed {visible(signature)}, "
            f"event {receipt.event_id}: X doesn't show {message.agent}'s face yet"
        )
        return
    face = visible(binding.name) if binding.profile_id == message.profile_id else f"then profile {message.profile_id}"
    out(
        f"{verb} to {message.recipient_id} as {message.agent} ({face}), "
        f"event {receipt.event_id}, identity confirmed by X"
    )


def show_draft(context: Context, message: Message, speaker: Speaker, enclosure: Enclosure | None) -> None:
    """Draw the bubble on stderr as the customer will see it, with everything that goes along."""
    from profilectl.render.bubble import Face, draft_bubble, plain_draft

    agent = speaker.agent
    picture = context.inspect_pictures([agent])[agent.avatar]
    prepared = context.prepare_pictures([picture])[picture.digest] if message.profile_id is not None else None
    face = Face(
        agent.key,
        agent.name if message.profile_id is not None else speaker.brand.handle,
        agent.kind.value,
        speaker.brand.handle,
        None if prepared is None else prepared.content,
        None if prepared is None else prepared.media_type,
        message.text,
    )
    screen = console(sys.stderr)
    replies, links = message.quick_replies, message.links
    if screen.color_system is not None:
        drawn = draft_bubble(
            face, message.recipient_id, screen.width, enclosure=enclosure, quick_replies=replies, links=links
        )
        screen.print(drawn)
        return
    plain = plain_draft(face, message.recipient_id, enclosure=enclosure, quick_replies=replies, links=links)
    for line in plain.splitlines():
        info(line)
