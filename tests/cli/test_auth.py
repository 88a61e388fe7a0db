"""``profilectl auth`` as people and scripts meet it: processes, a real keyring, a sandbox on a port, a terminal."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from profilectl.sandbox.app import SandboxApp
from profilectl.sandbox.server import serve
from profilectl.sandbox.world import World

_WITH_KEYRING = Path(__file__).parent.parent / "with-keyring.sh"
_PROGRAMS = ("bash", "dbus-run-session", "dbus-send", "gnome-keyring-daemon")
_VALUES = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
_ROSTER = """version = 1
[brands.acme]
handle = "AcmeCare"
[agents.alice]
name = "Alice"
kind = "human"
avatar = "alice.png"
"""
_SECOND_BRAND = '[brands.beta]\nhandle = "BetaCare"\n'
_ON_ITS_OWN_TERMINAL = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


class Shell:
    """Runs profilectl in a folder of its own, and never lets a secret pass."""

    def __init__(self, folder, server, brand):
        self.folder = folder
        self.server = server
        self.host = f"127.0.0.1:{server.port}"
        self.world = server.app.world
        self.brand = brand
        self.environ = {**os.environ, "PROFILECTL_API_URL": server.url}

    def token(self, **changes):
        return json.dumps({name: getattr(self.brand, name) for name in _VALUES} | changes)

    def run(self, *words, stdin="", **variables):
        done = subprocess.run(
            [sys.executable, "-m", "profilectl", *words],
            cwd=self.folder,
            env=self.environ | variables,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.check(done.stdout + done.stderr)
        return done

    def log_in(self):
        done = self.run("auth", "login", "--with-token", stdin=self.token())
        assert done.returncode == 0, done.stderr

    def accounts(self, *words, **variables):
        document = json.loads(self.run("auth", *words, "--json", **variables).stdout)
        assert document["schema"] == "profilectl.auth/1"
        return document["accounts"]

    def check(self, text):
        """No output shows a secret."""
        secrets = [getattr(self.brand, name) for name in _VALUES]
        assert not [value for value in secrets if value in text]
        assert "Traceback" not in text


class Terminal:
    """A person's terminal with profilectl on it; waits for words, types answers."""

    def __init__(self, shell, *words):
        self.shell = shell
        self.said = ""
        self._ours, theirs = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", _ON_ITS_OWN_TERMINAL, sys.executable, "-m", "profilectl", *words],
            cwd=shell.folder,
            env=shell.environ | {"TERM": "xterm", "COLUMNS": "120", "NO_COLOR": "1"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def wait_for(self, words):
        while words not in self.said:
            assert self._read(), f"never said {words!r}: {self.said}"
        return self.said

    def answer(self, question, text):
        self.wait_for(question)
        os.write(self._ours, text.encode())

    def end(self):
        """Return the exit status, once everything was read."""
        while self._read():
            pass
        self.shell.check(self.said)
        return self.process.wait(timeout=30)

    def _read(self):
        assert select.select([self._ours], [], [], 30)[0], f"silent: {self.said}"
        try:
            text = os.read(self._ours, 4096)
        except OSError:  # how a terminal says on Linux that everybody has gone
            return False
        self.said += text.decode()
        return bool(text)


@pytest.fixture
def shell(tmp_path):
    """A shell without any keyring."""
    with World() as world, serve(SandboxApp(world)) as server:
        yield Shell(tmp_path, server, world.ensure_brand("AcmeCare", user_id="4242"))


@pytest.fixture
def desktop(shell, require):
    """The same shell in a session with a real, empty keyring."""
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    require("keyring", not missing, f"{', '.join(missing)} not installed")
    tell = 'printf "%s\\n" "$DBUS_SESSION_BUS_ADDRESS" "$KEYRING_TEST_PID"; read -r _ || :'
    command = ["bash", _WITH_KEYRING, "bash", "-c", tell]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as session:
        shell.environ["DBUS_SESSION_BUS_ADDRESS"] = session.stdout.readline().strip()
        shell.keyring_process = int(session.stdout.readline())
        yield shell
        session.communicate()


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

    desktop.folder.joinpath("roster.toml").write_text(_ROSTER)
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
            ("Consumer key", "Consumer secret", "Access token", "Access token secret"), _VALUES, strict=True
        ):
            terminal.answer(f"{label} (hidden): ", getattr(desktop.brand, name) + "\n")
        assert terminal.end() == 0
        assert "logged in as @AcmeCare (4242)" in terminal.said
    with Terminal(desktop, "auth", "status") as terminal:
        assert terminal.end() == 0
        assert "problem" in terminal.said.splitlines()[1], "a table, with headers"


