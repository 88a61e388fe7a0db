"""Direct Messages: send and read them."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from profilectl.sandbox.http import responses
from profilectl.sandbox.http.request import ApiRequest, Endpoint
from profilectl.sandbox.http.responses import Response, json_response
from profilectl.sandbox.model.errors import Refusal, Refused
from profilectl.sandbox.model.faults import Kind
from profilectl.sandbox.model.messages import Draft
from profilectl.sandbox.model.profiles import Position, read_cursor

if TYPE_CHECKING:
    from profilectl.sandbox.model.messages import Message

PAGE, MAX_PAGE = 20, 50
_CREATE = "event.message_create"
_LONGEST = {"label": 36, "description": 72, "metadata": 1_000}  # characters of a quick reply's option
MAX_OPTIONS, MAX_BUTTONS = 20, 3  # by X's pages on quick replies and buttons, as the lengths above


def send(request: ApiRequest) -> Response:
    """Send a message; a profile that can't be shown is dropped silently and missing from the echo."""
    draft = _draft(request.document())
    if Kind.ECHO_MISSING in request.active_faults:
        draft = replace(draft, profile_id=None)
    if Kind.ECHO_OTHER in request.active_faults:
        draft = replace(draft, profile_id=_another_profile(request, draft.profile_id))
    app_id, times = request.world.tokens.app().id, 2 if Kind.TWICE in request.active_faults else 1
    message = [request.world.messages.send(request.user_id, app_id, draft) for _ in range(times)][-1]
    return json_response({"event": _event(request, message)})


def indicate_typing(request: ApiRequest) -> Response:
    """Let the recipient see that somebody types, for three seconds."""
    request.world.messages.show_typing(request.user_id, request.required("recipient_id", in_form=True))
    return Response(204)


def list_page(request: ApiRequest) -> Response:
    """A page of the messages of the last 30 days, sent and received, newest first."""
    count, position = request.number("count", PAGE, MAX_PAGE), read_cursor(request.query.get("cursor"))
    messages = request.world.messages.mine(request.user_id, count + 1, position.before)
    page = messages[:count]
    body: dict[str, Any] = {
        "events": [_event(request, message, is_read=True) for message in page],
        "apps": _apps(request, page),
    }
    if len(messages) > count:
        body["next_cursor"] = Position(int(page[-1].id)).cursor()
    return json_response(body)


def show(request: ApiRequest) -> Response:
    """One message."""
    message = request.world.messages.show(request.user_id, request.required("id"))
    return json_response({"event": _event(request, message, is_read=True), "apps": _apps(request, [message])})


def _event(request: ApiRequest, message: Message, *, is_read: bool = False) -> dict[str, Any]:
    media = None if message.media_id is None else request.world.media.by_id(message.media_id)
    # X names the app on reads of the user's own messages, never on POST nor on received ones.
    is_named = is_read and message.by_app and message.sender_id == request.user_id
    return responses.event(message, media, request.base, request.world.tokens.app().id if is_named else None)


def _apps(request: ApiRequest, messages: list[Message]) -> dict[str, Any]:
    is_ours = any(message.by_app and message.sender_id == request.user_id for message in messages)
    return responses.apps(request.world.tokens.app()) if is_ours else {}


def _another_profile(request: ApiRequest, asked_for: str | None) -> str | None:
    others = (profile.id for profile in request.world.profiles.all(request.user_id) if profile.is_live)
    return next((profile_id for profile_id in others if profile_id != asked_for), None)


def _draft(document: Any) -> Draft:
    event = _object(document, "event")
    if event.get("type") != "message_create":
        raise Refused(Refusal.BAD_FIELD, f"event.type: '{event.get('type')}' is not supported")
    created = _object(event, "message_create", "event.")
    target = _object(created, "target", f"{_CREATE}.")
    data = _object(created, "message_data", f"{_CREATE}.")
    text, media_id = data.get("text", ""), _attached(data.get("attachment"))
    if not isinstance(text, str) or not (text or media_id):
        raise Refused(Refusal.BAD_FIELD, f"{_CREATE}.message_data.text: must not be blank")
    profile_id = created.get("custom_profile_id")
    return Draft(
        recipient_id=_long(target.get("recipient_id"), f"{_CREATE}.target.recipient_id"),
        text=text,
        profile_id=None if profile_id is None else str(profile_id),
        media_id=media_id,
        quick_reply=_quick_reply(data.get("quick_reply")),
        ctas=_buttons(data.get("ctas")),
    )


