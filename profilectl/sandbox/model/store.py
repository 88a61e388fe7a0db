"""Where a world lives: one SQLite database, in memory or in a file that several processes may share."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

MEMORY = ":memory:"
MAX_ID = 2**63 - 1  # above every id
_SNOWFLAKE_EPOCH_MS = 1_288_834_974_657  # the zero of X's 64-bit ids, 4 November 2010
_BUSY_SECONDS = 30
_FURTHEST_SECONDS = 10 * 365 * 86_400  # ahead of the present: far enough for every expiry, never beyond the year 9999

_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
INSERT OR IGNORE INTO meta VALUES ('clock_offset', 0), ('serial', 0);
CREATE TABLE IF NOT EXISTS accounts (
  user_id TEXT PRIMARY KEY, handle TEXT NOT NULL UNIQUE COLLATE NOCASE, is_brand INTEGER NOT NULL,
  allowlisted INTEGER NOT NULL, access_level TEXT NOT NULL, reachable INTEGER NOT NULL, created_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tokens (
  token TEXT PRIMARY KEY, secret TEXT NOT NULL, user_id TEXT NOT NULL, access_level TEXT NOT NULL,
  revoked INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS request_tokens (
  token TEXT PRIMARY KEY, secret TEXT NOT NULL, ceiling TEXT NOT NULL, user_id TEXT, pin TEXT,
  spent INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS nonces (
  token TEXT, stamp INTEGER, nonce TEXT, PRIMARY KEY (token, stamp, nonce)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS nonces_by_age ON nonces (stamp);
CREATE TABLE IF NOT EXISTS media (
  id TEXT PRIMARY KEY, user_id TEXT NOT NULL, key TEXT NOT NULL UNIQUE, media_type TEXT NOT NULL, total_bytes INTEGER,
  width INTEGER, height INTEGER, expires_ms INTEGER NOT NULL, content BLOB);
CREATE TABLE IF NOT EXISTS chunks (media_id TEXT, segment INTEGER, content BLOB, PRIMARY KEY (media_id, segment));
CREATE TABLE IF NOT EXISTS profiles (
  id INTEGER PRIMARY KEY AUTOINCREMENT, user_id TEXT NOT NULL, name TEXT NOT NULL, media_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL, listed_ms INTEGER NOT NULL, destroyed_ms INTEGER);
CREATE INDEX IF NOT EXISTS profiles_by_owner ON profiles (user_id, id);
CREATE TABLE IF NOT EXISTS late_profiles (
  id INTEGER PRIMARY KEY, due_ms INTEGER NOT NULL, user_id TEXT NOT NULL, name TEXT NOT NULL, media_id TEXT NOT NULL);
INSERT INTO sqlite_sequence SELECT 'profiles', 100000
  WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'profiles');
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY, created_ms INTEGER NOT NULL, sender_id TEXT NOT NULL, recipient_id TEXT NOT NULL,
  text TEXT NOT NULL, profile_id INTEGER, media_id TEXT, quick_reply TEXT, by_app INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS message_extras (message_id INTEGER PRIMARY KEY, ctas TEXT, response TEXT);
CREATE TABLE IF NOT EXISTS typing (
  sender_id TEXT, recipient_id TEXT, until_ms INTEGER NOT NULL, PRIMARY KEY (sender_id, recipient_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS messages_by_pair ON messages (sender_id, recipient_id, created_ms);
CREATE INDEX IF NOT EXISTS messages_by_recipient ON messages (recipient_id, id);
CREATE TABLE IF NOT EXISTS feedback (
  id INTEGER PRIMARY KEY, created_ms INTEGER NOT NULL, type TEXT NOT NULL, dm_id INTEGER NOT NULL,
  from_user_id TEXT NOT NULL, to_user_id TEXT NOT NULL, privacy_url TEXT NOT NULL, external_id TEXT NOT NULL,
  question_variant_id INTEGER NOT NULL, display_name TEXT NOT NULL, test INTEGER NOT NULL,
  score INTEGER, text TEXT, answered_ms INTEGER);
CREATE INDEX IF NOT EXISTS feedback_by_sender ON feedback (from_user_id, to_user_id);
CREATE TABLE IF NOT EXISTS feedback_forbidden (user_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS welcome_messages (
  id INTEGER PRIMARY KEY, created_ms INTEGER NOT NULL, user_id TEXT NOT NULL, text TEXT NOT NULL, profile_id TEXT);
CREATE TABLE IF NOT EXISTS windows (
  family TEXT, holder TEXT, opened REAL NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (family, holder)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS faults (id INTEGER PRIMARY KEY AUTOINCREMENT, rule TEXT NOT NULL, seen INTEGER NOT NULL);
"""
_FORGOTTEN_ON_RESET = (
    *("nonces", "media", "chunks", "profiles", "messages", "message_extras", "windows", "faults", "request_tokens"),
    *("feedback", "feedback_forbidden", "late_profiles", "typing", "welcome_messages"),
)
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_OPEN_TO_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_COMPANIONS = ("-wal", "-shm", "-journal")
# What SQLite complains of when nothing is wrong with the file itself, as the system would say it.
_ERRNOS = {
    sqlite3.SQLITE_READONLY: errno.EACCES,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_BUSY: errno.EAGAIN,
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_IOERR: errno.EIO,
}


class WorldUnreadable(Exception):
    """The file is no world of a sandbox, or is damaged."""

    def __init__(self, path: str, why: object) -> None:
        super().__init__(f"{path} can't be used as a world of the sandbox: {why}")


