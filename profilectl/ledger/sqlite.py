"""The default engine: one SQLite file.

The write-ahead log with ``synchronous=FULL`` makes every commit durable and lets readers such as `send` look while a
`sync` writes. That holds on a local disk only, which `location` checks before the file is opened.
"""

from __future__ import annotations

import math
import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from profilectl.errors import LedgerRefused, TryLater
from profilectl.ledger import git_tracking, lease, location, schema
from profilectl.ledger.store import Store, StoreReader
from profilectl.system import locks
from profilectl.system.files import create_private
from profilectl.system.host import actor as default_actor
from profilectl.system.host import now_ms
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.ledger.schema import Row, Value
    from profilectl.ledger.store import Execute
    from profilectl.system.locks import Holder

Result = TypeVar("Result")

BUSY_TIMEOUT = 5.0
"""Seconds that a transaction waits for another process's transaction, each of which takes about a millisecond."""

# what decides which profiles are made and destroyed; a check of the whole audit trail would take longer every year
_CHECKED = ("meta", "brands", "bindings", "listings", "intents", "retired")

_MAGIC = b"SQLite format 3\0"  # sqlite.org/fileformat2.html, section 1.3

_HINTS = {
    sqlite3.SQLITE_FULL: "free some space on the disk; what was being written has been rolled back",
    sqlite3.SQLITE_READONLY: location.MAKE_WRITABLE,
    sqlite3.SQLITE_CANTOPEN: "make the ledger and its folder readable and writable for this user",
    sqlite3.SQLITE_CORRUPT: "restore a backup of it, and remove the files next to it that end in -wal and -shm",
    sqlite3.SQLITE_NOTADB: "restore a backup of it, or point PROFILECTL_LEDGER to the right file",
}


def open_for_writing(path: Path, *, actor: str | None = None) -> Store:
    """Open a ledger, or make an empty one together with its folder; the caller closes it.

    The audit trail names the actor; by default that is the OS user and the host name.

    Raises:
        LedgerRefused: the place isn't safe (see `location`), git tracks the file, or it is damaged, no ledger,
            read-only, written by another version of profilectl, or has more in its schema than ours; nothing was
            changed.
        TryLater: another process kept the database busy.
    """
    path = path.absolute()
    try:
        location.check_disk(path.parent)
        location.prepare_folder(path.parent)
        git_tracking.require_untracked(path)
        if not os.path.lexists(path):
            location.require_no_remnant(path)
            # in its place as a whole, so that no crash leaves a database without tables
            with closing(_empty()) as empty:
                create_private(path, empty.serialize())
        location.check_file(path)
    except OSError as error:
        hint = location.of_another_user(path, _HINTS[sqlite3.SQLITE_CANTOPEN])
        location.refuse(path, f"can't be opened: {error.strerror}", hint)
    return Store(SQLiteEngine(path), actor or default_actor())


def open_for_reading(path: Path) -> StoreReader:
    """Open a ledger to look at it; the caller closes it. Nothing is created or changed, a missing ledger is empty.

    Raises:
        LedgerRefused: as `open_for_writing`; that the ledger can't be written is no reason here.
    """
    path = path.absolute()
    git_tracking.require_untracked(path)
    return StoreReader(SQLiteReader(path))


def open_backup(path: Path) -> StoreReader | None:
    """Open a copy of a ledger, which isn't in use, to look at it; the caller closes it. None for no database at all.

    It may lie in a folder that a ledger mustn't lie in, and others may read it.

    Raises:
        LedgerRefused: it is damaged, no ledger, or written by a newer profilectl; nothing was changed.
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        if not file.read(len(_MAGIC)).startswith(_MAGIC):
            return None
    return StoreReader(_BackupReader(path.absolute()))


class _Database(ABC):
    """A ledger's file while it is open."""

    _path: Path
    _connection: sqlite3.Connection

    def execute(self, statement: str, /, **values: Value) -> list[Row]:
        """Run one statement; see `store.Execute`."""
        return self._connection.execute(statement, values).fetchall()

    @abstractmethod
    def read(self, look: Callable[[Execute], Result]) -> Result:
        """Let `look` see one moment."""

    def rows(self, statement: str, /, **values: Value) -> list[Row]:
        """Return the rows of one statement."""
        return self.read(lambda execute: execute(statement, **values))

    def hides_keys(self) -> bool:
        """Return False: who may read the file reads all of it."""
        return False

    def holder(self) -> Holder | None:
        """Return the run that holds the file's lock, as it has said itself, None when none does."""
        return locks.holder_of(_lock_path(self._path))

    def close(self) -> None:
        """Let go of the file; after the last writer, SQLite moves its log into it."""
        with _explained(self._path):
            self._connection.close()


