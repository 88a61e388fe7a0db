"""Carrying a plan out: the main thread writes the ledger, workers only talk to X.

An intent is durable before its create is handed out, and what comes back is settled before anything else is done for
that agent. Whatever happens in between, the next run finds an intent and settles it from X's list.
"""

from __future__ import annotations

import secrets
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from profilectl.changes import Action, Change
from profilectl.errors import CredentialsError, Fate, LedgerRefused, RateLimited, RemoteError
from profilectl.model import Intent
from profilectl.outcomes import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from profilectl.errors import ProfilectlError
    from profilectl.model import PreparedPicture, Profile
    from profilectl.plan import Plan
    from profilectl.ports import Patience, Records, Remote, Station, Stop

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
    change: Change
    intent: Intent
    tries: int = 1
    error: RemoteError | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    profile: Profile | None = None
    error: RemoteError | None = None
    sent: bool = False  # whether the create itself left


def _make(remote: Remote, name: str, picture: PreparedPicture) -> _Answer:
    """Upload and create, in a worker; the only code of this room that runs beside the main thread."""
    try:
        media_id = remote.upload(picture.content, picture.media_type)
    except RemoteError as error:
        return _Answer(error=error)
    try:
        return _Answer(profile=remote.create_profile(name, media_id), sent=True)
    except RemoteError as error:
        return _Answer(error=error, sent=True)


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
    postponed: list[_Attempt] = field(default_factory=list)  # surely not applied, worth another try
    halted: ProfilectlError | None = None  # why nothing more is begun
    failed: bool = False  # a create failed or is in doubt: nothing is destroyed in this run
    replaced: list[Change] = field(default_factory=list)
    listed: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.listed = self.station.situation.listed()

    def now(self) -> int:
        return self.station.remote.now_ms()

    def carry_out(self, changes: list[Change]) -> Iterator[Outcome]:
        for change in changes:
            if change.action is Action.BLOCKED:
                self.failed = self.failed or change.why != ("namesake",)  # a stranger in the way leaves no doubt
                yield Outcome(change, Status.SKIPPED, change.profile_id)
            elif change.action is Action.ADOPT:
                yield self._adopt(change)
        yield from self._create([change for change in changes if change.creates])
        removals = [change for change in changes if change.action in {Action.DELETE, Action.DESTROY}]
        yield from self._remove(removals)

    def _adopt(self, change: Change) -> Outcome:
        holdings = self.station.situation.holdings
        intent = next(one for one in holdings.intents if one.agent == change.agent)
        profile = next(one for one in self.station.situation.profiles if one.id == change.profile_id)
        self.records.settle(self.station.user_id, intent.nonce, profile, self.now(), adopted=True)
        return Outcome(change, Status.DONE, profile.id)

    def _create(self, changes: list[Change]) -> Iterator[Outcome]:
        waiting = deque(changes)
        flying: dict[Future[_Answer], _Attempt] = {}
        with ThreadPoolExecutor(self.jobs, thread_name_prefix="create") as pool:
            while waiting or flying or self.postponed:
                while len(flying) < self.jobs and (attempt := self._next(waiting)) is not None:
                    flying[self._hand_out(pool, attempt)] = attempt
                if flying:
                    done, _ = wait(flying, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield from self._conclude(flying.pop(future), future.result())
                elif again := self._try_again():
                    flying |= {self._hand_out(pool, attempt): attempt for attempt in again}
                else:
                    break
        yield from self._give_up(waiting)

    def _next(self, waiting: deque[Change]) -> _Attempt | None:
        """Take the next change whose name is free, and make its intent durable."""
        if self.stop.requested or self.halted is not None or self.postponed:
            return None
        for change in waiting:
            if change.goal.name not in self.names_in_use:
                waiting.remove(change)
                return self._intend(change)
        return None

    def _intend(self, change: Change) -> _Attempt:
        now = self.now()
        intent = Intent(
            nonce=secrets.token_hex(8),
            agent=change.agent,
            name=change.goal.name,
            avatar=change.goal.avatar,
            listed=self.listed,
            begun_ms=now,
            attempted_ms=now,
            protected=change.agent in self.protected,
            perceptual_hash=self.prepared[change.goal.avatar].perceptual_hash,
        )
        self.records.intend(self.station.user_id, intent)
        self.names_in_use.add(intent.name)
        return _Attempt(change, intent)

    def _hand_out(self, pool: ThreadPoolExecutor, attempt: _Attempt) -> Future[_Answer]:
        picture = self.prepared[attempt.intent.avatar]
        return pool.submit(_make, self.station.remote, attempt.intent.name, picture)

    def _conclude(self, attempt: _Attempt, answer: _Answer) -> Iterator[Outcome]:
        """Make durable what came back, before anything else is done for this agent."""
        error = answer.error
        if answer.profile is not None:
            yield self._settle(attempt, answer.profile)
        elif error is None or (answer.sent and error.fate is Fate.UNKNOWN):
            self.failed = True  # the intent stays open, and its name stays in use
            yield Outcome(attempt.change, Status.UNKNOWN, error=error)
        elif answer.sent and error.fate is Fate.NOT_APPLIED and attempt.tries < _MOST_TRIES:
            attempt.error = error
            self.postponed.append(attempt)
        else:
            yield self._withdraw(attempt, error)

    def _settle(self, attempt: _Attempt, profile: Profile) -> Outcome:
        try:
            self.records.settle(self.station.user_id, attempt.intent.nonce, profile, self.now(), adopted=False)
        except LedgerRefused as error:
            error.hint = f"X made profile {profile.id} for {attempt.change.agent}; the next sync binds it by itself"
            raise
        self.names_in_use.discard(attempt.intent.name)
        if attempt.change.action is Action.REPLACE:
            self.replaced.append(attempt.change)
        return Outcome(attempt.change, Status.DONE, profile.id)

    def _withdraw(self, attempt: _Attempt, error: RemoteError) -> Outcome:
        """Close the intent of a create that surely made nothing."""
        self.failed = True
        self.records.withdraw(self.station.user_id, attempt.intent.nonce, str(error), self.now())
        self.names_in_use.discard(attempt.intent.name)
        if isinstance(error, (CredentialsError, RateLimited)):
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
            self.records.reattempt(self.station.user_id, attempt.intent.nonce, self.now())
        return again

    def _pause(self, attempt: _Attempt) -> float:
        if attempt.error is not None and attempt.error.retry_at is not None:
            return max(1.0, attempt.error.retry_at.timestamp() - self.now() / 1000)
        return float(2 ** (attempt.tries - 1))

    def _give_up(self, waiting: Iterable[Change]) -> Iterator[Outcome]:
        for attempt in self.postponed:
            if attempt.error is not None:
                yield self._withdraw(attempt, attempt.error)
        self.postponed = []
        for change in waiting:
            self.failed = True
            yield Outcome(change, Status.SKIPPED, error=self.halted)

    def _remove(self, removals: list[Change]) -> Iterator[Outcome]:
        """Destroy what nobody uses any more, unless an agent of this brand is still without its new face."""
        if self.failed or self.stop.requested:
            yield from (Outcome(change, Status.SKIPPED, change.profile_id) for change in removals)
            return
        if self.prune_at_once:
            for change in self.replaced:
                self._destroy(change)
        for change in removals:
            if self.stop.requested or self.halted is not None:
                yield Outcome(change, Status.SKIPPED, change.profile_id, self.halted)
                continue
            if change.action is Action.DELETE:
                self.records.retire(self.station.user_id, change.agent, self.now())
            yield self._destroy(change)

    def _destroy(self, change: Change) -> Outcome:
        """Destroy a retired profile; when X doesn't answer, it stays retired and the next run goes on."""
        profile_id = change.profile_id or ""
        try:
            self.station.remote.destroy_profile(profile_id)
        except RemoteError as error:
            if isinstance(error, (CredentialsError, RateLimited)):
                self.halted = error
            return Outcome(change, Status.FAILED, profile_id, error)
        self.records.drop(self.station.user_id, profile_id, self.now())
        return Outcome(change, Status.DONE, profile_id)
