"""Connections to X: each step of a request ends when the request does, and what is given up never leaves afterwards."""

from __future__ import annotations

import socket
import ssl
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from ipaddress import ip_address
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import httpcore
import httpx

from profilectl.api.retry import Exchange
from profilectl.api.urls import is_public
from profilectl.errors import Refused
from profilectl.system.proxies import proxy_of
from profilectl.system.threads import run_with_deadline

if TYPE_CHECKING:
    from profilectl.system.proxies import NamedProxy

# Seconds that an idle connection is kept open: less than the 60 s after which common balancers end it. httpx checks
# that a connection is still open before it sends anything over it, but can't see an end that is on its way at that very
# moment, which would leave a create in doubt; closing it first avoids that race.
KEEP_ALIVE: Final = 55.0

_PIECE: Final = 256 * 1024  # bytes that are handed to the kernel at once
_USER_TIMEOUT: Final[int | None] = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux: RFC 5482 3
_ABORTIVE, _ORDERLY = struct.pack("ii", 1, 0), struct.pack("ii", 0, 0)  # SO_LINGER: on with 0 s, off
_HAS_LINGER: Final = sys.platform != "win32"  # where the structure has another form


class Stream(httpcore.NetworkStream):
    """A connection, plain or over TLS, that knows the request on it."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self._exchange: Exchange | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come, within the time and the size that the request's answer may take."""
        exchange = Exchange.current()
        try:
            data = self._stream.read(max_bytes, _limit(timeout, httpcore.ReadTimeout))
        except httpcore.ReadTimeout:
            _limit(timeout, httpcore.ReadTimeout)  # says so where it was the request's own time that ran out
            raise
        if exchange is not None and not exchange.take(len(data)):
            raise httpcore.RemoteProtocolError("more bytes around the answer than an answer takes")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send a part of a request, unless the time in which it may leave is over."""
        exchange = self._exchange = Exchange.current()
        for start in range(0, len(buffer), _PIECE):
            piece = buffer[start : start + _PIECE]
            # A proxy's CONNECT isn't yet the request: X sees nothing of it.
            if exchange is None or buffer.startswith(b"CONNECT "):
                self._stream.write(piece, _limit(timeout, httpcore.WriteTimeout))
            else:
                self._leave(exchange, piece, timeout)

    def _leave(self, exchange: Exchange, piece: bytes, timeout: float | None) -> None:
        remaining = exchange.remaining_after_leaving()
        if _USER_TIMEOUT is not None:
            # The kernel repeats what isn't acknowledged: as long as we wait for the answer, and no longer.
            with suppress(OSError):  # of a connection that is broken, as the next step says
                connection = self.get_extra_info("socket")
                connection.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, max(1, int(remaining * 1000)))
        seconds = remaining if timeout is None else min(timeout, remaining)
        # Last of all: a process that is stopped between this look and the kernel's call sends an old request when it
        # wakes, and no program can do better. A create's intent in the ledger waits for such a one.
        if seconds <= 0 or not exchange.leave():
            raise httpcore.ConnectTimeout("it was too late to send it")
        self._stream.write(piece, seconds)

    def close(self) -> None:
        """Close the connection; with a request on it abortively, so that nothing of it is sent any more."""
        if _HAS_LINGER and (self._exchange is None or self._exchange.is_complete):
            with suppress(OSError):
                self.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ORDERLY)
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> Stream:
        """Return the connection with TLS on it."""
        limit = _limit(timeout, httpcore.ConnectTimeout)
        return Stream(self._stream.start_tls(ssl_context, server_hostname, limit))

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore knows of the connection."""
        return self._stream.get_extra_info(info)


class Backend(httpcore.NetworkBackend):
    """Opens connections within a limit that holds for the name, and for all its addresses together.

    Args:
        public_only: refuse a host that has an address which isn't public.
    """

    def __init__(self, *, public_only: bool = False) -> None:
        self._public_only = public_only
        self._system = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> Stream:
        """Connect to one of a host's addresses, each of which gets its share of the time.

        Raises:
            Refused: an address of the host isn't public, where it must be.
        """
        del socket_options  # ours are those of every connection
        exchange = Exchange.current() or Exchange(timeout or KEEP_ALIVE)
        exchange.is_watched = True
        deadline = Exchange(_limit(timeout, httpcore.ConnectTimeout) or KEEP_ALIVE)
        addresses = _addresses(host, port, deadline.remaining())
        # These very addresses are connected to: a name that is resolved again could lead elsewhere by then.
        if self._public_only and not all(map(is_public, addresses)):
            raise Refused(f"{host} has an address that isn't public, so no picture is fetched from there")
        for number, address in enumerate(addresses, 1):
            share = deadline.remaining() / (len(addresses) - number + 1)
            try:
                return Stream(self._system.connect_tcp(address, port, max(0.001, share), local_address, _options()))
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise httpcore.ConnectError(f"{host} has no address")


