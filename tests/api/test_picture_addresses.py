"""X names where pictures are, and a hostile X names what stands in this machine's own network."""

from __future__ import annotations

import socket

import pytest

from profilectl.errors import Refused, RemoteError

ROUTER, PUBLIC = "10.0.0.1", "93.184.215.14"


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "192.168.1.1",
        "0.0.0.0",
        "224.0.0.1",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "127.0.0.0x1",
        "0177.0.0.1",
        "localhost",
        "metadata.localhost",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fd00::1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::10.0.0.1]",
        "[2002:a00:1::]",
        "[2001:0:4136:e378:8000:63bf:f5ff:fffe]",
    ],
)
def test_no_picture_comes_from_this_network(client, httpx_mock, host):
    """An address that isn't public is refused however it is written, before a proxy could be asked for it."""
    with pytest.raises(Refused, match="isn't one that may be called"):
        client.download(f"https://{host}/1.jpg")
    assert not httpx_mock.get_requests()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/1.jpg", "http://localhost/1.jpg", "https://[::1]/1.jpg"])
def test_loopback_is_for_an_x_on_loopback(client, httpx_mock, url):
    """The real X has no pictures on this machine."""
    with pytest.raises(Refused, match="isn't one that may be called"):
        client.download(url)
    assert not httpx_mock.get_requests()


@pytest.mark.parametrize("api", ["https://api.x.com", "http://127.0.0.1:9"])
@pytest.mark.parametrize("addresses", [[ROUTER], [PUBLIC, ROUTER], ["::1"], ["::ffff:127.0.0.1"]])
def test_a_name_for_this_network_is_no_picture(connect, monkeypatch, api, addresses):
    """Every address of a name must be public, and nothing is connected to when it isn't so."""
    connected = resolver(monkeypatch, addresses)

    with pytest.raises(Refused, match=r"pictures\.example has an address that isn't public"):
        connect(api).download("https://pictures.example/1.jpg")
    assert [] == connected


def test_a_name_is_resolved_once(connect, monkeypatch):
    """What is connected to is the address that was looked at, whatever the name says the next time."""
    connected = resolver(monkeypatch, [PUBLIC], [ROUTER], [ROUTER], [ROUTER])

    with pytest.raises(RemoteError):
        connect().download("https://pictures.example/1.jpg")
    assert {PUBLIC} == set(connected)


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "a..example", "xn--zzzz--.example", ".".join(["abcd"] * 60)])
def test_a_host_that_cant_be_is_no_picture(connect, host):
    """The resolver's own errors, which aren't OSError, end nothing."""
    with pytest.raises(RemoteError):
        connect().download(f"https://{host}/1.jpg")


def resolver(monkeypatch, *answers):
    """Have names resolve to one list of addresses after the other; return the addresses that are connected to."""
    connected, left = [], list(answers)

    def getaddrinfo(host, port, **_):
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    def connect(address, *_, **__):
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", connect)
    return connected
