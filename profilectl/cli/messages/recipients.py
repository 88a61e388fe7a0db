"""To whom a message goes: an id, a handle, or the last one that the user wrote to."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from profilectl.cli.messages.review import is_local
from profilectl.errors import NotFound, UsageError
from profilectl.text.escape import visible
from profilectl.text.ids import is_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from profilectl.cli.context import Context

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
