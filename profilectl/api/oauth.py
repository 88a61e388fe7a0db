"""OAuth 1.0a signatures (RFC 5849) on httpx requests, made by oauthlib."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import httpx
from oauthlib.common import generate_nonce, generate_timestamp
from oauthlib.oauth1 import Client

from profilectl.secret import scrub, scrub_json

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from profilectl.secret import Credentials, Secret

FORM = "application/x-www-form-urlencoded"

# Below WARNING these loggers write tokens, signatures and Authorization headers, whatever the verbosity asked for.
for _name in ("oauthlib", "httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Signature(httpx.Auth):
    """Signs every request for the URL that is really called, with HMAC-SHA1.

    Query and form parameters are part of the signature, JSON and multipart bodies aren't (RFC 5849 3.4.1.3.1). A form
    body is in memory from the start, so httpx needn't be asked to read it first (`requires_request_body`).

    Args:
        token: None for the first step of a login, which knows no token yet.
        nonce: makes a value that is used once.
        timestamp: the present moment, in epoch seconds as text.
    """

    def __init__(
        self,
        consumer_key: Secret,
        consumer_secret: Secret,
        token: Secret | None = None,
        token_secret: Secret | None = None,
        *,
        nonce: Callable[[], str] = generate_nonce,
        timestamp: Callable[[], str] = generate_timestamp,
    ) -> None:
        self._consumer_key = consumer_key
        self._consumer_secret = consumer_secret
        self._token = token
        self._token_secret = token_secret
        self._nonce = nonce
        self._timestamp = timestamp
        values = (consumer_key, consumer_secret, token, token_secret)
        self._secrets = tuple(value for value in values if value is not None)

    @classmethod
    def of(cls, credentials: Credentials) -> Signature:
        """Return the signature of an account."""
        return cls(credentials.consumer_key, credentials.consumer_secret, credentials.token, credentials.token_secret)

    def scrub(self, text: str) -> str:
        """Return what somebody else said without the values that sign: some servers quote the request they refuse."""
        if "\\" not in text:  # then no string of a document can be spelled in another way
            return scrub(text, self._secrets)
        return scrub_json(text, self._secrets)

    def scrub_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Do so with the headers of an answer; most hold nothing, which one look at all of them tells."""
        together = "\n".join(headers.values())
        if "\\" not in together and scrub(together, self._secrets) == together:
            return dict(headers)
        return {name: self.scrub(value) for name, value in headers.items()}

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the Authorization header."""
        body, headers = None, {}
        if request.headers.get("Content-Type") == FORM:
            body, headers = request.content.decode("ascii"), {"Content-Type": FORM}
        _, signed, _ = self._signer().sign(str(request.url), request.method, body, headers)
        request.headers["Authorization"] = signed["Authorization"]
        yield request

    def _signer(self) -> Client:
        """Return a signer for one request: oauthlib's hold nonce and time, so threads can't share one."""
        return Client(
            self._consumer_key.reveal(),
            self._consumer_secret.reveal(),
            self._token.reveal() if self._token else None,
            self._token_secret.reveal() if self._token_secret else None,
            nonce=self._nonce(),
            timestamp=self._timestamp(),
        )
