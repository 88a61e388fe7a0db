"""What a ledger promises, whatever engine keeps it; written down here and nowhere else.

Three rules hold for every method:

* When a method that changes something returns, the change and its audit record are on disk, in one transaction: a
  `kill -9`, a full disk or a power cut leaves either all of it or nothing. Inside of `Ledger.batch` that holds
  for the batch as a whole, when it ends.
* Every failure of the engine is a `LedgerRefused` that names the ledger and the cause, with nothing changed;
  `TryLater` when only the moment is wrong. Asking for what can't be (a second intent for one agent, an unknown nonce)
  is a `LedgerRefused` too.
* Rows belong to the account's user id, not to the brand's key, so a key that is renamed in the roster loses nothing.

Times are epoch milliseconds. The ledger takes no clock of its own: every time comes in as an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, Self

from profilectl.model import (
    Account,
    Binding,
    Detail,
    Dispatch,
    Event,
    Intent,
    LedgerAccount,
    LedgerState,
    LedgerSummary,
    LocalTime,
    Profile,
    Retired,
)

if TYPE_CHECKING:
    from profilectl.audit.chain import Record
    from profilectl.system.locks import Holder

WITHDRAWN_MS = 2 * 24 * 3600 * 1000
"""How long an intent that made nothing is remembered: X has been seen to apply what was sent a day late."""


class LedgerReader(Protocol):
    """A ledger that is only read: no method writes, waits for a writer, or keeps one waiting."""

    def state_of(self, user_id: str) -> LedgerState:
        """Return everything known about an account, read at one moment; empty for one that is unknown."""

    def dispatch(self, user_id: str, key: str) -> Dispatch | None:
        """Return the last dispatch under a key, whether it is open or finished."""

    def open_dispatches(self, user_id: str) -> tuple[Dispatch, ...]:
        """Return the messages that were promised and whose end nobody knows, the oldest first."""

    def has_contact(self, user_id: str, recipient_id: str) -> bool:
        """Say whether a message to this customer is known to have gone out."""

    def open_sends(self, user_id: str) -> dict[str, int]:
        """Return the profiles that messages carry whose end isn't known, each with when the last of them was begun."""

    def origin_of(self, user_id: str, profile_id: str) -> Event | None:
        """Return the event by which a profile became an agent's; None where the ledger has kept no way to it.

        Raises:
            LedgerRefused: that record was damaged.
        """

    def pixels_of(self, user_id: str) -> dict[str, str]:
        """Return what is known of the pixels of an account's pictures, see `Ledger.note_pixels`."""

    def note(self, name: str) -> str | None:
        """Return what was noted last under a name, see `Ledger.record`; None when nothing was."""

    def is_delivery(self, user_id: str, event_id: str) -> bool:
        """Say whether a message at X is known as the one that a dispatch became."""

    def account_of(self, brand: str) -> Account | None:
        """Return the account that the brand's key was last registered for, or None; without its `access_level`."""

    def knows(self, user_id: str) -> bool:
        """Say whether profiles of an account were ever this ledger's, or it was begun although there were some.

        That a message was sent or an agent blocked says nothing about profiles, nor does a registration.
        """

    def refused_since(self, user_id: str) -> int | None:
        """Return since when X refuses an account custom profiles that it had, see `Ledger.note_refused`; else None."""

    def face_check(self, user_id: str) -> tuple[int, dict[str, str]] | None:
        """Return when a person last said what they see in X's apps, and what, by app; None when nobody has.

        See `Ledger.note_face_check`.
        """

    def recorded_retirements(self, user_id: str) -> frozenset[str]:
        """Return the ids of an account's profiles of which the audit trail says that they were retired; reads it all.

        Raises:
            LedgerRefused: one of these records was damaged.
        """

    def summary(self) -> LedgerSummary:
        """Return what the ledger holds in numbers, counted at one moment.

        Raises:
            LedgerRefused: its newest audit record was damaged.
        """

    def accounts(self) -> tuple[LedgerAccount, ...]:
        """Return all accounts that are registered, each with its brands' keys."""

    def user_ids(self) -> tuple[str, ...]:
        """Return the user ids of all accounts that are registered."""

    def last_seq(self) -> int:
        """Return the sequence number of the newest audit record, 0 when there is none."""

    def hash_of(self, seq: int) -> str | None:
        """Return the hash of an audit record, or None when there is no such record."""

    def check_account(self, brand: str, account: Account) -> None:
        """Make sure that a brand may be used with these credentials, as `Ledger.register_account` does; write nothing.

        Raises:
            WrongAccount: the brand's key is known with another user id or host, or the user id with another host.
        """

    def events(self, *, after: int = 0) -> Iterator[Record]:
        """Yield the audit records with a sequence number above `after`, oldest first, of all accounts."""

    def accepted_breaks(self) -> frozenset[tuple[int, str]]:
        """Return the broken audit records with which a person chose to go on, for `chain.verify`."""

    def profile_records(self, user_id: str) -> Iterator[Record]:
        """Yield an account's audit records of `schema.PROFILE_EVENTS`, oldest first."""

    def recent(self, user_id: str, since_ms: int) -> tuple[Event, ...]:
        """Return an account's events since a moment, oldest first; what came before isn't read.

        Raises:
            LedgerRefused: a record that had to be read was damaged.
        """

    def recent_profile_events(self, user_id: str, since_ms: int) -> tuple[Event, ...]:
        """Return what `recent` does, of `schema.PROFILE_EVENTS` only, so that any number of messages costs nothing."""

    def recent_limited_calls(self, since_ms: int) -> Mapping[str, Sequence[Event]]:
        """Return the events of `schema.LIMITED_EVENTS` since a moment, oldest first, by account: one read for all.

        Raises:
            LedgerRefused: a record that had to be read was damaged.
        """

    def seen_ms(self, user_id: str, profile_id: str) -> int:
        """Return when X last showed a profile to a send, 0 for never."""

    def text_keys(self) -> list[tuple[str, str]]:
        """Return the keys of the digests of texts, the newest first: the month of its making, and it in hexadecimal."""

    def holder(self) -> Holder | None:
        """Return the newest run that holds the ledger, or an account in it, against others; None when none does."""

    def close(self) -> None:
        """Let go of the ledger; closing twice is allowed."""

    def __enter__(self) -> Self:
        """Leave closing to the end of the ``with`` block."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close, and let an error pass."""
        self.close()


