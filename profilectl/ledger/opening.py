"""Opening a ledger wherever it is; the driver of PostgreSQL is loaded only for an address that names one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from profilectl.ledger import sqlite

if TYPE_CHECKING:
    from profilectl.ledger.address import PostgresAddress
    from profilectl.ledger.store import Store, StoreReader
    from profilectl.secret import Secret


def open_for_writing(
    place: Path | PostgresAddress,
    *,
    actor: str | None = None,
    find_password: Callable[[], Secret | None] | None = None,
) -> Store:
    """Open a ledger that can be written, made anew when it is missing; see both engines' functions of that name."""
    if isinstance(place, Path):
        return sqlite.open_for_writing(place, actor=actor)
    from profilectl.ledger import postgres

    return postgres.open_for_writing(place, actor=actor, find_password=find_password)


def open_for_reading(
    place: Path | PostgresAddress, *, find_password: Callable[[], Secret | None] | None = None
) -> StoreReader:
    """Open a ledger to look at it; nothing is made, and a missing one is empty."""
    if isinstance(place, Path):
        return sqlite.open_for_reading(place)
    from profilectl.ledger import postgres

    return postgres.open_for_reading(place, find_password=find_password)
