"""From when on the record can tell: an empty answer about the time before isn't the answer "nobody"."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from profilectl.audit.periods import ALWAYS_MS
from profilectl.audit.queries import Selection
from profilectl.errors import ExitCode
from profilectl.render.console import info
from profilectl.render.json_documents import timestamp

if TYPE_CHECKING:
    from profilectl.audit.periods import Period
    from profilectl.audit.queries import Readable
    from profilectl.cli.context import Context


def begin_of(readable: Readable, accounts: frozenset[str] | None) -> int | None:
    """Return when the first record of these accounts was made, epoch milliseconds; None where there is none."""
    first = next(Selection(accounts=accounts).entries(readable.events()), None)
    return None if first is None else first.event.at_ms


def is_before(asked: Period, begin_ms: int | None) -> bool:
    """Say whether all of a period lies before the record."""
    return begin_ms is not None and asked.until_ms <= begin_ms


def tell_begin(context: Context, asked: Period, begin_ms: int | None) -> None:
    """Say from when on the record can tell, where a period that somebody asked about begins earlier.

    Raises:
        Exit: with 7, as all of it is earlier.
    """
    if begin_ms is None or (abs(asked.from_ms) >= ALWAYS_MS and not is_before(asked, begin_ms)):
        return
    sentence = f"the record begins at {timestamp(begin_ms)}, so it can't tell about the time before"
    if is_before(asked, begin_ms):
        info(sentence)
        raise typer.Exit(ExitCode.PERSON)
    if asked.from_ms < begin_ms:
        context.remark(sentence)
