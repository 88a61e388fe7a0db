"""Whom customers are greeted as: asked for once, and never in the way of who may not ask."""

from __future__ import annotations

import pytest

from profilectl.errors import CreditsUsedUp, NotAllowlisted, NotFound, PersonNeeded, Refused, Unreachable
from profilectl.sync.welcome import WelcomeProfiles


def test_one_call_for_all():
    """X is asked before the first profile, and not again."""
    calls = []

    def read():
        calls.append("list")
        return frozenset({"7"})

    welcome = WelcomeProfiles(read, calls.append)
    refusals = [welcome.refusal(profile_id) for profile_id in ("6", "7", "8")]

    assert [type(None), PersonNeeded, type(None)] == [type(refusal) for refusal in refusals]
    assert ["list"] == calls


@pytest.mark.parametrize(
    ("error", "is_told"),
    [
        (Refused("no"), False),
        (NotFound("no such page"), False),
        (NotAllowlisted("no"), False),
        (Unreachable("cut off"), True),
        (CreditsUsedUp("none left"), True),
    ],
)
def test_a_failing_call_stops_nothing(error, is_told):
    """X's no to such calls is as before there was one; other trouble is told once."""
    warnings = []

    def read():
        raise error

    welcome = WelcomeProfiles(read, warnings.append)

    assert [None, None] == [welcome.refusal(profile_id) for profile_id in ("6", "7")]
    assert is_told == (len(warnings) == 1)
