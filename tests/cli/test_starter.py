"""What a starter may leave out: stdin, stdout, stderr, and a home folder. No command fails over it by a traceback."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from profilectl.system.host import home_folder
from tests.private_machine import PrivateMachine, why_not

UID = 4242  # nobody's

WITHOUT_STDIN = {
    "sync": (2, "there is no terminal to ask on"),
    "sync --sandbox": (2, "there is no terminal to ask on"),
    "sync --sandbox --yes": (0, "1 done"),
    "sync --sandbox --yes --credentials-file -": (0, "1 done"),
    "diff --credentials-file -": (4, "stdin"),
    "recover --sandbox": (2, "there is no terminal to ask on"),
    "offboard alice --sandbox": (2, "there is no terminal to ask on"),
    "send --sandbox --as alice --to @customer -": (5, "error: "),
    "send --sandbox --as alice --to @customer --edit": (2, "--edit needs a terminal"),
    "auth login": (2, "there is no terminal to ask"),
    "auth login --pin": (2, "there is no terminal to ask"),
    "auth import": (4, "no OAuth 1.0a account"),
    "doctor --sandbox": (0, ""),
}


def crash_logs():
    return list(Path(os.environ["XDG_STATE_HOME"]).glob("profilectl/crash-*"))


@pytest.mark.parametrize("line", WITHOUT_STDIN)
def test_a_closed_stdin_is_an_empty_one(desk, line):
    """Nobody can be asked and nothing is piped in: the same exit code and sentence as for </dev/null."""
    code, sentence = WITHOUT_STDIN[line]
    closed = desk.write(("alice", "Alice")).shell(f"profilectl {line} <&-")

    assert (code, []) == (closed.code, crash_logs()), closed.err
    assert sentence in closed.err
    assert "Traceback" not in closed.err


def test_a_login_without_stdin_gets_no_token(desk):
    """--with-token ends as with an empty pipe, whatever the keyring of the machine is."""
    results = [desk.shell(f"profilectl auth login --with-token {stdin}") for stdin in ("<&-", "</dev/null")]

    assert (4, 4, []) == (results[0].code, results[1].code, crash_logs()), results
    assert results[0].err == results[1].err


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("sync --sandbox --yes", 0),
        ("sync --sandbox", 2),
        ("roster list", 0),
        ("diff --json --brand", 2),
        ("--version", 0),
        ("--help", 0),
        ("__complete pos diff --brand ''", 0),
    ],
)
def test_closed_output_changes_no_exit_code(desk, line, code, closed):
    """What can't be told is left out; nothing else becomes stdout in its place."""
    result = desk.write(("alice", "Alice")).shell(f"profilectl {line} {closed}")

    assert (code, []) == (result.code, crash_logs()), result.err
    assert "Traceback" not in result.err


# No home folder


@pytest.fixture
def homeless(tmp_path, require):
    """A machine on which a uid that has no line in /etc/passwd, and no HOME, has a folder with a roster."""
    reason = why_not()
    require("namespaces", reason is None, str(reason))
    machine = PrivateMachine(tmp_path)
    folder = machine.at("/srv/acme")
    folder.mkdir()
    os.chown(folder, UID, UID)

    def run(*words, **environ):
        script = 'unset HOME; cd /srv/acme; exec "$0" "$@"'
        done = machine.run("/bin/sh", "-c", script, sys.executable, *words, uid=UID, **environ)
        assert "Traceback" not in done.stderr + done.stdout, done.stderr
        return done

    run("-m", "profilectl", "init", "--handle", "acmecare")
    return run


def test_without_a_home_the_local_x_works(homeless):
    """Nothing of the whole job is kept in a home folder."""
    assert [0, 0, 0] == [
        homeless("-m", "profilectl", *words).returncode
        for words in (
            ("roster", "check"),
            ("sync", "--sandbox", "--yes"),
            ("send", "--sandbox", "--as", "alice", "--to", "@customer", "Hello"),
        )
    ]


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("diff", 4, "error: "),
        ("sync --yes", 5, "set HOME, or XDG_STATE_HOME, to a folder of yours"),
        ("auth list", 0, ""),
        ("auth status", 4, ""),
        ("auth default", 0, ""),
        ("auth default acmecare", 5, "set HOME or XDG_CONFIG_HOME to a folder of yours"),
        ("auth login --with-token", 5, "set HOME or XDG_CONFIG_HOME to a folder of yours"),
        ("auth import", 4, "no OAuth 1.0a account"),
        ("auth logout --handle acmecare", 5, "set HOME or XDG_CONFIG_HOME to a folder of yours"),
        ("doctor", 75, ""),
    ],
)
def test_without_a_home_there_is_no_config(homeless, line, code, sentence):
    """What reads it goes on without one; what would write it says what to set."""
    done = homeless("-m", "profilectl", *line.split(), PROFILECTL_API_URL="http://127.0.0.1:9")

    assert code == done.returncode, done.stderr
    assert sentence in done.stderr


def test_without_a_home_the_place_of_a_crash_is_told(homeless):
    """There is nowhere to keep its log, so the last line of our code stands for it."""
    script = "import sys, profilectl.cli.context as context, profilectl.cli.main as main\n"
    script += "context.Context.roster = property(lambda context: 1 / 0)\n"
    script += "sys.exit(main.run(['roster', 'list']))"
    done = homeless("-c", script)

    assert 1 == done.returncode
    assert "unexpected failure: ZeroDivisionError" in done.stderr
    assert 'the details are in File "<string>", line 2' in done.stderr


def test_a_home_folder_is_named_in_any_case(monkeypatch, tmp_path):
    """HOME, then the list of users, then the null device, in which nobody makes a folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert tmp_path == home_folder()
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: UID)
    assert Path("/dev/null") == home_folder()
