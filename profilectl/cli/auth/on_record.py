"""Logins and logouts on the record of the account that they are about, where there is one."""

from __future__ import annotations

from pathlib import Path

from profilectl.cli.auth.accounts import warn
from profilectl.cli.context import Context
from profilectl.errors import ProfilectlError
from profilectl.model import Detail, Event
from profilectl.system.host import now_ms


def record(context: Context, what: str, user_id: str, detail: Detail) -> None:
    """Record what was done with an account's credentials, in a ledger that knows the account.

    Credentials come before the first sync, so mostly there is no ledger yet, and none is made for this. What was done
    is done: a ledger that can't be written is warned of.
    """
    try:
        place = context.ledger_place
        if isinstance(place, Path) and not place.exists():
            return
        with context.open_ledger() as reader:
            is_known = user_id in reader.user_ids()
        if is_known:
            context.ledger_for_writing().record(Event(what, user_id, now_ms(), detail=detail))
    except ProfilectlError as error:
        warn(f"this isn't on the record: {error.message}", error.hint)
