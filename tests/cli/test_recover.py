"""The ledger is gone: names and faces tell whose the profiles are, and what they can't tell is left to a person."""

from __future__ import annotations

import sqlite3

import pytest

from profilectl.api.client import XClient
from profilectl.api.transport import Transport
from profilectl.ledger.sqlite import open_for_reading
from profilectl.pictures.similarity import LARGEST_DISTANCE
from profilectl.secret import Credentials, Secret
from tests.photographs import photograph_like_portrait

TEAM = [(key, key.title(), f'avatar = "avatars/{key}.jpg"') for key in ("alice", "bruno", "chidi")]


def ledger_of(desk):
    named = desk.env.get("PROFILECTL_LEDGER")
    return desk.folder / named if named else desk.folder / ".profilectl" / "sandbox" / "ledger.db"


def photograph(desk, key, seed):
    path = desk.folder / "avatars" / f"{key}.jpg"
    path.write_bytes(photograph_like_portrait(seed, (300, 400)))
    return path


def begin(desk):
    """Make three agents with a photograph each, live at X, and lose the ledger."""
    for seed, (key, *_) in enumerate(TEAM):
        photograph(desk, key, seed)
    assert 0 == desk.write(*TEAM).run("sync", "--yes").code
    ledger_of(desk).unlink()
    return desk


@pytest.fixture
def local(desk):
    """A team whose ledger is lost, on the X in process."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    return begin(desk)


def ids(desk):
    return sorted(row["id"] for row in desk.run("profiles", "list", "--json").document["profiles"])


@pytest.mark.usefixtures("any_x")
def test_the_sure_ones_are_bound_and_nothing_is_left_to_do(desk):
    """Names and faces agree although X has encoded every picture anew; the following sync would write nothing."""
    before = ids(begin(desk))
    result = desk.run("recover", "--yes", "--json")

    assert ("profilectl.recover/1", 0) == (result.document["schema"], result.code)
    assert {"bound": 3, "doubtful": 0, "absent": 0} == result.document["summary"]
    assert all(row["candidates"][0]["distance"] <= LARGEST_DISTANCE for row in result.document["results"])
    assert 0 == desk.run("diff", "--exit-code").code
    assert before == ids(desk)
    again = desk.run("recover", "--yes")
    assert (0, "", "nothing to recover\n") == (again.code, again.out, again.err)
    with open_for_reading(ledger_of(desk)) as ledger:
        [summary] = [record.event.detail for record in ledger.events() if record.event.what == "recovered"]
    assert {"bound": 3, "doubtful": 0} == summary


def test_another_face_is_doubtful_and_the_printed_command_decides(local):
    """A picture that isn't the roster's any more: exit 7, the others are bound, the command works as printed."""
    photograph(local, "alice", 1)
    result = local.run("recover", "--yes")
    command = result.err.split("run: profilectl ")[1].splitlines()[0].split()

    assert 7 == result.code
    assert ["doubtful", "acme", "alice", "", "Alice", "other-face"] == result.rows[0]
    assert ["bound", "bound"] == [row[0] for row in result.rows[1:]]
    assert "another face" in result.err
    assert 0 == local.run(*command, "--yes").code
    assert 0 == local.run("diff", "--exit-code").code


def test_a_picture_that_can_t_be_had_is_doubtful(local):
    """Without a face there is only a name, which is no proof."""
    with sqlite3.connect(local.folder / ".profilectl" / "sandbox" / "world.db") as world:
        world.execute("UPDATE media SET content = NULL")
    world.close()
    result = local.run("recover", "--yes", "--json")

    assert (7, {"bound": 0, "doubtful": 3, "absent": 0}) == (result.code, result.document["summary"])
    assert {"no-picture"} == {row["why"] for row in result.document["results"]}
    assert {None} == {row["candidates"][0]["distance"] for row in result.document["results"]}
    assert not ledger_of(local).exists()


def test_two_profiles_of_one_name_are_doubtful(desk, served):
    """Nothing but a person tells them apart, even when one has the right face: both come with their command."""
    begin(desk)
    names = ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")
    values = [Secret(desk.env[f"PROFILECTL_{name}"]) for name in names]
    with XClient(Credentials(*values, source="test"), Transport(served.url)) as client:
        media_id = client.upload(photograph(desk, "other", 1).read_bytes(), "image/jpeg")
        client.create_profile("Alice", media_id)
    result = desk.run("recover", "--yes")

    assert (7, "several") == (result.code, result.rows[0][5])
    assert 2 == result.err.count("run: profilectl profiles adopt alice ")
    assert (1, 1) == (result.err.count(", same face;"), result.err.count(", another face;"))


def test_agents_that_x_doesn_t_have_are_left_to_sync(local):
    """A new agent is no doubt: nothing is created, exit 0."""
    photograph(local, "dora", 9)
    local.write(*TEAM, ("dora", "Dora", 'avatar = "avatars/dora.jpg"'))
    result = local.run("recover", "--yes", "--json")

    assert (0, {"bound": 3, "doubtful": 0, "absent": 1}) == (result.code, result.document["summary"])
    assert 3 == len(ids(local))
    assert "absent: X has no profile of that name; `profilectl sync` makes one" in result.err
    assert [["+", "acme", "dora"]] == [row[:3] for row in local.run("diff").rows]


def test_what_the_ledger_still_has_stays(local):
    """A ledger that lost only some bindings gets only those back."""
    local.run("recover", "--yes")
    local.run("profiles", "forget", "bruno", "--yes")
    result = local.run("recover", "--yes")

    assert ["bruno"] == [row[2] for row in result.rows]
    assert 0 == local.run("diff", "--exit-code").code


def test_it_asks_on_a_terminal_and_refuses_elsewhere(local):
    """Without agreement no ledger is made."""
    refused = local.run("recover")
    declined, screen = local.watch("recover", answers=b"n\n")

    assert (2, 130) == (refused.code, declined)
    assert "Bind 3 profiles?" in screen
    assert "alice (acme) is profile" in screen
    assert not ledger_of(local).exists()
    assert 0 == local.watch("recover", answers=b"y\n")[0]
    assert 0 == local.run("diff", "--exit-code").code


def test_every_brand_is_recovered_on_its_own(desk):
    """Two brands have the same names; each agent gets the profile of its own brand."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    photograph(desk, "alice", 0)
    desk.write(TEAM[0], brands={"acme": "acmecare", "beta": "betacare"}).run("sync", "--yes")
    ledger_of(desk).unlink()

    assert ["acme", "beta"] == [row[1] for row in desk.run("recover", "--yes").rows]
    assert 0 == desk.run("diff", "--exit-code").code
