"""Requests to X over httpx: signed, sent, read within bounds and counted, and every failure turned into one of ours."""

from __future__ import annotations

import logging
import math
import os
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx

from profilectl import __version__
from profilectl.api import endpoints, wire
from profilectl.api.clock import Clock, ServerClock, parse_date
from profilectl.api.error_response import (
    RequestInfo,
    cause_of,
    certificate_hint,
    error_from,
    outcome_unknown,
    shorten,
    why_untrusted,
)
from profilectl.api.retry import Deadline, Exchange, Limits, Retrier, RetryPolicy, WaitBudget, fate_of_exception
from profilectl.api.urls import DEFAULT_URL, check_fetched_url, is_loopback_url, parse_address
from profilectl.errors import Fate, Refused, RemoteError, Unreachable, UsageError

if TYPE_CHECKING:
    from profilectl.api.endpoints import Endpoint
    from profilectl.api.oauth import Signature
    from profilectl.api.urls import Address
    from profilectl.api.wire import Answer

T = TypeVar("T")

HttpxTransport = httpx.BaseTransport
"""What carries requests: httpx's own over the network, or one that answers in this process."""

LARGEST_PICTURE = 5 * 1024 * 1024  # bytes of a picture that is fetched: what X takes as an upload at most

_log = logging.getLogger(__name__)


