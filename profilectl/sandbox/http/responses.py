"""X's responses: the JSON shapes of its answers, and the statuses, codes and messages of its errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from profilectl.sandbox.model.errors import Refusal, Refused

if TYPE_CHECKING:
    from profilectl.sandbox.model.accounts import Account
    from profilectl.sandbox.model.feedback import Card
    from profilectl.sandbox.model.media import Media
    from profilectl.sandbox.model.messages import Message
    from profilectl.sandbox.model.profiles import Profile
    from profilectl.sandbox.model.rate_limits import RateStatus
    from profilectl.sandbox.model.tokens import App
    from profilectl.sandbox.model.welcome import WelcomeMessage

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
_PROBLEMS = "https://api.x.com/2/problems"


@dataclass(frozen=True, slots=True)
class Response:
    """What goes back.

    `length` overrides Content-Length where a response is cut short on purpose; `date_shift` seconds are added to Date;
    an empty `content_type` is none.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None
    date_shift: float = 0.0

    def with_headers(self, *headers: tuple[str, str]) -> Response:
        """The same with more headers."""
        return replace(self, headers=(*self.headers, *headers))


def json_response(payload: object, status: int = 200) -> Response:
    """A response in JSON."""
    return Response(status, json.dumps(payload, separators=(",", ":")).encode())


