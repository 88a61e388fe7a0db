"""One ledger over any SQL engine: which statements each method runs, in which order, with its audit record.

`protocol` says what the methods promise; `Engine` is what a database has to bring along for them.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

import msgspec
from msgspec.structs import replace

from profilectl.audit import chain
from profilectl.audit.pruning import Pruning
from profilectl.errors import InputRefused, LedgerConflict, LedgerRefused, TryLater, WrongAccount
from profilectl.ledger import schema
from profilectl.ledger.protocol import WITHDRAWN_MS, Ledger, LedgerReader
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
from profilectl.system import host
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.ledger.schema import Row, Value
    from profilectl.system.locks import Holder

Result = TypeVar("Result")

_BEYOND: Final = 2**63 - 1  # no sequence number is larger
_COUNTED: Final = ("bindings", "intents", "withdrawn", "retired", "dispatches", "records")  # by `schema.COUNT_ROWS`
_NOTED: Final = frozenset({"created", "adopted", "retired", "destroyed"})  # events of which `noting` adds to the record
_RECENT: Final = 20_000  # records among which a face check is looked for that has no note
_PAGE: Final = 500  # audit records read at a time, so that a long trail keeps no transaction open


class Execute(Protocol):
    """Runs one statement of `schema`."""

    def __call__(self, statement: str, /, **values: Value) -> list[Row]:
        """Return all rows of a statement; `values` fill its named parameters."""


class ReadingEngine(Protocol):
    """A database that is only read; its failures are `LedgerRefused`, or `TryLater`."""

    def read(self, look: Callable[[Execute], Result]) -> Result:
        """Return what `look` returns; it sees one moment, and is called again when that moment didn't last."""

    def rows(self, statement: str, /, **values: Value) -> list[Row]:
        """Return the rows of one statement, as `read` would."""

    def holder(self) -> Holder | None:
        """Return the run that holds the ledger, None when none does."""

    def hides_keys(self) -> bool:
        """Say whether rows with keys of the texts' digests may be there, and aren't shown to this role."""

    def close(self) -> None:
        """Let go of the database; closing twice is allowed."""


class Engine(ReadingEngine, Protocol):
    """A database that is written; within a transaction, `read` sees what that has written so far."""

    def transaction(self) -> AbstractContextManager[Execute]:
        """Begin; commit durably at the end, or roll everything back when an error leaves the block."""

    def lock(
        self,
        max_wait: float,
        command: str,
        announce: Callable[[float, str], None] | None,
        accounts: Collection[str] = (),
    ) -> AbstractContextManager[None]:
        """Do what `Ledger.lock` promises; until it ends, each transaction begins with the proof that it still holds."""

    def require_held(self) -> None:
        """Do what `Ledger.require_held` promises."""

    def seconds_held(self) -> float:
        """Do what `Ledger.seconds_held` promises."""

    def unlock(self, holder: Holder) -> None:
        """Do what `Ledger.unlock` promises."""

    def erasing(self) -> AbstractContextManager[None]:
        """Leave as little as the engine can of what is overwritten or deleted in a ``with`` block."""


