"""The endpoints of X that we call, as values: method, path and body of a request, and whether it may be repeated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from profilectl.api.error_codes import CARD_ISSUE_RULES, CARD_RULES, MESSAGE_RULES
from profilectl.api.retry import RetryPolicy
from profilectl.api.wire import digits, encode, profile_body
from profilectl.api.wire_feedback import card_form
from profilectl.api.wire_messages import message_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from profilectl.api.error_codes import ErrorRule
    from profilectl.model import Ask, Message

PAGE_SIZE = 50
"""Profiles or messages in a page of a list, X's maximum."""

CARD_EVENTS = 100
"""Events of feedback cards in a page, X's maximum."""

KINDS = ("list", "upload", "create", "destroy", "other")
"""What requests are counted under."""

_UPLOAD = "/2/media/upload"
_MESSAGES = "/1.1/direct_messages"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A request, not yet signed.

    Attributes:
        action: what the request does, for error messages: "creating the profile".
        kind: what it is counted under, of `KINDS`.
        retry: when it may be repeated.
        query: names and values, not yet encoded.
        body: JSON, ready to leave.
        form: fields that are sent form-encoded, or as parts beside `files`.
        files: parts by their field: file name, content and media type.
        error_rules: what X's error codes mean for this endpoint, where that differs.
    """

    action: str
    method: str
    path: str
    kind: str = "other"
    retry: RetryPolicy = RetryPolicy.SAFE
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    form: Mapping[str, str] | None = None
    files: Mapping[str, tuple[str, bytes, str]] | None = field(default=None, repr=False)
    error_rules: Mapping[int, ErrorRule] = field(default_factory=dict, repr=False)

    @property
    def target(self) -> str:
        """Path and query, encoded as RFC 5849 3.6 wants it: what is sent is, letter by letter, what is signed."""
        pairs = (f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.query.items())
        return self.path + ("?" + "&".join(pairs) if self.query else "")


def verify_credentials() -> Endpoint:
    """Ask which account the credentials belong to."""
    return Endpoint(
        "checking the credentials",
        "GET",
        "/1.1/account/verify_credentials.json",
        query={"include_entities": "false", "skip_status": "true"},
    )


def list_page(cursor: str | None) -> Endpoint:
    """Ask for one page of profiles, the first one without a cursor."""
    query = {"count": str(PAGE_SIZE)} | ({"cursor": cursor} if cursor else {})
    return Endpoint("listing the profiles", "GET", "/1.1/custom_profiles/list.json", "list", query=query)


def show_profile(profile_id: str) -> Endpoint:
    """Ask for one profile."""
    checked = digits("profile id", profile_id)
    return Endpoint(f"reading profile {checked}", "GET", f"/1.1/custom_profiles/{checked}.json")


def picture() -> Endpoint:
    """Fetch a picture from the address that X gave for it, which isn't the API's."""
    return Endpoint("downloading the picture", "GET", "")


def upload(content: bytes, media_type: str, category: str, name: str = "avatar") -> Endpoint:
    """Upload a picture; X deletes media that is never used, so it may be sent again."""
    return Endpoint(
        "uploading the picture",
        "POST",
        _UPLOAD,
        "upload",
        form={"media_category": category},
        files={"media": (f"{name}.{media_type.rpartition('/')[2]}", content, media_type)},
    )


def begin_upload(size: int, media_type: str, category: str) -> Endpoint:
    """Announce media of `size` bytes that will come in pieces."""
    body = encode({"media_type": media_type, "total_bytes": size, "media_category": category})
    return Endpoint("announcing the picture", "POST", f"{_UPLOAD}/initialize", "upload", body=body)


def append_upload(media_id: str, index: int, piece: bytes) -> Endpoint:
    """Send a piece, counted from 0; sent again, it replaces itself."""
    return Endpoint(
        "uploading the picture",
        "POST",
        f"{_UPLOAD}/{digits('media id', media_id)}/append",
        "upload",
        form={"segment_index": str(index)},
        files={"media": ("piece", piece, "application/octet-stream")},
    )


def finish_upload(media_id: str) -> Endpoint:
    """Have X put the pieces together."""
    return Endpoint("finishing the upload", "POST", f"{_UPLOAD}/{digits('media id', media_id)}/finalize", "upload")


def upload_status(media_id: str) -> Endpoint:
    """Ask for the state of media that X is still working on; of other media X knows none."""
    query = {"command": "STATUS", "media_id": digits("media id", media_id)}
    return Endpoint("waiting for the picture", "GET", _UPLOAD, "upload", query=query)


def create_profile(name: str, media_id: str) -> Endpoint:
    """Create a profile; X has no idempotency key, so only the caller can know whether to repeat it."""
    return Endpoint(
        "creating the profile",
        "POST",
        "/1.1/custom_profiles/new.json",
        "create",
        RetryPolicy.NEVER,
        body=profile_body(name, media_id),
    )


def destroy_profile(profile_id: str) -> Endpoint:
    """Destroy a profile; X answers 204 for one that it has destroyed before, too."""
    checked = digits("profile id", profile_id)
    return Endpoint(
        f"destroying profile {checked}",
        "DELETE",
        "/1.1/custom_profiles/destroy.json",
        "destroy",
        query={"id": checked},
    )


def send_message(message: Message) -> Endpoint:
    """Send a Direct Message; it is sent again only when no connection could be made."""
    return Endpoint(
        "sending the message",
        "POST",
        f"{_MESSAGES}/events/new.json",
        retry=RetryPolicy.UNSENT,
        body=message_body(message),
        error_rules=MESSAGE_RULES,
    )


def list_events(cursor: str | None) -> Endpoint:
    """Ask for one page of the account's messages of the last 30 days, the newest without a cursor."""
    query = {"count": str(PAGE_SIZE)} | ({"cursor": cursor} if cursor else {})
    return Endpoint("reading the messages", "GET", f"{_MESSAGES}/events/list.json", query=query)


