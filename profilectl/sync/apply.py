"""Carrying a plan out, brand after brand: what unanswered creates made is adopted, new is created, old is removed.

The main thread writes the ledger, workers only talk to X. Whatever happens in between, the next run finds an intent and
settles it from X's list.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from profilectl.errors import CredentialsError, ProfilectlError, RateLimited, RemoteError
from profilectl.model import PreparedPicture
from profilectl.plan.changes import Action, Change, Reason
from profilectl.sync.creates import CreateRun
from profilectl.sync.outcomes import Outcome, Status

if TYPE_CHECKING:
    from profilectl.ledger.protocol import Ledger
    from profilectl.plan.builder import Plan
    from profilectl.sync.ports import BrandTarget, Stop, Wait


def apply(
    plan: Plan,
    targets: Mapping[str, BrandTarget],
    ledger: Ledger,
    prepared: Mapping[str, PreparedPicture],
    *,
    jobs: int,
    stop: Stop,
    wait: Wait,
    prune_at_once: bool,
) -> Iterator[Outcome]:
    """Carry the plan out, brand after brand; yields each step's outcome as soon as it is durable.

    Args:
        plan: what to do; its withdrawals and protections are written first.
        targets: one per brand of the plan.
        ledger: used from the calling thread only.
        prepared: the pictures to upload, by the digest of their source file.
        jobs: how many creates may be on the wire at once.
        stop: looked at before every step.
        wait: waits for X, as long as that is allowed.
        prune_at_once: whether a replaced profile is destroyed without grace.

    Raises:
        LedgerRefused: the ledger can't be written; intents that are open then are settled by the next run.
    """
    for brand, target in targets.items():
        protected = frozenset(agent for key, agent in plan.protected if key == brand)
        run = _BrandRun(target, ledger, prepared, jobs, stop, wait, protected, prune_at_once=prune_at_once)
        with ledger.batch():
            for _, nonce in (pair for pair in plan.withdrawals if pair[0] == brand):
                ledger.cancel_intent(target.user_id, nonce, "not in X's list after the settle time", run.now())
            for _, agent, value in (triple for triple in plan.protections if triple[0] == brand):
                ledger.protect(target.user_id, agent, protected=value)
        yield from run.carry_out([change for change in plan.changes if change.brand == brand])


@dataclass(slots=True)
class _BrandRun:
    """One brand's share of one run."""

    target: BrandTarget
    ledger: Ledger
    prepared: Mapping[str, PreparedPicture]
    jobs: int
    stop: Stop
    wait: Wait
    protected: frozenset[str]
    prune_at_once: bool = field(kw_only=True)
    replaced: list[Change] = field(default_factory=list)
    halted: ProfilectlError | None = None  # why nothing more is begun
    removals_forbidden: bool = False  # an agent may be without its new name or picture

    def now(self) -> int:
        return self.target.remote.now_ms()

    def carry_out(self, changes: list[Change]) -> Iterator[Outcome]:
        for change in changes:
            if change.is_blocked:
                self.removals_forbidden |= change.is_in_doubt
                yield Outcome(change, Status.SKIPPED, change.profile_id)
            elif change.action is Action.ADOPT:
                yield self._adopt(change)
        yield from self._create([change for change in changes if change.creates])
        yield from self._remove([change for change in changes if change.removes])

    def _adopt(self, change: Change) -> Outcome:
        observation, user_id = self.target.observation, self.target.user_id
        intent = next(intent for intent in observation.ledger_state.intents if intent.agent == change.agent)
        profile = next(profile for profile in observation.profiles if profile.id == change.profile_id)
        self.ledger.finish_intent(user_id, intent.nonce, profile, self.now(), adopted=True)
        if change.agent in self.protected and not intent.protected:
            self.ledger.protect(user_id, change.agent, protected=True)
        return Outcome(change, Status.DONE, profile.id)

    def _create(self, changes: list[Change]) -> Iterator[Outcome]:
        creates = CreateRun(
            self.target,
            self.ledger,
            self.prepared,
            self.jobs,
            self.stop,
            self.wait,
            self.protected,
            waiting=deque(changes),
        )
        yield from creates.carry_out()
        self.removals_forbidden |= creates.left_doubt
        self.halted = creates.halted or creates.upload_limit
        self.replaced = creates.replaced

    def _remove(self, removals: list[Change]) -> Iterator[Outcome]:
        """Destroy what nobody uses any more, unless an agent of this brand may be without its new profile."""
        for change in self.replaced if self.prune_at_once else ():
            end = Change(change.brand, change.agent, Action.DESTROY, (Reason.REPLACED,), change.profile_id)
            outcome = self._remove_profile(end)
            if outcome.status is not Status.DONE:  # otherwise a part of the replacement
                yield outcome
        for change in removals:
            yield self._remove_profile(change)

    def _remove_profile(self, change: Change) -> Outcome:
        if self.removals_forbidden or self.stop.requested or self.halted is not None:
            return Outcome(change, Status.SKIPPED, change.profile_id, self.halted)
        if change.action is Action.DELETE:
            self.ledger.retire(self.target.user_id, change.agent, self.now())
        return self._destroy(change)

    def _destroy(self, change: Change) -> Outcome:
        """Destroy a retired profile; when X doesn't answer, it stays retired and the next run goes on."""
        profile_id = change.profile_id or ""
        try:
            self.target.remote.destroy_profile(profile_id)
        except RemoteError as error:
            if isinstance(error, (CredentialsError, RateLimited)):
                self.halted = error
            status = Status.SKIPPED if isinstance(error, RateLimited) else Status.FAILED
            return Outcome(change, status, profile_id, error)
        self.ledger.drop(self.target.user_id, profile_id, self.now())
        return Outcome(change, Status.DONE, profile_id)
