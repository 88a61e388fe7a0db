"""The engine that machines share: a schema of a PostgreSQL database.

Nothing depends on a session: poolers hand every transaction to another one, and servers end those that wait for X for
too long. So each statement names its schema, each transaction brings its own limits along, and a connection that has
gone is replaced by another one. Writers stand in one queue, as in a file, so that the audit trail has one order.

When the answer to a commit is lost, the server is asked what became of that transaction, by its number.
"""

from __future__ import annotations

import functools
import hashlib
import math
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn, TypeVar

from profilectl.errors import LedgerRefused, TryLater
from profilectl.ledger import lease, schema
from profilectl.ledger.address import HOW_TO_LOG_IN
from profilectl.ledger.grants import KEYS_HIDDEN
from profilectl.ledger.store import Store, StoreReader
from profilectl.system.host import actor as default_actor
from profilectl.system.host import boot_time
from profilectl.system.threads import begin
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from psycopg import Connection

    from profilectl.ledger.address import PostgresAddress
    from profilectl.ledger.schema import Row, Value
    from profilectl.ledger.store import Execute
    from profilectl.secret import Secret
    from profilectl.system.locks import Holder

Result = TypeVar("Result")

_PATIENCE: Final = 15.0  # seconds in which a server may be started again
_QUEUE: Final = 20  # seconds that a transaction waits for others, each of which takes some milliseconds
_STANDSTILL: Final = 10  # seconds in which a transaction does nothing, until the server ends it: others wait for it
_LONGEST_PAUSE: Final = 1.0  # seconds between two attempts to connect
_POLL: Final = 0.5  # seconds between two looks at a lease that another run holds
_SILENCE: Final = 10_000  # milliseconds after which a server that acknowledges nothing is given up

_KINDS = "TABLE|INTO|FROM|UPDATE|JOIN|REFERENCES|ON"
_FINAL: Final = "|".join((
    *("authentication failed", "no password supplied", "does not exist", "no pg_hba.conf entry", "certificate"),
    *("does not support SSL", "permission denied for database", "not permitted to log in"),
))  # fmt: skip
_UNREACHED = "look whether the server runs and the ledger's address is right, then run the command again"
_LOG_IN = f"{HOW_TO_LOG_IN}; the keyring may hold it as well"
_AGAIN = "run the command again; nothing of what was under way was written"


def open_for_writing(
    address: PostgresAddress, *, actor: str | None = None, find_password: Callable[[], Secret | None] | None = None
) -> Store:
    """Open a ledger, or make its tables in a database that has none; the caller closes it.

    Args:
        address: of the database.
        actor: whom the audit trail names, by default the OS user and the host name.
        find_password: asked when the server wants one and libpq knows none.

    Raises:
        LedgerRefused: the server refuses this user or what it would have to do, or the tables aren't ours.
        TryLater: the server can't be reached, or is a standby.
        UsageError: TLS that isn't checked, see `PostgresAddress.parameters`; or psycopg isn't installed.
    """
    engine = PostgresEngine(_Sessions(address, find_password))
    try:
        engine.prepare()
    except BaseException:
        engine.close()
        raise
    return Store(engine, actor or default_actor())


def open_for_reading(
    address: PostgresAddress, *, find_password: Callable[[], Secret | None] | None = None
) -> StoreReader:
    """Open a ledger to look at it; the caller closes it. A database without our tables is an empty ledger.

    Raises:
        LedgerRefused, TryLater, UsageError: as `open_for_writing`.
    """
    reader = PostgresReader(_Sessions(address, find_password))
    try:
        if not reader.examine():
            from profilectl.ledger.sqlite import EmptyReader

            reader.close()
            return StoreReader(EmptyReader())
    except BaseException:
        reader.close()
        raise
    return StoreReader(reader)


