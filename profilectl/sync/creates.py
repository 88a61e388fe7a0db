"""One brand's creates: pictures and profiles overlap on the wire, while the main thread writes the ledger.

The results of finished calls and the intents of the creates that leave next are one transaction, written while the
workers upload the pictures of later agents. An intent is durable before its create is handed out, and an outcome is
durable before it is yielded.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from profilectl.errors import (
    CredentialsError,
    Fate,
    LedgerConflict,
    LedgerRefused,
    OutcomeUnknown,
    ProfilectlError,
    RateLimited,
    RemoteError,
    TryLater,
)
from profilectl.model import Binding, Intent, LocalTime, PreparedPicture, Profile
from profilectl.plan.changes import Action
from profilectl.sync.outcomes import Outcome, Status, other_spelling
from profilectl.text.names import as_compared

if TYPE_CHECKING:
    from profilectl.ledger.protocol import Ledger
    from profilectl.plan.changes import Change
    from profilectl.sync.ports import BrandTarget, Stop, Wait
    from profilectl.sync.quota import CallBudget

_LONGEST_CALL_MS = 30_000  # a request of a run that is killed may be applied this much after it left
_LONGEST_REST_MS = 5_000  # a create leaves at most this much after its intent, or the intent is renewed
_LONG_AGO = LocalTime("", 0)
_MOST_TRIES = 3  # of a create that surely wasn't applied


@dataclass(slots=True)
class _Attempt:
    """One create on its way: picture first, then the intent, then the request."""

    change: Change
    media_id: str = ""
    intent: Intent | None = None
    leaves_by_ms: int = 0  # X's clock: later than that its intent has to be written anew
    leaves_by: LocalTime = _LONG_AGO  # the same by this machine's clock, as X's may be set back
    renewals: int = 0  # of its intent
    tries: int = 1
    error: RemoteError | None = None


@dataclass(slots=True)
class CreateRun:
    """The creates of one brand in one run, and what the rest of the run has to know about them."""

    target: BrandTarget
    ledger: Ledger
    prepared: dict[
        str, PreparedPicture
    ]  # by the digest of the source file; all of them, unless some are uploaded ahead
    jobs: int
    stop: Stop
    wait: Wait
    protected: frozenset[str]
    budget: CallBudget | None = None  # None where X's limits aren't known
    waiting: deque[Change] = field(default_factory=deque)  # nothing of theirs has begun
    in_flight: dict[Future[Any], _Attempt] = field(default_factory=dict)  # one for each busy worker
    uploaded: deque[_Attempt] = field(default_factory=deque)  # their next step is the intent
    intended: deque[_Attempt] = field(default_factory=deque)  # their next step is the create
    postponed: list[_Attempt] = field(default_factory=list)  # surely not applied, worth another try
    names_in_use: set[str] = field(default_factory=set)  # one name at a time, so that adoption stays unambiguous
    replaced: list[Change] = field(default_factory=list)
    proven: set[str] = field(default_factory=set)  # agents of whose present profile X itself has told in this run
    halted: ProfilectlError | None = None  # why nothing more is begun
    upload_limit: RateLimited | None = None  # why nothing more is uploaded; what is uploaded is still made
    left_doubt: bool = False  # an agent may be without its new name or picture
    listed: frozenset[str] = field(init=False)  # by X, before the first create of the run
    pool: ThreadPoolExecutor | None = None  # once something was uploaded ahead
    early: list[Outcome] = field(default_factory=list)  # of pictures that couldn't be uploaded ahead
    least_ahead_ms: int | None = field(init=False)  # X's clock before this machine's, by the lowest Date; None: unknown

    def __post_init__(self) -> None:
        observation = self.target.observation
        self.listed = observation.listed()
        self.least_ahead_ms = observation.observed_ms - observation.local.ms if observation.local.boot else None

    def upload_ahead(self, changes: Iterable[Change], pictures: Iterable[tuple[str, Future[PreparedPicture]]]) -> None:
        """Upload the pictures of changes as they get ready, until all of them are, or one of them can't be used.

        Nothing is written or created: that is for `carry_out` to do. `pictures` have the digests of their files, in the
        order of the changes.
        """
        self.waiting.extend(changes)
        self.pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="create")
        try:
            for digest, picture in pictures:
                while not picture.done() and not self.stop.requested:
                    self._hand_out(self.pool)
                    self._take_uploads(wait({picture, *self.in_flight}, return_when=FIRST_COMPLETED).done)
                if self.stop.requested or picture.exception() is not None:
                    break
                self.prepared[digest] = picture.result()
        except BaseException:
            self.give_up()
            raise

    def give_up(self) -> None:
        """End what was uploaded ahead, because the run is refused."""
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)

    def _take_uploads(self, done: Collection[Future[Any]]) -> None:
        for future in tuple(self.in_flight):
            if future in done:
                self.early += self._finish(self.in_flight.pop(future), future, {})

    def carry_out(self, changes: Iterable[Change]) -> Iterator[Outcome]:
        """Create or replace profiles; yields each outcome as soon as it is durable.

        What was uploaded ahead is of the same changes.
        """
        if self.pool is None:
            self.waiting.extend(changes)
        yield from self.early
        returned: list[tuple[_Attempt, Future[Any]]] = []
        with self.pool or ThreadPoolExecutor(self.jobs, thread_name_prefix="create") as pool:
            while True:
                if all(future.exception() is None for _, future in returned):
                    self._hand_out(pool)  # before anything is written, so that workers don't wait for the disk
                outcomes = self._write(returned)
                self._hand_out(pool)
                yield from outcomes
                if self.in_flight:
                    returned = self._returned()
                elif self._can_go_on():
                    returned = []
                else:
                    break
        yield from self._end()

    # Threads

    def _hand_out(self, pool: ThreadPoolExecutor) -> None:
        remote = self.target.remote
        while len(self.in_flight) < self.jobs and (attempt := self._next()) is not None:
            goal = attempt.change.goal
            if attempt.intent is not None:
                future: Future[Any] = pool.submit(
                    remote.create_profile, goal.name, attempt.media_id, attempt.leaves_by_ms
                )
            else:
                picture = self.prepared[goal.avatar]
                future = pool.submit(remote.upload, picture.content, picture.media_type)
            self.in_flight[future] = attempt

    def _next(self) -> _Attempt | None:
        """Take a create whose intent is written, or else the next change whose name is free."""
        if self._is_refused():
            return None
        if self.intended:
            return self.intended.popleft() if self._is_fresh(self.intended[0]) else None
        if self.stop.requested or self.postponed or self.upload_limit is not None:
            return None
        change = next((change for change in self.waiting if _name_of(change) not in self.names_in_use), None)
        if change is None or change.goal.avatar not in self.prepared:
            return None
        if self.budget is not None and not self.budget.take_create(self._now()):
            return None
        self.waiting.remove(change)
        self.names_in_use.add(_name_of(change))
        return _Attempt(change)

    def _is_refused(self) -> bool:
        # the limit or the credentials that X refused one create for are those of the next one, too
        return self.halted is not None or any(isinstance(attempt.error, RateLimited) for attempt in self.postponed)

    def _returned(self) -> list[tuple[_Attempt, Future[Any]]]:
        """Wait until a worker is free, and return the calls that have ended, in the order in which they began."""
        done = wait(self.in_flight, return_when=FIRST_COMPLETED).done
        return [(self.in_flight.pop(future), future) for future in tuple(self.in_flight) if future in done]

    # The ledger

    def _write(self, returned: list[tuple[_Attempt, Future[Any]]]) -> list[Outcome]:
        """Write what came back, and the intents of what leaves next, in one transaction."""
        made: dict[str, str] = {}  # agent: profile id
        outcomes: list[Outcome] = []
        try:
            with self.ledger.batch():
                for attempt, future in returned:
                    outcomes += self._finish(attempt, future, made)
                outcomes += self._write_intents()
        except (LedgerRefused, TryLater) as error:
            if made:
                raise error.with_hint(_hint(made)) from error
            raise
        return outcomes

    def _write_intents(self) -> Iterator[Outcome]:
        """Write the intents of as many creates as there are workers, and renew those that have waited for too long.

        Yields the outcomes of those that the ledger doesn't take any more.
        """
        if self._is_refused() or (self.stop.requested and self.pool is not None):
            return  # of hundreds that were uploaded ahead, none is created after a stop
        creating = sum(attempt.intent is not None for attempt in self.in_flight.values())
        while self.uploaded and creating + len(self.intended) < self.jobs:
            attempt = self.uploaded.popleft()
            try:
                self._intend(attempt)
            except LedgerConflict as error:  # one agent's matter, such as an offboarding: the others go on
                attempt.intent = None
                yield self._withdraw(attempt, error)
                continue
            self.intended.append(attempt)
        for attempt in list(self.intended)[: self.jobs - len(self.in_flight)]:
            if attempt.intent is not None and not self._is_fresh(attempt) and not self.stop.requested:
                attempt.renewals += 1
                self.ledger.reattempt(self.target.user_id, attempt.intent.nonce, *self._over_by(attempt))

    def _intend(self, attempt: _Attempt) -> None:
        goal, agent = attempt.change.goal, attempt.change.agent
        over_by_ms, local = self._over_by(attempt)
        attempt.intent = Intent(
            nonce=secrets.token_hex(8),
            agent=agent,
            name=goal.name,
            avatar=goal.avatar,
            listed=self.listed,
            begun_ms=self._begun_ms(),
            attempted_ms=over_by_ms,
            protected=agent in self.protected,
            picture=self.prepared[goal.avatar].signature,
            made_by=self.prepared[goal.avatar].made_by,
            boot=local.boot,
            attempted_local_ms=local.ms,
        )
        self.ledger.begin_intent(self.target.user_id, attempt.intent)

    def _begun_ms(self) -> int:
        """Return X's time, a lower bound, as long as one Date header of this run didn't jump ahead."""
        # too late a moment would make what this create makes older than its intent, and so a stranger's
        now_ms, local = self._now(), self.target.remote.local_time()
        return now_ms if self.least_ahead_ms is None else min(now_ms, self.least_ahead_ms + local.ms)

    def _over_by(self, attempt: _Attempt) -> tuple[int, LocalTime]:
        """Return when a create that is intended now is over at the latest, and remember when it has to leave.

        By X's clock and by this machine's.
        """
        rest_ms = _LONGEST_REST_MS << attempt.renewals  # or a disk that takes longer would have us renew for ever
        local = self.target.remote.local_time()
        attempt.leaves_by_ms = self._now() + rest_ms
        attempt.leaves_by = LocalTime(local.boot, local.ms + rest_ms)
        return attempt.leaves_by_ms + _LONGEST_CALL_MS, LocalTime(local.boot, local.ms + rest_ms + _LONGEST_CALL_MS)

    def _is_fresh(self, attempt: _Attempt) -> bool:
        return self._now() <= attempt.leaves_by_ms and self.target.remote.local_time().ms <= attempt.leaves_by.ms

    def _now(self) -> int:
        now_ms, local = self.target.remote.now_ms(), self.target.remote.local_time()
        if self.least_ahead_ms is not None:
            self.least_ahead_ms = min(self.least_ahead_ms, now_ms - local.ms)
        return now_ms

    def _finish(self, attempt: _Attempt, future: Future[Any], made: dict[str, str]) -> Iterator[Outcome]:
        try:
            answer = future.result()
        except RemoteError as error:
            yield from self._finish_failure(attempt, error)
            return
        if attempt.intent is None:
            attempt.media_id = answer
            self.uploaded.append(attempt)
        else:
            made[attempt.change.agent] = answer.id
            yield self._settle(attempt, attempt.intent, answer)

    def _finish_failure(self, attempt: _Attempt, error: RemoteError) -> Iterator[Outcome]:
        if self.ledger.seconds_held() <= 0:  # then X wasn't even asked, and what the ledger says comes first
            self.ledger.require_held()
        intent = attempt.intent
        if intent is not None and error.fate is Fate.UNKNOWN:
            yield self._leave_open(attempt, intent, error)
        elif intent is not None and error.fate is Fate.NOT_APPLIED and attempt.tries < _MOST_TRIES:
            attempt.error = error
            self.postponed.append(attempt)
        else:
            yield self._withdraw(attempt, error)

    def _leave_open(self, attempt: _Attempt, intent: Intent, error: ProfilectlError) -> Outcome:
        self.left_doubt = True  # and its name stays in use
        self.ledger.mark_unknown(self.target.user_id, intent.nonce, self._now(), self.target.remote.local_time())
        return Outcome(attempt.change, Status.UNKNOWN, error=error)

    def _settle(self, attempt: _Attempt, intent: Intent, profile: Profile) -> Outcome:
        if profile.id in self.listed:  # or a stranger's profile would be bound, and one day destroyed
            what = f"X has answered with profile {profile.id}, which was there before"
            return self._leave_open(attempt, intent, OutcomeUnknown(f"creating the profile: {what}"))
        try:
            kept = self.ledger.finish_intent(self.target.user_id, intent.nonce, profile, self._now(), adopted=False)
        except LedgerConflict as error:  # X has answered with another agent's profile
            return self._leave_open(attempt, intent, error)
        self.names_in_use.discard(as_compared(intent.name))
        if not isinstance(kept, Binding):
            self.left_doubt = True
            reason = LedgerConflict(f"{intent.agent} was offboarded meanwhile, so the new profile is destroyed")
            return Outcome(attempt.change, Status.FAILED, profile.id, reason)
        self.proven.add(intent.agent)
        if attempt.change.action is Action.REPLACE:
            self.replaced.append(attempt.change)
        return Outcome(attempt.change, Status.DONE, profile.id, name_shown=other_spelling(profile, intent.name))

    def _withdraw(self, attempt: _Attempt, error: ProfilectlError) -> Outcome:
        """Close the intent, if there is one already, of a create that surely made nothing."""
        self.left_doubt = True
        if attempt.intent is not None:
            nonce = attempt.intent.nonce
            self.ledger.cancel_intent(self.target.user_id, nonce, str(error), self._now(), was_sent=False)
        self.names_in_use.discard(_name_of(attempt.change))
        if self.budget is not None:
            self.budget.give_back_create()
        if isinstance(error, RateLimited) and attempt.intent is None:
            self.upload_limit = error
        elif isinstance(error, (CredentialsError, RateLimited)):
            self.halted = error
        status = Status.SKIPPED if isinstance(error, RateLimited) else Status.FAILED
        return Outcome(attempt.change, status, error=error)

    # The end

    def _can_go_on(self) -> bool:
        """Say whether there is something to do for idle workers, after a wait for X where that is what it takes."""
        if self.halted is not None:
            return False
        if not self.postponed:
            return self._wait_for_budget() or any(
                self._is_fresh(attempt) or not self.stop.requested for attempt in self.intended
            )
        if self.stop.requested or not self.wait(max(map(self._pause, self.postponed)), "for X"):
            return False
        for attempt in self.postponed:
            attempt.tries += 1
            attempt.error = None
            attempt.leaves_by_ms, attempt.leaves_by = 0, _LONG_AGO  # the settle time counts from the last attempt
        self.intended.extendleft(reversed(self.postponed))
        self.postponed.clear()
        return True

    def _wait_for_budget(self) -> bool:
        """Return True after a wait until X's limits, as the ledger counts, leave something; else note what is short."""
        if self.budget is None or self.intended or not self.waiting or self.stop.requested or self.upload_limit:
            return False
        limit = self.budget.create_limit(len(self.waiting), self._now())
        if limit is None or limit.retry_at is None:
            return False
        if self.wait(limit.retry_at.timestamp() - self._now() / 1000, "for X"):
            return True
        self.upload_limit = None if self.stop.requested else limit
        return False

    def _pause(self, attempt: _Attempt) -> float:
        if attempt.error is not None and attempt.error.retry_at is not None:
            return max(1.0, attempt.error.retry_at.timestamp() - self._now() / 1000)
        return float(2 ** (attempt.tries - 1))

    def _end(self) -> Iterator[Outcome]:
        """Cancel the intents of what wasn't sent, and yield the outcomes of what wasn't begun."""
        outcomes = []
        with self.ledger.batch():
            for attempt in self.postponed:
                if attempt.error is not None:
                    self.halted = self.halted or attempt.error
                    outcomes.append(self._withdraw(attempt, attempt.error))
            for attempt in self.intended:
                if attempt.intent is not None:
                    nonce = attempt.intent.nonce
                    self.ledger.cancel_intent(self.target.user_id, nonce, "never sent", self._now(), was_sent=False)
        yield from outcomes
        unsent = (attempt.change for attempt in (*self.intended, *self.uploaded))
        for change in (*unsent, *self.waiting):
            self.left_doubt = True
            yield Outcome(change, Status.SKIPPED, error=self.halted or self.upload_limit)


def _name_of(change: Change) -> str:
    return as_compared(change.goal.name)


def _hint(made: Mapping[str, str]) -> str:
    """Say what becomes of profiles, by agent, that X has made and the ledger couldn't record."""
    profiles = ", ".join(f"{profile_id} for {agent}" for agent, profile_id in made.items())
    return f"X made profile {profiles}; the next sync binds {'it' if len(made) == 1 else 'them'} by itself"
