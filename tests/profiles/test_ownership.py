"""Whose a profile is, from what X lists and the ledger knows."""

from __future__ import annotations

from profilectl.model import Binding, Intent, LedgerState, Profile, Retired
from profilectl.profiles.ownership import ProfileStatus, classify


def profile(number, name):
    return Profile(str(number), name, "https://pbs.example/1.jpg", 2000)


def test_every_profile_has_a_status_and_its_agent():
    """Ours by the ledger, namesakes by their name, created ones by their intent; what X lacks comes last."""
    ledger_state = LedgerState(
        bindings=(
            Binding("alice", "1", "Alice", "sha256:a", 1, 1),
            Binding("gone", "9", "Gone", "sha256:a", 1, 1),
        ),
        intents=(Intent("n", "carla", "Carla", "sha256:c", frozenset({"1", "2", "3", "5"}), 1000),),
        retired=(Retired("2", "bruno", "Bruno", 1, "replaced"),),
    )
    listed = [profile(1, "Alice"), profile(2, "Bruno"), profile(3, "Bruno"), profile(4, "Carla"), profile(5, "Else")]
    names = {"Alice", "Bruno", "Carla"}

    assert [
        ("1", ProfileStatus.BOUND, "alice"),
        ("2", ProfileStatus.RETIRED, "bruno"),
        ("3", ProfileStatus.NAMESAKE, None),
        ("4", ProfileStatus.UNMANAGED, "carla"),
        ("5", ProfileStatus.UNMANAGED, None),
        ("9", ProfileStatus.LOST, "gone"),
    ] == [(entry.profile.id, entry.status, entry.agent) for entry in classify("acme", listed, ledger_state, names)]


def test_a_young_profile_that_x_lacks_is_lost_with_the_moment_until_which_that_may_change():
    """An older one, and one of an X whose list never lags, has none."""
    state = LedgerState(bindings=(Binding("alice", "1", "Alice", "sha256:a", 1000, 1000),))
    times = ((60_999, 60), (61_000, 60), (1000, 0))
    lost = [next(classify("acme", [], state, set(), observed_ms=now, settle_after=after)) for now, after in times]

    assert [61_000, None, None] == [entry.settling_until for entry in lost]
    assert {ProfileStatus.LOST} == {entry.status for entry in lost}