class _Sessions:
    """Connections to one database, and its statements as it understands them."""

    def __init__(self, address: PostgresAddress, find_password: Callable[[], Secret | None] | None) -> None:
        self.address = address
        self._find_password = find_password
        self._password: Secret | None = None
        self.statement = functools.partial(_translated, address.schema)

    def connect(self) -> Connection[Any]:
        """Return a new connection, in which each statement is on its own until a transaction begins."""
        psycopg = _driver()
        parameters = self.address.parameters()
        try:
            return self._connect(parameters)
        except psycopg.OperationalError as error:
            if self._password is None and _wants_password(error) and self._find_password is not None:
                self._password = self._find_password()
                if self._password is not None:
                    return self._connect(parameters)
            raise

    def _connect(self, parameters: dict[str, str]) -> Connection[Any]:
        secret = {} if self._password is None else {"password": self._password.reveal()}
        options = {"connect_timeout": "10", "application_name": "profilectl", "tcp_user_timeout": str(_SILENCE)}
        # a pooler may run the next transaction in a session that doesn't know a statement prepared in this one
        connection: Connection[Any] = _driver().connect(
            **{**options, **parameters, **secret}, client_encoding="UTF8", autocommit=True, prepare_threshold=None
        )
        return connection


class _Begun(NamedTuple):
    """What a transaction learns at its beginning."""

    number: int  # by which the server knows it
    now_ms: int  # of the server's clock
    timeline: str  # another one after each failover
    since: float  # of this machine, see `boot_time`


class _Taken(NamedTuple):
    """The leases of a run, which are known by their epoch and the moment at which they were taken."""

    epoch: int
    since_ms: int  # of the server's clock
    since: float  # of this machine, see `boot_time`


class _Database:
    """A ledger in a database while it is open."""

    def __init__(self, sessions: _Sessions) -> None:
        self._sessions = sessions
        self._connection: Connection[Any] | None = None
        self._was_open = False

    def execute(self, statement: str, /, **values: Value) -> list[Row]:
        """Run one statement; see `store.Execute`."""
        cursor = self._open().execute(self._sessions.statement(statement), values)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def hides_keys(self) -> bool:
        """Say whether the role may not see the keys of the texts' digests, see `grants`."""
        hidden = self.read(lambda execute: execute(_HIDDEN.format(schema=self._sessions.address.schema)))
        return bool(hidden)

    def holder(self) -> Holder | None:
        """Return the run whose lease isn't over, None when there is none."""
        held = self.read(lambda execute: lease.held(lease.read_all(execute), self._server_ms()))
        return None if held is None else held.holder

    def read(self, look: Callable[[Execute], Result]) -> Result:
        """Let `look` see one moment; once more on another connection when it was cut off."""
        with _explained(self._sessions.address):
            end = time.monotonic() + _PATIENCE
            while True:
                self._begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                try:
                    result = look(self.execute)
                    self._open().execute("COMMIT")
                except (_driver().OperationalError, _driver().errors.IdleInTransactionSessionTimeout):
                    if not self._is_cut_off() or time.monotonic() > end:
                        raise
                else:
                    return result
                finally:
                    self._leave()

    def rows(self, statement: str, /, **values: Value) -> list[Row]:
        """Return the rows of one statement, which needs no transaction to see one moment."""
        with _explained(self._sessions.address):
            return self._on_a_connection(lambda: self.execute(statement, **values))

    def examine(self) -> str | None:
        """Return the format of our tables, None without any, and make sure that this version understands them.

        Raises:
            LedgerRefused: they are of another format, or something else acts on them.
        """
        address = self._sessions.address

        def look(_execute: Execute) -> tuple[str, list[Row]] | None:
            if not self._has_tables():
                return None
            rows = self.execute(schema.GET_FORMAT)
            foreign = self._open().execute(_foreign_objects(address.schema).encode()).fetchall()
            return str(rows[0][0]) if rows else "", foreign

        content = self.read(look)
        if content is None:
            return None
        file_format, foreign = content
        if file_format not in schema.READ_AS_IS:
            number = int(file_format) if file_format and file_format.isdecimal() else 0
            age = "an earlier" if number < schema.FORMAT else "a newer"
            what = f"was written by {age} profilectl (format {file_format or 'none'}; this one has {schema.FORMAT})"
            _refuse(address, what, "use one version on all machines")
        if foreign:
            raise _foreign_refusal(address, (str(name) for (name,) in foreign))
        return file_format

    def _has_tables(self) -> bool:
        name = f"{self._sessions.address.schema}.meta"
        return self._open().execute("SELECT to_regclass(%s)", [name]).fetchone() != (None,)

    def _server_ms(self) -> int:
        row = self._open().execute(_NOW).fetchone()
        return 0 if row is None else int(row[0])

    def _open(self) -> Connection[Any]:
        if self._connection is None:
            self._connection = self._sessions.connect()
            self._was_open = True
        return self._connection

    def _begin(self, statements: str) -> Any:
        """Run statements that begin a transaction, and return the last row."""

        def run() -> Any:
            cursor = self._open().execute(statements.encode())
            row = None
            while True:
                row = cursor.fetchone() if cursor.description else row
                if not cursor.nextset():
                    return row

        return self._on_a_connection(run)

    def _on_a_connection(self, run: Callable[[], Result]) -> Result:
        """Return what `run` returns; it is called again, on a new connection, when this one has gone."""
        # a command that begins says at once that there is no server; one that is under way gives it time to come back
        end, pause = time.monotonic() + (_PATIENCE if self._was_open else 0), 0.05
        while True:
            try:
                return run()
            except _driver().OperationalError as error:
                is_new = self._connection is None
                if not (is_new or self._is_cut_off()) or time.monotonic() > end or _is_final(error):
                    self._leave()
                    raise
                self._drop()
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            except BaseException:  # such as Ctrl-C in the queue: the connection isn't left in half a transaction
                self._leave()
                raise

    def _is_cut_off(self) -> bool:
        return self._connection is None or self._connection.broken or self._connection.closed

    def _leave(self) -> None:
        """End a transaction that is still open, by giving up its connection where that is what it takes."""
        if self._connection is None:
            return
        idle = _driver().pq.TransactionStatus.IDLE
        with suppress(_driver().Error):
            if self._connection.info.transaction_status != idle and not self._connection.broken:
                self._connection.execute("ROLLBACK")
        if self._connection.info.transaction_status != idle:
            self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(_driver().Error):
                connection.close()


