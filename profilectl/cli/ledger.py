"""``ledger show`` and its kin: the ledger itself, apart from what X has."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING

from profilectl.cli.context import Context
from profilectl.cli.options import add_group
from profilectl.errors import LedgerRefused
from profilectl.render import ledger as render
from profilectl.render.console import info, show_error
from profilectl.system.locks import holder_of
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from pathlib import Path

    import typer

    from profilectl.ledger.store import StoreReader

_HEADERS = ("what", "value")


def register(app: typer.Typer) -> None:
    """Add the ``ledger`` group."""
    add_group(app, "ledger", "The ledger itself: look, copy, move.", {"show": show})


def show(context: Context) -> None:
    """Show where the ledger is and what it holds.

    Nothing is asked of X and nothing is written. A ledger that other commands refuse, because it went backwards, is
    shown all the same.
    """
    place = context.ledger_path.absolute()
    exists = os.path.lexists(place)
    with closing(_open(place)) as ledger:
        summary = ledger.summary() if exists else None
        refusal = _refusal(context, ledger, place)
    holder = holder_of(_lock_of(place))
    document = render.show(str(place), "sqlite", summary, holder, refusal)
    rows = None if summary is None else render.rows(str(place), "sqlite", summary, holder)
    context.output.show(document, _HEADERS, rows)
    if summary is None:
        info(f"there is no ledger at {visible(str(place))} yet: the first `profilectl sync` makes it")
    if refusal is not None:
        show_error(refusal)


def _open(place: Path) -> StoreReader:
    from profilectl.ledger.sqlite import open_for_reading

    return open_for_reading(place)


def _lock_of(place: Path) -> Path:
    return place.with_name(f"{place.name}.lock")


def _refusal(context: Context, ledger: StoreReader, place: Path) -> LedgerRefused | None:
    """Return why other commands refuse the ledger, or None."""
    try:
        context.kept_heads.check(ledger, place)
    except LedgerRefused as error:
        return error
    return None