class StoreReader(LedgerReader):
    """A ledger that is only read, over an engine."""

    def __init__(self, engine: ReadingEngine) -> None:
        self._engine = engine

    @property
    def engine(self) -> ReadingEngine:
        """What keeps the ledger, for those who copy it whole."""
        return self._engine

    def account_of(self, brand: str) -> Account | None:
        return _account_of(self._engine.rows, brand)

    def check_account(self, brand: str, account: Account) -> None:
        self._engine.read(lambda execute: _check_account(execute, brand, account))

    def knows(self, user_id: str) -> bool:
        # the record is searched to its end only for an account without profiles
        return any(self._rows(statement, account=user_id) for statement in (schema.HAS_ROWS, schema.HAS_RECORD))

    def refused_since(self, user_id: str) -> int | None:
        return _refused_since(self._engine.rows, user_id)

    def face_check(self, user_id: str) -> tuple[int, dict[str, str]] | None:
        rows = self._rows(schema.GET_NOTE, name=f"{schema.FACE_CHECK_NOTE}{user_id}")
        noted = None if not rows else msgspec.json.decode(str(rows[0][0]), type=tuple[int, dict[str, str]])
        oldest = self.last_seq() - _RECENT
        for row in self._rows(schema.GET_NEWEST_FACE_CHECK, account=user_id, after=oldest):
            event = self._event_of(chain.Record(*row))
            if event.account == user_id and (noted is None or noted[0] < event.at_ms):
                return event.at_ms, {app: seen for app, seen in event.detail.items() if isinstance(seen, str)}
        return noted

    def recorded_retirements(self, user_id: str) -> frozenset[str]:
        events = [self._event_of(chain.Record(*row)) for row in self._rows(schema.GET_RETIREMENTS, account=user_id)]
        ids = (event.profile_id if event.what == "retired" else event.detail.get("replaced") for event in events)
        return frozenset(profile_id for profile_id in ids if isinstance(profile_id, str))

    def summary(self) -> LedgerSummary:
        return self._engine.read(_summary)

    def accounts(self) -> tuple[LedgerAccount, ...]:
        return _accounts(self._engine.rows)

    def user_ids(self) -> tuple[str, ...]:
        return tuple(user_id for (user_id,) in self._rows(schema.GET_USER_IDS))

    def last_seq(self) -> int:
        rows = self._rows(schema.GET_LAST_RECORD)
        return int(rows[0][0]) if rows else 0

    def hash_of(self, seq: int) -> str | None:
        rows = self._rows(schema.GET_RECORDS, after=seq - 1, limit=1)
        return str(rows[0][2]) if rows and rows[0][0] == seq else None

    def state_of(self, user_id: str) -> LedgerState:
        return self._engine.read(lambda execute: _state_of(execute, user_id))

    def events(self, *, after: int = 0) -> Iterator[chain.Record]:
        page: list[Row] | None = None
        while page is None or len(page) == _PAGE:  # a shorter one is the last, which needs no further look
            page = self._rows(schema.GET_RECORDS, after=after, limit=_PAGE)
            for row in page:
                yield chain.Record(*row)
            after = page[-1][0] if page else after

    def accepted_breaks(self) -> frozenset[tuple[int, str]]:
        return chain.accepted_breaks(chain.Record(*row) for row in self._rows(schema.GET_ACCEPTED_BREAKS))

    def profile_records(self, user_id: str) -> Iterator[chain.Record]:
        after = 0
        page: list[Row] | None = None
        while page is None or len(page) == _PAGE:
            page = self._rows(schema.GET_PROFILE_RECORDS, account=user_id, after=after, limit=_PAGE)
            for row in page:
                yield chain.Record(*row)
            after = page[-1][0] if page else after

    def recent(self, user_id: str, since_ms: int) -> tuple[Event, ...]:
        events = self._backwards(since_ms, schema.GET_RECORDS_BACKWARDS)
        return tuple(reversed([event for event in events if event.account == user_id]))

    def recent_profile_events(self, user_id: str, since_ms: int) -> tuple[Event, ...]:
        return tuple(reversed([*self._backwards(since_ms, schema.GET_PROFILE_RECORDS_BACKWARDS, account=user_id)]))

    def recent_limited_calls(self, since_ms: int) -> dict[str, list[Event]]:
        calls: dict[str, list[Event]] = defaultdict(list)
        for event in reversed([*self._backwards(since_ms, schema.GET_LIMITED_RECORDS_BACKWARDS)]):
            calls[event.account].append(event)
        return calls

    def _backwards(self, since_ms: int, statement: str, **values: Value) -> Iterator[Event]:
        """Yield the events that a statement finds, the newest first, until a moment."""
        # records have the times of several clocks, so only a whole page of earlier ones ends the search; from the end,
        # because a trail of years would take longer to read than the call that asks for the last day
        before = _BEYOND
        while page := self._rows(statement, before=before, limit=_PAGE, **values):
            events = [event for row in page if (event := self._event_of(chain.Record(*row))).at_ms >= since_ms]
            if not events:
                return
            yield from events
            before = page[-1][0]

    def _event_of(self, record: chain.Record) -> Event:
        """Return what a record says; nothing where a person has accepted that it can't be read any more."""
        try:
            return record.event
        except LedgerRefused:
            if (record.seq, record.mark) not in self.accepted_breaks():
                raise
            return Event("damaged", "", _BEYOND)  # a late time, so that the search goes on

    def dispatch(self, user_id: str, key: str) -> Dispatch | None:
        rows = self._rows(schema.GET_DISPATCH, account=user_id, key=key)
        return schema.to_dispatch(rows[0]) if rows else None

    def open_dispatches(self, user_id: str) -> tuple[Dispatch, ...]:
        return tuple(map(schema.to_dispatch, self._rows(schema.GET_OPEN_DISPATCHES, account=user_id)))

    def has_contact(self, user_id: str, recipient_id: str) -> bool:
        return bool(self._rows(schema.HAS_CONTACT, account=user_id, recipient_id=recipient_id))

    def open_sends(self, user_id: str) -> dict[str, int]:
        return dict(self._rows(schema.GET_OPEN_SENDS, account=user_id))

    def origin_of(self, user_id: str, profile_id: str) -> Event | None:
        for row in self._rows(schema.GET_NOTED_RECORD, name=_origin(user_id, profile_id)):
            event = self._event_of(chain.Record(*row))
            if (event.account, event.profile_id) == (user_id, profile_id):
                return event
        return None

    def pixels_of(self, user_id: str) -> dict[str, str]:
        rows = self._rows(schema.GET_PIXELS, account=user_id)
        return {str(name).removeprefix(_pixels(user_id, "")): str(value) for name, value in rows}

    def note(self, name: str) -> str | None:
        rows = self._rows(schema.GET_NOTE, name=_note(name))
        return str(rows[0][0]) if rows else None

    def is_delivery(self, user_id: str, event_id: str) -> bool:
        return bool(self._rows(schema.GET_DELIVERY, account=user_id, event_id=event_id))

    def seen_ms(self, user_id: str, profile_id: str) -> int:
        rows = self._rows(schema.GET_SIGHTING, account=user_id, profile_id=profile_id)
        return int(rows[0][0]) if rows else 0

    def text_keys(self) -> list[tuple[str, str]]:
        rows = self._rows(schema.GET_TEXT_KEYS)
        return [(str(name).removeprefix(schema.TEXT_KEY), str(value)) for name, value in rows]

    def holder(self) -> Holder | None:
        return self._engine.holder()

    def close(self) -> None:
        self._engine.close()

    def _rows(self, statement: str, **values: Value) -> list[Row]:
        return self._engine.rows(statement, **values)


