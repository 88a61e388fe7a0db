"""Uploads through v2 and v1.1, and what becomes of the picture."""

from __future__ import annotations

import base64
import io

import PIL.Image
import pytest

V2 = "/2/media/upload"
V1 = "/1.1/media/upload.json"


def _post(remote, content, **form):
    return remote.client.post(V2, files={"media": ("face", content)}, data=form)


def test_v2_multipart(remote):
    """The documented answer: a string id under data, a day to live."""
    answer = _post(remote, remote.picture, media_category="dm_image")
    data = answer.json()["data"]

    assert answer.status_code == 200
    assert data["media_key"] == f"3_{data['id']}"
    assert (data["size"], data["expires_after_secs"]) == (len(remote.picture), 86_400)
    assert data["image"] == {"image_type": "image/png", "w": 40, "h": 30}


def test_v2_json(remote):
    """Base64 in JSON is the documented other way."""
    body = {"media": base64.b64encode(remote.picture).decode(), "media_category": "tweet_image"}

    assert remote.client.post(V2, json=body).json()["data"]["size"] == len(remote.picture)


@pytest.mark.parametrize("form", [{}, {"media_category": "tweet_video"}])
def test_v2_needs_a_category(remote, form):
    """Omitted or not for one-shot uploads: 400 as a problem document."""
    answer = _post(remote, remote.picture, **form)

    assert answer.status_code == 400
    assert answer.json()["type"] == "https://api.x.com/2/problems/invalid-request"
    assert "media_category" in answer.json()["errors"][0]["message"]


def test_v2_without_media(remote):
    """A form without a picture is a problem too."""
    answer = remote.client.post(V2, data={"media_category": "dm_image"}, auth=remote.signer(form=True))

    assert (answer.status_code, answer.json()["title"]) == (400, "Invalid Request")


@pytest.mark.parametrize("content", [b"", b"no picture", b"\xff\xd8\xff\xe0 cut"])
def test_what_is_no_picture_is_refused(remote, content):
    """v2 has its problem document, v1.1 the shape of old."""
    old = remote.client.post(V1, files={"media": ("face", content)})

    assert _post(remote, content, media_category="dm_image").status_code == 400
    assert (old.status_code, old.json()) == (400, {"request": V1, "error": "media type unrecognized."})


