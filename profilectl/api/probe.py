"""Whether X can be reached at all: one unsigned request that asks for nothing, and the proxy it goes through."""

from __future__ import annotations

import os
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

import httpx

from profilectl.api.clock import Clock, ServerClock, parse_date
from profilectl.api.error_response import cause_of, shorten
from profilectl.api.transport import open_client
from profilectl.api.urls import parse_address
from profilectl.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from profilectl.api.transport import Transport
    from profilectl.api.urls import Address

_NETWORK = "look at the network and its DNS; behind a company's proxy, set HTTPS_PROXY"
_CERTIFICATE = (
    "somebody on the way may be reading along; if that is your company's proxy, name its certificate authority's "
    "file in SSL_CERT_FILE"
)
_NOBODY = "look at the network and the firewall, or whether PROFILECTL_API_URL names the right address"
_PROXY = "look at the proxy that the line `proxy` names"


@dataclass(frozen=True, slots=True)
class Reach:
    """How X was reached.

    Attributes:
        status: of HTTP.
        tls: the protocol's name, such as ``TLSv1.3``; None without TLS.
        peer: the address that was connected to, None in this process.
        skew: seconds that this machine is ahead of X, at least; None when the answer doesn't tell the time.
    """

    status: int
    tls: str | None
    peer: str | None
    skew: float | None


@dataclass(frozen=True, slots=True)
class Proxy:
    """Through whom requests go.

    Attributes:
        origin: the variable that says so, or "the system's settings".
        shown: its address without user name and password; foreign characters made visible.
    """

    origin: str
    shown: str


def reach(base_url: str, *, transport: Transport | None, seconds: float, clock: Clock | None = None) -> Reach:
    """Ask X's host for its head, unsigned; any answer will do.

    Args:
        base_url: as for `XClient`.
        transport: for a world in this process.
        seconds: how long each step may take.
        clock: this machine's.

    Raises:
        UsageError: the address mustn't be called, or the proxy's can't be.
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
            return Reach(response.status_code, *_line(response), server_clock.skew_seconds)
    except httpx.HTTPError as error:
        raise _explain(error, address) from error


def proxy_for(base_url: str) -> Proxy | None:
    """Return the proxy between here and X, None when there is none: as httpx chooses it, which keeps to NO_PROXY."""
    address = parse_address(base_url)
    if address.is_loopback or proxy_bypass(address.host):
        return None
    proxies = getproxies()
    value = proxies.get(address.url.partition(":")[0]) or proxies.get("all")
    if not value:
        return None
    names = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
    origin = next((name for name in names if os.environ.get(name) == value), "the system's settings")
    return Proxy(origin, _without_userinfo(value))


def _line(response: httpx.Response) -> tuple[str | None, str | None]:
    """Return the TLS protocol and the peer of an answer that is still open."""
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
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = shorten(cause.verify_message)
            return Unreachable(f"the certificate of {address.host} isn't trusted: {reason}", hint=_CERTIFICATE)
        if isinstance(cause, ssl.SSLError):
            reason = shorten(cause.reason or str(cause))
            return Unreachable(f"{address.host} doesn't speak TLS as it should: {reason}", hint=_CERTIFICATE)
        if isinstance(cause, socket.gaierror):
            reason = shorten(cause.strerror or str(cause))
            return Unreachable(f"the name {host} doesn't resolve: {reason}", hint=_PROXY if proxy else _NETWORK)
    reason = cause_of(error)
    return Unreachable(f"nobody answers at {place}: {reason}", hint=_PROXY if proxy else _NOBODY)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _without_userinfo(value: str) -> str:
    """Return scheme, host and port; cut at the last @, because a password may hold anything, even a slash."""
    scheme, separator, _ = value.partition("://")
    rest = value.rpartition("@")[2].rpartition("://")[2]
    return shorten(f"{scheme if separator and scheme.isalnum() else 'http'}://{rest.partition('/')[0]}")