class _Batch(msgspec.Struct):
    """A transaction that several changes share; it begins with the first of them."""

    begin: Callable[[], Execute]
    execute: Execute | None = None
    is_broken: bool = False

    @contextmanager
    def joined(self) -> Iterator[Execute]:
        """Let a change take part; when it fails, nothing of the batch is kept."""
        self.require_whole()
        self.is_broken = True  # until the change has ended well: its caller may catch the error, and go on
        self.execute = self.execute or self.begin()
        try:
            yield self.execute
        except LedgerConflict:  # raised before anything was written, so the others aren't concerned
            self.is_broken = False
            raise
        self.is_broken = False

    def require_whole(self) -> None:
        """Make sure that no change has failed, for its half would be committed with the others."""
        if self.is_broken:
            raise LedgerRefused("a change of this batch has failed, so none of it is kept")


class Store(StoreReader, Ledger):
    """A ledger that can be written, over an engine."""

    _engine: Engine

    def __init__(self, engine: Engine, actor: str, now_ms: Callable[[], int] = host.now_ms) -> None:
        """Take an engine, who writes, as ``user@host``, and this machine's clock, epoch milliseconds."""
        super().__init__(engine)
        self._actor = actor
        self._now_ms = now_ms
        self._batch: _Batch | None = None
        self._pending: chain.Record | None = None  # the newest record of the transaction under way
        self._newest: chain.Record | None = None
        self._facts: Callable[[str, str | None], Detail] | None = None
        self._at_close = ExitStack()

    @property
    def engine(self) -> Engine:
        return self._engine

    def at_close(self, callback: Callable[[], None]) -> None:
        self._at_close.callback(callback)

    def close(self) -> None:
        try:
            self._at_close.close()
        finally:
            super().close()

    @property
    def newest_own(self) -> chain.Record | None:
        return self._newest

    @contextmanager
    def noting(self, facts: Callable[[str, str | None], Detail]) -> Iterator[None]:
        former, self._facts = self._facts, facts
        try:
            yield
        finally:
            self._facts = former

    @contextmanager
    def held_still(self) -> Iterator[None]:
        with self._engine.transaction():
            yield

    def begin_account(self, user_id: str, listed: int, now_ms: int) -> None:
        self.record(Event("begun", user_id, now_ms, detail={"listed": listed}))

    def note_refused(self, user_id: str, quote: str, now_ms: int) -> None:
        with self._change() as execute:
            if _refused_since(execute, user_id) is None:
                execute(schema.SET_MARK, name=f"{schema.REFUSED_NOTE}{user_id}", value=str(now_ms))
                self._append(execute, Event("profiles-refused", user_id, now_ms, detail={"answer": quote}))

    def note_allowed(self, user_id: str, now_ms: int) -> None:
        with self._change() as execute:
            if _refused_since(execute, user_id) is not None:
                execute(schema.DELETE_MARK, name=f"{schema.REFUSED_NOTE}{user_id}")
                self._append(execute, Event("profiles-allowed", user_id, now_ms))

    def note_face_check(self, event: Event, answers: Mapping[str, str]) -> None:
        value = msgspec.json.encode((event.at_ms, dict(answers))).decode()
        event = replace(event, detail={**event.detail, **answers})
        try:
            with self._change() as execute:
                execute(schema.SET_MARK, name=f"{schema.FACE_CHECK_NOTE}{event.account}", value=value)
                self._append(execute, event)
        except LedgerRefused:  # an agent's role may add no note, only to the record, where `face_check` looks as well
            self.record(event)

    @contextmanager
    def batch(self) -> Iterator[None]:
        if self._batch is not None:
            raise LedgerRefused("a batch can't be part of another one")
        with ExitStack() as stack:
            self._pending = None
            self._batch = batch = _Batch(lambda: stack.enter_context(self._transaction()))
            try:
                yield
                batch.require_whole()
            finally:
                self._batch = None
        self._note_commit()

    def lock(
        self,
        max_wait: float,
        command: str,
        announce: Callable[[float, str], None] | None = None,
        accounts: Collection[str] = (),
    ) -> AbstractContextManager[None]:
        return self._engine.lock(max_wait, command, announce, accounts)

    def require_held(self) -> None:
        self._engine.require_held()

    def seconds_held(self) -> float:
        return self._engine.seconds_held()

    def unlock(self, holder: Holder) -> None:
        self._engine.unlock(holder)

    def register_account(self, brand: str, account: Account, now_ms: int) -> None:
        with self._change() as execute:
            known = _check_account(execute, brand, account)
            # every run registers its accounts, and shouldn't have a record of the audit trail for that
            if known == replace(account, access_level=None, verified=None):
                return
            names = {"brand": brand, "handle": account.handle, "host": account.host}
            execute(schema.SAVE_ACCOUNT, account=account.user_id, **names)
            self._append(execute, Event("claimed", account.user_id, now_ms, detail=names))

    # Creates, and the profiles that they made

    def begin_intent(self, user_id: str, intent: Intent) -> None:
        with self._change() as execute:
            if execute(schema.GET_INTENT_OF, account=user_id, agent=intent.agent):
                hint = "run `profilectl sync`, which settles it"
                raise LedgerConflict(f"{intent.agent} has an open intent already", hint=hint)
            if _is_blocked(execute, user_id, intent.agent):
                raise LedgerConflict(f"{intent.agent} was offboarded meanwhile, so nothing is made")
            digest, ids = schema.listing(intent.listed)  # first the listing, which the intent's row refers to
            execute(schema.ADD_LISTING, digest=digest, ids=ids)
            execute(schema.ADD_INTENT, account=user_id, listing=digest, **schema.columns(intent))
            made_by = {"made_by": intent.made_by} if intent.made_by else {}
            event = _intent_event(intent, "intended", user_id, intent.begun_ms, attempt=intent.attempt, **made_by)
            self._append(execute, event)

    def reattempt(self, user_id: str, nonce: str, attempted_ms: int, local: LocalTime) -> None:
        with self._change() as execute:
            intent, _ = _open_intent(execute, user_id, nonce)
            times: dict[str, Value] = {"attempted_ms": attempted_ms, "boot": local.boot, "local_ms": local.ms}
            execute(schema.COUNT_ATTEMPT, account=user_id, nonce=nonce, **times)
            attempt = intent.attempt + 1
            self._append(execute, _intent_event(intent, "reattempted", user_id, attempted_ms, attempt=attempt))

    def mark_unknown(self, user_id: str, nonce: str, now_ms: int, local: LocalTime) -> None:
        with self._change() as execute:
            intent, _ = _open_intent(execute, user_id, nonce)
            times: dict[str, Value] = {"attempted_ms": now_ms, "boot": local.boot, "local_ms": local.ms}
            execute(schema.SET_ATTEMPTED, account=user_id, nonce=nonce, **times)
            self._append(execute, _intent_event(intent, "unanswered", user_id, now_ms))

    def finish_intent(
        self, user_id: str, nonce: str, profile: Profile, now_ms: int, *, adopted: bool
    ) -> Binding | Retired:
        with self._change() as execute:
            intent, listing = _open_intent(execute, user_id, nonce, also_withdrawn=True)
            binding = _binding(intent.agent, profile, intent.name, intent.avatar, now_ms, protected=intent.protected)
            replaced = _bind(execute, user_id, binding)
            _close_intent(execute, user_id, intent, listing)
            what = "adopted" if adopted else "created"
            self._append(execute, _binding_event(what, user_id, binding, replaced, nonce))
            self._save_origin(execute, user_id, profile.id)
            is_blocked = _is_blocked(execute, user_id, intent.agent)
            return self._retire(execute, user_id, binding, now_ms) if is_blocked else binding

    def cancel_intent(self, user_id: str, nonce: str, why: str, now_ms: int, *, was_sent: bool) -> None:
        with self._change() as execute:
            intent, listing = _open_intent(execute, user_id, nonce)
            if was_sent:
                execute(schema.ADD_WITHDRAWN, account=user_id, nonce=nonce, now_ms=now_ms)
            execute(schema.DELETE_INTENT, account=user_id, nonce=nonce)
            execute(schema.DELETE_UNUSED_LISTING, digest=listing)
            if execute(schema.DELETE_OLD_WITHDRAWN, before_ms=now_ms - WITHDRAWN_MS):
                execute(schema.DELETE_UNUSED_LISTINGS)
            self._append(execute, _intent_event(intent, "withdrawn", user_id, now_ms, why=why))

    def retire_late(self, user_id: str, nonce: str, profile: Profile, now_ms: int) -> Retired:
        with self._change() as execute:
            intent, listing = _open_intent(execute, user_id, nonce, also_withdrawn=True)
            _require_unowned(execute, user_id, profile.id)
            retired = Retired(profile.id, intent.agent, intent.name, now_ms, "removed")
            _close_intent(execute, user_id, intent, listing)
            execute(schema.ADD_RETIRED, account=user_id, **schema.columns(retired))
            self._append(execute, _retired_event(user_id, retired, nonce=nonce))
        return retired

    def note_pixels(self, user_id: str, pixels: Mapping[str, str]) -> None:
        known = self.pixels_of(user_id)
        with self._change() as execute:
            for digest in known.keys() - pixels.keys():
                execute(schema.DELETE_NOTE, name=_pixels(user_id, digest))
            for digest, value in pixels.items():
                if known.get(digest) != value:
                    execute(schema.SAVE_NOTE, name=_pixels(user_id, digest), value=value)

    def note_shown(self, user_id: str, profile_id: str, name: str) -> None:
        with self._change() as execute:
            execute(schema.SET_SHOWN, account=user_id, profile_id=profile_id, name=name)

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
        binding = _binding(agent, profile, name or profile.name, avatar, now_ms, protected=protected)
        # nothing that is resolved later may replace the profile that a person chose, so intent and block go as well
        with self._change() as execute:
            for owner, _, state in execute(schema.GET_OWNER, account=user_id, profile_id=profile.id):
                if (owner, state) == (agent, "retired"):  # the agent gets the profile back
                    execute(schema.DELETE_RETIRED, account=user_id, profile_id=profile.id)
            replaced = _bind(execute, user_id, binding)
            nonce = None
            for row in execute(schema.GET_INTENT_OF, account=user_id, agent=agent):
                nonce = _close_intent(execute, user_id, *schema.to_open_intent(row))
            self._append(execute, _binding_event("adopted", user_id, binding, replaced, nonce))
            self._save_origin(execute, user_id, profile.id)
            self._unblock(execute, user_id, agent, now_ms)
        return binding

    def retire(self, user_id: str, agent: str, now_ms: int) -> Retired:
        with self._change() as execute:
            return self._retire(execute, user_id, _binding_of(execute, user_id, agent), now_ms)

    def drop(self, user_id: str, profile_id: str, now_ms: int) -> None:
        with self._change() as execute:
            # it is gone at X whatever the ledger holds, so the record is made for an unknown one, too
            owner = execute(schema.GET_OWNER, account=user_id, profile_id=profile_id)
            agent, name, state = owner[0] if owner else (None, None, None)
            if state == "bound":
                execute(schema.DELETE_BINDING, account=user_id, agent=agent)
            execute(schema.DELETE_RETIRED, account=user_id, profile_id=profile_id)
            execute(schema.DELETE_NOTE, name=_origin(user_id, profile_id))
            self._append(execute, Event("destroyed", user_id, now_ms, agent, profile_id, {"name": name}))

    def change_key(self, user_id: str, agent: str, new: str, now_ms: int) -> None:
        with self._change() as execute:
            for statement, what in ((schema.GET_BINDING, "a profile"), (schema.GET_INTENT_OF, "an open create")):
                if all(execute(statement, account=user_id, agent=key) for key in (agent, new)):
                    raise LedgerConflict(f"{visible(agent)} and {visible(new)} each have {what}")
            blocked = [key for key in (agent, new) if _is_blocked(execute, user_id, key)]
            kinds = (schema.GET_BINDING, schema.GET_INTENT_OF)
            live = {key for key in (agent, new) for kind in kinds if execute(kind, account=user_id, agent=key)}
            if len(blocked) == 1 and not live <= set(blocked):
                raise LedgerConflict(f"{visible(blocked[0])} was offboarded, and the other key has a profile")
            for statement in schema.RENAME_AGENT:
                execute(statement, account=user_id, agent=agent, new=new)
            if agent in blocked:
                execute(schema.DELETE_BLOCKED, account=user_id, agent=agent)
                execute(schema.ADD_BLOCKED, account=user_id, agent=new)
            self._append(execute, Event("renamed", user_id, now_ms, new, detail={"from": agent}))
            for row in execute(schema.GET_BINDING, account=user_id, agent=new):
                self._append(execute, _renamed_event(user_id, schema.to_binding(row), agent, now_ms))

    def forget(self, user_id: str, agent: str, now_ms: int) -> None:
        with self._change() as execute:
            binding = _binding_of(execute, user_id, agent)
            execute(schema.DELETE_BINDING, account=user_id, agent=agent)
            execute(schema.DELETE_NOTE, name=_origin(user_id, binding.profile_id))
            self._append(
                execute, Event("forgotten", user_id, now_ms, agent, binding.profile_id, {"name": binding.name})
            )

    def protect(self, user_id: str, agent: str, *, protected: bool) -> None:
        with self._change() as execute:
            binding = _binding_of(execute, user_id, agent)
            execute(schema.SET_PROTECTED, account=user_id, agent=agent, protected=int(protected))
            if protected != binding.protected:
                what = "protected" if protected else "unprotected"
                self._append(execute, Event(what, user_id, self._now_ms(), agent, binding.profile_id))

    # Messages

    def begin_send(
        self,
        user_id: str,
        dispatch: Dispatch,
        former: Dispatch | None,
        now_ms: Callable[[], int] | None = None,
        detail: Detail | None = None,
    ) -> Dispatch:
        with self._change() as execute:
            if now_ms is not None:
                dispatch = replace(dispatch, begun_ms=now_ms())
            values = {"account": user_id, **schema.columns(dispatch)}
            _require_sender(execute, user_id, dispatch)
            if former is None:
                is_ours = execute(schema.ADD_DISPATCH, **values)
            else:
                execute(schema.KEEP_CONTACT, account=user_id, key=dispatch.key)
                is_ours = execute(schema.REPLACE_DISPATCH, former=former.nonce, **values)
            if not is_ours:  # looking first and writing then would let two processes through
                what = "the same message is being sent by another process right now"
                raise TryLater(what, hint="look whether it has arrived")
            promise = {"recipient_id": dispatch.recipient_id, "nonce": dispatch.nonce, **(detail or {})}
            names = dispatch.begun_ms, dispatch.agent, dispatch.profile_id
            self._append(execute, Event("promised", user_id, *names, promise))
        return dispatch

    def finish_send(self, user_id: str, dispatch: Dispatch, event: Event) -> None:
        with self._change() as execute:
            if len(execute(schema.FINISH_DISPATCH, account=user_id, **schema.columns(dispatch))) != 1:
                # another process took the key for its own: two may have sent what one was to send
                raise LedgerConflict(f"the dispatch under the key {visible(dispatch.key)} is another one by now")
            # stays when the key's dispatch is overwritten, so that no later one takes this message for its own
            execute(schema.ADD_DELIVERY, account=user_id, event_id=dispatch.event_id)
            if dispatch.confirmed and dispatch.profile_id is not None:
                execute(schema.SET_SIGHTING, account=user_id, profile_id=dispatch.profile_id, seen_ms=event.at_ms)
            self._append(execute, event)

    def cancel_send(self, user_id: str, dispatch: Dispatch, event: Event) -> None:
        with self._change() as execute:
            if execute(schema.DELETE_OPEN_DISPATCH, account=user_id, key=dispatch.key, nonce=dispatch.nonce):
                self._append(execute, event)

    def text_key(self, month: str) -> tuple[str, str] | None:
        name = f"{schema.TEXT_KEY}{month}"
        keys = self.text_keys()
        if not keys or keys[0][0] < month:
            import secrets  # with OpenSSL, which only writing needs

            try:
                with self._change() as execute:
                    execute(schema.ADD_TEXT_KEY, name=name, value=secrets.token_hex(32))
            except LedgerRefused:  # an agent's role may add no key, and goes on with the one that an admin's run made
                return keys[0] if keys else None
            keys = self.text_keys()  # another process may have been quicker
            if not keys:
                what = "the ledger has lost what was written just now, as after a failover to another server"
                raise TryLater(what, hint="nothing was done at X yet; run the command again")
        return keys[0]

    def mark_seen(self, user_id: str, profile_id: str, now_ms: int) -> None:
        with self._change() as execute:
            execute(schema.SET_SIGHTING, account=user_id, profile_id=profile_id, seen_ms=now_ms)

    def block(self, user_id: str, agent: str, now_ms: int) -> None:
        with self._change() as execute:
            execute(schema.ADD_BLOCKED, account=user_id, agent=agent)
            self._append(execute, Event("blocked", user_id, now_ms, agent))

    def unblock(self, user_id: str, agent: str, now_ms: int) -> None:
        with self._change() as execute:
            self._unblock(execute, user_id, agent, now_ms)

    def accept_break(self, broken: chain.Record, now_ms: int) -> None:
        user_id = next(iter(self.user_ids()), "")
        detail: Detail = {"seq": broken.seq, "mark": broken.mark}
        with self._change() as execute:
            self._append(execute, Event(chain.BREAK_ACCEPTED, user_id, now_ms, detail=detail), accepts=broken)

    def prune(self, user_ids: Collection[str], before_ms: int, now_ms: int, before: str) -> Event:
        with self._engine.erasing(), self._change() as execute:
            last = self._last(execute)
            if last is None:
                raise LedgerRefused("nothing is on the record yet")
            self._require_sealed(last)
            detail: Detail = {
                "before": before,
                "before_ms": before_ms,
                **_prune(execute, user_ids, before_ms, last.seq + 1),
            }
            event = Event(chain.PRUNED, next(iter(sorted(user_ids)), ""), now_ms, detail=detail)
            self._append(execute, event, accepts=last)  # which may have been pruned
        return event

    def record(self, event: Event, note: tuple[str, str] | None = None) -> None:
        with self._change() as execute:
            self._append(execute, event)
            if note is not None:
                execute(schema.SAVE_NOTE, name=_note(note[0]), value=note[1])

    @contextmanager
    def _change(self) -> Iterator[Execute]:
        """Join the batch that is open, or begin a transaction."""
        if self._batch is not None:
            with self._batch.joined() as execute:
                yield execute
            return
        with self._transaction() as execute:
            self._pending = None
            yield execute
        self._note_commit()

    @contextmanager
    def _transaction(self) -> Iterator[Execute]:
        with self._engine.transaction() as execute:
            require_in_use(execute)  # another process may have moved the ledger since it was opened
            yield execute

    def _note_commit(self) -> None:
        """Remember the newest record that is on disk by now."""
        self._newest, self._pending = self._pending or self._newest, None

    def _retire(self, execute: Execute, user_id: str, binding: Binding, now_ms: int) -> Retired:
        retired = _retire(execute, user_id, binding, now_ms, "removed")
        self._append(execute, _retired_event(user_id, retired))
        return retired

    def _unblock(self, execute: Execute, user_id: str, agent: str, now_ms: int) -> None:
        if _is_blocked(execute, user_id, agent):
            execute(schema.DELETE_BLOCKED, account=user_id, agent=agent)
            self._append(execute, Event("unblocked", user_id, now_ms, agent))

    def _save_origin(self, execute: Execute, user_id: str, profile_id: str) -> None:
        """Remember that the newest record is the one by which a profile became an agent's."""
        seq = 0 if self._pending is None else self._pending.seq
        execute(schema.SAVE_NOTE, name=_origin(user_id, profile_id), value=str(seq))

    def _append(self, execute: Execute, event: Event, accepts: chain.Record | None = None) -> None:
        if self._facts is not None and event.what in _NOTED:
            event = replace(event, detail={**self._facts(event.account, event.agent), **event.detail})
        seq, prev_hash, written_ms = 0, chain.GENESIS, self._now_ms()
        last = self._last(execute)
        if last is not None:
            if accepts is None:  # with several broken records the last one is accepted as the others are, one by one
                self._require_sealed(last)
            seq, prev_hash, written_ms = last.seq, last.hash, max(written_ms, last.written_ms)
        record = chain.seal(event, self._actor, seq=seq + 1, prev_hash=prev_hash, written_ms=written_ms)
        self._pending = record
        execute(schema.ADD_RECORD, seq=record.seq, prev_hash=record.prev_hash, hash=record.hash, text=record.text)

    @staticmethod
    def _last(execute: Execute) -> chain.Record | None:
        return next((chain.Record(*row) for row in execute(schema.GET_LAST_RECORD)), None)

    def _require_sealed(self, last: chain.Record) -> None:
        if not last.is_sealed and (last.seq, last.mark) not in self.accepted_breaks():
            what = f"audit record {last.seq} was changed after it was written, so nothing is recorded behind it"
            raise LedgerRefused(what, hint="restore a backup, or go on with `profilectl audit verify --accept-break`")


