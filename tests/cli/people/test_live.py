"""``init --from-live``: what X has becomes a roster with nothing left to do, and nothing there changes."""

from __future__ import annotations

import sqlite3
import tomllib
from io import BytesIO

import pytest
from PIL import Image

from profilectl.ledger.sqlite import open_for_reading


def picture(number):
    """Return the bytes of a picture that no other number has."""
    buffer = BytesIO()
    Image.effect_noise((80, 80), 10 + number).save(buffer, "JPEG")
    return buffer.getvalue()


def populate(desk, served, names):
    """Make a profile of each name at X by other means, and return their ids."""
    with desk.client(served.url) as client:
        return [
            client.create_profile(name, client.upload(picture(number), "image/jpeg")).id
            for number, name in enumerate(names)
        ]


def roster(desk):
    return tomllib.loads((desk.folder / "roster.toml").read_text(encoding="utf-8"))


def ledger_of(desk):
    return desk.folder / desk.env["PROFILECTL_LEDGER"]


@pytest.fixture
def start(desk, served):
    """A function that makes profiles of these names at X, and runs the command."""
    (desk.folder / "avatars" / "face.png").unlink()

    def start(names, *words):
        start.ids = populate(desk, served, names)
        return desk.run("init", "--from-live", "--handle", "acmecare", "--yes", *words)

    return start


def test_a_hundred_and_twenty_profiles_and_nothing_to_do(desk, served, start):
    """The diff is empty, a sync writes nothing, and X has made and destroyed nothing since."""
    names = [f"Agent {chr(65 + number % 26)}. {number}" for number in range(120)]
    done = start(names)
    before = sorted((profile["id"], profile["name"]) for profile in served.ask("GET", "state")["profiles"])
    diff, sync = desk.run("diff", "--json", "--exit-code"), desk.run("sync", "--yes", "--json")

    assert (0, 120, 120) == (done.code, len(roster(desk)["agents"]), len([*(desk.folder / "avatars").iterdir()]))
    assert (0, [], 120) == (diff.code, diff.document["changes"], diff.document["summary"]["unchanged"])
    assert (0, 0, 0) == tuple(sync.document["requests"][kind] for kind in ("upload", "create", "destroy"))
    assert [] == sync.document["results"]
    assert before == sorted((profile["id"], profile["name"]) for profile in served.ask("GET", "state")["profiles"])
    assert 0 == desk.run("roster", "check").code
    assert 120 == len([row for row in desk.run("profiles", "list").rows if row[2] == "bound"])


def test_names_give_keys_and_kinds(desk, start):
    """Two of one name are told apart by their ids; a bot says so; a brace is no pattern."""
    done = start(["Alice F., Care", "Bo", "Bo", "Acme bot", "Zoë O'Brien", "Алиса", "Curly {x}", "Tom & Co"])
    ids, agents = start.ids, roster(desk)["agents"]

    assert 0 == done.code
    assert {
        "alice-f": "Alice F., Care",
        f"bo-{ids[1]}": "Bo",
        f"bo-{ids[2]}": "Bo",
        "acme-bot": "Acme bot",
        "zoe-obrien": "Zoë O'Brien",
        f"agent-{ids[5]}": "Алиса",
        "curly-x": "Curly {{x}}",
        "tom-co": "Tom & Co",
    } == {key: agent["name"] for key, agent in agents.items()}
    assert ["acme-bot"] == [key for key, agent in agents.items() if agent.get("kind") == "bot"]
    assert 0 == desk.run("diff", "--exit-code").code


def test_of_whom_no_agent_can_be_made_stays_a_comment(desk, start):
    """A name that breaks the rules for people and for bots: exit 7, and X keeps its profile."""
    done = start(["Alice", "Bot Alice"])
    text = (desk.folder / "roster.toml").read_text()

    assert (7, {"alice"}) == (done.code, {*roster(desk)["agents"]})
    assert f'# Left out: profile {start.ids[1]} of acmecare, "Bot Alice": its name contains the bot marker' in text
    assert "1 profile was left out" in done.err
    assert 0 == desk.run("diff", "--exit-code").code
    assert ["bound", "unmanaged"] == sorted(row[2] for row in desk.run("profiles", "list").rows)


