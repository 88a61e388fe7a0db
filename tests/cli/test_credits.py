"""Nothing left to pay X with: every command ends like one over a quota, and the next one goes on."""

from __future__ import annotations

import pytest

SOMEBODY = ("send", "--as", "alice", "--to", "@customer")


@pytest.fixture
def team(desk, served):
    """A desk with three agents who aren't at X yet."""
    return desk.write(("alice", "Alice F."), ("bea", "Bea G."), ("cleo", "Cleo H."))


@pytest.fixture
def spend(served):
    """A function that lets the app's credits end at a call, after so many that were paid; None: there are some."""

    def end(call, after=0):
        served.ask("DELETE", "faults")
        if call is not None:
            served.fault(call=call, kind="credits", times=None, after=after)

    return end


def test_a_sync_says_what_is_done_and_what_is_left(team, served, spend):
    """In the middle of the creates: 75, what is done stays done, and once there are credits the next run goes on."""
    spend("create", after=1)
    short = team.run("sync", "--yes", "--jobs", "1")
    live = served.live()
    spend(None)
    again = team.run("sync", "--yes")

    assert (75, ["Alice F."]) == (short.code, live)
    assert "1 done, 2 left: creating the profile: the app's credits at X are used up" in short.err
    assert short.err.rstrip().endswith("add credits in X's developer console, then run the same command again")
    assert (0, ["Alice F.", "Bea G.", "Cleo H."]) == (again.code, sorted(served.live()))
    assert again.err.startswith("2 done at @acmecare")


def test_a_sync_stops_asking(team, served, spend):
    """Each further call would be refused, too: one create is tried, and no wait is made for it."""
    spend("create")
    result = team.run("sync", "--yes", "--jobs", "1", "--json")

    assert (75, 1) == (result.code, result.document["requests"]["create"])
    assert {"done": 0, "failed": 0, "unknown": 0, "skipped": 3} == result.document["summary"]
    assert None is result.document["retry_at"]
    assert {"credits"} == {step["error"]["kind"] for step in result.document["results"]}


def test_uploads_and_destroys_end_alike(team, served, spend):
    """A picture that can't be uploaded and a profile that can't be destroyed wait for credits, too."""
    spend("upload")
    upload = team.run("sync", "--yes", "--jobs", "1")
    spend(None)
    assert 0 == team.run("sync", "--yes").code
    team.write(("alice", "Alice F."), ("bea", "Bea G."))
    spend("destroy")
    destroy = team.run("sync", "--yes")
    kept = "Cleo H." in served.live()
    spend(None)

    assert [75, 75] == [upload.code, destroy.code]
    assert "3 left: uploading the picture: the app's credits at X are used up" in upload.err
    assert "1 left: destroying profile" in destroy.err
    assert kept
    assert 0 == team.run("sync", "--yes").code
    assert "Cleo H." not in served.live()


@pytest.mark.parametrize("command", [("diff",), ("sync", "--yes"), ("doctor",), ("profiles", "list")])
def test_a_list_that_nobody_pays_for(team, spend, command):
    """What begins with X's list ends with it: 75, and what to do."""
    spend("list")
    result = team.run(*command)

    assert 75 == result.code
    assert "the app's credits at X are used up (HTTP 402" in result.err + result.out
    assert "add credits in X's developer console, then run the same command again" in result.err


def test_a_message_that_nobody_pays_for_is_not_sent(team, served, spend):
    """It surely isn't out, so the same command sends it once there are credits."""
    assert 0 == team.run("sync", "--yes").code
    spend("send")
    refused = team.run(*SOMEBODY, "Hello")
    spend(None)
    sent = team.run(*SOMEBODY, "Hello")

    assert (75, 0) == (refused.code, sent.code)
    assert "hint: add credits in X's developer console" in refused.err
    assert ["Hello"] == [message["text"] for message in served.ask("GET", "state")["messages"]]


def test_feedback_that_nobody_pays_for(team, spend):
    """A report reads every card at X, and is none without them all."""
    spend("feedback-events")
    result = team.run("feedback", "report")

    assert (75, "") == (result.code, result.out)
    assert "the app's credits at X are used up" in result.err