class WorldOpenToOthers(WorldUnreadable):
    """Another user of the machine can read or replace the world, or made it; `remedy` says what helps."""

    def __init__(self, path: str, why: str, remedy: str) -> None:
        super().__init__(path, why)
        self.path, self.why, self.remedy = path, why, remedy


class Store:
    """One connection behind one lock; every thread of a process goes through it, processes meet in the file.

    Raises WorldUnreadable if the file holds something else, WorldOpenToOthers if it isn't this user's alone, OSError if
    the system refuses it and it may be a world.
    """

    def __init__(self, path: str, now: Callable[[], float]) -> None:
        self._clock = now
        self._lock = threading.RLock()
        if path != MEMORY:
            _require_private(path)
        is_new = path != MEMORY and _create_private(path)
        try:
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        except sqlite3.DatabaseError as error:
            raise _error_from(path, error) from error
        self._connection.row_factory = sqlite3.Row
        try:
            self._prepare(is_new)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise _error_from(path, error) from error

    def _prepare(self, is_new: bool) -> None:
        # A killed process loses nothing without forced commits; a power cut may lose the newest calls of a rehearsal.
        self._connection.execute("PRAGMA synchronous=OFF")
        if is_new:
            # Another process may already be inside; then the slower journal does as well.
            with contextlib.suppress(sqlite3.OperationalError):
                self._connection.execute("PRAGMA journal_mode=WAL")
        with self.transaction():
            for statement in _SCHEMA.split(";"):
                self._connection.execute(statement)

    def close(self) -> None:
        """Close the file; closing twice is allowed."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and nobody else writes meanwhile; an inner transaction is part of the outer one."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            # IMMEDIATE, as two processes that both read first and write then would refuse each other without waiting.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.commit()

    def change(self, sql: str, *values: object) -> int:
        """Run one writing statement and return the number of rows it touched."""
        with self._lock:
            return self._connection.execute(sql, values).rowcount

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Every row of a query."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        return next(iter(self.rows(sql, *values)), None)

    def meta(self, key: str, default: Any = None) -> Any:
        """A fact about the whole world, or `default`."""
        row = self.row("SELECT value FROM meta WHERE key = ?", key)
        return default if row is None else row["value"]

    def set_meta(self, key: str, value: object) -> None:
        """Remember a fact about the whole world."""
        self.change("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)

    def now(self) -> float:
        """The world's time: epoch seconds of the clock, plus all the seconds it was advanced."""
        return self._clock() + float(self.meta("clock_offset"))

    def now_ms(self) -> int:
        """The world's time in whole epoch milliseconds."""
        return int(self.now() * 1000)

    def advance(self, seconds: float) -> None:
        """Move time forward for every process that shares the world; ValueError if backwards or too far ahead."""
        with self.transaction():
            ahead = float(self.meta("clock_offset"))
            if not 0 <= seconds <= _FURTHEST_SECONDS - ahead:
                raise ValueError("time only moves forward, and at most ten years ahead of the present")
            self.set_meta("clock_offset", ahead + seconds)

    def next_id(self) -> int:
        """A 64-bit id as X makes them: time in the high bits, never the same twice."""
        # The serial counts on within a millisecond and when the clock stands still, so that ids never repeat.
        with self.transaction() as connection:
            connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'serial'")
            serial = int(self.meta("serial"))
        return (max(self.now_ms() - _SNOWFLAKE_EPOCH_MS, 0) << 22) | (serial & 0x3FFFFF)

    def reset(self) -> None:
        """Forget everything except the accounts and their credentials; approve them, and come back to the present."""
        with self.transaction() as connection:
            for table in _FORGOTTEN_ON_RESET:
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names from the tuple above, nobody's input
            connection.execute("UPDATE accounts SET allowlisted = 1")
            self.set_meta("clock_offset", 0)


def _create_private(path: str) -> bool:
    """Make the file readable by its owner only, and return False if it exists; WorldUnreadable if it is no file."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        # The file isn't opened: closing it again would drop the locks that SQLite holds on it in this process (POSIX
        # locks belong to the process). And SQLite would follow a link, to make or change somebody else's file.
        if not stat.S_ISREG(os.lstat(path).st_mode):
            raise WorldUnreadable(path, "it isn't a regular file") from None
        return False
    return True


def _require_private(path: str) -> None:
    """Look who else may reach a world, which holds credentials: WorldOpenToOthers; before anything is made or read."""
    folder = Path(path).absolute().parent
    mode = folder.stat().st_mode
    if mode & _WRITABLE_BY_OTHERS and not mode & stat.S_ISVTX:
        raise WorldOpenToOthers(
            path, "lies where other users could replace it", f"chmod go-w {shlex.quote(str(folder))}"
        )
    for file in (path, *(path + suffix for suffix in _COMPANIONS)):
        try:
            status = os.lstat(file)
        except FileNotFoundError:
            continue
        if status.st_uid not in {0, os.geteuid()}:
            raise WorldOpenToOthers(file, f"belongs to another user (uid {status.st_uid})", "take another file")
        # What SQLite finds beside a world it reads into it, and a link it follows.
        if file != path and not stat.S_ISREG(status.st_mode):
            raise WorldOpenToOthers(file, "isn't a regular file", f"remove {shlex.quote(file)}")
        if stat.S_ISREG(status.st_mode) and status.st_mode & _OPEN_TO_OTHERS:
            remedy = f"if it is yours: chmod 600 {shlex.quote(file)}"
            raise WorldOpenToOthers(file, "can be read or changed by other users", remedy)


def _error_from(path: str, error: sqlite3.DatabaseError) -> WorldUnreadable | OSError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF  # the rest are details of it
    number = _ERRNOS.get(code)
    return WorldUnreadable(path, error) if number is None else OSError(number, os.strerror(number), path)
