"""Guards that make carelessness loud, and the few fixtures that everybody needs."""

from __future__ import annotations

import os
import resource
import signal
import socket
from pathlib import Path

import pytest
from hypothesis import settings

from profilectl.render import json_documents
from tests import bytecode, own_signals, postgres_server, schemas
from tests.leftovers import Leftovers
from tests.preloaded import Preloaded
from tests.resilience.scoreboard import Scoreboard
from tests.watchdog import Watchdog

REAL_HOME = Path.home()
_LOOPBACK = ("127.", "::1", "localhost")
_connect = socket.socket.connect


class TestTouchedTheWorld(AssertionError):
    """A test reached for the real network."""

    __test__ = False


def _guarded_connect(self: socket.socket, address: object) -> None:
    host = address[0] if isinstance(address, tuple) else None
    if isinstance(host, str) and not host.startswith(_LOOPBACK):
        message = f"a test tried to reach {host}; only loopback is allowed"
        raise TestTouchedTheWorld(message)
    _connect(self, address)


_setrlimit = resource.setrlimit


def _keeping_core_dumps(limit: int, values: tuple[int, int]) -> None:
    # commands that run in this process take core dumps from it for good, and with it from what crashes on purpose
    if limit != resource.RLIMIT_CORE:
        _setrlimit(limit, values)


settings.register_profile("profilectl", deadline=None)  # a busy machine is no defect: times live in benchmarks/
settings.load_profile("profilectl")


def pytest_xdist_auto_num_workers() -> int:
    """Return more workers than cores: a third of the time tests wait, for servers and for other processes."""
    return max(1, (os.cpu_count() or 1) * 3 // 2)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "scoreboard(part): the part of the resilience suite that a test belongs to")
    config.pluginmanager.register(Scoreboard(), "scoreboard")
    config.pluginmanager.register(Watchdog(), "watchdog")
    config.pluginmanager.register(Leftovers(), "leftovers")
    bytecode.keep(config)
    own_signals.receive()
    resource.setrlimit = _keeping_core_dumps


@pytest.fixture(autouse=True)
def _no_outside_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", _guarded_connect)


@pytest.fixture(autouse=True)
def _own_handlers():
    """Take back the handlers that the program sets when it runs in this process."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True)
def _documents_as_published(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold every document that is made in this process against its schema."""
    monkeypatch.setattr(json_documents, "dump", schemas.checking(json_documents.dump))


@pytest.fixture(autouse=True)
def _own_home(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give every test a home of its own and an environment without our variables."""
    home = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith("PROFILECTL_") and not name.startswith("PROFILECTL_TEST_"):
            monkeypatch.delenv(name)
    terminal = ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "KITTY_WINDOW_ID", "TERM_PROGRAM", "TMUX", "STY")
    for name in (*terminal, "CREDENTIALS_DIRECTORY", "PYTHON_KEYRING_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={home}/no-bus")  # nobody's real keyring
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / ".local/state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))


def require(part: str, present: bool, why: str) -> None:
    """Skip a test whose real part is missing, or fail where CI promised that it is there."""
    if present:
        return
    if part in os.environ.get("PROFILECTL_TEST_REQUIRE", "").split(","):
        pytest.fail(f"{part} is required here, but {why}")
    pytest.skip(f"{part}: {why}")


@pytest.fixture(name="require", scope="session")
def _require():
    """Hand out `require` to test modules, which can't import it from here."""
    return require


@pytest.fixture(scope="session")
def preloaded():
    """Give a worker a process that has loaded the program, which starts with the first test that wants a run by it."""
    with Preloaded() as process:
        yield process


@pytest.fixture(scope="session")
def postgres():
    """Give a worker its own PostgreSQL, which starts with the first test that wants it; no test may end it."""
    reason = postgres_server.why_not()
    require("postgres", reason is None, str(reason))
    with postgres_server.PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def pooler(postgres):
    """Put a pooler in transaction mode before the worker's PostgreSQL; it lets `postgres_server.ROLES` in."""
    reason = postgres_server.why_no_pooler()
    require("pgbouncer", reason is None, str(reason))
    with postgres_server.PgBouncer(postgres) as front:
        yield front
