"""The calls that reach X, as plain values: what is sent, for which purpose, and whether twice would do harm."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from profilectl.api.error_codes import FEEDBACK, ISSUING, SENDING
from profilectl.api.retry import Repeat
from profilectl.api.wire import digits, encode, profile_body
from profilectl.api.wire_feedback import card_form
from profilectl.api.wire_messages import message_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from profilectl.api.error_codes import Verdict
    from profilectl.model import Ask, Message

PAGE_SIZE = 50
"""Profiles or messages in a page of a list, X's maximum."""

CARD_EVENTS = 100
"""Events of feedback cards in a page, X's maximum."""

KINDS = ("list", "upload", "create", "destroy", "other")
"""What requests are counted by."""

_UPLOAD = "/2/media/upload"
_MESSAGES = "/1.1/direct_messages"


@dataclass(frozen=True, slots=True)
class Call:
    """One request, unsigned.

    Attributes:
        deed: for messages: "creating the profile".
        query: names and values, not yet encoded.
        body: JSON, ready to leave.
        form: fields that are sent form-encoded, or as parts beside `files`.
        files: parts with file name, content and media type.
        verdicts: what X's codes mean for this call, where that differs.
    """

    deed: str
    method: str
    path: str
    kind: str = "other"
    repeat: Repeat = Repeat.SAFE
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    form: Mapping[str, str] | None = None
    files: Mapping[str, tuple[str, bytes, str]] | None = field(default=None, repr=False)
    verdicts: Mapping[int, Verdict] = field(default_factory=dict, repr=False)

    @property
    def target(self) -> str:
        """Path and query, encoded as RFC 5849 3.6 wants it: what is sent is, letter by letter, what is signed."""
        pairs = (f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.query.items())
        return self.path + ("?" + "&".join(pairs) if self.query else "")


def verify_credentials() -> Call:
    """Ask whom the credentials belong to."""
    return Call(
        "checking the credentials",
        "GET",
        "/1.1/account/verify_credentials.json",
        query={"include_entities": "false", "skip_status": "true"},
    )


def list_page(cursor: str | None) -> Call:
    """Ask for one page of profiles, the first one without a cursor."""
    query = {"count": str(PAGE_SIZE)} | ({"cursor": cursor} if cursor else {})
    return Call("listing the profiles", "GET", "/1.1/custom_profiles/list.json", "list", query=query)


def show_profile(profile_id: str) -> Call:
    """Ask for one profile."""
    checked = digits("profile id", profile_id)
    return Call(f"reading profile {checked}", "GET", f"/1.1/custom_profiles/{checked}.json")


def picture() -> Call:
    """Fetch a picture from the address that X gave for it, which isn't the API's."""
    return Call("downloading the picture", "GET", "")


def upload(content: bytes, media_type: str, category: str, name: str = "avatar") -> Call:
    """Upload a picture; one that is never used expires by itself, so it may be sent again."""
    return Call(
        "uploading the picture",
        "POST",
        _UPLOAD,
        "upload",
        form={"media_category": category},
        files={"media": (f"{name}.{media_type.rpartition('/')[2]}", content, media_type)},
    )


def begin_upload(size: int, media_type: str, category: str) -> Call:
    """Announce media of `size` bytes that will come in pieces."""
    body = encode({"media_type": media_type, "total_bytes": size, "media_category": category})
    return Call("announcing the picture", "POST", f"{_UPLOAD}/initialize", "upload", body=body)


def append_upload(media_id: str, index: int, piece: bytes) -> Call:
    """Send one piece, counted from 0; the same one again takes its own place."""
    return Call(
        "uploading the picture",
        "POST",
        f"{_UPLOAD}/{digits('media id', media_id)}/append",
        "upload",
        form={"segment_index": str(index)},
        files={"media": ("piece", piece, "application/octet-stream")},
    )


def finish_upload(media_id: str) -> Call:
    """Let X put the pieces together."""
    return Call("finishing the upload", "POST", f"{_UPLOAD}/{digits('media id', media_id)}/finalize", "upload")


