"""``doctor --face-check``: one message to a test account, and what a person sees beside it in X's apps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec.structs import replace

from profilectl.cli.messages.denials import denial_recorded
from profilectl.cli.messages.recipients import check_recipient
from profilectl.cli.prompts import ask_line
from profilectl.cli.send import context_of, policy_of, require_face
from profilectl.cli.terminal_input import discard_typed
from profilectl.doctor.face_check import APPS, SEEN, answer_of, describe, question
from profilectl.errors import Declined, InputRefused, UsageError
from profilectl.messaging.compose import Contents
from profilectl.messaging.identity import Sender, find_sender
from profilectl.messaging.sender import MessageSender
from profilectl.model import Detail, Event
from profilectl.plan.moves import follow
from profilectl.render.console import info
from profilectl.system.host import now_ms
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.access.policy import Authority, Operator
    from profilectl.api.client import XClient
    from profilectl.cli.context import Context
    from profilectl.messaging.sender import SendResult
    from profilectl.model import Agent, Policy
    from profilectl.secret import Credentials


def check_face(context: Context, to: str | None, agent: str | None) -> str:
    """Send one message to a test recipient, ask what a person sees, record the answers, and return them in a line.

    Raises:
        UsageError: nobody is there to look, or the recipient is missing.
        InputRefused: it is no test recipient, or no agent has a profile.
        Declined: no app was looked at, so nothing was recorded; the message is out.
        ProfilectlError: as for a message, see `MessageSender.send`.
    """
    if to is None:
        raise UsageError("--face-check needs --to: whom the message goes to", hint="--to @YOUR_TEST_ACCOUNT")
    if context.wants_json or not context.may_ask:
        what = "--face-check needs a person at a terminal, who looks into X's apps and tells what is there"
        raise UsageError(what, hint="run it on a terminal, without --json and --no-input")
    recipient, policy = check_recipient(to), policy_of(context)
    if recipient.casefold() not in {tester.casefold() for tester in policy.test_recipients}:
        hint = f'write it into the roster first: test_recipients = ["{visible(to)}"] in [policy]'
        raise InputRefused(
            f"{visible(to)} is no test recipient, and a customer isn't written to for a check", hint=hint
        )
    with denial_recorded(context, agent, recipient):
        message_sender = _message_sender(context, policy, agent)
        result = _send(context, message_sender, recipient)
    if result.error is not None or result.receipt is None:
        raise result.error or Declined("nothing was recorded")
    speaker = message_sender.sender.agent
    info(f'sent to {recipient} as {speaker.key} ("{visible(speaker.name)}"); open it in each app that you have')
    return _record(context, message_sender, result, _ask())


def _message_sender(context: Context, policy: Policy, agent: str | None) -> MessageSender:
    from profilectl.access.policy_file import current_operator

    operator, authority = current_operator(), context.authority
    sender = _sender(context, agent, operator, authority)
    authority.require_operator(sender.agent, operator)
    send_context = replace(context_of(context, human_wrote_this=True, yes=True), is_test=True)
    known = context.ledger_for_reading()
    contents = Contents(_text(now_ms()))
    message_sender = MessageSender(
        sender, operator.uid, contents, None, None, send_context, None, policy, known, context.roster.moved
    )
    require_face(authority, operator, message_sender)
    return message_sender


def _sender(context: Context, agent: str | None, operator: Operator, authority: Authority) -> Sender:
    """Return the agent who was named, else the first of the brand whose profile the user may send with."""
    if agent is not None:
        return find_sender(context.roster, agent, operator, authority, brands=context.brands(), prefer=context.meant)
    [brand, *others] = context.meant(context.brands())
    if others:
        raise UsageError("the roster has several brands", hint="--brand says which one's face is looked at")
    ledger = context.ledger_for_reading()
    account = ledger.account_of(brand.key)
    state = follow(ledger.state_of("" if account is None else account.user_id), context.roster.moved).state
    for candidate in context.roster.agents_of(brand.key):
        binding = state.binding(candidate.key)
        if binding is not None and binding.name == candidate.name and _may_send(authority, candidate, operator):
            return Sender(candidate, brand)
    raise InputRefused(
        f"no agent of {brand.key} has a profile that you may send with", hint="run `profilectl sync` first"
    )


def _may_send(authority: Authority, agent: Agent, operator: Operator) -> bool:
    try:
        authority.require_operator(agent, operator)
    except InputRefused:
        return False
    return True


def _send(context: Context, message_sender: MessageSender, recipient: str) -> SendResult:
    def connect() -> tuple[XClient, Credentials]:
        credentials = context.credentials(message_sender.sender.brand)
        return context.client(credentials), credentials

    message_sender.compose(recipient)  # offline first: it costs nothing
    prepared = message_sender.prepare(recipient, connect=connect, open_ledger=context.ledger_for_writing)
    if not prepared.has_profile:
        raise InputRefused("nothing was sent: X allows no profiles at present, so there is no face to look at")
    return message_sender.deliver(prepared, message_sender.compose_for(prepared))


def _text(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"profilectl face check, {moment:%Y-%m-%d %H:%M:%S} UTC: whose name and picture stand beside this message?"


def _ask() -> dict[str, str]:
    """Return what a person sees, by app; those that can't be looked at aren't there."""
    answers = {}
    discard_typed()  # before the message was out nobody could see anything beside it
    for app in APPS:
        while typed := ask_line(question(app)).strip():
            answer = answer_of(typed)
            if answer is not None:
                answers[app] = answer
                break
            info(f"please type one of: {', '.join(SEEN)}")
    if not answers:
        raise Declined("nothing was recorded: no app was looked at")
    return answers


def _record(context: Context, message_sender: MessageSender, result: SendResult, answers: dict[str, str]) -> str:
    assert result.receipt is not None  # noqa: S101 - `check_face` has raised
    ledger = context.ledger_for_writing()
    account = ledger.account_of(message_sender.sender.brand.key)
    assert account is not None  # noqa: S101 - the message was sent for it
    message, at_ms = result.message, now_ms()
    detail: Detail = {"recipient_id": message.recipient_id, "event_id": result.receipt.event_id}
    event = Event("face-check", account.user_id, at_ms, message.agent, message.profile_id, detail)
    ledger.note_face_check(event, answers)
    return describe(at_ms, answers)
