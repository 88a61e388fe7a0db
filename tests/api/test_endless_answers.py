"""Answers that never end, over real sockets: each is given up by its size or by its time."""

from __future__ import annotations

import itertools
import json
import time

import httpx
import pytest

from profilectl.api.retry import Deadline, Limits
from profilectl.errors import RemoteError, Unreachable

START = b"HTTP/1.1 200 OK\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"
LIMITS = Limits(total=1.0, body=20_000)


def drip(head, piece):
    def script(connection):
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            time.sleep(0.05)

    return script


@pytest.mark.parametrize(
    "script",
    [
        drip(b"", b"H"),
        drip(START, b"x"),
        drip(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        drip(CHUNKED, b"1;x=y\r\nx\r\n"),
        drip(CHUNKED + b"1;x=", b"y"),
        drip(CHUNKED + b"0\r\n", b"Trailer: x\r\n"),
        drip(START + b"Content-Length: 100000\r\n\r\n", b"x"),
    ],
    ids=["status line", "header", "1xx", "chunks", "chunk extension", "trailers", "body"],
)
def test_an_answer_that_drips_ends_at_the_deadline(connect, misbehave, script):
    """A byte now and then doesn't prolong a request, whatever part of the answer it belongs to."""
    server = misbehave(script)
    started = time.monotonic()
    with pytest.raises(RemoteError):
        connect(server.url, limits=LIMITS, deadline=Deadline(1.5)).verify_credentials()

    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 ", b"x" * 1000),
        (START + b"X: ", b"x" * 1000),
        (START, b"X: " + b"x" * 1000 + b"\r\n"),
        (b"", b"HTTP/1.1 103 Early Hints\r\nLink: " + b"x" * 1000 + b"\r\n\r\n"),
        (CHUNKED, b"1;x=" + b"y" * 1000 + b"\r\nx\r\n"),
        (CHUNKED + b"0\r\n", b"X: " + b"x" * 1000 + b"\r\n"),
        (CHUNKED, b"3E8\r\n" + b"x" * 1000 + b"\r\n"),
    ],
    ids=["status line", "header", "headers", "1xx", "chunk extensions", "trailers", "body"],
)
def test_an_answer_without_end_is_given_up_by_its_size(connect, misbehave, head, piece):
    """No part of an answer takes more than 1 MB from the network, whatever the body's own limit doesn't count."""
    sent = []

    def script(connection):
        connection.settimeout(5)
        connection.sendall(head)
        for _ in range(20_000):
            sent.append(len(piece))
            connection.sendall(piece)

    server = misbehave(script)
    with pytest.raises(RemoteError):
        connect(server.url, limits=Limits(total=5.0, body=20_000)).create_profile("Alice", "1")
    server.close()

    assert sum(sent) < 8_000_000  # with what the kernel's buffers hold


def test_a_list_without_end_is_given_up(connect, httpx_mock):
    """Cursors that never repeat would have been followed for ever."""
    pages = itertools.count()
    answer = {"custom_profiles": []}
    httpx_mock.add_callback(
        lambda request: httpx.Response(200, content=json.dumps(answer | {"next_cursor": str(next(pages))})),
        is_reusable=True,
    )
    with pytest.raises(Unreachable, match="doesn't end"):
        connect(deadline=Deadline(60)).list_profiles()


def test_a_cursor_of_megabytes_is_unreadable(connect, httpx_mock):
    """It would come back to X in an address that no HTTP client sends."""
    httpx_mock.add_response(json={"custom_profiles": [], "next_cursor": "x" * 1_000_000}, is_reusable=True)
    with pytest.raises(RemoteError, match="no list of profiles"):
        connect().list_profiles()


@pytest.mark.parametrize(
    "date", ["Fri, 31 Dec 9999 23:59:59 GMT", "Mon, 01 Jan 1990 00:00:00 GMT", "Fri, 27 Nov 2048 00:00:00 GMT"]
)
def test_a_date_of_another_age_isnt_xs_clock(client, httpx_mock, date):
    """Promises are dated by X's clock, and a year that can't be it is nobody's."""
    httpx_mock.add_response(json={"custom_profiles": []}, headers={"Date": date})
    client.list_profiles()

    assert abs(client.now_ms() / 1000 - time.time()) < 5


@pytest.mark.parametrize("encoding", ["gzip", "br", "x-unknown", "identity, gzip", "identity, identity"])
def test_a_packed_answer_is_refused_before_it_is_unpacked(client, httpx_mock, encoding):
    """Only what nobody asked for, so everything but `identity`."""
    headers = {"Content-Encoding": encoding}
    stream = httpx.ByteStream(b"{}")
    httpx_mock.add_callback(lambda request: httpx.Response(200, headers=headers, stream=stream), is_reusable=True)
    with pytest.raises(RemoteError, match="is packed"):
        client.verify_credentials()