def test_a_truncated_jpeg_is_refused(remote):
    """The header alone isn't believed."""
    target = io.BytesIO()
    PIL.Image.effect_noise((200, 200), 50).save(target, "JPEG")
    whole = target.getvalue()

    assert _post(remote, whole, media_category="dm_image").status_code == 200
    assert _post(remote, whole[: len(whole) // 2], media_category="dm_image").status_code == 400


def test_five_mebibytes_are_the_limit(remote, error_of):
    """Over it 324 names the figure."""
    padded = remote.picture + bytes(5_242_880 - len(remote.picture))

    assert remote.client.post(V1, files={"media": ("face", padded)}).status_code == 200
    answer = remote.client.post(V1, files={"media": ("face", padded + b"\0")})
    assert error_of(answer) == (400, 324)
    assert "5242880" in answer.json()["errors"][0]["message"]


def test_v2_chunked(remote, error_of):
    """Announced in JSON, sent in parts, put together; the id is good for a message then, and not before."""
    size = len(remote.picture)
    announced = {"media_type": "image/gif", "total_bytes": size, "media_category": "dm_gif"}
    begun = remote.client.post(f"{V2}/initialize", json=announced).json()["data"]
    ada = remote.world.ensure_customer("ada").user_id
    data = {"text": "Look", "attachment": {"type": "media", "media": {"id": begun["id"]}}}
    for segment in (1, 0):
        part = remote.picture[:20] if segment == 0 else remote.picture[20:]
        url, files = f"{V2}/{begun['id']}/append", {"media": ("piece", part)}
        assert 204 == remote.client.post(url, data={"segment_index": str(segment)}, files=files).status_code

    assert (begun["size"], "image" in begun) == (size, False)
    assert error_of(remote.send(ada, message_data=data)) == (400, 324)
    done = remote.client.post(f"{V2}/{begun['id']}/finalize").json()["data"]
    assert (done["id"], done["image"]["w"], "processing_info" in done) == (begun["id"], 40, False)
    assert 200 == remote.send(ada, message_data=data).status_code


@pytest.mark.parametrize(
    "change",
    [
        {"media_category": "avatar"},
        {"total_bytes": "5"},
        {"total_bytes": 0},
        {"total_bytes": 15_728_641},
        {"media_type": None},
        {"media_type": "text/plain"},
    ],
)
def test_v2_chunked_refusals(remote, change):
    """An announcement that X couldn't take is a problem document."""
    body = {"media_type": "image/gif", "total_bytes": 5, "media_category": "dm_gif", **change}
    answer = remote.client.post(f"{V2}/initialize", json=body)

    assert (400, "Invalid Request") == (answer.status_code, answer.json()["title"])


def test_v1_simple(remote):
    """Raw or in base64, with the id as number and as string."""
    raw = remote.client.post(V1, files={"media": ("face", remote.picture)}).json()
    encoded = {"media_data": (None, base64.b64encode(remote.picture).decode())}

    assert raw["media_id_string"] == str(raw["media_id"])
    assert raw["image"] == {"image_type": "image/png", "w": 40, "h": 30}
    assert remote.client.post(V1, files=encoded).json()["size"] == len(remote.picture)
    assert remote.create(media_id=raw["media_id_string"]).status_code == 200


def _command(remote, **form):
    return remote.client.post(V1, data=form, auth=remote.signer(form=True))


def test_v1_chunked(remote, error_of):
    """INIT, APPEND in any order, FINALIZE, STATUS; before it is finished the id is no picture."""
    begun = _command(remote, command="INIT", total_bytes=len(remote.picture), media_type="image/png")
    media_id = begun.json()["media_id_string"]
    halves = {1: remote.picture[50:], 0: remote.picture[:50]}
    assert error_of(remote.create(media_id=media_id)) == (400, 324)
    for segment, content in halves.items():
        form = {"command": "APPEND", "media_id": media_id, "segment_index": str(segment)}
        appended = remote.client.post(V1, data=form, files={"media": ("part", content)})
        assert (appended.status_code, appended.content) == (204, b"")
    done = _command(remote, command="FINALIZE", media_id=media_id).json()
    status = remote.client.get(V1, params={"command": "STATUS", "media_id": media_id})

    assert begun.status_code == 202
    assert done == status.json()
    assert (done["size"], "processing_info" in done) == (len(remote.picture), False)
    assert remote.create(media_id=media_id).status_code == 200


def test_v1_chunked_refusals(remote, error_of):
    """Missing bytes, unknown uploads, unknown commands and types."""
    media_id = _command(remote, command="INIT", total_bytes=9, media_type="image/png").json()["media_id_string"]
    incomplete = _command(remote, command="FINALIZE", media_id=media_id)

    assert (incomplete.status_code, list(incomplete.json())) == (400, ["request", "error"])
    assert _command(remote, command="FINALIZE", media_id="5").json()["error"] == "Invalid mediaId"
    assert error_of(_command(remote, command="DANCE")) == (400, 44)
    assert error_of(_command(remote, command="INIT", media_type="image/png")) == (403, 38)
    assert error_of(_command(remote, command="INIT", total_bytes=9**9, media_type="image/png")) == (400, 324)
    assert _command(remote, command="INIT", total_bytes=9, media_type="text/html").status_code == 400
    assert error_of(remote.client.get(V1)) == (400, 44)


def test_pictures_come_back_re_encoded(remote):
    """JPEG instead of PNG, the same picture, none of the bytes; nothing needs to be signed for it."""
    url = remote.create().json()["custom_profile"]["avatar"]["media"]["url"]
    answer = remote.client.get(url, auth=None)
    image = PIL.Image.open(io.BytesIO(answer.content))

    assert answer.headers["content-type"] == "image/jpeg"
    assert (image.format, image.size) == ("JPEG", (40, 30))
    red, green, blue = image.getpixel((5, 2))
    assert red > 200 > green > 100 > blue


def test_an_unknown_picture_is_404(remote):
    """Keys can't be guessed from ids."""
    assert remote.client.get(f"/_sandbox/media/{remote.upload()}.jpg", auth=None).status_code == 404
