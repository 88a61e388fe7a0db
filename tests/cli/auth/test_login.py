"""``auth login``: processes, a real keyring, a sandbox on a port, a terminal."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.auth.shell import ROSTER, SECOND_BRAND, VALUES, Terminal


def test_from_login_to_logout(desktop):
    """What a login stores is listed, found, used by other commands, and gone after a logout."""
    done = desktop.run("auth", "login", "--with-token", stdin=desktop.token())
    assert (done.returncode, done.stdout) == (0, "logged in as @AcmeCare (4242), stored in Secret Service\n")
    assert done.stderr == ""

    assert f"AcmeCare\t{desktop.host}\tkeyring\tSecret Service\tusable\t\n" == desktop.run("auth", "status").stdout
    assert f"AcmeCare\t4242\t{desktop.host}\tkeyring\n" == desktop.run("auth", "list").stdout
    expected = {
        "handle": "AcmeCare",
        "host": desktop.host,
        "source": "keyring",
        "backend": "Secret Service",
        "usable": True,
        "problem": None,
        "hint": None,
        "token_tail": desktop.brand.access_token[-4:],
        "user_id": "4242",
    }
    assert [expected] == desktop.accounts("status") == desktop.accounts("list")

    desktop.folder.joinpath("roster.toml").write_text(ROSTER)
    assert desktop.run("profiles", "list", "--brand", "acme").returncode == 0

    done = desktop.run("auth", "logout")
    assert (done.returncode, done.stdout[:21]) == (0, "logged out @AcmeCare ")
    assert "the token itself still works: revoke it" in done.stderr
    assert desktop.run("profiles", "list", "--brand", "acme").returncode == 4
    assert desktop.run("auth", "status").returncode == 4
    done = desktop.run("auth", "logout", "--handle", "@acmecare")
    assert (done.returncode, done.stdout) == (0, f"@acmecare wasn't logged in at {desktop.host}, so nothing changed\n")


def test_a_login_leaves_no_secret_in_files(desktop):
    """The configuration knows the account, and none of its values."""
    desktop.log_in()
    config = Path(desktop.environ["XDG_CONFIG_HOME"], "profilectl", "config.toml").read_text()
    assert "AcmeCare" in config
    desktop.check(config)


def test_a_second_login_replaces_the_first(desktop):
    """Rotation is the same command again; as JSON it tells the account's new state."""
    desktop.log_in()
    done = desktop.run("auth", "login", "--with-token", "--json", stdin=desktop.token())
    assert "in place of the token that was there" in done.stderr
    (account,) = json.loads(done.stdout)["accounts"]
    assert (account["user_id"], account["usable"]) == ("4242", True)


def test_four_values_are_asked_without_showing_them(desktop):
    """On a terminal a person pastes the values, and sees none of them."""
    with Terminal(desktop, "auth", "login") as terminal:
        for label, name in zip(
            ("Consumer key", "Consumer secret", "Access token", "Access token secret"), VALUES, strict=True
        ):
            terminal.answer(f"{label} (hidden): ", getattr(desktop.brand, name) + "\n")
        assert terminal.end() == 0
        assert "logged in as @AcmeCare (4242)" in terminal.screen
    with Terminal(desktop, "auth", "status") as terminal:
        assert terminal.end() == 0
        assert "source" in terminal.screen.splitlines()[0], "a table, with headers"


def authorise(url, server):
    """Do what a person does in the browser; return the PIN that the page shows."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    browser.open(server.pages, timeout=30).close()  # as a browser that is signed in
    with browser.open(url, timeout=30) as page:
        assert "Authorise app" in page.read().decode()
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["oauth_token"][0]
    form = urllib.parse.urlencode({"oauth_token": token, "handle": "AcmeCare", "decision": "authorise"})
    with browser.open(url.partition("?")[0], form.encode(), timeout=30) as page:
        return re.search(r'id="oauth_pin">(\d+)<', page.read().decode())[1]


def test_a_pin_stands_for_the_token(desktop):
    """Only the app's key and secret are typed; the token comes from X, which shows a PIN in the browser."""
    with Terminal(desktop, "auth", "login", "--pin") as terminal:
        terminal.answer("Consumer key (hidden): ", desktop.brand.consumer_key + "\n")
        terminal.answer("Consumer secret (hidden): ", desktop.brand.consumer_secret + "\n")
        url = re.search(r"http://\S+", terminal.wait_for("PIN: "))[0]
        terminal.answer("PIN: ", authorise(url, desktop.server) + "\n")
        assert terminal.end() == 0
        assert "logged in as @AcmeCare (4242)" in terminal.screen
    desktop.folder.joinpath("roster.toml").write_text(ROSTER)
    assert desktop.run("profiles", "list").returncode == 0
    assert desktop.accounts("status")[0]["token_tail"] != desktop.brand.access_token[-4:], "a token of its own"


def test_a_wrong_pin_stores_nothing(desktop):
    """X refuses it, it is asked for three times, and nobody is logged in."""
    with Terminal(desktop, "auth", "login", "--pin") as terminal:
        terminal.answer("Consumer key (hidden): ", desktop.brand.consumer_key + "\n")
        terminal.answer("Consumer secret (hidden): ", desktop.brand.consumer_secret + "\n")
        for _ in range(3):
            terminal.answer("PIN: ", "0000000\n")
        assert terminal.end() == 4
    assert desktop.accounts("list") == []


