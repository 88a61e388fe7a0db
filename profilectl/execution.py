"""Carrying a plan out: the main thread writes the ledger, workers only talk to X.

An intent is durable right before its create is handed out, and what comes back is settled before anything else is
done for that agent. Whatever happens in between, the next run finds an intent and settles it from X's list.
"""

from __future__ import annotations

import secrets
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from profilectl.changes import Action, Change
from profilectl.errors import CredentialsError, Fate, LedgerRefused, RateLimited, RemoteError
from profilectl.model import Intent
from profilectl.outcomes import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from profilectl.errors import ProfilectlError
    from profilectl.model import PreparedPicture, Profile
    from profilectl.plan import Plan
    from profilectl.ports import Patience, Records, Station, Stop

_LONGEST_CALL_MS = 30_000  # a request of a run that is killed may be applied this much later
_MOST_TRIES = 3  # of a create that surely wasn't applied


def apply(
    plan: Plan,
    stations: Mapping[str, Station],
    records: Records,
    prepared: Mapping[str, PreparedPicture],
    *,
    jobs: int,
    stop: Stop,
    patience: Patience,
    prune_at_once: bool,
) -> Iterator[Outcome]:
    """Carry the plan out, brand after brand; yields each step's outcome as soon as it is durable.

    Args:
        plan: what to do; its withdrawals and protections are written first.
        stations: one per brand of the plan.
        records: the ledger, used from the calling thread only.
        prepared: the pictures to upload, by the digest of their source file.
        jobs: how many creates may be on the wire at once.
        stop: looked at before every step.
        patience: how waits for X are made, and how long they may be.
        prune_at_once: whether a replaced profile is destroyed without grace.

    Raises:
        LedgerRefused: the ledger can't be written; intents that are open then are settled by the next run.
    """
    for brand, station in stations.items():
        protected = frozenset(agent for one, agent in plan.protected if one == brand)
        run = _BrandRun(station, records, prepared, jobs, stop, patience, protected, prune_at_once=prune_at_once)
        for _, nonce in (pair for pair in plan.withdrawals if pair[0] == brand):
            records.withdraw(station.user_id, nonce, "not in X's list after the settle time", run.now())
        for _, agent, value in (one for one in plan.protections if one[0] == brand):
            records.protect(station.user_id, agent, protected=value)
        yield from run.carry_out([change for change in plan.changes if change.brand == brand])


@dataclass(slots=True)
class _Attempt:
    """One create on its way: uploaded first, so that nothing comes between its intent and its request."""

    change: Change
    media_id: str = ""
    intent: Intent | None = None
    tries: int = 1
    error: RemoteError | None = None


