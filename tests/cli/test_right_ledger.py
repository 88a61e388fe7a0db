"""The right ledger, or none: one that never knew the account, went backwards, or came with somebody's repository."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from profilectl.ledger.location import default_ledger_path, heads_folder
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.model import Intent
from profilectl.pictures.avatars import normalise

TEAM = (("alice", "Alice"), ("bruno", "Bruno"))


@pytest.fixture
def team(desk, served):
    """Two agents at a served X, with the ledger where it is by default."""
    del desk.env["PROFILECTL_LEDGER"]
    desk.host = served.url.partition("://")[2]
    assert 0 == desk.write(*TEAM).run("sync", "--yes").code
    return desk


def place(team):
    return default_ledger_path(os.environ, team.host)


def heads(team):
    return heads_folder(os.environ, team.host)


def git(folder, *words, umask=0o022):
    who = ("-c", "user.name=Eve", "-c", "user.email=eve@example.com")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, umask=umask)


def plain(text):
    return " ".join(text.split())


def test_a_ledger_that_never_knew_the_account(team, served):
    """Diff warns, sync refuses, each with three ways on; nobody gets another profile under another name."""
    place(team).unlink()
    shutil.rmtree(heads(team))
    team.write(("alice", "Alice F."), ("bruno", "Bruno K."))
    looked, refused = team.run("diff"), team.run("sync", "--yes")

    assert (0, 5, ["Alice", "Bruno"]) == (looked.code, refused.code, served.live())
    sentence = f"the ledger {place(team)} doesn't know @acmecare, and X lists 2 profiles of it"
    for result in (looked, refused):
        for part in (sentence, "`profilectl recover`", "PROFILECTL_LEDGER=PATH", "`profilectl sync --new-ledger`"):
            assert part in plain(result.err)
    assert "warning" in looked.err
    document = json.loads(team.run("sync", "--yes", "--json").out)
    assert (5, "ledger") == (document["error"]["code"], document["error"]["kind"])
    assert sentence in plain(team.run("profiles", "list").err)
    assert sentence in plain(team.run("doctor").out)
    sent = team.run("send", "--as", "alice", "--to", "1", "Hi")
    assert (5, "it says what to do if this isn't the account's ledger" in plain(sent.err)) == (sent.code, True)


def test_what_a_forgotten_create_may_have_made_is_told(team, served):
    """Its agent has left, and its picture isn't the one that was meant: it stays, and cron tells a person once."""
    meant = normalise(team.draw("meant.png", colour=(200, 9, 9)).read_bytes(), "meant").signature
    with open_for_writing(place(team)) as ledger:
        user_id = ledger.account_of("acme").user_id
        ledger.begin_intent(user_id, Intent("n1", "zoe", "Zoe", "sha256:0", frozenset(), 1, picture=meant))
        ledger.cancel_intent(user_id, "n1", "nothing was made", int(time.time() * 1000), was_sent=True)
    with team.client(served.url) as client:
        media_id = client.upload(team.draw("zoe.png", colour=(9, 200, 9)).read_bytes(), "image/png")
        late = client.create_profile("Zoe", media_id)

    sentence = (
        f'acme: X has a profile "Zoe" ({late.id}), which may be the one that it was to make for zoe when it never '
        f"answered: if nobody uses it, `profilectl profiles destroy {late.id} --brand acme` ends it"
    )
    cron = ("sync", "--yes", "-q")
    for times, command in ((1, ("diff",)), (1, cron), (0, cron), (1, ("sync", "--yes")), (0, cron)):
        result = team.run(*command)
        assert (0, times) == (result.code, plain(result.err).count(sentence)), command
    assert ("", "") == (result.out, result.err)
    assert ["Alice", "Bruno", "Zoe"] == served.live()


def test_a_new_ledger_is_begun_once(team, served):
    """The option is agreed to once; afterwards the account is known, and without new profiles, too."""
    place(team).unlink()
    team.write(("carol", "Carol"), *TEAM)
    assert 7 == team.run("sync", "--yes", "--new-ledger").code
    assert ["Alice", "Bruno", "Carol"] == served.live()
    again = team.run("sync", "--yes")
    assert 7 == again.code
    assert "doesn't know @" not in again.err


def test_a_lost_ledger_is_noticed_although_x_lists_nothing(team, served):
    """A list that lies, or is empty by now, doesn't make a new account of a known one."""
    place(team).rename(place(team).with_name("former.db"))
    served.fault(call="list", kind="empty-list", times=None)
    refused = team.run("sync", "--yes")

    assert (5, ["Alice", "Bruno"]) == (refused.code, served.live())
    assert "is gone; it had" in plain(refused.err)
    assert f"PROFILECTL_LEDGER={place(team)}" not in plain(refused.err), "it is the one in use"