class SQLiteEngine(_Database):
    """A ledger's file, open for writing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened = _fingerprint(path)
        self._holding: str | None = None  # the command of the run that holds the lock here
        self._epoch: int | None = None  # of that run, from its first change on: who only looks leaves no trace
        self._connection = _connect(path, "mode=rw")  # not rwc: a file that has gone meanwhile isn't made anew
        with _explained(path), _closed_on_error(self._connection):
            _examine(path, self._connection)
            _set_up(path, self._connection)
            _migrate(self._connection)
            self._objects = _schema_of(self._connection)

    def read(self, look: Callable[[Execute], Result]) -> Result:
        """Let `look` see one moment, or the open transaction."""
        with _explained(self._path):
            is_writing = self._connection.in_transaction
            with nullcontext() if is_writing else _transaction(self._connection, "DEFERRED"):
                return look(self.execute)

    @contextmanager
    def transaction(self) -> Iterator[Execute]:
        """Begin a transaction that keeps other writers out."""
        with _explained(self._path), _transaction(self._connection, "IMMEDIATE"):
            if _schema_of(self._connection) != self._objects:  # somebody else's trigger would act on what is written
                _require_own_schema(self._path, self._connection)
                self._objects = _schema_of(self._connection)
            epoch = self._claim()
            yield self.execute
        self._epoch = epoch

    @contextmanager
    def erasing(self) -> Iterator[None]:
        """Overwrite with zeros what is deleted in the block, and empty the log behind it."""
        with _explained(self._path):
            self._connection.execute("PRAGMA secure_delete=ON")
            try:
                yield
            finally:
                self._connection.execute("PRAGMA secure_delete=OFF")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def require_held(self) -> None:
        """Make sure that no other run has begun since the lock was taken, as after its file was removed."""
        self.read(lambda _: self._prove())

    def seconds_held(self) -> float:
        """Return infinity: the kernel takes a lock from nobody."""
        return math.inf

    def unlock(self, holder: Holder) -> None:
        """Refuse: the kernel's lock ends with its process, and can't be taken from it."""
        hint = f"end that process: {holder.describe()}"
        location.refuse(self._path, "has a lock that ends with its process", hint)

    def _claim(self) -> int | None:
        """Return the epoch of the run that holds the lock here, which its first change takes; None without a lock."""
        if self._holding is None:
            return None
        if self._epoch is None:
            return lease.take(self.execute, self._holding, now_ms())
        self._prove()
        return self._epoch

    def _prove(self) -> None:
        if self._epoch is not None:
            lease.require(self.execute, self._epoch)

    @contextmanager
    def lock(
        self,
        max_wait: float,
        command: str,
        announce: Callable[[float, str], None] | None,
        accounts: Collection[str] = (),  # noqa: ARG002 - the kernel's lock is of the whole file
    ) -> Iterator[None]:
        """Hold the ledger against other runs on this machine; TryLater when another file lies in its place by then."""
        with locks.hold_ledger(_lock_path(self._path), max_wait, command, announce):
            opened, current = self._opened, _fingerprint(self._path)
            if opened is None or current is None or current.inode != opened.inode:  # such as a backup in its place
                raise TryLater(visible(f"{self._path} was moved or replaced meanwhile"), hint="run the command again")
            self._holding, self._epoch = command, None
            try:
                yield
            finally:
                self._holding = self._epoch = None


class SQLiteReader(_Database):
    """A ledger's file, open for reading; a missing one is an empty ledger in memory."""

    # SQLite makes files beside a database even for a connection that only reads. So a database that no writer has open
    # (it has no -wal) is read as immutable, without files or locks; a look during which it changed after all is
    # repeated, on a connection that takes part in the writer's log.

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: _Fingerprint | None = None
        self._is_copy = False
        self._open()

    def read(self, look: Callable[[Execute], Result]) -> Result:
        """Let `look` see one moment."""
        with _explained(self._path):
            if self._is_copy and self._live:  # which doesn't follow the writer of an earlier version
                self._connection.close()
                self._open()
            while True:
                try:
                    with _transaction(self._connection, "DEFERRED"):
                        result = look(self.execute)
                except Exception:  # half of a change can look like any damage, also to `look`
                    if self._seen == _fingerprint(self._path):
                        raise
                else:
                    if self._live or self._seen == _fingerprint(self._path):
                        return result
                self._connection.close()
                self._open()

    def back_up(self, draft: Path) -> None:
        """Copy what the ledger is at one moment into an empty private file, and check the copy; nobody has to wait.

        Raises:
            LedgerRefused: it can't be copied, or the copy isn't sound.
        """
        head = self.read(lambda execute: self._copied_to(draft, execute))
        with _explained(draft), closing(_connect(draft, "immutable=1")) as copy:
            for (finding,) in copy.execute("PRAGMA quick_check").fetchall():
                if finding != "ok":
                    location.refuse(draft, f"is damaged: {finding}", "look after the disk, and make another backup")
            if copy.execute(schema.GET_LAST_RECORD).fetchall() != head:
                location.refuse(draft, "isn't a copy of the ledger: its newest record is another one")

    def _copied_to(self, draft: Path, execute: Execute) -> list[Row]:
        head = execute(schema.GET_LAST_RECORD)  # with this look the moment begins that the copy is of
        # nobody else knows the draft, and on a network file system its locks may not work
        with _explained(draft), closing(_connect(draft, "mode=rw&nolock=1")) as target:
            target.execute("PRAGMA synchronous=FULL")
            self._connection.backup(target)
        return head

    def _open(self) -> None:
        former, self._seen = self._seen, _fingerprint(self._path)
        self._live = self._seen is not None and self._seen.has_log
        if self._seen is None:
            if former is not None:  # a ledger that went isn't an empty one
                raise TryLater(visible(f"{self._path} was moved away meanwhile"), hint="run the command again")
            self._connection = _empty()
            return
        location.check_disk(self._path.parent)
        location.check_folder(self._path.parent)
        location.check_file(self._path)
        self._connection = _connect(self._path, "mode=ro" if self._live else "immutable=1")
        with _explained(self._path), _closed_on_error(self._connection):
            _examine(self._path, self._connection)
            self._is_copy = _format(self._connection) not in schema.READ_AS_IS
            if self._is_copy:  # a reader changes no file, so a copy is brought up
                older, self._connection = self._connection, sqlite3.connect(":memory:", isolation_level=None)
                with closing(older):
                    older.backup(self._connection)
                _migrate(self._connection)