class Transport:
    """Sends requests to X: signs them, reads answers within bounds, counts, and turns every failure into one of ours.

    Safe to use from as many threads as there are `jobs`; more wait for a free connection.

    Args:
        transport: answers in this process instead of over the network.
        deadline: of all requests together; None for no limit.
        max_wait: seconds that all requests together may wait for rate limits, or a budget shared with other clients.
        announce: called with seconds and reason before every wait, in the thread that waits.
        seconds_held: returns for how long a write may still leave, because nobody else can have taken the ledger.

    Raises:
        UsageError: an address that mustn't be called, or a proxy or certificate setting that can't be used.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        *,
        transport: HttpxTransport | None = None,
        jobs: int = 1,
        deadline: Deadline | None = None,
        max_wait: float | WaitBudget = 0.0,
        announce: Callable[[float, str], None] | None = None,
        limits: Limits | None = None,
        clock: Clock | None = None,
        seconds_held: Callable[[], float] | None = None,
    ) -> None:
        self.address = parse_address(base_url)
        self._seconds_held = seconds_held or (lambda: math.inf)
        self.clock = clock or Clock()
        self.server_clock = ServerClock(self.clock)
        self._deadline = deadline or Deadline(math.inf)
        self._retrier = Retrier(
            deadline=self._deadline,
            wait_budget=max_wait if isinstance(max_wait, WaitBudget) else WaitBudget(max_wait),
            announce=announce,
            now=self.server_clock.now,
            sleep=self.clock.sleep,
        )
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._requests: Counter[str] = Counter(dict.fromkeys(endpoints.KINDS, 0))
        self._http = open_client(self.address, transport=transport, jobs=jobs)

    def close(self) -> None:
        """End every wait and close the connections."""
        self.interrupt()
        self._http.close()

    def interrupt(self) -> None:
        """End every wait: requests that pause fail at once, those under way come to their end."""
        self._retrier.halt()

    def pause(self, seconds: float) -> bool:
        """Wait, and return True; False when the deadline or an interruption leaves no time for it."""
        return self._retrier.pause(seconds)

    def requests(self) -> Counter[str]:
        """Return how many requests have left so far, by kind, repeats included."""
        with self._lock:
            return self._requests.copy()

    def perform(
        self, endpoint: Endpoint, signature: Signature, read: Callable[[Answer], T], leaves_by_ms: int | None = None
    ) -> T:
        """Send a request, repeat it as far as it may be, and return what `read`, which may raise Unreadable, returns.

        After `leaves_by_ms`, of X's clock as it is known here, none of its bytes leaves any more.

        Raises:
            RemoteError: the class says what happened, its `fate` whether X may have applied the request.
        """
        return self._retrier.call(lambda: self._attempt(endpoint, signature, read, leaves_by_ms), endpoint.retry)

    def download(self, url: str) -> bytes:
        """Return the picture at an address that X gave: never signed, no redirects, at most `LARGEST_PICTURE` bytes.

        Raises:
            Refused: the address mustn't be called, or the answer isn't a picture.
            Unreachable: no answer, or a server error.
        """
        checked = check_fetched_url(url, by_loopback=self.address.is_loopback)
        return self._retrier.call(lambda: self._fetch(checked), RetryPolicy.SAFE)

    def _fetch(self, url: str) -> bytes:
        endpoint = endpoints.Endpoint("downloading the picture", "GET", url)
        exchange = self._exchange(endpoint, None)
        try:
            # Loopback was asked for by an X on loopback, and is called over the connections to X itself.
            places = {"public_only": not is_loopback_url(url)}
            # Unsigned, because the host is whatever X's answer names; nor does its Date say anything about X's clock.
            with (
                exchange.made_current(),
                self._http.stream(
                    "GET", url, auth=None, timeout=self._timeout(endpoint), extensions=places
                ) as response,
            ):
                self._count(endpoint, has_left=True)
                _log.debug("GET %s %d", shorten(url), response.status_code)
                if response.status_code != httpx.codes.OK:
                    error = Unreachable if response.status_code >= 500 else Refused
                    raise error(f"{endpoint.action}: HTTP {response.status_code}", status=response.status_code)
                return self._read(response, response.headers, exchange, LARGEST_PICTURE)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # the last: xn-- with nothing in it
            raise Unreachable(f"{endpoint.action}: {cause_of(error)}") from error
        except wire.Unreadable as error:
            raise Refused(f"{endpoint.action}: {error}") from None

    def _attempt(
        self, endpoint: Endpoint, signature: Signature, read: Callable[[Answer], T], leaves_by_ms: int | None
    ) -> T:
        exchange = self._exchange(endpoint, leaves_by_ms)
        if not exchange.may_leave:
            raise self._too_late(endpoint)
        try:
            with exchange.made_current():
                answer = self._answer(endpoint, signature, exchange)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._connection_error(endpoint, error, exchange) from error
        except wire.Unreadable as error:  # too large or too slow, but whatever was asked for may have been done
            raise outcome_unknown(str(error), self._request_info(endpoint)) from None
        if not 200 <= answer.status < 300:
            raise error_from(answer, self._request_info(endpoint))
        try:
            return read(answer)
        except wire.Unreadable as error:  # 2xx says that something was done, and nothing usable says what
            what = f"X's answer can't be used, {error} (HTTP {answer.status})"
            raise outcome_unknown(what, self._request_info(endpoint), answer) from None

    def _exchange(self, endpoint: Endpoint, leaves_by_ms: int | None) -> Exchange:
        """Return a request that is about to begin; the deadline ends what only reads, and lets no write leave."""

        def to_leave() -> float:
            promised = math.inf if leaves_by_ms is None else leaves_by_ms / 1000 - self.server_clock.now()
            held = math.inf if endpoint.method == "GET" else self._seconds_held()  # an upload counts against a quota
            return min(promised, held, self._deadline.remaining())

        return Exchange(
            self._limits.total, monotonic=self.clock.monotonic, to_leave=to_leave, is_cut=not endpoint.retry.writes
        )

    def _answer(self, endpoint: Endpoint, signature: Signature, exchange: Exchange) -> Answer:
        started = self.clock.monotonic()
        response = self._send(endpoint, signature, exchange)
        duration = self.clock.monotonic() - started
        headers = dict(response.headers)  # once: httpx decodes all of them for each that is asked for
        self.server_clock.learn(parse_date(headers.get("date")), duration)
        _log.debug("%s %s %d %.0f ms", endpoint.method, endpoint.path, response.status_code, duration * 1000)
        try:
            content = self._read(response, headers, exchange, self._limits.body)
        finally:
            response.close()
        # Here, before anything can quote it: an error answer, X's or a proxy's, may repeat the request with its tokens.
        text = signature.scrub(content.decode("utf-8", "surrogateescape"))
        return wire.Answer(
            response.status_code, signature.scrub_headers(headers), text.encode("utf-8", "surrogateescape")
        )

    def _send(self, endpoint: Endpoint, signature: Signature, exchange: Exchange) -> httpx.Response:
        """Return the answer as soon as its head has arrived, and count the request if it left."""
        request = self._http.build_request(
            endpoint.method,
            _parsed(self.address.url + endpoint.target),
            content=endpoint.body,
            data=endpoint.form,
            files=endpoint.files,
            headers={"Content-Type": "application/json"} if endpoint.body is not None else None,
            timeout=self._timeout(endpoint),
        )
        request.read()  # otherwise every part of a form would be a packet of its own
        has_left = True
        try:
            return self._http.send(request, auth=signature, stream=True)
        except httpx.HTTPError as error:
            has_left = _fate(error, exchange) is not Fate.NOT_APPLIED
            raise
        finally:
            self._count(endpoint, has_left)

    def _read(self, response: httpx.Response, headers: Mapping[str, str], exchange: Exchange, largest: int) -> bytes:
        """Return the body; Unreadable when it is packed, too large, or comes too slowly."""
        exchange.end_head(largest)
        encoding = headers.get("content-encoding", "identity").strip().lower()
        if encoding not in {"identity", ""}:  # a few bytes could unpack to gigabytes
            raise wire.Unreadable(f"X's answer is packed ({shorten(encoding)}), and nobody asked for that")
        content = bytearray()
        # `iter_bytes` would close the connection after the last byte, before it can be known that all has come.
        for chunk in cast("httpx.SyncByteStream", response.stream):
            content += chunk
            if len(content) > largest:
                raise wire.Unreadable(f"X's answer is larger than {largest} bytes")
            if exchange.is_over:
                raise wire.Unreadable(f"X's answer isn't complete after {exchange.total:g} s")
        exchange.is_complete = True
        return bytes(content)

    def _timeout(self, endpoint: Endpoint) -> httpx.Timeout:
        """Return the timeouts: the deadline ends what may be repeated, while a write that has left is waited for."""
        left = max(0.001, self._deadline.remaining())  # 0 would make the socket non-blocking
        read = self._limits.read if endpoint.retry.writes else min(self._limits.read, left)
        return httpx.Timeout(read, connect=min(self._limits.connect, left), pool=min(self._limits.total, left))

    def _connection_error(self, endpoint: Endpoint, error: Exception, exchange: Exchange) -> RemoteError:
        if _fate(error, exchange) is Fate.UNKNOWN:
            what = f"the connection broke before X had answered ({cause_of(error)})"
            return outcome_unknown(what, self._request_info(endpoint))
        reason = why_untrusted(error)
        if reason is not None:
            message = f"{endpoint.action}: the certificate of {self.address.host} isn't trusted: {reason}"
            return _lasting(Unreachable(message, hint=certificate_hint(os.environ)))
        if not exchange.may_leave and endpoint.method != "GET":
            return self._too_late(endpoint)
        message = f"{endpoint.action}: no connection to {self.address.url} ({cause_of(error)})"
        return Unreachable(message, hint="look at the network, DNS and HTTPS_PROXY, then run again")

    def _too_late(self, endpoint: Endpoint) -> RemoteError:
        message = f"{endpoint.action}: nothing was sent, because the time in which it had to leave is over"
        return _lasting(Unreachable(message, hint="run again"))

    def _request_info(self, endpoint: Endpoint) -> RequestInfo:
        clock = self.server_clock
        return RequestInfo(
            action=endpoint.action,
            retry=endpoint.retry,
            now=clock.now(),
            skew=clock.skew_seconds,
            error_rules=endpoint.error_rules,
            says_no_in_words=endpoint.says_no_in_words,
        )

    def _count(self, endpoint: Endpoint, has_left: bool) -> None:
        with self._lock:
            self._requests[endpoint.kind] += has_left


def _fate(error: Exception, exchange: Exchange) -> Fate:
    """Return the fate of a request whose connection failed."""
    never_left = exchange.is_watched and not exchange.has_left  # also where a proxy broke off, or a handshake
    return Fate.NOT_APPLIED if never_left else fate_of_exception(error)


def _lasting(error: RemoteError) -> RemoteError:
    error.is_lasting = True
    return error


class _LazyTls(ssl.SSLContext):
    """TLS as httpx sets it up, with the certificates loaded for the first connection that needs them."""

    # Loading takes 20 to 40 ms, a tenth of a command, and a sandbox on loopback answers without TLS. The context itself
    # requires a certificate and trusts none: a connection that came past `wrap_socket` would fail, not go unverified.
    @cached_property
    def _loaded(self) -> ssl.SSLContext:
        return httpx.create_ssl_context(trust_env=False)

    def wrap_socket(self, *args: Any, **options: Any) -> ssl.SSLSocket:
        return self._loaded.wrap_socket(*args, **options)


class _NoCookies(httpx.Cookies):
    """Takes none from an answer, without looking for them: that would be a twentieth of what a call costs."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave them where they are, so that calls don't depend on each other."""


