import socket
import time

import httpx
import pytest

from profilectl.api.clock import Clock
from profilectl.api.retry import Deadline, Limits
from profilectl.api.transport import Transport
from profilectl.errors import OutcomeUnknown, RateLimited, Unreachable, UsageError
from profilectl.model import Message

EMPTY_LIST = b'{"custom_profiles":[]}'


def respond(connection: socket.socket, body: bytes, status: str = "200 OK", *headers: str) -> None:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    connection.sendall("\r\n".join(lines).encode() + body)


def drip(connection: socket.socket) -> None:
    """Send a body that never pauses long and ends late."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
    for _ in range(3000):
        connection.sendall(b" ")
        time.sleep(0.02)


def say_nothing(connection: socket.socket) -> None:
    """Keep the connection until the client has gone."""
    connection.recv(1)


def hang_up(connection: socket.socket) -> None:
    """Close without a word, once the request is there."""


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def cut(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + EMPTY_LIST)


def test_request_line_as_signed(connect, misbehave):
    """The query leaves in RFC 5849's encoding; spaces are %20, and nothing asks for compression."""
    server = misbehave(lambda connection: respond(connection, b'{"resources":{}}'))
    connect(server.url).rate_limits()
    [head] = server.heads
    request_line, *fields = head.split(b"\r\n")
    query = b"resources=custom_profiles%2Cdirect_messages%2Cmedia"
    assert request_line == b"GET /1.1/application/rate_limit_status.json?" + query + b" HTTP/1.1"
    assert b"Accept-Encoding: identity" in fields


def test_slow_answer(connect, misbehave):
    """An answer that trickles in is given up, although no single byte is late."""
    client = connect(misbehave(drip).url, limits=Limits(total=0.1))
    started = time.monotonic()
    with pytest.raises(OutcomeUnknown, match=r"isn't complete after 0\.1 s"):
        client.create_profile("Ana", "1")
    assert time.monotonic() - started < 30


def test_silent_server(connect, misbehave):
    """A server that says nothing is given up after the read timeout."""
    client = connect(misbehave(say_nothing).url, limits=Limits(read=0.1))
    with pytest.raises(OutcomeUnknown, match="timed out"):
        client.create_profile("Ana", "1")


def test_deadline_cuts_reading(connect, misbehave):
    """What may be repeated isn't waited for beyond the deadline."""
    client = connect(misbehave(say_nothing).url, deadline=Deadline(0.1))
    with pytest.raises(Unreachable):
        client.list_profiles()


@pytest.mark.parametrize("call", ["upload", "create", "destroy"])
def test_nothing_that_counts_leaves_once_another_run_may_write(connect, misbehave, call):
    """A run whose lock is over still reads; it neither uploads, creates nor destroys, and tries nothing twice."""
    server = misbehave(lambda connection: respond(connection, EMPTY_LIST))
    client = connect(server.url, seconds_held=lambda: -1.0)
    calls = {
        "upload": lambda: client.upload(b"picture", "image/png"),
        "create": lambda: client.create_profile("Ana", "1"),
        "destroy": lambda: client.destroy_profile("1"),
    }

    assert () == client.list_profiles()
    with pytest.raises(Unreachable, match="the time in which it had to leave is over"):
        calls[call]()
    assert 1 == len(server.heads)


def test_deadline_spares_a_write(connect, misbehave):
    """A write that has left is waited for: cutting it off would only make its outcome unknown."""
    now = 0.0

    def late(connection: socket.socket) -> None:
        nonlocal now
        now = 61.0
        respond(connection, b'{"event":{"id":"1190"}}')

    client = connect(misbehave(late).url, deadline=Deadline(60, monotonic=lambda: now))
    assert client.send_message(Message("alice", "acme", "1", "Hi", "2")).event_id == "1190"


@pytest.mark.parametrize("size", [1000, 1001])
def test_size_of_answers(connect, misbehave, size):
    """A body may be as long as the limit, and not a byte longer."""
    body = EMPTY_LIST.ljust(size)
    client = connect(misbehave(lambda connection: respond(connection, body)).url, limits=Limits(body=1000))
    if size == 1000:
        assert client.list_profiles() == ()
    else:
        with pytest.raises(Unreachable, match="larger than 1000 bytes"):
            client.list_profiles()


def test_more_than_4_mib(connect, misbehave):
    """Without any setting the limit is 4 MiB."""
    body = b" " * (4 * 1024 * 1024 + 1)
    client = connect(misbehave(lambda connection: respond(connection, body)).url)
    with pytest.raises(OutcomeUnknown, match="larger than 4194304 bytes"):
        client.create_profile("Ana", "1")


