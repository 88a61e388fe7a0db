"""observe → settle → plan → apply: X is made equal to the roster, and nothing is lost on the way.

A create that was never answered is settled by going the same way once more: X's list is read until it tells, the plan
is made again for the agents concerned, and what is still to do is done.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from profilectl.changes import Action
from profilectl.outcomes import Outcome, Status
from profilectl.settlement import Situation, Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from profilectl.plan import Plan
    from profilectl.ports import Knowledge, Patience, Remote, Stop

_BACK_OFF = (1.0, 2.0, 4.0, 8.0, 15.0)  # seconds between two readings of a list that may lag; the last one repeats
_MOST_ROUNDS = 3  # a create may go unanswered again


def observe(
    brand: str, user_id: str, remote: Remote, knowledge: Knowledge, settle_after: int, patience: Patience | None
) -> Situation:
    """Read the ledger and X's whole list; with patience, until every open intent can be settled.

    A profile that an unanswered create made may be missing from the list for `settle_after` seconds, so the list is
    read again with growing pauses. Without patience (``diff``) one reading has to do.
    """
    holdings = knowledge.holdings(user_id)
    for pause in itertools.chain(_BACK_OFF, itertools.repeat(_BACK_OFF[-1])):
        observed_ms = remote.now_ms()
        situation = Situation(brand, remote.list_profiles(), observed_ms, holdings)
        early = [
            intent for intent in holdings.intents if judge(intent, situation, settle_after)[0] is Verdict.TOO_EARLY
        ]
        if not early or patience is None:
            break
        left = max(intent.attempted_ms for intent in early) / 1000 + settle_after - observed_ms / 1000
        if not patience(max(0.1, min(pause, left)), "for X's list to settle an unanswered create"):
            break
    return situation


def synchronise(
    plan: Plan,
    carry_out: Callable[[Plan], Iterator[Outcome]],
    plan_again: Callable[[frozenset[str]], Plan],
    stop: Stop,
) -> Iterator[Outcome]:
    """Apply a plan, and settle in further rounds what went unanswered; yields one outcome per step of the plan.

    Args:
        plan: what to do.
        carry_out: applies a plan, see `execution.apply`.
        plan_again: observes once more, with patience, and plans for these agents only.
        stop: a person's wish to end; no further round is begun.
    """
    unresolved: dict[tuple[str, str], Outcome] = {}
    for number in range(_MOST_ROUNDS):
        if number > 0:
            plan = plan_again(frozenset(agent for _, agent in unresolved))
        earlier, unresolved = unresolved, {}
        for outcome in map(partial(_as_first_planned, earlier), carry_out(plan)):
            if outcome.status is Status.UNKNOWN or _waits_for_others(outcome):
                unresolved[outcome.change.brand, outcome.change.agent] = outcome
            else:
                yield outcome
        if stop.requested or all(outcome.status is not Status.UNKNOWN for outcome in unresolved.values()):
            break
    yield from unresolved.values()


def _as_first_planned(earlier: Mapping[tuple[str, str], Outcome], outcome: Outcome) -> Outcome:
    """Tell of a create that was settled later under the name it had in the plan that was shown."""
    first = earlier.get((outcome.change.brand, outcome.change.agent))
    if first is None or not first.change.creates:
        return outcome
    if outcome.change.action is Action.ADOPT:
        return replace(outcome, change=first.change)
    return first if outcome.change.why == ("unsettled",) else outcome


def _waits_for_others(outcome: Outcome) -> bool:
    """Say whether a step was skipped only because of what happened to another one."""
    return outcome.status is Status.SKIPPED and outcome.error is None and outcome.change.action is not Action.BLOCKED
