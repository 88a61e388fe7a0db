"""Directories of people, only read: Okta, Entra, Google Workspace and Zendesk, page by page as each documents it.

- Okta: the address of the next page is in a ``Link`` header with ``rel="next"`` (RFC 8288).
- Entra (Microsoft Graph): it is in ``@odata.nextLink``.
- Google Workspace: the next page is asked for with the ``nextPageToken`` of the one before.
- Zendesk: ``links.next`` holds it while ``meta.has_more`` is true.

A token goes to the configured host and nowhere else: a next page at another one is refused.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Self, cast
from urllib.parse import quote, urlencode, urlsplit

import httpx

from profilectl.api.clock import Clock, parse_date
from profilectl.api.error_response import cause_of, certificate_hint, shorten, why_untrusted
from profilectl.api.retry import Deadline, Exchange, Limits, Retrier, RetryPolicy, WaitBudget
from profilectl.api.transport import HttpxTransport, open_client
from profilectl.api.urls import parse_address
from profilectl.errors import CredentialsRefused, NotFound, RateLimited, Refused, RemoteError, Unreachable
from profilectl.secret import Secret
from profilectl.text.escape import visible

MOST_PAGES: Final = 2000
MOST_PEOPLE: Final = 20_000  # as many agents as a roster may have
LARGEST_PAGE: Final = 16 * 1024 * 1024  # bytes: 999 people with sixteen kilobytes each
NAMES: Final[Mapping[str, str]] = {
    "okta": "Okta",
    "entra": "Entra",
    "google": "Google Workspace",
    "zendesk": "Zendesk",
}
"""What each directory is called, by the word for it in config.toml."""

_ENTRA_FIELDS: Final = "id,displayName,givenName,surname,mail,userPrincipalName,jobTitle,accountEnabled"
_NEXT: Final = re.compile(r'<([^<>]*)>\s*;[^,<>]*\brel="?next"?')
_LONGEST_WAIT: Final = 3600.0  # seconds that a directory may ask us to wait

_log = logging.getLogger(__name__)

Person = Mapping[str, Any]
Page = tuple[Mapping[str, Any] | list[Any], Mapping[str, str]]


class Directory:
    """One directory, as a context manager; every method raises `RemoteError`s.

    Args:
        kind: one of `NAMES`.
        url: where it is: ``https://acme.okta.com``.
        token: an API token of Okta or Zendesk, else an access token.
        user: the e-mail address to which Zendesk's API token belongs.
        deadline: of all requests together.
        announce: called with seconds and reason before every wait.
        transport: answers in this process instead of over the network.
    """

    def __init__(
        self,
        kind: str,
        url: str,
        token: Secret,
        *,
        user: str | None = None,
        deadline: Deadline | None = None,
        max_wait: float = 300.0,
        announce: Callable[[float, str], None] | None = None,
        clock: Clock | None = None,
        transport: HttpxTransport | None = None,
    ) -> None:
        self._kind = kind
        self._name = NAMES[kind]
        self._address = parse_address(url)
        self._token = token
        self._user = user
        self._clock = clock or Clock()
        self._deadline = deadline or Deadline(math.inf)
        self._limits = Limits()
        self._retrier = Retrier(
            deadline=self._deadline,
            wait_budget=WaitBudget(max_wait),
            announce=announce,
            now=self._clock.now,
            sleep=self._clock.sleep,
        )
        self._http = open_client(self._address, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._retrier.halt()
        self._http.close()

    def people(self, group: str | None = None) -> Iterator[Person]:
        """Yield everybody who is active, or is an active member of a group, given by its id (Google: or its address).

        Raises:
            CredentialsRefused: the token isn't accepted, or may not do this.
            RateLimited: it wants us to come back later than this run may wait.
            Refused: a page that lies about the next one.
            Unreachable: no answer that can be used, or a list without an end.
        """
        readers = {"okta": self._okta, "entra": self._entra, "google": self._google, "zendesk": self._zendesk}
        for number, person in enumerate(readers[self._kind](group), 1):
            if number > MOST_PEOPLE:
                raise Refused(f"{self._name} lists more than {MOST_PEOPLE} people", hint="choose a group")
            yield person

    def _okta(self, group: str | None) -> Iterator[Person]:
        path = f"/api/v1/groups/{quote(group, safe='')}/users" if group else "/api/v1/users"
        pages = self._pages(f"{path}?limit=200", lambda _, headers: _next_link(headers))
        for person in _items(pages, None):
            if person.get("status") not in {"SUSPENDED", "DEPROVISIONED"}:
                yield person

    def _entra(self, group: str | None) -> Iterator[Person]:
        path = f"/v1.0/groups/{quote(group, safe='')}/members/microsoft.graph.user" if group else "/v1.0/users"
        query = urlencode({"$select": _ENTRA_FIELDS, "$top": "999"}, safe="$,")
        pages = self._pages(f"{path}?{query}", lambda body, _: body.get("@odata.nextLink"))
        for person in _items(pages, "value"):
            if person.get("accountEnabled") is not False:
                yield person

    def _google(self, group: str | None) -> Iterator[Person]:
        members = None
        if group:
            path = f"/admin/directory/v1/groups/{quote(group, safe='')}/members?maxResults=200"
            members = {member.get("id") for member in _items(self._token_pages(path), "members")}
        users = self._token_pages("/admin/directory/v1/users?customer=my_customer&maxResults=500")
        for person in _items(users, "users"):
            if person.get("suspended") is not True and (members is None or person.get("id") in members):
                yield person

    def _zendesk(self, group: str | None) -> Iterator[Person]:
        size = "page%5Bsize%5D=100"
        path = f"/api/v2/groups/{quote(group, safe='')}/users" if group else "/api/v2/users"
        roles = "" if group else "&role%5B%5D=agent&role%5B%5D=admin"
        pages = self._pages(f"{path}?{size}{roles}", _zendesk_next)
        for person in _items(pages, "users"):
            if person.get("suspended") is not True and person.get("active") is not False:
                yield person

    def _token_pages(self, path: str) -> Iterator[Page]:
        """Yield Google's pages, each of which names a token for the next one."""

        def following(body: Mapping[str, Any], _: Mapping[str, str]) -> str | None:
            token = body.get("nextPageToken")
            return f"{self._address.url}{path}&{urlencode({'pageToken': token})}" if token else None

        return self._pages(path, following)

    def _pages(
        self, path: str, following: Callable[[Mapping[str, Any], Mapping[str, str]], str | None]
    ) -> Iterator[Page]:
        """Yield every page of a list; `following` returns the address of the next one, from body and headers."""
        url: str | None = f"{self._address.url}{path}"
        seen: set[str] = set()
        while url is not None:
            if url in seen or len(seen) == MOST_PAGES:
                raise Refused(f"{self._name}'s list doesn't end: it has more than {len(seen)} pages, or repeats one")
            seen.add(url)
            body, headers = self._retrier.call(lambda url=url: self._get(url), RetryPolicy.SAFE)  # type: ignore[misc]
            yield body, headers
            url = following(body if isinstance(body, dict) else {}, headers)
            if url is not None:
                self._require_same_host(url)

    def _require_same_host(self, url: object) -> None:
        # The token would go along, to whomever an answer names.
        parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
        if f"{parts.scheme}://{parts.netloc}".lower() != self._address.url.lower():
            shown = shorten(str(url))
            raise Refused(f"{self._name} says that its next page is elsewhere, at {shown}: nothing is asked there")

    def _get(self, url: str) -> Page:
        exchange = Exchange(self._limits.total, monotonic=self._clock.monotonic, to_leave=self._deadline.remaining)
        left = max(0.001, self._deadline.remaining())
        timeout = httpx.Timeout(min(self._limits.read, left), connect=min(self._limits.connect, left))
        headers = {"Authorization": self._authorization(), "Accept": "application/json"}
        try:
            with (
                exchange.made_current(),
                self._http.stream("GET", url, headers=headers, timeout=timeout) as response,
            ):
                _log.debug("GET %s %d", visible(urlsplit(url).path), response.status_code)
                if response.status_code != httpx.codes.OK:
                    raise self._error(response)
                return self._body(self._read(response, exchange)), dict(response.headers)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise self._unreachable(error) from error

    def _authorization(self) -> str:
        if self._kind == "okta":
            return f"SSWS {self._token.reveal()}"
        if self._kind == "zendesk" and self._user is not None:
            return "Basic " + b64encode(f"{self._user}/token:{self._token.reveal()}".encode()).decode()
        return f"Bearer {self._token.reveal()}"

    def _read(self, response: httpx.Response, exchange: Exchange) -> bytes:
        exchange.end_head(LARGEST_PAGE)
        content = bytearray()
        for chunk in cast("httpx.SyncByteStream", response.stream):
            content += chunk
            if len(content) > LARGEST_PAGE or exchange.is_over:
                raise Unreachable(f"{self._name}'s answer is too large, or takes too long")
        exchange.is_complete = True
        return bytes(content)

    def _body(self, content: bytes) -> Mapping[str, Any] | list[Any]:
        try:
            body = json.loads(content)
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict | list):
            raise Refused(f"{self._name}'s answer is no list of people: is its address the right one?")
        return body

    def _error(self, response: httpx.Response) -> RemoteError:
        status, name = response.status_code, self._name
        if status in {401, 403}:
            hint = "look whether it has ended, and what it may read"
            return CredentialsRefused(f"{name} doesn't accept the token (HTTP {status})", hint=hint, status=status)
        if status == 429:
            retry_at = self._retry_at(response.headers)
            return RateLimited(f"{name} wants us to wait (HTTP 429)", retry_at=retry_at, status=status)
        if status == 404:
            return NotFound(f"{name} has no such list (HTTP 404)", hint="look at url and group", status=status)
        if status >= 500:
            return Unreachable(f"{name} has an error of its own (HTTP {status})", status=status)
        return Refused(f"{name} refuses to list people (HTTP {status})", hint="look at url and group", status=status)

    def _retry_at(self, headers: Mapping[str, str]) -> datetime | None:
        """Return when to come back: by Retry-After, or by the epoch seconds of Okta's own header."""
        now = self._clock.now()
        named, reset = headers.get("retry-after", ""), headers.get("x-rate-limit-reset", "")
        moment = parse_date(named)
        if named.isascii() and named.isdecimal():
            seconds = float(named[:9])
        elif moment is not None:
            seconds = moment.timestamp() - now
        elif reset.isascii() and reset.isdecimal():
            seconds = float(reset[:12]) - now
        else:
            return None
        return datetime.fromtimestamp(now + min(max(0.0, seconds), _LONGEST_WAIT), UTC)

    def _unreachable(self, error: Exception) -> RemoteError:
        reason = why_untrusted(error)
        if reason is not None:
            message = f"the certificate of {self._address.host} isn't trusted: {reason}"
            lasting = Unreachable(message, hint=certificate_hint(os.environ))
            lasting.is_lasting = True
            return lasting
        return Unreachable(f"no connection to {self._address.url} ({cause_of(error)})")


def _items(pages: Iterator[Page], key: str | None) -> Iterator[Person]:
    """Yield the objects of every page: the page itself where it is a list, else what it has under a key."""
    for body, _ in pages:
        listed = body.get(key or "") if isinstance(body, dict) else body if key is None else None
        for item in listed if isinstance(listed, list) else ():
            if isinstance(item, dict):
                yield item


def _next_link(headers: Mapping[str, str]) -> str | None:
    match = _NEXT.search(headers.get("link", ""))
    return match[1] if match else None


def _zendesk_next(body: Mapping[str, Any], _: Mapping[str, str]) -> str | None:
    meta, links = body.get("meta"), body.get("links")
    has_more = isinstance(meta, dict) and meta.get("has_more") is True
    return links.get("next") if has_more and isinstance(links, dict) else None
