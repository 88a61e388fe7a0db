"""The deeds of a ledger on any SQL engine: each is one transaction, or part of a batch, its audit record inside.

An engine brings three things: how to read, how to open a transaction, and the run lock. What is read, checked and
written, and in which order, is said here once for all engines.
"""

from __future__ import annotations

from abc import abstractmethod
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from profilectl.audit import chain
from profilectl.errors import LedgerRefused, TryLater
from profilectl.ledger import rows, schema, steps
from profilectl.ledger.protocol import Ledger
from profilectl.ledger.reader import Reader
from profilectl.model import Binding, Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from profilectl.ledger.steps import Execute
    from profilectl.model import Account, Dispatch, Intent, Profile, Retired


@dataclass(slots=True)
class _Batch:
    """A transaction that several deeds share."""

    begin: Callable[[], Execute]
    execute: Execute | None = None
    is_broken: bool = False

    @contextmanager
    def joined(self) -> Iterator[Execute]:
        """Let a deed take part; when it fails, nothing of the batch is kept."""
        self.require_whole()
        self.is_broken = True
        self.execute = self.execute or self.begin()
        yield self.execute
        self.is_broken = False

    def require_whole(self) -> None:
        """Make sure that no deed has failed, for its half would be committed with the others."""
        if self.is_broken:
            raise LedgerRefused("a change of this batch has failed, so none of it is kept")