class _BackupReader(_Database):
    """A copy of a ledger; of one that was used as a ledger, and not closed, also what its log holds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        has_log = os.path.lexists(path.with_name(f"{path.name}-wal"))
        self._connection = _connect(path, "mode=ro" if has_log else "immutable=1")
        with _explained(path), _closed_on_error(self._connection):
            _examine(path, self._connection)

    def read(self, look: Callable[[Execute], Result]) -> Result:
        """Let `look` see the copy."""
        with _explained(self._path):
            return look(self.execute)


class EmptyReader(_Database):
    """A ledger that isn't there."""

    def __init__(self) -> None:
        self._path = Path(":memory:")
        self._connection = _empty()

    def read(self, look: Callable[[Execute], Result]) -> Result:
        """Let `look` see an empty ledger."""
        return look(self.execute)

    def holder(self) -> None:
        """Return None: nobody holds what isn't there."""


class _Fingerprint(Struct, frozen=True):
    inode: int
    size: int
    modified_ns: int
    has_log: bool


def _fingerprint(path: Path) -> _Fingerprint | None:
    """Return what changes when a writer opens or changes the file; None when there is no file."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        hint = location.of_another_user(path, _HINTS[sqlite3.SQLITE_CANTOPEN])
        location.refuse(path, f"can't be read: {error.strerror}", hint)
    has_log = os.path.lexists(path.with_name(f"{path.name}-wal"))
    return _Fingerprint(status.st_ino, status.st_size, status.st_mtime_ns, has_log)


def _lock_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _connect(path: Path, how: str) -> sqlite3.Connection:
    from urllib.parse import quote_from_bytes  # what Path.as_uri needs; from Python 3.14 on that loads urllib.request

    with _explained(path):
        address = f"file://{quote_from_bytes(os.fsencode(path))}?{how}"
        return sqlite3.connect(address, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT)


def _empty() -> sqlite3.Connection:
    """Return an empty ledger in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for statement in schema.TABLES:
        connection.execute(statement)
    connection.execute(schema.SET_FORMAT, {"format": str(schema.FORMAT)})
    return connection


def _examine(path: Path, connection: sqlite3.Connection) -> None:
    """Make sure that a database is a ledger that this version understands."""
    try:
        file_format = _format(connection)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:  # which stands for "no such table"
            raise
        file_format = None
    if file_format is None:
        hint = location.elsewhere(path, "point PROFILECTL_LEDGER to the right file")
        location.refuse(path, "is a database, but no ledger", hint)
    if file_format in {str(schema.FORMAT), *schema.MIGRATIONS}:
        _require_own_schema(path, connection)
        return
    if file_format.isdecimal() and int(file_format) < schema.FORMAT:
        hint = "set it aside; `profilectl profiles adopt` binds what is at X in a new ledger"
        what = f"was written by an early profilectl (format {file_format}) and can't be read any more"
        location.refuse(path, what, hint)
    location.refuse(path, f"was written by a newer profilectl (format {file_format})", "upgrade profilectl")


