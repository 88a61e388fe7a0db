"""What was refused to somebody who tried to send as an agent: that goes on the record as well, without the text."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from profilectl.cli.context import Context
from profilectl.cli.messages.recipients import LAST
from profilectl.errors import InputRefused, ProfilectlError
from profilectl.messaging.identity import find_sender
from profilectl.model import Detail, Event
from profilectl.render.console import info
from profilectl.system.host import now_ms, parent_program
from profilectl.text.ids import is_id

if TYPE_CHECKING:
    from profilectl.ledger.protocol import LedgerReader

_LONGEST = 200  # code points of an agent's key, or a recipient: what was typed may be anything


def denials_recorded(send: Callable[..., None]) -> Callable[..., None]:
    """Return the command `send`, which then records that a rule forbade it to whoever ran it.

    Only a ledger that exists gets such a record. One that can't be written is warned of, as the refusal stands anyway.
    A dry run sends nothing, so it is no attempt.
    """

    @functools.wraps(send)
    def run(context: Context, **values: Any) -> None:
        with nullcontext() if values["dry_run"] else denial_recorded(context, values["agent"], values["to"]):
            send(context, **values)

    return run


@contextmanager
def denial_recorded(context: Context, key: str | None, to: str) -> Iterator[None]:
    """Record what a rule forbids within a ``with`` block: to speak as an agent, given by key, to a recipient."""
    try:
        yield
    except InputRefused as error:
        if error.rule is not None:
            try:
                _record(context, error.rule, key, to)
            except ProfilectlError as failure:
                info(f"warning: this attempt couldn't be recorded: {failure.message}")
        raise


def _record(context: Context, rule: str, key: str | None, to: str) -> None:
    agent, brand = _who(context, key)
    if context.authority.ledger:  # root's word, which a variable can't lead past: that may be what was refused
        environ = {name: value for name, value in context.environ.items() if name != "PROFILECTL_LEDGER"}
        context = replace(context, environ=environ)
    place = context.ledger_place
    if isinstance(place, Path) and not place.exists():
        return
    ledger = context.ledger_for_writing()
    user_id = _account(ledger, brand)
    if user_id is None:
        return
    recipient: Detail = {} if to == LAST else {"recipient_id" if is_id(to) else "recipient": to[:_LONGEST]}
    detail = {**recipient, "rule": rule, "parent": parent_program()}
    ledger.record(Event("denied", user_id, now_ms(), agent and agent[:_LONGEST], detail=detail))


def _who(context: Context, key: str | None) -> tuple[str | None, str | None]:
    """Return the keys of the agent and the brand that were meant, as far as the command line and the roster tell."""
    from profilectl.access.policy_file import current_operator

    with suppress(ProfilectlError):  # of a roster that isn't the right one, nothing is believed
        brands = context.brands()
        sender = find_sender(
            context.roster, key, current_operator(), context.authority, brands=brands, prefer=context.meant
        )
        return sender.agent.key, sender.brand.key
    return key, next(iter(context.chosen_brands()), None)


def _account(ledger: LedgerReader, brand: str | None) -> str | None:
    """Return the account that was meant; where no brand is known, the ledger's first one. None: the ledger has none."""
    if brand is not None:
        account = ledger.account_of(brand)
        return None if account is None else account.user_id
    return next(iter(ledger.user_ids()), None)
