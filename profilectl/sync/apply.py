"""Carrying a plan out, brand after brand: what unanswered creates made is adopted, new is created, old is removed.

The main thread writes the ledger, workers only talk to X. Whatever happens in between, the next run finds an intent and
settles it from X's list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from profilectl.errors import (
    CredentialsError,
    LedgerConflict,
    OutcomeUnknown,
    ProfilectlError,
    RateLimited,
    RemoteError,
    TryLater,
)
from profilectl.model import Binding, PreparedPicture, Profile
from profilectl.plan.changes import Action, Change, Reason
from profilectl.sync import removals
from profilectl.sync.creates import CreateRun
from profilectl.sync.outcomes import Outcome, Status, other_spelling

if TYPE_CHECKING:
    from profilectl.ledger.protocol import Ledger
    from profilectl.plan.builder import Plan
    from profilectl.sync.ports import BrandTarget, Stop, Wait
    from profilectl.sync.quota import CallBudget
    from profilectl.sync.welcome import WelcomeProfiles


def apply(
    plan: Plan,
    targets: Mapping[str, BrandTarget],
    ledger: Ledger,
    prepared: dict[str, PreparedPicture],
    *,
    jobs: int,
    stop: Stop,
    wait: Wait,
    prune_at_once: bool,
    budgets: Mapping[str, CallBudget] | None = None,
    welcome: Mapping[str, WelcomeProfiles] | None = None,
    begun: Mapping[str, CreateRun] | None = None,
) -> Iterator[Outcome]:
    """Carry the plan out, brand after brand; yields each step's outcome as soon as it is durable.

    Pictures to upload are looked up by the digest of their source file. The ledger is used from the calling thread
    only, while up to `jobs` creates are on the wire. With `prune_at_once` a replaced profile has no grace. `budgets`
    holds, by brand, what may still be sent; a brand without one learns from X's answers alone. `welcome` tells, by
    brand, which profiles customers are greeted with, and so mustn't be destroyed. `begun` holds, by brand, the creates
    whose pictures were uploaded ahead.

    Raises:
        LedgerRefused: the ledger can't be written; intents that are open then are settled by the next run.
    """
    for brand, target in targets.items():
        changes = [change for change in plan.changes if change.brand == brand]
        renames = [change for change in changes if change.action is Action.RENAME]
        creates = (begun or {}).get(brand)
        if creates is None:
            creates = create_run(plan, brand, target, ledger, prepared, jobs, stop, wait, (budgets or {}).get(brand))
        run = _BrandRun(creates, prune_at_once, (welcome or {}).get(brand))
        with ledger.batch():
            for change in renames:  # first of all, as everything else goes by the new keys
                ledger.change_key(target.user_id, change.former or "", change.agent, run.now())
            # before anything is created: an agent has one open intent at most
            for _, nonce in (pair for pair in plan.withdrawals if pair[0] == brand):
                why = "not in X's list after the settle time"
                ledger.cancel_intent(target.user_id, nonce, why, run.now(), was_sent=True)
            for _, agent, value in (triple for triple in plan.protections if triple[0] == brand):
                ledger.protect(target.user_id, agent, protected=value)
            for _, binding, name in (triple for triple in plan.spellings if triple[0] == brand):
                ledger.note_shown(target.user_id, binding.profile_id, name)
        for change in renames:
            yield Outcome(change, Status.DONE, change.profile_id)
        yield from run.carry_out(changes)


def create_run(
    plan: Plan,
    brand: str,
    target: BrandTarget,
    ledger: Ledger,
    prepared: dict[str, PreparedPicture],
    jobs: int,
    stop: Stop,
    wait: Wait,
    budget: CallBudget | None,
) -> CreateRun:
    """Return what carries the creates of one brand out."""
    protected = frozenset(agent for key, agent in plan.protected if key == brand)
    return CreateRun(target, ledger, prepared, jobs, stop, wait, protected, budget)


@dataclass(slots=True)
class _BrandRun:
    """One brand's share of one run."""

    creates: CreateRun
    prune_at_once: bool
    welcome: WelcomeProfiles | None
    halted: ProfilectlError | None = None  # why nothing more is begun

    def now(self) -> int:
        return self.creates.target.remote.now_ms()

    def carry_out(self, changes: list[Change]) -> Iterator[Outcome]:
        for change in changes:
            if change.is_blocked:
                self.creates.left_doubt |= change.is_in_doubt
                yield Outcome(change, Status.SKIPPED, change.profile_id)
            elif change.action is Action.ADOPT:
                yield self._adopt(change)
        yield from self.creates.carry_out(change for change in changes if change.creates)
        self.halted = self.creates.halted or self.creates.upload_limit
        yield from self._remove([change for change in changes if change.removes])

    def _adopt(self, change: Change) -> Outcome:
        ledger, user_id, profile = self.creates.ledger, self.creates.target.user_id, self._profile(change)
        try:
            kept = ledger.finish_intent(user_id, change.nonce or "", profile, self.now(), adopted=True)
        except LedgerConflict as error:
            self.creates.left_doubt = True
            return Outcome(change, Status.FAILED, profile.id, error)
        if not isinstance(kept, Binding):
            reason = LedgerConflict(f"{change.agent} was offboarded meanwhile, so the profile is destroyed")
            return Outcome(change, Status.FAILED, profile.id, reason)
        self.creates.proven.add(change.agent)  # by its id, before it was taken for ours
        # the roster may protect the agent since the create was sent; a protection that has ended is the next plan's
        if change.agent in self.creates.protected and not kept.protected:
            ledger.protect(user_id, change.agent, protected=True)
        return Outcome(change, Status.DONE, profile.id, name_shown=other_spelling(profile, kept.name))

    def _profile(self, change: Change) -> Profile:
        profiles = self.creates.target.observation.profiles
        return next(profile for profile in profiles if profile.id == change.profile_id)

    def _remove(self, changes: list[Change]) -> Iterator[Outcome]:
        """Destroy what nobody uses any more, unless an agent of this brand may be without its new profile."""
        for change in self.creates.replaced if self.prune_at_once else ():
            end = Change(change.brand, change.agent, Action.DESTROY, (Reason.REPLACED,), change.profile_id)
            outcome = self._remove_profile(end)
            if outcome.status is not Status.DONE:  # otherwise a part of the replacement
                yield outcome
        for change in changes:
            yield self._remove_profile(change)

    def _remove_profile(self, change: Change) -> Outcome:
        target, ledger, profile_id = self.creates.target, self.creates.ledger, change.profile_id or ""
        if self.creates.left_doubt or self.creates.stop.requested or self.halted is not None:
            return Outcome(change, Status.SKIPPED, change.profile_id, self.halted)
        try:
            self._require_successor(change)
        except (CredentialsError, TryLater) as error:
            self.halted = error if isinstance(error, (CredentialsError, RateLimited)) else None
            return Outcome(change, Status.SKIPPED, profile_id, error)
        if self.creates.budget is not None and (limit := self.creates.budget.take_destroy(self.now())) is not None:
            self.halted = limit
            return Outcome(change, Status.SKIPPED, profile_id, limit)
        try:
            if change.action is Action.DELETE:
                # first nobody can send with it; when X doesn't answer, it stays retired, and the next run goes on
                ledger.retire(target.user_id, change.agent, self.now())
                self.creates.proven.add(change.agent)  # who leaves needs no profile instead
            elif Reason.LATE in change.why:  # only what the ledger knows as ours is ever destroyed
                ledger.retire_late(target.user_id, change.nonce or "", self._profile(change), self.now())
        except LedgerConflict as error:
            return Outcome(change, Status.FAILED, profile_id, error)
        return self._destroy(change, profile_id)

    def _destroy(self, change: Change, profile_id: str) -> Outcome:
        """End a profile that no agent has any more, once nothing carries it."""
        target, ledger = self.creates.target, self.creates.ledger
        if self.welcome is not None and (refusal := self.welcome.refusal(profile_id)) is not None:
            return Outcome(change, Status.SKIPPED, profile_id, refusal)
        try:
            # a profile that is retired gets no new message, but one may have been promised before
            removals.await_sends(ledger, target.user_id, profile_id, target.remote, self.creates.wait)
            removals.destroy(target.remote, profile_id)
        except (RemoteError, TryLater) as error:
            if ledger.seconds_held() <= 0:
                ledger.require_held()
            if isinstance(error, (CredentialsError, RateLimited)):
                self.halted = error
            return Outcome(change, _status_of(error), profile_id, error)
        ledger.drop(target.user_id, profile_id, self.now())
        return Outcome(change, Status.DONE, profile_id)

    def _require_successor(self, change: Change) -> None:
        """Ask X about the profile that the agent has instead, unless this run has made or adopted it."""
        binding = self.creates.target.observation.ledger_state.binding(change.agent)
        if change.action is not Action.DESTROY or binding is None or binding.profile_id == change.profile_id:
            return
        if change.agent not in self.creates.proven:
            removals.require_successor(self.creates.target.remote, change.agent, binding.profile_id)
            self.creates.proven.add(change.agent)


def _status_of(error: ProfilectlError) -> Status:
    """Return how a removal ended that failed."""
    if isinstance(error, OutcomeUnknown):
        return Status.UNKNOWN  # it stays retired, so destroying it once more is safe
    is_tried = isinstance(error, RemoteError) and not isinstance(error, RateLimited)
    return Status.FAILED if is_tried else Status.SKIPPED
