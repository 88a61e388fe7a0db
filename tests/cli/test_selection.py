"""Labels, days, and fields that are left out of a run."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys

import pytest

BRANDS = {"acme": "acmecare", "beta": "betacare"}
NIGHT, DAY = 'labels = { team = "night" }', 'labels = { team = "day" }'
TODAY = dt.datetime.now(dt.UTC).date()
TOMORROW, YESTERDAY = (TODAY + dt.timedelta(days=days) for days in (2, -2))


@pytest.fixture
def team(desk):
    """A desk in the sandbox with three agents at X, two of them on the night shift."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(("alice", "Alice F.", NIGHT), ("bruno", "Bruno K.", DAY), ("carol", "Carol S.", NIGHT))
    assert 0 == desk.run("sync", "--yes").code
    return desk


def test_a_label_selects_who_is_changed(team):
    """The others are neither changed nor deleted, in a diff, a sync, and a saved plan."""
    team.write(("alice", "Ally F.", NIGHT), ("bruno", "Bruno Q.", DAY))  # and carol has left
    words = ("-l", "team=night,kind=human")

    plan = team.run("diff", "--json", *words).document
    assert [("alice", "replace")] == [(change["agent"], change["action"]) for change in plan["changes"]]
    assert ["kind=human", "team=night"] == plan["selection"]["labels"]
    assert 0 == team.run("diff", "--out", "plan.json", *words).code
    assert 0 == team.run("sync", "--plan", "plan.json", "--yes").code
    rest = team.run("diff", "--json").document["changes"]
    assert {("bruno", "replace"), ("carol", "delete")} <= {(change["agent"], change["action"]) for change in rest}
    assert "alice" not in {change["agent"] for change in rest if change["action"] != "destroy"}


@pytest.mark.parametrize("words", [("diff",), ("sync", "--yes"), ("roster", "list")])
def test_a_slip_in_a_label_is_told(team, words):
    """Nobody has it, or it is none."""
    assert [2, 2] == [team.run(*words, "-l", label).code for label in ("team=nigth", "team")]


COMMANDS = [("diff",), ("sync", "--yes"), ("roster", "list"), ("roster", "export"), ("preview",)]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_who_is_named_is_never_passed_over(team, words):
    """An agent whom the labels leave out (2), who isn't there (2), or who speaks for other brands only (5)."""
    team.write(("alice", "Alice F.", NIGHT), ("bruno", "Bruno K.", DAY, 'brands = ["acme"]'), brands=BRANDS)
    named = ("bruno",) if words == ("preview",) else ("--agent", "bruno", "--agent", "alice")
    unlike = team.run(*words, *named, "-l", "team=night", *(() if words[-1] == "export" else ("--brand", "acme")))
    gone = team.run(*words, *(("brno",) if words == ("preview",) else ("--agent", "brno")))

    assert (2, True) == (unlike.code, "bruno doesn't have team=night" in unlike.err), unlike.err
    assert (2, True) == (gone.code, "there is no agent brno" in gone.err), gone.err
    if words[-1] != "export":  # which has no brand
        elsewhere = team.run(*words, *named, "--brand", "beta")
        assert (5, True) == (elsewhere.code, "bruno doesn't speak for beta" in elsewhere.err), elsewhere.err


def test_an_export_of_some(team):
    """By label and by key, and both have to fit."""
    words = ("roster", "export", "--format", "jsonl")
    keys = [
        [json.loads(line)["key"] for line in team.run(*words, *selection).out.splitlines()]
        for selection in (("-l", "team=night"), ("--agent", "bruno"), ("--agent", "carol", "-l", "team=night"), ())
    ]

    assert [["alice", "carol"], ["bruno"], ["carol"], ["alice", "bruno", "carol"]] == keys


def test_the_list_shows_labels_and_states(team):
    """One row an agent: who is over, who is to come."""
    team.write(
        ("alice", "Alice F.", NIGHT, f"until = {YESTERDAY}"),
        ("bruno", "Bruno K.", f"from = {TOMORROW}"),
        ("carol", "C."),
    )
    rows = team.run("roster", "list").rows

    assert [["", "over", "team=night"], [str(TOMORROW), "to come", ""], ["", "", ""]] == [row[7:] for row in rows]
    assert ["alice"] == [row[1] for row in team.run("roster", "list", "-l", "team=night").rows]
    assert ["bruno"] == [row[1] for row in team.run("roster", "list", "--agent", "bruno").rows]
    assert "1 over, 1 to come" in team.run("roster", "check").err


