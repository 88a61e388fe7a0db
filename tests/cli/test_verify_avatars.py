"""A picture that another tool has swapped shows up, and nothing else does."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.photographs import photograph_like_portrait

TEAM = [(key, key.title(), f'avatar = "avatars/{key}.jpg"') for key in ("alice", "bruno", "chidi")]
DOWNLOAD = "/_sandbox/media/"


@pytest.fixture
def team(desk):
    """Three agents with a photograph each, live on the X in process."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    (desk.folder / "avatars").mkdir(exist_ok=True)
    for seed, (key, *_) in enumerate(TEAM):
        (desk.folder / "avatars" / f"{key}.jpg").write_bytes(photograph_like_portrait(seed, (300, 400)))
    assert 0 == desk.write(*TEAM).run("sync", "--yes").code
    return desk


def put_live(desk, key, content):
    """Change what X serves of an agent, behind everybody's back."""
    with closing(sqlite3.connect(desk.folder / ".profilectl" / "sandbox" / "world.db")) as world, world:
        live = "SELECT media_id FROM profiles WHERE name = ? AND destroyed_ms IS NULL"
        changed = world.execute(f"UPDATE media SET content = ? WHERE id = ({live})", (content, key.title()))
        assert 1 == changed.rowcount


def downloads(result):
    return sum(line.startswith("GET ") and DOWNLOAD in line for line in result.err.splitlines())


def test_what_x_encoded_anew_is_no_change(team):
    """Every picture comes back as another file, and exit 0 says that nothing differs; each took one call."""
    result = team.run("diff", "--verify-avatars", "--exit-code", "-v")

    assert (0, "", 3) == (result.code, result.out, downloads(result))
    assert "3 unchanged" in result.err
    assert "not verified" not in result.err


def test_without_the_option_no_picture_is_fetched(team):
    """Not even one that was swapped; the pictures are left alone by a plain diff and sync."""
    put_live(team, "alice", photograph_like_portrait(9, (300, 400)))
    result = team.run("diff", "--exit-code", "-v")

    assert (0, 0) == (result.code, downloads(result))
    assert {"list": 1, "upload": 0, "create": 0, "destroy": 0, "other": 1} == team.run(
        "sync", "--yes", "--json"
    ).document["requests"]


def test_a_swapped_picture_shows_and_one_sync_puts_it_right(team):
    """One upload, one create; the next look finds nothing any more."""
    put_live(team, "bruno", photograph_like_portrait(9, (300, 400)))
    shown = team.run("diff", "--verify-avatars", "--exit-code")
    synced = team.run("sync", "--verify-avatars", "--yes", "--json").document

    assert (3, [["±", "acme", "bruno"]]) == (shown.code, [row[:3] for row in shown.rows])
    assert "swapped" == shown.rows[0][4]
    assert {"list": 1, "upload": 1, "create": 1, "destroy": 0, "other": 4} == synced["requests"]
    assert 0 == team.run("diff", "--verify-avatars", "--exit-code").code


@pytest.mark.parametrize("content", [None, b"GIF89a and nothing more"])
def test_a_picture_that_can_t_be_had_is_a_warning(team, content):
    """Neither a change nor a reason for another exit code; the others are verified all the same."""
    put_live(team, "alice", content)
    put_live(team, "bruno", photograph_like_portrait(9, (300, 400)))
    result = team.run("diff", "--verify-avatars", "--quiet")
    one = team.run("diff", "--verify-avatars", "--exit-code", "--agent", "alice")

    assert (0, ["bruno"]) == (result.code, [row[2] for row in result.rows])
    assert (0, "") == (one.code, one.out)
    warning, count = result.err.splitlines()
    assert warning.startswith("warning: acme: alice: the live picture can't be verified: ")
    assert "1 picture not verified" == count


def test_several_that_can_t_be_had_are_counted(team):
    """Each is named, and their number said; sync has nothing to do."""
    for key, *_ in TEAM:
        put_live(team, key, None)
    result = team.run("sync", "--verify-avatars", "--yes", "--json")

    assert (0, []) == (result.code, result.document["results"])
    assert "3 pictures not verified" == result.err.splitlines()[3]
    assert ["alice", "bruno", "chidi"] == [line.split(": ")[2] for line in result.err.splitlines()[:3]]


def test_only_what_would_stay_as_it_is_is_worth_a_call(team):
    """Whoever gets another name, leaves the roster, is over or doesn't take part isn't looked at."""
    team.write(("alice", "Alicia", TEAM[0][2]), TEAM[2])
    changed = team.run("diff", "--verify-avatars", "-v")
    team.write(*TEAM)
    chosen = team.run("diff", "--verify-avatars", "--agent", "bruno", "-v")
    team.write(TEAM[0], (*TEAM[1], "until = 2020-01-01\nprotected = true"), TEAM[2])
    over = team.run("diff", "--verify-avatars", "-v")

    assert [1, 1, 2] == [downloads(one) for one in (changed, chosen, over)]


def test_a_saved_plan_is_verified_again(team):
    """The plan says that pictures were compared, and sync applies it as long as they are still swapped."""
    put_live(team, "alice", photograph_like_portrait(9, (300, 400)))
    assert 0 == team.run("diff", "--verify-avatars", "--out", "plan.json").code
    stale = team.run("sync", "--yes", "--plan", "plan.json")

    assert 0 == stale.code, stale.err
    assert 0 == team.run("diff", "--verify-avatars", "--exit-code").code
    assert 5 == team.run("sync", "--yes", "--plan", "plan.json").code


def test_a_swapped_picture_whose_create_is_unanswered_is_settled_in_the_same_run(team):
    """What the comparison found holds for the further rounds, without fetching anything twice."""
    put_live(team, "alice", photograph_like_portrait(9, (300, 400)))
    fault = team.run("sandbox", "faults", json.dumps({"call": "create", "kind": "error-before"}))
    result = team.run("sync", "--verify-avatars", "--yes", "--json", "-v")

    assert 0 == fault.code, fault.err
    assert (0, 3) == (result.code, downloads(result))
    assert ["done"] == [one["status"] for one in result.document["results"]]
