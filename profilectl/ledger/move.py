"""The ledger's way out of the checkout: from ``.profilectl`` beside the roster to the user's own state folder.

A ledger belongs to the accounts in it, not to a copy of the roster. Older versions kept it beside the roster: it is
read there until a command that writes moves it, once and whole. Where that isn't sure to be right, nothing of it is
used or touched, and both places are named: git tracks it, both places have a ledger, or somebody else was the last who
wrote to it, as in an archive that was unpacked.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import NoReturn

from msgspec import Struct

from profilectl.audit import chain
from profilectl.errors import LedgerRefused, TryLater
from profilectl.ledger import git_tracking, location, schema, sqlite
from profilectl.system import locks
from profilectl.system.files import cleaned_up, create_private, sync_folder
from profilectl.system.host import is_by_this_user, user_at_host
from profilectl.text.escape import visible

MOVED_SUFFIX = ".moved-to-state"
_BEYOND = 2**63 - 1  # no sequence number is larger
_MAX_WAIT = 60.0  # seconds for another command's move, which takes well below one


class _Head(Struct, frozen=True):
    """What a ledger is about, and how far it has come: the hosts of its accounts, its newest audit record."""

    hosts: frozenset[str]
    seq: int = 0
    hash: str = ""
    actor: str = ""  # who made that record


def path_to_read(old: Path, new: Path, host: str) -> Path:
    """Return where the ledger is; nothing is changed.

    That is beside the roster (old) or in the user's state folder (new), where either may be missing. The host of X
    stands without a port.

    Raises:
        LedgerRefused: both exist, and the new one isn't what became of the old one; the old one isn't sure to be ours;
            or one can't be read.
    """
    head = _head(old, new)
    if head is None or host not in head.hosts:
        return new
    if not os.path.lexists(new):
        _require_own_hand(old, new, head)
        return old
    _require_continuation(old, new, head)
    return new


def move_old_ledger(
    old: Path, new: Path, host: str, command: str, announce: Callable[[float, str], None] | None = None
) -> str | None:
    """Move the ledger beside the roster to the state folder, unless there is none, or it is about another X.

    The old file keeps its content under another name. A run that is killed in between is finished by the next one.
    Places and host are those of `path_to_read`, command and announcement those of `Ledger.lock`.

    Returns:
        A sentence for the person; None when there was nothing to move.

    Raises:
        LedgerRefused: git tracks the old ledger, somebody else wrote to it last, it is about several X, both places
            have a ledger, or the disk refuses; nothing was changed.
        TryLater: another process has one of them open.
    """
    head = _head(old, new)
    if head is None or host not in head.hosts:  # the ledger of another X stays for the runs with that one
        return None
    try:
        if os.path.lexists(new):
            _require_continuation(old, new, head)
        else:
            _require_movable(old, new, head)
        location.check_disk(new.parent)
        location.prepare_folder(new.parent)
        # always in this order: two runs that each hold one of them would wait for the other
        with _held(old, command, announce), _held(new, command, announce):
            return _move(old, new)
    except OSError as error:
        location.refuse(old, f"can't be moved to {new}: {error.strerror}", _how_to_stay(old))


def _move(old: Path, new: Path) -> str | None:
    head = _head(old, new)  # once more, under both locks: another process may have moved it before we got them
    if head is None:
        return None
    if os.path.lexists(new):
        _require_continuation(old, new, head)
        kept = _set_aside(old)
        return visible(f"the ledger is {new} now; the copy beside the roster is {kept.name} from now on")
    with _draft(new.parent) as draft, sqlite.copied(old, draft):
        with draft.open("rb") as file:  # the only ledger from now on, so this isn't left to the backup's own care
            os.fsync(file.fileno())
        try:
            new.hardlink_to(draft)  # unlike a rename, it never replaces
        except FileExistsError:
            _refuse_both(old, new)
        sync_folder(new.parent)  # before the old name goes, or a power cut could leave neither
        kept = _set_aside(old)
    return visible(
        f"the ledger was moved from {old} to {new}, where every copy of the roster uses it ({kept.name} is left)"
    )


def _set_aside(old: Path) -> Path:
    """Give the old ledger a name under which nobody looks for one, and return it."""
    endings = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    names = (old.with_name(f"{old.name}{MOVED_SUFFIX}{ending}") for ending in endings)
    kept = next(path for path in names if not os.path.lexists(path))  # a rename would replace an earlier one
    old.rename(kept)
    sync_folder(old.parent)
    return kept


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    draft = folder / f".ledger.{os.urandom(8).hex()}.new"

    def remove() -> None:
        for suffix in ("", "-journal"):
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)

    with cleaned_up(remove):
        create_private(draft, b"")  # SQLite would make it with the rights that the umask leaves
        yield draft


def _held(ledger: Path, command: str, announce: Callable[[float, str], None] | None) -> AbstractContextManager[None]:
    return locks.hold_ledger(ledger.with_name(f"{ledger.name}.lock"), _MAX_WAIT, command, announce)


def _head(old: Path, new: Path) -> _Head | None:
    if _is_missing(old):
        return None
    # before it is opened: whoever may write to the repository wrote it, or a colleague, who has moved theirs already
    git_tracking.require_untracked(old, f"so it is neither read nor moved to {new}", f"remove it; {_how_to_stay(old)}")
    try:
        hosts, last = _newest(old)
    except TryLater:
        if _is_missing(old):  # another command has moved it at this very moment
            return None
        raise
    names = frozenset(host for (host,) in hosts)
    records = [chain.Record(*row) for row in last]
    return next((_Head(names, record.seq, record.hash, record.actor) for record in records), _Head(names))


def _newest(ledger: Path) -> tuple[list[schema.Row], list[schema.Row]]:
    """Return the hosts that a ledger is about, and its newest record, of one moment."""
    with closing(sqlite.SQLiteReader(ledger.absolute())) as reader:
        return reader.read(
            lambda execute: (execute(schema.GET_HOSTS), execute(schema.GET_RECORDS_BACKWARDS, before=_BEYOND, limit=1))
        )


def _is_missing(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:  # such as a folder that can't be entered: opening the ledger says what is wrong
        return False
    return False


def _require_continuation(old: Path, new: Path, head: _Head) -> None:
    """Make sure that the new ledger holds every record of the old one, as after a move that was cut short."""
    # each record's hash covers all before it, so the last one speaks for them
    with closing(sqlite.SQLiteReader(new.absolute())) as reader:
        rows = reader.read(lambda execute: execute(schema.GET_RECORDS, after=head.seq - 1, limit=1))
    if not rows or (rows[0][0], rows[0][2]) != (head.seq, head.hash):
        _refuse_both(old, new)


def _refuse_both(old: Path, new: Path) -> NoReturn:
    raise LedgerRefused(
        visible(f"there are two ledgers, {old} beside the roster and {new}, and each knows what the other doesn't"),
        hint=visible(f"set PROFILECTL_LEDGER to the right one, or move the other one away; {_how_to_stay(old)}"),
    )


def _require_own_hand(old: Path, new: Path, head: _Head) -> None:
    """Make sure that this user wrote the old ledger, on this machine; what was unpacked there names somebody else."""
    if not is_by_this_user(head.actor):
        what = f"was last written by {head.actor}, not by {user_at_host()}, so it is neither read nor moved to {new}"
        location.refuse(old, what, f"remove it unless it is yours; {_how_to_stay(old)}")


def _require_movable(old: Path, new: Path, head: _Head) -> None:
    _require_own_hand(old, new, head)
    if len(head.hosts) > 1:
        hosts = ", ".join(sorted(head.hosts))
        location.refuse(old, f"holds accounts of several X ({hosts}), so it can't be moved to {new}", _how_to_stay(old))


def _how_to_stay(old: Path) -> str:
    return f"PROFILECTL_LEDGER={old} uses it where it is"
