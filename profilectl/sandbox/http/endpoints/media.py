"""Uploads, in one piece or in chunks: v2 and v1.1."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.request import ApiRequest, Endpoint
from profilectl.sandbox.http.responses import Response, json_response
from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.model.faults import Kind
from profilectl.sandbox.model.media import LIFETIME

if TYPE_CHECKING:
    from profilectl.sandbox.model.media import Media

# X demands a category since May 2025; the page on uploads names these.
ONE_SHOT_CATEGORIES = ("tweet_image", "dm_image", "subtitles")  # the others need chunks
CATEGORIES = (*ONE_SHOT_CATEGORIES, "tweet_gif", "tweet_video", "dm_gif", "dm_video")
_NO_CATEGORY = "media_category: must be one of " + ", ".join(ONE_SHOT_CATEGORIES)


def upload(request: ApiRequest) -> Response:
    """``POST /2/media/upload``: multipart, or JSON with the picture in base64; a category must be named."""
    if request.http.mimetype == "application/json":
        document = request.document()
        fields: dict[str, Any] = document if isinstance(document, dict) else {}
        content, category = _decoded(fields.get("media")), fields.get("media_category")
    else:
        content, category = _part(request, "media"), request.http.form.get("media_category")
    if category not in ONE_SHOT_CATEGORIES:
        raise Refused(Refusal.BAD_FIELD, _NO_CATEGORY)
    return json_response(responses.upload_v2(_keep(request, content), _lifetime(request)))


def begin(request: ApiRequest) -> Response:
    """``POST /2/media/upload/initialize``: announce type, size and category of what will come in chunks."""
    document = request.document()
    fields: dict[str, Any] = document if isinstance(document, dict) else {}
    size, media_type, category = (fields.get(name) for name in ("total_bytes", "media_type", "media_category"))
    if category not in CATEGORIES:
        raise Refused(Refusal.BAD_FIELD, "media_category: must be one of " + ", ".join(CATEGORIES))
    if type(size) is not int or size <= 0 or not isinstance(media_type, str):
        raise Refused(Refusal.BAD_FIELD, "total_bytes and media_type are required")
    return json_response(responses.upload_v2(request.world.media.begin(request.user_id, size, media_type), LIFETIME))


def append(request: ApiRequest) -> Response:
    """``POST /2/media/upload/:id/append``: one chunk, counted from 0."""
    segment = _whole_number(request, "segment_index")
    request.world.media.append(request.user_id, request.path_values["id"], segment, _part(request, "media"))
    return Response(204)


def finish(request: ApiRequest) -> Response:
    """``POST /2/media/upload/:id/finalize``: put the chunks together; there is nothing to wait for."""
    media = request.world.media.finish(request.user_id, request.path_values["id"])
    return json_response(responses.upload_v2(media, _lifetime(request)))


def upload_v1(request: ApiRequest) -> Response:
    """``POST /1.1/media/upload.json``: the picture raw or in base64, or one command of a chunked upload."""
    match request.form("command"):
        case None:
            return json_response(responses.upload_v1(_keep(request, _raw_or_encoded(request)), _lifetime(request)))
        case "INIT":
            size, media_type = _whole_number(request, "total_bytes"), request.required("media_type", in_form=True)
            begun = request.world.media.begin(request.user_id, size, media_type)
            return json_response(responses.upload_v1(begun, LIFETIME), 202)
        case "APPEND":
            media_id, segment = request.required("media_id", in_form=True), _whole_number(request, "segment_index")
            request.world.media.append(request.user_id, media_id, segment, _raw_or_encoded(request))
            return Response(204)
        case "FINALIZE":
            done = request.world.media.finish(request.user_id, request.required("media_id", in_form=True))
            return json_response(responses.upload_v1(done, LIFETIME))
        case _:
            raise Refused(Refusal.PARAMETER_INVALID, "command")


def status_v1(request: ApiRequest) -> Response:
    """``GET /1.1/media/upload.json?command=STATUS``: pictures are ready at once."""
    if request.query.get("command") != "STATUS":
        raise Refused(Refusal.PARAMETER_INVALID, "command")
    media = request.world.media.require(request.user_id, request.required("media_id", in_form=True))
    return json_response(responses.upload_v1(media, LIFETIME))


def _keep(request: ApiRequest, content: bytes) -> Media:
    return request.world.media.add(request.user_id, content, _lifetime(request))


def _lifetime(request: ApiRequest) -> int:
    return 0 if Kind.EXPIRED in request.active_faults else LIFETIME


def _raw_or_encoded(request: ApiRequest) -> bytes:
    encoded = request.http.form.get("media_data")
    return _part(request, "media") if encoded is None else _decoded(encoded)


def _part(request: ApiRequest, name: str) -> bytes:
    if name in request.http.files:
        return bytes(request.http.files[name].read())
    raise Refused(Refusal.PARAMETER_MISSING, name)


def _decoded(encoded: object) -> bytes:
    if not isinstance(encoded, str):
        raise Refused(Refusal.PARAMETER_MISSING, "media")
    try:
        return base64.b64decode(encoded)
    except (binascii.Error, ValueError) as error:
        raise Refused(Refusal.MEDIA_UNRECOGNISED) from error


def _whole_number(request: ApiRequest, name: str) -> int:
    text = request.required(name, in_form=True)
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