class PostgresReader(_Database):
    """A ledger's database, open for reading."""


class PostgresEngine(_Database):
    """A ledger's database, open for writing."""

    def __init__(self, sessions: _Sessions) -> None:
        super().__init__(sessions)
        queue = int.from_bytes(
            hashlib.sha256(f"profilectl {sessions.address.schema}".encode()).digest()[:8], signed=True
        )
        foreign = f"ARRAY({_foreign_objects(sessions.address.schema)})"
        self._begin_writing = _BEGIN.format(queue=queue, standstill=_STANDSTILL, foreign=foreign)
        self._is_writing = False
        self._timeline: str | None = None
        self._renewal: _Renewal | None = None  # while a lock is held

    def prepare(self) -> None:
        """Make the tables where there are none, bring up earlier ones, and make sure that they are ours."""
        file_format = self.examine()
        if file_format == str(schema.FORMAT):
            return
        try:
            self._bring_up()
        except LedgerRefused as error:
            # only an admin's role may; what lacks no more than an index serves an agent as it is
            is_forbidden = isinstance(error.__cause__, _driver().errors.InsufficientPrivilege)
            if not (is_forbidden and file_format in schema.READ_AS_IS):
                raise
            return
        self.examine()

    def _bring_up(self) -> None:
        with self.transaction() as execute:
            # looked again: another machine may have done it meanwhile
            if self._has_tables():
                while statements := schema.MIGRATIONS.get(str(execute(schema.GET_FORMAT)[0][0])):
                    self._define(statements)
            else:
                self._make_schema()
                self._define(schema.TABLES)
                execute(schema.SET_FORMAT, format=str(schema.FORMAT))

    def _define(self, statements: Iterable[str]) -> None:
        for statement in statements:
            self._open().execute(_typed(self._sessions.statement(statement)).encode(), [])  # [] halves each %% again

    def _make_schema(self) -> None:
        name = self._sessions.address.schema  # the database's owner may have made it, for a role that can't
        if self._open().execute("SELECT to_regnamespace(%s)", [name]).fetchone() == (None,):
            self._open().execute(f"CREATE SCHEMA {name}".encode())

    def rows(self, statement: str, /, **values: Value) -> list[Row]:
        """Return the rows of one statement, which sees one moment, or the open transaction."""
        if not self._is_writing:
            return super().rows(statement, **values)
        with _explained(self._sessions.address):
            return self.execute(statement, **values)

    def read(self, look: Callable[[Execute], Result]) -> Result:
        """Let `look` see one moment, or the open transaction."""
        if not self._is_writing:
            return super().read(look)
        with _explained(self._sessions.address):
            return look(self.execute)

    @contextmanager
    def transaction(self) -> Iterator[Execute]:
        """Begin a transaction that keeps other writers waiting, and prove that a lock is still held."""
        with _explained(self._sessions.address):
            begun = self._begin_transaction()
            self._is_writing = True
            try:
                if self._renewal is not None:
                    self._renewal.prove(self.execute, begun.now_ms)
                yield self.execute
                self._commit(begun)
            except _driver().Error:
                self._is_writing = False
                self._leave()
                if self.seconds_held() <= 0:
                    self.require_held()  # who has taken the lease since is what a person wants to know
                raise
            finally:
                self._is_writing = False
                self._leave()
            if self._renewal is not None:
                self._renewal.note(begun.since)

    @contextmanager
    def lock(
        self,
        max_wait: float,
        command: str,
        announce: Callable[[float, str], None] | None,
        accounts: Collection[str] = (),
    ) -> Iterator[None]:
        """Hold accounts against other runs on all machines, by leases that are renewed as long as this lasts."""
        accounts = frozenset(accounts or {lease.ALL})
        self._renewal = renewal = _Renewal(self._sessions, self._take(max_wait, command, announce, accounts), accounts)
        try:
            yield
        finally:
            self._renewal = None
            renewal.end()
            with suppress(TryLater, LedgerRefused), self.transaction() as execute:  # otherwise it ends by itself
                renewal.give_back(execute)

    @contextmanager
    def erasing(self) -> Iterator[None]:
        """Do nothing: the server keeps what is overwritten until its own VACUUM has been there."""
        yield

    def require_held(self) -> None:
        """Renew the lease now; TryLater when another run has it."""
        if not self._is_writing:  # a transaction that is open has proved it at its beginning
            with self.transaction():
                pass

    def seconds_held(self) -> float:
        """Return for how long nobody else can have taken the lease."""
        return math.inf if self._renewal is None else self._renewal.seconds_left()

    def unlock(self, holder: Holder) -> None:
        """End the leases of a run, which then can't renew them."""
        with self.transaction() as execute:
            held = lease.held(lease.read_all(execute), self._server_ms())
            if held is None or held.holder != holder:
                raise TryLater(f"{holder.describe()} doesn't hold it any more", hint="run the same command again")
            accounts = [other.account for other in lease.read_all(execute) if other.epoch == held.epoch]
            now_ms = self._server_ms()
            epoch = lease.take(execute, "profilectl ledger unlock", now_ms, accounts=accounts)
            lease.renew(execute, epoch, now_ms, accounts, 0)

    def _take(
        self,
        max_wait: float,
        command: str,
        announce: Callable[[float, str], None] | None,
        accounts: Collection[str],
    ) -> _Taken:
        """Return the leases that are held then; waits `max_wait` seconds at most for other runs."""
        end, is_announced = time.monotonic() + max_wait, False
        while True:
            since = boot_time()
            with self.transaction() as execute:
                now_ms = self._server_ms()
                others = lease.held((other for other in lease.read_all(execute) if other.concerns(accounts)), now_ms)
                if others is None:
                    ttl_ms = int(lease.TTL * 1000)
                    epoch = lease.take(execute, command, now_ms, accounts=accounts, ttl_ms=ttl_ms)
                    return _Taken(epoch, now_ms, since)
            holder = others.holder.describe()
            if time.monotonic() >= end:
                raise TryLater(
                    f"the ledger is held by {holder}",
                    hint="wait for it to end, or allow more time with --max-wait; a minute after a crash it is free",
                )
            if announce is not None and not is_announced:
                announce(max_wait, f"at most: the ledger is held by {holder}")
                is_announced = True
            time.sleep(min(_POLL, max(0.0, end - time.monotonic())))

    def _begin_transaction(self) -> _Begun:
        since = boot_time()
        number, now_ms, timeline, foreign = self._begin(self._begin_writing)
        if foreign:  # it would act on what is written
            self._leave()
            raise _foreign_refusal(self._sessions.address, foreign)
        begun = _Begun(number, now_ms, timeline, since)
        if self._timeline not in {None, begun.timeline}:
            self._leave()
            raise TryLater(
                visible(f"{self._sessions.address} has failed over to another server, which may lack the last changes"),
                hint="run the command again: it compares them with what this machine remembers",
            )
        self._timeline = begun.timeline
        return begun

    def _commit(self, begun: _Begun) -> None:
        try:
            status = self._open().execute("COMMIT").statusmessage
        except _driver().OperationalError:
            self._drop()
            self._settle(begun)
            return
        if status != "COMMIT":  # a statement had failed, and whoever ran it went on all the same
            raise LedgerRefused(visible(f"{self._sessions.address}: nothing was written, as a statement had failed"))

    def _settle(self, begun: _Begun) -> None:
        """Find out what became of a transaction whose commit wasn't answered; TryLater unless it was applied."""
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                row = self._begin(f"SELECT txid_status({begun.number}), {_TIMELINE}")
            except _driver().Error:
                row = None  # such as a number that this server hasn't given out yet
            status, timeline = row or (None, begun.timeline)
            if status == "committed" and timeline == begun.timeline:
                return
            if status != "in progress" or time.monotonic() > end:
                what = "wasn't written" if status == "aborted" else "may not have been written"
                raise TryLater(
                    visible(f"{self._sessions.address}: the connection was lost, and the last change {what}"),
                    hint="run the command again: it settles what is open",
                )
            time.sleep(_POLL)