class _Client(httpx.Client):
    @property
    def cookies(self) -> httpx.Cookies:
        """None, for every call."""
        return _NoCookies()

    @cookies.setter
    def cookies(self, _cookies: object) -> None:
        raise AttributeError("this client keeps no cookies")


@lru_cache(maxsize=64)  # a sync calls two addresses a thousand times each
def _parsed(url: str) -> httpx.URL:
    return httpx.URL(url)


def open_client(address: Address, *, transport: HttpxTransport | None = None, jobs: int = 1) -> httpx.Client:
    """Return an HTTP client: no redirects, no cookies, no HTTP/2, TLS always verified, proxies of the environment.

    Raises:
        UsageError: a proxy or certificate setting of the environment can't be used.
    """
    return _Client(
        transport=transport or _network(address, jobs),
        follow_redirects=False,
        trust_env=False,  # proxies and certificates are `_network`'s, and a password of ~/.netrc is nobody's
        headers={"User-Agent": f"profilectl/{__version__}", "Accept-Encoding": "identity"},
    )


def _network(address: Address, jobs: int) -> HttpxTransport:
    from profilectl.api.connections import NetworkTransport  # loads what a sandbox in this process needn't

    url = httpx.URL(address.url)
    try:
        # Where the API isn't called over TLS, only a picture can be at an https address.
        tls = _LazyTls(ssl.PROTOCOL_TLS_CLIENT) if url.scheme == "http" else httpx.create_ssl_context()
    except OSError as error:
        message = "the certificates that SSL_CERT_FILE or SSL_CERT_DIR names can't be read"
        raise UsageError(message, hint="correct or unset these variables") from error
    # A company's proxy can't reach a port of this machine.
    network = NetworkTransport(tls, jobs, uses_proxies=not address.is_loopback)
    proxy = network.proxy_of(url)
    try:
        network.open_for(url)
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        message = f"the proxy that {'the environment' if proxy is None else proxy.origin} names can't be used"
        raise UsageError(message, hint="give one of http:// or https://, or list the host in NO_PROXY") from error
    return network