def authorise(url):
    """Do what a person does in the browser; return the PIN that the page shows."""
    with urllib.request.urlopen(url) as page:
        assert "Authorise app" in page.read().decode()
    token = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["oauth_token"][0]
    form = urllib.parse.urlencode({"oauth_token": token, "handle": "AcmeCare", "decision": "authorise"})
    with urllib.request.urlopen(url.partition("?")[0], form.encode()) as page:
        return re.search(r'id="oauth_pin">(\d+)<', page.read().decode())[1]


def test_a_pin_stands_for_the_token(desktop):
    """Only the app's key and secret are typed; the token comes from X, which shows a PIN in the browser."""
    with Terminal(desktop, "auth", "login", "--pin") as terminal:
        terminal.answer("Consumer key (hidden): ", desktop.brand.consumer_key + "\n")
        terminal.answer("Consumer secret (hidden): ", desktop.brand.consumer_secret + "\n")
        url = re.search(r"http://\S+", terminal.wait_for("PIN: "))[0]
        terminal.answer("PIN: ", authorise(url) + "\n")
        assert terminal.end() == 0
        assert "logged in as @AcmeCare (4242)" in terminal.said
    desktop.folder.joinpath("roster.toml").write_text(_ROSTER)
    assert desktop.run("profiles", "list").returncode == 0
    assert desktop.accounts("status")[0]["token_tail"] != desktop.brand.access_token[-4:], "a token of its own"


def test_a_wrong_pin_stores_nothing(desktop):
    """X refuses it, and nobody is logged in."""
    with Terminal(desktop, "auth", "login", "--pin") as terminal:
        terminal.answer("Consumer key (hidden): ", desktop.brand.consumer_key + "\n")
        terminal.answer("Consumer secret (hidden): ", desktop.brand.consumer_secret + "\n")
        terminal.answer("PIN: ", "0000000\n")
        assert terminal.end() == 4
    assert desktop.accounts("list") == []


def test_ctrl_c_at_a_question_stores_nothing(desktop):
    """The command ends with 130, and nobody is logged in."""
    with Terminal(desktop, "auth", "login") as terminal:
        terminal.answer("Consumer key (hidden): ", "\x03")
        assert terminal.end() == 130
    assert desktop.accounts("list") == []


@pytest.mark.parametrize("wrong", _VALUES)
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
    desktop.folder.joinpath("roster.toml").write_text(_ROSTER + _SECOND_BRAND)
    done = desktop.run("auth", "login", "--with-token", *words, stdin=desktop.token())
    assert done.returncode == 5
    assert "these credentials belong to @AcmeCare, not to @" in done.stderr
    assert desktop.accounts("list") == []


def test_the_only_brand_of_the_roster_is_meant(desktop):
    """Who logs in beside a roster logs in for its brand; with several brands, any account will do."""
    roster = desktop.folder / "roster.toml"
    roster.write_text(_ROSTER.replace("AcmeCare", "BetaCare"))
    done = desktop.run("auth", "login", "--with-token", stdin=desktop.token())
    assert (done.returncode, "not to @betacare" in done.stderr) == (5, True)
    roster.write_text(_ROSTER + _SECOND_BRAND)
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
    variables = {f"PROFILECTL_{name.upper()}": getattr(desktop.brand, name) for name in _VALUES}
    done = desktop.run("auth", "login", "--with-token", stdin=desktop.token(), **variables)
    assert "warning: environment credentials come before the keyring" in done.stderr
    assert desktop.accounts("status", **variables)[0]["source"] == "environment"
    done = desktop.run("auth", "logout", **variables)
    assert "warning: commands still find environment credentials for @AcmeCare" in done.stderr


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
    before = desktop.world.quotas.standing("verify", "4242")
    assert desktop.run("auth", "status").returncode == 0
    assert desktop.world.quotas.standing("verify", "4242") == before


