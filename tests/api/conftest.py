"""What the tests of `api` share: made-up credentials, clients that never sleep, and a server that misbehaves."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import threading
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from profilectl.api.client import XClient
from profilectl.api.clock import Clock
from profilectl.api.transport import Transport
from profilectl.secret import Credentials, Secret
from tests.patience import LONGEST, join

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


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

        def make(
            base_url: str = "https://api.x.com", *, media_category: str = "dm_image", jobs: int = 8, **options
        ) -> XClient:
            options.setdefault("clock", Clock(sleep=pauses))
            transport = Transport(base_url, jobs=jobs, **options)
            return stack.enter_context(XClient(credentials, transport, media_category=media_category))

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
                with connection, contextlib.suppress(OSError):  # the client may have hung up, that's what is tested
                    head = read_request(connection)
                    if not head:
                        return
                    self.heads.append(head)
                    self._script(connection)

    def close(self) -> None:
        with contextlib.suppress(OSError), socket.create_connection(self._listener.getsockname(), LONGEST):
            pass  # an empty request ends the server
        join(self._thread)


def read_request(connection: socket.socket) -> bytes:
    """Return the head, having read the body, too: else closing the connection would reset it before our answer is read.

    Nothing when the connection ends before the head does.
    """
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


@dataclass(frozen=True)
class TlsServer:
    """A TLS server on loopback whose certificate no authority has signed."""

    port: int
    certificate: Path


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[TlsServer]:
    """Return a server that answers whoever accepts its certificate, one after the other."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("api.x.com")]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    file = tmp_path / "server.pem"
    file.write_bytes(secret + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(LONGEST)

        ended = threading.Event()

        def answer() -> None:
            while not ended.is_set():
                connection, _ = listener.accept()
                connection.settimeout(LONGEST)
                with (
                    contextlib.suppress(OSError),
                    connection,
                    context.wrap_socket(connection, server_side=True) as secured,
                ):
                    read_request(secured)
                    secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\npicture")

        thread = threading.Thread(target=answer)
        thread.start()
        address = listener.getsockname()
        yield TlsServer(address[1], file)
        ended.set()
        socket.create_connection(address, LONGEST).close()  # ends the last `accept`
        join(thread)
