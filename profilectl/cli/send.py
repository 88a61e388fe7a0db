"""``send``: one Direct Message as an agent, and the proof that it carries the agent's face."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct
from msgspec.structs import replace

from profilectl.cli.context import Context
from profilectl.cli.message_input import find_editor, read_media, read_text
from profilectl.cli.messages.denials import denials_recorded
from profilectl.cli.messages.recipients import (
    LAST,
    check_recipient,
    unknown_explained,
)
from profilectl.cli.messages.review import draft_of, is_local, may_draw, review, show_on_stdout, words_before
from profilectl.cli.messages.writing import Writer
from profilectl.cli.options import argument, option
from profilectl.digests import digest_of_bytes
from profilectl.errors import Declined, InputRefused, UsageError
from profilectl.messaging.compose import Contents, SendStatus, require_text
from profilectl.messaging.drafts import Correspondence
from profilectl.messaging.identity import find_sender
from profilectl.messaging.private_names import require_privacy
from profilectl.messaging.send_rules import SendContext
from profilectl.messaging.sender import MessageSender, PreparedSend, SendResult
from profilectl.messaging.typing import Typing as SentTyping
from profilectl.model import Account, Agent, Brand, Link, Policy, Survey
from profilectl.plan import prices
from profilectl.render import json_documents
from profilectl.render.console import info, show_error, shown_name, told_when_slow
from profilectl.system.host import parent_program
from profilectl.text.escape import visible
from profilectl.text.ids import as_read

if TYPE_CHECKING:
    from profilectl.access.policy import Authority, Operator
    from profilectl.api.client import XClient
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.messaging.delivery import Receipt
    from profilectl.secret import Credentials

To = Annotated[str, option("--to ID|@HANDLE", "Who is written to; - for whom you wrote to last.")]
As = Annotated[str | None, option("--as AGENT", "Who speaks; else the one whose operators name you.")]
Text = Annotated[str | None, argument("TEXT", "The message; - reads stdin.")]
File = Annotated[Path | None, option("--file PATH", "Read the message from a file.")]
Edit = Annotated[bool, option("--edit", "Write the message in your editor, and go on with what wasn't sent.")]
Media = Annotated[Path | None, option("--media PATH", "Send a picture along: JPEG, PNG or GIF.")]
QuickReplies = Annotated[list[str] | None, option("--quick-reply LABEL", "An answer to tap; repeatable.")]
Buttons = Annotated[list[str] | None, option("--cta LABEL=URL", "A button that opens an address; repeatable.")]
Typing = Annotated[bool, option("--typing", "Let the customer see that somebody types: while you read it, or 2 s.")]
AskFor = Annotated[Survey | None, option("--ask", "Follow up with X's feedback card; it has an allowlist of its own.")]
Key = Annotated[str | None, option("--key KEY", "Send at most once under this key, for ever.")]
HumanWroteThis = Annotated[bool, option("--human-wrote-this", "A person wrote this message (recorded).")]
AllowPrivate = Annotated[bool, option("--allow-private", "Send although the text contains a private name.")]
Yes = Annotated[bool, option("--yes", "Send without asking.")]
DryRun = Annotated[bool, option("--dry-run", "Show what would be sent, and send nothing.")]

_LONGEST_KEY = 200  # code points


@denials_recorded
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

    Exit 0 means: X confirmed the agent's profile on the message. Exactly the same message of one agent to one person
    within five minutes is sent once: a repeat finds the first receipt. A new --key sends it again. What was written
    with --edit is kept until it is sent.
    """
    from profilectl.access.policy_file import current_operator

    recipient, key = check_recipient(to), _check_key(key)
    _refuse_contradiction(quick_reply, ask)
    if edit:
        find_editor(context)
    operator, authority = current_operator(), context.authority
    context.deeds.append("send")
    sender = find_sender(context.roster, agent, operator, authority, brands=context.brands(), prefer=context.meant)
    authority.require_operator(sender.agent, operator)  # before anything is read or typed in vain
    replies, buttons = _replies_and_buttons(quick_reply or (), cta or ())
    attachment = None if media is None else read_media(media)
    is_given = text is not None or file is not None
    # a picture may go out without words
    words = read_text(text, file, edits=edit) if is_given or not (edit or media) else ""
    contents = Contents(words, None if attachment is None else digest_of_bytes(attachment.content), replies, buttons)
    send_context = context_of(context, human_wrote_this=human_wrote_this, yes=yes)
    policy, known = policy_of(context), context.ledger_for_reading()
    message_sender = MessageSender(
        sender, operator.uid, contents, attachment, key, send_context, ask, policy, known, context.roster.moved
    )
    require_face(authority, operator, message_sender)
    recipient, handle = _whom(known, sender.brand, recipient, is_watched=edit or send_context.is_asked)
    request = _Request(context, message_sender, recipient, handle, typing, allow_private, yes)
    (_dry_run if dry_run else _send)(request, words if is_given else None, edits=edit)


