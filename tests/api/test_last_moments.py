"""When a request is over: nothing of it leaves afterwards, and nothing keeps it from ending."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpcore
import pytest

from profilectl.api import connections
from profilectl.api.clock import Clock
from profilectl.api.retry import Deadline, Exchange, Limits
from profilectl.errors import ExitCode, Fate, OutcomeUnknown, RemoteError, Unreachable
from profilectl.model import Message
from tests import patience
from tests.api.conftest import read_request

EMPTY_LIST = b'{"custom_profiles":[]}'
SENT = b'{"event":{"id":"1190"}}'
MESSAGE = Message("alice", "acme", "1", "Hi", "2")
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def answer(body: bytes, *headers: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class TlsProxy:
    """What stands behind a proxy's CONNECT: breaks the first handshakes off, then answers over TLS."""

    def __init__(self, misbehave, certificate: Path, body: bytes, broken: int) -> None:
        self.requests: list[bytes] = []
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._body, self._broken = body, broken
        self.before_established = lambda: None
        self.server = misbehave(self._serve)

    def _serve(self, connection: socket.socket) -> None:
        self.before_established()
        connection.sendall(ESTABLISHED)
        # Peeking meets the reset of whoever has hung up by now; `wrap_socket` would leave its socket open then.
        if len(self.server.heads) > self._broken and connection.recv(1, socket.MSG_PEEK):
            with self._context.wrap_socket(connection, server_side=True) as secured:
                if head := read_request(secured):
                    self.requests.append(head)
                    secured.sendall(answer(self._body, "Connection: close"))


@pytest.fixture
def proxied(misbehave, tls_server, monkeypatch):
    """Return a maker of the way to X through a proxy, whose certificate is trusted."""

    def make(body: bytes = EMPTY_LIST, *, broken: int = 0) -> TlsProxy:
        proxy = TlsProxy(misbehave, tls_server.certificate, body, broken)
        monkeypatch.setenv("HTTPS_PROXY", proxy.server.url)
        monkeypatch.setenv("SSL_CERT_FILE", str(tls_server.certificate))
        return proxy

    return make


def test_a_handshake_that_breaks_behind_a_proxy_is_made_anew(connect, proxied):
    """The second attempt asks the proxy for a tunnel of its own; nothing waits for the one that broke."""
    proxy = proxied(broken=1)
    assert () == connect(jobs=1).list_profiles()
    assert [b"CONNECT"] * 2 == [head.split()[0] for head in proxy.server.heads]


def test_a_message_survives_a_broken_handshake(connect, proxied):
    """Nothing was sent, so it is sent again, and once."""
    proxy = proxied(SENT, broken=2)
    assert "1190" == connect(jobs=1).send_message(MESSAGE).event_id
    assert 1 == len(proxy.requests)


def test_a_create_whose_handshake_breaks_was_not_applied(connect, proxied):
    """Whoever keeps its intent learns that it surely wasn't applied."""
    proxied(broken=9)
    client = connect()
    with pytest.raises(Unreachable, match="no connection") as caught:
        client.create_profile("Ana", "1")
    assert (Fate.NOT_APPLIED, 0) == (caught.value.fate, client.requests["create"])


def test_an_untrusted_certificate_is_said_once(connect, proxied, monkeypatch, pauses):
    """It doesn't get better by itself: one attempt, one sentence, and the variable that can help."""
    proxy = proxied()
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Unreachable, match=r"the certificate of api\.x\.com isn't trusted: self") as caught:
        connect().list_profiles()
    assert (1, [], ExitCode.TRY_LATER) == (len(proxy.server.heads), pauses, caught.value.exit_code)
    assert "SSL_CERT_FILE" in caught.value.hint


def test_an_authority_that_does_not_vouch_is_named(connect, tls_server, monkeypatch, pauses):
    """Where SSL_CERT_FILE is set already, the hint says which file that is, and what it may lack."""
    import certifi

    monkeypatch.setenv("SSL_CERT_FILE", certifi.where())
    with pytest.raises(Unreachable, match="isn't trusted") as caught:
        connect(f"https://127.0.0.1:{tls_server.port}").list_profiles()
    assert [] == pauses
    assert certifi.where() in caught.value.hint
    assert "basicConstraints" in caught.value.hint


@pytest.fixture
def settings(monkeypatch):
    """Return what is set on sockets from here on."""
    seen = []
    original = socket.socket.setsockopt

    def record(self, level, name, value):
        seen.append((level, name, value))
        original(self, level, name, value)

    monkeypatch.setattr(socket.socket, "setsockopt", record)
    return seen


def user_timeouts(settings):
    if connections._USER_TIMEOUT is None:
        pytest.skip("TCP_USER_TIMEOUT: only Linux has it")
    return [value for level, name, value in settings if (level, name) == (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)]


