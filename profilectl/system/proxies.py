"""The proxy that the environment names for a host, as curl and others read these variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_network
from urllib.request import getproxies, getproxies_environment, proxy_bypass

from msgspec import Struct

_VARIABLES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")


class NamedProxy(Struct, frozen=True):
    """A proxy, and who names it."""

    url: str  # with a scheme; it may hold a user name and a password
    origin: str  # the environment variable, or "the system's settings"


def proxy_of(scheme: str, host: str, port: int | None = None) -> NamedProxy | None:
    """Return the proxy for the addresses of a host, None when it is called directly.

    The environment wins over the settings that macOS and Windows keep. Of the variables only those count that this
    scheme needs, so that what stands in another one can't stop a call.
    """
    proxies = getproxies()
    value = proxies.get(scheme) or proxies.get("all")
    if not value or is_excepted(host, port or (443 if scheme == "https" else 80), proxies.get("no", "")):
        return None
    if not getproxies_environment() and proxy_bypass(host):  # the system's settings have exceptions of their own
        return None
    return NamedProxy(value if "://" in value else f"http://{value}", _origin(value, os.environ))


def is_excepted(host: str, port: int, exceptions: str) -> bool:
    """Return whether ``NO_PROXY`` names a host: ``*``, its domain, its address or its network, perhaps with a port.

    Entries are parted by commas or spaces (curl's CURLOPT_NOPROXY); dots and ``*.`` before a domain change nothing, and
    an entry that makes no sense excepts nobody.
    """
    name = host.strip("[]").rstrip(".").lower()
    return any(_names(entry.lower(), name, port) for entry in exceptions.replace(",", " ").split())


def _names(entry: str, name: str, port: int) -> bool:
    if entry == "*":
        return True
    place, entry_port = _without_port(entry)
    if entry_port not in {None, port}:
        return False
    place = place.strip("[]")
    try:
        address = ip_address(name)
    except ValueError:
        domain = place.removeprefix("*").strip(".")
        return bool(domain) and (name == domain or name.endswith(f".{domain}"))
    with suppress(ValueError):
        return address in ip_network(place, strict=False)
    return False


def _without_port(entry: str) -> tuple[str, int | None]:
    """Part ``host:8080`` and ``[::1]:8080``; an IPv6 address without brackets has no port."""
    place, colon, port = entry.rpartition(":")
    if colon and port.isascii() and port.isdigit() and (":" not in place or place.endswith("]")):
        return place, int(port)
    return entry, None


def _origin(value: str, environ: Mapping[str, str]) -> str:
    return next((name for name in _VARIABLES if environ.get(name) == value), "the system's settings")
