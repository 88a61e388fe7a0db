"""Carrying a plan out, brand after brand: what is promised by now is adopted, what is new created, the rest removed.

The main thread writes the ledger, workers only talk to X. Whatever happens in between, the next run finds an intent and
settles it from X's list.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from profilectl.errors import CredentialsError, RateLimited, RemoteError
from profilectl.plan.changes import Action, Change
from profilectl.sync.creates import Creation
from profilectl.sync.outcomes import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from profilectl.errors import ProfilectlError
    from profilectl.model import PreparedPicture
    from profilectl.plan.builder import Plan
    from profilectl.sync.ports import BrandTarget, Patience, Records, Stop


def apply(
    plan: Plan,
    targets: Mapping[str, BrandTarget],
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
        targets: one per brand of the plan.
        records: the ledger, used from the calling thread only.
        prepared: the pictures to upload, by the digest of their source file.
        jobs: how many creates may be on the wire at once.
        stop: looked at before every step.
        patience: how waits for X are made, and how long they may be.
        prune_at_once: whether a replaced profile is destroyed without grace.

    Raises:
        LedgerRefused: the ledger can't be written; intents that are open then are settled by the next run.
    """
    for brand, target in targets.items():
        protected = frozenset(agent for one, agent in plan.protected if one == brand)
        run = _BrandRun(target, records, prepared, jobs, stop, patience, protected, prune_at_once=prune_at_once)
        with records.batch():
            for _, nonce in (pair for pair in plan.withdrawals if pair[0] == brand):
                records.cancel_intent(target.user_id, nonce, "not in X's list after the settle time", run.now())
            for _, agent, value in (one for one in plan.protections if one[0] == brand):
                records.protect(target.user_id, agent, protected=value)
        yield from run.carry_out([change for change in plan.changes if change.brand == brand])


@dataclass(slots=True)
class _BrandRun:
    """One brand's share of one run."""

    target: BrandTarget
    records: Records
    prepared: Mapping[str, PreparedPicture]
    jobs: int
    stop: Stop
    patience: Patience
    protected: frozenset[str]
    prune_at_once: bool = field(kw_only=True)
    replaced: list[Change] = field(default_factory=list)
    halted: ProfilectlError | None = None  # why nothing more is begun
    removals_forbidden: bool = False  # an agent may be without its new face

    def now(self) -> int:
        return self.target.remote.now_ms()

    def carry_out(self, changes: list[Change]) -> Iterator[Outcome]:
        for change in changes:
            if change.action is Action.BLOCKED:
                self.removals_forbidden |= change.why in {("ambiguous",), ("unsettled",)}  # the others leave no doubt
                yield Outcome(change, Status.SKIPPED, change.profile_id)
            elif change.action is Action.ADOPT:
                yield self._adopt(change)
        yield from self._create([change for change in changes if change.creates])
        yield from self._remove([change for change in changes if change.action in {Action.DELETE, Action.DESTROY}])

    def _adopt(self, change: Change) -> Outcome:
        observation, user_id = self.target.observation, self.target.user_id
        intent = next(one for one in observation.ledger_state.intents if one.agent == change.agent)
        profile = next(one for one in observation.profiles if one.id == change.profile_id)
        self.records.finish_intent(user_id, intent.nonce, profile, self.now(), adopted=True)
        if change.agent in self.protected and not intent.protected:
            self.records.protect(user_id, change.agent, protected=True)
        return Outcome(change, Status.DONE, profile.id)

    def _create(self, changes: list[Change]) -> Iterator[Outcome]:
        creation = Creation(
            self.target,
            self.records,
            self.prepared,
            self.jobs,
            self.stop,
            self.patience,
            self.protected,
            waiting=deque(changes),
        )
        yield from creation.carry_out()
        self.removals_forbidden |= creation.left_doubt
        self.halted = creation.halted or creation.upload_limit
        self.replaced = creation.replaced

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
            return Outcome(change, Status.SKIPPED, change.profile_id, self.halted)
        if change.action is Action.DELETE:
            self.records.retire(self.target.user_id, change.agent, self.now())
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
        self.records.drop(self.target.user_id, profile_id, self.now())
        return Outcome(change, Status.DONE, profile_id)