def test_a_picture_that_can_t_be_had_is_no_reason_to_guess(desk):
    """Its profile is left out, though another of the same name isn't; the diff has nothing to do."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.draw("other.png", colour=(200, 0, 0))
    team = desk.write(("alice", "Bo"), ("bruno", "Bo", 'avatar = "avatars/other.png"'))
    assert 0 == team.run("sync", "--yes").code
    for name in ("roster.toml", ".profilectl/sandbox/ledger.db"):
        (desk.folder / name).unlink()
    with sqlite3.connect(desk.folder / ".profilectl" / "sandbox" / "world.db") as world:
        world.execute("UPDATE media SET content = NULL WHERE id = (SELECT min(id) FROM media)")
    world.close()
    done = desk.run("init", "--from-live", "--handle", "acmecare", "--yes")

    assert (7, 1, True) == (done.code, len(roster(desk)["agents"]), "its picture can't be had: " in done.err)
    assert 0 == desk.run("diff", "--exit-code").code


def test_an_existing_roster_is_left_alone(desk, served):
    """Before X is asked anything."""
    populate(desk, served, ["Alice"])
    desk.write(("bruno", "Bruno"))
    before = (desk.folder / "roster.toml").read_bytes()
    done = desk.run("init", "--from-live", "--handle", "acmecare", "--yes")

    assert (5, before) == (done.code, (desk.folder / "roster.toml").read_bytes())
    assert "hint: `profilectl recover` binds its agents to what X has" in done.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--handle", "acmecare"], 2, "nothing was bound: there is no terminal to ask on"),
        (["--yes"], 2, "hint: --handle HANDLE names the X account"),
        (["--yes", "--handle", "a b"], 2, "error: --handle: expected 1 to 15 letters"),
        (["--yes", "--handle", "acmecare"], 5, "X lists no profiles of @acmecare; nothing was written"),
        (["--yes", "--handle", "other"], 5, "brand other is @other, but the credentials belong to @acmecare"),
        (["--yes", "--csv", "x.csv"], 2, "--from-live takes people and pictures from X"),
    ],
)
@pytest.mark.usefixtures("served")
def test_slips(desk, words, code, message):
    """Each with what to do next; nothing is written."""
    done = desk.run("init", "--from-live", *words)

    assert (code, True, False) == (done.code, message in done.err, (desk.folder / "roster.toml").exists())


@pytest.mark.usefixtures("served")
def test_a_person_agrees_on_a_terminal(desk, served):
    """After every binding was shown; who doesn't has nothing written and nothing bound."""
    populate(desk, served, ["Alice", "Bo"])
    left = desk.watch("init", "--from-live", "--handle", "acmecare", answers=b"n\n")
    is_written = (desk.folder / "roster.toml").exists()
    agreed = desk.watch("init", "--from-live", "--handle", "acmecare", answers=b"y\n")

    assert (130, False, 0) == (left[0], is_written, agreed[0])
    assert "Bind 2 profiles to agents of these names?" in agreed[1]
    assert 0 == desk.run("diff", "--exit-code").code


def test_a_profile_that_appears_during_the_question_is_noticed(desk, served):
    """What is bound is what a person has seen."""
    populate(desk, served, ["Alice"])

    def answer():
        populate(desk, served, ["Bo"])
        return b"y\n"

    code, screen = desk.watch("init", "--from-live", "--handle", "acmecare", at_questions=[answer])

    assert (5, True) == (code, "have changed meanwhile; nothing was written" in screen)
    assert not (desk.folder / "roster.toml").exists()


def test_a_lost_roster_gets_its_keys_back(desk, served):
    """The ledger still knows whose each profile is, and under which key of a brand; nothing is replaced."""
    desk.write(("afast", "Alice"), ("bk", "Bruno", "protected = true")).run("sync", "--yes")
    before = served.live()
    (desk.folder / "roster.toml").unlink()
    (desk.folder / "avatars" / "face.png").unlink()
    done = desk.run("init", "--from-live", "--handle", "acmecare", "--yes")
    made = roster(desk)

    assert (0, {"afast", "bk"}, {"acme"}) == (done.code, {*made["agents"]}, {*made["brands"]})
    assert (True, None) == (made["agents"]["bk"]["protected"], made["agents"]["afast"].get("protected"))
    assert (0, before) == (desk.run("diff", "--exit-code").code, served.live())


def test_a_disk_that_refuses_leaves_nothing_behind(desk, start):
    """Neither files nor bindings; the next try does all of it."""
    (desk.folder / "avatars" / "bo.jpg").write_text("mine")
    refused = start(["Alice", "Bo"])
    files = [path.name for path in (desk.folder / "avatars").iterdir()], (desk.folder / "roster.toml").exists()
    with open_for_reading(ledger_of(desk)) as ledger:
        accounts = ledger.accounts()
    (desk.folder / "avatars" / "bo.jpg").unlink()
    again = desk.run("init", "--from-live", "--handle", "acmecare", "--yes")

    assert (5, (["bo.jpg"], False), ()) == (refused.code, files, accounts)
    assert "avatars/bo.jpg: File exists; nothing was written" in refused.err
    assert (0, 0) == (again.code, desk.run("diff", "--exit-code").code)


def test_pictures_that_lie_there_already_are_taken(desk, start):
    """The same bytes lie there already; the bindings, too, are what they were."""
    assert 0 == start(["Alice", "Bo"]).code
    (desk.folder / "roster.toml").unlink()
    again = desk.run("init", "--from-live", "--handle", "acmecare", "--yes")

    assert (0, 0) == (again.code, desk.run("diff", "--exit-code").code)


def test_on_the_sandbox_in_this_process(desk):
    """As on a served one."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    assert 0 == desk.write(("alice", "Alice"), ("bruno", "Bruno")).run("sync", "--yes").code
    (desk.folder / "roster.toml").unlink()
    (desk.folder / ".profilectl" / "sandbox" / "ledger.db").unlink()
    done = desk.run("init", "--from-live", "--handle", "acmecare", "--yes", "--json")

    assert (0, ["avatars/alice.jpg", "avatars/bruno.jpg"]) == (done.code, sorted(done.document["pictures"]))
    assert 0 == desk.run("diff", "--exit-code").code


def test_several_brands_have_agents_of_their_own(desk):
    """Two brands of one local X: each agent belongs to the one that has its profile."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    team = desk.write(
        ("alice", "Alice"),
        ("bruno", "Bruno", 'brands = ["beta"]'),
        brands={"acme": "acmecare", "beta": "betacare"},
    )
    assert 0 == team.run("sync", "--yes").code
    (desk.folder / "roster.toml").unlink()
    (desk.folder / ".profilectl" / "sandbox" / "ledger.db").unlink()
    done = desk.run("init", "--from-live", "--brand", "acmecare", "--brand", "betacare", "--yes")
    agents = roster(desk)["agents"]

    assert (0, ["acmecare", "betacare", "betacare"]) == (
        done.code,
        sorted(agent["brands"][0] for agent in agents.values()),
    )
    assert 0 == desk.run("diff", "--exit-code").code
