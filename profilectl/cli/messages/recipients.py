"""To whom a message goes: an id, a handle, or the last one that the user wrote to."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from profilectl.cli.messages.review import is_local
from profilectl.errors import InputRefused, NotFound, UsageError
from profilectl.system.host import is_by_this_user
from profilectl.text.escape import visible
from profilectl.text.ids import is_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from profilectl.cli.context import Context
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.model import Brand

LAST = "-"
"""Stands on a command line for the last one written to."""

LONGEST_HANDLE = 15  # characters


def check_recipient(to: str, option: str = "--to") -> str:
    """Return an id or a @handle as it was typed; UsageError for anything else."""
    handle = to.removeprefix("@")
    if is_id(to) or to == LAST:
        return to
    # isascii() as well, because isalnum() takes the letters of every script.
    is_handle = handle.isascii() and handle.replace("_", "").isalnum() and len(handle) <= LONGEST_HANDLE
    if to.startswith("@") and is_handle:
        return to
    hint = f"did you mean @{handle}?" if is_handle else None
    raise UsageError(
        f"{option} takes an id (digits, the first of which isn't 0) or a @handle, not {visible(to)}", hint=hint
    )


def last_recipient(known: LedgerReader, brand: Brand) -> tuple[str, str | None]:
    """Return the id of whom this user wrote to last for a brand, and the handle where the record has it.

    The id is what counts: somebody else may have the handle by now.

    Raises:
        InputRefused: the record tells of nobody.
    """
    from profilectl.messaging.correspondence import correspondents

    account = known.account_of(brand.key)
    newest = None if account is None else next(correspondents(known, account.user_id, by=is_by_this_user), None)
    if newest is None:
        raise InputRefused(
            f"the record has nobody whom you wrote to as @{brand.handle}", hint="say --to @HANDLE or --to ID"
        )
    return newest.user_id, newest.handle


def known_handle(known: LedgerReader, brand: Brand, recipient: str) -> str | None:
    """Return the handle under which the record has an id that a brand wrote to; None for a handle, and for others."""
    from profilectl.messaging.correspondence import handles

    account = known.account_of(brand.key)
    if account is None or recipient.startswith("@"):
        return None
    return handles(known, account.user_id).get(recipient)


@contextmanager
def unknown_explained(context: Context, recipient: str) -> Iterator[None]:
    """Say on a local X, which begins with one customer, how others come to be there; raises what the block raises."""
    try:
        yield
    except NotFound as error:
        if not is_local(context) or not error.message.startswith(f"looking up {recipient}:"):
            raise
        raise error.with_hint(_way_to_make(context, recipient)) from None


def _way_to_make(context: Context, recipient: str) -> str:
    from profilectl.cli.local_sandbox import CUSTOMER, find_token

    # one that is served has its pages already; the one in this process has none yet
    pages = "open the pages that `profilectl sandbox serve` has named"
    if context.uses_sandbox:
        pages = f"run `profilectl sandbox serve{visible(context.again())}`, open its pages"
    elif find_token(context.environ, context.api_url) is None:  # no `sandbox serve` of this user: a test's, most likely
        named = "HANDLE" if recipient.isdecimal() else f'"{recipient.removeprefix("@")}"'
        return f"in a test with profilectl's fixtures, `x_sandbox.customer({named})` makes a customer"
    typed = f'type {recipient.removeprefix("@")} beside "Open"'
    return f"the local X has @{CUSTOMER} from the start; to make {recipient}, {pages}, and {typed}"