class _Renewal:
    """Renews a lease on a connection of its own, until it is ended or the lease is another run's."""

    def __init__(self, sessions: _Sessions, taken: _Taken, accounts: Collection[str]) -> None:
        self._taken = taken
        self._accounts = accounts
        self._sessions = sessions
        self._held_until = taken.since + lease.TTL  # see `boot_time`
        self._is_over = threading.Event()
        self._mutex = threading.Lock()
        self._work = begin(self._renew)

    def prove(self, execute: Execute, now_ms: int) -> None:
        """Renew in a transaction, given the server's time; TryLater when another run has taken a lease."""
        expires_ms = now_ms + int(lease.TTL * 1000)
        try:
            lease.renew(execute, self._taken.epoch, self._taken.since_ms, self._accounts, expires_ms)
        except TryLater:
            self._lose()
            raise

    def give_back(self, execute: Execute) -> None:
        """Let whatever this run still has be free for others."""
        execute(schema.RENEW_LEASES, epoch=self._taken.epoch, since_ms=self._taken.since_ms, expires_ms=0)

    def _lose(self) -> None:
        with self._mutex:
            self._held_until = -math.inf

    def note(self, since: float) -> None:
        """Take the lease as renewed by a transaction that began at that moment."""
        with self._mutex:
            self._held_until = max(self._held_until, since + lease.TTL)

    def seconds_left(self) -> float:
        """Return for how long the lease can't be another run's."""
        with self._mutex:
            return self._held_until - boot_time()

    def end(self) -> None:
        """Renew no more."""
        self._is_over.set()
        with suppress(TimeoutError):  # of a connection that is cut off; the process doesn't wait for it
            self._work.result(_PATIENCE)

    def _renew(self) -> None:
        connection: Connection[Any] | None = None
        values = {"ttl_ms": int(lease.TTL * 1000), "epoch": self._taken.epoch, "since_ms": self._taken.since_ms}
        statement = _RENEW.format(schema=self._sessions.address.schema, **values)
        while not self._is_over.wait(lease.RENEWAL):
            since = boot_time()
            try:
                connection = connection or self._sessions.connect()
                if connection.execute(statement.encode()).rowcount == len(self._accounts):
                    self.note(since)
                else:  # another run's by now, or over: only a transaction in the writers' queue may have it back
                    self._lose()
            except Exception:  # noqa: BLE001 - whatever it is, the lease is over at its time, which the run heeds
                if connection is not None:
                    connection.close()
                connection = None
        if connection is not None:
            connection.close()


