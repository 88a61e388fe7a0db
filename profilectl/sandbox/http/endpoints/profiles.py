"""The four calls on custom profiles."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.request import Call, Endpoint
from profilectl.sandbox.http.responses import answer
from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.model.faults import Kind
from profilectl.sandbox.model.profiles import MAX_PAGE, PAGE

if TYPE_CHECKING:
    from profilectl.sandbox.http.responses import Answer

_DEFAULT_LAG = 60.0  # seconds


def create(call: Call) -> Answer:
    """Make a profile from a name and an uploaded picture."""
    document = call.document()
    name = _required(document, "custom_profile", "name")
    media_id = _required(document, "custom_profile", "avatar", "media", "id")
    if not (media_id.isascii() and media_id.isdigit()):
        raise Refused(Refusal.BAD_FIELD, f"custom_profile.avatar.media.id: '{media_id}' is not a valid Long")
    lag = call.twists.get(Kind.LAG)
    seconds = 0.0 if lag is None else lag.seconds or _DEFAULT_LAG
    made = call.world.profiles.create(call.user_id, name, media_id, lag=seconds)
    return answer({"custom_profile": responses.profile(made, call.base)})


def show(call: Call) -> Answer:
    """One live profile."""
    found = call.world.profiles.show(call.user_id, call.path_values["id"])
    return answer({"custom_profile": responses.profile(found, call.base)})


def list_page(call: Call) -> Answer:
    """A page of the live profiles."""
    count = call.number("count", PAGE, MAX_PAGE)
    is_empty = Kind.EMPTY_PAGE in call.twists
    page = call.world.profiles.page(call.user_id, count, call.query.get("cursor"), empty=is_empty)
    return answer(responses.profile_page(page, call.base))


def destroy(call: Call) -> Answer:
    """Take a profile away; 204 again for one that is gone already."""
    if not call.query.get("id"):
        raise Refused(Refusal.PARAMETER_MISSING, "id")
    call.world.profiles.destroy(call.user_id, call.query["id"])
    return responses.Answer(204)


def _required(document: Any, *path: str) -> str:
    """A string somewhere inside a document.

    Raises:
        Refused: it is missing, or something on the way has another type
    """
    for depth, key in enumerate(path):
        if not isinstance(document, dict):
            raise Refused(Refusal.BAD_FIELD, f"{'.'.join(path[:depth]) or 'body'}: must be an object")
        if document.get(key) is None:
            raise Refused(Refusal.PARAMETER_MISSING, ".".join(path[: depth + 1]))
        document = document[key]
    if not isinstance(document, str):
        raise Refused(Refusal.BAD_FIELD, f"{'.'.join(path)}: must be a string")
    return document


_endpoint = partial(Endpoint, needs_messages=True, needs_allowlist=True)
ENDPOINTS = (
    _endpoint("create", "POST", "/1.1/custom_profiles/new.json", create, "create", needs_write=True),
    _endpoint("show", "GET", "/1.1/custom_profiles/<digits:id>.json", show, "show"),
    _endpoint("list", "GET", "/1.1/custom_profiles/list.json", list_page, "list"),
    _endpoint("destroy", "DELETE", "/1.1/custom_profiles/destroy.json", destroy, "destroy", needs_write=True),
)
