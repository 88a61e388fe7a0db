"""A message is recorded before it leaves, sent at most once, and believed only when X confirms the profile on it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from profilectl.errors import (
    IdentityNotEchoed,
    InputRefused,
    LedgerRefused,
    OutcomeUnknown,
    PersonNeeded,
    ProfilectlError,
    RemoteError,
)
from profilectl.messaging.content import same_words
from profilectl.model import Detail, Dispatch, Event, Message, SentMessage
from profilectl.text.ids import as_read

if TYPE_CHECKING:
    from profilectl.api.client import XClient
from profilectl.ledger.protocol import Ledger
from profilectl.messaging.compose import SendStatus

# The same words to the same person within this time are one message, unless a key says otherwise.
SAME_MESSAGE_MS = 5 * 60_000
_LONGEST_REST_MS = 10_000  # a message leaves at most this much after it was recorded, or not at all
_LONGEST_CALL_MS = 30_000  # a request of a run that was killed may be applied this much after it left
_RESOLUTION_MS = 1000  # of X's clock, as it is known here


class Idempotency(Struct, frozen=True):
    """What makes two sends the same message, and when X must show one that went out.

    Attributes:
        user_id: the account that the ledger holds for the brand.
        nonce: random, of this attempt alone.
        was_named: somebody chose the key; otherwise it stands for `SAME_MESSAGE_MS` only.
        fingerprint: see `compose.fingerprint`.
        settle_after: seconds until X's list of events must show what was sent.
        wordings: other forms in which the same message may have gone out earlier: signed, or not.
        detail: what else the audit trail notes of it.
    """

    user_id: str
    key: str
    nonce: str
    was_named: bool
    fingerprint: str
    settle_after: int
    wordings: tuple[str, ...] = ()
    detail: Detail = field(default_factory=dict)


class Receipt(Struct, frozen=True):
    """A message that X has, as the event of this id."""

    message: Message
    event_id: str
    confirmed: bool  # X showed it with the agent's profile; never so for one that went out under the brand
    is_repeat: bool = False  # it went out earlier, and nothing was sent now
    begun_ms: int = 0  # X's clock: when it left, for one that went out earlier

    @property
    def status(self) -> SendStatus:
        """How far the message has come."""
        return SendStatus.ALREADY_SENT if self.is_repeat else SendStatus.SENT


class Delivery(Struct, frozen=True, dict=True):
    """The sending of one message."""

    message: Message
    idempotency: Idempotency
    api: XClient
    ledger: Ledger
    known_handle: Callable[[str], str | None] = lambda _user_id: None  # what the record has for an id

    def repeat(self) -> Receipt | None:
        """Return the receipt of this message where it went out earlier, None where it would be sent now.

        Raises:
            IdentityNotEchoed, OutcomeUnknown, InputRefused: as `carry_out`.
        """
        earlier = self._same(self.ledger.dispatch(self.idempotency.user_id, self.idempotency.key))
        return None if earlier is None else self._repeat(earlier)

    def carry_out(self, prepare: Callable[[Message], Message]) -> Receipt:
        """Send at most once; `prepare` uploads the picture, once it is sure that the message is sent.

        Raises:
            IdentityNotEchoed: the message is out, but X doesn't confirm the brand's account and the agent's profile.
            OutcomeUnknown: nobody knows yet whether it is out; nothing is repeated before X's list of events tells.
            PersonNeeded: it is out, or may be, and the ledger couldn't take that down.
            InputRefused: the key stands for another message.
            TryLater: another process is sending the same message.
            RemoteError: it surely didn't go out.
        """
        former = self.ledger.dispatch(self.idempotency.user_id, self.idempotency.key)
        earlier = self._same(former)
        if earlier is not None:
            return self._repeat(earlier)
        ready = prepare(self.message)
        dispatch = Dispatch(
            key=self.idempotency.key,
            nonce=self.idempotency.nonce,
            agent=ready.agent,
            recipient_id=ready.recipient_id,
            fingerprint=self.idempotency.fingerprint,
            profile_id=ready.profile_id,
            begun_ms=self.api.now_ms(),
        )
        overwritten = former if former is not None and former.event_id is not None else None
        # On disk before anything leaves: a run that is killed from here on finds out what became of it.
        detail = self._detail()
        dispatch = self.ledger.begin_send(self.idempotency.user_id, dispatch, overwritten, self.api.now_ms, detail)
        return self._finish(self._send(ready, dispatch), dispatch)

    def _same(self, earlier: Dispatch | None) -> Dispatch | None:
        """Return what this message became earlier, None when it has to be sent."""
        if earlier is None:
            return None
        if earlier.fingerprint != self.idempotency.fingerprint:
            raise InputRefused(
                f"the key {earlier.key} stands for another message, to {self._named(earlier)} as {earlier.agent}",
                hint="use a key of its own for every message",
            )
        if earlier.event_id is None:
            return self._settle(earlier)
        # By X's time, at which it was promised: this machine's may have been set back meanwhile.
        is_over = self.api.now_ms() - earlier.begun_ms >= SAME_MESSAGE_MS
        return None if is_over and not self.idempotency.was_named else earlier

    def _repeat(self, earlier: Dispatch) -> Receipt:
        # A script that tries again after such a failure must not get a success for the same message.
        if not earlier.confirmed and earlier.profile_id is not None:
            raise IdentityNotEchoed(
                f"identity not confirmed: message {earlier.event_id} went out earlier, "
                f"and X never showed it with {earlier.agent}'s face",
                hint="nothing was sent now; look into the conversation",
            )
        message = replace(self.message, profile_id=earlier.profile_id)
        return Receipt(message, str(earlier.event_id), earlier.confirmed, is_repeat=True, begun_ms=earlier.begun_ms)

    def _send(self, message: Message, dispatch: Dispatch) -> SentMessage:
        try:
            return self.api.send_message(message, dispatch.begun_ms + _LONGEST_REST_MS)
        except OutcomeUnknown as error:
            with suppress(RemoteError):  # then it stays in doubt, as it is
                sent = self._find_sent(dispatch)
                if sent is not None:
                    return sent
            self._record_doubt(dispatch)
            doubt = error.with_hint("nothing is confirmed; the same command looks into X's list before it sends")
            settled = _moment(self._listed_by_ms(dispatch))
            doubt.retry_at = settled if error.retry_at is None else max(settled, error.retry_at)
            raise doubt from error
        except ProfilectlError as error:  # refused, by X or before it got there
            event = self._event("refused", dispatch, why=error.kind)
            self.ledger.cancel_send(self.idempotency.user_id, dispatch, event)
            raise

    def _settle(self, dispatch: Dispatch) -> Dispatch | None:
        """Return how an earlier send ended, None when it surely never went out; OutcomeUnknown when X can't tell."""
        listed_by_ms = self._listed_by_ms(dispatch)
        # Before the list is read: only one that had to show the message when it was made proves that there is none.
        left_ms = listed_by_ms - self.api.now_ms()
        try:
            sent = self._find_sent(dispatch)
        except RemoteError as error:
            raise OutcomeUnknown(
                f"an earlier send of this message to {self._named(dispatch)} is in doubt, "
                f"and X's list of messages can't be read: {error.message}",
                hint="nothing was sent now\nrun again later, with the same command",
                retry_at=error.retry_at,
            ) from error
        if sent is not None:
            receipt = self._finish(sent, dispatch)
            return replace(dispatch, event_id=receipt.event_id, confirmed=receipt.confirmed)
        if left_ms > 0:
            raise OutcomeUnknown(
                f"an earlier send of this message to {self._named(dispatch)} is in doubt, "
                "and X's list of messages doesn't show it yet",
                hint=f"nothing was sent now\nrun again in {left_ms // 1000 + 1} s, with the same command",
                retry_at=_moment(listed_by_ms),
            )
        why = "not in X's list of messages after the settle time"
        self.ledger.cancel_send(self.idempotency.user_id, dispatch, self._event("taken-back", dispatch, why=why))
        return None

    def _listed_by_ms(self, dispatch: Dispatch) -> int:
        """Return from when on X's list must show a message that went out: epoch milliseconds, X's clock."""
        over_by_ms = dispatch.begun_ms + _LONGEST_REST_MS + _LONGEST_CALL_MS
        return over_by_ms + self.idempotency.settle_after * 1000 + _RESOLUTION_MS

    def _find_sent(self, dispatch: Dispatch) -> SentMessage | None:
        """Return the message of the same words in X's list that isn't older, and no other dispatch's.

        Raises:
            RemoteError: the list can't be read far enough back.
        """
        # The nonce isn't in what X lists, so the words must do: the oldest that nobody else claims is ours.
        candidates = [
            sent
            for sent in self.api.sent_messages(dispatch.recipient_id, dispatch.begun_ms - _RESOLUTION_MS)
            if any(same_words(text, sent.text) for text in (self.message.text, *self.idempotency.wordings))
            and not self.ledger.is_delivery(self.idempotency.user_id, sent.event_id)
        ]
        return min(candidates, key=lambda sent: sent.created_ms, default=None)

    def _finish(self, sent: SentMessage, dispatch: Dispatch) -> Receipt:
        """Record what X has, then refuse a message that went out under another identity."""
        is_ours = sent.sender_id == self.idempotency.user_id
        has_profile = dispatch.profile_id is not None and sent.profile_id == dispatch.profile_id
        ended = replace(dispatch, event_id=sent.event_id, confirmed=is_ours and has_profile)
        try:
            echo = {"event_id": sent.event_id, "echoed_profile_id": sent.profile_id, "confirmed": ended.confirmed}
            self.ledger.finish_send(self.idempotency.user_id, ended, self._event("sent", dispatch, **echo))
        except ProfilectlError as error:
            raise _unrecorded(f"went out as event {sent.event_id}", error) from error
        if not is_ours:
            raise IdentityNotEchoed(
                f"identity not confirmed: message {sent.event_id} went out from account {sent.sender_id}, "
                f"not from the brand's {self.idempotency.user_id}",
                hint="these credentials belong to another account: check `profilectl auth status`",
            )
        if sent.profile_id != dispatch.profile_id:
            shown = "the brand itself" if sent.profile_id is None else f"profile {sent.profile_id}"
            raise IdentityNotEchoed(
                f"identity not confirmed: message {sent.event_id} went out as {shown}, "
                f"not with {dispatch.agent}'s profile {dispatch.profile_id}",
                hint="run `profilectl diff`: the profile may be gone from X",
            )
        return Receipt(self.message, sent.event_id, ended.confirmed)

    def _record_doubt(self, dispatch: Dispatch) -> None:
        try:
            self.ledger.record(self._event("unknown", dispatch))
        except ProfilectlError as error:
            raise _unrecorded("may have gone out", error) from error

    def _event(self, what: str, dispatch: Dispatch, **more: str | bool | None) -> Event:
        """Return how a promise ended, which it names by its nonce; it may be an earlier run's."""
        names: Detail = {"nonce": dispatch.nonce, "promised_ms": dispatch.begun_ms}
        own = self._detail() if dispatch.nonce == self.idempotency.nonce else self._promised(dispatch)
        detail: Detail = {**own, **names, **more}
        return Event(what, self.idempotency.user_id, self.api.now_ms(), dispatch.agent, dispatch.profile_id, detail)

    @cached_property
    def _text_digest(self) -> str | None:
        """HMAC-SHA-256 of the text with a key of the ledger, behind that key's month; None where there is no key.

        A text that can be guessed would be known by a plain hash.
        """
        import hmac

        key = self.ledger.text_key(f"{datetime.fromtimestamp(self.api.now_ms() / 1000, UTC):%Y-%m}")
        if key is None:
            return None
        month, secret = key
        text = self.message.text.encode("utf-8", "surrogatepass")
        return f"{month}:{hmac.digest(bytes.fromhex(secret), text, 'sha256').hex()}"

    def _promised(self, dispatch: Dispatch) -> Detail:
        """Return what an earlier run promised, as who wrote and what was shown is known to that run only."""
        try:
            events = self.ledger.recent(self.idempotency.user_id, dispatch.begun_ms)
        except LedgerRefused:  # of a record that was damaged; the nonce still leads to the promise
            events = ()
        promises = (event.detail for event in reversed(events) if event.what == "promised")
        known: Detail = {"recipient_id": dispatch.recipient_id}
        return next((detail for detail in promises if detail.get("nonce") == dispatch.nonce), known)

    def _named(self, dispatch: Dispatch) -> str:
        """Return to whom an earlier run wrote, as people read it: by the handle of then, now, or of the record."""
        user_id, own = dispatch.recipient_id, self.idempotency.detail
        details = (self._promised(dispatch), own if user_id == self.message.recipient_id else {})
        typed = next((handle for detail in details if (handle := detail.get("recipient_handle"))), None)
        return as_read(user_id, typed if isinstance(typed, str) else self.known_handle(user_id))

    def _detail(self) -> Detail:
        message = self.message
        return {
            "recipient_id": message.recipient_id,
            # The text itself stands there only where the policy asks for it; the digest proves what it was.
            "text_hmac": self._text_digest,
            "text_length": len(message.text),
            **self.idempotency.detail,
        }


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(-(-milliseconds // 1000), UTC)  # rounded up: documents have whole seconds


def _unrecorded(fact: str, error: ProfilectlError) -> PersonNeeded:
    # No TryLater: a second try would be a second message.
    return PersonNeeded(
        f"the message {fact}, but that couldn't be recorded: {error.message}", hint="don't send it again"
    )
