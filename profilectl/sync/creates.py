"""One brand's creates: pictures and profiles overlap on the wire, while the main thread writes the ledger.

What comes back and what is promised next are one transaction, written while the workers are busy with the pictures of
those who come next. An intent is durable before its create is handed out, and nobody is told of an outcome that isn't.
"""

from __future__ import annotations

import secrets
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from profilectl.errors import CredentialsError, Fate, LedgerRefused, RateLimited, RemoteError
from profilectl.model import Intent
from profilectl.plan.changes import Action
from profilectl.sync.outcomes import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from profilectl.errors import ProfilectlError
    from profilectl.model import PreparedPicture, Profile
    from profilectl.plan.changes import Change
    from profilectl.sync.ports import BrandTarget, Patience, Records, Stop

_LONGEST_CALL_MS = 30_000  # a request of a run that is killed may be applied this much after it left
_LONGEST_REST_MS = 5_000  # a create leaves at most this much after it was promised, or it is promised once more
_MOST_TRIES = 3  # of a create that surely wasn't applied


@dataclass(slots=True)
class _Attempt:
    """One create on its way: picture first, then the intent, then the request."""

    change: Change
    media_id: str = ""
    intent: Intent | None = None
    leaves_by_ms: int = 0  # X's clock: later than that its intent has to be written anew
    renewals: int = 0  # of its intent
    tries: int = 1
    error: RemoteError | None = None


