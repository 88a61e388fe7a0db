"""The crontab's line, as cron runs it."""

from __future__ import annotations

import re
import subprocess

from tests.examples.conftest import EXAMPLES

_LINE = re.compile(r"(?:[\d*/,-]+ ){5}(?P<command>.+)")


def the_line() -> str:
    lines = (EXAMPLES / "cron" / "crontab").read_text().splitlines()
    (found,) = (match for line in lines if (match := _LINE.fullmatch(line)))
    return found["command"]


def run_by_cron(machine):
    """Run the line with /bin/sh, in the home, with four variables and nothing on stdin."""
    variables = [f"{name}={value}" for name, value in machine.environment().items()]
    command = ["env", "-i", *variables, "/bin/sh", "-c", the_line()]
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
    assert "%" not in the_line()
