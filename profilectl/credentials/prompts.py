"""The three ways in which a login gets the four values: typed, piped, or by PIN."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

from profilectl.credentials.formats import parse, secret_value
from profilectl.credentials.private_files import read_stdin
from profilectl.errors import CredentialsError, CredentialsRefused, InputRefused
from profilectl.secret import Credentials, Secret

if TYPE_CHECKING:
    from profilectl.api.pin_login import PinLogin

_TRIES = 3  # at a prompt, before the login is given up


def ask_values(ask: Callable[[str], str]) -> Credentials:
    """Return the four values that a person types; `ask` shows a label and returns what was typed without showing it."""
    labels = ("Consumer key", "Consumer secret", "Access token", "Access token secret")
    key, secret, token, token_secret = (_ask(ask, label) for label in labels)
    return Credentials(key, secret, token, token_secret, source="prompt")


def read_token(stream: BinaryIO | None = None) -> Credentials:
    """Return the credentials in the JSON object on stdin, for ``--with-token``; see `formats.parse`."""
    return parse(read_stdin(stream), "stdin")


def ask_pin(
    ask: Callable[[str], str],
    *,
    begin: Callable[[Secret, Secret], PinLogin],
    show: Callable[[str], None],
    ask_openly: Callable[[str], str],
) -> Credentials:
    """Return the credentials of whoever opens an address in a browser, on any machine, and types the PIN here.

    Args:
        ask: shows a label and returns what was typed without showing it.
        begin: opens the flow for an app's consumer key and secret.
        show: shows the address.
        ask_openly: as `ask`, but shows what is typed.

    Raises:
        CredentialsRefused: X knew none of three PINs.
        InputRefused: the third one isn't made of digits.
    """
    # A PIN is copied by hand from another screen, and worth nothing once it was used: it may be seen.
    with begin(_ask(ask, "Consumer key"), _ask(ask, "Consumer secret")) as flow:
        request_token = flow.request_token()
        show(flow.authorize_url(request_token))
        for left in reversed(range(_TRIES)):
            try:
                return flow.access_token(request_token, "".join(ask_openly("PIN").split()))
            except (CredentialsRefused, InputRefused) as error:
                if not left:
                    raise
                # Both keys were typed hidden: nobody types them again for a slip in seven digits.
                is_typo = isinstance(error, InputRefused)
                show(f"That PIN isn't right: {error.message if is_typo else 'X does not know it'}. Try again.")
        raise AssertionError("the last try returns or raises")


def _ask(ask: Callable[[str], str], label: str) -> Secret:
    """Return a value that is one, after three tries at most: what is pasted next is meant for here, not a shell."""
    shown = label
    for _ in range(_TRIES - 1):
        try:
            return secret_value(ask(shown), label.lower(), "the prompt")
        except CredentialsError as error:
            shown = f"{error.message}. {label} again"
    return secret_value(ask(shown), label.lower(), "the prompt")