def _prune(execute: Execute, user_ids: Collection[str], before_ms: int, by: int) -> Detail:
    """Rewrite what is pruned, forget its dispatches and keys, and return what the record of that number says of it."""
    is_open = {nonce for user in user_ids for _, nonce, *_ in execute(schema.GET_OPEN_DISPATCHES, account=user)}
    pruned, asked = chain.Pruned(), Pruning(user_ids, before_ms, is_open)
    after = 0
    while page := execute(schema.GET_RECORDS, after=after, limit=_PAGE):
        for left in asked.left((chain.Record(*row) for row in page), by):
            execute(schema.SET_RECORD_TEXT, seq=left.seq, text=left.text)
            pruned.add(left)
        after = page[-1][0]
    dispatches = sum(len(execute(schema.DELETE_OLD_DISPATCHES, account=user, before_ms=before_ms)) for user in user_ids)
    month = f"{datetime.fromtimestamp(before_ms / 1000, UTC):%Y-%m}"
    names = [name for name, _ in execute(schema.GET_TEXT_KEYS)]
    # newest first: until an admin's run makes the next month's key, messages have the one before it
    for newer, name in pairwise(names):
        if newer.removeprefix(schema.TEXT_KEY) < month:
            execute(schema.DELETE_MARK, name=name)
    return {"dispatches": dispatches, **pruned.detail()}