_NOW = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
_BEGUN = "SELECT txid_current(), CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
_TIMELINE = "substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
_BEGIN = ";".join((
    "BEGIN ISOLATION LEVEL READ COMMITTED",
    f"SET LOCAL lock_timeout = '{_QUEUE}s'",
    "SET LOCAL idle_in_transaction_session_timeout = '{standstill}s'",
    "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'",
    "SELECT pg_advisory_xact_lock({queue})",
    f"{_BEGUN}, {_TIMELINE}, {{foreign}}",
))  # fmt: skip
_RENEW = (
    "UPDATE {schema}.leases SET expires_ms = CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) + {ttl_ms}"
    " WHERE epoch = {epoch} AND since_ms = {since_ms}"
    " AND expires_ms > CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"
)


_HIDDEN: Final = """
    SELECT 1 FROM pg_catalog.pg_policy p WHERE p.polrelid = to_regclass('{schema}.meta') AND NOT p.polpermissive
        AND row_security_active(p.polrelid)
        AND EXISTS (SELECT FROM unnest(p.polroles) AS r(role) WHERE pg_has_role(r.role, 'USAGE'))"""

# what acts on rows without us: triggers, rules, views, policies other than those of `grants`, and indexes that may
# refuse a row or run a function;
# PostgreSQL's own check foreign keys, and keep keys
_FOREIGN: Final = """
    SELECT 'the trigger ' || t.tgname FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = {space} AND NOT t.tgisinternal
    UNION ALL SELECT 'the rule ' || r.rulename FROM pg_catalog.pg_rewrite r
        JOIN pg_catalog.pg_class c ON c.oid = r.ev_class WHERE c.relnamespace = {space} AND r.rulename <> '_RETURN'
    UNION ALL SELECT 'the view ' || c.relname FROM pg_catalog.pg_class c
        WHERE c.relnamespace = {space} AND c.relkind IN ('v', 'm')
    UNION ALL SELECT 'the row security of ' || c.relname FROM pg_catalog.pg_class c
        WHERE c.relnamespace = {space} AND c.relrowsecurity AND (c.relname <> 'meta' OR EXISTS (
            SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid AND NOT COALESCE(CASE WHEN p.polpermissive
                THEN p.polcmd = '*' AND p.polwithcheck IS NULL AND pg_get_expr(p.polqual, c.oid) = 'true'
                ELSE p.polcmd = 'r' AND pg_get_expr(p.polqual, c.oid) = {hidden} END, false)))
    UNION ALL SELECT 'the index ' || c.relname FROM pg_catalog.pg_class c
        WHERE c.relnamespace = {space} AND c.relkind = 'i' AND c.relname NOT IN ({indexes})
        AND EXISTS (SELECT FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
            WHERE i.indexrelid = c.oid AND t.relname IN ({tables}))
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = c.oid)"""