def _whom(known: LedgerReader, brand: Brand, typed: str, *, is_watched: bool) -> tuple[str, str | None]:
    """Return the recipient's id or handle, and of an id the handle that the record has."""
    if typed != LAST and not is_watched:  # a script doesn't wait for a handle that nobody looks at
        return typed, None
    from profilectl.messaging.correspondence import known_handle, last_recipient  # reads the record

    return last_recipient(known, brand) if typed == LAST else (typed, known_handle(known, brand, typed))


def _refuse_contradiction(quick_reply: Sequence[str] | None, ask: Survey | None) -> None:
    """Raise UsageError for answers to tap in front of a feedback card, which hides them: only the newest can be."""
    if quick_reply and ask is not None:
        hint = "leave one of them out, or send the card later with a text of its own"
        raise UsageError("--quick-reply and --ask exclude each other: the card would hide the answers", hint=hint)


class _Request(Struct, frozen=True):
    """What was asked for: a message that may still have to be written, and how it is sent."""

    context: Context
    sender: MessageSender
    to: str  # an id or a handle
    handle: str | None  # of an id, where the record knows it
    typing: bool
    allow_private: bool
    yes: bool

    @property
    def is_asked(self) -> bool:
        """Whether a person sees the message before it leaves."""
        # Whoever starts it without a terminal has decided already; the rules about honesty hold there instead.
        return not self.yes and self.context.may_ask

    def writer(self) -> Writer:
        """Return what opens the editor on the message."""
        return Writer(self.context, self.sender.sender, self.to)

    def correspondence(self, account: Account | None, user_id: str) -> Correspondence:
        """Return who writes to whom, for the draft; the recipient by their id, whatever was typed."""
        brand = self.sender.sender.brand.key
        # Earlier versions kept a draft under what was typed, which may have been the handle that the record has.
        typed = dict.fromkeys((self.to, user_id, *(() if self.handle is None else (f"@{self.handle}",))))
        earlier = tuple((brand, name) for name in typed)
        key = brand if account is None else account.user_id
        return Correspondence(key, self.sender.sender.agent.key, user_id, self.shown(user_id), earlier)

    @contextmanager
    def told_when_slow(self) -> Iterator[None]:
        """Say what is waited for, on a terminal and after a second."""
        with told_when_slow(f"sending as {self.sender.sender.agent.name} …") as begin_count:
            begin_count()
            yield

    def with_text(self, text: str) -> _Request:
        """Return the same request for another text."""
        return replace(self, sender=replace(self.sender, contents=replace(self.sender.contents, text=text)))

    def require_privacy(self) -> None:
        """Ask about private names in the message, or refuse it: InputRefused, Declined."""
        contents = self.sender.contents
        links = (text for button in contents.links for text in (button.label, button.url))
        texts = (contents.text, *contents.quick_replies, *links)
        _keep_private(self.context, self.sender.sender.agent, texts, allowed=self.allow_private, yes=self.yes)

    def connect(self) -> tuple[XClient, Credentials]:
        """Return a client for the brand, and its credentials."""
        credentials = self.context.credentials(self.sender.sender.brand)
        # Beside a question the sign of typing is shown, and a reading that was given up may hold its connection.
        return self.context.client(credentials, jobs=3 if self.is_asked else 1), credentials

    def prepare(self) -> PreparedSend:
        """Ask X and the ledger for all that the message needs beside its text."""
        with unknown_explained(self.context, self.to):
            return self.sender.prepare(self.to, connect=self.connect, open_ledger=self.context.ledger_for_writing)

    def shown(self, user_id: str) -> str:
        """Return the recipient as people read them."""
        return as_read(user_id, self.to if self.to.startswith("@") else self.handle)


