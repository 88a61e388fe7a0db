"""How plans and outcomes are told in words; shared by tables, plain lines and error messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profilectl.changes import Action
from profilectl.names import visible
from profilectl.outcomes import Status, count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from profilectl.changes import Change
    from profilectl.outcomes import Outcome
    from profilectl.plan import Plan

SYMBOLS = {
    Action.CREATE: "+",
    Action.REPLACE: "±",
    Action.ADOPT: "=",
    Action.DELETE: "-",
    Action.DESTROY: "-",
    Action.BLOCKED: "!",
}
STRANGER = "?"

_REASONS = {
    "new": "new",
    "lost": "gone from X",
    "name": "name",
    "avatar": "picture",
    "swapped": "another picture is live",
    "removed": "left the roster",
    "until": "last day is over",
    "replaced": "replaced earlier",
    "unanswered": "made by a create that X never answered",
    "namesake": "a profile of that name exists",
    "ambiguous": "several profiles may be the one",
    "unsettled": "an earlier create is still in doubt",
}


def reason(change: Change) -> str:
    """Say why a change is planned: the fields that differ, or the cause."""
    return ", ".join(_REASONS[why] for why in change.why)


def summary(plan: Plan) -> str:
    """Sum a plan up in one line."""
    counts = plan.summary()
    words = ("create", "replace", "adopt", "delete", "destroy")
    parts = [f"{counts[word]} to {word}" for word in words if counts[word]]
    if counts["blocked"]:
        parts.append(f"{counts['blocked']} blocked")
    parts.append(f"{counts['unchanged']} unchanged")
    if counts["unmanaged"]:
        parts.append(f"{counts['unmanaged']} not ours")
    return ", ".join(parts)


def result(outcomes: Sequence[Outcome]) -> str:
    """Sum a sync up in one line."""
    counts = count(outcomes)
    return ", ".join(f"{number} {status}" for status, number in counts.items() if number) or "nothing to do"


def obstacle(change: Change, name: str, options: str) -> str:
    """Say what a blocked agent waits for, with the exact command that helps.

    Args:
        change: what is blocked.
        name: the name in the way.
        options: what the command needs to speak of the same roster and X, with a space before it.
    """
    adopt = f"profilectl profiles adopt {change.agent} {change.profile_id} --brand {change.brand}{visible(options)}"
    if change.why == ("namesake",):
        return (
            f'{change.agent}: X has a profile "{visible(name)}" ({change.profile_id}) that this ledger doesn\'t know; '
            f"if it is {change.agent}'s, run: {adopt}"
        )
    if change.why == ("ambiguous",):
        return (
            f'{change.agent}: X has several new profiles "{visible(name)}"; look at them with '
            f"`profilectl profiles list`, then run: {adopt}"
        )
    return f"{change.agent}: X hasn't shown yet whether an earlier create was done; run the same command again later"


def failure(outcome: Outcome) -> str:
    """Say what became of a step that didn't end well."""
    change = outcome.change
    what = f"{change.brand}: {change.agent}: {change.action.value}"
    if outcome.status is Status.UNKNOWN:
        cause = f" ({outcome.error})" if outcome.error is not None else ""
        return f"{what} in doubt{cause}; nothing is lost: the next sync settles it from X's list"
    if outcome.error is None:
        return f"{what} not tried, because another step of this brand didn't end well"
    hint = f" ({outcome.error.hint})" if outcome.error.hint else ""
    return f"{what} {outcome.status.value}: {outcome.error}{hint}"