def require_in_use(execute: Execute) -> None:
    """Raise LedgerRefused for a ledger that was moved to another place, or that is the copy of an unfinished move."""
    for name, value in execute(schema.GET_MARKS):
        raise refusal_of_mark(name, value)


def refusal_of_mark(name: str, value: str) -> LedgerRefused:
    """Return what to raise about a mark of `schema.GET_MARKS`."""
    if name == "moved_to":
        what = f"the ledger was moved to {value}"
        hint = f"set PROFILECTL_LEDGER={shlex.quote(value)}, or the key ledger in profilectl's config.toml"
    else:
        what = f"the ledger is the copy of an unfinished move from {value}"
        hint = "run the same `profilectl ledger migrate` there once more, which finishes it"
    return LedgerRefused(visible(what), hint=visible(hint))


def _origin(user_id: str, profile_id: str) -> str:
    return f"origin:{user_id}:{profile_id}"


def _pixels(user_id: str, digest: str) -> str:
    return f"{schema.PIXELS_NOTE}{user_id} {digest}"


def _note(name: str) -> str:
    return f"note:{name}"  # so that none can pass for the ledger's format or place


def _accounts(execute: Execute) -> tuple[LedgerAccount, ...]:
    brands: dict[tuple[str, str, str], list[str]] = {}
    for user_id, handle, x_host, brand in execute(schema.GET_BRANDS):
        brands.setdefault((user_id, handle, x_host), []).append(brand)
    return tuple(LedgerAccount(*account, tuple(keys)) for account, keys in brands.items())


