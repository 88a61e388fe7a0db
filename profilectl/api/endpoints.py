"""The endpoints of X that we call, as values: method, path and body of a request, and whether it may be repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import field

from profilectl.api.error_codes import CARD_ISSUE_RULES, CARD_RULES, MESSAGE_RULES
from profilectl.api.retry import RetryPolicy
from profilectl.api.wire import digits, encode, profile_body
from profilectl.api.wire_feedback import card_form
from profilectl.api.wire_messages import message_body
from profilectl.model import Ask, Message, ShortRepr

if TYPE_CHECKING:
    from profilectl.api.error_codes import ErrorRule

PAGE_SIZE = 50  # profiles or messages in a page of a list, X's maximum
CARD_EVENTS = 100  # events of feedback cards in a page, X's maximum

KINDS = ("list", "upload", "create", "destroy", "other")  # what requests are counted under

_UPLOAD = "/2/media/upload"
_MESSAGES = "/1.1/direct_messages"


class Endpoint(ShortRepr, frozen=True):
    """A request, not yet signed."""

    unshown = frozenset({"files", "error_rules"})

    action: str  # what the request does, for error messages: "creating the profile"
    method: str
    path: str
    kind: str = "other"
    retry: RetryPolicy = RetryPolicy.SAFE
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    form: Mapping[str, str] | None = None  # form-encoded, or parts beside `files`
    files: Mapping[str, tuple[str, bytes, str]] | None = None  # name, content, media type
    error_rules: Mapping[int, ErrorRule] = field(default_factory=dict)  # where X's codes mean other things
    says_no_in_words: bool = False  # X's OAuth steps, older than its JSON, refuse with a sentence

    @property
    def target(self) -> str:
        """Path and query as they are sent."""
        # Encoded here as RFC 5849 3.6 wants it: what is sent is then, letter by letter, what is signed.
        pairs = (f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.query.items())
        return self.path + ("?" + "&".join(pairs) if self.query else "")


def verify_credentials() -> Endpoint:
    """Ask which account the credentials belong to."""
    query = {"include_entities": "false", "skip_status": "true"}
    return Endpoint("checking the credentials", "GET", "/1.1/account/verify_credentials.json", query=query)


def list_page(cursor: str | None) -> Endpoint:
    """Ask for one page of profiles, the first one without a cursor."""
    query = {"count": str(PAGE_SIZE)} | ({"cursor": cursor} if cursor else {})
    return Endpoint("listing the profiles", "GET", "/1.1/custom_profiles/list.json", "list", query=query)


def show_profile(profile_id: str) -> Endpoint:
    """Ask for one profile."""
    path = f"/1.1/custom_profiles/{digits('profile id', profile_id)}.json"
    return Endpoint(f"reading profile {profile_id}", "GET", path)


def upload(content: bytes, media_type: str, category: str, name: str = "avatar") -> Endpoint:
    """Upload a picture; X deletes media that is never used, so it may be sent again."""
    files = {"media": (f"{name}.{media_type.rpartition('/')[2]}", content, media_type)}
    form = {"media_category": category}
    return Endpoint("uploading the picture", "POST", _UPLOAD, "upload", form=form, files=files)


def begin_upload(size: int, media_type: str, category: str) -> Endpoint:
    """Announce media of `size` bytes that will come in pieces."""
    body = encode({"media_type": media_type, "total_bytes": size, "media_category": category})
    return Endpoint("announcing the picture", "POST", f"{_UPLOAD}/initialize", "upload", body=body)


def append_upload(media_id: str, index: int, piece: bytes) -> Endpoint:
    """Send a piece, counted from 0; sent again, it replaces itself."""
    path = f"{_UPLOAD}/{digits('media id', media_id)}/append"
    files = {"media": ("piece", piece, "application/octet-stream")}
    return Endpoint("uploading the picture", "POST", path, "upload", form={"segment_index": str(index)}, files=files)


def finish_upload(media_id: str) -> Endpoint:
    """Have X put the pieces together."""
    return Endpoint("finishing the upload", "POST", f"{_UPLOAD}/{digits('media id', media_id)}/finalize", "upload")


def upload_status(media_id: str) -> Endpoint:
    """Ask for the state of media that X is still working on; of other media X knows none."""
    query = {"command": "STATUS", "media_id": digits("media id", media_id)}
    return Endpoint("waiting for the picture", "GET", _UPLOAD, "upload", query=query)


def create_profile(name: str, media_id: str) -> Endpoint:
    """Create a profile; X has no idempotency key, so only the caller can know whether to repeat it."""
    path, body = "/1.1/custom_profiles/new.json", profile_body(name, media_id)
    return Endpoint("creating the profile", "POST", path, "create", RetryPolicy.NEVER, body=body)


def destroy_profile(profile_id: str) -> Endpoint:
    """Destroy a profile; X answers 204 for one that it has destroyed before, too."""
    query, retry = {"id": digits("profile id", profile_id)}, RetryPolicy.IDEMPOTENT
    path = "/1.1/custom_profiles/destroy.json"
    return Endpoint(f"destroying profile {profile_id}", "DELETE", path, "destroy", retry, query=query)


def send_message(message: Message) -> Endpoint:
    """Send a Direct Message; it is sent again only when no connection could be made."""
    path, body, retry = f"{_MESSAGES}/events/new.json", message_body(message), RetryPolicy.UNSENT
    return Endpoint("sending the message", "POST", path, retry=retry, body=body, error_rules=MESSAGE_RULES)


def list_events(cursor: str | None) -> Endpoint:
    """Ask for one page of the account's messages of the last 30 days, the newest without a cursor."""
    query = {"count": str(PAGE_SIZE)} | ({"cursor": cursor} if cursor else {})
    return Endpoint("reading the messages", "GET", f"{_MESSAGES}/events/list.json", query=query)


