"""Retired profiles of whose retirement nothing is on record are destroyed within the bounds of deletions only."""

from __future__ import annotations

import pytest

from profilectl.model import LedgerState, LocalTime, Picture, Policy, Profile, Retired
from profilectl.plan.builder import build
from profilectl.plan.guards import guard_unrecorded_destroys
from profilectl.plan.intents import Observation
from tests.plan.test_builder import NOW, OLD, TODAY, agent, bound, digest, roster

BOUNDS = Policy(max_deletes=5, max_delete_ratio=0.25)


@pytest.mark.parametrize(
    ("count", "bound_count", "allowed", "is_refused"),
    [
        (0, 0, None, False),
        (1, 1, None, False),  # one is always allowed
        (5, 40, None, False),
        (6, 40, None, True),
        (3, 10, None, True),
        (2, 8, None, False),
        (12, 40, 12, False),
        (12, 40, 11, True),
        (1, 1, 0, False),
    ],
)
def test_bounds(count, bound_count, allowed, is_refused):
    """They are those of deletions, and so is the option that replaces them."""
    refusal = guard_unrecorded_destroys(BOUNDS, [("acme", count, bound_count)], allowed)
    assert is_refused == (refusal is not None)


def test_what_it_says():
    """The brand, how many, why, and the option that is enough for all brands."""
    refusal = guard_unrecorded_destroys(BOUNDS, [("acme", 7, 40), ("beta", 9, 40)], None)
    what = "brand acme: 7 retired profiles would be destroyed, beside 40 bound ones"
    why = "and nothing is on record of their retirement; the policy allows 5 at once"
    assert ("unrecorded", f"{what}, {why}", "--allow-deletes 9") == (refusal.guard, refusal.message, refusal.allow)


@pytest.mark.parametrize(
    ("recorded", "is_refused"),
    [
        (None, False),
        ({}, True),
        ({"acme": frozenset("123456")}, True),
        ({"acme": frozenset("123456789")}, False),
        ({"acme": frozenset("3456789")}, True),
        ({"acme": frozenset("23456789")}, False),
        ({"beta": frozenset("123456789")}, True),
    ],
    ids=["nobody asked", "none", "six of nine", "all", "seven", "all but one", "of another brand"],
)
def test_a_plan_that_would_destroy_them(recorded, is_refused):
    """Only those without a record count, and the plan is shown with its refusal."""
    retired = tuple(Retired(number, "left", "Left", OLD, "removed") for number in "123456789")
    profiles = tuple(Profile(number, "Left", "url", OLD) for number in "123456789")
    alice = Profile("100", "Alice", "url", OLD)
    state = LedgerState((bound("alice", "100"),), (), retired)
    observed = Observation("acme", (alice, *profiles), NOW, state, readings=2, local=LocalTime("boot", 1))
    pictures = {"a.png": Picture("a.png", digest("a.png"), 1)}
    plan = build(roster(agent("alice")), pictures, [observed], today=TODAY, recorded=recorded)

    assert 9 == plan.summary()["destroy"]
    assert (is_refused, is_refused and "unrecorded") == (plan.refused is not None, is_refused and plan.refused.guard)