class Writer(Reader, Ledger):
    """The writing half; `base.Ledger` is its contract."""

    _batch: _Batch | None = None

    @property
    @abstractmethod
    def actor(self) -> str:
        """Who writes, as ``user@host``; part of every audit record."""

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[Execute]:
        """Begin; commit durably at the end, or roll everything back when an error leaves the block."""

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Make the deeds of the block one transaction, which begins with the first of them."""
        if self._batch is not None:
            raise LedgerRefused("a batch can't be part of another one")
        with ExitStack() as stack:
            self._batch = batch = _Batch(lambda: stack.enter_context(self._transaction()))
            try:
                yield
                batch.require_whole()
            finally:
                self._batch = None

    @property
    def _is_writing(self) -> bool:
        """Whether a transaction is open, which what is looked up has to take part in."""
        return self._batch is not None and self._batch.execute is not None

    def _deed(self) -> AbstractContextManager[Execute]:
        """Join the batch that is open, or begin a transaction."""
        return self._transaction() if self._batch is None else self._batch.joined()

    def register_account(self, brand: str, account: Account, now_ms: int) -> None:
        """Remember which account a brand's key stands for; WrongAccount before anything is written."""
        with self._deed() as execute:
            known = steps.check_account(execute, brand, account)
            if known == replace(account, access_level=None):
                return
            names = {"brand": brand, "handle": account.handle, "host": account.host}
            execute(schema.CLAIM, account=account.user_id, **names)
            self._append(execute, Event("claimed", account.user_id, now_ms, detail=names))

    def begin_intent(self, user_id: str, intent: Intent) -> None:
        """Open an intent and keep its listing."""
        with self._deed() as execute:
            if execute(schema.GET_INTENT_OF, account=user_id, agent=intent.agent):
                raise LedgerRefused(
                    f"{intent.agent} has an open intent already", hint="run `profilectl sync`, which settles it"
                )
            digest, ids = rows.listing(intent.listed)
            execute(schema.KEEP_LISTING, digest=digest, ids=ids)
            execute(schema.OPEN_INTENT, account=user_id, listing=digest, **rows.of_intent(intent))
            self._append(
                execute,
                steps.about(
                    intent, "intended", user_id, max(intent.begun_ms, intent.attempted_ms), attempt=intent.attempt
                ),
            )

    def reattempt(self, user_id: str, nonce: str, attempted_ms: int) -> None:
        """Count one more attempt of an intent."""
        with self._deed() as execute:
            intent, _ = steps.open_intent(execute, user_id, nonce)
            execute(schema.REATTEMPT, account=user_id, nonce=nonce, attempted_ms=attempted_ms)
            again = steps.about(intent, "reattempted", user_id, attempted_ms, attempt=intent.attempt + 1)
            self._append(execute, again)

    def mark_unknown(self, user_id: str, nonce: str, now_ms: int) -> None:
        """Let the settle time of an intent count from now."""
        with self._deed() as execute:
            intent, _ = steps.open_intent(execute, user_id, nonce)
            execute(schema.DOUBT, account=user_id, nonce=nonce, attempted_ms=now_ms)
            self._append(execute, steps.about(intent, "unanswered", user_id, now_ms))

    def finish_intent(self, user_id: str, nonce: str, profile: Profile, now_ms: int, *, adopted: bool) -> Binding:
        """Bind the new profile, retire the former one, close the intent."""
        with self._deed() as execute:
            intent, listing = steps.open_intent(execute, user_id, nonce)
            binding = Binding(
                agent=intent.agent,
                profile_id=profile.id,
                name=intent.name,
                avatar=intent.avatar,
                created_ms=profile.created_ms,
                bound_ms=now_ms,
                protected=intent.protected,
                avatar_url=profile.avatar_url,
            )
            replaced = steps.bind(execute, user_id, binding)
            steps.close(execute, user_id, nonce, listing)
            self._append(execute, steps.bound("adopted" if adopted else "created", user_id, binding, replaced, nonce))
        return binding

    def cancel_intent(self, user_id: str, nonce: str, why: str, now_ms: int) -> None:
        """Close an intent that made nothing."""
        with self._deed() as execute:
            intent, listing = steps.open_intent(execute, user_id, nonce)
            steps.close(execute, user_id, nonce, listing)
            self._append(execute, steps.about(intent, "withdrawn", user_id, now_ms, why=why))

    def adopt(
        self,
        user_id: str,
        agent: str,
        profile: Profile,
        *,
        avatar: str,
        protected: bool,
        now_ms: int,
    ) -> Binding:
        """Bind an existing profile on a person's word: the agent is allowed again, and an open intent is closed."""
        binding = Binding(
            agent=agent,
            profile_id=profile.id,
            name=profile.name,
            avatar=avatar,
            created_ms=profile.created_ms,
            bound_ms=now_ms,
            protected=protected,
            avatar_url=profile.avatar_url,
        )
        with self._deed() as execute:
            steps.take_back(execute, user_id, binding)
            replaced = steps.bind(execute, user_id, binding)
            nonce = steps.overrule(execute, user_id, agent)
            self._append(execute, steps.bound("adopted", user_id, binding, replaced, nonce))
            self._unblock(execute, user_id, agent, now_ms)
        return binding

    def retire(self, user_id: str, agent: str, now_ms: int) -> Retired:
        """Unbind a removed agent; its profile becomes retired."""
        with self._deed() as execute:
            retired = steps.retire(execute, user_id, steps.binding_of(execute, user_id, agent), now_ms, "removed")
            detail = {"name": retired.name, "why": retired.why}
            self._append(execute, Event("retired", user_id, now_ms, agent, retired.profile_id, detail))
        return retired

    def drop(self, user_id: str, profile_id: str, now_ms: int) -> None:
        """Remove the row of a profile that X has destroyed."""
        with self._deed() as execute:
            owner = execute(schema.GET_OWNER, account=user_id, profile_id=profile_id)
            agent, name, state = owner[0] if owner else (None, None, None)
            if state == "bound":
                execute(schema.UNBIND, account=user_id, agent=agent)
            execute(schema.UNRETIRE, account=user_id, profile_id=profile_id)
            self._append(execute, Event("destroyed", user_id, now_ms, agent, profile_id, {"name": name}))

    def forget(self, user_id: str, agent: str, now_ms: int) -> None:
        """Drop a binding and leave the profile at X."""
        with self._deed() as execute:
            binding = steps.binding_of(execute, user_id, agent)
            execute(schema.UNBIND, account=user_id, agent=agent)
            detail = {"name": binding.name}
            self._append(execute, Event("forgotten", user_id, now_ms, agent, binding.profile_id, detail))

    def protect(self, user_id: str, agent: str, *, protected: bool) -> None:
        """Remember whether a bound agent outlives its roster entry."""
        with self._deed() as execute:
            steps.binding_of(execute, user_id, agent)
            execute(schema.PROTECT, account=user_id, agent=agent, protected=int(protected))

    def begin_send(self, user_id: str, dispatch: Dispatch, former: Dispatch | None) -> None:
        """Open a dispatch in place of a former one; TryLater when the key stands for something else by now."""
        promised = {"account": user_id, **rows.of_dispatch(dispatch)}
        with self._deed() as execute:
            steps.require_speaker(execute, user_id, dispatch)
            if former is None:
                is_ours = execute(schema.PROMISE, **promised)
            else:
                is_ours = execute(schema.OVERWRITE, former=former.nonce, **promised)
            if not is_ours:
                raise TryLater(
                    "the same message is being sent by another process right now", hint="look whether it has arrived"
                )

    def finish_send(self, user_id: str, dispatch: Dispatch, event: Event) -> None:
        """Close a dispatch with the message that it became."""
        with self._deed() as execute:
            ended = {"event_id": dispatch.event_id, "confirmed": int(dispatch.confirmed)}
            execute(schema.CONCLUDE, account=user_id, key=dispatch.key, nonce=dispatch.nonce, **ended)
            execute(schema.DELIVER, account=user_id, event_id=dispatch.event_id)
            if dispatch.confirmed and dispatch.profile_id is not None:
                execute(schema.SEE, account=user_id, profile_id=dispatch.profile_id, seen_ms=event.at_ms)
            self._append(execute, event)

    def cancel_send(self, user_id: str, dispatch: Dispatch) -> None:
        """Forget an open dispatch."""
        with self._deed() as execute:
            execute(schema.TAKE_BACK, account=user_id, key=dispatch.key, nonce=dispatch.nonce)

    def mark_seen(self, user_id: str, profile_id: str, now_ms: int) -> None:
        """Note that X has shown a profile."""
        with self._deed() as execute:
            execute(schema.SEE, account=user_id, profile_id=profile_id, seen_ms=now_ms)

    def block(self, user_id: str, agent: str, now_ms: int) -> None:
        """Let nobody speak as an agent."""
        with self._deed() as execute:
            execute(schema.BLOCK, account=user_id, agent=agent)
            self._append(execute, Event("blocked", user_id, now_ms, agent))

    def unblock(self, user_id: str, agent: str, now_ms: int) -> None:
        """Allow an agent again."""
        with self._deed() as execute:
            self._unblock(execute, user_id, agent, now_ms)

    def _unblock(self, execute: Execute, user_id: str, agent: str, now_ms: int) -> None:
        if (agent,) in execute(schema.GET_BLOCKED, account=user_id):
            execute(schema.UNBLOCK, account=user_id, agent=agent)
            self._append(execute, Event("unblocked", user_id, now_ms, agent))

    def record(self, event: Event) -> None:
        """Add an event to the audit trail."""
        with self._deed() as execute:
            self._append(execute, event)

    def _append(self, execute: Execute, event: Event) -> None:
        head = execute(schema.GET_HEAD)
        seq, prev_hash = head[0] if head else (0, chain.GENESIS)
        record = chain.seal(event, self.actor, seq=seq + 1, prev_hash=prev_hash)
        execute(schema.ADD_RECORD, seq=record.seq, prev_hash=record.prev_hash, hash=record.hash, text=record.text)
