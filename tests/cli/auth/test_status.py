"""``auth status``, ``list`` and ``logout``, and what can't be obeyed."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest

from tests.cli.auth.shell import ROSTER, SECOND_BRAND, VALUES, Terminal


def test_logout_asks_which_of_several(desktop):
    """It never guesses; other accounts and other hosts stay."""
    desktop.log_in()
    desktop.brand = desktop.world.ensure_brand("BetaCare")
    desktop.log_in()
    done = desktop.run("auth", "logout")
    assert (done.returncode, "--handle with one of: AcmeCare, BetaCare" in done.stderr) == (2, True)
    assert desktop.run("auth", "logout", PROFILECTL_API_URL="https://api.x.com").returncode == 0
    assert desktop.run("auth", "logout", "--handle", "acmecare").returncode == 0
    assert [account["handle"] for account in desktop.accounts("list")] == ["BetaCare"]


def test_status_needs_no_network(desktop):
    """It looks into the keyring only."""
    desktop.log_in()
    before = desktop.world.quotas.status("verify", "4242")
    assert desktop.run("auth", "status").returncode == 0
    assert desktop.world.quotas.status("verify", "4242") == before


def test_status_of_a_frozen_keyring_ends_in_time(desktop):
    """However many accounts there are, it takes little more than one wait of three seconds and says what is wrong."""
    desktop.folder.joinpath("roster.toml").write_text(ROSTER + SECOND_BRAND)
    os.kill(desktop.keyring_process, signal.SIGSTOP)
    begun = time.monotonic()
    done = desktop.run("auth", "status")
    assert time.monotonic() - begun < 5.9
    assert done.returncode == 4
    assert done.stdout.count("the keyring didn't answer in time") == 2


@pytest.mark.parametrize("roster", [None, "version = 1\n[brands", "\x00"])
def test_a_broken_roster_does_not_hide_the_accounts(desktop, roster):
    """Who is logged in has nothing to do with the roster; a missing one isn't even worth a word."""
    desktop.log_in()
    if roster is not None:
        desktop.folder.joinpath("roster.toml").write_text(roster)
    done = desktop.run("auth", "status")
    assert (done.returncode, done.stdout[:8]) == (0, "AcmeCare")
    assert done.stderr.startswith("warning: the roster's brands aren't known") == (roster is not None)


def test_status_shows_the_brands_of_the_roster(desktop):
    """One that isn't logged in is unusable, and no run can speak for every brand: exit 4."""
    desktop.folder.joinpath("roster.toml").write_text(ROSTER + SECOND_BRAND)
    desktop.log_in()
    done = desktop.run("auth", "status")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [("AcmeCare", "usable"), ("BetaCare", "unusable")] == [(line[0], line[4]) for line in lines]
    assert done.returncode == 4
    assert "hint: run `profilectl auth login`" in done.stderr
    assert desktop.run("auth", "status", "--brand", "acme").returncode == 0
    assert desktop.run("auth", "status", "--brand", "beta").returncode == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["auth", "login"], "auth login --with-token"),
        (["auth", "login", "--pin"], "auth login --with-token"),
        (["auth", "login", "--with-token", "--pin"], "exclude each other"),
        (["auth", "login", "--credentials-file", "x.json"], "--with-token < x.json"),
        (["auth", "login", "--with-token", "--handle", "no handle"], "'no handle' is no handle"),
        (["--sandbox", "auth", "login"], "the sandbox knows no logins"),
        (["auth", "logout", "--sandbox"], "the sandbox knows no logins"),
        (["auth", "lgoin"], "did you mean `profilectl auth login`?"),
    ],
)
def test_what_can_not_be_obeyed_is_said(shell, words, message):
    """Exit 2, a message, and as JSON the same."""
    done = shell.run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert json.loads(shell.run(*words, "--json").stdout)["error"]["code"] == 2


def test_with_token_on_a_terminal_says_that_something_must_be_piped(shell):
    """It would wait for what nobody knows to type, and show it."""
    with Terminal(shell, "auth", "login", "--with-token") as terminal:
        assert terminal.end() == 2
        assert "nothing is piped into it" in terminal.screen


@pytest.mark.parametrize(
    ("stdin", "message"),
    [("", "no JSON object"), ("[]", "no JSON object"), ('{"consumer_key": "12345678"}', "lacks consumer_secret,")],
)
def test_a_pipe_with_something_else_is_refused(desktop, stdin, message):
    """The message names what is missing."""
    done = desktop.run("auth", "login", "--with-token", stdin=stdin)
    assert (done.returncode, message in done.stderr) == (4, True)


def test_nothing_is_read_without_a_keyring(shell):
    """A machine that can't keep secrets says so at once, with what to do instead."""
    done = shell.run("auth", "login", "--with-token", stdin=shell.token())
    assert done.returncode == 4
    assert "error: this machine has no keyring" in done.stderr
    assert "PROFILECTL_CREDENTIALS_FILE" in done.stderr


def test_nobody_is_logged_in_at_first(shell):
    """No credentials are a fact for `list` and `logout`, and exit 4 for `status`."""
    for words, code in [(["status"], 4), (["list"], 0)]:
        done = shell.run("auth", *words)
        assert (done.returncode, done.stdout) == (code, "")
        assert done.stderr.startswith(f"nobody is logged in at {shell.host}\nhint: ")
    assert shell.run("auth", "logout").stdout == f"nobody is logged in at {shell.host}, so nothing changed\n"
    assert [] == shell.accounts("status") == shell.accounts("list") == shell.accounts("logout")


def test_some_of_four_variables_are_a_problem(shell):
    """Even where no account is named, the missing ones are."""
    done = shell.run("auth", "status", PROFILECTL_CONSUMER_KEY=shell.brand.consumer_key)
    assert done.returncode == 4
    assert done.stdout.startswith(
        f"\t{shell.host}\tenvironment\t\tunusable\t1 of the four credential variables set, but not "
    )
    for name in VALUES[1:]:
        assert f"PROFILECTL_{name.upper()}" in done.stdout


def test_a_credentials_file_is_shown_with_its_account(shell):
    """A machine without keyring and roster can check its file before the first run."""
    file = shell.folder / "token.json"
    file.write_text(shell.token(handle="AcmeCare"))
    file.chmod(0o600)
    (account,) = shell.accounts("status", PROFILECTL_CREDENTIALS_FILE=str(file))
    assert (account["handle"], account["source"], account["usable"]) == ("AcmeCare", "file", True)
    file.chmod(0o644)
    (account,) = shell.accounts("status", "--credentials-file", str(file))
    assert (account["usable"], account["hint"].startswith("run: chmod 600")) == (False, True)


def test_the_sandbox_is_always_usable(shell):
    """Its accounts are those of the roster and those that were used; without any, there is still nothing to do."""
    done = shell.run("--sandbox", "auth", "status")
    assert (done.returncode, done.stdout) == (0, "")
    assert list(shell.folder.iterdir()) == [], "looking makes no folder"
    shell.folder.joinpath("roster.toml").write_text(ROSTER)
    assert shell.run("--sandbox", "auth", "status").stdout == "AcmeCare\tlocalhost\tsandbox\t\tusable\t\n"
    assert shell.run("--sandbox", "profiles", "list").returncode == 0
    handle, user_id, *rest = shell.run("auth", "list", PROFILECTL_SANDBOX="1").stdout.rstrip("\n").split("\t")
    assert (handle, user_id.isdigit(), rest) == ("AcmeCare", True, ["localhost", "sandbox"])