def test_the_kernel_gives_up_with_us(connect, misbehave, settings):
    """What isn't acknowledged is repeated by the kernel for as long as we wait, and no longer."""
    server = misbehave(lambda connection: connection.sendall(answer(SENT, "Connection: close")))
    connect(server.url, limits=Limits(total=7)).send_message(MESSAGE)
    assert [True] * 2 == [6000 < value <= 7000 for value in user_timeouts(settings)]  # for head and body


def test_the_kernel_gives_up_with_us_behind_a_proxy(connect, proxied, settings):
    """A pool of httpcore hands its socket options to no proxy; ours are there all the same."""
    proxied(SENT)
    connect(limits=Limits(total=7)).send_message(MESSAGE)
    assert [True] * 2 == [6000 < value <= 7000 for value in user_timeouts(settings)]


def test_giving_up_drops_what_was_not_sent(connect, misbehave):
    """A request that is given up ends with a reset, so that nothing of it is sent any more."""
    ends = []

    def wait(connection: socket.socket) -> None:
        try:
            ends.append(connection.recv(1))
        except ConnectionResetError:
            ends.append("reset")

    server = misbehave(wait)
    with pytest.raises(OutcomeUnknown, match="timed out"):
        connect(server.url, limits=Limits(read=0.1)).create_profile("Ana", "1")
    patience.until(lambda: ends, "the end of the connection")
    assert ["reset"] == ends


@pytest.mark.parametrize("headers", [(), ("Connection: close",)], ids=["idle", "used once"])
def test_a_connection_ends_in_good_order(connect, misbehave, headers):
    """Whose answer is complete says good-bye as usual."""
    ends = []

    def wait(connection: socket.socket) -> None:
        connection.sendall(answer(EMPTY_LIST, *headers))
        try:
            ends.append(connection.recv(1))
        except ConnectionResetError:
            ends.append("reset")

    client = connect(misbehave(wait).url)
    client.list_profiles()
    client.close()
    patience.until(lambda: ends, "the end of the connection")
    assert [b""] == ends


@pytest.mark.parametrize("call", ["create_profile", "send_message"])
def test_nothing_leaves_after_its_time(connect, misbehave, call):
    """A promise that is over before a connection is made leaves no trace anywhere, and is repeated by nobody here."""
    server = misbehave(lambda connection: connection.sendall(answer(SENT)))
    client = connect(server.url)
    arguments = ("Ana", "1") if call == "create_profile" else (MESSAGE,)
    with pytest.raises(Unreachable, match="nothing was sent") as caught:
        getattr(client, call)(*arguments, leaves_by_ms=client.now_ms() - 1)
    assert (Fate.NOT_APPLIED, []) == (caught.value.fate, server.heads)


def test_nothing_leaves_when_the_way_took_too_long(connect, proxied):
    """A promise may run out while a proxy answers: then X sees nothing."""
    passed = 0.0

    def take_long() -> None:
        nonlocal passed
        passed = 6.0

    proxy = proxied(SENT)
    proxy.before_established = take_long
    client = connect(clock=Clock(monotonic=lambda: 1000 + passed, sleep=lambda _: None))
    with pytest.raises(Unreachable, match="nothing was sent"):
        client.send_message(MESSAGE, leaves_by_ms=client.now_ms() + 5000)
    proxy.server.close()  # when it has read all that came
    assert [] == proxy.requests


class SlowlyPrepared(httpcore.NetworkStream):
    """A connection whose socket takes so long to be prepared that a promise runs out."""

    def __init__(self, prepared: socket.socket) -> None:
        self.passed = 0.0
        self.written: list[bytes] = []
        self._socket = prepared

    def get_extra_info(self, info: str) -> socket.socket:
        assert info == "socket"
        self.passed = 6.0
        return self._socket

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.written.append(buffer)


def test_time_is_looked_at_last():
    """Between the look at the clock and the kernel nothing lies that could take long: a pause there is a rare one."""
    with socket.socket() as prepared:
        slow = SlowlyPrepared(prepared)
        exchange = Exchange(30, monotonic=lambda: 1000 + slow.passed, to_leave=lambda: 5 - slow.passed)
        with exchange.made_current(), pytest.raises(httpcore.ConnectTimeout, match="too late"):
            connections.Stream(slow).write(b"POST / HTTP/1.1")
    assert ([], False) == (slow.written, exchange.has_left)


_CHILD = """
import sys
from profilectl.api.client import XClient
from profilectl.api.transport import Transport
from profilectl.errors import RemoteError
from profilectl.model import Message
from profilectl.secret import Credentials, Secret

credentials = Credentials(*map(Secret, ("ck", "cs", "7-t", "ts")), source="test")
with XClient(credentials, Transport(sys.argv[1])) as client:
    try:
        if sys.argv[2] == "create":
            client.create_profile("Ana", "1", client.now_ms() + 1000)
        else:
            client.send_message(Message("alice", "acme", "1", "Hi", "2"), client.now_ms() + 1000)
    except RemoteError as error:
        print(error.fate.value)
"""