def _summary(execute: Execute) -> LedgerSummary:
    newest = [chain.Record(*row) for row in execute(schema.GET_RECORDS_BACKWARDS, before=_BEYOND, limit=1)]
    seq, at_ms = (newest[0].seq, newest[0].event.at_ms) if newest else (0, 0)
    counts = dict(zip(_COUNTED, execute(schema.COUNT_ROWS)[0], strict=True))
    file_format = str(execute(schema.GET_FORMAT)[0][0])
    return LedgerSummary(file_format, _accounts(execute), **counts, last_seq=seq, last_ms=at_ms)


def _account_of(execute: Execute, brand: str) -> Account | None:
    rows = execute(schema.GET_ACCOUNT, brand=brand)
    return Account(*rows[0]) if rows else None


def _check_account(execute: Execute, brand: str, account: Account) -> Account | None:
    """Return what the brand's key stands for; WrongAccount when that isn't `account`."""
    known = _account_of(execute, brand)
    if known and (known.user_id, known.host) != (account.user_id, account.host):
        raise _wrong_account(brand, known, account)
    # a user id at two hosts is refused too: a test server's profiles would mix with real ones
    for other, *names in execute(schema.GET_OTHER_HOST, account=account.user_id, host=account.host):
        raise _wrong_account(other, Account(account.user_id, *names), account)
    return known