def indicate_typing(recipient_id: str) -> Endpoint:
    """Show for about three seconds that somebody is typing; not worth a second attempt."""
    form = {"recipient_id": digits("recipient id", recipient_id)}
    return Endpoint(
        "showing that somebody types", "POST", f"{_MESSAGES}/indicate_typing.json", retry=RetryPolicy.NEVER, form=form
    )


def find_user(handle: str) -> Endpoint:
    """Ask for the user behind a handle that has been checked."""
    return Endpoint(f"looking up @{handle}", "GET", f"/2/users/by/username/{handle}")


def issue_card(ask: Ask) -> Endpoint:
    """Issue a feedback card; X takes one a day per recipient, so a second attempt can't ask twice."""
    return Endpoint(
        "issuing the feedback card",
        "POST",
        "/1.1/feedback/create.json",
        retry=RetryPolicy.UNSENT,
        form=card_form(ask),
        error_rules=CARD_ISSUE_RULES,
    )


def card_events(since_ms: int, until_ms: int, cursor: str | None) -> Endpoint:
    """Ask for one page of what happened to feedback cards; the span belongs to the first page only."""
    span = {"cursor": cursor} if cursor else {"from_time": str(since_ms), "to_time": str(until_ms)}
    query = {"count": str(CARD_EVENTS)} | span
    return Endpoint("reading the feedback", "GET", "/1.1/feedback/events.json", query=query, error_rules=CARD_RULES)


def rate_limits() -> Endpoint:
    """Ask what is left of the limits on reading calls, of those resources that we use."""
    resources = "custom_profiles,direct_messages,media"
    return Endpoint(
        "reading the rate limits",
        "GET",
        "/1.1/application/rate_limit_status.json",
        query={"resources": resources},
    )


def invalidate_token() -> Endpoint:
    """Revoke the access token that signs this very request."""
    return Endpoint("revoking the access token", "POST", "/1.1/oauth/invalidate_token.json")


def request_token() -> Endpoint:
    """Begin a login by PIN (``oob``, RFC 5849 2.1)."""
    return Endpoint("beginning the login", "POST", "/oauth/request_token", form={"oauth_callback": "oob"})


def access_token(pin: str) -> Endpoint:
    """Trade a PIN that has been checked, which works once, for the account's token (RFC 5849 2.3)."""
    return Endpoint(
        "trading the PIN", "POST", "/oauth/access_token", retry=RetryPolicy.UNSENT, form={"oauth_verifier": pin}
    )


def authorize_target(request_token: str) -> str:
    """Return path and query of the page where a person allows the app; a browser goes there, we don't."""
    return Endpoint("", "GET", "/oauth/authorize", query={"oauth_token": request_token}).target
