"""The loopback server: HTTP as it should be, quiet, gone at once."""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from profilectl.sandbox.http import authorization
from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from profilectl.sandbox.model.faults import Fault, Kind
from profilectl.sandbox.model.world import World
from tests.patience import LONGEST, until
from tests.sandbox.conftest import cookies_of


@pytest.fixture
def server(world):
    with SandboxServer(SandboxApp(world)) as running:
        yield running


def _raw(server, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


def _bearer(server) -> bytes:
    return b"Authorization: Bearer " + server.token.encode()


def test_it_listens_on_loopback_only(server):
    """Whoever reaches the sandbox may change its world."""
    assert server.server_address[0] == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{server.port}"


def test_connections_are_kept_alive(server):
    """Two requests over one connection, the second asks for its end."""
    request = b"GET /_sandbox/faults HTTP/1.1\r\nHost: localhost\r\n" + _bearer(server) + b"\r\n%s\r\n"
    answer = _raw(server, request % b"" + request % b"Connection: close\r\n")

    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert answer.count(b"Connection: close") == 1


@pytest.mark.parametrize(
    ("status", "header"),
    [
        (b"411", b"Transfer-Encoding: chunked"),
        (b"411", b"Content-Length: -1"),
        (b"413", b"Content-Length: 99999999999"),
    ],
)
def test_bodies_without_a_reasonable_length(server, status, header):
    """Turned away without being read."""
    answer = _raw(server, b"POST /_sandbox/reset HTTP/1.1\r\nHost: localhost\r\n" + header + b"\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 " + status)


def test_head_has_no_body(server):
    """Nothing after the headers, but the length."""
    answer = _raw(
        server,
        b"HEAD /_sandbox/style.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        + _bearer(server)
        + b"\r\n\r\n",
    )

    assert answer.endswith(b"\r\n\r\n")
    assert b"Content-Length: 0" not in answer


def test_a_taken_port_is_an_error(server, world):
    """Instead of a silent second server."""
    with pytest.raises(OSError, match="in use"):
        SandboxServer(SandboxApp(world), server.port)


def test_nothing_is_printed(server, capfd, remote, world):
    """Not for errors, not for dropped connections, not for clients that go away."""
    world.faults.add(Fault(kind=Kind.DROP_AFTER))
    with httpx.Client(base_url=server.url, auth=remote.signer(), trust_env=False) as client:
        with pytest.raises(httpx.TransportError):
            client.get("/1.1/custom_profiles/list.json")
        assert client.get("/nowhere").status_code == 404
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\nhalf")

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("is_reset", [False, True], ids=["closed", "reset"])
def test_half_a_request_is_none(server, world, is_reset):
    """Whoever goes away before the body is whole has asked for nothing: X answers nobody, and does nothing."""
    calls = []
    server.app = lambda environ, start: (calls.append(environ["PATH_INFO"]), start("200 OK", []), [])[2]
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.settimeout(LONGEST)
        connection.sendall(b"POST /half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nhalf")
        if is_reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connection.shutdown(socket.SHUT_WR)
            assert b"" == connection.recv(65_536)
    whole = _raw(server, b"POST /whole HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    server.app = SandboxApp(world)

    assert (["/whole"], True) == (calls, whole.startswith(b"HTTP/1.1 200"))


def test_a_defect_is_a_500(world, remote, caplog):
    """One broken call doesn't take the sandbox down, and the log says why."""
    app = SandboxApp(world)
    world.close()
    with SandboxServer(app) as broken, httpx.Client(base_url=broken.url, trust_env=False) as client:
        answer = client.get("/_sandbox/state", headers={"Authorization": f"Bearer {broken.token}"})

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (500, 131)
    assert "failed on GET /_sandbox/state" in caplog.text


def test_a_defect_does_not_speak_to_the_terminal(world, caplog):
    """Neither the request nor what the exception says of it reaches the log with control characters."""

    def app(environ, _start_response):
        raise LookupError(environ["PATH_INFO"])

    broken = SandboxApp(world)
    with SandboxServer(broken) as server:
        server.app = app
        answer = _raw(server, b"GET /\x1b]0;evil HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        server.app = broken

    assert answer.startswith(b"HTTP/1.1 500 ")
    assert r"LookupError: /\x1b]0;evil" in caplog.text
    assert "\x1b" not in caplog.text


def test_stopping_ends_idle_and_held_connections(world, remote):
    """Neither an open keep-alive connection nor a call on hold delays the end."""
    world.faults.add(Fault(kind=Kind.HOLD, call="list"))
    failed = []

    def call(client) -> None:
        try:
            client.get("/1.1/custom_profiles/list.json", auth=remote.signer())
        except httpx.TransportError as error:
            failed.append(error)

    with SandboxServer(SandboxApp(world)) as server:
        client = httpx.Client(base_url=server.url, trust_env=False, timeout=30)
        client.get("/_sandbox/faults")
        thread = threading.Thread(target=call, args=(client,))
        thread.start()
        until(lambda: world.faults.all()[0][1], "the sandbox to count the call")
        began = time.monotonic()
    took = time.monotonic() - began
    thread.join(10)
    client.close()

    assert len(failed) == 1
    assert took < 5


@pytest.mark.parametrize("how", ["the server stops", "the rule is cleared"])
def test_a_call_that_has_met_its_rule_is_let_go_before_it_waits(world, remote, monkeypatch, how):
    """Who is let go between the two isn't missed: it would wait for a day, and the end of the server with it."""
    world.faults.add(Fault(kind=Kind.HOLD, call="list"))
    has_met_it, all_are_let_go = threading.Event(), threading.Event()
    count, end_waits = authorization.count, SandboxApp.end_waits

    def counted(call):
        has_met_it.set()
        assert all_are_let_go.wait(10)
        return count(call)

    def ended(app):
        end_waits(app)
        all_are_let_go.set()

    monkeypatch.setattr(authorization, "count", counted)
    monkeypatch.setattr(SandboxApp, "end_waits", ended)
    with ThreadPoolExecutor(1) as pool, SandboxServer(SandboxApp(world)) as server:
        held = pool.submit(httpx.get, f"{server.url}/1.1/custom_profiles/list.json", auth=remote.signer(), timeout=30)
        assert has_met_it.wait(10)
        if how == "the rule is cleared":
            httpx.delete(f"{server.url}/_sandbox/faults", cookies=cookies_of(server), timeout=10)
            all_are_let_go.set()
        else:
            server.__exit__(None, None, None)
        assert isinstance(held.exception(10), httpx.TransportError)


_CREATE = """
import sys, httpx
from oauthlib.oauth1 import Client
from profilectl.sandbox.http import authorization
from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.model.world import World
world = World(sys.argv[1])
keys = world.ensure_brand("acmecare")
signer = Client(keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret)
url = "http://sandbox.localhost/1.1/custom_profiles/new.json"
_, headers, _ = signer.sign(url, "POST")
body = {"custom_profile": {"name": "Alice", "avatar": {"media": {"id": sys.argv[2]}}}}
httpx.Client(transport=httpx.WSGITransport(app=SandboxApp(world))).post(url, json=body, headers=headers)
"""


def test_killed_between_create_and_answer(tmp_path, picture):
    """A client that is killed while its create is held leaves the profile behind, in process too."""
    path = tmp_path / "world.db"
    with World(path) as world:
        brand = world.ensure_brand("acmecare")
        world.faults.add(Fault(kind=Kind.HOLD, call="create"))
        media = world.media.add(brand.user_id, picture)
        with subprocess.Popen([sys.executable, "-c", _CREATE, str(path), media.id]) as process:
            try:
                until(lambda: world.state()["profiles"] or process.poll() is not None, "the profile to be made")
            finally:
                process.kill()

        assert process.returncode == -signal.SIGKILL
        assert [profile["name"] for profile in world.state()["profiles"]] == ["Alice"]
