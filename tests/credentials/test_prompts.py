"""The four values are typed, piped, or stand behind a PIN."""

from __future__ import annotations

import io
import json

import pytest
from msgspec.structs import replace

from profilectl.credentials.prompts import ask_pin, ask_values, read_token
from profilectl.errors import CredentialsError, CredentialsRefused, InputRefused


def test_four_values_are_asked(document, credentials):
    """In the order of X's settings page."""
    labels = []
    answers = iter(document.values())
    asked = ask_values(lambda label: labels.append(label) or next(answers) + "\n")
    assert labels == ["Consumer key", "Consumer secret", "Access token", "Access token secret"]
    assert asked.secrets() == credentials.secrets()


def test_a_bad_answer_is_named(document):
    """A value that can't be right is refused at once, by its label."""
    with pytest.raises(CredentialsError, match="consumer key from the prompt is shorter"):
        ask_values(lambda _: "x")


def test_a_slip_is_asked_about_again(document, credentials):
    """What is pasted next is meant for the prompt: the shell never gets a secret. The third slip ends the login."""
    labels = []
    key, *others = document.values()
    answers = iter(["x", "  ", key, *others])
    asked = ask_values(lambda label: labels.append(label) or next(answers))

    assert credentials.secrets() == asked.secrets()
    assert [label.endswith(". Consumer key again") for label in labels] == [False, True, True, False, False, False]


def test_a_token_is_read_from_a_pipe(document, credentials):
    """`--with-token` takes the same JSON as a credentials file."""
    assert read_token(io.BytesIO(json.dumps(document).encode())).secrets() == credentials.secrets()


class Flow:
    """A PIN flow that takes one PIN."""

    def __init__(self, key, secret, credentials):
        self.bound = replace(credentials, consumer_key=key, consumer_secret=secret)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def request_token(self):
        return "x"

    def authorize_url(self, request_token):
        return f"https://api.x.com/oauth/authorize?oauth_token={request_token}"

    def access_token(self, request_token, pin):
        assert (request_token, pin) == ("x", "1234567")
        return self.bound


def test_a_pin_stands_for_credentials(document, credentials):
    """App key and secret are asked, an address shown, and the PIN may be typed with blanks."""
    answers = iter([document["consumer_key"], document["consumer_secret"]])
    shown = []
    answer = ask_pin(
        lambda _: next(answers),
        begin=lambda key, secret: Flow(key, secret, credentials),
        show=shown.append,
        ask_openly=lambda _: " 123 4567 ",
    )
    assert answer.secrets() == credentials.secrets()
    assert shown == ["https://api.x.com/oauth/authorize?oauth_token=x"]


def test_a_wrong_pin_is_asked_for_again(document, credentials):
    """Both keys were typed hidden and stay; X knows one of three PINs, or the login ends with what X said."""

    class Doubting(Flow):
        def access_token(self, request_token, pin):
            if not pin.isdigit():
                raise InputRefused("a PIN is made of digits")
            if pin != "1234567":
                raise CredentialsRefused("the token is invalid", status=401, code=89)
            return self.bound

    def login(*pins):
        keys, typed, shown = iter([document["consumer_key"], document["consumer_secret"]]), iter(pins), []
        result = ask_pin(
            lambda _: next(keys),
            begin=lambda key, secret: Doubting(key, secret, credentials),
            show=shown.append,
            ask_openly=lambda _: next(typed),
        )
        return result, shown[1:]

    result, shown = login("12x", "7654321", "1234567")
    assert (credentials.secrets(), 2) == (result.secrets(), len(shown))
    assert all(line.startswith("That PIN isn't right: ") for line in shown)
    with pytest.raises(CredentialsRefused, match="invalid"):
        login("1", "2", "3")
