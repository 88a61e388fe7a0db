"""Whether a backup or an export may take the place of what lies there: only where that knows nothing more.

A nightly job names the same file every time. The night after the ledger was lost, or begun anew, that file is what is
left of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from msgspec import MsgspecError, Struct
from msgspec.json import decode

from profilectl.errors import LedgerRefused
from profilectl.ledger import export, relocation
from profilectl.ledger.relocation import Contents
from profilectl.model import LedgerAccount
from profilectl.system.files import opened_stream
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.cli.ledger.files import Place
    from profilectl.ledger.protocol import LedgerReader

_LONGEST: Final = 8 * 1024 * 1024  # bytes of a line, as in `ledger.export`


def require_earlier_backup(file: Path, ledger: LedgerReader, place: Path) -> None:
    """Refuse to replace a backup that isn't an earlier one of this ledger; what is no database at all may go.

    Raises:
        LedgerRefused: it knows what the ledger doesn't, or can't be read.
    """
    from profilectl.ledger.sqlite import open_backup

    try:
        copy = open_backup(file)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(file, error) from None
    except LedgerRefused as error:
        raise _damaged(file, error.message) from None
    if copy is not None:
        with closing(copy):
            relocation.require_earlier_copy(copy, ledger, str(file), str(place))


def require_earlier_export(file: Path, ledger: LedgerReader, place: Place) -> None:
    """Refuse to replace an export that isn't an earlier one of this ledger; what is no export at all may go.

    Raises:
        LedgerRefused: it knows what the ledger doesn't, or can't be read.
    """
    try:
        with opened_stream(file) as stream:
            copy = contents_of_export(stream)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(file, error) from None
    except MsgspecError:
        raise _damaged(file, "a line is missing or was changed") from None
    if copy is None:
        return
    end = ledger.hash_of(copy.last_seq) if copy.last_seq else None
    lost = relocation.losses(copy, relocation.contents_of(ledger), end)
    if lost:
        what = f"{file} stays, as it isn't an earlier export of {place}: it {' and '.join(lost)}"
        raise LedgerRefused(visible(what), hint=relocation.KEEP_BOTH)


def contents_of_export(stream: BinaryIO) -> Contents | None:
    """Return what a ledger knew when it was exported, None for what is no export.

    Only the lines that tell it are understood, so that an export of a million records takes a second or two.

    Raises:
        MsgspecError: one of these can't be understood, or the last line is missing.
    """
    lines: Iterator[bytes] = iter(partial(stream.readline, _LONGEST), b"")
    if not export.is_header(next(lines, b"")):
        return None
    accounts: dict[tuple[str, str], LedgerAccount] = {}
    line = newest = b""
    for line in lines:
        if line.endswith(b'"table":"audit"}\n'):
            newest = line  # records are in the order of their numbers
        elif line.endswith(b'"table":"brands"}\n'):
            row = decode(line, type=_BrandLine).row
            accounts[row.account, row.host] = LedgerAccount(row.account, row.handle, row.host, (row.brand,))
    decode(line, type=_LastLine)
    if not newest:
        return Contents(tuple(accounts.values()), 0, None)
    record = decode(newest, type=_RecordLine).row
    return Contents(tuple(accounts.values()), record.seq, record.hash)


class _Brand(Struct):
    account: str
    brand: str
    handle: str
    host: str


class _BrandLine(Struct):
    row: _Brand


class _Record(Struct):
    seq: int
    hash: str


class _RecordLine(Struct):
    row: _Record


class _LastLine(Struct):
    digest: str
    rows: int


def _unreadable(file: Path, error: OSError) -> LedgerRefused:
    what = f"{visible(str(file))} stays, as it can't be read: {error.strerror}"
    return LedgerRefused(what, hint=relocation.KEEP_BOTH)


def _damaged(file: Path, why: str) -> LedgerRefused:
    message = f"{visible(str(file))} stays, as nobody knows what is in it: {why}"
    return LedgerRefused(message, hint=relocation.KEEP_BOTH)
