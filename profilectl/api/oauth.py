"""OAuth 1.0a signatures (RFC 5849) on httpx requests, made in the steps that oauthlib's `signature` documents.

oauthlib's `Client` does part of them twice, which is a tenth of what a request costs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import httpx
from oauthlib.common import generate_nonce, generate_timestamp
from oauthlib.oauth1.rfc5849 import signature
from oauthlib.oauth1.rfc5849.parameters import prepare_headers

from profilectl.secret import scrub, scrub_json

if TYPE_CHECKING:
    from profilectl.secret import Credentials, Secret

FORM = "application/x-www-form-urlencoded"

# Below WARNING these loggers write tokens, signatures and Authorization headers, whatever the verbosity asked for.
for _name in ("oauthlib", "httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Signature(httpx.Auth):
    """Signs every request for the URL that is really called, with HMAC-SHA1.

    Args:
        token: None for the first step of a login, which knows no token yet.
        timestamp: returns the present moment, in epoch seconds as text.
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
        """Return a server's text without the values that sign: some servers quote the request that they refuse."""
        if "\\" not in text:  # then no string of a document can be spelled in another way
            return scrub(text, self._secrets)
        return scrub_json(text, self._secrets)

    def scrub_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the headers of an answer without them; most hold none, which a search through all at once shows."""
        together = "\n".join(headers.values())
        if "\\" not in together and scrub(together, self._secrets) == together:
            return dict(headers)
        return {name: self.scrub(value) for name, value in headers.items()}

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the Authorization header."""
        url = str(request.url)
        parameters = [
            ("oauth_nonce", self._nonce()),
            ("oauth_timestamp", self._timestamp()),
            ("oauth_version", "1.0"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_consumer_key", self._consumer_key.reveal()),
        ]
        if self._token:
            parameters.append(("oauth_token", self._token.reveal()))
        # Query and form parameters are signed, JSON and multipart bodies aren't (RFC 5849 3.4.1.3.1). A form is in
        # memory from the start, so httpx needn't be asked to read it first (`requires_request_body`).
        is_form = request.headers.get("Content-Type") == FORM
        body = request.content.decode("ascii") if is_form else None
        sent = signature.collect_parameters(request.url.query.decode("ascii"), body)
        text = signature.signature_base_string(
            request.method, _base_uri(url), signature.normalize_parameters([*sent, *parameters])
        )
        keys = _Keys(self._consumer_secret.reveal(), self._token_secret.reveal() if self._token_secret else None)
        parameters.append(("oauth_signature", signature.sign_hmac_sha1_with_client(text, keys)))
        request.headers["Authorization"] = prepare_headers(parameters)["Authorization"]
        yield request


@lru_cache(maxsize=64)  # a sync calls two addresses a thousand times each
def _base_uri(url: str) -> str:
    return str(signature.base_string_uri(url))


class _Keys(NamedTuple):
    """What oauthlib reads off a client when it signs; made for a single request."""

    client_secret: str
    resource_owner_secret: str | None
