"""The four endpoints of custom profiles."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.request import ApiRequest, Endpoint
from profilectl.sandbox.http.responses import Response, json_response
from profilectl.sandbox.model import lies
from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.model.faults import Kind
from profilectl.sandbox.model.profiles import MAX_PAGE, PAGE

if TYPE_CHECKING:
    from profilectl.sandbox.model.profiles import Profile

_DEFAULT_LAG = _DEFAULT_LATE = 60.0  # seconds


def create(request: ApiRequest) -> Response:
    """Make a profile from a name and an uploaded picture."""
    document = request.document()
    name = _required(document, "custom_profile", "name")
    media_id = _required(document, "custom_profile", "avatar", "media", "id")
    if not (media_id.isascii() and media_id.isdigit()):
        raise Refused(Refusal.BAD_FIELD, f"custom_profile.avatar.media.id: '{media_id}' is not a valid Long")
    faults = request.active_faults
    if late := faults.get(Kind.LATE):
        seconds = _DEFAULT_LATE if late.seconds is None else late.seconds
        request.world.profiles.create_later(request.user_id, lies.shown_name(name, faults), media_id, seconds)
        return responses.error(late.status or 503, late.code or 130, late.message or "Over capacity")
    if existing := _spoken_of(request, Kind.REUSED_ID):
        return _answer(request, replace(existing, name=lies.shown_name(name, faults)))
    profile = [_make(request, name, media_id) for _ in range(2 if Kind.TWICE in faults else 1)][-1]
    other = _spoken_of(request, Kind.OTHER_ID, profile.id)
    return _answer(request, replace(profile, id=other.id) if other else profile)


def _make(request: ApiRequest, name: str, media_id: str) -> Profile:
    faults = request.active_faults
    lag = faults.get(Kind.LAG)
    seconds = 0.0 if lag is None else lag.seconds or _DEFAULT_LAG
    shown_name = lies.shown_name(name, faults)
    return request.world.profiles.create(request.user_id, name, media_id, lag=seconds, shown_name=shown_name)


def _answer(request: ApiRequest, profile: Profile) -> Response:
    return json_response({"custom_profile": responses.profile(profile, request.base)})


def _spoken_of(request: ApiRequest, kind: Kind, profile_id: str = "") -> Profile | None:
    """The profile that the answer speaks of instead of its own (`profile_id`); None without such a fault."""
    fault = request.active_faults.get(kind)
    if fault is None:
        return None
    profiles = request.world.profiles
    return profiles.find(fault.id) if fault.id else profiles.another(request.user_id, profile_id)


def show(request: ApiRequest) -> Response:
    """One live profile."""
    profile = request.world.profiles.show(request.user_id, request.path_values["id"])
    return _answer(request, _spoken_of(request, Kind.OTHER_ID, profile.id) or profile)


def list_page(request: ApiRequest) -> Response:
    """A page of the live profiles."""
    count = request.number("count", PAGE, MAX_PAGE)
    is_empty = Kind.EMPTY_PAGE in request.active_faults
    cursor = request.query.get("cursor")
    lie = lies.begin_reading(request.active_faults, request.world.store.now_ms())
    if lie is not None:
        profiles, next_cursor = request.world.profiles.lying_page(request.user_id, count, lie)
    else:
        profiles, next_cursor = request.world.profiles.page(request.user_id, count, cursor, empty=is_empty)
    return json_response(responses.profile_page(profiles, next_cursor, request.base))


def destroy(request: ApiRequest) -> Response:
    """Take a profile away; 204 again for one that is gone already."""
    profile_id = request.required("id")
    request.world.profiles.destroy(request.user_id, profile_id)
    other = _spoken_of(request, Kind.OTHER_ID, profile_id)
    return Response(204) if other is None else _answer(request, other)


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
