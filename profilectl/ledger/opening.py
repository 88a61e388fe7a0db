"""Opening a ledger wherever it is; the driver of PostgreSQL is loaded only for an address that names one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from profilectl.errors import LedgerRefused, TryLater
from profilectl.ledger import sqlite
from profilectl.ledger.store import StoreReader, require_in_use
from profilectl.system.files import undone_on_error

if TYPE_CHECKING:
    from profilectl.ledger.address import PostgresAddress
    from profilectl.ledger.store import Store
    from profilectl.secret import Secret

Opened = TypeVar("Opened", bound=StoreReader)


def open_for_writing(
    place: Path | PostgresAddress,
    *,
    actor: str | None = None,
    find_password: Callable[[], Secret | None] | None = None,
    even_moved: bool = False,
) -> Store:
    """Open a ledger that can be written, made anew when it is missing; see both engines' functions of that name.

    One that was moved elsewhere, or is the copy of an unfinished move, is refused unless `even_moved`.
    """
    if isinstance(place, Path):
        return _in_use(sqlite.open_for_writing(place, actor=actor), even_moved=even_moved)
    from profilectl.ledger import postgres

    ledger = postgres.open_for_writing(place, actor=actor, find_password=find_password)
    return _in_use(ledger, even_moved=even_moved)


def open_for_reading(
    place: Path | PostgresAddress,
    *,
    find_password: Callable[[], Secret | None] | None = None,
    even_moved: bool = False,
) -> StoreReader:
    """Open a ledger to look at it; nothing is made, and a missing one is empty. `even_moved` is as above."""
    if isinstance(place, Path):
        return _in_use(sqlite.open_for_reading(place), even_moved=even_moved)
    from profilectl.ledger import postgres

    return _in_use(postgres.open_for_reading(place, find_password=find_password), even_moved=even_moved)


def count_bindings(place: str, user_id: str) -> int | None:
    """Return how many profiles of an account a ledger's file binds, for a hint that proposes it.

    None where nobody knows: it is a database, which may ask for a password, or a file that can't be read as a ledger.
    """
    path = Path(place)
    if not path.is_absolute():
        return None
    try:
        with open_for_reading(path, even_moved=True) as ledger:
            return len(ledger.state_of(user_id).bindings)
    except (LedgerRefused, TryLater):
        return None


def _in_use(ledger: Opened, *, even_moved: bool) -> Opened:
    if not even_moved:
        with undone_on_error(ledger.close):
            require_in_use(ledger.engine.rows)
    return ledger
