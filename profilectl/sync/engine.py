"""observe → settle → plan → apply, in rounds, until every create is known to have happened or not.

A create that was never answered is settled by going the same way once more: X's list is read until it must show the
profile, the plan is made again for the agents concerned, and what is still to do is done.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from profilectl.errors import RemoteError
from profilectl.model import LedgerState
from profilectl.plan.changes import Action
from profilectl.plan.intents import IntentStatus, Observation, listed_by_ms, resolve
from profilectl.sync.outcomes import Outcome, Status

if TYPE_CHECKING:
    from profilectl.plan.builder import Plan
    from profilectl.plan.changes import Change
    from profilectl.sync.ports import Remote, Stop, Wait

_BACK_OFF = (1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between two readings of a list that may lag; the last one repeats
_MOST_ROUNDS = 2  # a create may go unanswered again


def observe(
    brand: str, user_id: str, remote: Remote, ledger_state: LedgerState, settle_after: int, wait: Wait | None
) -> Observation:
    """Read X's whole list, after the ledger was read; with `wait`, until every open intent can be settled.

    Without `wait` (``diff``) one reading has to do.
    """
    # a profile that an unanswered create made may be missing from the list for `settle_after` seconds
    for pause in itertools.chain(_BACK_OFF, itertools.repeat(_BACK_OFF[-1])):
        observed_ms = remote.now_ms()
        observation = Observation(brand, remote.list_profiles(), observed_ms, ledger_state, user_id)
        pending = [
            intent
            for intent in ledger_state.intents
            if resolve(intent, observation, settle_after)[0] is IntentStatus.PENDING
        ]
        if not pending or wait is None:
            break
        left = (max(listed_by_ms(intent, settle_after) for intent in pending) - observed_ms) / 1000
        if not wait(max(0.1, min(pause, left)), "for X's list to settle an unanswered create"):
            break
    return observation


def synchronise(
    plan: Plan,
    carry_out: Callable[[Plan], Iterator[Outcome]],
    plan_again: Callable[[frozenset[str], frozenset[str]], Plan],
    stop: Stop,
) -> Iterator[Outcome]:
    """Apply a plan, and settle in further rounds what went unanswered; yields one outcome per step of the plan.

    `plan_again` observes these brands once more, waiting for their lists, and plans for these agents only. Once a stop
    is requested, no further round is begun.
    """
    pending: dict[Change, Outcome] = {}  # steps of the plan that a later round may still end
    failed: set[str] = set()  # brands with a failed create: nothing of theirs is destroyed in this run
    for outcome in carry_out(plan):
        if outcome.status is Status.FAILED and outcome.change.creates:
            failed.add(outcome.change.brand)
        if outcome.status is Status.UNKNOWN or _waits_for_others(outcome):
            pending[outcome.change] = outcome
        else:
            yield outcome
    for _ in range(_MOST_ROUNDS):
        doubtful = frozenset(step.brand for step, outcome in pending.items() if outcome.status is Status.UNKNOWN)
        if not doubtful or stop.requested:
            break
        try:
            again = plan_again(doubtful, frozenset(step.agent for step in pending))
        except RemoteError as error:  # the intents stay, and the next run settles them
            pending |= {
                step: replace(outcome, error=error)
                for step, outcome in pending.items()
                if outcome.status is Status.UNKNOWN
            }
            break
        steps = {_place(step): step for step in pending if not (step.brand in failed and not step.creates)}
        yield from _settle(pending, steps, carry_out(_only(again, steps)), failed)
    yield from pending.values()


def _settle(
    pending: dict[Change, Outcome],
    steps: Mapping[_Place, Change],
    outcomes: Iterator[Outcome],
    failed: set[str],
) -> Iterator[Outcome]:
    """Take the outcomes of a later round for those of the steps that the plan had; yields the ones that are final."""
    for outcome in outcomes:
        step = steps.get(_place(outcome.change))
        if step is None:  # the end of a profile that this round replaced, which the plan didn't have
            yield outcome
            continue
        settled = replace(outcome, change=step)
        if outcome.status is Status.FAILED and step.creates:
            failed.add(step.brand)
        if outcome.status is Status.UNKNOWN or _waits_for_others(outcome):
            pending[step] = settled
        elif not outcome.change.waits:
            pending.pop(step, None)
            yield outcome if outcome.change.is_blocked else settled  # a person has to see why it is blocked


_Place = tuple[str, str, str | None]


def _place(change: Change) -> _Place:
    """Return what two plans' steps about one thing share: about an agent's new profile, or the end of an old one."""
    # a create of the first plan may be an adoption in the second, or blocked
    brings_profile = change.creates or change.action in {Action.ADOPT, Action.BLOCKED}
    return change.brand, change.agent, None if brings_profile else change.profile_id


def _only(plan: Plan, steps: Mapping[_Place, Change]) -> Plan:
    return replace(plan, changes=tuple(change for change in plan.changes if _place(change) in steps))


def _waits_for_others(outcome: Outcome) -> bool:
    """Say whether a step was skipped only because of what happened to another one."""
    return outcome.status is Status.SKIPPED and outcome.error is None and not outcome.change.is_blocked