@dataclass(slots=True)
class _BrandRun:
    """One brand's share of one run."""

    station: Station
    records: Records
    prepared: Mapping[str, PreparedPicture]
    jobs: int
    stop: Stop
    patience: Patience
    protected: frozenset[str]
    prune_at_once: bool = field(kw_only=True)
    names_in_use: set[str] = field(default_factory=set)  # one name at a time, so that adoption stays unambiguous
    uploaded: deque[_Attempt] = field(default_factory=deque)  # the next thing is their create
    postponed: list[_Attempt] = field(default_factory=list)  # surely not applied, worth another try
    replaced: list[Change] = field(default_factory=list)
    halted: ProfilectlError | None = None  # why nothing more is begun
    upload_limit: RateLimited | None = None  # why no further picture is uploaded; what is uploaded is still made
    removals_forbidden: bool = False  # an agent may be without its new face
    listed: frozenset[str] = field(init=False)  # by X, before the first create of the run

    def __post_init__(self) -> None:
        self.listed = self.station.situation.listed()

    def now(self) -> int:
        return self.station.remote.now_ms()

    def carry_out(self, changes: list[Change]) -> Iterator[Outcome]:
        for change in changes:
            if change.action is Action.BLOCKED:
                self.removals_forbidden |= change.why in {("ambiguous",), ("unsettled",)}  # the others leave no doubt
                yield Outcome(change, Status.SKIPPED, change.profile_id)
            elif change.action is Action.ADOPT:
                yield self._adopt(change)
        yield from self._create(deque(change for change in changes if change.creates))
        yield from self._remove([change for change in changes if change.action in {Action.DELETE, Action.DESTROY}])

    def _adopt(self, change: Change) -> Outcome:
        situation, user_id = self.station.situation, self.station.user_id
        intent = next(one for one in situation.holdings.intents if one.agent == change.agent)
        profile = next(one for one in situation.profiles if one.id == change.profile_id)
        self.records.settle(user_id, intent.nonce, profile, self.now(), adopted=True)
        if change.agent in self.protected and not intent.protected:
            self.records.protect(user_id, change.agent, protected=True)
        return Outcome(change, Status.DONE, profile.id)

    def _create(self, waiting: deque[Change]) -> Iterator[Outcome]:
        flying: dict[Future[Any], _Attempt] = {}
        with ThreadPoolExecutor(self.jobs, thread_name_prefix="create") as pool:
            while waiting or flying or self.uploaded or self.postponed:
                while len(flying) < self.jobs and (attempt := self._next(waiting)) is not None:
                    flying[self._hand_out(pool, attempt)] = attempt
                if flying:
                    for future in wait(flying, return_when=FIRST_COMPLETED).done:
                        yield from self._conclude(flying.pop(future), future)
                elif again := self._try_again():
                    flying |= {self._hand_out(pool, attempt): attempt for attempt in again}
                else:
                    break
        yield from self._give_up(waiting)

    def _next(self, waiting: deque[Change]) -> _Attempt | None:
        """Take what is uploaded and make its intent durable, or take the next change whose name is free."""
        if self.halted is not None or any(isinstance(one.error, RateLimited) for one in self.postponed):
            return None  # X said no to a create, so it would to the next one
        if self.uploaded:
            return self._intend(self.uploaded.popleft())
        if self.stop.requested or self.postponed or self.upload_limit is not None:
            return None
        for change in waiting:
            if change.goal.name not in self.names_in_use:
                waiting.remove(change)
                self.names_in_use.add(change.goal.name)
                return _Attempt(change)
        return None

    def _intend(self, attempt: _Attempt) -> _Attempt:
        now, goal = self.now(), attempt.change.goal
        attempt.intent = Intent(
            nonce=secrets.token_hex(8),
            agent=attempt.change.agent,
            name=goal.name,
            avatar=goal.avatar,
            listed=self.listed,
            begun_ms=now,
            attempted_ms=now + _LONGEST_CALL_MS,
            protected=attempt.change.agent in self.protected,
            perceptual_hash=self.prepared[goal.avatar].perceptual_hash,
        )
        self.records.intend(self.station.user_id, attempt.intent)
        return attempt

    def _hand_out(self, pool: ThreadPoolExecutor, attempt: _Attempt) -> Future[Any]:
        remote, goal = self.station.remote, attempt.change.goal
        if attempt.intent is not None:
            return pool.submit(remote.create_profile, goal.name, attempt.media_id)
        picture = self.prepared[goal.avatar]
        return pool.submit(remote.upload, picture.content, picture.media_type)

    def _conclude(self, attempt: _Attempt, future: Future[Any]) -> Iterator[Outcome]:
        """Make durable what came back, before anything else is done for this agent."""
        try:
            answer = future.result()
        except RemoteError as error:
            yield from self._conclude_failure(attempt, error)
        else:
            if attempt.intent is not None:
                yield self._settle(attempt, attempt.intent, answer)
            else:
                attempt.media_id = answer
                self.uploaded.append(attempt)

    def _conclude_failure(self, attempt: _Attempt, error: RemoteError) -> Iterator[Outcome]:
        intent = attempt.intent
        if intent is not None and error.fate is Fate.UNKNOWN:
            self.removals_forbidden = True
            self.records.doubt(self.station.user_id, intent.nonce, self.now())  # its name stays in use
            yield Outcome(attempt.change, Status.UNKNOWN, error=error)
        elif intent is not None and error.fate is Fate.NOT_APPLIED and attempt.tries < _MOST_TRIES:
            attempt.error = error
            self.postponed.append(attempt)
        else:
            yield self._withdraw(attempt, error)

    def _settle(self, attempt: _Attempt, intent: Intent, profile: Profile) -> Outcome:
        try:
            self.records.settle(self.station.user_id, intent.nonce, profile, self.now(), adopted=False)
        except LedgerRefused as error:
            error.hint = f"X made profile {profile.id} for {attempt.change.agent}; the next sync binds it by itself"
            raise
        self.names_in_use.discard(intent.name)
        if attempt.change.action is Action.REPLACE:
            self.replaced.append(attempt.change)
        return Outcome(attempt.change, Status.DONE, profile.id)

    def _withdraw(self, attempt: _Attempt, error: RemoteError) -> Outcome:
        """Close the intent, if there is one already, of a create that surely made nothing."""
        self.removals_forbidden = True
        if attempt.intent is not None:
            self.records.withdraw(self.station.user_id, attempt.intent.nonce, str(error), self.now())
        self.names_in_use.discard(attempt.change.goal.name)
        if isinstance(error, RateLimited) and attempt.intent is None:
            self.upload_limit = error
        elif isinstance(error, (CredentialsError, RateLimited)):
            self.halted = error
        status = Status.SKIPPED if isinstance(error, RateLimited) else Status.FAILED
        return Outcome(attempt.change, status, error=error)

    def _try_again(self) -> list[_Attempt]:
        """Wait for X, then write each intent anew: the settle time counts from the last attempt."""
        if not self.postponed or self.stop.requested or self.halted is not None:
            return []
        if not self.patience(max(self._pause(attempt) for attempt in self.postponed), "for X"):
            return []
        again, self.postponed = self.postponed, []
        for attempt in again:
            attempt.tries += 1
            if attempt.intent is not None:
                self.records.reattempt(self.station.user_id, attempt.intent.nonce, self.now() + _LONGEST_CALL_MS)
        return again

    def _pause(self, attempt: _Attempt) -> float:
        if attempt.error is not None and attempt.error.retry_at is not None:
            return max(1.0, attempt.error.retry_at.timestamp() - self.now() / 1000)
        return float(2 ** (attempt.tries - 1))

    def _give_up(self, waiting: Iterable[Change]) -> Iterator[Outcome]:
        """End what was begun but not sent, and tell of what wasn't begun."""
        for attempt in self.postponed:
            if attempt.error is not None:
                self.halted = self.halted or attempt.error
                yield self._withdraw(attempt, attempt.error)
        self.postponed = []
        for change in (*(attempt.change for attempt in self.uploaded), *waiting):
            self.removals_forbidden = True
            yield Outcome(change, Status.SKIPPED, error=self.halted or self.upload_limit)

    def _remove(self, removals: list[Change]) -> Iterator[Outcome]:
        """Destroy what nobody uses any more, unless an agent of this brand may be without its new face."""
        for change in self.replaced if self.prune_at_once else ():
            end = Change(change.brand, change.agent, Action.DESTROY, ("replaced",), change.profile_id)
            outcome = self._remove_one(end)
            if outcome.status is not Status.DONE:  # otherwise a part of the replacement
                yield outcome
        for change in removals:
            yield self._remove_one(change)

    def _remove_one(self, change: Change) -> Outcome:
        if self.removals_forbidden or self.stop.requested or self.halted is not None:
            return Outcome(change, Status.SKIPPED, change.profile_id, self.halted or self.upload_limit)
        if change.action is Action.DELETE:
            self.records.retire(self.station.user_id, change.agent, self.now())
        return self._destroy(change)

    def _destroy(self, change: Change) -> Outcome:
        """Destroy a retired profile; when X doesn't answer, it stays retired and the next run goes on."""
        profile_id = change.profile_id or ""
        try:
            self.station.remote.destroy_profile(profile_id)
        except RemoteError as error:
            if isinstance(error, (CredentialsError, RateLimited)):
                self.halted = error
            status = Status.SKIPPED if isinstance(error, RateLimited) else Status.FAILED
            return Outcome(change, status, profile_id, error)
        self.records.drop(self.station.user_id, profile_id, self.now())
        return Outcome(change, Status.DONE, profile_id)
