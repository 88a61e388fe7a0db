"""The crontabs of the examples and the README, as cron runs them."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from profilectl.ledger.sqlite import open_for_reading
from tests.examples.conftest import EXAMPLES
from tests.private_machine import PrivateMachine, why_not

_USER = 6201
_LINE = re.compile(r"(?:[\d*/,-]+ +){5}(?P<command>.+)")
_VARIABLE = re.compile(r"(?P<name>\w+)=(?P<value>\S*)")


def the_lines() -> tuple[str, str, str]:
    """Return the commands that sync, back up and verify."""
    lines = (EXAMPLES / "cron" / "crontab").read_text().splitlines()
    sync, backup, verify = (unescaped(match["command"]) for line in lines if (match := _LINE.fullmatch(line)))
    return sync, backup, verify


def unescaped(command: str) -> str:
    """Return a command as cron hands it to the shell: % would end it, but for a backslash (crontab(5))."""
    assert re.search(r"(?<!\\)%", command) is None
    return command.replace(r"\%", "%")


def run_by_cron(machine, line=None):
    """Run a line, by default the first, with /bin/sh, in the home, with four variables and nothing on stdin."""
    variables = [f"{name}={value}" for name, value in machine.environment().items()]
    command = ["env", "-i", *variables, "/bin/sh", "-c", line or the_lines()[0]]
    return subprocess.run(
        command, cwd=machine.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )


def test_the_crontab_line_syncs_and_then_is_silent(machine):
    """The first run makes the profile, and the second has nothing to mail."""
    machine.write_roster(machine.home / "profiles")
    token = machine.home / ".config" / "profilectl" / "token.json"
    token.parent.mkdir(parents=True)
    token.write_text(machine.token)
    token.chmod(0o600)

    first, second = run_by_cron(machine), run_by_cron(machine)

    assert (0, ["Alice"]) == (first.returncode, machine.live()), first.stderr
    assert (0, "", "") == (second.returncode, second.stdout, second.stderr)


def test_the_crontab_backs_the_ledger_up(machine):
    """Every day in the place of last week's, for the owner's eyes only, and without a word."""
    machine.write_roster(machine.home / "profiles")
    token = machine.home / ".config" / "profilectl" / "token.json"
    token.parent.mkdir(parents=True)
    token.write_text(machine.token)
    token.chmod(0o600)
    run_by_cron(machine)
    first, second = (run_by_cron(machine, the_lines()[1]) for _ in range(2))
    (backup,) = machine.home.glob("profilectl-ledger-[1-7].db")

    assert [(0, "", "")] * 2 == [(done.returncode, done.stdout, done.stderr) for done in (first, second)]
    assert 0o600 == backup.stat().st_mode & 0o777
    with open_for_reading(backup) as ledger:
        assert ["alice"] == [binding.agent for binding in ledger.state_of("4242").bindings]


def test_the_crontab_tells_of_a_row_that_somebody_deleted(machine):
    """Sync looks at the newest records and stays silent; who may speak again is told by the line that verifies."""
    machine.write_roster(machine.home / "profiles")
    (machine.home / ".config" / "profilectl").mkdir(parents=True)
    (machine.home / ".config" / "profilectl" / "token.json").write_text(machine.token)
    (machine.home / ".config" / "profilectl" / "token.json").chmod(0o600)
    sync, _, verify = the_lines()
    run_by_cron(machine)
    blocked = run_by_cron(machine, sync.replace("sync --yes", "offboard alice --yes"))
    before = run_by_cron(machine, verify)
    (ledger,) = machine.home.glob(".local/state/profilectl/*/ledger.db")
    with closing(sqlite3.connect(ledger, isolation_level=None)) as connection:
        connection.execute("DELETE FROM blocked")
    after = run_by_cron(machine, verify)

    assert (0, 0, "", "") == (blocked.returncode, before.returncode, before.stdout, before.stderr), blocked.stderr
    assert (5, "") == (after.returncode, after.stdout)
    assert "alice" in after.stderr


def test_the_crontab_says_how_a_fresh_host_gets_its_token(machine):
    """The lines are pasted where no folder is there yet."""
    text = (EXAMPLES / "cron" / "crontab").read_text()
    lines = "\n".join(re.findall(r"^# +(install .*)$", text, re.MULTILINE))
    (machine.home / "token.json").write_text(machine.token)
    done = run_by_cron(machine, lines)
    token = machine.home / ".config" / "profilectl" / "token.json"

    assert (0, machine.token) == (done.returncode, token.read_text()), done.stderr
    assert (0o600, 0o700) == (token.stat().st_mode & 0o777, token.parent.stat().st_mode & 0o777)
    assert not (machine.home / "token.json").exists()


def test_the_crontab_line_needs_a_private_file(machine):
    """Where others can read the file it fails with exit 4, and says what to do."""
    machine.write_roster(machine.home / "profiles")
    token = machine.home / ".config" / "profilectl" / "token.json"
    token.parent.mkdir(parents=True)
    token.write_text(machine.token)
    token.chmod(0o644)

    done = run_by_cron(machine)

    assert 4 == done.returncode
    assert "chmod 600" in done.stderr


def test_no_character_of_the_line_means_something_else_to_cron():
    """In a crontab, % ends the command and begins its input (crontab(5))."""
    assert all("%" not in command.replace("date +%u", "") for command in the_lines())


# On a machine where the program is at its usual place, with cron's own PATH


def readme():
    """Return the crontab in the README."""
    (crontab,) = re.findall(
        r"^```cron\n(.*?)^```", (EXAMPLES.parent / "README.md").read_text(), re.DOTALL | re.MULTILINE
    )
    return crontab


def jobs_of(crontab):
    """Return the commands of a crontab, and the variables that it sets for them."""
    lines = [line for line in crontab.splitlines() if line and not line.startswith("#")]
    variables = dict(match.group("name", "value") for line in lines if (match := _VARIABLE.fullmatch(line)))
    jobs = [unescaped(match["command"]) for line in lines if (match := _LINE.fullmatch(line))]
    assert len(lines) == len(variables) + len(jobs)
    return jobs, variables


@pytest.fixture
def server(machine, tmp_path, require):
    """A machine with a user who has a crontab, a roster and a token, and the program where `pipx --global` puts it."""
    reason = why_not()
    require("namespaces", reason is None, str(reason))
    private = PrivateMachine(tmp_path / "private")
    private.add_user("acme", _USER)
    private.write("/etc/profilectl/acme.json", machine.token, 0o600, _USER)
    private.write("/srv/home/.config/profilectl/token.json", machine.token, 0o600, _USER)
    private.write(
        "/usr/local/bin/profilectl",
        f'#!/bin/sh\nPROFILECTL_API_URL={machine.url} exec "{sys.executable}" -m profilectl "$@"\n',
        0o755,
    )
    for folder in ("/srv/acme-roster", "/srv/home/profiles"):
        machine.write_roster(private.at(folder))
    for path in private.at("/srv").rglob("*"):
        os.chown(path, _USER, _USER)
    return private


@pytest.mark.parametrize("crontab", [readme, (EXAMPLES / "cron" / "crontab").read_text], ids=["README", "example"])
def test_cron_finds_the_program_and_syncs(machine, server, crontab):
    """Cron looks in /usr/bin and /bin; the job syncs, and neither it nor the others have anything to mail then."""
    (sync, backup, verify), variables = jobs_of(crontab())
    environ = {"HOME": "/srv/home", "LOGNAME": "acme", "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh"} | variables

    def run(job):
        return server.run("/bin/sh", "-c", f'cd "$HOME"; {job}', uid=_USER, **environ)

    first, others = run(sync), [run(job) for job in (sync, backup, backup, verify)]

    assert (0, ["Alice"]) == (first.returncode, machine.live()), first.stderr
    assert [(0, "", "")] * 4 == [(done.returncode, done.stdout, done.stderr) for done in others]
