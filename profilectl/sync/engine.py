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
from profilectl.model import LedgerState, Profile
from profilectl.plan.changes import Action
from profilectl.plan.intents import IntentStatus, Observation, left_ms, missing_bindings, resolve
from profilectl.sync.outcomes import Outcome, Status
from profilectl.sync.witnesses import compare_pictures, confirm_candidates, confirm_losses

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

    What is missing is looked for twice, and then X is asked about it by its id. Without `wait` (``diff``) no time is
    spent between readings.

    Raises:
        Unreachable: X's list lacks profiles that X has, so nothing can be concluded from it.
        RemoteError: X's list can't be read.
    """
    begun, profiles, same_picture = remote.local_time(), dict[str, Profile](), dict[tuple[str, str], bool]()
    # a profile that an unanswered create made may be missing from the list for `settle_after` seconds
    pauses = itertools.chain(_BACK_OFF, itertools.repeat(_BACK_OFF[-1]))
    for readings in itertools.count(1):
        observed_ms, local = remote.now_ms(), remote.local_time()
        # what any reading shows is there: only what none shows can be missing
        profiles |= {profile.id: profile for profile in remote.list_profiles()}
        observation = Observation(
            brand,
            tuple(profiles.values()),
            observed_ms,
            ledger_state,
            user_id,
            readings=readings,
            local=local,
            watched_ms=local.ms - begun.ms,
            same_picture=same_picture,
        )
        observation = compare_pictures(observation, remote)
        same_picture = dict(observation.same_picture)
        left = _pending_ms(observation, settle_after)
        if readings == 1 and (left == 0 or missing_bindings(observation, settle_after)):
            continue
        if not left or wait is None:
            break
        pause = min(next(pauses), left / 1000)
        if not wait(max(0.1, pause), "for X's list to settle an unanswered create"):
            break
    return confirm_losses(confirm_candidates(observation, remote), remote, settle_after)


def _pending_ms(observation: Observation, settle_after: int) -> int | None:
    """Return how long the open intents need until they can be settled, None when there is none that is pending."""
    pending = [
        left_ms(intent, observation, settle_after)
        for intent in observation.ledger_state.intents
        if resolve(intent, observation, settle_after)[0] is IntentStatus.PENDING
    ]
    return max(0, *pending) if len(pending) > 1 else max(0, pending[0]) if pending else None


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
    """Return the part of a later plan that is about steps of the first, and about what these have replaced."""
    # what an unanswered replacement has replaced is retired by its adoption, and goes as it would without the fault
    agents = {(brand, agent) for brand, agent, profile_id in steps if profile_id is None}
    changes = (
        change
        for change in plan.changes
        if _place(change) in steps or (change.action is Action.DESTROY and (change.brand, change.agent) in agents)
    )
    return replace(plan, changes=tuple(changes))


def _waits_for_others(outcome: Outcome) -> bool:
    """Say whether a step was skipped only because of what happened to another one."""
    return outcome.status is Status.SKIPPED and outcome.error is None and not outcome.change.is_blocked
