"""Anybody on the machine may connect: so many at once, each for so long."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest

from profilectl.sandbox.http import server as serving
from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import MAX_CONNECTIONS, SandboxServer
from tests.patience import LONGEST, until

REQUEST = b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def server(world):
    with SandboxServer(SandboxApp(world)) as running:
        yield running


def connect(server, stack):
    return stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=LONGEST))


def test_no_more_than_sixty_four_at_once(server):
    """The others wait until one ends; however many come, there are no more threads."""
    before = threading.active_count()
    with contextlib.ExitStack() as stack:
        connections = [connect(server, stack) for _ in range(MAX_CONNECTIONS)]
        for connection in connections:
            connection.sendall(REQUEST)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 404 ")
        late = [connect(server, stack) for _ in range(40)]
        for connection in late:
            connection.sendall(REQUEST)
        late[0].settimeout(0.5)
        with pytest.raises(TimeoutError):
            late[0].recv(1)
        threads = threading.active_count() - before
        for connection in connections[:40]:
            connection.close()
        for connection in late:
            connection.settimeout(LONGEST)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 404 ")

    assert (64, 64) == (MAX_CONNECTIONS, threads)


def test_a_full_server_ends_at_once(world):
    """Nobody who holds a connection, or waits for one, keeps it from stopping."""
    with contextlib.ExitStack() as stack:
        with SandboxServer(SandboxApp(world)) as server:
            connections = [connect(server, stack) for _ in range(MAX_CONNECTIONS + 10)]
            connections[0].sendall(REQUEST)
            assert connections[0].recv(65_536)
            began = time.monotonic()
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (b"", b""),
        (REQUEST, b""),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"X: y\r\n"),
        (b"POST /_sandbox/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999\r\n\r\n", b"x"),
    ],
    ids=["silence", "silence after a request", "headers", "a body"],
)
def test_what_comes_in_drop_by_drop_is_not_waited_for(server, monkeypatch, first, piece):
    """A piece now and then keeps no connection open: the time is that of the whole request."""
    monkeypatch.setattr(serving, "_PATIENCE", 0.6)
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        connection = connect(server, stack)
        with contextlib.suppress(ConnectionError):  # how the end shows while more is being sent
            connection.sendall(first)
            connection.settimeout(0.1)
            while time.monotonic() - began < 30:
                connection.sendall(piece)
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(65_536):
                        break

    assert time.monotonic() - began < 10


def test_who_does_not_read_is_not_waited_for(server, world, monkeypatch):
    """An answer that nobody takes gives its connection back, too."""
    monkeypatch.setattr(serving, "_PATIENCE", 0.6)
    page = b"x" * 50_000_000
    server.app = lambda _environ, start: (start("200 OK", [("Content-Length", str(len(page)))]), [page])[1]
    before = threading.active_count()
    with contextlib.ExitStack() as stack:
        connect(server, stack).sendall(REQUEST)
        until(lambda: threading.active_count() > before, "the connection to be taken")
        until(lambda: threading.active_count() == before, "the connection to be given back", 20)
    server.app = SandboxApp(world)


def test_large_bodies_come_in_by_a_few(server):
    """Whoever sends the most that is allowed over every connection doesn't fill the memory."""
    announced = b"POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000000\r\n\r\n"
    with contextlib.ExitStack() as stack:
        connections = [connect(server, stack) for _ in range(6)]
        for connection in connections:
            connection.sendall(announced)
        until(lambda: server.large_bodies._value == 0, "the first to be read")
        small = connect(server, stack)
        small.sendall(REQUEST)

        assert small.recv(65_536).startswith(b"HTTP/1.1 404 ")
