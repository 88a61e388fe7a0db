"""The four endpoints of custom profiles."""

from __future__ import annotations

from functools import partial
from typing import Any

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.request import ApiRequest, Endpoint
from profilectl.sandbox.http.responses import Response, json_response
from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.model.faults import Kind
from profilectl.sandbox.model.profiles import MAX_PAGE, PAGE

_DEFAULT_LAG = 60.0  # seconds


def create(request: ApiRequest) -> Response:
    """Make a profile from a name and an uploaded picture."""
    document = request.document()
    name = _required(document, "custom_profile", "name")
    media_id = _required(document, "custom_profile", "avatar", "media", "id")
    if not (media_id.isascii() and media_id.isdigit()):
        raise Refused(Refusal.BAD_FIELD, f"custom_profile.avatar.media.id: '{media_id}' is not a valid Long")
    lag = request.active_faults.get(Kind.LAG)
    seconds = 0.0 if lag is None else lag.seconds or _DEFAULT_LAG
    profile = request.world.profiles.create(request.user_id, name, media_id, lag=seconds)
    return json_response({"custom_profile": responses.profile(profile, request.base)})


def show(request: ApiRequest) -> Response:
    """One live profile."""
    profile = request.world.profiles.show(request.user_id, request.path_values["id"])
    return json_response({"custom_profile": responses.profile(profile, request.base)})


def list_page(request: ApiRequest) -> Response:
    """A page of the live profiles."""
    count = request.number("count", PAGE, MAX_PAGE)
    is_empty = Kind.EMPTY_PAGE in request.active_faults
    cursor = request.query.get("cursor")
    profiles, next_cursor = request.world.profiles.page(request.user_id, count, cursor, empty=is_empty)
    return json_response(responses.profile_page(profiles, next_cursor, request.base))


def destroy(request: ApiRequest) -> Response:
    """Take a profile away; 204 again for one that is gone already."""
    request.world.profiles.destroy(request.user_id, request.required("id"))
    return Response(204)


def _required(document: Any, *path: str) -> str:
    """A string somewhere inside a document; Refused if it is missing, or something on the way has another type."""
    for depth, key in enumerate(path):
        if not isinstance(document, dict):
            raise Refused(Refusal.BAD_FIELD, f"{'.'.join(path[:depth]) or 'body'}: must be an object")
        if document.get(key) is None:
            raise Refused(Refusal.PARAMETER_MISSING, ".".join(path[: depth + 1]))
        document = document[key]
    if not isinstance(document, str):
        raise Refused(Refusal.BAD_FIELD, f"{'.'.join(path)}: must be a string")
    return document


# X documents POST for create and DELETE for destroy only; any other method is no such page here.
_endpoint = partial(Endpoint, needs_messages=True, needs_allowlist=True)
ENDPOINTS = (
    _endpoint("create", "POST", "/1.1/custom_profiles/new.json", create, "create", needs_write=True),
    _endpoint("show", "GET", "/1.1/custom_profiles/<digits:id>.json", show, "show"),
    _endpoint("list", "GET", "/1.1/custom_profiles/list.json", list_page, "list"),
    _endpoint("destroy", "DELETE", "/1.1/custom_profiles/destroy.json", destroy, "destroy", needs_write=True),
)
