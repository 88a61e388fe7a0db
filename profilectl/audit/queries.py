"""What people ask the record, as functions over its records: a few are in memory at a time, however many there are."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from profilectl.audit import chain
from profilectl.audit.faces import FACE_EVENTS, Entry, Face, FaceHistory
from profilectl.audit.periods import Period
from profilectl.model import Event

EVENTS: Final = {
    "claimed": "a brand's key was registered for an account",
    "begun": "a new ledger was begun for an account that had profiles",
    "intended": "a profile is about to be created",
    "reattempted": "the create is about to be sent once more",
    "unanswered": "X gave no answer to a create",
    "withdrawn": "a create made nothing",
    "created": "X made a profile, and it is an agent's from now on",
    "adopted": "a profile that was at X is an agent's from now on",
    "retired": "an agent's profile isn't used any more",
    "destroyed": "a profile is gone from X",
    "destroyed-stranger": "a profile that was never ours was destroyed by hand",
    "renamed": "an agent's key was changed, and what was under the former one is the new one's",
    "forgotten": "a profile was let go, and left at X",
    "blocked": "nobody may send as an agent any more",
    "unblocked": "an agent may send again",
    "offboarded": "an agent's profiles were destroyed everywhere",
    "protected": "an agent's profile outlives the roster's entry",
    "unprotected": "an agent's profile goes with the roster's entry again",
    "promised": "a message is about to be sent",
    "sent": "X has a message",
    "refused": "a message that was promised was refused, and surely isn't out",
    "unknown": "a message that was promised may have been sent, X didn't say",
    "taken-back": "a message that was promised never got to X, as X's own list shows",
    "send-unknown": "as unknown, from a version that recorded no promise",
    "asked": "X has a feedback card",
    "ask-unknown": "a feedback card may have been issued",
    "denied": "somebody tried to send as an agent, and wasn't allowed to",
    "overridden": "a person overrode the guards of a sync with these options",
    "roster-changed": "sync works with another roster than before",
    "policy-changed": "sync found another policy file of this machine than before",
    "logged-in": "credentials of the account were stored",
    "logged-out": "credentials of the account were removed",
    "profiles-refused": "X refuses custom profiles that it had allowed before",
    "profiles-allowed": "X allows custom profiles again",
    "face-check": "a person looked at a message in X's apps",
    "recovered": "a lost ledger was rebuilt from what was at X",
    "restored": "a ledger that had gone backwards was accepted",
    "pruned": "texts and recipients were taken out of older records",
    "break-accepted": "a record that somebody had changed was accepted",
}
"""Every event that is recorded, and what it says."""

STATUSES: Final = ("confirmed", "not confirmed", "as the brand", "unknown")
"""Whether X has a message and showed it with the agent's face, see `Outgoing.status`."""

MESSAGE_EVENTS: Final = ("promised", "sent", "refused", "unknown", "taken-back", "send-unknown")
CHANGES: Final = tuple(what for what in EVENTS if what not in (*MESSAGE_EVENTS, "asked", "ask-unknown"))


class RecordReader(Protocol):
    """The part of a ledger that is asked here."""

    def events(self, *, after: int = 0) -> Iterator[chain.Record]:
        """Yield all records above a number, oldest first."""

    def profile_records(self, user_id: str) -> Iterator[chain.Record]:
        """Yield the records of an account that are `FACE_EVENTS`, oldest first; there may be others among them."""


class Readable:
    """Passes records on, but those that can't be read any more and behind which a person chose to go on."""

    def __init__(self, reader: RecordReader, accepted: Collection[tuple[int, str]]) -> None:
        self.left_out: dict[int, None] = {}  # their numbers
        self._reader = reader
        self._accepted = dict(accepted)

    def events(self, *, after: int = 0) -> Iterator[chain.Record]:
        """Yield the records above a number that can be read, oldest first."""
        return self._readable(self._reader.events(after=after))

    def profile_records(self, user_id: str) -> Iterator[chain.Record]:
        """Yield those of an account that are `FACE_EVENTS`, oldest first."""
        return self._readable(self._reader.profile_records(user_id))

    def _readable(self, records: Iterator[chain.Record]) -> Iterator[chain.Record]:
        for record in records:
            mark = self._accepted.get(record.seq)
            if mark is None or record.is_readable or record.mark != mark:
                yield record
            else:
                self.left_out[record.seq] = None


class _Contents(Struct, frozen=True, forbid_unknown_fields=True):
    """A record's text, as it is nearly always."""

    account: str
    actor: str
    agent: str | None
    at_ms: int
    detail: dict[str, str | int | bool | None]
    profile_id: str | None
    what: str
    local_ms: int = 0


_DECODER: Final = msgspec.json.Decoder(_Contents)


