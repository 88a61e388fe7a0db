"""The sign that somebody types: shown again as long as somebody does, and gone with them."""

from __future__ import annotations

import time

from profilectl.errors import Unreachable
from profilectl.messaging import typing
from tests.patience import until


class Client:
    """Counts the signs, and fails when it is told to."""

    def __init__(self, error=None):
        self.shown, self.error = [], error

    def indicate_typing(self, recipient_id):
        if self.error is not None:
            raise self.error
        self.shown.append(recipient_id)


def test_the_sign_lasts_as_long_as_it_is_read(monkeypatch):
    """X forgets it after three seconds, so it is shown again and again; afterwards no more."""
    monkeypatch.setattr(typing, "_AGAIN", 0.01)
    client = Client()
    with typing.shown_typing(client, "12345") as sign:
        until(lambda: len(client.shown) > 2, "the third sign")
    after = len(client.shown)
    time.sleep(0.05)

    assert ({"12345"}, after) == (set(client.shown), len(client.shown))
    assert 0 < sign.remaining.seconds < typing.SHORTEST


def test_a_sign_that_x_refuses_is_no_more_tried():
    """The message doesn't depend on it."""
    client = Client(Unreachable("no connection"))
    with typing.shown_typing(client, "12345") as sign:
        until(lambda: sign.error is not None, "the refusal")

    assert sign.remaining is None
