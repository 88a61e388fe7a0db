"""observe → settle → plan → apply: X is made equal to the roster, and nothing is lost on the way.

A create that was never answered is settled by going the same way once more: X's list is read until it tells, the plan
is made again for the agents concerned, and what is still to do is done.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from profilectl.errors import RemoteError
from profilectl.plan.changes import Action
from profilectl.plan.intents import Observation, Verdict, judge, told_by_ms
from profilectl.sync.outcomes import Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from profilectl.model import LedgerState
    from profilectl.plan.builder import Plan
    from profilectl.plan.changes import Change
    from profilectl.sync.ports import Patience, Remote, Stop

_BACK_OFF = (1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between two readings of a list that may lag; the last one repeats
_MOST_ROUNDS = 2  # a create may go unanswered again


def observe(
    brand: str, user_id: str, remote: Remote, ledger_state: LedgerState, settle_after: int, patience: Patience | None
) -> Observation:
    """Read X's whole list, after the ledger was read; with patience, until every open intent can be settled.

    A profile that an unanswered create made may be missing from the list for `settle_after` seconds, so the list is
    read again with growing pauses. Without patience (``diff``) one reading has to do.
    """
    for pause in itertools.chain(_BACK_OFF, itertools.repeat(_BACK_OFF[-1])):
        observed_ms = remote.now_ms()
        observation = Observation(brand, remote.list_profiles(), observed_ms, ledger_state, user_id)
        early = [
            intent
            for intent in ledger_state.intents
            if judge(intent, observation, settle_after)[0] is Verdict.TOO_EARLY
        ]
        if not early or patience is None:
            break
        left = max(told_by_ms(intent, settle_after) for intent in early) / 1000 - observed_ms / 1000
        if not patience(max(0.1, min(pause, left)), "for X's list to settle an unanswered create"):
            break
    return observation


def synchronise(
    plan: Plan,
    carry_out: Callable[[Plan], Iterator[Outcome]],
    plan_again: Callable[[frozenset[str], frozenset[str]], Plan],
    stop: Stop,
) -> Iterator[Outcome]:
    """Apply a plan, and settle in further rounds what went unanswered; yields one outcome per step of the plan.

    Args:
        plan: what to do.
        carry_out: applies a plan, see `execution.apply`.
        plan_again: observes these brands once more, with patience, and plans for these agents only.
        stop: a person's wish to end; no further round is begun.
    """
    pending: dict[Change, Outcome] = {}  # steps of the plan that a later round may still end
    spoiled: set[str] = set()  # brands with a failed create: nothing of theirs is destroyed in this run
    for outcome in carry_out(plan):
        if outcome.status is Status.FAILED and outcome.change.creates:
            spoiled.add(outcome.change.brand)
        if outcome.status is Status.UNKNOWN or _waits_for_others(outcome):
            pending[outcome.change] = outcome
        else:
            yield outcome
    for _ in range(_MOST_ROUNDS):
        doubtful = frozenset(step.brand for step, one in pending.items() if one.status is Status.UNKNOWN)
        if not doubtful or stop.requested:
            break
        try:
            again = plan_again(doubtful, frozenset(step.agent for step in pending))
        except RemoteError as error:  # the intents stay, and the next run settles them
            pending |= {
                step: replace(one, error=error) for step, one in pending.items() if one.status is Status.UNKNOWN
            }
            break
        steps = {_place(step): step for step in pending if not (step.brand in spoiled and not step.creates)}
        yield from _resolve(pending, steps, carry_out(_only(again, steps)), spoiled)
    yield from pending.values()


def _resolve(
    pending: dict[Change, Outcome],
    steps: Mapping[_Place, Change],
    outcomes: Iterator[Outcome],
    spoiled: set[str],
) -> Iterator[Outcome]:
    """Take the outcomes of a later round for those of the steps that the plan had; yields the ones that are final."""
    for outcome in outcomes:
        step = steps.get(_place(outcome.change))
        if step is None:  # the end of a profile that this round replaced: one more thing to tell
            yield outcome
            continue
        told = replace(outcome, change=step)
        if outcome.status is Status.FAILED and step.creates:
            spoiled.add(step.brand)
        if outcome.status is Status.UNKNOWN or _waits_for_others(outcome):
            pending[step] = told
        elif outcome.change.why != ("unsettled",):
            pending.pop(step, None)
            yield outcome if outcome.change.action is Action.BLOCKED else told  # a namesake is for a person


_Place = tuple[str, str, str | None]


def _place(change: Change) -> _Place:
    """Say which step a step of a later plan stands for: an agent's new face, or the end of a profile."""
    makes_a_face = change.creates or change.action in {Action.ADOPT, Action.BLOCKED}
    return change.brand, change.agent, None if makes_a_face else change.profile_id


def _only(plan: Plan, steps: Mapping[_Place, Change]) -> Plan:
    return replace(plan, changes=tuple(change for change in plan.changes if _place(change) in steps))


def _waits_for_others(outcome: Outcome) -> bool:
    """Say whether a step was skipped only because of what happened to another one."""
    return outcome.status is Status.SKIPPED and outcome.error is None and outcome.change.action is not Action.BLOCKED