@functools.cache
def _foreign_objects(schema_name: str) -> str:
    """Return the query for what is in a ledger's schema that no profilectl has put there."""
    names = {
        kind: ", ".join(f"'{name}'" for other, name in schema.objects() if other == kind) for kind in ("table", "index")
    }
    # letters, digits and underscores, see `address.is_schema_name`
    space = f"(SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = '{schema_name}')"  # noqa: S608
    hidden = "'" + KEYS_HIDDEN.replace("'", "''") + "'"
    return _FOREIGN.format(space=space, indexes=names["index"], tables=names["table"], hidden=hidden)


def _foreign_refusal(address: PostgresAddress, foreign: Iterable[str]) -> LedgerRefused:
    names = ", ".join(sorted(visible(name) for name in foreign))
    hint = "find out who changed it, and drop that; `profilectl audit verify` shows what it did"
    return LedgerRefused(visible(f"{address} has what no profilectl has put into it: {names}"), hint=hint)


@functools.cache
def _driver() -> Any:
    try:
        import psycopg
    except ImportError:
        from profilectl.errors import UsageError
        from profilectl.system.extras import how_to_install

        what = "the ledger is in PostgreSQL, and psycopg isn't installed"
        raise UsageError(what, hint=how_to_install("postgres")) from None
    return psycopg