@dataclass(slots=True)
class Creation:
    """The creates of one brand in one run, and what the rest of the run has to know about them."""

    target: BrandTarget
    records: Records
    prepared: Mapping[str, PreparedPicture]
    jobs: int
    stop: Stop
    patience: Patience
    protected: frozenset[str]
    waiting: deque[Change]  # nothing of theirs has begun
    flying: dict[Future[Any], _Attempt] = field(default_factory=dict)  # one for each busy worker
    uploaded: deque[_Attempt] = field(default_factory=deque)  # the next thing is their intent
    promised: deque[_Attempt] = field(default_factory=deque)  # the next thing is their create
    postponed: list[_Attempt] = field(default_factory=list)  # surely not applied, worth another try
    names_in_use: set[str] = field(default_factory=set)  # one name at a time, so that adoption stays unambiguous
    replaced: list[Change] = field(default_factory=list)
    halted: ProfilectlError | None = None  # why nothing more is begun
    upload_limit: RateLimited | None = None  # why no further picture is uploaded; what is uploaded is still made
    left_doubt: bool = False  # an agent may be without its new face
    listed: frozenset[str] = field(init=False)  # by X, before the first create of the run

    def __post_init__(self) -> None:
        self.listed = self.target.observation.listed()

    def carry_out(self) -> Iterator[Outcome]:
        """Create what is waiting; yields each outcome as soon as it is durable."""
        returned: list[tuple[_Attempt, Future[Any]]] = []
        with ThreadPoolExecutor(self.jobs, thread_name_prefix="create") as pool:
            while True:
                if all(future.exception() is None for _, future in returned):
                    self._hand_out(pool)  # before anything is written, so that nobody waits for the disk who needn't
                outcomes = self._write(returned)
                self._hand_out(pool)
                yield from outcomes
                if self.flying:
                    returned = self._returned()
                elif self._can_go_on():
                    returned = []
                else:
                    break
        yield from self._give_up()

    # Threads

    def _hand_out(self, pool: ThreadPoolExecutor) -> None:
        remote = self.target.remote
        while len(self.flying) < self.jobs and (attempt := self._next()) is not None:
            goal = attempt.change.goal
            if attempt.intent is not None:
                future: Future[Any] = pool.submit(remote.create_profile, goal.name, attempt.media_id)
            else:
                picture = self.prepared[goal.avatar]
                future = pool.submit(remote.upload, picture.content, picture.media_type)
            self.flying[future] = attempt

    def _next(self) -> _Attempt | None:
        """Take a create that is promised, or else the next change whose name is free."""
        if self._is_refused():
            return None
        if self.promised:
            return self.promised.popleft() if self._is_fresh(self.promised[0]) else None
        if self.stop.requested or self.postponed or self.upload_limit is not None:
            return None
        for change in self.waiting:
            if change.goal.name not in self.names_in_use:
                self.waiting.remove(change)
                self.names_in_use.add(change.goal.name)
                return _Attempt(change)
        return None

    def _is_refused(self) -> bool:
        """Say whether X said no to a create, so that it would to the next one."""
        return self.halted is not None or any(isinstance(one.error, RateLimited) for one in self.postponed)

    def _returned(self) -> list[tuple[_Attempt, Future[Any]]]:
        """Wait until a worker is free, and return what it brings."""
        done = wait(self.flying, return_when=FIRST_COMPLETED).done
        return [(self.flying.pop(future), future) for future in tuple(self.flying) if future in done]

    # The ledger

    def _write(self, returned: list[tuple[_Attempt, Future[Any]]]) -> list[Outcome]:
        """Make durable what came back, and promise what is to leave next: all in one transaction."""
        made: dict[str, str] = {}  # agent: profile id
        outcomes: list[Outcome] = []
        try:
            with self.records.batch():
                for attempt, future in returned:
                    outcomes += self._conclude(attempt, future, made)
                self._promise()
        except LedgerRefused as error:
            if made:
                error.hint = _hint(made)
            raise
        return outcomes

    def _promise(self) -> None:
        """Write the intents of as many creates as there are workers, and renew those that have waited for too long."""
        if self._is_refused():
            return
        creating = sum(attempt.intent is not None for attempt in self.flying.values())
        while self.uploaded and creating + len(self.promised) < self.jobs:
            attempt = self.uploaded.popleft()
            self._intend(attempt)
            self.promised.append(attempt)
        for attempt in list(self.promised)[: self.jobs - len(self.flying)]:
            if attempt.intent is not None and not self._is_fresh(attempt) and not self.stop.requested:
                attempt.renewals += 1
                self.records.reattempt(self.target.user_id, attempt.intent.nonce, self._over_by(attempt))

    def _intend(self, attempt: _Attempt) -> None:
        goal, agent = attempt.change.goal, attempt.change.agent
        attempt.intent = Intent(
            nonce=secrets.token_hex(8),
            agent=agent,
            name=goal.name,
            avatar=goal.avatar,
            listed=self.listed,
            begun_ms=self._now(),
            attempted_ms=self._over_by(attempt),
            protected=agent in self.protected,
        )
        self.records.begin_intent(self.target.user_id, attempt.intent)

    def _over_by(self, attempt: _Attempt) -> int:
        """Return when a create that is promised now is over at the latest, and hold it to that."""
        rest_ms = _LONGEST_REST_MS << attempt.renewals  # or a disk that takes longer would have us renew for ever
        attempt.leaves_by_ms = self._now() + rest_ms
        return attempt.leaves_by_ms + _LONGEST_CALL_MS

    def _is_fresh(self, attempt: _Attempt) -> bool:
        return self._now() <= attempt.leaves_by_ms

    def _now(self) -> int:
        return self.target.remote.now_ms()

    def _conclude(self, attempt: _Attempt, future: Future[Any], made: dict[str, str]) -> Iterator[Outcome]:
        try:
            answer = future.result()
        except RemoteError as error:
            yield from self._conclude_failure(attempt, error)
            return
        if attempt.intent is None:
            attempt.media_id = answer
            self.uploaded.append(attempt)
        else:
            made[attempt.change.agent] = answer.id
            yield self._settle(attempt, attempt.intent, answer)

    def _conclude_failure(self, attempt: _Attempt, error: RemoteError) -> Iterator[Outcome]:
        intent = attempt.intent
        if intent is not None and error.fate is Fate.UNKNOWN:
            self.left_doubt = True
            self.records.mark_unknown(self.target.user_id, intent.nonce, self._now())  # its name stays in use
            yield Outcome(attempt.change, Status.UNKNOWN, error=error)
        elif intent is not None and error.fate is Fate.NOT_APPLIED and attempt.tries < _MOST_TRIES:
            attempt.error = error
            self.postponed.append(attempt)
        else:
            yield self._withdraw(attempt, error)

    def _settle(self, attempt: _Attempt, intent: Intent, profile: Profile) -> Outcome:
        self.records.finish_intent(self.target.user_id, intent.nonce, profile, self._now(), adopted=False)
        self.names_in_use.discard(intent.name)
        if attempt.change.action is Action.REPLACE:
            self.replaced.append(attempt.change)
        return Outcome(attempt.change, Status.DONE, profile.id)

    def _withdraw(self, attempt: _Attempt, error: RemoteError) -> Outcome:
        """Close the intent, if there is one already, of a create that surely made nothing."""
        self.left_doubt = True
        if attempt.intent is not None:
            self.records.cancel_intent(self.target.user_id, attempt.intent.nonce, str(error), self._now())
        self.names_in_use.discard(attempt.change.goal.name)
        if isinstance(error, RateLimited) and attempt.intent is None:
            self.upload_limit = error
        elif isinstance(error, (CredentialsError, RateLimited)):
            self.halted = error
        status = Status.SKIPPED if isinstance(error, RateLimited) else Status.FAILED
        return Outcome(attempt.change, status, error=error)

    # The end

    def _can_go_on(self) -> bool:
        """Say whether there is something to do for idle workers, after a wait for X where that is what it takes."""
        if self.halted is not None or not self.postponed:
            return self.halted is None and any(self._is_fresh(one) or not self.stop.requested for one in self.promised)
        if self.stop.requested or not self.patience(max(map(self._pause, self.postponed)), "for X"):
            return False
        for attempt in self.postponed:
            attempt.tries += 1
            attempt.error = None
            attempt.leaves_by_ms = 0  # the settle time counts from the last attempt
        self.promised.extendleft(reversed(self.postponed))
        self.postponed.clear()
        return True

    def _pause(self, attempt: _Attempt) -> float:
        if attempt.error is not None and attempt.error.retry_at is not None:
            return max(1.0, attempt.error.retry_at.timestamp() - self._now() / 1000)
        return float(2 ** (attempt.tries - 1))

    def _give_up(self) -> Iterator[Outcome]:
        """End what was begun but not sent, and tell of what wasn't begun."""
        outcomes = []
        with self.records.batch():
            for attempt in self.postponed:
                if attempt.error is not None:
                    self.halted = self.halted or attempt.error
                    outcomes.append(self._withdraw(attempt, attempt.error))
            for attempt in self.promised:
                if attempt.intent is not None:
                    self.records.cancel_intent(self.target.user_id, attempt.intent.nonce, "never sent", self._now())
        yield from outcomes
        unsent = (attempt.change for attempt in (*self.promised, *self.uploaded))
        for change in (*unsent, *self.waiting):
            self.left_doubt = True
            yield Outcome(change, Status.SKIPPED, error=self.halted or self.upload_limit)


def _hint(made: Mapping[str, str]) -> str:
    """Say what becomes of profiles that X has made, by agent, and that the ledger couldn't take in."""
    told = ", ".join(f"{profile_id} for {agent}" for agent, profile_id in made.items())
    return f"X made profile {told}; the next sync binds {'it' if len(made) == 1 else 'them'} by itself"
