import pytest

from profilectl.api.urls import Address, parse_address
from profilectl.errors import UsageError


@pytest.mark.parametrize(
    ("expected", "url"),
    [
        (Address("https://api.x.com", "api.x.com", False), "https://api.x.com"),
        (Address("https://api.x.com", "api.x.com", False), "HTTPS://API.X.COM/"),
        (Address("https://proxy.example:8443", "proxy.example", False), "https://proxy.example:8443"),
        (Address("http://127.0.0.1:8080", "127.0.0.1", True), "http://127.0.0.1:8080"),
        (Address("http://127.9.9.9", "127.9.9.9", True), "http://127.9.9.9"),
        (Address("http://[::1]:99", "::1", True), "http://[::1]:99/"),
        (Address("http://localhost:1", "localhost", True), "http://localhost:1"),
        (Address("https://localhost", "localhost", True), "https://localhost"),
    ],
)
def test_addresses(expected, url):
    """TLS goes anywhere, http stays on loopback; case and a trailing slash don't matter."""
    assert expected == parse_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.x.com",
        "http://10.0.0.1",
        "http://127.0.0.1.evil.example",
        "http://127.1",
        "http://0.0.0.0",
        "http://localhost.evil.example",
        "http://[::2]",
        "http://2130706433",
    ],
)
def test_http_beyond_loopback(url):
    """Credentials never travel unencrypted, and nothing that merely looks like loopback passes for it."""
    with pytest.raises(UsageError, match="unencrypted"):
        parse_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.x.com",
        "ftp://api.x.com",
        "file:///etc/passwd",
        "https://",
        "https://api.x.com/1.1",
        "https://api.x.com?x=1",
        "https://api.x.com#x",
        "https://api.x.com:port",
        "https://api.x.com:99999",
        "https://ápi.x.com",
        "https://api x.com",
        "https://[::1",
        "https://api.x.com\\@evil.example",
        "http://user:pass@127.0.0.1",
    ],
)
def test_no_address(url):
    """Anything but scheme, host and port is refused with an example of the right form."""
    with pytest.raises(UsageError) as caught:
        parse_address(url)
    assert "https://api.x.com or http://127.0.0.1:8080" in caught.value.hint


def test_a_password_is_not_repeated():
    """The message about a password in the address doesn't show it."""
    with pytest.raises(UsageError) as caught:
        parse_address("https://user:hunter2@api.x.com")
    assert "hunter2" not in str(caught.value)
