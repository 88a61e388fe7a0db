"""``send``: one Direct Message as an agent, and the proof that it carries the agent's face."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.context import Context
from profilectl.cli.files import read
from profilectl.cli.options import command
from profilectl.errors import InputRefused, UsageError
from profilectl.message import MAX_TEXT, Operator, compose, deliver
from profilectl.names import visible
from profilectl.render import documents
from profilectl.render.consoles import talk, write

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.ledger.base import LedgerReader
    from profilectl.message import Receipt
    from profilectl.model import Account, Agent, Binding, Brand, Message

_MAX_BYTES = 4 * MAX_TEXT + 2  # UTF-8 needs four bytes a character at most, and a line may end in two


def register(app: typer.Typer) -> None:
    """Add ``send``."""
    app.command("send")(command(send))


def send(
    context: Context,
    agent: Annotated[str, typer.Option("--as", metavar="AGENT", help="Who speaks.")],
    to: Annotated[str, typer.Option("--to", metavar="ID|@HANDLE", help="Who is written to.")],
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="The message; - reads stdin.")] = None,
    file: Annotated[Path | None, typer.Option("--file", metavar="PATH", help="Read the message from a file.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent, and send nothing.")] = False,
) -> None:
    """Send one Direct Message as an agent.

    It counts as sent only when X confirms that it carries the agent's profile.
    """
    words = _read_text(text, file)
    one, brand = _find_agent(context, agent)
    recipient = _check_recipient(to)
    knowledge = context.ledger_for_reading()
    account = knowledge.account_of(brand.key)
    binding = knowledge.holdings(account.user_id).binding(one.key) if account is not None else None
    today = datetime.now().astimezone().date()
    message = compose(one, binding, recipient_id=recipient, text=words, today=today, operator=_operator())
    if dry_run or account is None:
        _show_dry_run(context, message)
        return
    client = _connect(context, brand, account, knowledge)
    if message.recipient_id.startswith("@"):
        message = replace(message, recipient_id=client.find_user(message.recipient_id[1:]))
    receipt = deliver(message, account.user_id, client, context.ledger_for_writing(), client.now_ms())
    _show_receipt(context, receipt, binding)
    if binding is not None and binding.name != one.name and not context.is_quiet:
        talk(f'the roster says "{visible(one.name)}", which `profilectl sync` hasn\'t brought to X yet')


def _read_text(text: str | None, file: Path | None) -> str:
    """Take the message from the one place that was named."""
    if (text is None) == (file is None):
        raise UsageError("what shall be sent?", hint="give the text, or - for stdin, or --file PATH; just one of them")
    if file is None and text != "-":
        return text or ""
    data = sys.stdin.buffer.read(_MAX_BYTES + 1) if file is None else read(file, "the message", _MAX_BYTES)
    if len(data) > _MAX_BYTES:
        raise InputRefused(f"the message is longer than {MAX_TEXT} characters")
    try:
        words = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputRefused(f"the message isn't UTF-8 (byte {error.start + 1})") from None
    return words.removesuffix("\n").removesuffix("\r")


def _find_agent(context: Context, key: str) -> tuple[Agent, Brand]:
    """Return the agent in the one brand that is meant."""
    from profilectl.cli.gathering import unknown_agent

    entries = [agent for agent in context.roster.agents if agent.key == key]
    if not entries:
        raise unknown_agent(key, {agent.key for agent in context.roster.agents})
    keys = {agent.brand for agent in entries}
    brands = context.meant([brand for brand in context.brands() if brand.key in keys])
    if not brands:
        raise InputRefused(f"{key} doesn't speak for this brand", hint="it has: " + ", ".join(sorted(keys)))
    if len(brands) > 1:
        raise UsageError(f"{key} speaks for several brands", hint="say --brand with one of: " + ", ".join(sorted(keys)))
    return next(agent for agent in entries if agent.brand == brands[0].key), brands[0]


def _check_recipient(to: str) -> str:
    handle = to.removeprefix("@")
    if to.isascii() and to.isdigit():
        return to
    if to.startswith("@") and handle.isascii() and handle.replace("_", "").isalnum() and len(handle) <= 15:
        return to
    raise UsageError(f"--to takes an id (digits) or a @handle, not {visible(to)}")


def _operator() -> Operator:
    """Ask the kernel, not the environment, who runs this."""
    import pwd

    uid = os.getuid()
    try:
        return Operator(pwd.getpwuid(uid).pw_name, uid)
    except KeyError:
        return Operator(f"uid:{uid}", uid)


def _connect(context: Context, brand: Brand, account: Account, knowledge: LedgerReader) -> XClient:
    """Return a client whose credentials are those of the account that the ledger means.

    X asks nothing for it where the source names the account, or where the token begins with its id, as X's tokens do.
    """
    credentials = context.credentials(brand)
    client = context.client(credentials)
    if credentials.user_id is not None:
        knowledge.recognise(brand.key, replace(account, user_id=credentials.user_id))
    elif not credentials.token.reveal().startswith(f"{account.user_id}-"):
        knowledge.recognise(brand.key, client.verify_credentials())
    return client


def _show_dry_run(context: Context, message: Message) -> None:
    if context.wants_json:
        known = None if message.recipient_id.startswith("@") else message.recipient_id
        write(documents.dump(_document(message, known, event_id=None, status="dry-run")))
        return
    write(
        f"would send {len(message.text)} characters to {message.recipient_id} "
        f"as {message.agent} ({message.brand}, profile {message.profile_id})"
    )


def _show_receipt(context: Context, receipt: Receipt, binding: Binding | None) -> None:
    """Say what was sent, under which name the customer sees it, and that X's answer carries the agent's profile."""
    message = receipt.message
    if context.wants_json:
        document = _document(message, message.recipient_id, event_id=receipt.event_id, status="sent")
        write(documents.dump(document))
    elif not context.is_quiet:
        shown = visible(binding.name) if binding is not None else ""
        event = f"event {receipt.event_id}, identity confirmed by X"
        write(f"sent to {message.recipient_id} as {message.agent} ({shown}), {event}")


def _document(message: Message, recipient_id: str | None, *, event_id: str | None, status: str) -> documents.Document:
    return documents.send(
        agent=message.agent,
        brand=message.brand,
        recipient_id=recipient_id,
        profile_id=message.profile_id,
        event_id=event_id,
        verified=status == "sent",
        status=status,
    )