def _wrong_account(brand: str, known: Account, account: Account) -> WrongAccount:
    ours, theirs = (f"@{who.handle} (id {who.user_id} at {who.host})" for who in (known, account))
    hint = f"use the credentials of @{known.handle}, or set PROFILECTL_LEDGER to another path for a ledger of its own"
    return WrongAccount(
        visible(f"brand {brand} is {ours} in this ledger, but the credentials belong to {theirs}"), hint=visible(hint)
    )


def _state_of(execute: Execute, user_id: str) -> LedgerState:
    listings = {digest: frozenset(ids.split()) for digest, ids in execute(schema.GET_LISTINGS, account=user_id)}
    return LedgerState(
        bindings=tuple(map(schema.to_binding, execute(schema.GET_BINDINGS, account=user_id))),
        intents=tuple(schema.to_intent(row, listings) for row in execute(schema.GET_INTENTS, account=user_id)),
        retired=tuple(Retired(*row) for row in execute(schema.GET_RETIRED, account=user_id)),
        withdrawn=tuple(schema.to_withdrawn(row, listings) for row in execute(schema.GET_WITHDRAWN, account=user_id)),
        blocked=frozenset(agent for (agent,) in execute(schema.GET_BLOCKED, account=user_id)),
    )


def _open_intent(execute: Execute, user_id: str, nonce: str, *, also_withdrawn: bool = False) -> tuple[Intent, str]:
    """Return an open intent, its listing left out, and the listing's digest; LedgerConflict when there is none."""
    rows = execute(schema.GET_INTENT, account=user_id, nonce=nonce)
    if not rows and also_withdrawn:
        rows = execute(schema.GET_WITHDRAWN_INTENT, account=user_id, nonce=nonce)
    for row in rows:
        return schema.to_open_intent(row)
    hint = "run `profilectl sync`, which reads X's list again"
    raise LedgerConflict(f"the ledger has no open intent {nonce}", hint=hint)


