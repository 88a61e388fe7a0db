"""Private PostgreSQL servers for tests: a cluster, a pooler in front of it, a standby behind it.

Nothing here touches the system's own clusters. Every server has a folder of its own below /tmp, whose path is short
enough for a Unix socket, and ends with the process that started it, whatever ends that: start it from a thread that
lasts, for the kernel counts the end of that thread.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.patience import until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

USER = "postgres"  # the OS user when we are root, for whom PostgreSQL refuses to run; and the superuser of a cluster
ROLES = (USER, "admin", "agent", "reader")
"""Whom a pooler lets in by default: the superuser, and the users of a ledger, whom a test makes as it needs them."""

_STOPS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_SETTINGS = {
    "max_connections": "420",  # three hundred senders, and what looks after them
    "shared_buffers": "16MB",
    "dynamic_shared_memory_type": "mmap",  # in its own folder, so that a killed one leaves nothing in /dev/shm
    "fsync": "off",  # a killed process loses nothing by it, only a machine would
    "autovacuum": "off",
    "log_line_prefix": "'%m [%p] %a %u@%d '",
    "hot_standby": "on",
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "200ms",
}


def why_not() -> str | None:
    """Return why this machine can't run a private PostgreSQL, None when it can."""
    if not _programs():
        return "PostgreSQL's initdb isn't installed"
    return _why_nobody_else("PostgreSQL")


def why_no_pooler() -> str | None:
    """Return why this machine can't run PgBouncer, None when it can."""
    if _pooler() is None:
        return "PgBouncer isn't installed"
    return _why_nobody_else("PgBouncer")