class Ledger(LedgerReader, Protocol):
    """A ledger that can be written, by one thread."""

    def lock(
        self,
        max_wait: float,
        command: str,
        announce: Callable[[float, str], None] | None = None,
        accounts: Collection[str] = (),
    ) -> AbstractContextManager[None]:
        """Hold the ledger against other runs; free at the latest when the process ends, even by `kill -9`.

        Waits at most `max_wait` seconds for another holder; `announce` is called once, with that and the reason, when
        there is a wait. Others read about this run what `command` says, such as "profilectl sync".

        On a database that machines share, it is a lease for each of these accounts, by user id, or for all where none
        is named: runs about other accounts go on beside it. Another run takes it over when it wasn't renewed for
        `lease.TTL` seconds: every change that this object makes within the block is then refused as a whole. A file is
        held as a whole.

        Raises:
            TryLater: another process holds it for longer than that; the message names command, process and start. Also
                from any change within the block, when another run has taken it over.
        """

    def require_held(self) -> None:
        """Make sure, within a `lock`, that it still holds, and for as long as at its beginning.

        Raises:
            TryLater: another run has taken it over.
        """

    def seconds_held(self) -> float:
        """Return for how long the lock surely holds if nothing is renewed any more; endless where it can't be lost.

        By a clock that runs on while the machine sleeps. Outside of a `lock` it is endless, as nothing depends on it.
        """

    def unlock(self, holder: Holder) -> None:
        """End the lock of a run, see `holder`: it can change nothing any more.

        Raises:
            TryLater: that run doesn't hold it any more.
            LedgerRefused: it is a file's lock, which only ends with its process.
        """

    def begin_account(self, user_id: str, listed: int, now_ms: int) -> None:
        """Record that a ledger is begun for an account although X lists that many profiles of it, see `knows`."""

    def note_refused(self, user_id: str, quote: str, now_ms: int) -> None:
        """Record that X refuses an account custom profiles that it had, in X's words, unless that is noted already.

        Nothing else changes: what was bound stays bound.
        """

    def note_allowed(self, user_id: str, now_ms: int) -> None:
        """Record that X allows an account custom profiles again; nothing where no refusal was noted."""

    def note_face_check(self, event: Event, answers: Mapping[str, str]) -> None:
        """Record what a person saw of an agent's face in X's apps, by app: `event` says of which message, and when."""

    def at_close(self, callback: Callable[[], None]) -> None:
        """Call this once, right before the ledger is closed."""

    @property
    def newest_own(self) -> Record | None:
        """The newest record that this object has added to the audit trail, None when it has added none."""

    def noting(self, facts: Callable[[str, str | None], Detail]) -> AbstractContextManager[None]:
        """Add to each event about the beginning or the end of a profile, in a ``with`` block, what `facts` returns.

        It is asked with the account's user id and the agent's key, None for a profile that is nobody's. What the event
        says itself stays as it is.
        """

    def held_still(self) -> AbstractContextManager[None]:
        """Keep all other writers out of a ``with`` block, for a moment in which nothing is written here either."""

    def register_account(self, brand: str, account: Account, now_ms: int) -> None:
        """Remember which account a brand's key stands for, unless it is known as it is; a changed handle is updated.

        Raises:
            WrongAccount: as `check_account`, before anything is written.
        """

    # Creates, announced before they leave, and what becomes of the profiles that they made

    def batch(self) -> AbstractContextManager[None]:
        """Make all that is written in a ``with`` block one transaction, which is on disk when the block has ended.

        Reading sees what the block has written so far. A block that an error leaves, or in which a change failed,
        keeps nothing; one that writes nothing costs nothing. Readers aren't kept waiting, other writers are, so
        nothing slow belongs into it, and no other batch.

        Raises:
            LedgerRefused: at the end of the block: it can't be made durable, and nothing of it was kept.
        """

    def begin_intent(self, user_id: str, intent: Intent) -> None:
        """Record that a create is about to be sent; must return before it is sent.

        Raises:
            LedgerConflict: the agent has an open intent already, or was blocked.
        """

    def reattempt(self, user_id: str, nonce: str, attempted_ms: int, local: LocalTime) -> None:
        """Record one more attempt, which is over at `attempted_ms` at the latest; `attempt` grows by one.

        `local` is the same moment by this machine's clock.
        """

    def mark_unknown(self, user_id: str, nonce: str, now_ms: int, local: LocalTime) -> None:
        """Note that an attempt went unanswered: whether it was applied can be seen some time after `now_ms`."""

    def finish_intent(
        self, user_id: str, nonce: str, profile: Profile, now_ms: int, *, adopted: bool
    ) -> Binding | Retired:
        """Close an intent, also a withdrawn one, with the profile it made, and return the new binding.

        The agent's former profile, if any, becomes retired ("replaced"), since `now_ms`. `adopted` says that the
        profile was recognised in X's list, not confirmed by the answer to the create. The profile of an agent who was
        blocked meanwhile is retired ("removed") instead of bound, and that is what is returned.

        Raises:
            LedgerConflict: the profile is bound or retired already, or the intent is closed.
        """

    def cancel_intent(self, user_id: str, nonce: str, why: str, now_ms: int, *, was_sent: bool) -> None:
        """Close an intent that made nothing, as far as X shows.

        One that `was_sent` without an answer is remembered as withdrawn for `WITHDRAWN_MS`: X may apply it late.
        """

    def retire_late(self, user_id: str, nonce: str, profile: Profile, now_ms: int) -> Retired:
        """Take a profile that a withdrawn intent made after all, and that nobody needs any more, as retired.

        Raises:
            LedgerConflict: the profile is bound or retired already, or the intent isn't known any more.
        """

    def note_pixels(self, user_id: str, pixels: Mapping[str, str]) -> None:
        """Remember what the picture files of an account show, and nothing else of any; no audit record.

        By the digest of a file, as bindings and intents have it, `pixels` holds the digest of what was decoded from it.
        """

    def note_shown(self, user_id: str, profile_id: str, name: str) -> None:
        """Remember how X spells the name of a bound profile; no audit record."""

    def retire(self, user_id: str, agent: str, now_ms: int) -> Retired:
        """Unbind a removed agent: its profile becomes retired ("removed"), and nobody can send as it any more."""

    def drop(self, user_id: str, profile_id: str, now_ms: int) -> None:
        """Record that a profile was destroyed at X; its row goes, whether retired, bound, or unknown."""

    def protect(self, user_id: str, agent: str, *, protected: bool) -> None:
        """Remember whether a bound agent outlives its roster entry; no audit record."""

    def adopt(
        self,
        user_id: str,
        agent: str,
        profile: Profile,
        *,
        avatar: str,
        protected: bool,
        now_ms: int,
        name: str | None = None,
    ) -> Binding:
        """Bind a profile that exists, because a person says so; return the binding.

        `name` is the agent's where X only spells it otherwise; by default it is the profile's.

        The agent's former profile becomes retired, an open intent of the agent is closed and a block is lifted.
        `avatar` is the digest of the source file that the profile's picture is believed to come from.

        Raises:
            LedgerConflict: the profile is bound already, or retired for another agent.
        """

    def change_key(self, user_id: str, agent: str, new: str, now_ms: int) -> None:
        """Give everything that the ledger has under an agent's key to another key; X isn't concerned.

        Binding, open and withdrawn intents, retired profiles, messages without an end, and a block go along.

        Raises:
            LedgerConflict: both keys have a profile, or both have an open intent; nothing was changed.
        """

    def forget(self, user_id: str, agent: str, now_ms: int) -> None:
        """Drop a binding and leave its profile at X, as one that the ledger doesn't know."""

    # Messages, announced before they leave

    def begin_send(
        self,
        user_id: str,
        dispatch: Dispatch,
        former: Dispatch | None,
        now_ms: Callable[[], int] | None = None,
        detail: Detail | None = None,
    ) -> Dispatch:
        """Record that a message is about to be sent, and return that; must return before it is sent.

        The audit trail gets a "promised" event with `detail`, together with the record. With `now_ms` it is begun when
        it is written, which may be some time after the call: other writers come first.

        It overwrites `former`, the dispatch under the key when the caller looked, None when there was none.

        Raises:
            TryLater: the key has another dispatch by now, so another process is sending the message.
            InputRefused: the agent was blocked meanwhile, or has another profile by now.
        """

    def finish_send(self, user_id: str, dispatch: Dispatch, event: Event) -> None:
        """Note which event at X a dispatch became, and whether X confirmed its profile, together with the audit event.

        Raises:
            LedgerConflict: the key has another dispatch by now.
        """

    def cancel_send(self, user_id: str, dispatch: Dispatch, event: Event) -> None:
        """Forget the dispatch of a message that surely wasn't sent, if it is still the one, with the audit event."""

    def text_key(self, month: str) -> tuple[str, str] | None:
        """Return the key of the digests of texts with the month of its making, such as "2026-11"; both are texts.

        It is that month's, made where there is none yet. Who may not make one gets the newest one, or None.

        Raises:
            TryLater: the ledger lost the new one, as after a failover to a server that lacks the last commits.
        """

    def mark_seen(self, user_id: str, profile_id: str, now_ms: int) -> None:
        """Note that X has shown a profile, as it should be; no audit record."""

    def block(self, user_id: str, agent: str, now_ms: int) -> None:
        """Let nobody send as an agent, and nothing be made for them, until `unblock`."""

    def unblock(self, user_id: str, agent: str, now_ms: int) -> None:
        """Allow an agent again; one who isn't blocked changes nothing."""

    def accept_break(self, broken: Record, now_ms: int) -> None:
        """Go on behind an audit record that breaks the chain, and record that."""

    def prune(self, user_ids: Collection[str], before_ms: int, now_ms: int, before: str) -> Event:
        """Take texts and recipients out of the records of accounts that are older than a moment, for good.

        Finished dispatches go as well, and the keys that only older digests have; messages whose end nobody knows
        stay. Returns the event that is recorded of it; `before` is the moment as a person named it.
        """

    def record(self, event: Event, note: tuple[str, str] | None = None) -> None:
        """Add an event to the audit trail: a message sent, a request refused.

        `note` is a name and a value, kept in the same transaction for `LedgerReader.note`: what was recorded last is
        known without reading the trail.
        """