def _close_intent(execute: Execute, user_id: str, intent: Intent, listing: str) -> str:
    """Close an intent, open or withdrawn, for good, and return its nonce."""
    execute(schema.DELETE_INTENT, account=user_id, nonce=intent.nonce)
    execute(schema.DELETE_WITHDRAWN, account=user_id, nonce=intent.nonce)
    execute(schema.DELETE_UNUSED_LISTING, digest=listing)
    return intent.nonce


def _binding(agent: str, profile: Profile, name: str, avatar: str, now_ms: int, *, protected: bool) -> Binding:
    # the name is the one that was asked for: X may keep another form, and plans compare the roster's
    shown = profile.avatar_url, profile.name
    return Binding(agent, profile.id, name, avatar, profile.created_ms, now_ms, protected, *shown)


def _binding_of(execute: Execute, user_id: str, agent: str) -> Binding:
    """Return the agent's binding; LedgerConflict when there is none."""
    for row in execute(schema.GET_BINDING, account=user_id, agent=agent):
        return schema.to_binding(row)
    hint = "`profilectl profiles list` shows who has"
    raise LedgerConflict(f"agent {visible(agent)} has no profile in this ledger", hint=hint)


def _bind(execute: Execute, user_id: str, binding: Binding) -> str | None:
    """Bind a profile that is unknown so far, retire the agent's former one and return its id, if there was one."""
    _require_unowned(execute, user_id, binding.profile_id)
    former = [schema.to_binding(row) for row in execute(schema.GET_BINDING, account=user_id, agent=binding.agent)]
    for replaced in former:
        _retire(execute, user_id, replaced, binding.bound_ms, "replaced")
    execute(schema.ADD_BINDING, account=user_id, **schema.columns(binding))
    return former[0].profile_id if former else None


def _require_unowned(execute: Execute, user_id: str, profile_id: str) -> None:
    for agent, _, state in execute(schema.GET_OWNER, account=user_id, profile_id=profile_id):
        raise LedgerConflict(f"profile {profile_id} is {state} already, for agent {agent}")


def _is_blocked(execute: Execute, user_id: str, agent: str) -> bool:
    return (agent,) in execute(schema.GET_BLOCKED, account=user_id)


def _retire(execute: Execute, user_id: str, binding: Binding, now_ms: int, why: str) -> Retired:
    retired = Retired(binding.profile_id, binding.agent, binding.name, now_ms, why)
    execute(schema.DELETE_BINDING, account=user_id, agent=binding.agent)
    execute(schema.DELETE_SIGHTING, account=user_id, profile_id=binding.profile_id)
    execute(schema.ADD_RETIRED, account=user_id, **schema.columns(retired))
    return retired


def _require_sender(execute: Execute, user_id: str, dispatch: Dispatch) -> None:
    """Make sure that the agent may still send, and with this profile; InputRefused if not."""
    # an offboarding or a sync may have ended between the caller's look and this transaction
    if _is_blocked(execute, user_id, dispatch.agent):
        raise InputRefused(f"{dispatch.agent} was offboarded meanwhile; nothing was sent", rule="offboarded")
    if dispatch.profile_id is None:
        return
    owners = execute(schema.GET_OWNER, account=user_id, profile_id=dispatch.profile_id)
    if not any(state == "bound" for _, _, state in owners):
        what = f"{dispatch.agent}'s face has changed meanwhile; nothing was sent"
        raise InputRefused(what, hint="run the same command again")


def _refused_since(execute: Execute, user_id: str) -> int | None:
    rows = execute(schema.GET_NOTE, name=f"{schema.REFUSED_NOTE}{user_id}")
    return int(rows[0][0]) if rows else None


def _retired_event(user_id: str, retired: Retired, **more: str) -> Event:
    detail = {"name": retired.name, "why": retired.why, **more}
    return Event("retired", user_id, retired.since_ms, retired.agent, retired.profile_id, detail)


def _intent_event(intent: Intent, what: str, user_id: str, at_ms: int, **more: str | int) -> Event:
    return Event(what, user_id, at_ms, intent.agent, detail={"nonce": intent.nonce, "name": intent.name, **more})


def _renamed_event(user_id: str, binding: Binding, former: str, now_ms: int) -> Event:
    # who was whom is asked by profile: from now on it is another key's, though nothing changed at X
    names = {"name": binding.name, "avatar": binding.avatar, "replaced": None, "nonce": None, "renamed_from": former}
    return Event("adopted", user_id, now_ms, binding.agent, binding.profile_id, names)


def _binding_event(what: str, user_id: str, binding: Binding, replaced: str | None, nonce: str | None) -> Event:
    # name and picture are in the record because the binding's row goes: "who was Alice then" is asked for years
    detail = {"name": binding.name, "avatar": binding.avatar, "replaced": replaced, "nonce": nonce}
    return Event(what, user_id, binding.bound_ms, binding.agent, binding.profile_id, detail)
