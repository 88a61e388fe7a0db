"""The ledger's way out of the checkout: from ``.profilectl`` beside the roster to the user's own state folder.

A ledger belongs to the accounts in it, not to a copy of the roster. Older versions kept it beside the roster: it is
read there until a command that writes moves it, once and whole. Where that isn't sure to be right (git tracks it, or
both places have a ledger), nothing is touched and both are named.
"""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import NamedTuple, NoReturn

from profilectl.errors import LedgerRefused
from profilectl.ledger import location, schema, sqlite
from profilectl.system import locks
from profilectl.system.files import cleaned_up, create_private, sync_folder
from profilectl.text.escape import visible

MOVED_SUFFIX = ".moved-to-state"
_MAX_WAIT = 60.0  # seconds for another command's move, which takes well below one


class _Head(NamedTuple):
    """What a ledger is about, and how far it has come: the hosts of its accounts, its newest audit record."""

    hosts: frozenset[str]
    seq: int
    hash: str


def path_to_read(old: Path, new: Path, host: str) -> Path:
    """Return where the ledger is; nothing is changed.

    That is beside the roster (old) or in the user's state folder (new), where either may be missing. The host of X
    stands without a port.

    Raises:
        LedgerRefused: both exist, and the new one isn't what became of the old one; or one can't be read.
    """
    head = _head(old)
    if head is None or host not in head.hosts:
        return new
    if not os.path.lexists(new):
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
        LedgerRefused: git tracks the old ledger, it is about several X, both places have a ledger, or the disk refuses;
            nothing was changed.
        TryLater: another process has one of them open.
    """
    head = _head(old)
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
    head = _head(old)  # once more, under both locks: another process may have moved it before we got them
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


def _head(path: Path) -> _Head | None:
    if _is_missing(path):
        return None
    with closing(sqlite.SQLiteReader(path.absolute())) as reader:
        hosts, last = reader.read(lambda execute: (execute(schema.GET_HOSTS), execute(schema.GET_LAST_RECORD)))
    return _Head(frozenset(host for (host,) in hosts), *(last[0] if last else (0, "")))


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


def _require_movable(old: Path, new: Path, head: _Head) -> None:
    if len(head.hosts) > 1:
        hosts = ", ".join(sorted(head.hosts))
        location.refuse(old, f"holds accounts of several X ({hosts}), so it can't be moved to {new}", _how_to_stay(old))
    tracked = _is_tracked(old)  # one that is may be a colleague's, who has moved theirs already
    if tracked is None:
        what = f"may be tracked by git, which can't be asked, so it isn't moved to {new}"
        location.refuse(old, what, _how_to_stay(old))
    if tracked:
        hint = f"`git rm --cached {old}` if the ledger is yours and not a colleague's; {_how_to_stay(old)}"
        location.refuse(old, f"is tracked by git, so it isn't moved to {new}", hint)


def _how_to_stay(old: Path) -> str:
    return f"PROFILECTL_LEDGER={old} uses it where it is"


def _is_tracked(path: Path) -> bool | None:
    """Ask git whether it tracks a file; None when there is a repository and no answer."""
    folder = path.parent.resolve()
    if not any(os.path.lexists(parent / ".git") for parent in (folder, *folder.parents)):
        return False
    # not the repository that a hook runs for is asked, and none of the programs that a repository can name is started
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    words = ["git", "-c", "core.fsmonitor=false", "ls-files", "--error-unmatch", "--", path.name]
    try:
        answer = subprocess.run(  # noqa: S603 - constant words; the name follows "--"
            words, cwd=folder, env=environ, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {0: True, 1: False}.get(answer.returncode)