def _format(connection: sqlite3.Connection) -> str | None:
    row = connection.execute(schema.GET_FORMAT).fetchone()
    return None if row is None else str(row[0])


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring a ledger of an earlier format up to this one, whole or not at all."""
    if _format(connection) == str(schema.FORMAT):
        return
    with _transaction(connection, "IMMEDIATE"):
        # read once more: another process may have done it before the transaction began
        while statements := schema.MIGRATIONS.get(_format(connection) or ""):
            for statement in statements:
                connection.execute(statement)


def _schema_of(connection: sqlite3.Connection) -> list[tuple[str, str, str | None]]:
    return connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()


def _require_own_schema(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse what acts on a ledger's rows without us: triggers, views, and other tables and indexes than ours."""
    objects = {
        (kind, name): sql
        for kind, name, sql in _schema_of(connection)
        if not (sql is None and kind == "index" and name.startswith("sqlite_autoindex_"))  # of a primary key
    }
    own = schema.objects()
    foreign = [f"the {kind} {name}" for kind, name in objects if (kind, name) not in own]
    if objects.keys() == own.keys():  # a ledger of an earlier format has fewer, and other columns
        changed = (place for place, sql in objects.items() if not schema.is_own(own[place], schema.squeezed(sql)))
        foreign = [f"another {kind} {name}" for kind, name in changed]
    if foreign:
        hint = location.elsewhere(path, "restore a backup of it, and find out who changed it")
        location.refuse(path, f"has what no profilectl has put into it: {', '.join(sorted(foreign))}", hint)


def _set_up(path: Path, connection: sqlite3.Connection) -> None:
    """Choose durability, and make sure that the tables are sound and can be written."""
    if connection.execute("PRAGMA journal_mode=WAL").fetchone() != ("wal",):
        hint = location.elsewhere(path, "set PROFILECTL_LEDGER to a path on a local disk")
        location.refuse(path, "can't have a write-ahead log here", hint)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA fullfsync=ON")  # macOS's fsync leaves the disk's own cache alone without it
    connection.execute("PRAGMA foreign_keys=ON")  # off by default, as SQLite began without them
    for table in _CHECKED:
        for (finding,) in connection.execute(f"PRAGMA quick_check({table})").fetchall():
            if finding != "ok":
                location.refuse(path, f"is damaged: {finding}", _HINTS[sqlite3.SQLITE_CORRUPT])
    with _transaction(connection, "IMMEDIATE"):
        pass  # a ledger that can't be written says so here


@contextmanager
def _transaction(connection: sqlite3.Connection, kind: str) -> Iterator[None]:
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # the error under way says more than a failure to roll back, which closing the connection does as well
        with suppress(sqlite3.Error, KeyboardInterrupt):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise


@contextmanager
def copied(path: Path, draft: Path) -> Iterator[None]:
    """Copy a ledger, its log included, into an empty private file, durably; nobody else opens it until the block ends.

    Raises:
        LedgerRefused: it can't be copied; it is whole nevertheless.
        TryLater: another process has it open.
    """
    with _explained(path), closing(_connect(path, "mode=rw")) as source:
        source.execute("PRAGMA locking_mode=EXCLUSIVE")
        source.execute("PRAGMA synchronous=FULL")
        source.execute("PRAGMA journal_mode=DELETE")  # moves the log into the file, if nobody else has it open
        source.execute("BEGIN EXCLUSIVE")
        source.execute("COMMIT")  # which keeps the lock, in this mode, until the connection is closed
        with _explained(draft), closing(_connect(draft, "mode=rw")) as target:
            target.execute("PRAGMA synchronous=FULL")
            source.backup(target)
        yield


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error, KeyboardInterrupt):
            connection.close()
        raise


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what SQLite or its driver can't do into our own errors."""
    try:
        yield
    except (sqlite3.Error, UnicodeEncodeError, OverflowError) as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the rest are details of it
        if code == sqlite3.SQLITE_BUSY:
            what = visible(f"{path} was kept busy by another process for {BUSY_TIMEOUT:.0f} seconds")
            raise TryLater(what, hint="run the command again in a moment") from error
        raise LedgerRefused(visible(f"{path}: {error}"), hint=_HINTS.get(code)) from error
