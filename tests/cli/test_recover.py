"""The ledger is gone: names and faces tell whose the profiles are, and what they can't tell is left to a person."""

from __future__ import annotations

import sqlite3

import pytest

from profilectl.ledger.sqlite import open_for_reading
from profilectl.pictures.avatars import normalise
from profilectl.pictures.similarity import LARGEST_DISTANCE
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
    sentence = "who was offboarded isn't known any more: run `profilectl offboard AGENT"
    assert sentence in " ".join(result.err.split())
    again = desk.run("recover", "--yes")
    assert "offboarded" not in again.err
    assert (0, "", True) == (again.code, again.out, again.err.startswith("nothing to recover"))
    with open_for_reading(ledger_of(desk)) as ledger:
        [summary] = [record.event.detail for record in ledger.events() if record.event.what == "recovered"]
    assert {"bound": 3, "doubtful": 0} == summary


def test_a_sync_beside_a_lost_ledger_is_refused_and_points_to_recover(local):
    """Once, and to no command for each agent."""
    result = local.run("sync", "--yes")

    assert (5, 1, 0) == (result.code, result.err.count("`profilectl recover"), result.err.count("profiles adopt"))


@pytest.mark.parametrize("words", [("diff",), ("sync", "--yes", "--new-ledger")], ids=" ".join)
def test_a_lost_ledger_points_to_recover_in_one_line(local, words):
    """Not to a command for each agent; the documents keep every change."""
    result = local.run(*words)
    lines = [line for line in f"{result.out}{result.err}".splitlines() if "profilectl recover --brand acme" in line]

    assert 1 == len(lines)
    assert "3 agents of brand acme have profiles at X that this ledger doesn't know" in lines[0]
    assert "profiles adopt" not in result.out + result.err
    assert {"namesake"} == {change["why"][0] for change in local.run("diff", "--json").document["changes"]}


def test_doctor_points_to_recover_as_well(local):
    """It ends as each sync does, and proposes no command for each agent."""
    result = local.run("doctor")

    assert (5, 1) == (result.code, result.err.count("`profilectl recover"))
    assert "doesn't know @acmecare, and X lists 3 profiles of it" in result.out
    assert "profiles adopt" not in result.out + result.err


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
    assert ["replace", "avatar"] == local.run("diff").rows[0][3:5]  # by the roster's picture


def test_a_picture_that_can_t_be_had_is_doubtful(local):
    """Without a face there is only a name, which is no proof."""
    with sqlite3.connect(local.folder / ".profilectl" / "sandbox" / "world.db") as world:
        world.execute("UPDATE media SET content = NULL")
    world.close()
    result = local.run("recover", "--yes", "--json")

    assert (7, {"bound": 0, "doubtful": 3, "absent": 0}) == (result.code, result.document["summary"])
    assert {"no-picture"} == {row["why"] for row in result.document["results"]}
    assert {None} == {row["candidates"][0]["distance"] for row in result.document["results"]}
    with open_for_reading(ledger_of(local)) as ledger:
        assert ledger.account_of("acme") is None


@pytest.mark.parametrize(("seed", "code"), [(1, 0), (0, 7)], ids=["another face", "the same face"])
def test_two_profiles_of_one_name_are_told_apart_by_their_faces(desk, served, seed, code):
    """The one with the right face is the agent's; where both have it a person decides, with a command for each."""
    begin(desk)
    with desk.client(served.url) as client:
        media_id = client.upload(normalise(photograph(desk, "other", seed).read_bytes(), "other").content, "image/jpeg")
        client.create_profile("Alice", media_id)
    result = desk.run("recover", "--yes")

    assert (code, "several" if code else "") == (result.code, result.rows[0][5])
    commands = adoptions(result)
    assert (2 if code else 0) == len(commands) == len(set(commands)) == result.err.count(", same face;")


def adoptions(result):
    """Return the profile ids of the commands that a person may run, in their order."""
    return [line.split()[-3] for line in result.err.splitlines() if "run: profilectl profiles adopt " in line]


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
    assert "Bind 3 profiles" in screen
    assert "alice (acme) is profile" in screen
    assert not ledger_of(local).exists()
    assert 0 == local.watch("recover", answers=b"y\n")[0]
    assert 0 == local.run("diff", "--exit-code").code


def test_what_stays_nobody_s_is_counted(local):
    """The lost ledger knew which profiles had been replaced and were to go: one sentence says what becomes of them."""
    assert 0 == local.run("recover", "--yes").code
    local.write(("alice", "Alicia", TEAM[0][2]), *TEAM[1:])
    assert 0 == local.run("sync", "--yes").code
    ledger_of(local).unlink()
    document = local.run("recover", "--yes", "--json").document
    ledger_of(local).unlink()
    result = local.run("recover", "--yes")

    assert (0, 1) == (result.code, document["unmanaged"])
    assert "X lists 1 more profile that this ledger doesn't know, such as former ones of agents" in result.err
    assert 4 == len(ids(local))


