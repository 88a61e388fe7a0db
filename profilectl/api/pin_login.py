"""The login by PIN: three-legged OAuth for a program without a web page of its own (X: PIN-based OAuth)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from profilectl.api import endpoints, wire
from profilectl.api.oauth import Signature
from profilectl.api.transport import Transport
from profilectl.api.urls import DEFAULT_URL
from profilectl.secret import Credentials

if TYPE_CHECKING:
    from types import TracebackType

    from profilectl.api.retry import Deadline
    from profilectl.api.transport import HttpxTransport
    from profilectl.api.wire import Token
    from profilectl.secret import Secret


class PinLogin:
    """Three steps: a request token, the address where a person gets a PIN for it, the account's token.

    Args:
        base_url: as for `XClient`.
        transport: as for `XClient`.
        deadline: of the network steps together; None for no limit.
    """

    def __init__(
        self,
        consumer_key: Secret,
        consumer_secret: Secret,
        *,
        base_url: str = DEFAULT_URL,
        transport: HttpxTransport | None = None,
        deadline: Deadline | None = None,
    ) -> None:
        self._consumer_key = consumer_key
        self._consumer_secret = consumer_secret
        self._transport = Transport(base_url, transport=transport, deadline=deadline)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    def request_token(self) -> Token:
        """Begin, and return a token that is good for one login."""
        signature = Signature(self._consumer_key, self._consumer_secret)
        return self._transport.perform(endpoints.request_token(), signature, wire.read_token)

    def authorize_url(self, request_token: Token) -> str:
        """Return where a person allows the app and gets the PIN; ``authorize``, as ``authenticate`` gives no DMs."""
        return self._transport.address.url + endpoints.authorize_target(request_token.key.reveal())

    def access_token(self, request_token: Token, pin: str) -> Credentials:
        """Exchange the PIN for the account's credentials.

        Raises:
            InputRefused: `pin` isn't made of digits; nothing was sent.
            CredentialsRefused: X doesn't know the PIN, or it was used before.
        """
        endpoint = endpoints.access_token(wire.pin_digits(pin))
        signature = Signature(self._consumer_key, self._consumer_secret, request_token.key, request_token.secret)
        token = self._transport.perform(endpoint, signature, wire.read_token)
        return Credentials(
            self._consumer_key,
            self._consumer_secret,
            token.key,
            token.secret,
            source="PIN login",
            handle=token.handle,
            user_id=token.user_id,
        )
