"""When another sync can do more: `retry_at` for scripts, and the same moment in the sentence for people."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

from profilectl.render.moments import moment

WAITING = 'settle_after = "60s"'


def parsed(timestamp):
    return datetime.strptime(timestamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def test_an_unsettled_create_says_when_it_is_settled(desk, served):
    """A minute after the create left, X's list must show what became of it: before that a run can do nothing."""
    desk.write(("alice", "Alice"), policy=WAITING)
    served.fault(call="create", kind="drop-before", times=None)
    began = datetime.now(UTC)
    first = desk.run("sync", "--yes", "--max-wait", "0s", "--json")
    ended = datetime.now(UTC)
    second = desk.run("sync", "--yes", "--max-wait", "0s", "--json")
    told = parsed(first.document["retry_at"])

    assert (75, 75) == (first.code, second.code)
    assert began + timedelta(seconds=59) <= told <= ended + timedelta(seconds=63)
    # the second run knows the same by another clock, to the second
    assert abs(parsed(second.document["retry_at"]) - told) <= timedelta(seconds=2)
    assert f"run the same command again after {moment(told, ended)}" in " ".join(second.err.split())


def test_a_profile_that_x_does_not_list_yet_says_until_when(desk, served):
    """The document has the moment that the notice names."""
    desk.write(("alice", "Alice"), policy=WAITING).run("sync", "--yes")
    [profile] = desk.run("profiles", "list", "--json").document["profiles"]
    with closing(desk.client(served.url)) as client:
        client.destroy_profile(profile["id"])
    result = desk.run("sync", "--yes", "--json")
    told = parsed(result.document["retry_at"])

    assert parsed(profile["created"]) + timedelta(seconds=60) == told
    assert f"settling until {moment(told, datetime.now(UTC))}" in result.err


def test_a_run_that_has_done_all_names_no_moment(desk, served):
    """There is nothing to come back for."""
    assert served.live() == []
    assert None is desk.write(("alice", "Alice"), policy=WAITING).run("sync", "--yes", "--json").document["retry_at"]
