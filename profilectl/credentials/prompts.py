"""The three ways in which a login gets the four values: typed, piped, or by PIN."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol, TypeVar

from profilectl.credentials.formats import parse, secret_value
from profilectl.credentials.private_files import read_stdin
from profilectl.secret import Credentials, Secret

RequestToken = TypeVar("RequestToken")


class PinFlow(Protocol[RequestToken]):
    """The three steps of OAuth 1.0a without a callback ("out of band"), for one app's key and secret."""

    def request_token(self) -> RequestToken:
        """Return a token that is good for one login."""

    def authorize_url(self, request_token: RequestToken) -> str:
        """Return the address where the account's owner gets a PIN."""

    def access_token(self, request_token: RequestToken, pin: str) -> Credentials:
        """Return the credentials that the PIN stands for; a PIN works once."""


def ask_values(ask: Callable[[str], str]) -> Credentials:
    """Return the four values that a person types.

    Args:
        ask: shows a label and returns what was typed without showing it.
    """
    return Credentials(
        _ask(ask, "Consumer key"),
        _ask(ask, "Consumer secret"),
        _ask(ask, "Access token"),
        _ask(ask, "Access token secret"),
        source="prompt",
    )


def read_token(stream: BinaryIO | None = None) -> Credentials:
    """Return the credentials in the JSON object on stdin, for ``--with-token``; see `formats.parse`."""
    return parse(read_stdin(stream), "stdin")


def ask_pin(
    ask: Callable[[str], str],
    *,
    begin: Callable[[Secret, Secret], AbstractContextManager[PinFlow[RequestToken]]],
    show: Callable[[str], None],
    ask_openly: Callable[[str], str],
) -> Credentials:
    """Return the credentials of whoever opens an address in a browser, on any machine, and types the PIN here.

    Args:
        ask: shows a label and returns what was typed without showing it.
        begin: opens the flow for an app's consumer key and secret.
        show: shows the address.
        ask_openly: as `ask`, but shows what is typed: a PIN is copied by hand from another screen, and works once.
    """
    with begin(_ask(ask, "Consumer key"), _ask(ask, "Consumer secret")) as flow:
        request_token = flow.request_token()
        show(flow.authorize_url(request_token))
        return flow.access_token(request_token, "".join(ask_openly("PIN").split()))


def _ask(ask: Callable[[str], str], label: str) -> Secret:
    return secret_value(ask(label), label.lower(), "the prompt")
