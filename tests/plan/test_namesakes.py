"""Which strangers bear an agent's name, and when there are so many that a ledger was lost."""

from __future__ import annotations

import pytest

from profilectl.model import Agent, Binding, Intent, Kind, LedgerState, Profile, Retired
from profilectl.plan.changes import Action, Appearance, Change, Reason
from profilectl.plan.namesakes import find_namesakes, lost_brands

ALICE, TWIN = (Agent(key, "acme", "Zo\u00eb", "a.png", Kind.HUMAN) for key in ("alice", "twin"))


def profile(number, name="Zo\u00eb"):
    return Profile(str(number), name, "https://pbs.example/1.jpg", number)


def bound(agent, number):
    return Binding(agent, str(number), "Zo\u00eb", "sha256:a", number, number)


@pytest.mark.parametrize(
    ("ledger_state", "numbers", "expected"),
    [
        pytest.param(LedgerState(), [1], [("alice", "1", None)], id="the first agent of the name"),
        pytest.param(LedgerState(), [2, 1], [("alice", "1", None), ("twin", "2", None)], id="each agent another one"),
        pytest.param(
            LedgerState((bound("alice", 9),)),
            [9, 1, 2],
            [("twin", "1", None), ("alice", "2", "9")],
            id="first who has none",
        ),
        pytest.param(
            LedgerState((bound("alice", 8), bound("twin", 9))),
            [1, 2, 3],
            [("alice", "1", "8"), ("twin", "2", "9"), ("twin", "3", "9")],
            id="each profile once",
        ),
        pytest.param(LedgerState(retired=(Retired("1", "alice", "Zo\u00eb", 1, "replaced"),)), [1], [], id="retired"),
        pytest.param(
            LedgerState(blocked=frozenset({"alice"})),
            [1, 2],
            [("twin", "1", None), ("twin", "2", None)],
            id="offboarded",
        ),
        pytest.param(LedgerState(blocked=frozenset({"alice", "twin"})), [1], [], id="all offboarded"),
        pytest.param(
            LedgerState(intents=(Intent("n", "alice", "Zo\u00eb", "sha256:a", frozenset(), 1),)), [1], [], id="intent"
        ),
    ],
)
def test_strangers_with_an_agents_name(ledger_state, numbers, expected):
    """Each is named once, with the agent who may have it and what that agent has now."""
    namesakes = find_namesakes([ALICE, TWIN], [profile(number) for number in numbers], ledger_state)

    assert expected == [(namesake.agent.key, namesake.profile.id, namesake.bound_id) for namesake in namesakes]


def test_other_names_are_nobody_s():
    """A decomposed letter is the same name."""
    listed = [profile(1, "Somebody"), profile(2, "Zoe\u0308")]

    assert ["2"] == [namesake.profile.id for namesake in find_namesakes([ALICE], listed, LedgerState())]


def test_three_namesakes_of_a_brand_are_a_lost_ledger():
    """Counted brand by brand; what is blocked for another reason doesn't count."""
    after = Appearance("Alice", "sha256:a")
    changes = [
        Change(brand, f"agent{number}", Action.BLOCKED, (reason,), "1", after=after)
        for brand, reason, count in (
            ("acme", Reason.NAMESAKE, 3),
            ("beta", Reason.NAMESAKE, 2),
            ("beta", Reason.OFFBOARDED, 5),
        )
        for number in range(count)
    ]

    assert {"acme": 3} == lost_brands(changes)
