"""A timestamp authority is asked once, without credentials, at the address that the config names and nowhere else."""

from __future__ import annotations

import socket

import pytest

from profilectl.api.timestamps.client import LARGEST, ask
from profilectl.errors import Refused, Unreachable, UsageError
from tests.timestamp_server import Authority


@pytest.fixture
def authority(tmp_path):
    with Authority(tmp_path / "tsa") as authority:
        yield authority


def test_the_query_is_posted_as_the_protocol_wants_it(authority):
    """With its media type (RFC 3161 3.4), and with nothing that names anybody."""
    authority.failure = (200, {}, b"answer")

    assert b"answer" == ask(authority.url, b"query")
    [(query, headers)] = authority.asked
    assert (b"query", "application/timestamp-query") == (query, headers["Content-Type"])
    assert {"Cookie", "Authorization"}.isdisjoint(headers)


@pytest.mark.parametrize(
    ("failure", "error", "says"),
    [
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), Refused, "points elsewhere"),
        ((404, {}, b""), Refused, "refuses the request"),
        ((503, {}, b""), Unreachable, "error of its own"),
        ((200, {}, bytes(LARGEST + 1)), Refused, "more than 65536 bytes"),
    ],
)
def test_what_is_no_answer_says_so(authority, failure, error, says):
    """After one request; a redirect isn't followed."""
    authority.failure = failure
    with pytest.raises(error, match=says):
        ask(authority.url, b"query")
    assert 1 == len(authority.asked)


def test_nobody_there_is_unreachable():
    """As a sync's warning repeats it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(Unreachable, match=r"the timestamp server 127.0.0.1 can't be reached"):
        ask(f"http://127.0.0.1:{port}/", b"query")


@pytest.mark.parametrize(
    "url",
    ["http://tsa.example/", "https://user:pa55@tsa.example/", "ftp://tsa.example/", "tsa.example", "https://[/", ""],
)
def test_other_addresses_are_not_asked(url):
    """Nor repeated, as one may hold a password."""
    with pytest.raises(UsageError, match="no address that may be asked") as refusal:
        ask(url, b"query")
    assert "pa55" not in refusal.value.message
