"""Several brands and one of them meant; and brands whose account was renamed at X."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from tests.cli.auth import collection
from tests.cli.auth.shell import ROSTER, SECOND_BRAND


def rename(desktop, old, new):
    desktop.world.accounts._set("handle", old, new)


def send(desktop, *words, **variables):
    done = desktop.run("send", "--as", "alice", "--to", "12345", "--dry-run", "--json", "hello", *words, **variables)
    return done.returncode, json.loads(done.stdout)


def test_the_default_brand(shell):
    """It is meant where a command is about one brand and none is named; --brand and the environment win."""
    shell.folder.joinpath("roster.toml").write_text(ROSTER + SECOND_BRAND)
    sandbox = {"PROFILECTL_SANDBOX": "1"}
    assert shell.run("auth", "default").stderr == "there is no default brand\n"
    code, document = send(shell, **sandbox)
    assert (code, document["error"]["hint"]) == (2, "say --brand with one of: acme, beta")

    done = shell.run("auth", "default", "beta")
    assert (done.returncode, done.stdout) == (0, "the default brand is beta\n")
    assert shell.run("auth", "default").stdout == "beta\n"
    assert json.loads(shell.run("auth", "default", "--json").stdout)["default_brand"] == "beta"
    assert "beta" in json.dumps(send(shell, **sandbox)[1])

    assert shell.run("auth", "default", "--clear").returncode == 0
    assert send(shell, **sandbox)[0] == 2


def test_a_default_of_another_roster_is_no_answer(shell):
    """The choice is the user's, rosters are many: where it isn't among the brands, the question stays."""
    shell.folder.joinpath("roster.toml").write_text(ROSTER)
    assert shell.run("auth", "default", "acme").returncode == 0
    brands = (ROSTER + SECOND_BRAND).replace("brands.acme", "brands.gamma")
    shell.folder.joinpath("roster.toml").write_text(brands)
    done = shell.run("profiles", "forget", "alice", "--yes", PROFILECTL_SANDBOX="1")
    assert (done.returncode, "say --brand with one of: gamma, beta" in done.stderr) == (2, True)
    done = shell.run("auth", "default", "acme")
    assert (done.returncode, "it has: gamma, beta" in done.stderr) == (2, True)
    assert shell.run("auth", "default", "beta", "--clear").returncode == 2


def test_diff_is_about_all_brands(desktop):
    """A default never makes half a diff of a whole one."""
    desktop.folder.joinpath("roster.toml").write_text(ROSTER + SECOND_BRAND)
    assert desktop.run("auth", "default", "acme").returncode == 0
    desktop.log_in()
    done = desktop.run("profiles", "list")
    assert (done.returncode, "no credentials for @betacare" in done.stderr) == (4, True)


def test_a_roster_that_follows_a_rename_finds_its_login(desktop):
    """X says that the login's user id bears the new handle: entry and list are mended, once, and it is told."""
    roster = desktop.folder / "roster.toml"
    roster.write_text(ROSTER)
    desktop.log_in()
    rename(desktop, "AcmeCare", "AcmeHelp")
    roster.write_text(ROSTER.replace("AcmeCare", "AcmeHelp"))
    done = desktop.run("profiles", "list")
    assert done.returncode == 0
    assert "@AcmeCare is called @AcmeHelp at X now: its login was moved along\n" in done.stderr
    assert set(collection.entries(desktop.bus)) == {"@acmehelp"}
    assert [(account["handle"], account["user_id"]) for account in desktop.accounts("status")] == [("AcmeHelp", "4242")]
    assert "is called" not in desktop.run("profiles", "list").stderr


def test_the_status_knows_a_renamed_login_by_the_ledger_s_user_id(desktop):
    """X isn't asked: one line, usable, and who is meant; the login stays where it is."""
    roster = desktop.folder / "roster.toml"
    roster.write_text(ROSTER)
    Image.new("RGB", (64, 64)).save(desktop.folder / "alice.png")
    desktop.log_in()
    assert desktop.run("sync", "--yes").returncode == 0
    rename(desktop, "AcmeCare", "AcmeHelp")
    roster.write_text(ROSTER.replace("AcmeCare", "AcmeHelp"))
    done = desktop.run("auth", "status")
    assert (0, ["AcmeHelp", "usable"]) == (done.returncode, done.stdout.split("\t")[:5:4])
    assert "@AcmeHelp is logged in as @AcmeCare, its former handle" in done.stderr
    assert set(collection.entries(desktop.bus)) == {"@acmecare"}


def test_another_account_is_never_taken_for_the_brand(desktop):
    """A roster that names somebody else gets no token, even if there is only one."""
    roster = desktop.folder / "roster.toml"
    desktop.log_in()
    roster.write_text(ROSTER.replace("AcmeCare", "Somebody"))
    done = desktop.run("profiles", "list")
    assert (done.returncode, "no credentials for @somebody" in done.stderr) == (4, True)
    assert set(collection.entries(desktop.bus)) == {"@acmecare"}


def test_a_login_after_a_rename_keeps_to_the_roster(desktop):
    """The roster still has the old handle: the user id says that the account is meant; when it follows, so do we."""
    desktop.folder.joinpath("roster.toml").write_text(ROSTER)
    desktop.log_in()
    rename(desktop, "AcmeCare", "AcmeHelp")
    done = desktop.run("auth", "login", "--with-token", stdin=desktop.token())
    assert done.returncode == 0
    assert "warning: @AcmeCare is called @AcmeHelp at X now: change the handle in the roster" in done.stderr
    assert set(collection.entries(desktop.bus)) == {"@acmecare"}
    desktop.folder.joinpath("roster.toml").write_text(ROSTER.replace("AcmeCare", "AcmeHelp"))
    assert desktop.run("profiles", "list").returncode == 0
    assert set(collection.entries(desktop.bus)) == {"@acmehelp"}
    config = Path(desktop.environ["XDG_CONFIG_HOME"], "profilectl", "config.toml").read_text()
    assert "AcmeCare" not in config
