"""The login by PIN: three-legged OAuth for a program without a web page of its own (X: PIN-based OAuth)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from profilectl.api import endpoints, wire
from profilectl.api.oauth import Signature
from profilectl.api.transport import Transport
from profilectl.secret import Credentials

if TYPE_CHECKING:
    from profilectl.api.wire import Token
    from profilectl.secret import Secret


class PinLogin:
    """Three steps: a request token, the address where a person gets a PIN for it, the account's token."""

    def __init__(self, consumer_key: Secret, consumer_secret: Secret, transport: Transport | None = None) -> None:
        self._app = consumer_key, consumer_secret
        self._transport = transport or Transport()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    def request_token(self) -> Token:
        """Begin, and return a token that is good for one login."""
        return self._transport.perform(endpoints.request_token(), Signature(*self._app), wire.read_token)

    def authorize_url(self, request_token: Token) -> str:
        """Return where a person allows the app and gets the PIN."""
        # X has a second page, `authenticate`: a token from there has no permission for Direct Messages.
        return self._transport.address.url + endpoints.authorize_target(request_token.key.reveal())

    def access_token(self, request_token: Token, pin: str) -> Credentials:
        """Exchange the PIN for the account's credentials.

        Raises:
            InputRefused: `pin` isn't made of digits; nothing was sent.
            CredentialsRefused: X doesn't know the PIN, or it was used before.
        """
        endpoint = endpoints.access_token(wire.pin_digits(pin))
        # The request token signs this step, too (RFC 5849 2.3): X knows by it whose PIN this is.
        signature = Signature(*self._app, request_token.key, request_token.secret)
        token = self._transport.perform(endpoint, signature, wire.read_token)
        values = (*self._app, token.key, token.secret)
        return Credentials(*values, source="PIN login", handle=token.handle, user_id=token.user_id)
