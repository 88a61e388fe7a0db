"""Reaching X, or saying why not."""

from __future__ import annotations

import socket
from email.utils import formatdate

import httpx
import pytest

from profilectl.api.clock import Clock
from profilectl.api.probe import Proxy, probe, proxy_for
from profilectl.errors import Unreachable, UsageError

NOON = 1_900_000_000.0
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in _PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def answering(**headers):
    return httpx.MockTransport(lambda _: httpx.Response(404, headers=headers))


@pytest.mark.parametrize(("ahead", "skew"), [(0, 0), (400, 399), (-400, -400)])
def test_the_clock_is_compared_with_the_date(ahead, skew):
    """The skew is at least what it is said to be: a Date names the second that has begun."""
    clock = Clock(now=lambda: NOON + ahead, monotonic=lambda: 0.0)
    transport = answering(date=formatdate(NOON, usegmt=True))

    assert skew == probe("https://api.x.com", transport=transport, seconds=1, clock=clock).skew


def test_an_answer_without_a_date():
    """Any answer proves that X was reached; the time it needn't tell."""
    reached = probe("https://api.x.com", transport=answering(), seconds=1)

    assert (404, None) == (reached.status, reached.skew)


def test_nothing_is_signed():
    """The question goes out before anybody knows whose credentials are good."""
    heads = []

    def answer(request):
        heads.append(request)
        return httpx.Response(200)

    probe("https://api.x.com", transport=httpx.MockTransport(answer), seconds=1)

    assert ["HEAD"] == [head.method for head in heads]
    assert "authorization" not in heads[0].headers


def test_a_dead_port():
    """Nobody there is told with the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unreachable, match=f"nobody answers at http://127.0.0.1:{port}: .*refused"):
        probe(f"http://127.0.0.1:{port}", transport=None, seconds=1)


def test_a_name_that_does_not_resolve(monkeypatch):
    """DNS is told apart from a network that is down."""

    def fail(*_args, **_more):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Unreachable, match=r"the name api\.x\.com doesn't resolve: Name or service not known"):
        probe("https://api.x.com", transport=None, seconds=1)


def test_a_certificate_that_nobody_vouches_for(tls_server):
    """The certificate is the reason, and what to do about a company's proxy is said."""
    with pytest.raises(Unreachable, match=r"the certificate of 127\.0\.0\.1 isn't trusted: self") as caught:
        probe(f"https://127.0.0.1:{tls_server.port}", transport=None, seconds=5)
    assert "SSL_CERT_FILE" in caught.value.hint


def test_a_server_without_tls(misbehave):
    """Something that speaks plain HTTP on a TLS port is told as such."""
    server = misbehave(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    with pytest.raises(Unreachable, match=r"doesn't speak TLS as it should|nobody answers"):
        probe(server.url.replace("http:", "https:"), transport=None, seconds=1)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("http://proxy.acme.example:3128", "http://proxy.acme.example:3128"),
        ("http://ada:s3cret-word@proxy:3128/", "http://proxy:3128"),
        ("http://ada:s3cret/w@rd@proxy:3128", "http://proxy:3128"),
        ("ada:s3cret-word@proxy:3128", "http://proxy:3128"),
        ("proxy:3128", "http://proxy:3128"),
        ("socks5://ada:s3cret-word@[::1]:1080", "socks5://[::1]:1080"),
        ("http://proxy\x1b[2J:1", r"http://proxy\x1b[2J:1"),
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_a_proxy_is_shown_without_its_password(monkeypatch, variable, value, shown):
    """Whatever a password holds, none of it is shown, and where the proxy comes from is."""
    monkeypatch.setenv(variable, value)

    assert Proxy(variable, shown) == proxy_for("https://api.x.com")


def test_no_proxy(monkeypatch):
    """Without a variable, with one that excludes X, and on loopback, X is called directly."""
    assert proxy_for("https://api.x.com") is None

    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert proxy_for("http://127.0.0.1:8787") is None

    monkeypatch.setenv("NO_PROXY", "x.com")
    assert proxy_for("https://api.x.com") is None


def test_a_proxy_that_no_connection_can_be_made_through(monkeypatch):
    """A slip in the variable is told as one."""
    monkeypatch.setenv("HTTPS_PROXY", "gopher://proxy:70")
    with pytest.raises(UsageError, match="HTTPS_PROXY"):
        probe("https://api.x.com", transport=None, seconds=1)


def test_a_dead_proxy(monkeypatch):
    """The proxy is blamed, not X, and its password stays hidden."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("HTTPS_PROXY", f"http://ada:s3cret-word@127.0.0.1:{port}")
    with pytest.raises(Unreachable, match=f"nobody answers at the proxy http://127.0.0.1:{port}: ") as caught:
        probe("https://api.x.com", transport=None, seconds=1)
    assert "s3cret" not in caught.value.message


def test_a_proxy_that_refuses(misbehave, monkeypatch):
    """A proxy that wants another password, or another company's hosts, is told with its own words."""
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    server = misbehave(lambda connection: connection.sendall(refusal))
    monkeypatch.setenv("HTTPS_PROXY", server.url)
    with pytest.raises(Unreachable, match=r"doesn't let us through to api\.x\.com: .*407"):
        probe("https://api.x.com", transport=None, seconds=1)