def test_status_of_a_frozen_keyring_ends_in_time(desktop):
    """However many accounts there are, it takes less than 4 seconds and says what is wrong."""
    desktop.folder.joinpath("roster.toml").write_text(_ROSTER + _SECOND_BRAND)
    os.kill(desktop.keyring_process, signal.SIGSTOP)
    begun = time.monotonic()
    done = desktop.run("auth", "status")
    assert time.monotonic() - begun < 4
    assert done.returncode == 4
    assert done.stdout.count("the keyring didn't answer within 3 s") == 2


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
    """One that isn't logged in is unusable; one usable account is enough for exit 0."""
    desktop.folder.joinpath("roster.toml").write_text(_ROSTER + _SECOND_BRAND)
    desktop.log_in()
    done = desktop.run("auth", "status")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [("AcmeCare", "usable"), ("BetaCare", "unusable")] == [(line[0], line[4]) for line in lines]
    assert done.returncode == 0
    assert "hint: run `profilectl auth login`" in done.stderr
    assert desktop.run("auth", "status", "--brand", "beta").returncode == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["auth", "login"], "auth login --with-token"),
        (["auth", "login", "--pin"], "auth login --with-token"),
        (["auth", "login", "--with-token", "--pin"], "exclude each other"),
        (["auth", "login", "--credentials-file", "x.json"], "--with-token < x.json"),
        (["auth", "login", "--with-token", "--handle", "no handle"], "'no handle' is no handle"),
        (["--sandbox", "auth", "login"], "the sandbox knows no logins"),
        (["auth", "logout", "--sandbox"], "the sandbox knows no logins"),
        (["auth", "lgoin"], "Did you mean 'login'"),
    ],
)
def test_what_can_not_be_obeyed_is_said(shell, words, said):
    """Exit 2, a message, and as JSON the same."""
    done = shell.run(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert json.loads(shell.run(*words, "--json").stdout)["error"]["code"] == 2


def test_with_token_on_a_terminal_says_that_something_must_be_piped(shell):
    """It would wait for what nobody knows to type, and show it."""
    with Terminal(shell, "auth", "login", "--with-token") as terminal:
        assert terminal.end() == 2
        assert "nothing is piped into it" in terminal.said


@pytest.mark.parametrize(
    ("stdin", "said"),
    [("", "no JSON object"), ("[]", "no JSON object"), ('{"consumer_key": "12345678"}', "lacks consumer_secret,")],
)
def test_a_pipe_with_something_else_is_refused(desktop, stdin, said):
    """The message names what is missing."""
    done = desktop.run("auth", "login", "--with-token", stdin=stdin)
    assert (done.returncode, said in done.stderr) == (4, True)


def test_nothing_is_read_without_a_keyring(shell):
    """A machine that can't keep secrets says so at once, with what to do instead."""
    done = shell.run("auth", "login", "--with-token", stdin=shell.token())
    assert done.returncode == 4
    assert "error: no keyring here" in done.stderr
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
    for name in _VALUES[1:]:
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
    shell.folder.joinpath("roster.toml").write_text(_ROSTER)
    assert shell.run("--sandbox", "auth", "status").stdout == "AcmeCare\tlocalhost\tsandbox\t\tusable\t\n"
    assert shell.run("--sandbox", "profiles", "list").returncode == 0
    handle, user_id, *rest = shell.run("auth", "list", PROFILECTL_SANDBOX="1").stdout.rstrip("\n").split("\t")
    assert (handle, user_id.isdigit(), rest) == ("AcmeCare", True, ["localhost", "sandbox"])