def test_who_comes_and_goes_is_told_with_the_day(team):
    """A joiner isn't made before the first day, a leaver goes after the last."""
    joiner = ("dora", "Dora L.", f"from = {TOMORROW}")
    team.write(("alice", "Alice F.", f"until = {YESTERDAY}"), ("bruno", "Bruno K."), ("carol", "Carol S."), joiner)
    done = team.run("diff")

    assert ["delete"] == [row[3] for row in done.rows]
    assert f"alice's last day was {YESTERDAY}" in done.err
    assert f"dora's first day is {TOMORROW}; until then nothing is made" in done.err
    refused = team.run("send", "--as", "dora", "--to", "12345", "--human-wrote-this", "Hello")
    assert (5, True) == (refused.code, f"the first day is {TOMORROW}" in refused.err)


def test_a_first_day_that_was_moved_is_told(team):
    """The profile of before stays, and the line names it."""
    team.write(("alice", "Alice F.", f"from = {TOMORROW}"), ("bruno", "Bruno K."), ("carol", "Carol S."))
    done = team.run("diff", "--json")
    [notice] = [notice for notice in done.document["notices"] if notice["kind"] == "upcoming"]

    assert ([], "alice", str(TOMORROW)) == (done.document["changes"], notice["agent"], notice["day"])
    words = f"alice's first day is {TOMORROW}, and profile {notice['profile_id']}, which is at X already, stays"
    assert words in team.run("diff").err


def test_a_field_may_be_left_out_of_a_diff(team):
    """For one run, which says so; no plan is saved of it, and sync doesn't know it."""
    team.draw("face.png", colour=(200, 20, 20))
    done = team.run("diff", "--except", "alice:avatar")

    assert ["bruno", "carol"] == [row[2] for row in done.rows]
    assert "alice has another picture, which --except leaves out of this run" in done.err
    team.write(("alice", "Ally F."), ("bruno", "Bruno K."), ("carol", "Carol S."))
    [change] = team.run("diff", "--agent", "alice", "--except", "alice:avatar", "--json").document["changes"]
    assert (["name"], change["before"]["avatar"]) == (change["why"], change["after"]["avatar"])
    assert 0 == team.run("diff", "--except", "alice:avatar", "--format", "html").code
    assert 2 == team.run("diff", "--except", "alice:avatar", "--out", "plan.json").code
    assert 2 == team.run("sync", "--yes", "--except", "alice:avatar").code
    assert [2, 2] == [team.run("diff", "--except", word).code for word in ("alice:kind", "nobody:name")]


def test_a_day_is_that_of_the_policy_wherever_it_is_read():
    """A machine's own time zone makes no difference."""
    program = "from profilectl.system.host import today; print(today('UTC'), today('Asia/Tokyo'))"
    days = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "TZ": zone, "PYTHONTZPATH": ""},  # as on a machine without a database of its own
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for zone in ("Pacific/Kiritimati", "Etc/GMT+12", "UTC")
    }

    assert 1 == len(days)


@pytest.mark.parametrize("words", [("sync",), ("recover",)])
def test_a_brand_that_isnt_there_comes_before_the_terminal(team, words):
    """With --yes, which the other message asks for, the same command would only be refused again."""
    result = team.run(*words, "--brand", "nosuch")

    assert (2, "error: there is no brand nosuch in roster.toml\nhint: it has: acme\n") == (result.code, result.err)


@pytest.mark.parametrize("words", [("sync",), ("sync", "--sandbox"), ("recover",), ("offboard", "alice")])
def test_a_roster_that_isnt_there_comes_before_the_terminal(team, words):
    """With --yes, the command would only be refused again, with another exit code."""
    (team.folder / "roster.toml").unlink()
    result = team.run(*words)

    assert (5, False) == (result.code, "terminal" in result.err), result.err


def test_an_agent_who_isnt_there_comes_before_the_terminal(team):
    """But not one who has left the roster, and whom the ledger knows."""
    team.write(("alice", "Alice F.", NIGHT), ("bruno", "Bruno K.", DAY))
    slip, gone = team.run("sync", "--agent", "alcie"), team.run("sync", "--agent", "carol")

    assert (2, "error: there is no agent alcie\nhint: did you mean alice?\n") == (slip.code, slip.err)
    assert (2, True) == (gone.code, "there is no terminal to ask on" in gone.err)
