"""Errors as values: what a caller that knows more makes of one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from profilectl.errors import OutcomeUnknown, RateLimited, RosterRefused

LATER = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "error",
    [
        RateLimited("X's limit is reached", hint="wait", retry_at=LATER, status=429, code=88),
        OutcomeUnknown("cut off"),
        RosterRefused("two problems", problems=["first", "second"], hint="look at them"),
    ],
)
def test_another_hint_changes_nothing_else(error):
    """Type, message and all that the error knows stay, and the first error keeps its own hint."""
    former = dict(vars(error))
    other = error.with_hint("run again")

    assert (type(error), str(error)) == (type(other), str(other))
    assert former | {"hint": "run again"} == vars(other)
    assert former == vars(error)
