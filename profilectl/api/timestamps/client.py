"""What a timestamp authority answers (RFC 3161 3.4): one POST without credentials, no redirects, a bounded answer."""

from __future__ import annotations

import os
from typing import Final, cast
from urllib.parse import urlsplit

import httpx

from profilectl.api.error_response import cause_of, certificate_hint, why_untrusted
from profilectl.api.retry import Exchange, Limits
from profilectl.api.transport import HttpxTransport, open_client
from profilectl.api.urls import Address, is_loopback_url, parse_timestamp_url
from profilectl.errors import Refused, Unreachable

LARGEST: Final = 65_536
"""Bytes of an answer; with a chain of certificates it has some 6,000."""

_LIMITS: Final = Limits(connect=5.0, read=10.0, total=15.0, body=LARGEST)  # a sync waits for it
_HEADERS: Final = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


def ask(url: str, query: bytes, *, transport: HttpxTransport | None = None) -> bytes:
    """Return an authority's answer to a query, which nothing here has looked into.

    Raises:
        UsageError: the address isn't one of https, or of http on loopback; or a proxy's can't be used.
        Refused: it answered with something else than 200, a redirect included, or with more than `LARGEST` bytes.
        Unreachable: nobody answers in time, the certificate isn't trusted, or the server has an error of its own.
    """
    checked = parse_timestamp_url(url)
    parts = urlsplit(checked)
    host = parts.hostname or ""
    address = Address(f"{parts.scheme}://{parts.netloc}", host, is_loopback_url(checked))
    exchange = Exchange(_LIMITS.total)
    timeout = httpx.Timeout(_LIMITS.read, connect=_LIMITS.connect)
    try:
        with (
            open_client(address, transport=transport) as http,
            exchange.made_current(),
            http.stream("POST", checked, content=query, headers=_HEADERS, timeout=timeout) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise _refusal(host, response.status_code)
            return _read(response, exchange, host)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        raise _unreachable(host, error) from error


def _read(response: httpx.Response, exchange: Exchange, host: str) -> bytes:
    exchange.end_head(LARGEST)
    content = bytearray()
    for chunk in cast("httpx.SyncByteStream", response.stream):
        content += chunk
        if len(content) > LARGEST:
            raise Refused(f"the timestamp server {host} answers with more than {LARGEST} bytes")
        if exchange.is_over:
            raise Unreachable(f"the timestamp server {host} didn't answer within {exchange.total:g} s")
    exchange.is_complete = True
    return bytes(content)


def _refusal(host: str, status: int) -> Refused | Unreachable:
    if status >= 500:
        return Unreachable(f"the timestamp server {host} has an error of its own (HTTP {status})", status=status)
    if 300 <= status < 400:
        what = f"the timestamp server {host} points elsewhere (HTTP {status}), and nothing is asked there"
        return Refused(what, hint="name the address itself: [audit] timestamp in config.toml", status=status)
    what = f"the timestamp server {host} refuses the request (HTTP {status})"
    return Refused(what, hint="look at [audit] timestamp in config.toml", status=status)


def _unreachable(host: str, error: Exception) -> Unreachable:
    reason = why_untrusted(error)
    if reason is not None:
        message = f"the certificate of the timestamp server {host} isn't trusted: {reason}"
        return Unreachable(message, hint=certificate_hint(os.environ))
    return Unreachable(f"the timestamp server {host} can't be reached ({cause_of(error)})")
