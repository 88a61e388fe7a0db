"""Checks whether X can be reached: one unsigned request that asks for nothing, and the proxy it goes through."""

from __future__ import annotations

import os
import socket
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from profilectl.api.clock import Clock, ServerClock, parse_date
from profilectl.api.error_response import cause_of, causes, certificate_hint, shorten, why_untrusted
from profilectl.api.transport import open_client
from profilectl.api.urls import parse_address
from profilectl.errors import Unreachable
from profilectl.system.proxies import proxy_of

if TYPE_CHECKING:
    from profilectl.api.transport import HttpxTransport
    from profilectl.api.urls import Address

_NETWORK = "look at the network and its DNS; behind a company's proxy, set HTTPS_PROXY"
_NO_ANSWER = "look at the network and the firewall, or whether PROFILECTL_API_URL names the right address"
_PROXY = "look at the proxy that the line `proxy` names"


class ProbeResult(Struct, frozen=True):
    """How X answered a probe."""

    status: int
    tls: str | None  # the protocol's name, such as "TLSv1.3"; None without TLS
    peer: str | None
    skew: float | None  # seconds that this machine is ahead of X, at least; None when the answer has no Date


class Proxy(Struct, frozen=True):
    """The proxy that requests go through."""

    origin: str  # the environment variable that names it, or "the system's settings"
    shown: str  # its address without user name and password, every character visible


def probe(
    base_url: str, *, transport: HttpxTransport | None, seconds: float, clock: Clock | None = None
) -> ProbeResult:
    """Send an unsigned HEAD request to X's host, each step of which may take some seconds; any answer will do.

    Raises:
        UsageError: the address mustn't be called, or the proxy's can't be used.
        Unreachable: the name doesn't resolve, the certificate isn't trusted, nobody answers; the message says which.
    """
    address = parse_address(base_url)
    local = clock or Clock()
    server_clock = ServerClock(local)
    started = local.monotonic()
    try:
        with (
            open_client(address, transport=transport) as http,
            http.stream("HEAD", f"{address.url}/", timeout=seconds) as response,
        ):
            server_clock.learn(parse_date(response.headers.get("date")), local.monotonic() - started)
            return ProbeResult(response.status_code, *_connection(response), server_clock.skew_seconds)
    except httpx.HTTPError as error:
        raise _explain(error, address) from error


def proxy_for(base_url: str) -> Proxy | None:
    """Return the proxy between this machine and X, which obeys NO_PROXY; None without one."""
    address = parse_address(base_url)
    parts = urlsplit(address.url)
    proxy = None if address.is_loopback else proxy_of(parts.scheme, address.host, parts.port)
    return None if proxy is None else Proxy(proxy.origin, _without_userinfo(proxy.url))


def _connection(response: httpx.Response) -> tuple[str | None, str | None]:
    """Return the TLS protocol and the peer's IP address of an answer that is still open."""
    stream = response.extensions.get("network_stream")
    if stream is None:
        return None, None
    secured = stream.get_extra_info("ssl_object")
    peer = stream.get_extra_info("server_addr")
    return secured.version() if secured is not None else None, str(peer[0]) if peer else None


def _explain(error: httpx.HTTPError, address: Address) -> Unreachable:
    proxy = proxy_for(address.url)
    host, place = (address.host, address.url) if proxy is None else ("of the proxy", f"the proxy {proxy.shown}")
    if isinstance(error, httpx.ProxyError):
        return Unreachable(f"{place} doesn't let us through to {address.host}: {cause_of(error)}", hint=_PROXY)
    untrusted = why_untrusted(error)
    if untrusted is not None:
        message = f"the certificate of {address.host} isn't trusted: {untrusted}"
        return Unreachable(message, hint=certificate_hint(os.environ))
    for cause in causes(error):
        if isinstance(cause, ssl.SSLError):
            reason = shorten(cause.reason or str(cause))
            message = f"{address.host} doesn't speak TLS as it should: {reason}"
            return Unreachable(message, hint=certificate_hint(os.environ))
        if isinstance(cause, socket.gaierror):
            reason = shorten(cause.strerror or str(cause))
            return Unreachable(f"the name {host} doesn't resolve: {reason}", hint=_PROXY if proxy else _NETWORK)
    reason = cause_of(error)
    return Unreachable(f"nobody answers at {place}: {reason}", hint=_PROXY if proxy else _NO_ANSWER)


def _without_userinfo(value: str) -> str:
    """Return scheme, host and port."""
    scheme, separator, _ = value.partition("://")
    # Cut at the last @, because a password may hold anything, even a slash; the scheme may be missing.
    rest = value.rpartition("@")[2].rpartition("://")[2]
    return shorten(f"{scheme if separator and scheme.isalnum() else 'http'}://{rest.partition('/')[0]}")