def _options() -> list[tuple[int, int, bytes]]:
    """Return what every connection begins with: if this process is killed, the kernel drops what it hasn't sent."""
    return [(socket.SOL_SOCKET, socket.SO_LINGER, _ABORTIVE)] if _HAS_LINGER else []


def _addresses(host: str, port: int, seconds: float) -> list[str]:
    """Return a host's addresses, each once."""
    with suppress(ValueError):
        return [str(ip_address(host))]
    try:  # in a thread, because nothing can interrupt the system's resolver
        entries = run_with_deadline(seconds, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(f"the name {host} isn't resolved after {seconds:.0f} s") from error
    except (OSError, UnicodeError) as error:  # a label of 64 letters is the latter
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in entries))


def _limit(timeout: float | None, error: type[Exception]) -> float | None:
    """Return how long a step may take; raise the error when the time of the request is over."""
    exchange = Exchange.current()
    if exchange is None:
        return timeout
    remaining = exchange.remaining()
    if remaining <= 0:
        raise error(f"X's answer isn't complete after {exchange.total:g} s" if exchange.has_left else "no time is left")
    return remaining if timeout is None else min(timeout, remaining)


class _ClosedOnFailure(httpcore.ConnectionInterface):
    """A connection that isn't kept after a failure."""

    # httpcore keeps the tunnel of a TLS handshake that failed behind a proxy, as busy for ever, and the next request
    # waits for it in vain.
    def __init__(self, connection: httpcore.ConnectionInterface) -> None:
        self._connection = connection

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        try:
            return self._connection.handle_request(request)
        except httpcore.ConnectionNotAvailable:
            raise
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def can_handle_request(self, origin: httpcore.Origin) -> bool:
        return self._connection.can_handle_request(origin)

    def is_available(self) -> bool:
        return self._connection.is_available()

    def has_expired(self) -> bool:
        return self._connection.has_expired()

    def is_idle(self) -> bool:
        return self._connection.is_idle()

    def is_closed(self) -> bool:
        return self._connection.is_closed()

    def info(self) -> str:
        return self._connection.info()


class _Pool(httpcore.ConnectionPool):
    def create_connection(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface:
        return _ClosedOnFailure(super().create_connection(origin))


class _Pooled(httpx.HTTPTransport):
    """httpx over a pool of ours."""

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool


class NetworkTransport(httpx.BaseTransport):
    """Carries requests over the network, through the proxy that the environment names for their host.

    Args:
        jobs: connections at most for each proxy, and as many without one.
        tls: verifies certificates.
        uses_proxies: False to call every host directly.

    Raises:
        ValueError, ImportError, httpx.InvalidURL: by `open_for`, a proxy that can't be used.
    """

    def __init__(self, tls: ssl.SSLContext, jobs: int, *, uses_proxies: bool) -> None:
        self._tls = tls
        self._jobs = jobs
        self._uses_proxies = uses_proxies
        self._pools: dict[tuple[str | None, bool], _Pooled] = {}
        self._lock = Lock()

    def proxy_of(self, url: httpx.URL) -> NamedProxy | None:
        """Return the proxy for an address."""
        return proxy_of(url.scheme, url.host, url.port) if self._uses_proxies else None

    def open_for(self, url: httpx.URL, *, public_only: bool = False) -> _Pooled:
        """Return what carries the requests to an address; `public_only` is for whom no proxy calls."""
        proxy = self.proxy_of(url)
        address = None if proxy is None else proxy.url
        key = (address, public_only and address is None)  # the proxy itself may well stand in this network
        with self._lock:
            if key not in self._pools:
                self._pools[key] = _Pooled(self._new_pool(*key))
            return self._pools[key]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return the answer once its head is there."""
        try:
            pool = self.open_for(request.url, public_only=bool(request.extensions.get("public_only")))
        except (ValueError, ImportError) as error:  # the proxy for a picture's host; X's own was looked at before
            raise httpx.ProxyError(str(error)) from error
        return pool.handle_request(request)

    def close(self) -> None:
        """Close every connection."""
        for pool in tuple(self._pools.values()):
            pool.close()

    def _new_pool(self, address: str | None, public_only: bool) -> _Pool:
        return _Pool(
            ssl_context=self._tls,
            proxy=None if address is None else self._proxy(httpx.Proxy(address)),
            max_connections=self._jobs,
            max_keepalive_connections=self._jobs,
            keepalive_expiry=KEEP_ALIVE,
            network_backend=Backend(public_only=public_only),
        )

    def _proxy(self, proxy: httpx.Proxy) -> httpcore.Proxy:
        url = proxy.url
        if url.scheme.startswith("socks"):
            import_module("socksio")  # httpcore would miss it with the first request only
        return httpcore.Proxy(
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            auth=proxy.raw_auth,
            headers=proxy.headers.raw,
            ssl_context=self._tls if url.scheme == "https" else None,
        )
