"""How X says it: the JSON shapes of its answers and the bodies and codes of its errors."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from profilectl.sandbox.model.errors import Refusal, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from profilectl.sandbox.model.accounts import Account
    from profilectl.sandbox.model.feedback import Card
    from profilectl.sandbox.model.media import Media
    from profilectl.sandbox.model.messages import Message
    from profilectl.sandbox.model.profiles import Page, Profile
    from profilectl.sandbox.model.rate_limits import Standing
    from profilectl.sandbox.model.tokens import App

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
_PROBLEMS = "https://api.x.com/2/problems"


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back; `length` overrides Content-Length where an answer is cut short on purpose."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None

    def plus(self, *headers: tuple[str, str]) -> Answer:
        """The same with more headers."""
        return replace(self, headers=(*self.headers, *headers))


def answer(payload: object, status: int = 200) -> Answer:
    """An answer in JSON."""
    return Answer(status, json.dumps(payload, separators=(",", ":")).encode())


def form_answer(**fields: str) -> Answer:
    """An answer as the OAuth calls give it."""
    return Answer(200, "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items()).encode(), FORM)


class Wording(NamedTuple):
    """A refusal as v1.1 puts it; ``{}`` in the message is the refusal's detail."""

    status: int
    code: int
    message: str


WORDINGS: Mapping[Refusal, Wording] = {
    Refusal.BAD_SIGNATURE: Wording(401, 32, "Could not authenticate you."),
    Refusal.NO_SUCH_PAGE: Wording(404, 34, "Sorry, that page does not exist"),
    Refusal.PARAMETER_MISSING: Wording(403, 38, "{} parameter is missing."),
    Refusal.PARAMETER_INVALID: Wording(400, 44, "{} parameter is invalid."),
    Refusal.NOT_PERMITTED: Wording(403, 87, "Client is not permitted to perform this action."),
    Refusal.RATE_LIMITED: Wording(429, 88, "Rate limit exceeded"),
    Refusal.BAD_TOKEN: Wording(401, 89, "Invalid or expired token."),
    Refusal.NO_MESSAGE_ACCESS: Wording(
        403, 93, "This application is not allowed to access or delete your direct messages."
    ),
    Refusal.NO_SUCH_USER: Wording(404, 108, "Cannot find specified user."),
    Refusal.CLOCK_OUT_OF_BOUNDS: Wording(401, 135, "Timestamp out of bounds."),
    Refusal.MESSAGE_INVALID: Wording(403, 151, "There was an error sending your message: {}"),
    Refusal.BAD_FIELD: Wording(400, 214, "{}"),
    Refusal.NO_AUTHENTICATION: Wording(400, 215, "Bad Authentication data."),
    Refusal.READ_ONLY: Wording(403, 261, "Application cannot perform write actions."),
    Refusal.MEDIA_TOO_BIG: Wording(400, 324, "Image file size must be <= {} bytes"),
    Refusal.MEDIA_INVALID: Wording(400, 324, "The validation of media ids failed."),
    Refusal.MEDIA_NOT_FOUND: Wording(400, 325, "A media id was not found."),
    Refusal.MEDIA_UNRECOGNISED: Wording(400, 0, "media type unrecognized."),
    Refusal.UPLOAD_UNKNOWN: Wording(400, 0, "{}"),
    Refusal.UNREACHABLE_USER: Wording(403, 349, "You cannot send messages to this user."),
    Refusal.TEXT_TOO_LONG: Wording(403, 354, "The text of your direct message is over the max character limit."),
    Refusal.CALLBACK_NOT_APPROVED: Wording(403, 415, "Callback URL not approved for this client application."),
}


def error(status: int, code: int, message: str) -> Answer:
    """An error of v1.1."""
    return answer({"errors": [{"code": code, "message": message}]}, status)


def problem(status: int, title: str, detail: str, kind: str = "", *messages: str) -> Answer:
    """An error of v2; `kind` is the last part of X's problem type."""
    payload: dict[str, Any] = {
        "title": title,
        "detail": detail,
        "type": f"{_PROBLEMS}/{kind}" if kind else "about:blank",
    }
    if messages:
        payload["errors"] = [{"message": message} for message in messages]
    return answer({**payload, "status": status}, status)


