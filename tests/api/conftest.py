"""What the tests of `api` share: made-up credentials, clients that never sleep, and a server that misbehaves."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from profilectl.api.client import XClient
from profilectl.api.clock import Clock
from profilectl.secret import Credentials, Secret
from tests.patience import LONGEST, join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Pauses(list[float]):
    """Stands in for sleeping: remembers how long."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture
def credentials() -> Credentials:
    return Credentials(
        Secret("consumer-key"), Secret("consumer-secret"), Secret("7-token"), Secret("token-secret"), source="test"
    )


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def connect(credentials: Credentials, pauses: Pauses) -> Iterator[Callable[..., XClient]]:
    """Return a maker of clients that don't sleep and are closed in the end."""
    with contextlib.ExitStack() as stack:

        def make(base_url: str = "https://api.x.com", **options) -> XClient:
            options.setdefault("clock", Clock(sleep=pauses))
            return stack.enter_context(XClient(credentials, base_url=base_url, **options))

        yield make


@pytest.fixture
def client(connect) -> XClient:
    return connect()


class Misbehaving:
    """A loopback server whose connections are handled by `script`, one at a time; keeps the heads of requests."""

    def __init__(self, script: Callable[[socket.socket], None]) -> None:
        self.heads: list[bytes] = []
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with self._listener:
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(LONGEST)  # who is silent for so long has a defect
                with connection:
                    head = _read_request(connection)
                    if not head:
                        return
                    self.heads.append(head)
                    with contextlib.suppress(OSError):  # the client may have hung up, that's what is tested
                        self._script(connection)

    def close(self) -> None:
        with contextlib.suppress(OSError), socket.create_connection(self._listener.getsockname(), LONGEST):
            pass  # an empty request ends the server
        join(self._thread)


def _read_request(connection: socket.socket) -> bytes:
    """Read head and body, so that closing the connection doesn't reset it before the answer is read."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    missing = int(lengths[0]) - len(body) if lengths else 0
    while missing > 0 and (piece := connection.recv(65536)):
        missing -= len(piece)
    return head


@pytest.fixture
def misbehave() -> Iterator[Callable[[Callable[[socket.socket], None]], Misbehaving]]:
    with contextlib.ExitStack() as stack:

        def start(script: Callable[[socket.socket], None]) -> Misbehaving:
            return stack.enter_context(contextlib.closing(Misbehaving(script)))

        yield start