def test_recover_needs_no_agreement(team, served):
    """It is the first of the ways on, and afterwards all is as before."""
    place(team).unlink()
    assert 0 == team.run("recover", "--yes").code
    assert 0 == team.run("sync", "--yes").code
    assert (0, ["Alice", "Bruno"]) == (team.run("diff", "--exit-code").code, served.live())


def test_another_path_by_mistake(team, served):
    """A variable that leads elsewhere is what happens most; the right path is named."""
    team.env["PROFILECTL_LEDGER"] = "elsewhere.db"
    refused = team.run("sync", "--yes")
    assert (5, ["Alice", "Bruno"]) == (refused.code, served.live())
    assert f"PROFILECTL_LEDGER={place(team)} names the right one (2 bindings)" in plain(refused.err)


def test_a_slip_with_another_ledger_isn_t_repeated_by_the_hint(team):
    """What was begun with --new-ledger by mistake has no bindings, so nobody is sent back to it."""
    team.env["PROFILECTL_LEDGER"] = "elsewhere.db"
    team.run("sync", "--yes", "--new-ledger")
    del team.env["PROFILECTL_LEDGER"]
    refused = team.run("diff")

    assert 5 == refused.code
    assert "PROFILECTL_LEDGER" not in refused.err
    assert f"that of last time, {team.folder}/elsewhere.db, has no bindings, and this one has 2" in plain(refused.err)
    assert (0, 0) == (team.run("ledger", "accept-restore", "--yes").code, team.run("diff", "--exit-code").code)


def test_the_first_sync_of_all_needs_no_option(desk, any_x):
    """Where X lists nothing and nobody has synced before, there is nothing to agree to."""
    assert any_x
    assert 0 == desk.write(*TEAM).run("sync", "--yes").code
    assert 0 == desk.run("diff", "--exit-code").code


def test_the_sandbox_has_two_ways_on(desk):
    """Its ledger lies beside the roster, and no setting moves it."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM).run("sync", "--yes")
    (desk.folder / ".profilectl" / "sandbox" / "ledger.db").unlink()
    refused = desk.run("sync", "--yes")
    assert 5 == refused.code
    assert "PROFILECTL_LEDGER" not in refused.err
    assert 7 == desk.run("sync", "--yes", "--new-ledger").code


def test_a_backup_in_its_place(team, served):
    """Nothing is read from a ledger that went backwards, until a person accepts it."""
    shutil.copyfile(place(team), place(team).with_name("backup.db"))
    team.write(("alice", "Alice F."), ("bruno", "Bruno"))
    assert 0 == team.run("sync", "--yes").code
    place(team).with_name("backup.db").replace(place(team))
    place(team).chmod(0o600)
    live = served.live()
    words = (
        ("diff",),
        ("sync", "--yes"),
        ("profiles", "list"),
        ("send", "--as", "alice", "--to", "1", "--dry-run", "Hi"),
    )
    for line in words:
        refused = team.run(*line)
        assert (5, "") == (refused.code, refused.out)
        assert "went backwards" in refused.err
    assert "`profilectl ledger accept-restore`" in plain(refused.err)
    assert live == served.live()
    assert 0 == team.run("ledger", "accept-restore", "--yes").code
    assert 0 == team.run("diff").code


def test_a_head_that_can_not_be_kept(team):
    """The command has done what was asked for, and says what wasn't."""
    shutil.rmtree(heads(team))
    heads(team).write_text("")
    team.write(*TEAM, ("carol", "Carol"))
    done = team.run("sync", "--yes")
    assert (0, "done") == (done.code, done.rows[0][0])
    assert "can't write down how far the ledger is" in plain(done.err)


@pytest.mark.parametrize(
    "words",
    [("diff",), ("sync", "--yes"), ("profiles", "list"), ("recover", "--yes"), ("feedback", "report")],
    ids=" ".join,
)
def test_two_brands_of_one_account(team, served, words):
    """Both are named, and X isn't asked for a list: each brand would end the other's profiles."""
    team.write(*TEAM, brands={"acme": "acmecare", "shop": "acmecare"})
    roster = team.folder / "roster.toml"
    roster.write_text(
        roster.read_text().replace('[brands.shop]\nhandle = "acmecare"', '[brands.shop]\nhandle = "shopcare"')
    )
    served.fault(call="list", kind="refuse", status=400, times=None)
    refused = team.run(*words)

    assert 5 == refused.code
    assert "brands acme and shop are one account at X, @acmecare" in plain(refused.err)
    assert ": brand acme's, and not that of brand shop, which is @shopcare" in plain(refused.err)
    assert "`--brand shop --credentials-file FILE`" in plain(refused.err)
    assert "`--brand acme` goes on with that brand alone" in plain(refused.err)
    assert ["Alice", "Bruno"] == served.live()