def refusal_answer(refused: Refused, path: str) -> Answer:
    """A refusal in the style of the path: v1.1, v2, or that of the old upload."""
    wording = WORDINGS[refused.refusal]
    message = wording.message.format(refused.detail)
    if path.startswith("/2/"):
        return _v2_refusal(refused.refusal, wording.status, message)
    if wording.code == 0:
        return answer({"request": path, "error": message}, wording.status)
    return error(wording.status, wording.code, message)


def _v2_refusal(refusal: Refusal, status: int, message: str) -> Answer:
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


def rate_headers(standing: Standing) -> tuple[tuple[str, str], ...]:
    """X's three headers on what is left of a limit."""
    return tuple((f"x-rate-limit-{name}", str(value)) for name, value in standing._asdict().items())


def picture_url(base: str, key: str) -> str:
    """Where a picture can be seen; as at X no plain ``.jpg``."""
    return f"{base}_sandbox/media/{key}.jpg?format=jpg&name=normal"


def profile(found: Profile, base: str) -> dict[str, Any]:
    """A custom profile; it names the picture's address, never its media id."""
    return {
        "id": found.id,
        "created_timestamp": str(found.created_ms),
        "name": found.name,
        "avatar": {"media": {"url": picture_url(base, found.picture)}},
    }


def profile_page(page: Page, base: str) -> dict[str, Any]:
    """A page of the list; without the key ``next_cursor`` it is the last one."""
    body: dict[str, Any] = {"custom_profiles": [profile(found, base) for found in page.profiles]}
    return body if page.next_cursor is None else {**body, "next_cursor": page.next_cursor}


def event(message: Message, media: Media | None, base: str, source_app_id: str | None = None) -> dict[str, Any]:
    """A Direct Message; X names the app only when it is read, and the profile only if it was shown."""
    data: dict[str, Any] = {
        "text": message.text,
        "entities": {"hashtags": [], "symbols": [], "user_mentions": [], "urls": []},
    }
    if media is not None:
        data["attachment"] = {"type": "media", "media": _attached(media, base)}
    if message.quick_reply is not None:
        data["quick_reply"] = message.quick_reply
    if message.ctas is not None:
        data["ctas"] = [{**cta, "tco_url": "https://t.co/sandbox"} for cta in message.ctas]
    if message.response is not None:
        data["quick_reply_response"] = message.response
    created: dict[str, Any] = {
        "target": {"recipient_id": message.recipient_id},
        "sender_id": message.sender_id,
        "message_data": data,
    }
    if source_app_id is not None:
        created["source_app_id"] = source_app_id
    if message.profile_id is not None:
        created["custom_profile_id"] = message.profile_id
    return {
        "type": "message_create",
        "id": message.id,
        "created_timestamp": str(message.created_ms),
        "message_create": created,
    }


def _attached(media: Media, base: str) -> dict[str, Any]:
    url = picture_url(base, media.key)
    return {"id": int(media.id), "id_str": media.id, "type": "photo", "media_url": url, "media_url_https": url}


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
    facts = {
        "created_at": moment(card.created_ms),
        "updated_at": moment(card.updated_ms),
        "id": card.id,
        "type": card.type,
        "test": card.is_test,
        "dm_id": card.dm_id,
        "from_user_id": card.from_user_id,
        "to_user_id": card.to_user_id,
        "privacy_url": card.privacy_url,
        "external_id": card.external_id,
        "question_variant_id": card.question_variant_id,
        "display_name": card.display_name,
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
    return {
        "errors": [
            {
                "value": username,
                "detail": f"Could not find user with username: [{username}].",
                "title": "Not Found Error",
                "resource_type": "user",
                "parameter": "username",
                "resource_id": username,
                "type": f"{_PROBLEMS}/resource-not-found",
            }
        ]
    }