def upload_status(media_id: str) -> Call:
    """Ask how far X is with media that it said it is at work on; of others it knows no status."""
    query = {"command": "STATUS", "media_id": digits("media id", media_id)}
    return Call("waiting for the picture", "GET", _UPLOAD, "upload", query=query)


def create_profile(name: str, media_id: str) -> Call:
    """Make a profile; X has no idempotency key, so only the caller can know whether to repeat it."""
    return Call(
        "creating the profile",
        "POST",
        "/1.1/custom_profiles/new.json",
        "create",
        Repeat.NEVER,
        body=profile_body(name, media_id),
    )


def destroy_profile(profile_id: str) -> Call:
    """Destroy a profile; X answers 204 for one that it has destroyed before, too."""
    checked = digits("profile id", profile_id)
    return Call(
        f"destroying profile {checked}",
        "DELETE",
        "/1.1/custom_profiles/destroy.json",
        "destroy",
        query={"id": checked},
    )


def send_message(message: Message) -> Call:
    """Send a Direct Message; it is sent again only when no connection could be made."""
    return Call(
        "sending the message",
        "POST",
        f"{_MESSAGES}/events/new.json",
        repeat=Repeat.UNSENT,
        body=message_body(message),
        verdicts=SENDING,
    )


def list_events(cursor: str | None) -> Call:
    """Ask for one page of the account's messages of the last 30 days, the newest without a cursor."""
    query = {"count": str(PAGE_SIZE)} | ({"cursor": cursor} if cursor else {})
    return Call("reading the messages", "GET", f"{_MESSAGES}/events/list.json", query=query)


def indicate_typing(recipient_id: str) -> Call:
    """Show for about three seconds that somebody is typing; a courtesy, so it is never worth a second attempt."""
    form = {"recipient_id": digits("recipient id", recipient_id)}
    return Call(
        "showing that somebody types", "POST", f"{_MESSAGES}/indicate_typing.json", repeat=Repeat.NEVER, form=form
    )


def find_user(handle: str) -> Call:
    """Ask for the user behind a handle that has been checked."""
    return Call(f"looking up @{handle}", "GET", f"/2/users/by/username/{handle}")


def issue_card(ask: Ask) -> Call:
    """Issue a feedback card; X takes one a day per recipient, so a second attempt can't ask twice."""
    return Call(
        "issuing the feedback card",
        "POST",
        "/1.1/feedback/create.json",
        repeat=Repeat.UNSENT,
        form=card_form(ask),
        verdicts=ISSUING,
    )


def card_events(since_ms: int, until_ms: int, cursor: str | None) -> Call:
    """Ask for one page of what happened to feedback cards; the span belongs to the first page only."""
    span = {"cursor": cursor} if cursor else {"from_time": str(since_ms), "to_time": str(until_ms)}
    query = {"count": str(CARD_EVENTS)} | span
    return Call("reading the feedback", "GET", "/1.1/feedback/events.json", query=query, verdicts=FEEDBACK)


def rate_limits() -> Call:
    """Ask what is left of the limits on reading calls; X names the families that we use."""
    families = "custom_profiles,direct_messages,media"
    return Call(
        "reading the rate limits",
        "GET",
        "/1.1/application/rate_limit_status.json",
        query={"resources": families},
    )


def invalidate_token() -> Call:
    """Revoke the access token that signs this very call."""
    return Call("revoking the access token", "POST", "/1.1/oauth/invalidate_token.json")


def request_token() -> Call:
    """Begin a login by PIN (``oob``, RFC 5849 2.1)."""
    return Call("beginning the login", "POST", "/oauth/request_token", form={"oauth_callback": "oob"})


def access_token(pin: str) -> Call:
    """Trade a PIN that has been checked, which works once, for the account's token (RFC 5849 2.3)."""
    return Call("trading the PIN", "POST", "/oauth/access_token", repeat=Repeat.UNSENT, form={"oauth_verifier": pin})


def authorize_target(request_token: str) -> str:
    """Return path and query of the page where a person allows the app; a browser goes there, we don't."""
    return Call("", "GET", "/oauth/authorize", query={"oauth_token": request_token}).target
