"""The proxy of the environment, as curl and others read it."""

from __future__ import annotations

import pytest

from profilectl.system.proxies import NamedProxy, is_excepted, proxy_of

_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("expected", "environ"),
    [
        (None, {}),
        (("http://p:1", "HTTPS_PROXY"), {"HTTPS_PROXY": "http://p:1"}),
        (("http://p:1", "https_proxy"), {"https_proxy": "p:1"}),
        (("http://p:1", "https_proxy"), {"https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:1"}),
        (("http://p:1", "ALL_PROXY"), {"ALL_PROXY": "http://p:1"}),
        # What isn't needed can't stop a call: a desktop exports ALL_PROXY=socks:// beside the others.
        (("http://p:9/", "HTTPS_PROXY"), {"HTTPS_PROXY": "http://p:9/", "ALL_PROXY": "socks://127.0.0.1:1080/"}),
        (None, {"HTTP_PROXY": "http://p:1"}),
        (None, {"HTTPS_PROXY": ""}),
        (None, {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}),
        (None, {"HTTPS_PROXY": "http://p:1", "no_proxy": "localhost,x.com"}),
        (("http://p:1", "HTTPS_PROXY"), {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "localhost,127.0.0.1,fd07::/64"}),
    ],
)
def test_proxy_of(monkeypatch, expected, environ):
    """Lower case wins over upper case, the scheme's own variable over ALL_PROXY, and exceptions over both."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert (None if expected is None else NamedProxy(*expected)) == proxy_of("https", "api.x.com")


@pytest.mark.parametrize(
    "exceptions",
    [
        "*",
        "x.com",
        ".x.com",
        "*.x.com",
        "api.x.com",
        "API.X.COM",
        "api.x.com.",
        "api.x.com:443",
        ".x.com:443",
        "localhost x.com",
        "localhost,  x.com ,",
        "a,b.c\tx.com",
    ],
)
def test_excepted(exceptions):
    """Every usual way to write that X, or its domain, has no proxy."""
    assert is_excepted("api.x.com", 443, exceptions)


@pytest.mark.parametrize(
    "exceptions",
    [
        "",
        ",",
        "x.co",
        "ax.com",
        "pi.x.com",
        "www.api.x.com",
        "x.com:8443",
        "localhost,127.0.0.1,::1,fd07:b51a:cc66:f0::/64",
        "[::1]",
        "[::1",
        "10.0.0.0/99",
        ":443",
        "https://api.x.com",
        ".",
    ],
)
def test_not_excepted(exceptions):
    """What names another host, or makes no sense, changes nothing and stops nothing."""
    assert not is_excepted("api.x.com", 443, exceptions)


@pytest.mark.parametrize(
    ("expected", "host", "exceptions"),
    [
        (True, "10.1.2.3", "10.0.0.0/8"),
        (True, "10.1.2.3", "10.1.2.3"),
        (True, "10.1.2.3", "10.1.2.3:443"),
        (True, "10.1.2.3", "10.1.2.3/24"),
        (True, "fd07::9", "fd07::/64"),
        (True, "[fd07::9]", "[fd07::9]"),
        (True, "fd07::9", "[fd07::9]:443"),
        (True, "fd07::9", "fd07:0:0::9"),
        (False, "10.1.2.3", "10.1.2.4"),
        (False, "10.1.2.3", "fd07::/64"),
        (False, "10.1.2.3", "2.3"),
        (False, "fd07::9", "[fd07::9]:80"),
    ],
)
def test_addresses_and_networks(expected, host, exceptions):
    """An address is compared as a number, not as text, and may lie in a network."""
    assert expected is is_excepted(host, 443, exceptions)