def read_entry(record: chain.Record) -> Entry:
    """Return what a record says; LedgerRefused where it was damaged."""
    try:
        # four times as fast as Python's own: a million records are read in seconds
        values = _DECODER.decode(record.text)
    except (msgspec.MsgspecError, UnicodeError):  # damaged, or with half of a surrogate pair in it, which Python reads
        event, actor = chain.contents(record)
        return Entry(record.seq, event, actor, record.written_ms)
    event = Event(values.what, values.account, values.at_ms, values.agent, values.profile_id, values.detail)
    return Entry(record.seq, event, values.actor, values.local_ms)


class Selection(Struct, frozen=True):
    """Which records somebody asks for; what is empty or None leaves nothing out."""

    period: Period = Period()
    accounts: frozenset[str] | None = None  # user ids
    agents: frozenset[str] = frozenset()
    actors: frozenset[str] = frozenset()  # each as `user@host`, or only the user; the user may be `uid:1001`
    events: frozenset[str] = frozenset()
    recipients: frozenset[str] = frozenset()  # ids at X

    def entries(self, records: Iterable[chain.Record]) -> Iterator[Entry]:
        """Yield the entries that are asked for."""
        groups = self.words()
        for record in records:
            if _has_words(record, groups):
                entry = read_entry(record)
                if self.has(entry):
                    yield entry

    def words(self) -> list[list[str]]:
        """Return groups of words of which a record that is asked for has at least one each."""
        # To look for them is much quicker than to read a record. Texts are canonical, and a quote within is escaped.
        keys = {"account": self.accounts, "agent": self.agents, "what": self.events, "recipient_id": self.recipients}
        return [[f'"{key}":{json.dumps(value)}' for value in values] for key, values in keys.items() if values]

    def has(self, entry: Entry) -> bool:
        """Say whether an entry is asked for."""
        event = entry.event
        return (
            self.period.has(event.at_ms)
            and (self.accounts is None or event.account in self.accounts)
            and (not self.agents or event.agent in self.agents)
            and (not self.events or event.what in self.events)
            and (not self.recipients or event.detail.get("recipient_id") in self.recipients)
            and (not self.actors or not self.actors.isdisjoint(_names_of(entry.actor)))
        )


def ids_of_handle(records: Iterable[chain.Record], handle: str) -> list[str]:
    """Return the ids at X to which messages went under a handle, given without @, as the record tells; latest last.

    It may be several, as a handle that somebody has given up can be another person's.
    """
    words = re.compile(
        f'"recipient_handle":"{re.escape(handle)}"', re.IGNORECASE
    )  # no text holds it: quotes are escaped
    ids: dict[str, None] = {}
    for record in records:
        if words.search(record.text):
            recipient = read_entry(record).event.detail.get("recipient_id")
            if isinstance(recipient, str):
                ids.pop(recipient, None)
                ids[recipient] = None
    return list(ids)


def actor_parts(actor: str) -> tuple[str, str, int | None]:
    """Return what an actor consists of: ``user@host``, the host, and the uid that had logged in if it was another."""
    at_host, _, doubts = actor.partition(" (")
    login = _LOGIN.match(doubts)
    return at_host, at_host.rpartition("@")[2], int(login[1]) if login else None


_LOGIN: Final = re.compile(r"login uid (\d{1,10})[,)]", re.ASCII)


def _names_of(actor: str) -> tuple[str, ...]:
    at_host, host, login = actor_parts(actor)
    logins = () if login is None else (f"uid:{login}", f"uid:{login}@{host}")
    return actor, at_host, at_host.rpartition("@")[0], *logins


