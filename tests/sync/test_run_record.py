"""What a sync puts on the record about itself, each thing once."""

from __future__ import annotations

import pytest

from profilectl.ledger.sqlite import open_for_writing
from profilectl.plan.builder import Plan
from profilectl.plan.changes import Action, Appearance, Change, Reason
from profilectl.plan.fingerprint import Basis
from profilectl.plan.saved import Selection
from profilectl.sync.run_record import Sources, record_overrides, record_sources

USER, OTHER = "7001", "7002"
IDS = {"acme": USER, "beta": OTHER}
ALICE = Appearance("Alice", "sha256:a")
DELETE = Change("acme", "alice", Action.DELETE, (Reason.REMOVED,), "1", ALICE)
REPLACE = Change("acme", "alice", Action.REPLACE, (Reason.NAME,), "1", ALICE, ALICE)
REPAIR = Change("acme", "alice", Action.CREATE, (Reason.LOST,), None, ALICE, ALICE)
DESTROY = Change("acme", "alice", Action.DESTROY, (Reason.REPLACED,), "1")


@pytest.fixture
def ledger(tmp_path):
    with open_for_writing(tmp_path / "state" / "ledger.db") as ledger:
        yield ledger


def told(ledger):
    return [(record.event.what, record.event.account, record.event.detail) for record in ledger.events()]


def test_sources_are_recorded_where_they_are_new(ledger):
    """For each account by itself; the commit is looked up only then."""
    asked = []

    def sources(roster, policy=""):
        return Sources(roster, policy, lambda: asked.append(roster) or "c0ffee")

    record_sources(ledger, [USER], sources("sha256:1"), 1)
    record_sources(ledger, [USER], sources("sha256:1"), 2)
    record_sources(ledger, [USER, OTHER], sources("sha256:1", "sha256:p"), 3)
    record_sources(ledger, [USER], sources("sha256:1"), 4)

    roster = {"roster": "sha256:1", "former": None, "commit": "c0ffee"}
    assert [
        ("roster-changed", USER, roster),
        ("policy-changed", USER, {"policy": "sha256:p", "former": None}),
        ("roster-changed", OTHER, roster),
        ("policy-changed", OTHER, {"policy": "sha256:p", "former": None}),
        ("policy-changed", USER, {"policy": None, "former": "sha256:p"}),
    ] == told(ledger)
    assert 2 == len(asked)


ALL = Selection(allow_deletes=3, allow_lost=2, prune_now=True)


@pytest.mark.parametrize(
    ("changes", "selection", "begun", "expected"),
    [
        ((), ALL, (), None),
        ((DELETE,), Selection(), (), None),
        ((DELETE,), ALL, (), "--allow-deletes 3"),
        ((REPAIR,), ALL, (), "--allow-lost 2"),
        ((REPLACE,), ALL, (), "--prune-now"),
        ((DESTROY,), ALL, (), "--allow-deletes 3, --prune-now"),
        ((), Selection(), (USER,), "--new-ledger"),
    ],
)
def test_an_option_is_recorded_where_it_let_the_plan_do_something(ledger, changes, selection, begun, expected):
    """With the plan's digest, for the account that it was about."""
    plan = Plan(changes, Basis("sha256:r", "sha256:p", "sha256:l", "sha256:x"))
    record_overrides(ledger, plan, IDS, selection, begun, 1)
    detail = {"options": expected, "plan": plan.digest}
    assert ([] if expected is None else [("overridden", USER, detail)]) == told(ledger)
