"""What actions and reasons mean for a sync."""

from __future__ import annotations

import pytest

from profilectl.plan.changes import Action, Change, Reason


@pytest.mark.parametrize(
    ("reason", "waits", "needs_person", "is_in_doubt"),
    [
        (Reason.UNSETTLED, True, False, True),
        (Reason.UNCONFIRMED, True, False, True),
        (Reason.AMBIGUOUS, False, True, True),
        (Reason.REUSED, False, True, True),
        (Reason.NAMESAKE, False, True, False),
        (Reason.OFFBOARDED, False, True, False),
    ],
)
def test_a_blocked_agent_waits_or_needs_a_person(reason, waits, needs_person, is_in_doubt):
    """Time settles two reasons, and four leave open whether the agent has a profile."""
    change = Change("acme", "alice", Action.BLOCKED, (reason,))

    assert (True, waits, needs_person) == (change.is_blocked, change.waits, change.needs_person)
    assert is_in_doubt == change.is_in_doubt


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.BLOCKED])
@pytest.mark.parametrize("reason", Reason)
def test_what_can_be_done_waits_for_nobody(action, reason):
    """Whatever its reason is."""
    change = Change("acme", "alice", action, (reason,))

    assert (False,) * 4 == (change.is_blocked, change.waits, change.needs_person, change.is_in_doubt)


def test_what_an_action_costs():
    """A create, a destroy, or neither."""
    assert [Action.REPLACE, Action.CREATE] == [action for action in Action if Change("acme", "a", action, ()).creates]
    assert [Action.DELETE, Action.DESTROY] == [action for action in Action if Change("acme", "a", action, ()).removes]
