"""The command that prints the completion scripts, and the committed ones compared with the commands."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from profilectl.cli.completion import Shell, script
from profilectl.cli.main import run
from profilectl.errors import ExitCode

ROOT = Path(__file__).parent.parent.parent
FILES = {
    Shell.BASH: ROOT / "completions" / "profilectl.bash",
    Shell.ZSH: ROOT / "completions" / "_profilectl",
    Shell.FISH: ROOT / "completions" / "profilectl.fish",
    Shell.POWERSHELL: ROOT / "completions" / "profilectl.ps1",
}
REGENERATE = " && ".join(f"profilectl completion {s.value} >{p.relative_to(ROOT)}" for s, p in FILES.items())


@pytest.mark.parametrize("shell", Shell)
def test_the_committed_scripts_are_those_of_the_commands_as_they_are(shell):
    """A command, option or help text that changed has to be regenerated."""
    assert script(shell) == FILES[shell].read_text(encoding="utf-8"), f"stale, so regenerate: {REGENERATE}"


def test_the_wheel_puts_the_scripts_where_the_shells_look():
    """An installation needs no further step in shells that look into the prefix."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]

    assert {
        "completions/profilectl.bash": "share/bash-completion/completions/profilectl",
        "completions/_profilectl": "share/zsh/site-functions/_profilectl",
        "completions/profilectl.fish": "share/fish/vendor_completions.d/profilectl.fish",
        "completions/profilectl.ps1": "share/profilectl/profilectl.ps1",
    }.items() <= shared.items()


@pytest.mark.parametrize("shell", Shell)
def test_completion_prints_the_script(shell, capsys):
    """What is printed is the script and nothing else, so it can be redirected into a file."""
    assert ExitCode.DONE == run(["completion", shell.value])
    assert script(shell) == capsys.readouterr().out


def test_completion_of_another_shell_is_a_usage_error(capsys):
    """The message names the shells that there are."""
    assert ExitCode.USAGE == run(["completion", "tcsh"])
    assert "bash, zsh, fish, powershell" in capsys.readouterr().err


def test_the_module_is_cheap_to_import():
    """Every start imports it with the other commands, so generators and libraries wait for their use."""
    code = "import sys, profilectl.cli.completion; print(*sys.modules)"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
        ).stdout.split()
    )

    assert set() == loaded & {
        "httpx",
        "keyring",
        "rich",
        "PIL",
        "jinja2",
        "werkzeug",
        "profilectl.completion.command_tree",
    }