def form_response(**fields: str) -> Response:
    """A response as the OAuth calls give it."""
    return Response(200, "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items()).encode(), FORM)


class ErrorMessage(NamedTuple):
    """A refusal as v1.1 puts it; ``{}`` in the message is the refusal's detail."""

    status: int
    code: int
    message: str


REFUSALS: Mapping[Refusal, ErrorMessage] = {
    Refusal.BAD_SIGNATURE: ErrorMessage(401, 32, "Could not authenticate you."),
    Refusal.NO_SUCH_PAGE: ErrorMessage(404, 34, "Sorry, that page does not exist"),
    Refusal.PARAMETER_MISSING: ErrorMessage(403, 38, "{} parameter is missing."),
    Refusal.PARAMETER_INVALID: ErrorMessage(400, 44, "{} parameter is invalid."),
    Refusal.NOT_PERMITTED: ErrorMessage(403, 87, "Client is not permitted to perform this action."),
    Refusal.RATE_LIMITED: ErrorMessage(429, 88, "Rate limit exceeded"),
    Refusal.BAD_TOKEN: ErrorMessage(401, 89, "Invalid or expired token."),
    Refusal.NO_MESSAGE_ACCESS: ErrorMessage(
        403, 93, "This application is not allowed to access or delete your direct messages."
    ),
    Refusal.NO_SUCH_USER: ErrorMessage(404, 108, "Cannot find specified user."),
    Refusal.CLOCK_OUT_OF_BOUNDS: ErrorMessage(401, 135, "Timestamp out of bounds."),
    Refusal.MESSAGE_INVALID: ErrorMessage(403, 151, "There was an error sending your message: {}"),
    Refusal.BAD_FIELD: ErrorMessage(400, 214, "{}"),
    Refusal.NO_AUTHENTICATION: ErrorMessage(400, 215, "Bad Authentication data."),
    Refusal.READ_ONLY: ErrorMessage(403, 261, "Application cannot perform write actions."),
    Refusal.MEDIA_TOO_BIG: ErrorMessage(400, 324, "Image file size must be <= {} bytes"),
    Refusal.MEDIA_INVALID: ErrorMessage(400, 324, "The validation of media ids failed."),
    Refusal.MEDIA_NOT_FOUND: ErrorMessage(400, 325, "A media id was not found."),
    Refusal.MEDIA_UNRECOGNISED: ErrorMessage(400, 0, "media type unrecognized."),
    Refusal.UPLOAD_UNKNOWN: ErrorMessage(400, 0, "{}"),
    Refusal.UNREACHABLE_USER: ErrorMessage(403, 349, "You cannot send messages to this user."),
    Refusal.TEXT_TOO_LONG: ErrorMessage(403, 354, "The text of your direct message is over the max character limit."),
    Refusal.CALLBACK_NOT_APPROVED: ErrorMessage(403, 415, "Callback URL not approved for this client application."),
}
_ON_ORDER_ONLY = (
    ErrorMessage(403, 63, "User has been suspended."),
    ErrorMessage(403, 64, "Your account is suspended and is not permitted to access this feature."),
    ErrorMessage(403, 150, "You cannot send messages to users who are not following you."),
    ErrorMessage(403, 195, "Missing or invalid url parameter."),
    ErrorMessage(403, 226, "This request looks like it might be automated."),
    ErrorMessage(400, 323, "Only one animated GIF may be attached."),
    ErrorMessage(403, 326, "To protect our users, this account is temporarily locked. Please log in to unlock it."),
    ErrorMessage(403, 344, "You have reached your daily limit for sending posts and messages."),
    ErrorMessage(403, 389, "You cannot send messages to users you have blocked."),
    ErrorMessage(
        403, 453, "You currently have access to a subset of X API V2 endpoints and limited v1.1 endpoints only."
    ),
    ErrorMessage(403, 476, "This user only accepts message requests from verified users."),
)
# By v1.1's codes, for refusals on order, most of which the world has no reason for; of one code the last.
MESSAGES: Mapping[int, ErrorMessage] = {
    entry.code: entry._replace(message=entry.message.format("its reason"))
    for entry in (*REFUSALS.values(), *_ON_ORDER_ONLY)
    if entry.code
}


def error(status: int, code: int, message: str) -> Response:
    """An error of v1.1."""
    return json_response({"errors": [{"code": code, "message": message}]}, status)


def problem(status: int, title: str, detail: str, kind: str = "", *messages: str) -> Response:
    """An error of v2; `kind` is the last part of X's problem type."""
    problem_type = f"{_PROBLEMS}/{kind}" if kind else "about:blank"
    payload: dict[str, Any] = {"title": title, "detail": detail, "type": problem_type}
    if messages:
        payload["errors"] = [{"message": message} for message in messages]
    return json_response({**payload, "status": status}, status)


def refusal_response(refused: Refused, path: str) -> Response:
    """A refusal in the style of the path: v1.1, v2, or that of the old upload."""
    status, code, message = REFUSALS[refused.refusal]
    message = message.format(refused.detail)
    if path.startswith("/2/"):
        return _v2_refusal(refused.refusal, status, message)
    if code == 0:  # recorded for "media type unrecognized.": the old upload has an error shape of its own
        return json_response({"request": path, "error": message}, status)
    return error(status, code, message)


def _v2_refusal(refusal: Refusal, status: int, message: str) -> Response:
    if status == 401 or refusal is Refusal.NO_AUTHENTICATION:
        return problem(401, "Unauthorized", "Unauthorized")
    if refusal is Refusal.READ_ONLY:
        return problem(403, "Forbidden", message, "client-forbidden")
    if refusal is Refusal.NO_SUCH_PAGE:
        return problem(404, "Not Found", "Not Found")
    if refusal is Refusal.RATE_LIMITED:
        return problem(429, "Too Many Requests", "Too Many Requests")
    summary = "One or more parameters to your request was invalid."
    return problem(400, "Invalid Request", summary, "invalid-request", message)


def rate_headers(status: RateStatus) -> tuple[tuple[str, str], ...]:
    """X's three headers on what is left of a limit."""
    return tuple((f"x-rate-limit-{name}", str(value)) for name, value in status._asdict().items())


def picture_url(base: str, key: str) -> str:
    """Where a picture can be seen; as at X no plain ``.jpg``."""
    return f"{base}_sandbox/media/{key}.jpg?format=jpg&name=normal"


def profile(value: Profile, base: str) -> dict[str, Any]:
    """A custom profile; it names the picture's address, never its media id."""
    return {
        "id": value.id,
        "created_timestamp": str(value.created_ms),
        "name": value.name,
        "avatar": {"media": {"url": picture_url(base, value.picture)}},
    }


def profile_page(profiles: list[Profile], next_cursor: str | None, base: str) -> dict[str, Any]:
    """A page of the list; without the key ``next_cursor`` it is the last one."""
    body: dict[str, Any] = {"custom_profiles": [profile(value, base) for value in profiles]}
    return body if next_cursor is None else {**body, "next_cursor": next_cursor}


def event(message: Message, media: Media | None, base: str, source_app_id: str | None = None) -> dict[str, Any]:
    """A Direct Message; X names the app only when it is read, and the profile only if it was shown."""
    entities: dict[str, Any] = {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []}
    data: dict[str, Any] = {"text": message.text, "entities": entities}
    if media is not None:
        url = picture_url(base, media.key)
        photo = {"id": int(media.id), "id_str": media.id, "type": "photo", "media_url": url, "media_url_https": url}
        data["attachment"] = {"type": "media", "media": photo}
    if message.quick_reply is not None:
        data["quick_reply"] = message.quick_reply
    if message.ctas is not None:
        data["ctas"] = [{**cta, "tco_url": "https://t.co/sandbox"} for cta in message.ctas]
    if message.response is not None:
        data["quick_reply_response"] = message.response
    target = {"recipient_id": message.recipient_id}
    created: dict[str, Any] = {"target": target, "sender_id": message.sender_id, "message_data": data}
    if source_app_id is not None:
        created["source_app_id"] = source_app_id
    if message.profile_id is not None:  # inside message_create: one page of the docs says beside it, its samples inside
        created["custom_profile_id"] = message.profile_id
    facts = {"type": "message_create", "id": message.id, "created_timestamp": str(message.created_ms)}
    return {**facts, "message_create": created}


def welcome_message(message: WelcomeMessage) -> dict[str, Any]:
    """A welcome message; where a profile stands in it isn't documented."""
    entities: dict[str, Any] = {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []}
    facts = {"id": message.id, "created_timestamp": str(message.created_ms)}
    carried = {} if message.profile_id is None else {"custom_profile_id": message.profile_id}
    return {**facts, "message_data": {"text": message.text, "entities": entities}, **carried}


def apps(app: App) -> dict[str, Any]:
    """The map of apps that goes with messages that are read."""
    return {app.id: {"id": app.id, "name": app.name, "url": "https://example.invalid/profilectl"}}


def _image(media: Media) -> dict[str, Any]:
    return {"image_type": media.media_type, "w": media.width, "h": media.height}


def upload_v2(media: Media, lifetime: int) -> dict[str, Any]:
    """The answer of ``/2/media/upload``; an upload that was only announced has no image yet."""
    facts = {"id": media.id, "media_key": f"3_{media.id}", "size": media.size, "expires_after_secs": lifetime}
    return {"data": {**facts, "image": _image(media)} if media.width else facts}


def upload_v1(media: Media, lifetime: int) -> dict[str, Any]:
    """The answer of ``/1.1/media/upload.json``; an upload that was only announced has no image yet."""
    facts = {"media_id": int(media.id), "media_id_string": media.id, "expires_after_secs": lifetime}
    if not media.width:
        return facts
    return {**facts, "media_key": f"3_{media.id}", "size": media.size, "image": _image(media)}


def feedback(card: Card) -> dict[str, Any]:
    """A feedback card as create, show and events have it; ``response`` only once it is answered."""
    names = ("dm_id", "from_user_id", "to_user_id", "privacy_url", "external_id", "question_variant_id", "display_name")
    facts = {
        "created_at": moment(card.created_ms),
        "updated_at": moment(card.updated_ms),
        "id": card.id,
        "type": card.type,
        "test": card.is_test,
        **{name: getattr(card, name) for name in names},
    }
    if card.answered_ms is None:
        return facts
    response: dict[str, Any] = {"score": {"created_at": moment(card.answered_ms), "value": card.score}}
    if card.text:
        response["text"] = {"created_at": moment(card.answered_ms), "value": card.text}
    return {**facts, "response": response}


def moment(epoch_ms: int) -> str:
    """A time as v1.1 writes it, to the second."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).strftime("%a %b %d %H:%M:%S +0000 %Y")


def user_v1(account: Account) -> dict[str, Any]:
    """An account as verify_credentials shows it."""
    return {
        "id": int(account.user_id),
        "id_str": account.user_id,
        "name": account.handle,
        "screen_name": account.handle,
        "created_at": moment(account.created_ms),
        "protected": False,
        "verified": account.is_brand,
        "suspended": False,
    }


def user_v2(account: Account) -> dict[str, Any]:
    """An account as v2 shows it."""
    return {"data": {"id": account.user_id, "name": account.handle, "username": account.handle}}


def no_user_v2(username: str) -> dict[str, Any]:
    """What v2 says, with status 200, when nobody has that name."""
    missing = {
        "value": username,
        "detail": f"Could not find user with username: [{username}].",
        "title": "Not Found Error",
        "resource_type": "user",
        "parameter": "username",
        "resource_id": username,
        "type": f"{_PROBLEMS}/resource-not-found",
    }
    return {"errors": [missing]}