def test_every_brand_is_recovered_on_its_own(desk):
    """Two brands have the same names; each agent gets the profile of its own brand."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    photograph(desk, "alice", 0)
    desk.write(TEAM[0], brands={"acme": "acmecare", "beta": "betacare"}).run("sync", "--yes")
    ledger_of(desk).unlink()

    assert ["acme", "beta"] == [row[1] for row in desk.run("recover", "--yes").rows]
    assert 0 == desk.run("diff", "--exit-code").code


TEAM_OF_39 = [
    (f"agent{number:02}", "Sam" if number < 2 else f"Sam {number}", f'avatar = "avatars/agent{number:02}.jpg"')
    for number in range(39)
]


def test_all_but_the_doubtful_one_of_a_lost_ledger_are_bound(desk):
    """Of 39 agents, two with the same name, 38 are bound by one command; the last one's picture isn't the roster's."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    for seed, (key, *_) in enumerate(TEAM_OF_39):
        photograph(desk, key, seed)
    assert 0 == desk.write(*TEAM_OF_39).run("sync", "--yes").code
    owners = {row["id"]: row["agent"] for row in desk.run("profiles", "list", "--json").document["profiles"]}
    ledger_of(desk).unlink()
    photograph(desk, "agent38", 99)
    result = desk.run("recover", "--yes", "--json")

    assert (7, {"bound": 38, "doubtful": 1, "absent": 0}) == (result.code, result.document["summary"])
    assert {agent: profile_id for profile_id, agent in owners.items() if agent != "agent38"} == {
        row["agent"]: row["profile_id"] for row in result.document["results"] if row["status"] == "bound"
    }
    assert [owners_id for owners_id, agent in owners.items() if agent == "agent38"] == adoptions(result)


def test_twins_stay_doubtful_and_no_two_commands_name_one_profile(local):
    """Same name, same picture: every profile is proposed to one of them only."""
    for key in ("bruno", "chidi"):
        photograph(local, key, 7)
    local.write(*((key, "Sam", extra) for key, _, extra in TEAM)).run("sync", "--yes", "--new-ledger")
    ledger_of(local).unlink()
    result = local.run("recover", "--yes")

    assert ["bound", "doubtful", "doubtful"] == [row[0] for row in result.rows]
    assert 2 == len(set(adoptions(result))) == len(adoptions(result))


@pytest.mark.parametrize("agrees", [True, False])
def test_a_changed_name_is_bound_by_the_picture_after_a_question_of_its_own(local, agrees):
    """The question names both names; elsewhere, and after a no, the command is listed."""
    local.write(TEAM[0], ("bruno", "Bruno B.", TEAM[1][2]), TEAM[2])
    unattended = local.run("recover", "--yes", "--json").document
    ledger_of(local).unlink()
    code, screen = local.watch("recover", at_questions=(lambda: b"y\n", lambda: b"y\n" if agrees else b"n\n"))

    assert {"bound": 2, "doubtful": 1, "absent": 0} == unattended["summary"]
    assert ("other-name", "Bruno") == (
        unattended["results"][1]["why"],
        unattended["results"][1]["candidates"][0]["name"],
    )
    profile_id = unattended["results"][1]["candidates"][0]["profile_id"]
    assert f'bruno (acme) is profile {profile_id} "Bruno"; the roster calls bruno "Bruno B."' in screen
    assert "Bind 1 profile by the picture alone" in screen
    assert (0 if agrees else 7) == code
    assert ["replace" if agrees else "create", "name" if agrees else "new"] == local.run("diff").rows[0][3:5]


def test_what_is_bound_is_what_was_agreed_to_and_is_true_then(local):
    """The roster is edited while the question stands: what is true now is shown, and asked anew."""

    def edit():
        local.write(*TEAM[:2])
        return b"y\n"

    code, screen = local.watch("recover", at_questions=(edit, lambda: b"y\n"))

    assert 0 == code
    assert "something has changed meanwhile, so nothing was bound; now it is:" in screen
    assert screen.index("Bind 3 profiles") < screen.index("Bind 2 profiles")


def test_who_may_not_be_shown_any_more_is_found_by_the_former_face(local):
    """The consent ended since the last sync: the profile is bound as it is, and the next sync replaces it."""
    ended = "consent = { name = true, photo = true, given = 2020-01-01, expires = 2020-12-31 }"
    local.write(*((*member, ended) if member[0] == "alice" else member for member in TEAM))
    result = local.run("recover", "--yes", "--json")

    assert (0, {"bound": 3, "doubtful": 0, "absent": 0}) == (result.code, result.document["summary"])
    [change] = local.run("diff", "--json").document["changes"]
    assert ("alice", "replace", ["name", "avatar", "consent"]) == (change["agent"], change["action"], change["why"])