@pytest.mark.parametrize("script", [hang_up, reset, cut])
def test_broken_off_after_sending(connect, misbehave, script):
    """Once the request has been sent, a lost connection leaves a write open; it is sent only once."""
    server = misbehave(script)
    with pytest.raises(OutcomeUnknown, match="the connection broke"):
        connect(server.url).create_profile("Ana", "1")
    assert len(server.heads) == 1


def test_reading_survives_a_lost_connection(connect, misbehave):
    """Reading goes on with a new connection."""
    answers = iter([hang_up, cut, lambda connection: respond(connection, EMPTY_LIST)])

    def answer(connection: socket.socket) -> None:
        next(answers)(connection)

    server = misbehave(answer)
    client = connect(server.url)
    assert client.list_profiles() == ()
    assert client.requests["list"] == len(server.heads) == 3


def test_nobody_listens(connect):
    """A refused connection means that nothing has happened, and nothing is counted."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = connect(f"http://127.0.0.1:{port}")
    with pytest.raises(Unreachable, match=r"creating the profile: no connection to http://127\.0\.0\.1"):
        client.create_profile("Ana", "1")
    assert client.requests["create"] == 0


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_redirects_are_not_followed(connect, misbehave, status):
    """Nothing is sent to the address that a redirect names, and a write that was redirected is open."""
    thief = misbehave(lambda connection: respond(connection, EMPTY_LIST))
    location = f"Location: {thief.url}/1.1/custom_profiles/new.json"
    server = misbehave(lambda connection: respond(connection, b"", status, location))
    client = connect(server.url)
    with pytest.raises(OutcomeUnknown, match="never followed"):
        client.create_profile("Ana", "1")
    with pytest.raises(Unreachable, match="never followed"):
        client.list_profiles()
    assert (2, 0) == (len(server.heads), len(thief.heads))


@pytest.mark.parametrize("location", ["", "http://[", "\x01", "javascript:alert(1)", "/" * 70_000])
def test_redirects_to_nowhere(connect, httpx_mock, location):
    """Even a redirect that can't be read is an error of ours."""
    httpx_mock.add_response(status_code=302, headers={"location": location})
    with pytest.raises(OutcomeUnknown):
        connect().create_profile("Ana", "1")


def test_proxies_are_for_the_network(connect, misbehave, monkeypatch):
    """A loopback address is called directly, whatever HTTP_PROXY says."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    server = misbehave(lambda connection: respond(connection, EMPTY_LIST))
    assert connect(server.url).list_profiles() == ()


def test_proxies_of_the_environment(connect, monkeypatch):
    """Beyond loopback HTTPS_PROXY is obeyed; a proxy that isn't there means that nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{listener.getsockname()[1]}")
    with pytest.raises(Unreachable, match=r"no connection to https://api\.x\.com"):
        connect().create_profile("Ana", "1")


def test_netrc_is_ignored(connect, httpx_mock, monkeypatch, tmp_path):
    """A password in ~/.netrc doesn't replace the signature."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine api.x.com login me password hunter2")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    httpx_mock.add_response(content=EMPTY_LIST)
    connect().list_profiles()
    assert httpx_mock.get_request().headers["Authorization"].startswith("OAuth ")


@pytest.mark.parametrize(("name", "value"), [("HTTPS_PROXY", "what://x:hunter2@y"), ("SSL_CERT_FILE", "/nowhere")])
def test_unusable_environment(connect, monkeypatch, name, value):
    """A proxy or certificate setting that can't work is named, without the password it may hold."""
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=name) as caught:
        connect()
    assert "hunter2" not in str(caught.value)


def test_unencrypted_addresses_are_refused():
    """No transport is opened to http:// beyond loopback."""
    with pytest.raises(UsageError, match="unencrypted"):
        Transport("http://api.x.com")


def test_keeps_connections(connect):
    """As many connections as jobs, kept alive over the pauses of a rate limit; HTTP/1.1 only."""
    network = connect(jobs=3)._transport._http._transport
    pool = network.open_for(httpx.URL("https://api.x.com"))._pool
    kept = (pool._max_connections, pool._max_keepalive_connections, pool._keepalive_expiry, pool._http2)
    assert kept == (3, 3, 55, False)


def test_interrupt(connect, misbehave):
    """Interrupting ends the pauses of other threads at once, so that Ctrl-C needn't wait for a rate limit."""
    server = misbehave(lambda connection: respond(connection, b"", "429 Slow", "Retry-After: 300"))
    client = connect(server.url, max_wait=600, clock=Clock(), announce=lambda *_: client.interrupt())
    started = time.monotonic()
    with pytest.raises(RateLimited, match="limit"):
        client.list_profiles()
    assert time.monotonic() - started < 60


def test_world_in_this_process(connect):
    """A transport takes the place of the network."""
    seen = []

    def world(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.host)
        return httpx.Response(200, content=EMPTY_LIST)

    assert connect(transport=httpx.MockTransport(world)).list_profiles() == ()
    assert seen == ["api.x.com"]