def test_ctrl_c_at_a_question_stores_nothing(desktop):
    """The command ends with 130, and nobody is logged in."""
    with Terminal(desktop, "auth", "login") as terminal:
        terminal.answer("Consumer key (hidden): ", "\x03")
        assert terminal.end() == 130
    assert desktop.accounts("list") == []


@pytest.mark.parametrize("wrong", VALUES)
def test_a_wrong_value_stores_nothing(desktop, wrong):
    """X doesn't accept it: exit 4, and the hint says what to copy again."""
    done = desktop.run("auth", "login", "--with-token", stdin=desktop.token(**{wrong: "not-the-right-value"}))
    assert (done.returncode, done.stdout) == (4, "")
    assert "HTTP 401" in done.stderr
    assert "hint: copy all four values again" in done.stderr
    assert desktop.accounts("list") == []
    assert desktop.run("auth", "status").returncode == 4


def test_a_wrong_value_leaves_the_earlier_login(desktop):
    """A rotation that fails costs nothing."""
    desktop.log_in()
    before = desktop.accounts("status")
    assert desktop.run("auth", "login", "--with-token", stdin=desktop.token(access_token="4242-wrong")).returncode == 4
    assert desktop.accounts("status") == before


@pytest.mark.parametrize("words", [["--handle", "@other"], ["--brand", "beta"]])
def test_a_token_of_another_account_stores_nothing(desktop, words):
    """The credentials must be those of the account that was named."""
    desktop.folder.joinpath("roster.toml").write_text(ROSTER + SECOND_BRAND)
    done = desktop.run("auth", "login", "--with-token", *words, stdin=desktop.token())
    assert done.returncode == 5
    assert "these credentials belong to @AcmeCare, not to @" in done.stderr
    assert desktop.accounts("list") == []


def test_the_only_brand_of_the_roster_is_meant(desktop):
    """Who logs in beside a roster logs in for its brand; with several brands, any account will do."""
    roster = desktop.folder / "roster.toml"
    roster.write_text(ROSTER.replace("AcmeCare", "BetaCare"))
    done = desktop.run("auth", "login", "--with-token", stdin=desktop.token())
    assert (done.returncode, "not to @betacare" in done.stderr) == (5, True)
    roster.write_text(ROSTER + SECOND_BRAND)
    desktop.log_in()


def test_a_brand_without_custom_profiles_can_log_in(desktop):
    """X's permission may come weeks later: the login succeeds, and a warning explains what is missing."""
    desktop.world.accounts.allow("AcmeCare", allowlisted=False)
    done = desktop.run("auth", "login", "--with-token", stdin=desktop.token())
    assert (done.returncode, done.stdout[:22]) == (0, "logged in as @AcmeCare")
    assert "warning: listing the profiles: X hasn't allowed this account to use custom profiles" in done.stderr
    assert "hint: X allows custom profiles account by account" in done.stderr


def test_an_unreachable_x_stores_nothing(desktop):
    """Exit 75: nothing is wrong with the credentials."""
    closed = desktop.environ["PROFILECTL_API_URL"].rpartition(":")[0] + ":1"
    done = desktop.run(
        "auth", "login", "--with-token", "--timeout", "1", stdin=desktop.token(), PROFILECTL_API_URL=closed
    )
    assert done.returncode == 75
    assert desktop.accounts("list") == []


def test_variables_before_the_keyring_are_mentioned(desktop):
    """A login that other credentials hide would puzzle whoever changed the token."""
    variables = {f"PROFILECTL_{name.upper()}": getattr(desktop.brand, name) for name in VALUES}
    done = desktop.run("auth", "login", "--with-token", stdin=desktop.token(), **variables)
    assert "warning: environment credentials come before the keyring" in done.stderr
    assert desktop.accounts("status", **variables)[0]["source"] == "environment"
    done = desktop.run("auth", "logout", **variables)
    assert "warning: commands still find environment credentials for @AcmeCare" in done.stderr


def test_logins_and_logouts_are_on_the_record_of_an_account_that_has_one(desktop):
    """The first login comes before the first sync, and makes no ledger; the later ones are recorded, each once."""
    desktop.log_in()
    assert "there is no ledger" in desktop.run("audit", "log").stderr
    desktop.folder.joinpath("roster.toml").write_text(ROSTER)
    Image.new("RGB", (64, 64), (20, 120, 200)).save(desktop.folder / "alice.png")
    done = desktop.run("sync", "--yes")
    assert done.returncode == 0, done.stderr
    desktop.log_in()
    assert desktop.run("auth", "logout").returncode == 0
    assert desktop.run("auth", "logout", "--handle", "acmecare").returncode == 0

    records = json.loads(desktop.run("audit", "log", "--json").stdout)["records"]
    backend = "Secret Service"
    assert [
        ("logged-in", "4242", {"handle": "AcmeCare", "backend": backend, "replaced": True}),
        ("logged-out", "4242", {"handle": "AcmeCare", "revoked": False}),
    ] == [
        (record["event"], record["account"], record["detail"])
        for record in records
        if record["event"].startswith("logged")
    ]