def context_of(context: Context, *, human_wrote_this: bool, yes: bool) -> SendContext:
    """Return how a message comes to be sent by this command."""
    return SendContext(
        context.may_ask,
        human_wrote_this=human_wrote_this,
        is_asked=context.may_ask and not yes,
        parent=parent_program(),
        roster=context.roster.text,
        cannot_ask="" if context.may_ask else context.cannot_ask,
    )


def require_face(authority: Authority, operator: Operator, message_sender: MessageSender) -> None:
    """Refuse a face that the policy gives to others; warn where it goes by keys, which a roster may give to others."""
    binding = message_sender.ledger_state.binding(message_sender.sender.agent.key)
    authority.require_face(operator, message_sender.account, binding, message_sender.sender.brand.handle)
    if authority.trusts_keys:
        hint = "pin the roster there, or name accounts and profiles"
        info(f"warning: {authority.file} names agents by key, and every roster gives the keys as it likes: {hint}")


def _send(request: _Request, words: str | None, *, edits: bool) -> None:
    """Send a message, written first where it is edited; `words` are those that were given."""
    writer = request.writer()
    with writer.kept():
        with nullcontext() if edits or request.is_asked else request.told_when_slow():
            request, prepared = _prepared(request, writer, words, edits=edits)
            result = _result(request, prepared, writer)
        _report(request, prepared, result, writer)


def _prepared(request: _Request, writer: Writer, words: str | None, *, edits: bool) -> tuple[_Request, PreparedSend]:
    """Return the request with its text; what can be refused without the text is refused before an editor opens."""
    if not edits:
        request.require_privacy()
        request.sender.compose(request.to)  # offline first: it costs nothing
        return request, request.prepare()
    if words is not None:
        require_text(request.sender.contents)
    request.sender.require_sendable()
    prepared = request.prepare()
    correspondence = request.correspondence(prepared.account, prepared.recipient_id)
    request = request.with_text(writer.write(words, correspondence))
    request.require_privacy()
    return request, prepared


def _result(request: _Request, prepared: PreparedSend, writer: Writer) -> SendResult:
    """Send the message, once a person has agreed to it, who may edit it as often as they like."""
    recipient, before, typing = request.shown(prepared.recipient_id), None, SentTyping() if request.typing else None
    while True:
        message = request.sender.compose_for(prepared)
        if not request.is_asked:
            return request.sender.deliver(prepared, message, typing=typing)
        if (repeat := request.sender.find_repeat(prepared, message)) is not None:
            return repeat
        before = words_before(request.context, prepared, recipient) if before is None else before
        answer, sign = review(
            request.context, request.sender, prepared, message, recipient, before, typing=request.typing
        )
        if answer == "y":
            with request.told_when_slow():
                return request.sender.deliver(prepared, message, typing=None if sign is None else sign.remaining)
        if answer == "n":
            raise Declined("Not sent.")
        try:
            correspondence = request.correspondence(prepared.account, prepared.recipient_id)
            request = request.with_text(writer.write(request.sender.contents.text, correspondence))
        except UsageError as error:  # no editor: the question is asked again
            show_error(error)
        request.require_privacy()


def _report(request: _Request, prepared: PreparedSend, result: SendResult, writer: Writer) -> None:
    """Show what became of a message, and end with its error where there is one."""
    context = request.context
    for warning in result.warnings:
        info(warning)
    if result.card is not None and not context.is_quiet:
        info(f"asked for feedback ({result.card})")
    recipient = request.shown(prepared.recipient_id)
    lines = [] if result.receipt is None else [_receipt_line(result.receipt, request.sender, recipient)]
    if result.receipt is not None:
        writer.sent()
    context.output.show(_document(result), lines=lines)
    if result.receipt is not None and result.receipt.is_repeat and request.is_asked and not context.is_quiet:
        info(_why_not_again(request.sender))
    if result.error is not None:
        show_error(result.error)
        raise typer.Exit(result.error.exit_code)


def _why_not_again(message_sender: MessageSender) -> str:
    if message_sender.key is not None:
        return f"Nothing was sent now: this message went out earlier under the key {message_sender.key}."
    agent = message_sender.sender.agent.key
    return (
        f"Nothing was sent now: {agent} sent exactly this message to the same person less than five minutes ago. "
        "Add --key with a word of your choice to send it again."
    )


