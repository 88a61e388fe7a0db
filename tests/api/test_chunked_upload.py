"""Media in pieces, to the byte: announced, sent, put together, and waited for."""

from __future__ import annotations

import re

import pytest

from profilectl.api import chunked_upload
from profilectl.api.retry import Deadline
from profilectl.errors import Refused, Unreachable

UPLOAD = "https://api.x.com/2/media/upload"


def lines(httpx_mock) -> list[tuple[str, str]]:
    return [(request.method, str(request.url)) for request in httpx_mock.get_requests()]


def parts(request) -> bytes:
    boundary = re.fullmatch(r"multipart/form-data; boundary=(\w+)", request.headers["Content-Type"])[1].encode()
    return request.content.replace(boundary, b"B")


def at_work(state: str, **more: object) -> dict:
    return {"data": {"id": "99", "processing_info": {"state": state, **more}}}


def test_an_animation_goes_in_pieces(client, httpx_mock, monkeypatch):
    """Announced, sent piece by piece, put together; ready at once where X speaks of no work."""
    monkeypatch.setattr(chunked_upload, "PIECE", 4)
    httpx_mock.add_response(url=f"{UPLOAD}/initialize", json={"data": {"id": "99", "expires_after_secs": 86400}})
    httpx_mock.add_response(url=f"{UPLOAD}/99/append", is_reusable=True)
    httpx_mock.add_response(url=f"{UPLOAD}/99/finalize", json={"data": {"id": "99", "size": 6}})
    assert "99" == client.upload_for_message(b"GIF89a", "image/gif", "dm_gif")
    first, second, third, last = httpx_mock.get_requests()

    assert first.content == b'{"media_type":"image/gif","total_bytes":6,"media_category":"dm_gif"}'
    assert ["/2/media/upload/initialize", *["/2/media/upload/99/append"] * 2, "/2/media/upload/99/finalize"] == [
        request.url.path for request in httpx_mock.get_requests()
    ]
    assert parts(second) == (
        b'--B\r\nContent-Disposition: form-data; name="segment_index"\r\n\r\n0\r\n'
        b'--B\r\nContent-Disposition: form-data; name="media"; filename="piece"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\nGIF8\r\n--B--\r\n"
    )
    assert b"\r\n\r\n1\r\n" in parts(third)
    assert b"\r\n\r\n9a\r\n" in parts(third)
    assert last.content == b""
    assert client.requests["upload"] == 4


def add_answers(httpx_mock, *answers: dict) -> None:
    httpx_mock.add_response(url=f"{UPLOAD}/initialize", json={"data": {"id": "99"}})
    httpx_mock.add_response(url=f"{UPLOAD}/99/append", status_code=204)
    for document in answers:
        httpx_mock.add_response(json=document)


def test_an_animation_that_x_works_on_is_waited_for(client, httpx_mock, pauses):
    """As long as X says, and no more often than it wants to be asked."""
    add_answers(
        httpx_mock,
        at_work("pending", check_after_secs=3),
        at_work("in_progress", check_after_secs="soon"),
        at_work("succeeded"),
    )
    assert "99" == client.upload_for_message(b"GIF89a", "image/gif", "dm_gif")

    assert [3, 2] == pauses
    assert [("GET", f"{UPLOAD}?command=STATUS&media_id=99")] * 2 == lines(httpx_mock)[3:]


@pytest.mark.parametrize(
    ("reason", "error"),
    [("too many frames", {"code": 1, "message": "too many frames"}), ("InvalidMedia", {"name": "InvalidMedia"})],
)
def test_an_animation_that_x_can_not_use(client, httpx_mock, reason, error):
    """X's own words say why."""
    add_answers(httpx_mock, at_work("failed", error=error))
    with pytest.raises(Refused, match=f"X can't use it \\({reason}\\)"):
        client.upload_for_message(b"GIF89a", "image/gif", "dm_gif")


@pytest.mark.parametrize("seconds", [30.0, 1e9])
def test_an_animation_that_is_never_ready(connect, httpx_mock, pauses, seconds):
    """Neither the deadline nor patience is endless."""
    add_answers(httpx_mock)
    httpx_mock.add_response(json=at_work("in_progress", check_after_secs=60), is_reusable=True)
    with pytest.raises(Unreachable, match="still at work"):
        connect(deadline=Deadline(seconds)).upload_for_message(b"GIF89a", "image/gif", "dm_gif")

    assert len(pauses) == (0 if seconds == 30 else 20)
