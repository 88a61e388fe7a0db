"""Histories that the model has found and that a sync once didn't survive."""

from __future__ import annotations

from pathlib import Path

import pytest

from profilectl.errors import LedgerRefused
from tests.resilience import model_line
from tests.resilience.model_desk import Desk
from tests.resilience.model_trouble import Fault, Script
from tests.resilience.model_x import STRANGER, ModelX
from tests.resilience.test_model import check, recover


@pytest.fixture
def desk(tmp_path):
    return Desk("ours", ModelX(), Path(tmp_path / "ledger.db"))


def crash_after_the_create(desk, **more):
    """Let alice's first run die right after X has applied its create, before anything is known of it."""
    desk.put("alice", "Alex")
    steps = iter(range(40))
    while not desk.x.live():
        desk.sync(Script(crash_at=next(steps), **more))
        desk.x.advance(0 if desk.x.live() else 61_000)


def test_a_destroy_that_fails_in_a_later_round_is_told(desk):
    """Without grace, the old profile that a second round replaces and can't destroy is one more outcome."""
    desk.put("alice", "Alex")
    desk.sync(Script())
    desk.prune = True
    desk.put("alice", "Bea")
    outcomes = desk.sync(Script(faults=[Fault("create", 0, "unknown"), Fault("destroy", 0, "down")]))

    assert ["replace", "destroy"] == [one.change.action.value for one in outcomes]


def test_a_list_may_lag_for_all_but_the_settle_time(desk):
    """A profile that X lists 59.9 s after making it is adopted, not made twice, however early the intent is stamped."""
    crash_after_the_create(desk, slack_ms=999, faults=[Fault("create", 0, "lagging", 59_900)])
    desk.sync(Script())
    check(desk)
    recover(desk)


def test_a_slow_create_of_a_killed_run_is_waited_for(desk, monkeypatch):
    """A create that took 25 s to be applied and 40 s to be listed is adopted, also when its sender was killed."""
    monkeypatch.setattr(model_line, "SLOW_MS", 25_000)
    crash_after_the_create(desk, faults=[Fault("create", 0, "slow", 40_000)])
    desk.sync(Script())
    check(desk)
    recover(desk)


def test_who_can_not_be_settled_keeps_everybody_s_old_profiles(desk):
    """While a person has to tell bruno's profile from a stranger's, alice's former ones aren't destroyed either."""
    desk.put("alice", "Alex")
    desk.sync(Script())
    desk.put("alice", "Cleo")
    desk.put("bruno", "Bea")
    with pytest.raises(LedgerRefused):
        desk.sync(Script(faults=[Fault("finish_intent", 1, "full")]))
    desk.x.make(STRANGER, None, "Bea")
    recover(desk)

    assert ["Alex", "Cleo"] == [one.name for one in desk.faces("alice")]


def test_a_last_face_is_not_pruned_while_the_list_lacks_the_new_one(desk):
    """A young profile that X doesn't list may lag or be gone: until that is known, the one it replaced stays."""
    desk.put("alice", "Alex")
    desk.sync(Script())
    desk.put("alice", "Bea")
    desk.sync(Script())
    desk.prune = True
    desk.x.end(next(one.id for one in desk.x.live() if one.name == "Bea"), STRANGER)
    desk.sync(Script())
    assert ["Alex"] == [one.name for one in desk.faces("alice")]
    recover(desk)


def test_two_date_headers_that_jump_ahead_don_t_make_our_late_profile_a_stranger_s(desk):
    """One honest header is enough: what X applies after the run is newer than its intent, and is taken care of."""
    for key in ("alice", "bruno"):
        desk.put(key, "Alex")
    desk.sync(Script())
    desk.put("alice", "Bea")
    lies = [Fault("now", nth, "an hour ahead") for nth in (0, 2)]
    desk.sync(Script(faults=[Fault("create", 0, "late"), *lies], patient=False))
    check(desk)
    recover(desk)

    assert 1 == len(desk.live("alice"))