def welcome_messages() -> Endpoint:
    """Ask for the account's welcome messages, the newest page: few have more than one or two."""
    path, query = f"{_MESSAGES}/welcome_messages/list.json", {"count": str(PAGE_SIZE)}
    return Endpoint("reading the welcome messages", "GET", path, query=query)


def indicate_typing(recipient_id: str) -> Endpoint:
    """Show for about three seconds that somebody is typing; not worth a second attempt."""
    path, form = f"{_MESSAGES}/indicate_typing.json", {"recipient_id": digits("recipient id", recipient_id)}
    return Endpoint("showing that somebody types", "POST", path, retry=RetryPolicy.NEVER, form=form)


def find_user(handle: str) -> Endpoint:
    """Ask for the user behind a handle that has been checked."""
    return Endpoint(f"looking up @{handle}", "GET", f"/2/users/by/username/{handle}")


def issue_card(ask: Ask) -> Endpoint:
    """Issue a feedback card; X takes one a day per recipient, so a second attempt can't ask twice."""
    path, form, retry = "/1.1/feedback/create.json", card_form(ask), RetryPolicy.UNSENT
    return Endpoint("issuing the feedback card", "POST", path, retry=retry, form=form, error_rules=CARD_ISSUE_RULES)


def card_events(since_ms: int, until_ms: int, cursor: str | None) -> Endpoint:
    """Ask for one page of what happened to feedback cards; the span belongs to the first page only."""
    span = {"cursor": cursor} if cursor else {"from_time": str(since_ms), "to_time": str(until_ms)}
    query = {"count": str(CARD_EVENTS)} | span
    return Endpoint("reading the feedback", "GET", "/1.1/feedback/events.json", query=query, error_rules=CARD_RULES)


def rate_limits() -> Endpoint:
    """Ask what is left of the limits on reading calls, of those resources that we use."""
    query = {"resources": "custom_profiles,direct_messages,media"}
    return Endpoint("reading the rate limits", "GET", "/1.1/application/rate_limit_status.json", query=query)


def invalidate_token() -> Endpoint:
    """Revoke the access token that signs this very request."""
    return Endpoint("revoking the access token", "POST", "/1.1/oauth/invalidate_token.json")


def request_token() -> Endpoint:
    """Begin a login by PIN (``oob``, RFC 5849 2.1)."""
    path, form = "/oauth/request_token", {"oauth_callback": "oob"}
    return Endpoint("beginning the login", "POST", path, form=form, says_no_in_words=True)


def access_token(pin: str) -> Endpoint:
    """Trade a PIN that has been checked, which works once, for the account's token (RFC 5849 2.3)."""
    form = {"oauth_verifier": pin}
    path, retry = "/oauth/access_token", RetryPolicy.UNSENT
    return Endpoint("trading the PIN", "POST", path, retry=retry, form=form, says_no_in_words=True)


def authorize_target(request_token: str) -> str:
    """Return path and query of the page where a person allows the app; a browser goes there, we don't."""
    return Endpoint("", "GET", "/oauth/authorize", query={"oauth_token": request_token}).target