def test_the_brand_whose_account_it_isn_t_is_told_how_to_get_its_own(team):
    """Choosing the brand once more, or logging in beside what hides the login, would end at the same message."""
    team.write(*TEAM, brands={"acme": "acmecare", "shop": "shopcare"})
    refused = team.run("diff", "--brand", "shop")

    assert 5 == refused.code
    assert "brand shop is @shopcare, but the credentials belong to @acmecare" in plain(refused.err)
    assert "give brand shop its own with `--brand shop --credentials-file FILE`, or unset them" in plain(refused.err)


def forged(folder, user_id, ids):
    """Write a ledger that calls live profiles retired, as its author would have them destroyed."""
    with open_for_writing(folder / "ledger.db", actor="eve@elsewhere"):
        pass
    with closing(sqlite3.connect(folder / "ledger.db")) as ledger, ledger:
        ledger.execute("PRAGMA journal_mode=DELETE")
        ledger.execute("INSERT INTO brands VALUES ('acme', ?, 'acmecare', '127.0.0.1')", (user_id,))
        rows = [(user_id, profile_id, "mallory", "Mallory", 1, "removed") for profile_id in ids]
        ledger.executemany("INSERT INTO retired VALUES (?, ?, ?, ?, ?, ?)", rows)


@pytest.mark.parametrize("umask", [0o022, 0o077], ids=["022", "077"])
@pytest.mark.parametrize("knows", [True, False], ids=["with our ledger", "without"])
def test_a_pull_request_with_a_ledger(team, served, tmp_path_factory, umask, knows):
    """Forged ledger, log, caches, world and ignore file: nothing is read as ours, nothing at X is touched."""
    if shutil.which("git") is None:
        pytest.skip("git isn't installed")
    with open_for_reading(place(team)) as ours:
        account = ours.account_of("acme")
        ids = [binding.profile_id for binding in ours.state_of(account.user_id).bindings]
    upstream, clone = tmp_path_factory.mktemp("upstream"), tmp_path_factory.mktemp("clone")
    shutil.copytree(team.folder / "avatars", upstream / "avatars")
    shutil.copy(team.folder / "roster.toml", upstream)
    forged(upstream / ".profilectl", account.user_id, ids)
    forged(upstream / ".profilectl" / "sandbox", account.user_id, ids)
    (upstream / ".profilectl" / "sandbox" / "world.db").write_bytes(b"SQLite format 3\0")
    (upstream / ".profilectl" / "pictures").write_text("{}")
    (upstream / ".profilectl" / ".gitignore").write_text("!*\n")
    git(upstream, "init", "--quiet")
    git(upstream, "add", "--force", ".")
    git(upstream, "commit", "--quiet", "--message", "A pull request")
    git(clone, "clone", "--quiet", str(upstream), ".", umask=umask)
    assert (clone / ".profilectl" / "ledger.db").stat().st_mode & 0o777 == 0o666 & ~umask
    if not knows:
        place(team).unlink()
        shutil.rmtree(heads(team))
    team.folder = clone
    before = (clone / ".profilectl" / "ledger.db").read_bytes()
    send = ("send", "--as", "alice", "--to", "1", "--dry-run", "Hi")
    for words in (("diff",), ("sync", "--yes"), ("sync", "--yes", "--new-ledger"), ("profiles", "list"), send):
        refused = team.run(*words)
        assert (5, "") == (refused.code, refused.out), words
        assert str(clone / ".profilectl" / "ledger.db") in plain(refused.err)
        refused = team.run("--sandbox", *words)
        assert 5 == refused.code, words
        assert str(clone / ".profilectl" / "sandbox") in plain(refused.err)
    assert ["Alice", "Bruno"] == served.live()
    assert before == (clone / ".profilectl" / "ledger.db").read_bytes()
    assert knows == place(team).exists()
    # whoever names the right one goes on beside it
    if knows:
        team.env["PROFILECTL_LEDGER"] = str(place(team))
        assert 0 == team.run("diff", "--exit-code").code


