"""``ledger accept-restore``: a person goes on with an older ledger, and reads first what it doesn't know."""

from __future__ import annotations

import os
import shlex
import shutil

import pytest

from profilectl.ledger.location import default_ledger_path
from profilectl.ledger.sqlite import open_for_reading, open_for_writing

KEYS = ("PROFILECTL_CONSUMER_KEY", "PROFILECTL_CONSUMER_SECRET", "PROFILECTL_ACCESS_TOKEN",
        "PROFILECTL_ACCESS_TOKEN_SECRET")  # fmt: skip


@pytest.fixture
def restored(desk, served):
    """A backup in its ledger's place: since it was made, Alice got another name and Carol came."""
    del desk.env["PROFILECTL_LEDGER"]
    desk.place = default_ledger_path(os.environ, served.url.partition("://")[2])
    assert 0 == desk.write(("alice", "Alice"), ("bruno", "Bruno")).run("sync", "--yes").code
    shutil.copyfile(desk.place, desk.place.with_name("backup.db"))
    assert 0 == desk.write(("alice", "Alicia"), ("bruno", "Bruno"), ("carol", "Carol")).run("sync", "--yes").code
    desk.place.with_name("backup.db").replace(desk.place)
    desk.place.chmod(0o600)
    return desk


def plain(text):
    return " ".join(text.split())


def test_what_the_ledger_doesn_t_know_is_listed_with_commands(restored, served):
    """They are run as they stand, and afterwards nothing is made twice."""
    assert 5 == restored.run("diff").code
    result = restored.run("ledger", "accept-restore", "--yes")

    assert 0 == result.code
    assert [["acme", "alice", "Alicia"], ["acme", "carol", "Carol"]] == sorted(
        [brand, agent, name] for brand, agent, _, name, *_ in result.rows[:2]
    )
    assert "was seen on this host and is missing; the ledger's last is" in plain(result.err)
    assert "adopt these profiles" in result.rows[-1][0]
    before = served.live()
    for *_, command in result.rows[:2]:
        program, *words = shlex.split(command)
        assert ("profilectl", 0) == (program, restored.run(*words, "--yes").code)
    assert 0 == restored.run("sync", "--yes").code
    assert 0 == restored.run("diff", "--exit-code").code
    assert before == served.live()


def test_recover_binds_the_new_ones_and_names_the_newer_profile_of_the_others(restored, served):
    """Of alice the ledger knows an older profile, which it keeps until a person runs the command as printed."""
    assert 0 == restored.run("ledger", "accept-restore", "--yes").code
    before = served.live()
    result = restored.run("recover", "--yes")
    command = shlex.split(result.err.split("run: ")[1].splitlines()[0])

    assert (7, [["bound", "carol", ""], ["doubtful", "alice", "other-binding"]]) == (
        result.code,
        [[row[0], row[2], row[5]] for row in result.rows],
    )
    assert "alice (acme): the ledger has another profile for this agent" in plain(result.err)
    assert 0 == restored.run(*command[1:], "--yes").code
    assert (0, "nothing to recover") == ((again := restored.run("recover", "--yes")).code, again.err.strip()[:18])
    assert 0 == restored.run("sync", "--yes").code
    assert (0, before) == (restored.run("diff", "--exit-code").code, served.live())


def test_it_is_in_the_record(restored):
    """Who accepted what is known for years."""
    assert 0 == restored.run("ledger", "accept-restore", "--yes").code
    with open_for_reading(restored.place) as ledger:
        *_, event = (record.event for record in ledger.events())
        assert ("restored", ledger.last_seq() - 1) == (event.what, event.detail["last"])
    again = restored.run("ledger", "accept-restore")
    assert (0, "") == (again.code, again.err)
    assert "has all that was seen of it on this host" in again.out


def test_without_credentials(restored):
    """X isn't asked, which is said; a person may go on all the same."""
    for name in KEYS:
        del restored.env[name]
    result = restored.run("ledger", "accept-restore", "--yes")

    assert 0 == result.code
    assert "X wasn't asked which profiles the ledger doesn't know: " in result.err
    assert 0 == restored.run("ledger", "export", "copy.jsonl").code


def test_a_script_gets_a_document(restored):
    """With the commands, and how far it went back."""
    document = restored.run("ledger", "accept-restore", "--yes", "--json").document

    assert (True, None, ["alice", "carol"]) == (
        document["accepted"],
        document["not_listed"],
        sorted(candidate["agent"] for candidate in document["candidates"]),
    )
    (account,) = document["accounts"]
    assert account["is_missing"]
    assert document["last_record"]["seq"] < account["seen_record"]["seq"]
    assert not restored.run("ledger", "accept-restore", "--json").document["accepted"]


def test_nobody_is_there_to_ask(restored):
    """It is listed, and stays refused."""
    refused = restored.run("ledger", "accept-restore")

    assert 2 == refused.code
    assert "carol" in refused.out
    assert 5 == restored.run("diff").code


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 130), (b"\x03", 130)])
def test_it_asks(restored, answer, code):
    """After the list, and only a yes goes on."""
    result, screen = restored.watch("ledger", "accept-restore", answers=answer)

    assert code == result
    assert "Alicia" in screen.partition("as it is?")[0]
    assert (0 if code == 0 else 5) == restored.run("ledger", "export", "copy.jsonl").code


def test_nothing_went_backwards(desk):
    """One sentence, and no file is made."""
    desk.env["PROFILECTL_LEDGER"] = str(desk.folder / "none.db")
    result = desk.run("ledger", "accept-restore")

    assert (0, f"there is no ledger at {desk.folder}/none.db yet, so nothing to accept\n") == (result.code, result.out)
    assert not (desk.folder / "none.db").exists()


def test_who_was_offboarded_isn_t_proposed_for_adoption(restored):
    """Neither by accept-restore nor by doctor: a stranger's profile of that name is not theirs to have again."""
    with open_for_writing(restored.place) as ledger:
        ledger.block(ledger.account_of("acme").user_id, "carol", 1)
    accepted = restored.run("ledger", "accept-restore", "--yes")
    checked = restored.run("doctor")

    assert (0, ["alice"]) == (accepted.code, [row[1] for row in accepted.rows[:-1]])
    assert "adopt alice" in checked.out
    assert "adopt carol" not in checked.out
