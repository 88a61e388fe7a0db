"""Pictures come from wherever X says they are: nothing secret goes there, and nothing strange comes back."""

from __future__ import annotations

import ssl

import pytest

from profilectl.api.transport import LARGEST_PICTURE
from profilectl.errors import Refused, RemoteError, Unreachable

URL = "https://pbs.twimg.example/media/1.jpg?name=normal"


def test_a_picture_is_fetched_without_credentials(client, httpx_mock):
    """A plain GET: no Authorization, no cookie, and the picture's server can't set our idea of X's clock."""
    httpx_mock.add_response(content=b"\xff\xd8", headers={"Date": "Mon, 01 Jan 2001 00:00:00 GMT"})
    skew = client.skew_seconds

    assert b"\xff\xd8" == client.download(URL)
    [request] = httpx_mock.get_requests()
    assert ("GET", URL) == (request.method, str(request.url))
    assert not {"authorization", "cookie"} & {name.lower() for name in request.headers}
    assert (skew, 1) == (client.skew_seconds, client.requests["other"])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://pbs.twimg.example/1.jpg",
        "ftp://pbs.twimg.example/1.jpg",
        "file:///etc/passwd",
        "https://user:secret@pbs.twimg.example/1.jpg",
        "https://@pbs.twimg.example/1.jpg",
        "https://pbs.twimg.example:port/1.jpg",
        "https:///1.jpg",
        "http://127.0.0.1.evil.example/1.jpg",
        "//pbs.twimg.example/1.jpg",
    ],
)
def test_other_addresses_are_never_called(client, httpx_mock, url):
    """Only https, or http on loopback; no user names, no other schemes."""
    with pytest.raises(Refused, match="isn't one that may be called"):
        client.download(url)
    assert not httpx_mock.get_requests()


def test_loopback_needs_no_tls(connect, httpx_mock):
    """The sandbox serves its pictures over http."""
    httpx_mock.add_response(content=b"picture")

    assert b"picture" == connect("http://127.0.0.1:8080").download("http://127.0.0.1:8080/_sandbox/media/x.jpg")


@pytest.mark.parametrize(("status", "error"), [(301, Refused), (302, Refused), (403, Refused), (404, Refused)])
def test_nothing_else_is_followed_or_repeated(client, httpx_mock, status, error):
    """A redirect could lead anywhere; a refusal is one."""
    httpx_mock.add_response(status_code=status, headers={"Location": "https://elsewhere.example/"})
    with pytest.raises(error, match=f"downloading the picture: HTTP {status}"):
        client.download(URL)
    assert 1 == len(httpx_mock.get_requests())


def test_trouble_is_tried_again(client, httpx_mock, pauses):
    """A server in trouble gets another chance."""
    httpx_mock.add_response(status_code=503)
    httpx_mock.add_response(content=b"picture")

    assert b"picture" == client.download(URL)
    assert 1 == len(pauses)


def test_a_picture_has_an_upper_limit(client, httpx_mock):
    """What X wouldn't take as an upload isn't read to its end; exactly that much is."""
    httpx_mock.add_response(content=bytes(LARGEST_PICTURE))
    httpx_mock.add_response(content=bytes(LARGEST_PICTURE + 1))

    assert LARGEST_PICTURE == len(client.download(URL))
    with pytest.raises(RemoteError, match="larger than 5242880 bytes"):
        client.download(URL)


def test_a_broken_connection_is_a_matter_of_time(connect, misbehave):
    """A server that hangs up is unreachable, and nothing in its request was signed."""
    server = misbehave(lambda connection: None)
    with pytest.raises(Unreachable, match="downloading the picture"):
        connect(server.url).download(f"{server.url}/1.jpg")

    assert server.heads
    assert not any(b"authorization" in head.lower() for head in server.heads)


def test_a_picture_behind_tls_is_verified_when_the_api_is_on_loopback(connect, tls_server):
    """Pictures of a relay come from elsewhere: the client that calls it over http:// refuses an unknown certificate."""
    with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
        connect("http://127.0.0.1:9").download(picture_at(tls_server))


def test_a_picture_behind_a_trusted_certificate_is_fetched_when_the_api_is_on_loopback(
    connect, tls_server, monkeypatch
):
    """The same client trusts whom httpx does by itself."""
    monkeypatch.setattr("certifi.where", lambda: str(tls_server.certificate))

    assert b"picture" == connect("http://127.0.0.1:9").download(picture_at(tls_server))


def test_a_client_of_loopback_loads_no_certificates_before_it_needs_them(connect, misbehave, monkeypatch):
    """They would take longer to load than everything else that such a client does."""
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: pytest.fail("certificates loaded"))
    server = misbehave(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"))

    assert b"x" == connect(server.url).download(f"{server.url}/1.jpg")


def picture_at(tls_server):
    return f"https://127.0.0.1:{tls_server.port}/1.jpg"