def test_an_unpacked_archive_with_a_ledger(team, served):
    """Without a repository its author gives it away: another user on another machine wrote it."""
    with open_for_reading(place(team)) as ours:
        account = ours.account_of("acme")
    place(team).unlink()
    shutil.rmtree(heads(team))
    beside = team.folder / ".profilectl" / "ledger.db"
    with open_for_writing(beside, actor="eve@elsewhere") as ledger:
        ledger.register_account("acme", account, 1)
    for words in (("diff",), ("sync", "--yes")):
        refused = team.run(*words)
        assert 5 == refused.code
        assert "was last written by eve@elsewhere" in plain(refused.err)
    assert (["Alice", "Bruno"], False) == (served.live(), place(team).exists())


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_a_link_beside_the_sandbox_world(desk, suffix):
    """SQLite would follow it, and write where it leads."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM).run("sync", "--yes")
    victim = Path(os.environ["HOME"], "victim")
    victim.write_text("mine")
    world = desk.folder / ".profilectl" / "sandbox" / "world.db"
    world.with_name(world.name + suffix).unlink(missing_ok=True)
    world.with_name(world.name + suffix).symlink_to(victim)
    refused = desk.run("sync", "--yes")
    assert (5, "mine") == (refused.code, victim.read_text())
    assert "is a symbolic link" in refused.err


def test_rows_that_no_run_has_retired(team, served):
    """Profiles that a hand has put among the retired ones count as deletions, and diff says so, too."""
    team.write(
        *((f"a{n}", f"Agent {n}") for n in range(8)),
        policy="settle_after = '0s'\nmax_deletes = 20\nmax_delete_ratio = 1.0",
    )
    assert 0 == team.run("sync", "--yes").code
    team.run("sync", "--yes")
    with closing(sqlite3.connect(place(team))) as ledger, ledger:
        ledger.execute("INSERT INTO retired SELECT account, profile_id, agent, name, 1, 'removed' FROM bindings")
        ledger.execute("DELETE FROM bindings WHERE agent <> 'a0'")
        ledger.execute("DELETE FROM retired WHERE agent = 'a0'")
    team.write(("a0", "Agent 0"))
    live = served.live()
    for words in (("diff",), ("sync", "--yes")):
        refused = team.run(*words)
        assert 5 == refused.code
        assert "7 retired profiles would be destroyed" in plain(refused.err)
        assert "--allow-deletes 7" in refused.err
    assert live == served.live()
    assert 0 == team.run("sync", "--yes", "--allow-deletes", "7").code
    assert ["Agent 0"] == served.live()


def test_another_profile_of_an_agent_s_name_is_mailed_by_cron_once(team, served):
    """As long as it is there; one that went and is there again is another piece of news."""
    cron = ("sync", "--yes", "-q")
    with team.client(served.url) as client:
        media_id = client.upload(team.draw("other.png", colour=(9, 200, 9)).read_bytes(), "image/png")
        double = client.create_profile("Alice", media_id)
        first, second, part = team.run(*cron), team.run(*cron), team.run(*cron, "--brand", "acme")
        client.destroy_profile(double.id)
        silent = team.run(*cron)

    assert double.id in first.err
    assert [(0, "")] * 3 == [(result.code, result.err) for result in (second, part, silent)]


def test_a_renamed_account_is_mailed_by_cron_once(team):
    """Its handle is another one at X until a person writes it into the roster."""
    roster = team.folder / "roster.toml"
    roster.write_text(roster.read_text().replace("acmecare", "acmehelp"))
    first, second = team.run("sync", "--yes", "-q"), team.run("sync", "--yes", "-q")

    assert "@acmehelp in the roster, and @acmecare at X" in plain(first.err)
    assert (0, "") == (second.code, second.err)


def test_a_ledger_that_is_gone_is_said_before_anything_else(team, served):
    """This host has seen how far it came; doctor ends as sync does."""
    with open_for_reading(place(team)) as ledger:
        records = ledger.last_seq()
    place(team).unlink()
    checked, refused = team.run("doctor", "--json"), team.run("sync", "--yes")

    sentence = f"the ledger {place(team)} is gone; it had {records} records"
    failures = [check for check in checked.document["checks"] if check["state"] == "failed"]
    assert (5, 5, False) == (checked.code, refused.code, checked.document["ok"])
    assert ["ledger", "profiles"] == [check["check"] for check in failures]
    assert sentence == failures[0]["message"]
    assert f"error: nothing was changed: {sentence}, and X lists 2 profiles of @acmecare" in plain(refused.err)
    assert "restore its backup" in refused.err
    assert ["Alice", "Bruno"] == served.live()