class PostgresServer:
    """A private cluster, running inside of a ``with`` block.

    Attributes:
        folder: everything of the server: `data`, the socket, the log, with `tls` the certificates.
        port: of 127.0.0.1, and of the socket.
        ca: the certificate that `tls` is checked with, for the names localhost and 127.0.0.1.
    """

    def __init__(self, *, tls: bool = False, auth: str = "trust", fsync: bool = False, **settings: str) -> None:
        """Describe a cluster; `auth` is how roles log in over TCP, the superuser needs no password on the socket."""
        self.folder = Path()
        self.port = 0
        self.pid = 0
        self._tls = tls
        self._auth = auth
        self._settings = _SETTINGS | ({"fsync": "on"} if fsync else {}) | settings
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count(1)

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="profilectl-pg-", dir="/tmp"))
        try:
            _give_away(self.folder)
            self._create()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop("immediate")
        self._release_memory()
        shutil.rmtree(self.folder)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def log(self) -> str:
        """Return what the server has logged so far."""
        return (self.folder / "log").read_text("utf-8", errors="replace")

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def address(self, *, user: str = USER, database: str = USER, host: str = "127.0.0.1", query: str = "") -> str:
        """Return how a client reaches a database; with a path as `host`, by the socket in that folder."""
        if host.startswith("/"):
            query = "&".join(filter(None, [f"host={host}&port={self.port}", query]))
            return f"postgresql://{user}@/{database}?{query}"
        return f"postgresql://{user}@{host}:{self.port}/{database}" + (f"?{query}" if query else "")

    @contextlib.contextmanager
    def connected(self, database: str = USER) -> Iterator[Any]:
        """Open a superuser's connection in which every statement is a transaction."""
        import psycopg

        where = {"host": str(self.folder), "port": self.port, "user": USER, "dbname": database}
        connection = psycopg.connect(**where, autocommit=True, connect_timeout=10)
        with contextlib.closing(connection):
            yield connection

    def execute(self, statement: str, *values: Any, database: str = USER) -> list[tuple[Any, ...]]:
        """Run one statement as the superuser and return its rows."""
        with self.connected(database) as connection:
            cursor = connection.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def fresh_database(self, owner: str = USER) -> str:
        """Make an empty database and return its name."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} OWNER {owner}")
        return name

    def add_role(self, name: str, password: str | None = None) -> None:
        """Make a role that may log in and nothing else, unless it is there."""
        if not self.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", name):
            self.execute(f"CREATE ROLE {name} LOGIN" + (f" PASSWORD '{password}'" if password else ""))

    def set(self, name: str, value: str) -> None:
        """Change a setting for all connections, those that are open included."""
        self.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        self._reload()

    def reset(self, name: str) -> None:
        """Take a change of `set` back."""
        self.execute(f"ALTER SYSTEM RESET {name}")
        self._reload()

    def terminate_connections(self, where: str = "true") -> int:
        """End all clients' connections, or those of which a condition on ``pg_stat_activity`` holds; return how many.

        Args:
            where: such as ``usename = 'admin'``.
        """
        condition = f"backend_type = 'client backend' AND pid <> pg_backend_pid() AND ({where})"
        return len(self.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {condition}"))

    def dump(self, database: str) -> str:
        """Return a database as the SQL that makes it anew, which is what a nightly backup is."""
        return self._tool("pg_dump", "--clean", "--if-exists", "--dbname", database)

    def restore(self, database: str, dumped: str) -> None:
        """Put a dump in the place of what a database has now, in one transaction."""
        self._tool(
            "psql", "--quiet", "--single-transaction", "--set", "ON_ERROR_STOP=1", "--dbname", database, stdin=dumped
        )

    def start(self) -> None:
        """Start the server, and return when it takes connections."""
        with (self.folder / "log").open("ab") as log:
            self._process = _start([*_as_user(), str(_programs() / "postgres"), "-D", str(self.data)], self.folder, log)
        self.pid = self._process.pid  # setpriv becomes the server
        until(self._answers, "the start of PostgreSQL")

    def stop(self, mode: str = "fast") -> None:
        """Let the server end: "smart" waits for its clients, "fast" lets them go, "immediate" checks nothing in."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(_STOPS[mode])
        self._wait()

    def kill(self) -> None:
        """Kill the server and every process of it, as a power cut does; `start` repairs what they left."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split() if self.is_running else []
        for pid in (self.pid, *map(int, children)) if self.is_running else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not any(_runs(pid) for pid in map(int, children)), "the end of the server's processes")
        self._wait()

    def _wait(self) -> None:
        if self._process is not None:
            self._process.wait(60)
            self._process = None

    def _create(self) -> None:
        command = [str(_programs() / "initdb"), "-D", str(self.data), "--username", USER, "--auth", "trust"]
        _run([*_as_user(), *command, "--no-sync", "--encoding=UTF8", "--locale=C", "--no-instructions"], self.folder)
        with (self.data / "pg_hba.conf").open("w") as rules:
            rules.write("local all all trust\nlocal replication all trust\n")
            rules.write(f"{'hostssl' if self._tls else 'host'} all all 127.0.0.1/32 {self._auth}\n")
        if self._tls:
            _make_certificates(self.folder)
        self._configure()

    def _configure(self) -> None:
        """Write the settings, with a port that is free now."""
        self.port = free_port()
        own = {
            "port": str(self.port),
            "listen_addresses": "'127.0.0.1'",
            "unix_socket_directories": f"'{self.folder}'",
            "ssl": "on" if self._tls else "off",
            "ssl_cert_file": f"'{self.folder / 'server.crt'}'",
            "ssl_key_file": f"'{self.folder / 'server.key'}'",
        }
        lines = [f"{name} = {value}\n" for name, value in (self._settings | own).items()]
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(lines)

    def _answers(self) -> bool:
        import psycopg

        if not self.is_running:
            raise AssertionError(f"PostgreSQL didn't start:\n{self.log[-2000:]}")
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _reload(self) -> None:
        """Let the server read its settings again, and wait until new connections have them."""
        before = self.execute("SELECT pg_conf_load_time()")
        self.execute("SELECT pg_reload_conf()")
        until(lambda: self.execute("SELECT pg_conf_load_time()") != before, "the new settings")

    def _tool(self, name: str, *words: str, stdin: str = "") -> str:
        where = ["--host", str(self.folder), "--port", str(self.port), "--username", USER]
        return _run([str(_programs() / name), *where, *words], self.folder, stdin=stdin)

    def _release_memory(self) -> None:
        """Free the few shared bytes that a killed server leaves in the kernel, whose number is in its pid file."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            if len(lines) > 6 and (number := lines[6].split()[1:]):
                subprocess.run(["ipcrm", "-m", *number], check=False, capture_output=True, timeout=60)


