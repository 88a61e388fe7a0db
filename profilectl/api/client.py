"""The client of X's API: one method for each endpoint, which returns a value of `model` or raises a `RemoteError`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

from profilectl.api import endpoints, wire, wire_feedback, wire_messages
from profilectl.api.chunked_upload import IN_PIECES, upload_in_pieces
from profilectl.api.error_codes import GONE, LOG_IN
from profilectl.api.error_response import read_error_body, shorten
from profilectl.api.oauth import Signature
from profilectl.api.transport import Transport
from profilectl.errors import CredentialsRefused, NotFound, Unreachable
from profilectl.model import Account, Ask, Card, LocalTime, Message, Profile, SentMessage

if TYPE_CHECKING:
    from collections import Counter

    from profilectl.api.endpoints import Endpoint
    from profilectl.api.wire import Answer
    from profilectl.api.wire_messages import EventPage
    from profilectl.secret import Credentials


T = TypeVar("T")

LISTS = 180  # readings of the list of profiles that X's documentation allows in a quarter of an hour
MOST_PAGES = 2000  # of any other list: 100,000 profiles, where an account of today has hundreds
MOST_ITEMS = 200_000  # in all of them
MOST_WINDOW_PAGES = 15  # of messages that X lets an account read in a quarter of an hour
MOST_EVENT_PAGES = 5  # of messages that are read at once; X allows 15 in a quarter of an hour

_LATER = "run again later"
_log = logging.getLogger(__name__)


class XClient:
    """One account at X. A context manager; its methods may be called from several threads.

    Every method raises `RemoteError`s; those that write raise `OutcomeUnknown` when X may have done it all the same.

    Args:
        transport: to X, closed with the client; with its defaults when None.
        media_category: how X files avatars, ``dm_image`` or ``tweet_image``.
        renewal: what a person does where X doesn't accept the credentials any more; a login when None.
    """

    def __init__(
        self,
        credentials: Credentials,
        transport: Transport | None = None,
        *,
        media_category: str = "dm_image",
        renewal: str | None = None,
    ) -> None:
        self._signature = Signature.of(credentials)
        self._transport = transport or Transport()
        self._media_category = media_category
        self._renewal = renewal
        self._has_other_limits = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every wait and close the connections."""
        self._transport.close()

    def interrupt(self) -> None:
        """End every wait, so that worker threads come back at once when a person wants to stop."""
        self._transport.interrupt()

    @property
    def requests(self) -> Counter[str]:
        """How many requests have left, repeats included: list, upload, create, destroy, other."""
        return self._transport.requests()

    def now_ms(self) -> int:
        """Return a lower bound of X's clock, epoch milliseconds; this machine's time before the first answer."""
        return int(self._transport.server_clock.now() * 1000)

    def local_time(self) -> LocalTime:
        """Return the moment by this machine's clock, which nobody can set."""
        return self._transport.clock.local_time()

    @property
    def skew_seconds(self) -> float | None:
        """How far this machine's clock is ahead of X's, at least (negative: behind); None before the first answer."""
        return self._transport.server_clock.skew_seconds

    def verify_credentials(self) -> Account:
        """Return the account that the credentials belong to, with the permission that X reports."""
        host = self._transport.address.host
        return self._perform(endpoints.verify_credentials(), lambda answer: wire.read_account(answer, host))

    def list_profiles(self) -> tuple[Profile, ...]:
        """Read the list to its end, and once more where it moved meanwhile; each profile counts once."""
        profiles = self._read_profiles()
        # where one comes twice, another may have slipped to a page that was read before
        again = self._read_profiles() if len({profile.id for profile in profiles}) < len(profiles) else ()
        first = {profile.id: profile for profile in reversed((*profiles, *again))}
        return tuple(reversed(first.values()))

    def _read_profiles(self) -> tuple[Profile, ...]:
        return tuple(self._pages(endpoints.list_page, self._read_page))

    def _read_page(self, answer: Answer) -> wire.Page[Profile]:
        limit = wire.rate_limit(answer)
        self._has_other_limits |= limit is not None and limit > LISTS
        return wire.read_page(answer)

    @property
    def has_other_limits(self) -> bool:
        """Whether X has said, with a list, that the account may read more lists than X's documentation says.

        Such an account has limits of its own, as one of a local X without limits, and so not the documented creates.
        """
        return self._has_other_limits

    def show_profile(self, profile_id: str) -> Profile:
        """Return a profile; NotFound when X itself says that it has none with that id."""
        read = partial(wire.read_profile, profile_id=profile_id)
        return self._perform(endpoints.show_profile(profile_id), read)

    def upload(self, content: bytes, media_type: str) -> str:
        """Upload a picture and return its media id, good for a day."""
        return self._perform(endpoints.upload(content, media_type, self._media_category), wire.read_media_id)

    def download(self, url: str) -> bytes:
        """Return the picture that X serves at a profile's `avatar_url`; no credentials go there."""
        return self._transport.download(url)

    def create_profile(self, name: str, media_id: str, leaves_by_ms: int | None = None) -> Profile:
        """Create a profile. Never repeated here, not even when it surely wasn't applied.

        After `leaves_by_ms` of X's clock, see `now_ms`, nothing is sent any more: Unreachable.
        """
        return self._perform(endpoints.create_profile(name, media_id), wire.read_profile, leaves_by_ms)

    def destroy_profile(self, profile_id: str) -> None:
        """Destroy a profile; it is a success when X itself says that it doesn't know it any more.

        Raises:
            OutcomeUnknown: an attempt left, and neither its answer nor that of a repeat is X's yes or no.
        """
        try:
            self._perform(endpoints.destroy_profile(profile_id), wire.read_destroyed)
        except NotFound as error:  # a repeat finds gone what the first attempt destroyed before its answer was lost
            if error.code != GONE:
                raise
            _log.debug("profile %s was gone already", profile_id)

    def welcome_profiles(self) -> frozenset[str]:
        """Return the ids of the profiles that the account's welcome messages carry, of the 50 newest ones."""
        return self._perform(endpoints.welcome_messages(), wire_messages.read_welcome_profiles)

    def send_message(self, message: Message, leaves_by_ms: int | None = None) -> SentMessage:
        """Send a Direct Message and return what X says about it; the caller compares the echo.

        After `leaves_by_ms` of X's clock, see `now_ms`, nothing is sent any more: Unreachable.
        """
        read = partial(wire_messages.read_sent, message=message)
        return self._perform(endpoints.send_message(message), read, leaves_by_ms)

    def upload_for_message(self, content: bytes, media_type: str, category: str) -> str:
        """Upload the attachment of a message, ``dm_image`` or ``dm_gif``, and return its media id, good for a day."""
        if category in IN_PIECES:
            return upload_in_pieces(content, media_type, category, self._transport, self._signature)
        return self._perform(endpoints.upload(content, media_type, category, "attachment"), wire.read_media_id)

    def indicate_typing(self, recipient_id: str) -> None:
        """Show the recipient for about three seconds that somebody is typing; a failure needn't hold a message back."""
        self._perform(endpoints.indicate_typing(recipient_id), wire.read_nothing)

    def sent_messages(self, recipient_id: str, since_ms: int) -> Iterator[SentMessage]:
        """Yield the messages that the account sent to a recipient since a moment of X's clock, newest first.

        Raises:
            Unreachable: `MOST_EVENT_PAGES` pages don't reach back to that time, so messages may be missing.
        """
        cursor: str | None = None
        for _ in range(MOST_EVENT_PAGES):
            page = self._perform(
                endpoints.list_events(cursor), lambda answer: wire_messages.read_events(answer, recipient_id)
            )
            yield from (message for message in page.messages if message.created_ms >= since_ms)
            # X lists the messages to everybody, so a page without one for this recipient isn't the end.
            if page.next_cursor is None or (page.oldest_ms is not None and page.oldest_ms < since_ms):
                return
            cursor = page.next_cursor
        raise Unreachable(
            f"reading the messages: X lists more than {MOST_EVENT_PAGES} pages since then",
            hint="look into the conversation at x.com",
        )

    def messages(self, since_ms: int) -> tuple[tuple[SentMessage, ...], int]:
        """Return the account's messages of both sides, newest first, and since when they are all there, X's clock.

        That is `since_ms`, or later where X lists more of them than it lets an account read in a quarter of an hour.
        """
        messages: list[SentMessage] = []
        cursor: str | None = None
        oldest_ms = since_ms
        for _ in range(MOST_WINDOW_PAGES):
            page = self._perform(endpoints.list_events(cursor), wire_messages.read_events)
            messages += (message for message in page.messages if message.created_ms >= since_ms)
            oldest_ms = oldest_ms if page.oldest_ms is None else page.oldest_ms
            if page.next_cursor is None or oldest_ms < since_ms:
                return tuple(messages), since_ms
            cursor = page.next_cursor
        return tuple(messages), max(since_ms, oldest_ms + 1)

    def event_pages(self, most: int) -> Iterator[EventPage]:
        """Yield pages of the account's messages of both sides, the newest first, at most so many.

        Raises:
            Unreachable: X's list repeats a cursor.
            RateLimited: the account has read its messages as often as X allows.
        """
        cursor: str | None = None
        seen: set[str | None] = {None}
        for _ in range(min(most, MOST_WINDOW_PAGES)):
            page = self._perform(endpoints.list_events(cursor), wire_messages.read_events)
            yield page
            if page.next_cursor is None:
                return
            cursor = page.next_cursor
            if cursor in seen:
                raise Unreachable("reading the messages: X's list runs in a circle, it repeats a cursor", hint=_LATER)
            seen.add(cursor)

    def create_feedback(self, ask: Ask) -> Card:
        """Issue a feedback card."""
        return self._perform(endpoints.issue_card(ask), wire_feedback.read_card)

    def feedback_events(self, since_ms: int, until_ms: int) -> tuple[Card, ...]:
        """Return what happened to the account's cards, each as it was at the time: a card may come more than once.

        Both moments are of X's clock and belong to the span; X reports nothing that is less than a day old.
        """
        ask = partial(endpoints.card_events, since_ms, until_ms)
        return tuple(self._pages(ask, wire_feedback.read_card_events))

    def find_user(self, handle: str) -> str:
        """Return the id of the user with that handle, with or without @."""
        bare = wire.bare_handle(handle)

        def read(answer: Answer) -> str:
            user_id = wire.read_user_id(answer, bare)
            if user_id is None:  # v2 answers 200 for a user that doesn't exist, so no status is there to judge by
                reason = shorten(read_error_body(answer.content).text)
                raise NotFound(f"looking up @{bare}: X knows no such user ({reason})", status=answer.status)
            return user_id

        return self._perform(endpoints.find_user(bare), read)

    def rate_limits(self) -> dict[str, dict[str, int]]:
        """Return what is left of the limits on reading calls, by X's name of the call."""
        return self._perform(endpoints.rate_limits(), wire.read_rate_limits)

    def invalidate_token(self) -> None:
        """Revoke the access token at X; it is a success when the token isn't valid any more."""
        try:
            self._perform(endpoints.invalidate_token(), wire.read_nothing)
        except CredentialsRefused as error:
            if error.code != 89:  # "invalid or expired token"; any other code may leave it valid
                raise

    def _pages(self, ask: Callable[[str | None], Endpoint], read: Callable[[Answer], wire.Page[T]]) -> Iterator[T]:
        """Yield what the pages of a list hold, until a page has no cursor."""
        cursor: str | None = None
        seen: set[str | None] = set()
        items = 0
        while cursor not in seen:
            seen.add(cursor)
            endpoint = ask(cursor)
            page = self._perform(endpoint, read)
            items += len(page.items)
            if len(seen) > MOST_PAGES or items > MOST_ITEMS:
                what = f"X's list doesn't end, it has more than {MOST_PAGES} pages or {MOST_ITEMS} entries"
                raise Unreachable(f"{endpoint.action}: {what}", hint="run again later")
            yield from page.items
            if page.next_cursor is None:
                return
            cursor = page.next_cursor
        raise Unreachable(f"{endpoint.action}: X's list runs in a circle, it repeats a cursor", hint="run again later")

    def _perform(self, endpoint: Endpoint, read: Callable[[Answer], T], leaves_by_ms: int | None = None) -> T:
        try:
            return self._transport.perform(endpoint, self._signature, read, leaves_by_ms)
        except CredentialsRefused as error:
            if self._renewal is None or error.hint is None or LOG_IN not in error.hint:
                raise
            raise error.with_hint(error.hint.replace(LOG_IN, self._renewal)) from error.__cause__
