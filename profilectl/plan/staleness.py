"""What has moved since a plan was made, in words; from what the plan's file tells, no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profilectl.plan.changes import Action
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from profilectl.plan.builder import Plan
    from profilectl.plan.changes import Change
    from profilectl.plan.fingerprint import Basis


def movement(basis: Basis, changes: Sequence[Change], plan: Plan) -> str:
    """Say what differs between a plan of before and the one of now: "the roster and 2 pictures have changed".

    Args:
        basis: what the earlier plan was made from.
        changes: its steps.
        plan: made now; its digest is another one.
    """
    words = {
        "roster": "the roster",
        "pictures": _pictures(changes, plan.changes),
        "ledger": "the ledger",
        "remote": "X's profiles",
    }
    moved = [words[name] for name in plan.basis.moved_since(basis)]
    return have_changed(moved) if moved else _what_time_did(changes, plan.changes)


def have_changed(things: Sequence[str]) -> str:
    """Return a clause about one thing or several: "the roster has changed"."""
    *others, last = things
    is_one = not others and (last.startswith("the ") or last == "1 picture")
    listed = f"{', '.join(others)} and {last}" if others else last
    return f"{listed} {'has' if is_one else 'have'} changed"


def _pictures(earlier: Sequence[Change], now: Sequence[Change]) -> str:
    """Count the pictures that changed, as far as the plans show their agents."""
    before, after = _avatars(earlier), _avatars(now)
    bound = {(one.brand, one.agent): one.before.avatar for one in (*earlier, *now) if one.before is not None}
    concerned = before.keys() | after.keys()
    pairs = {(before.get(who, bound.get(who)), after.get(who, bound.get(who))) for who in concerned}
    count = sum(None not in pair and pair[0] != pair[1] for pair in pairs)
    if count == 0:
        return "pictures"
    return "1 picture" if count == 1 else f"{count} pictures"


def _avatars(changes: Iterable[Change]) -> dict[tuple[str, str], str]:
    return {(one.brand, one.agent): one.after.avatar for one in changes if one.after is not None}


def _what_time_did(earlier: Sequence[Change], now: Sequence[Change]) -> str:
    """Say why the same things give another plan today: something was due, or X has told more."""
    due = [change for change in now if change not in earlier]
    for change in due:
        if change.action is Action.DESTROY:
            return "a retired profile's grace is over"
        if change.why == ("until",):
            return f"the last day of {visible(change.agent)} is over"
        if change.why == ("lost",):
            return f"the profile of {visible(change.agent)} has been missing from X's list for too long"
    if any(change.why == ("unsettled",) for change in earlier):
        return "a create that X never answered can be settled now"
    if any("swapped" in change.why for change in (*earlier, *due)):
        return "live pictures have changed"
    return "the plan has become another one"
