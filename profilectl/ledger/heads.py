"""How far the ledger of each account had come when a command last wrote to it, kept apart from the ledger.

A backup that was put in its place, or another ledger, doesn't know what happened since: profiles that it calls lost, or
still an agent's, may have been replaced. So its newest audit record is compared with the one that is kept here.

The newest records themselves are checked before anything is written behind them, see `require_whole`.

The files lie in the user's state folder, where the default ledger has its own folder beside them. Somebody who restores
all of the state folder restores the heads, too: that can't be noticed here.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import MsgspecError, Struct, json

from profilectl.audit import chain
from profilectl.errors import LedgerRefused, TryLater
from profilectl.ledger.accounts import FormerLedger, counted
from profilectl.model import Detail, Event
from profilectl.system.files import read_regular, write_private
from profilectl.system.folders import make_private_folder
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.audit.chain import Record
    from profilectl.ledger.address import PostgresAddress
    from profilectl.ledger.protocol import Ledger, LedgerReader

NEWEST = 498
"""Records that every command checks before it writes: with the one before them fewer than one look returns."""

THOROUGH = 20_000
"""Records that a `sync` checks, in some hundredths of a second; `audit verify` checks all."""

_LARGEST = 16_384  # bytes; a path may have 4,096


class Head(Struct, frozen=True):
    """The newest audit record of a ledger at some moment, and where that ledger was."""

    seq: int
    hash: str
    ledger: str  # a path or an address
    at_ms: int = 0  # when the record was made; 0 where an earlier version kept the head


class Setback(Struct, frozen=True):
    """What a ledger lacks of an account: a record that this host has seen in it."""

    user_id: str
    head: Head
    is_missing: bool  # the ledger ends before it; else another record has its number


class KeptHeads:
    """The heads of the accounts at one X, in a folder of this user, which needn't exist; without one nothing is kept.

    The sandbox has none, as whoever plays with it begins anew whenever they like.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def of_account(self, user_id: str) -> Head | None:
        """Return the head that is kept for an account, or None; LedgerRefused when it can't be understood."""
        if self._folder is None:
            return None
        path = self._path(self._folder, user_id)
        try:
            file = read_regular(path, _LARGEST)
        except OSError:
            return None  # also where this user mayn't enter the state folder: then no head of theirs is in it
        if file is not None and not file[0]:
            return None  # it is written without waiting for the disk, so a power cut may leave it empty
        try:
            return json.decode(b"" if file is None else file[0], type=Head)
        except MsgspecError:
            what = f"{visible(str(path))}, which says how far the ledger is, is damaged"
            raise LedgerRefused(what, hint="remove it, if you are sure that the ledger is the right one") from None

    def ledger_of(self, user_id: str) -> FormerLedger | None:
        """Return the ledger that was used last for an account, or None."""
        head = self.of_account(user_id)
        return None if head is None else FormerLedger(head.ledger, head.seq)

    def check(self, ledger: LedgerReader, place: Path | PostgresAddress) -> None:
        """Make sure that a ledger, which was just opened at a place, has every record that its accounts' heads name.

        Raises:
            LedgerRefused: one is missing, or is another record there.
        """
        setbacks = self.setbacks(ledger)
        if setbacks:
            setback = max(setbacks, key=lambda setback: setback.head.seq)
            raise _refusal(_shown(place), setback, len(ledger.state_of(setback.user_id).bindings))

    def setbacks(self, ledger: LedgerReader) -> tuple[Setback, ...]:
        """Return what a ledger lacks, account by account; empty for one that only went on."""
        # first the heads, then the ledger: a head that is written in between belongs to records that are there by then
        heads = {user_id: head for user_id in ledger.user_ids() if (head := self.of_account(user_id)) is not None}
        hashes = {head.seq: ledger.hash_of(head.seq) for head in heads.values()}
        return tuple(
            Setback(user_id, head, hashes[head.seq] is None)
            for user_id, head in heads.items()
            if hashes[head.seq] != head.hash
        )

    def accept(self, ledger: Ledger, place: Path | PostgresAddress, setbacks: Sequence[Setback], now_ms: int) -> None:
        """Go on with a ledger that lacks something: record that, and keep its head from now on.

        Raises:
            OSError: the folder can't be written.
        """
        last_seq = ledger.last_seq()
        for setback in setbacks:
            seen: Detail = {"seen": setback.head.seq, "hash": setback.head.hash}
            ledger.record(Event("restored", setback.user_id, now_ms, detail={**seen, "last": last_seq}))
        self.keep(ledger, place)

    def keep(self, ledger: Ledger, place: Path | PostgresAddress) -> None:
        """Keep the head of a ledger, at that place, for all of its accounts, if this process has added to its record.

        Raises:
            OSError: the folder can't be made or written.
            LedgerRefused, TryLater: the ledger can't be read any more.
        """
        folder = self._folder
        newest = ledger.newest_own
        if folder is None or newest is None:
            return
        make_private_folder(folder)
        # under the ledger's own lock for writers, or a slower process would put an older head in place of a newer one
        own = _head(newest, place)
        try:
            with ledger.held_still():
                last = [_head(record, place) for record in ledger.events(after=ledger.last_seq() - 1)]
                # a database that failed over may lack what was written: the next command is to notice that
                head = max([own, *last], key=lambda head: head.seq)
                for user_id in ledger.user_ids():
                    write_private(self._path(folder, user_id), json.encode(head))
        except (LedgerRefused, TryLater):
            write_private(self._path(folder, newest.event.account), json.encode(own))
            raise

    @staticmethod
    def _path(folder: Path, user_id: str) -> Path:
        return folder / re.sub(r"[^0-9A-Za-z]", "_", user_id)


