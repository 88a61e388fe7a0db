"""No profile is destroyed while a welcome message of the brand's carries it; one call of X tells."""

from __future__ import annotations

import pytest


@pytest.fixture
def team(desk, served):
    """A desk with two agents who are at X, one of whom has just left the roster."""
    desk.write(("alice", "Alice F."), ("bea", "Bea G."))
    assert 0 == desk.run("sync", "--yes").code
    return desk.write(("alice", "Alice F."))


def greet(served, name):
    """Let customers be greeted with the profile of that name; return its id."""
    rows = served.ask("GET", "state")["profiles"]
    profile_id = next(row["id"] for row in rows if row["name"] == name)
    served.ask("POST", "welcome-messages", {"handle": "acmecare", "text": "Hi!", "profile_id": profile_id})
    return profile_id


def test_a_leaver_who_greets_customers_stays_at_x(team, served):
    """Nobody can send as them any more, the profile stays, and a person is told; once it greets nobody, it goes."""
    profile_id = greet(served, "Bea G.")
    kept = team.run("sync", "--yes")
    sent = team.run("send", "--as", "bea", "--to", "@customer", "Hello", "--human-wrote-this")
    again = team.run("sync", "--yes", "-q")
    live = served.live()
    served.ask("DELETE", "welcome-messages", {"handle": "acmecare"})
    gone = team.run("sync", "--yes")

    assert [7, 7, 0] == [kept.code, again.code, gone.code]
    assert f"profile {profile_id} isn't destroyed: a welcome message of the brand's carries it" in kept.err
    assert "give that message another profile or none" in again.err
    assert 2 == sent.code
    assert (["Alice F.", "Bea G."], ["Alice F."]) == (live, served.live())


def test_a_replaced_profile_too(team, served):
    """It is looked for when a profile is due, with --prune-now at once; the agent has the new one meanwhile."""
    greet(served, "Alice F.")
    result = team.write(("alice", "Alice Anew"), ("bea", "Bea G.")).run("sync", "--yes", "--prune-now")

    assert 7 == result.code
    assert ["Alice Anew", "Alice F.", "Bea G."] == served.live()


def test_others_go_all_the_same(team, served):
    """Another profile in a greeting, or a greeting without one, keeps nothing from going."""
    greet(served, "Alice F.")
    served.ask("POST", "welcome-messages", {"handle": "acmecare", "text": "Hi!"})

    assert 0 == team.run("sync", "--yes").code
    assert ["Alice F."] == served.live()


def test_one_call_and_only_before_a_destroy(team, served):
    """Creating and replacing ask nothing more than before, and several destroys ask once."""
    team.write(("alice", "Alice Anew"), ("bea", "Bea G."), ("cleo", "Cleo H."))
    made = team.run("sync", "--yes", "-v")
    team.write(("alice", "Alice Anew"))
    gone = team.run("sync", "--yes", "-v", "--prune-now", "--allow-deletes", "2")
    nothing = team.run("sync", "--yes", "-v")

    assert [0, 0, 0] == [made.code, gone.code, nothing.code]
    assert [0, 1, 0] == [run.err.count("welcome_messages") for run in (made, gone, nothing)]
    assert 3 == gone.err.count("DELETE /1.1/custom_profiles/destroy.json")
    assert 2 == len([line for line in nothing.err.splitlines() if line.startswith(("GET", "POST", "DELETE"))])


@pytest.mark.parametrize(
    ("fault", "warns"),
    [
        ({"kind": "refuse", "code": 87, "status": 403}, False),
        ({"kind": "refuse", "code": 34, "status": 404}, False),
        ({"kind": "rate-limit"}, True),
        ({"kind": "html", "status": 200}, True),
    ],
)
def test_who_cannot_read_them_goes_on(team, served, fault, warns):
    """An app that X doesn't let read them destroys as before; trouble of another kind is told."""
    served.fault(call="welcome-messages", times=None, **fault)
    result = team.run("sync", "--yes")

    assert (0, ["Alice F."]) == (result.code, served.live())
    assert warns == ("warning: acme: X's welcome messages couldn't be looked through" in result.err)