def _dry_run(request: _Request, words: str | None, *, edits: bool) -> None:
    """Show everything that would be sent, and on stderr what would stop the real run."""
    writer = request.writer()
    if edits:
        request.sender.require_sendable()
    request.sender.card_question(request.to)
    user_id = request.to
    if request.to.startswith("@"):
        client, _ = request.connect()
        with unknown_explained(request.context, request.to):
            user_id = client.find_user(request.to[1:])
    with writer.kept():
        if edits:
            request = request.with_text(writer.write(words, request.correspondence(request.sender.account, user_id)))
        request.require_privacy()
        message = request.sender.foresee(request.sender.compose(user_id))
        profile = f"profile {message.profile_id}" if message.profile_id else "under the brand, signed off"
        count = len(message.text)
        what = f"would send {count:,} character{'' if count == 1 else 's'} to {request.shown(user_id)}"
        sentence = f"{what} as {message.agent} ({message.brand}, {profile})"
        output = replace(request.context.output, is_quiet=False)  # this is what was asked for, not a confirmation
        cost = prices.cost_of(
            {"dm": 1, "upload": 0 if request.sender.attachment is None else 1}, request.context.prices
        )
        document = json_documents.send(message, user_id, status=SendStatus.DRY_RUN, cost=prices.to_document(cost))
        output.show(document, lines=[sentence])
        if not output.wants_json:
            shown_to = request.shown(user_id)
            show_on_stdout(draft_of(request.context, request.sender, message, shown_to, plain=not may_draw()))
            if request.context.may_ask:  # there the real run shows it
                request.context.remark("A dry run doesn't read what the customer wrote last: that costs a call to X.")
        if cost.amount is not None:
            request.context.remark(prices.describe(cost))
        try:
            request.sender.require_honesty(request.to)
        except InputRefused as error:
            info(f"without --dry-run this would be refused: {error.message.removeprefix('not sent: ')}")
    writer.remind()


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


def _receipt_line(receipt: Receipt, message_sender: MessageSender, recipient: str) -> str:
    """Return what was sent, and under which name the customer sees it."""
    message, binding = receipt.message, message_sender.ledger_state.binding(receipt.message.agent)
    sent = f"{'already sent' if receipt.is_repeat else 'sent'} to {recipient}"
    if binding is None or message.profile_id is None:
        signed = f"under @{message_sender.sender.brand.handle}, signed {visible('^' + message.text.rpartition('^')[2])}"
        when = "yet" if binding is None else "at present"
        return f"{sent} {signed}, event {receipt.event_id}: X doesn't show {message.agent}'s face {when}"
    # A repeat went out with the profile of then, which a sync may have replaced since.
    is_current = binding.profile_id == message.profile_id
    shown = shown_name(binding.name, sys.stdout) if is_current else f"then profile {message.profile_id}"
    return f"{sent} as {message.agent} ({shown}), event {receipt.event_id}, identity confirmed by X"


def policy_of(context: Context) -> Policy:
    """Return the roster's policy, with the local X's own customer among its test recipients."""
    from profilectl.cli.local_sandbox import CUSTOMER

    policy = context.roster.policy
    if not is_local(context):
        return policy
    return replace(policy, test_recipients=(*policy.test_recipients, f"@{CUSTOMER}"))


def _keep_private(context: Context, agent: Agent, texts: tuple[str, ...], *, allowed: bool, yes: bool) -> None:
    try:
        require_privacy(agent, context.roster.agents_of(agent.brand), texts)
    except InputRefused as error:
        if not allowed:
            raise
        from profilectl.cli.prompts import require_consent  # few messages name anybody in private

        require_consent(context, f"{error.message}. Send it all the same?", "sent", yes=yes)


def _replies_and_buttons(labels: Sequence[str], addresses: Sequence[str]) -> tuple[tuple[str, ...], tuple[Link, ...]]:
    if not labels and not addresses:
        return (), ()
    from profilectl.messaging.content import links, quick_replies  # compiles what a plain message doesn't need

    return quick_replies(labels), links(addresses)


def _check_key(key: str | None) -> str | None:
    # Keys that begin with auto: are made of a message's words, and stand for five minutes only.
    if key is not None and (
        not key.strip() or len(key) > _LONGEST_KEY or visible(key) != key or key.startswith("auto:")
    ):
        raise UsageError(f"--key takes 1 to {_LONGEST_KEY} characters that can be seen, and doesn't begin with auto:")
    return key
