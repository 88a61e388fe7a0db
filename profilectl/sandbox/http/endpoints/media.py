"""Uploads, in one piece or in chunks: v2 and v1.1."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.request import Call, Endpoint
from profilectl.sandbox.http.responses import answer
from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.model.faults import Kind
from profilectl.sandbox.model.media import LIFETIME

if TYPE_CHECKING:
    from profilectl.sandbox.http.responses import Answer
    from profilectl.sandbox.model.media import Media

ONE_SHOT_CATEGORIES = ("tweet_image", "dm_image", "subtitles")  # the others need chunks
CATEGORIES = (*ONE_SHOT_CATEGORIES, "tweet_gif", "tweet_video", "dm_gif", "dm_video")
_NO_CATEGORY = "media_category: must be one of " + ", ".join(ONE_SHOT_CATEGORIES)


def upload(call: Call) -> Answer:
    """``POST /2/media/upload``: multipart, or JSON with the picture in base64; a category must be named."""
    if call.request.mimetype == "application/json":
        document = call.document()
        fields: dict[str, Any] = document if isinstance(document, dict) else {}
        content, category = _decoded(fields.get("media")), fields.get("media_category")
    else:
        content, category = _part(call, "media"), call.request.form.get("media_category")
    if category not in ONE_SHOT_CATEGORIES:
        raise Refused(Refusal.BAD_FIELD, _NO_CATEGORY)
    return answer(responses.upload_v2(_keep(call, content), _lifetime(call)))


def begin(call: Call) -> Answer:
    """``POST /2/media/upload/initialize``: announce type, size and category of what will come in chunks."""
    document = call.document()
    fields: dict[str, Any] = document if isinstance(document, dict) else {}
    size, media_type, category = (fields.get(name) for name in ("total_bytes", "media_type", "media_category"))
    if category not in CATEGORIES:
        raise Refused(Refusal.BAD_FIELD, "media_category: must be one of " + ", ".join(CATEGORIES))
    if type(size) is not int or size <= 0 or not isinstance(media_type, str):
        raise Refused(Refusal.BAD_FIELD, "total_bytes and media_type are required")
    return answer(responses.upload_v2(call.world.media.begin(call.user_id, size, media_type), LIFETIME))


def append(call: Call) -> Answer:
    """``POST /2/media/upload/:id/append``: one chunk, counted from 0."""
    segment = _whole_number(call, "segment_index")
    call.world.media.append(call.user_id, call.path_values["id"], segment, _part(call, "media"))
    return responses.Answer(204)


def finish(call: Call) -> Answer:
    """``POST /2/media/upload/:id/finalize``: put the chunks together; there is nothing to wait for."""
    return answer(responses.upload_v2(call.world.media.finish(call.user_id, call.path_values["id"]), _lifetime(call)))


def upload_v1(call: Call) -> Answer:
    """``POST /1.1/media/upload.json``: the picture raw or in base64, or one command of a chunked upload."""
    match call.form("command"):
        case None:
            return answer(responses.upload_v1(_keep(call, _raw_or_encoded(call)), _lifetime(call)))
        case "INIT":
            return _init(call)
        case "APPEND":
            media_id, segment = _text(call, "media_id"), _whole_number(call, "segment_index")
            call.world.media.append(call.user_id, media_id, segment, _raw_or_encoded(call))
            return responses.Answer(204)
        case "FINALIZE":
            done = call.world.media.finish(call.user_id, _text(call, "media_id"))
            return answer(responses.upload_v1(done, LIFETIME))
        case _:
            raise Refused(Refusal.PARAMETER_INVALID, "command")


def status_v1(call: Call) -> Answer:
    """``GET /1.1/media/upload.json?command=STATUS``: pictures are ready at once."""
    if call.query.get("command") != "STATUS":
        raise Refused(Refusal.PARAMETER_INVALID, "command")
    return answer(responses.upload_v1(call.world.media.require(call.user_id, _text(call, "media_id")), LIFETIME))


def _init(call: Call) -> Answer:
    begun = call.world.media.begin(call.user_id, _whole_number(call, "total_bytes"), _text(call, "media_type"))
    return responses.Answer(202, answer(responses.upload_v1(begun, LIFETIME)).body)


def _keep(call: Call, content: bytes) -> Media:
    return call.world.media.add(call.user_id, content, _lifetime(call))


def _lifetime(call: Call) -> int:
    return 0 if Kind.EXPIRED in call.twists else LIFETIME


def _raw_or_encoded(call: Call) -> bytes:
    encoded = call.request.form.get("media_data")
    return _part(call, "media") if encoded is None else _decoded(encoded)


def _part(call: Call, name: str) -> bytes:
    if name in call.request.files:
        return bytes(call.request.files[name].read())
    raise Refused(Refusal.PARAMETER_MISSING, name)


def _decoded(encoded: object) -> bytes:
    if not isinstance(encoded, str):
        raise Refused(Refusal.PARAMETER_MISSING, "media")
    try:
        return base64.b64decode(encoded)
    except (binascii.Error, ValueError) as error:
        raise Refused(Refusal.MEDIA_UNRECOGNISED) from error


def _text(call: Call, name: str) -> str:
    value = call.form(name)
    if not value:
        raise Refused(Refusal.PARAMETER_MISSING, name)
    return value


def _whole_number(call: Call, name: str) -> int:
    text = _text(call, name)
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise Refused(Refusal.PARAMETER_INVALID, name)
    return int(text)


ENDPOINTS = (
    Endpoint("upload", "POST", "/2/media/upload", upload, "upload", "upload-app", needs_write=True),
    Endpoint("upload-begin", "POST", "/2/media/upload/initialize", begin, "upload-begin", needs_write=True),
    Endpoint("upload-append", "POST", "/2/media/upload/<digits:id>/append", append, "upload-append", needs_write=True),
    Endpoint(
        "upload-finish", "POST", "/2/media/upload/<digits:id>/finalize", finish, "upload-finish", needs_write=True
    ),
    Endpoint("upload", "POST", "/1.1/media/upload.json", upload_v1, "upload", "upload-app", needs_write=True),
    Endpoint("upload-status", "GET", "/1.1/media/upload.json", status_v1, "upload-status"),
)
