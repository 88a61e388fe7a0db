"""``send``: one Direct Message as an agent, and the proof that it carries the agent's face."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from profilectl.cli.context import Context
from profilectl.cli.message_input import read_media, read_text
from profilectl.cli.options import argument, option
from profilectl.cli.prompts import require_consent
from profilectl.digests import digest_of_bytes
from profilectl.errors import InputRefused, UsageError
from profilectl.messaging.compose import Contents, SendStatus
from profilectl.messaging.identity import find_sender
from profilectl.messaging.private_names import require_privacy
from profilectl.messaging.send_rules import SendContext
from profilectl.messaging.sender import MessageSender
from profilectl.model import Agent, Link, Message, Policy, Survey
from profilectl.plan import prices
from profilectl.render import json_documents
from profilectl.render.console import console, info, show_error
from profilectl.system.host import parent_program
from profilectl.text.escape import visible
from profilectl.text.ids import is_id

if TYPE_CHECKING:
    from profilectl.access.policy import Authority, Operator
    from profilectl.api.client import XClient
    from profilectl.messaging.delivery import Receipt
    from profilectl.messaging.sender import SendResult
    from profilectl.secret import Credentials

To = Annotated[str, option("--to ID|@HANDLE", "Who is written to.")]
As = Annotated[str | None, option("--as AGENT", "Who speaks; else the one whose operators name you.")]
Text = Annotated[str | None, argument("TEXT", "The message; - reads stdin.")]
File = Annotated[Path | None, option("--file PATH", "Read the message from a file.")]
Edit = Annotated[bool, option("--edit", "Write the message in your editor.")]
Media = Annotated[Path | None, option("--media PATH", "Send a picture along: JPEG, PNG or GIF.")]
QuickReplies = Annotated[list[str] | None, option("--quick-reply LABEL", "An answer to tap; repeatable.")]
Buttons = Annotated[list[str] | None, option("--cta LABEL=URL", "A button that opens an address; repeatable.")]
Typing = Annotated[bool, option("--typing", "Show the customer that somebody types, first.")]
AskFor = Annotated[Survey | None, option("--ask", "Follow up with X's feedback card; it has an allowlist of its own.")]
Key = Annotated[str | None, option("--key KEY", "Send at most once under this key, for ever.")]
HumanWroteThis = Annotated[bool, option("--human-wrote-this", "Vouch that a person wrote what a script sends.")]
AllowPrivate = Annotated[bool, option("--allow-private", "Agree to a name that the public name keeps private.")]
Yes = Annotated[bool, option("--yes", "Send without asking.")]
DryRun = Annotated[bool, option("--dry-run", "Show what would be sent, and send nothing.")]

_LONGEST_KEY = 200  # code points


def send(
    context: Context,
    to: To,
    agent: As = None,
    text: Text = None,
    file: File = None,
    edit: Edit = False,
    media: Media = None,
    quick_reply: QuickReplies = None,
    cta: Buttons = None,
    typing: Typing = False,
    ask: AskFor = None,
    key: Key = None,
    human_wrote_this: HumanWroteThis = False,
    allow_private: AllowPrivate = False,
    yes: Yes = False,
    dry_run: DryRun = False,
) -> None:
    """Send one Direct Message as an agent.

    It counts as sent only when X confirms that it carries the agent's profile. The same words to the same person
    within five minutes are one message: a repeat finds the first receipt, and sends nothing.
    """
    from profilectl.access.policy_file import current_operator

    recipient, key = check_recipient(to), _check_key(key)
    operator, authority = current_operator(), context.authority
    context.deeds.append("send")
    sender = find_sender(context.roster, agent, operator, authority, brands=context.brands(), prefer=context.meant)
    authority.require_operator(sender.agent, operator)  # before anything is read or typed in vain
    replies, buttons = _replies_and_buttons(quick_reply or (), cta or ())
    attachment = None if media is None else read_media(media)
    has_text = media is None or text is not None or file is not None or edit  # a picture may go out without one
    about = f"To {to}, as {sender.agent.key} ({sender.agent.name})"
    words = read_text(text, file, edit, context, about=about) if has_text else ""
    texts = (words, *replies, *(text for button in buttons for text in (button.label, button.url)))
    _keep_private(context, sender.agent, texts, allowed=allow_private, yes=yes)
    contents = Contents(words, None if attachment is None else digest_of_bytes(attachment.content), replies, buttons)
    send_context = context_of(context, human_wrote_this=human_wrote_this, yes=yes)
    policy, known = policy_of(context), context.ledger_for_reading()
    message_sender = MessageSender(sender, operator.uid, contents, attachment, key, send_context, ask, policy, known)
    require_face(authority, operator, message_sender)
    message = message_sender.compose(recipient)
    if dry_run:
        _show_dry_run(context, message_sender, message_sender.foresee(message))
    else:
        _send(context, message_sender, message, typing=typing, yes=yes)


def context_of(context: Context, *, human_wrote_this: bool, yes: bool) -> SendContext:
    """Return how a message comes to be sent by this command."""
    return SendContext(
        context.may_ask,
        human_wrote_this=human_wrote_this,
        is_asked=context.may_ask and not yes,
        parent=parent_program(),
        roster=digest_of_bytes(context.roster.text.encode("utf-8", "surrogatepass")),
    )


def require_face(authority: Authority, operator: Operator, message_sender: MessageSender) -> None:
    """Refuse a face that the policy gives to others; warn where it goes by keys, which a roster may give to others."""
    binding = message_sender.ledger_state.binding(message_sender.sender.agent.key)
    authority.require_face(operator, message_sender.account, binding, message_sender.sender.brand.handle)
    if authority.trusts_keys:
        hint = "pin the roster there, or name accounts and profiles"
        info(f"warning: {authority.file} names agents by key, and every roster gives the keys as it likes: {hint}")


def _send(context: Context, message_sender: MessageSender, message: Message, *, typing: bool, yes: bool) -> None:

    def connect() -> tuple[XClient, Credentials]:
        credentials = context.credentials(message_sender.sender.brand)
        return context.client(credentials), credentials

    def confirm(ready: Message) -> None:
        # Whoever starts it without a terminal has decided already; the rules about honesty hold there instead.
        if not yes and context.may_ask:
            _show_draft(context, ready, message_sender)
            require_consent(context, "Send it?", "sent", yes=False)

    result = message_sender.send(
        message, connect=connect, open_ledger=context.ledger_for_writing, confirm=confirm, typing=typing
    )
    for warning in result.warnings:
        info(warning)
    if result.card is not None and not context.is_quiet:
        info(f"asked for feedback ({result.card})")
    lines = [] if result.receipt is None else [_receipt_line(result.receipt, message_sender)]
    context.output.show(_document(result), lines=lines)
    if result.error is not None:
        show_error(result.error)
        raise typer.Exit(result.error.exit_code)


def _show_dry_run(context: Context, message_sender: MessageSender, message: Message) -> None:
    """Show what would be sent, and on stderr what would stop the real run."""
    known = None if message.recipient_id.startswith("@") else message.recipient_id
    profile = f"profile {message.profile_id}" if message.profile_id else "under the brand, signed off"
    identity = f"{message.agent} ({message.brand}, {profile})"
    sentence = f"would send {len(message.text)} characters to {message.recipient_id} as {identity}"
    output = replace(context.output, is_quiet=False)  # this is what was asked for, not a confirmation
    calls = {"dm": 1, "upload": 0 if message_sender.attachment is None else 1}
    cost = prices.cost_of(calls, context.prices)
    document = json_documents.send(message, known, status=SendStatus.DRY_RUN, cost=prices.to_document(cost))
    output.show(document, lines=[sentence])
    context.remark(prices.describe(cost))
    try:
        message_sender.require_honesty(message)
    except InputRefused as error:
        info(f"without --dry-run this would be refused: {error.message}")


def _document(result: SendResult) -> json_documents.Document:
    receipt = result.receipt
    return json_documents.send(
        result.message,
        result.message.recipient_id,
        status=result.status,
        event_id=None if receipt is None else receipt.event_id,
        verified=receipt is not None and receipt.confirmed,
        error=result.error,
    )


def _receipt_line(receipt: Receipt, message_sender: MessageSender) -> str:
    """Return what was sent, and under which name the customer sees it."""
    message, binding = receipt.message, message_sender.ledger_state.binding(receipt.message.agent)
    sent = f"{'already sent' if receipt.is_repeat else 'sent'} to {message.recipient_id}"
    if binding is None or message.profile_id is None:
        signed = f"under @{message_sender.sender.brand.handle}, signed {visible('^' + message.text.rpartition('^')[2])}"
        when = "yet" if binding is None else "at present"
        return f"{sent} {signed}, event {receipt.event_id}: X doesn't show {message.agent}'s face {when}"
    # A repeat went out with the profile of then, which a sync may have replaced since.
    shown = visible(binding.name) if binding.profile_id == message.profile_id else f"then profile {message.profile_id}"
    return f"{sent} as {message.agent} ({shown}), event {receipt.event_id}, identity confirmed by X"


def _show_draft(context: Context, message: Message, message_sender: MessageSender) -> None:
    """Draw the message on stderr as the customer will see it, with everything that goes along."""
    from profilectl.render.bubble import AgentCard, Draft, draft_bubble, plain_draft

    agent, handle = message_sender.sender.agent, message_sender.sender.brand.handle
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
    draft = Draft(card, message.recipient_id, message_sender.attachment, message.quick_replies, message.links)
    screen = console(sys.stderr)  # stdout is for the receipt alone
    if screen.color_system is not None:
        screen.print(draft_bubble(draft, screen.width))
        return
    for line in plain_draft(draft).splitlines():
        info(line)


def policy_of(context: Context) -> Policy:
    """Return the roster's policy, with the local X's own customer among its test recipients."""
    from profilectl.api.urls import parse_address
    from profilectl.cli.local_sandbox import CUSTOMER

    policy = context.roster.policy
    # `sandbox serve` is the local X, too; an address that isn't loopback might be the real one under another name.
    if not (context.uses_sandbox or parse_address(context.api_url).is_loopback):
        return policy
    return replace(policy, test_recipients=(*policy.test_recipients, f"@{CUSTOMER}"))


def _keep_private(context: Context, agent: Agent, texts: tuple[str, ...], *, allowed: bool, yes: bool) -> None:
    try:
        require_privacy(agent, context.roster.agents_of(agent.brand), texts)
    except InputRefused as error:
        if not allowed:
            raise
        require_consent(context, f"{error.message}. Send it all the same?", "sent", yes=yes)


def _replies_and_buttons(labels: Sequence[str], addresses: Sequence[str]) -> tuple[tuple[str, ...], tuple[Link, ...]]:
    if not labels and not addresses:
        return (), ()
    from profilectl.messaging.content import links, quick_replies  # compiles what a plain message doesn't need

    return quick_replies(labels), links(addresses)


def check_recipient(to: str) -> str:
    """Return the value of ``--to``; UsageError when it is neither an id nor a handle."""
    handle = to.removeprefix("@")
    if is_id(to):
        return to
    # isascii() as well, because isalnum() takes the letters of every script.
    if to.startswith("@") and handle.isascii() and handle.replace("_", "").isalnum() and len(handle) <= 15:
        return to
    raise UsageError(f"--to takes an id (digits, the first of which isn't 0) or a @handle, not {visible(to)}")


def _check_key(key: str | None) -> str | None:
    # Keys that begin with auto: are made of a message's words, and stand for five minutes only.
    if key is not None and (
        not key.strip() or len(key) > _LONGEST_KEY or visible(key) != key or key.startswith("auto:")
    ):
        raise UsageError(f"--key takes 1 to {_LONGEST_KEY} characters that can be seen, and doesn't begin with auto:")
    return key