class Outgoing(Struct, frozen=True):
    """A message as the record has it."""

    entry: Entry
    name: str | None  # public, of the face that it carried; None without one, or where the record hasn't got it

    @property
    def recipient_id(self) -> str | None:
        """Who got it."""
        return self._text("recipient_id")

    @property
    def sender(self) -> str:
        """The OS user who sent it, as an actor: who recorded its end may be a later run's."""
        user, detail = self._text("user"), self.entry.event.detail
        if user is None or user == actor_parts(self.entry.actor)[0]:
            return self.entry.actor
        login = detail.get("login_uid")
        return user if login is None or login == detail.get("effective_uid") else f"{user} (login uid {login})"

    @property
    def event_id(self) -> str | None:
        """Its id at X; None where nobody knows whether it is there."""
        return self._text("event_id")

    @property
    def status(self) -> str:
        """Whether X has it, and showed it with the face, as far as the record tells; one of `STATUSES`."""
        event = self.entry.event
        if event.what != "sent":
            return "unknown"
        if event.profile_id is None:
            return "as the brand"
        # the profile alone proves nothing: the message may have left from another account
        is_echoed = event.detail.get("echoed_profile_id") == event.profile_id
        return "confirmed" if is_echoed and event.detail.get("confirmed", True) else "not confirmed"

    @property
    def origin(self) -> str | None:
        """Who wrote it, as far as it was recorded."""
        # a person's own word, the only thing that was recorded at first
        vouched = "person vouched" if self.entry.event.detail.get("human_wrote_this") is True else None
        return self._text("origin") or vouched

    @property
    def kind(self) -> str | None:
        """Whether the agent was a human or a bot then, as far as it was recorded."""
        return self._text("kind")

    @property
    def marker(self) -> str | None:
        """The word of the public name that said that it was a bot; None without one."""
        return self._text("marker")

    @property
    def is_first_contact(self) -> bool | None:
        """Whether nobody of the brand had written to the recipient before; None where that isn't recorded."""
        value = self.entry.event.detail.get("first_contact")
        return value if isinstance(value, bool) else None

    @property
    def is_pruned(self) -> bool:
        """Whether its recipient was removed."""
        return self.recipient_id is None and chain.PRUNED in self.entry.event.detail

    @property
    def text(self) -> str | None:
        """What it said, where the policy has the record keep that."""
        return self._text("text")

    def _text(self, key: str) -> str | None:
        value = self.entry.event.detail.get(key)
        return value if isinstance(value, str) else None


def messages(records: Iterable[chain.Record], selection: Selection) -> Iterator[Outgoing]:
    """Yield the messages that are asked for, each with the public name that its profile had.

    Promises whose end is in no record come last: nobody knows whether X has these messages. Those that X refused, and
    those that were taken back, are none.

    Args:
        records: all of them, as a profile's name stands in the record of its beginning.
        selection: its `events` don't count, and its `actors` are who sent the messages, not who recorded their ends.
    """
    senders, selection = selection.actors, replace(selection, actors=frozenset())
    for message in _messages(records, selection):
        if not senders or not senders.isdisjoint(_names_of(message.sender)):
            yield message


def _messages(records: Iterable[chain.Record], selection: Selection) -> Iterator[Outgoing]:
    history = FaceHistory()
    of_face, of_message = (Selection(events=frozenset(events)).words() for events in (FACE_EVENTS, MESSAGE_EVENTS))
    asked, outbox = selection.words(), Outbox()
    for record in records:
        if _has_words(record, of_message):
            if not _has_words(record, asked):
                continue
            entry = read_entry(record)
            message = outbox.take(entry, history, is_asked=selection.has(entry))
            if message is not None:
                yield message
        elif _has_words(record, of_face):
            history.take(read_entry(record))
    yield from outbox.without_end()


class Outbox:
    """Takes the records about messages, and tells which went out and which have no end."""

    def __init__(self) -> None:
        self._promises: dict[tuple[str, object], Outgoing] = {}  # by account and attempt

    def take(self, entry: Entry, history: FaceHistory, *, is_asked: bool) -> Outgoing | None:
        """Return the message of an entry where that says that it is, or may be, out, and it is asked for."""
        event, attempt = entry.event, (entry.event.account, entry.event.detail.get("nonce"))
        if event.what == "promised" and is_asked:
            self._promises[attempt] = outgoing(entry, history)
        elif event.what in {"sent", "refused", "taken-back"}:
            promise = self._promises.pop(attempt, None)
            if promise is not None and event.what == "sent":  # a later run that found it out knows less
                detail = {**promise.entry.event.detail, **event.detail}
                entry = replace(entry, event=replace(event, detail=detail))
        return outgoing(entry, history) if is_asked and event.what in {"sent", "send-unknown"} else None

    def without_end(self) -> tuple[Outgoing, ...]:
        """Return the messages that were promised, and of which no record tells more, the oldest first."""
        return tuple(self._promises.values())


def outgoing(entry: Entry, history: FaceHistory) -> Outgoing:
    """Return the message of an entry; `history` has taken all records before it."""
    recorded = entry.event.detail.get("name")
    name = recorded if isinstance(recorded, str) else history.name_of(entry.event.account, entry.event.profile_id)
    return Outgoing(entry, name)


def faces_of(reader: RecordReader, user_id: str) -> list[Face]:
    """Return all faces that an account ever had, in the order of the record."""
    history, of_face = FaceHistory(), Selection(events=frozenset(FACE_EVENTS)).words()
    for record in reader.profile_records(user_id):
        if _has_words(record, of_face):  # an intent is as frequent as what it becomes, and says nothing here
            history.take(read_entry(record))
    return history.faces()


def _has_words(record: chain.Record, groups: list[list[str]]) -> bool:
    # plain loops: this is done for every record
    text = record.text
    for group in groups:
        for word in group:
            if word in text:
                break
        else:
            return False
    return True