@pytest.mark.parametrize("call", ["create", "message"])
def test_a_process_that_was_stopped_sends_nothing_under_an_old_promise(tls_server, call):
    """SIGSTOP in the middle of the handshake, for longer than the promise: X sees nothing, and we say so."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls_server.certificate)
    environ = {**os.environ, "SSL_CERT_FILE": str(tls_server.certificate)}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        command = [sys.executable, "-c", _CHILD, url, call]
        with patience.group(command, stdout=subprocess.PIPE, text=True, env=environ) as child:
            connection, _ = listener.accept()
            connection.settimeout(patience.LONGEST)
            connection.recv(1, socket.MSG_PEEK)  # the handshake has begun
            child.send_signal(signal.SIGSTOP)
            time.sleep(1.5)
            child.send_signal(signal.SIGCONT)
            received = b""
            with (
                contextlib.suppress(OSError),
                context.wrap_socket(connection, server_side=True) as secured,
            ):
                received = secured.recv(65536)
            output, _ = child.communicate(timeout=patience.LONGEST)
    assert (b"", "not applied") == (received, output.strip())


def drip_head(connection: socket.socket) -> None:
    """Send a head, byte by byte, that never comes to its end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    for _ in range(3000):
        connection.sendall(b"a")
        time.sleep(0.02)


def go_on_for_ever(connection: socket.socket) -> None:
    """Send nothing but interim answers."""
    for _ in range(1_000_000):
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)


@pytest.mark.parametrize(
    ("script", "reason"), [(drip_head, "isn't complete after 0.3 s"), (go_on_for_ever, "more bytes around the answer")]
)
def test_a_head_that_never_ends_is_given_up(connect, misbehave, script, reason):
    """Neither bytes that drip nor interim answers without end hold a request beyond its time."""
    total = 0.3 if script is drip_head else 30
    client = connect(misbehave(script).url, limits=Limits(total=total))
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown, match=reason):
        client.create_profile("Ana", "1")
    assert time.monotonic() - started < 20


def test_a_deadline_ends_a_head_that_drips(connect, misbehave):
    """What only reads ends with the command's deadline, whatever trickles in."""
    client = connect(misbehave(drip_head).url, deadline=Deadline(0.3))
    started = time.monotonic()
    with pytest.raises(Unreachable):
        client.list_profiles()
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip", "strange"])
def test_packed_answers_are_refused(connect, misbehave, encoding):
    """Nothing is unpacked: 2,650 bytes can become 3.1 GB. A write that is so answered may have been done."""
    body = answer(b"\x1f\x8b" + SENT, f"Content-Encoding: {encoding}", "Connection: close")
    server = misbehave(lambda connection: connection.sendall(body))
    with pytest.raises(OutcomeUnknown, match="packed"):
        connect(server.url).send_message(MESSAGE)
    with pytest.raises(Unreachable, match="packed"):
        connect(server.url).list_profiles()
    with pytest.raises(RemoteError, match="packed"):
        connect(server.url).download(f"{server.url}/a.png")


@pytest.fixture
def slow_dns(monkeypatch):
    """Make the system's resolver hang until the test has ended."""
    ended = threading.Event()
    original = socket.getaddrinfo

    def resolve(host, *arguments, **options):
        if host == "api.x.com":
            ended.wait(patience.LONGEST)
        return original("127.0.0.1" if host == "api.x.com" else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    yield
    ended.set()


def test_a_name_that_hangs_keeps_no_deadline_waiting(connect, slow_dns):
    """The system's resolver can't be interrupted, so it is left behind."""
    client = connect(deadline=Deadline(0.5))
    started = time.monotonic()
    with pytest.raises(Unreachable, match=r"the name api\.x\.com isn't resolved"):
        client.list_profiles()
    assert time.monotonic() - started < 20


def test_a_create_whose_name_hangs_was_not_applied(connect, slow_dns):
    """Nor does it leave later, when the name is known at last."""
    with pytest.raises(Unreachable) as caught:
        connect(limits=Limits(connect=0.2)).create_profile("Ana", "1")
    assert Fate.NOT_APPLIED is caught.value.fate


def test_several_addresses_share_the_time(connect, misbehave, monkeypatch):
    """An address where nobody answers leaves time for the next one."""
    server = misbehave(lambda connection: connection.sendall(answer(EMPTY_LIST, "Connection: close")))
    port = int(server.url.rpartition(":")[2])
    with socket.create_server(("127.0.0.2", 0)) as listener:
        closed = listener.getsockname()[0]
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in (closed, "127.0.0.1")]
    original = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *more, **options: entries if host == "localhost" else original(host, *more, **options),
    )
    assert () == connect(f"http://localhost:{port}").list_profiles()
