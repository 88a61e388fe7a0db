"""A ledger's move to another place: copied whole, compared, and marked, so that never two of them are in use.

Both marks are rows of ``meta``. The copy bears ``arriving_from`` from its first moment until the old ledger says
``moved_to``, so whoever uses either is refused while it isn't sure which one is right. A move that was cut short is
finished by running it again: before the old ledger's mark the copy is made anew, after it only the copy's mark is left.

And whether a backup may take the place of an earlier one: only where that knows nothing that would be lost. A ledger
that was lost, and one that was begun anew in its place, look alike to a nightly job. So does the sandbox's.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, BinaryIO, Final

from msgspec import Struct

from profilectl.errors import LedgerRefused
from profilectl.ledger import export, schema
from profilectl.ledger.store import refusal_of_mark, require_in_use
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.ledger.export import Extent
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.ledger.store import Engine, Execute, ReadingEngine, Store
    from profilectl.model import LedgerAccount

_RESTORE: Final = "put a backup in its place, or `profilectl recover` rebuilds it"
KEEP_BOTH: Final = f"another name keeps both; if the ledger was lost, {_RESTORE}"


def goal_of(engine: ReadingEngine) -> str | None:
    """Return the address that a ledger was moved to, or None."""
    return _marks(engine).get("moved_to")


def migrate(
    source: Engine, open_target: Callable[[], AbstractContextManager[Store]], spool: BinaryIO, old: str, new: str
) -> Extent:
    """Copy a ledger that is in use and locked into an empty one, and mark it as moved.

    Messages may be sent while it is copied; only while it is made sure that the copy has them, nobody can write.

    Args:
        source: what keeps the ledger now.
        open_target: opens the ledger at the new place, made when it is missing, and also while it bears a mark.
        spool: an empty file of ours.
        old: the address of the ledger now.
        new: its address from then on.

    Returns:
        How much was copied.

    Raises:
        LedgerRefused: the ledger is damaged, the new place has another one, or the copy isn't the same; the old ledger
            stays in use.
    """
    extent = source.read(lambda execute: _spooled_in_use(execute, spool))
    _require_sound(spool, old)
    with open_target() as target:
        _fill(target.engine, spool, extent, old, new)
        with source.transaction() as execute:  # nobody sends from here on
            require_in_use(execute)
            if export.write(execute, export.Nowhere()) != extent:  # but somebody did while it was copied
                extent = _spooled(execute, spool)
                _fill(target.engine, spool, extent, old, new)
            execute(schema.SET_MARK, name="moved_to", value=new)
    return extent


def _spooled_in_use(execute: Execute, spool: BinaryIO) -> Extent:
    require_in_use(execute)  # another admin may have moved it elsewhere while this one waited for the lock
    return _spooled(execute, spool)


def _spooled(execute: Execute, spool: BinaryIO) -> Extent:
    spool.seek(0)
    spool.truncate()
    return export.write(execute, spool)


def _fill(target: Engine, spool: BinaryIO, extent: Extent, old: str, new: str) -> None:
    """Make the marked copy, in place of what an earlier attempt left, and compare it."""
    with target.transaction() as execute:
        _require_free(execute, old, new)
        execute(schema.SET_MARK, name="arriving_from", value=old)
        if export.load(execute, spool) != extent:
            raise LedgerRefused("the copy on its way has changed", hint="run the command again")
    _require_same(extent, target, new)


def finish(source: ReadingEngine, target: Engine, old: str, new: str) -> bool:
    """Take the mark off the copy of a ledger that was moved; return False when that was done before.

    Raises:
        LedgerRefused: the copy isn't the same, or is of another ledger, or has been lost since.
    """
    mark = _marks(target).get("arriving_from")
    if mark is None:
        _require_continuation(source, target, old, new)
        return False
    if mark != old:
        raise refusal_of_mark("arriving_from", mark)
    _require_same(extent_of(source), target, new)
    with target.transaction() as execute:
        execute(schema.DELETE_MARK, name="arriving_from")
    return True


def _require_continuation(source: ReadingEngine, target: ReadingEngine, old: str, new: str) -> None:
    """Make sure that the ledger at the new place has the last record of the one that was moved there."""
    last = source.rows(schema.GET_LAST_RECORD)
    rows = target.rows(schema.GET_RECORDS, after=last[0][0] - 1, limit=1) if last else []
    if rows != last:
        raise LedgerRefused(
            visible(f"{old} was moved to {new}, and what is there now lacks it"),
            hint=visible(f"restore the newer one there; {former(old)}"),
        )


def former(old: str) -> str:
    """Say how what a ledger held when it was moved can still be read."""
    return f"PROFILECTL_LEDGER={shlex.quote(old)} profilectl ledger export writes what was moved"


def _marks(engine: ReadingEngine) -> dict[str, str]:
    return dict(engine.read(lambda execute: execute(schema.GET_MARKS)))


def extent_of(engine: ReadingEngine) -> Extent:
    """Return how much a ledger holds, with the digest that its export would have."""
    return engine.read(lambda execute: export.write(execute, export.Nowhere()))


def _require_sound(spool: BinaryIO, old: str) -> None:
    for problem in export.judge(spool).problems:
        what = f"{old} wasn't moved: line {problem.line} of its export {problem.message}"
        raise LedgerRefused(visible(what), hint="`profilectl ledger export` writes the lines; restore a sound backup")


def _require_free(execute: Execute, old: str, new: str) -> None:
    """Make sure that nothing is lost at the new place: it is empty, or has what an earlier attempt left there."""
    marks: dict[str, str] = dict(execute(schema.GET_MARKS))
    if marks.get("arriving_from") == old:
        export.clear(execute)
    elif marks or not export.is_empty(execute):
        which = "".join(f", {name.replace('_', ' ')} {value}" for name, value in marks.items())
        hint = "move that one away, or choose another address"
        raise LedgerRefused(visible(f"nothing was moved: {new} has a ledger already{which}"), hint=hint)


def _require_same(extent: Extent, target: ReadingEngine, new: str) -> None:
    if extent_of(target) != extent:
        hint = "the old ledger stays in use; run the command again"
        raise LedgerRefused(visible(f"the copy at {new} isn't the same ledger"), hint=hint)


class Contents(Struct, frozen=True):
    """What a ledger knows, as far as it says whether another one is its continuation."""

    accounts: tuple[LedgerAccount, ...]
    last_seq: int  # of its newest audit record, 0 without any
    last_hash: str | None


def contents_of(ledger: LedgerReader) -> Contents:
    """Return what a ledger knows."""
    last_seq = ledger.last_seq()
    return Contents(ledger.accounts(), last_seq, ledger.hash_of(last_seq) if last_seq else None)


def losses(copy: Contents, ledger: Contents, hash_at_copys_end: str | None) -> tuple[str, ...]:
    """Return what only the earlier copy knows, each as a person reads it behind "the copy"; empty for a continuation.

    What the copy's bindings became since is in the records of a ledger that has all of the copy's.

    Args:
        copy: the earlier backup.
        ledger: what is to be backed up now.
        hash_at_copys_end: of the ledger's record that has the number of the copy's newest one, None without such one.
    """
    known = {(account.user_id, account.host) for account in ledger.accounts}
    parts = [
        f"knows @{account.handle} (user id {account.user_id} at {account.host})"
        for account in copy.accounts
        if (account.user_id, account.host) not in known
    ]
    if copy.last_seq and hash_at_copys_end is None:
        parts.append(f"has records up to {copy.last_seq}, and the ledger's end at {ledger.last_seq}")
    elif copy.last_hash != hash_at_copys_end:
        parts.append(f"has another record {copy.last_seq} than the ledger")
    return tuple(parts)


def require_earlier_copy(copy: LedgerReader, ledger: LedgerReader, copy_name: str, ledger_name: str) -> None:
    """Raise LedgerRefused where an earlier backup knows what the ledger doesn't."""
    contents = contents_of(copy)
    end = ledger.hash_of(contents.last_seq) if contents.last_seq else None
    lost = losses(contents, contents_of(ledger), end)
    if lost:
        what = f"{copy_name} stays, as it isn't an earlier copy of {ledger_name}: it {' and '.join(lost)}"
        raise LedgerRefused(visible(what), hint=KEEP_BOTH)


def require_content(ledger: LedgerReader, name: str) -> None:
    """Raise LedgerRefused for a ledger that knows nothing, of which a backup would only look like one."""
    if contents_of(ledger) == Contents((), 0, None):
        hint = f"the first `profilectl sync` fills a new one; if this one was lost, {_RESTORE}"
        raise LedgerRefused(
            visible(f"there is nothing to back up: {name} knows no account and has no record"), hint=hint
        )