@functools.cache
def _translated(schema_name: str, statement: str) -> str:
    """Return a statement of `schema` with its tables' schema, and its parameters as psycopg writes them."""
    tables = "|".join(name for kind, name in schema.objects() if kind == "table")
    qualified = re.sub(rf"\b({_KINDS})\s+({tables})\b", rf"\1 {schema_name}.\2", statement)
    return re.sub(r"(?<![:\w]):([a-z][a-z0-9_]*)", r"%(\1)s", qualified.replace("%", "%%"))


def _typed(statement: str) -> str:
    # ids and keys are compared byte by byte, as SQLite does, whatever the language of the database
    return statement.replace(" TEXT", ' TEXT COLLATE "C"')


def _wants_password(error: Exception) -> bool:
    return "no password supplied" in str(error)


def _is_final(error: Exception) -> bool:
    """Say whether another attempt would fail like this one, as this user, database or certificate isn't taken."""
    return re.search(_FINAL, str(error)) is not None


def _is_of_the_moment(error: Any) -> bool:
    """Say whether a server that failed may do better soon: it couldn't be reached, or ended the connection itself."""
    # classes of PostgreSQL's error codes (appendix A of its manual); an error without one never came from it
    return error.sqlstate is None or error.sqlstate[:2] in {"08", "40", "57"} or error.sqlstate == "53300"


def _refuse(address: PostgresAddress, what: str, hint: str) -> NoReturn:
    raise LedgerRefused(visible(f"{address} {what}"), hint=hint)


@contextmanager
def _explained(address: PostgresAddress) -> Iterator[None]:
    """Turn what PostgreSQL or its driver can't do into our own errors."""
    psycopg = _driver()
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        hint = "`profilectl ledger grants` shows what each role may do, and how a database's owner allows it"
        raise LedgerRefused(_sentence(address, error), hint=hint) from error
    except psycopg.errors.LockNotAvailable as error:
        what = visible(f"{address} was kept busy by other processes for {_QUEUE} seconds")
        raise TryLater(what, hint="run the command again in a moment") from error
    except psycopg.errors.IdleInTransactionSessionTimeout as error:
        what = visible(f"{address} gave up waiting for this run, which stood still while it was writing")
        raise TryLater(what, hint=_AGAIN) from error
    except (psycopg.errors.ReadOnlySqlTransaction, psycopg.errors.ObjectNotInPrerequisiteState) as error:
        hint = "it is a standby: name the primary, or both with target_session_attrs=read-write"
        raise TryLater(_sentence(address, error), hint=hint) from error
    except psycopg.OperationalError as error:
        raise _failure(address, error) from error
    except psycopg.Error as error:
        if error.sqlstate == "25P04":  # transaction_timeout of PostgreSQL 17
            raise TryLater(_sentence(address, error), hint=_AGAIN) from error
        raise LedgerRefused(_sentence(address, error)) from error
    except UnicodeError as error:  # of a host's name, or of text that the database's encoding doesn't have
        raise LedgerRefused(_sentence(address, error)) from error


def _failure(address: PostgresAddress, error: Exception) -> LedgerRefused | TryLater:
    """Return what it means that a server wasn't reached, didn't let us in, or ended the connection."""
    if _wants_password(error):
        return LedgerRefused(visible(f"no password for the ledger {address}"), hint=_LOG_IN)
    if _is_final(error) or not _is_of_the_moment(error):
        hint = _LOG_IN if "password authentication failed" in str(error) else None
        return LedgerRefused(_sentence(address, error), hint=hint)
    is_away = re.search("connection failed|failed to resolve|timeout", str(error))
    return TryLater(_sentence(address, error), hint=_UNREACHED if is_away else _AGAIN)


def _sentence(address: PostgresAddress, error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return visible(f"{address}: {lines[0] if lines else type(error).__name__}")
