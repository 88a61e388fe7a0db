"""The four values are typed, piped, or stand behind a PIN."""

from __future__ import annotations

import io
import json

import pytest
from msgspec.structs import replace

from profilectl.credentials.prompts import ask_pin, ask_values, read_token
from profilectl.errors import CredentialsError


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
