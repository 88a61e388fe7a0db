"""The ledger of a command that is about the ledger itself, and the files that such commands read and write."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from profilectl.errors import InputRefused, LedgerRefused, UsageError
from profilectl.ledger.location import companions
from profilectl.render.console import unless_nobody_reads
from profilectl.system.files import copy_within, opened_stream, private_draft
from profilectl.system.folders import LinkRefused
from profilectl.system.host import expand_home
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.cli.context import Context
    from profilectl.ledger.address import PostgresAddress
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.ledger.store import Store, StoreReader

    Place = Path | PostgresAddress

MAX_WAIT = 60.0  # seconds that a command about the ledger waits for a run to end


@contextmanager
def readable_file(file: str) -> Iterator[BinaryIO]:
    """Yield a file, stdin for -; InputRefused where it can't be read."""
    with ExitStack() as stack:
        try:
            source = sys.stdin.buffer if file == "-" else stack.enter_context(opened_stream(expand_home(file)))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "no file name"
            raise InputRefused(f"can't read {visible(file)}: {reason}") from None
        yield source


@contextmanager
def rereadable_file(file: str) -> Iterator[tuple[BinaryIO, BinaryIO | None]]:
    """Yield a file that can be read twice, and what is to be copied into it first where that is a pipe, or stdin."""
    with ExitStack() as stack:
        source = stack.enter_context(readable_file(file))
        if _is_regular(source):
            yield source, None
        else:
            yield stack.enter_context(tempfile.TemporaryFile()), source


def _is_regular(source: BinaryIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(source.fileno()).st_mode)
    except OSError:  # no file of the system's, or one that was closed
        return False


@contextmanager
def new_file(file: Path, *, force: bool) -> Iterator[Path]:
    """Yield a private draft that takes its place at the end; InputRefused where it can't."""
    shown = visible(str(file))
    if file.is_dir():
        raise InputRefused(f"{shown} is a folder", hint="name a file in it")
    try:
        with private_draft(file, replaces=force) as draft:
            yield draft
    except FileExistsError:
        raise InputRefused(f"{shown} exists already", hint="choose another name, or replace it with --force") from None
    except LinkRefused as error:
        raise InputRefused(f"{shown} can't be written: {error.strerror}", hint=error.hint) from None
    except OSError as error:
        raise InputRefused(f"{shown} can't be written: {error.strerror}") from None


def pour(spool: BinaryIO) -> None:
    """Write to stdout what was written to a file that can be read again."""
    spool.seek(0)
    with unless_nobody_reads():
        sys.stdout.flush()
        copy_within(spool, sys.stdout.buffer, sys.maxsize)


def place_of(context: Context) -> Place:
    """Return where the ledger is, or will be."""
    return absolute(context.ledger_place)


def absolute(place: Place) -> Place:
    """Return the place as it is from every folder."""
    return place.absolute() if isinstance(place, Path) else place


def open_at(context: Context, place: Place, *, even_moved: bool = False) -> StoreReader:
    """Open a ledger to look at it, however far it has come; one that isn't there is empty."""
    from profilectl.ledger.opening import open_for_reading

    return open_for_reading(place, find_password=partial(context.ledger_password, place), even_moved=even_moved)


def open_writable(context: Context, place: Place, *, even_moved: bool = False) -> Store:
    """Open a ledger to write to it, however far it has come, and whatever its newest records are like."""
    from profilectl.ledger.opening import open_for_writing

    return open_for_writing(place, find_password=partial(context.ledger_password, place), even_moved=even_moved)


def exists(place: Place, ledger: StoreReader) -> bool:
    """Say whether the ledger that was opened at a place is there."""
    from profilectl.ledger.sqlite import EmptyReader

    return os.path.lexists(place) if isinstance(place, Path) else not isinstance(ledger.engine, EmptyReader)


def open_existing(context: Context, place: Place, *, even_moved: bool = False) -> StoreReader:
    """Open the ledger that is there, however far it has come; LedgerRefused where there is none."""
    ledger = open_at(context, place, even_moved=even_moved)
    if not exists(place, ledger):
        ledger.close()
        elsewhere = "" if context.uses_sandbox else "; PROFILECTL_LEDGER names another one"
        hint = f"the first `profilectl sync` makes it{elsewhere}"
        raise LedgerRefused(f"there is no ledger at {visible(str(place))}", hint=hint)
    return ledger


def open_sound(context: Context, place: Place, *, even_moved: bool = False) -> StoreReader:
    """Do the same; LedgerRefused also for one that other commands refuse, as it went backwards."""
    with ExitStack() as on_error:
        ledger = open_existing(context, place, even_moved=even_moved)
        on_error.callback(ledger.close)
        context.kept_heads.check(ledger, place)
        on_error.pop_all()
    return ledger


def refusal_of(context: Context, ledger: LedgerReader, place: Place) -> LedgerRefused | None:
    """Return why other commands refuse the ledger, or None."""
    try:
        context.kept_heads.check(ledger, place)
    except LedgerRefused as error:
        return error
    return None


def require_apart(file: Path, place: Place) -> None:
    """Raise UsageError for a file to write that is the ledger itself, or one of SQLite's beside it."""
    if isinstance(place, Path) and is_of_ledger(file.absolute(), place):
        raise UsageError(f"{visible(str(file))} is the ledger itself, or belongs to it", hint="choose another name")


def is_of_ledger(file: Path, place: Path) -> bool:
    """Say whether a file is a ledger's, or one that SQLite keeps beside it."""
    own = (place, *companions(place))
    return file in own or any(path.exists() and file.exists() and path.samefile(file) for path in own)