def _object(document: Any, key: str, path: str = "") -> dict[str, Any]:
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, dict):
        raise Refused(Refusal.BAD_FIELD, f"{path}{key}: is required")
    return value


def _long(value: object, path: str) -> str:
    """An id, as a string or a number of JSON, that fits 63 bits."""
    text = str(value) if isinstance(value, (str, int)) else json.dumps(value)
    if not (text.isascii() and text.isdigit() and int(text[:20]) < 2**63):
        raise Refused(Refusal.BAD_FIELD, f"{path}: '{text}' is not a valid Long")
    return text


def _attached(attachment: Any) -> str | None:
    if attachment is None:
        return None
    path = f"{_CREATE}.message_data.attachment"
    if not isinstance(attachment, dict) or attachment.get("type") != "media":
        raise Refused(Refusal.BAD_FIELD, f"{path}.type: is not supported")
    return _long(_object(attachment, "media", f"{path}.").get("id"), f"{path}.media.id")


def _quick_reply(quick_reply: Any) -> dict[str, Any] | None:
    """Options to answer with: at most 20, of limited length, a description on all or none."""
    if quick_reply is None:
        return None
    options = quick_reply.get("options") if isinstance(quick_reply, dict) else None
    if not isinstance(options, list) or not 0 < len(options) <= MAX_OPTIONS or quick_reply.get("type") != "options":
        raise Refused(Refusal.MESSAGE_INVALID, f"quick_reply needs 1 to {MAX_OPTIONS} options")
    for option in options:
        _check_option(option)
    if len({"description" in option for option in options}) > 1:
        raise Refused(Refusal.MESSAGE_INVALID, "description must be on all options or on none")
    return {"type": "options", "options": options}


def _check_option(option: Any) -> None:
    if not isinstance(option, dict) or not option.get("label"):
        raise Refused(Refusal.MESSAGE_INVALID, "each option needs a label")
    for name, longest in _LONGEST.items():
        value = option.get(name, "")
        if not isinstance(value, str) or len(value) > longest:
            raise Refused(Refusal.MESSAGE_INVALID, f"{name} may have {longest} characters")
        if name != "metadata" and "://" in value:
            raise Refused(Refusal.MESSAGE_INVALID, f"{name} may not hold a URL")


def _buttons(ctas: Any) -> list[dict[str, str]] | None:
    """Buttons that lead to the web: at most three."""
    if ctas is None:
        return None
    if not isinstance(ctas, list) or not 0 < len(ctas) <= MAX_BUTTONS:
        raise Refused(Refusal.MESSAGE_INVALID, f"ctas needs 1 to {MAX_BUTTONS} buttons")
    return [_button(cta) for cta in ctas]


def _button(cta: Any) -> dict[str, str]:
    fields = cta if isinstance(cta, dict) else {}
    label, url = fields.get("label"), fields.get("url")
    if fields.get("type") != "web_url" or not (isinstance(label, str) and label) or not isinstance(url, str):
        raise Refused(Refusal.MESSAGE_INVALID, "each cta needs the type web_url, a label and a url")
    if len(label) > _LONGEST["label"] or not url.startswith(("https://", "http://")):
        raise Refused(Refusal.MESSAGE_INVALID, f"label may have {_LONGEST['label']} characters, url must be of the web")
    return {"type": "web_url", "label": label, "url": url}


_endpoint = partial(Endpoint, needs_messages=True)
_EVENTS = "/1.1/direct_messages/events"
ENDPOINTS = (
    _endpoint("send", "POST", f"{_EVENTS}/new.json", send, needs_write=True),
    _endpoint(
        "typing", "POST", "/1.1/direct_messages/indicate_typing.json", indicate_typing, "typing", needs_write=True
    ),
    _endpoint("messages", "GET", f"{_EVENTS}/list.json", list_page, "messages"),
    _endpoint("message", "GET", f"{_EVENTS}/show.json", show, "message"),
)