def require_whole(ledger: LedgerReader, most: int) -> None:
    """Make sure that nobody has changed the newest records, at most so many.

    Raises:
        LedgerRefused: one isn't as it was written, and nobody has accepted that.
    """
    # two looks may be needed, for what a person accepted is asked for only where something is broken
    broken = first_broken(ledger, most, frozenset())
    if broken is not None:
        broken = first_broken(ledger, most, ledger.accepted_breaks())
    if broken is not None:
        raise LedgerRefused(
            f"the record is broken at {broken}: somebody changed the ledger behind our back, so nothing was done",
            hint="`profilectl audit verify` shows more; restore a backup, or go on with `audit verify --accept-break`",
        )


def first_broken(ledger: LedgerReader, most: int, accepted: frozenset[tuple[int, str]]) -> int | None:
    """Return the number of the first record of the newest ones, at most so many, that isn't as it was written."""
    first = ledger.last_seq() - most
    if first <= 0:
        return chain.verify(ledger.events(), accepted=accepted)
    records = ledger.events(after=first - 1)
    return chain.verify(records, behind=next(records, None), accepted=accepted)


def _head(record: Record, place: Path | PostgresAddress) -> Head:
    return Head(record.seq, record.hash, _shown(place), record.event.at_ms)


def _refusal(place: str, setback: Setback, bindings: int) -> LedgerRefused:
    """Return why a ledger with so many bindings of an account isn't used; an empty one isn't proposed in its place."""
    from profilectl.ledger.opening import count_bindings

    head = setback.head
    if setback.is_missing:
        what = f"{place} went backwards: its record {head.seq} is missing, which was written already"
        hint = "restore the newer one"
    else:
        what = f"{place} isn't the ledger that was used last for this account: its record {head.seq} is another one"
        hint = "use that one"
    if head.ledger != place and os.path.lexists(head.ledger):
        others = count_bindings(head.ledger, setback.user_id)
        here = f"this one has {bindings:,}"
        if others == 0 and bindings:
            hint = f"that of last time, {head.ledger}, has no bindings, and {here}"
        else:
            counts = "" if others is None else f"{counted(others)}; {here}"
            hint = f"{hint}, PROFILECTL_LEDGER={shlex.quote(head.ledger)}{counts}"
    return LedgerRefused(
        visible(what), hint=visible(f"{hint}; `profilectl ledger accept-restore` goes on with this one")
    )


def _shown(place: Path | PostgresAddress) -> str:
    return str(place.absolute() if isinstance(place, Path) else place)