class Replica(PostgresServer):
    """An asynchronous standby of a server: it streams whatever that commits, until it is promoted."""

    def __init__(self, primary: PostgresServer) -> None:
        super().__init__(tls=primary._tls, auth=primary._auth)
        self.primary = primary

    def _create(self) -> None:
        source = ["--host", str(self.primary.folder), "--port", str(self.primary.port), "--username", USER]
        command = [str(_programs() / "pg_basebackup"), *source, "-D", str(self.data), "--checkpoint=fast", "--no-sync"]
        _run([*_as_user(), *command, "--write-recovery-conf"], self.folder)
        for name in ("ca.crt", "server.crt", "server.key") if self._tls else ():
            shutil.copy2(self.primary.folder / name, self.folder / name)
            _give_away(self.folder / name)
        self._configure()

    def catch_up(self) -> None:
        """Wait until the standby has all that the primary has."""
        ((end,),) = self.primary.execute("SELECT pg_current_wal_lsn()::text")
        until(lambda: self.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", end) == [(True,)], "the standby")

    def fall_behind(self) -> None:
        """Catch up, then receive nothing any more: what the primary commits from now on is missing here."""
        self.catch_up()
        self.set("primary_conninfo", "")
        until(lambda: not self.execute("SELECT 1 FROM pg_stat_wal_receiver WHERE pid IS NOT NULL"), "the last byte")

    def promote(self) -> None:
        """Make the standby a server of its own, and return when it can be written."""
        assert self.execute("SELECT pg_promote(true, 60)") == [(True,)]
        self.execute("ALTER SYSTEM RESET primary_conninfo")


class PgBouncer:
    """A pooler in transaction mode before a server, inside of a ``with`` block; otherwise as Debian sets it up.

    Attributes:
        port: of 127.0.0.1.
    """

    def __init__(
        self, server: PostgresServer, users: Iterable[str] = ROLES, *, pool_size: int = 20, **settings: str
    ) -> None:
        """Describe a pooler that lets these roles in, over at most `pool_size` connections for each and database."""
        self.folder = Path()
        self.port = 0
        self._server = server
        self._users = list(users)
        self._settings = {"default_pool_size": str(pool_size), "max_client_conn": "1000"} | settings
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="profilectl-pb-", dir="/tmp"))
        self.port = free_port()
        try:
            self._write()
            _give_away(self.folder)
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def address(self, *, user: str = USER, database: str = USER, query: str = "") -> str:
        """Return how a client reaches a database through the pooler."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}" + (f"?{query}" if query else "")

    def start(self) -> None:
        """Start the pooler, and return when it takes connections."""
        with (self.folder / "log").open("ab") as log:
            self._process = _start([*_as_user(), str(_pooler()), str(self.folder / "pgbouncer.ini")], self.folder, log)
        until(self._listens, "the start of PgBouncer")

    def stop(self) -> None:
        """End the pooler and its connections at once."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def point_to(self, server: PostgresServer) -> None:
        """Stand before another server from now on, as after a failover."""
        self._server = server
        self._write()
        _give_away(self.folder)
        self.stop()
        self.start()

    def _write(self) -> None:
        options = {
            "listen_addr": "127.0.0.1",
            "listen_port": str(self.port),
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": str(self.folder / "users"),
            "pool_mode": "transaction",
        }
        lines = [f"{name} = {value}" for name, value in (options | self._settings).items()]
        text = "\n".join(["[databases]", f"* = host=127.0.0.1 port={self._server.port}", "[pgbouncer]", *lines, ""])
        (self.folder / "pgbouncer.ini").write_text(text)
        (self.folder / "users").write_text("".join(f'"{user}" ""\n' for user in self._users))

    def _listens(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise AssertionError(f"PgBouncer didn't start:\n{(self.folder / 'log').read_text()[-2000:]}")
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody has now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _programs() -> Path | None:
    """Return the folder of the newest installed PostgreSQL's programs."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(re.sub(r"\D", "", path.parts[4]) or 0)
    )
    on_path = shutil.which("initdb")
    program = installed[-1] if installed else Path(on_path).resolve() if on_path else None
    return program and program.parent


def _pooler() -> str | None:
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def _why_nobody_else(program: str) -> str | None:
    if shutil.which("setpriv") is None:
        return "setpriv isn't installed"
    if os.geteuid() == 0 and not _has_user():
        return f"{program} doesn't run as root, and there is no user {USER}"
    return None


def _has_user() -> bool:
    import pwd

    with contextlib.suppress(KeyError):
        return bool(pwd.getpwnam(USER))
    return False


def _as_user() -> list[str]:
    """Return what a command begins with so that it runs as somebody who may, and ends when the tests do."""
    who = [f"--reuid={USER}", f"--regid={USER}", "--init-groups"] if os.geteuid() == 0 else []
    return ["setpriv", *who, "--pdeathsig", "QUIT", "--"]


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(folder), "LC_ALL": "C"}


def _start(command: list[str], folder: Path, log: Any) -> subprocess.Popen[bytes]:
    """Start a server in a session of its own, which Ctrl-C at the tests doesn't reach."""
    return subprocess.Popen(
        command,
        cwd=folder,
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def _run(command: list[str], folder: Path, *, stdin: str = "") -> str:
    result = subprocess.run(
        command,
        cwd=folder,
        env=_environment(folder),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, (command, result.stdout, result.stderr)
    return result.stdout


def _give_away(path: Path) -> None:
    """Let the servers' user have a file, or a folder and what is in it."""
    if os.geteuid() == 0:
        for each in (path, *path.rglob("*")):
            shutil.chown(each, USER, USER)


def _runs(pid: int) -> bool:
    """Tell whether a process has something left to do; one that nobody has waited for hasn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False


def _make_certificates(folder: Path) -> None:
    """Make an authority, and a certificate of it for the server at localhost."""
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-batch"]
    ca = ["openssl", "req", "-x509", *key, "-subj", "/CN=tests", "-keyout", "ca.key", "-out", "ca.crt"]
    request = ["openssl", "req", *key[:4], "-nodes", "-batch", "-subj", "/CN=localhost", "-keyout", "server.key"]
    _run([*ca, "-addext", "basicConstraints=critical,CA:TRUE"], folder)
    _run([*request, "-out", "server.csr"], folder)
    (folder / "names").write_text(names)
    sign = ["openssl", "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"]
    _run([*sign, "-days", "2", "-extfile", "names", "-out", "server.crt"], folder)
    (folder / "server.key").chmod(0o600)
    _give_away(folder)
