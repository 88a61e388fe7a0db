"""The committed scripts at TAB in real shells that can start no program: static means static."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from profilectl.cli.main import build
from profilectl.completion.command_tree import read_tree
from tests.completion.conftest import ZSH_INSERTS

PAGE = Path(__file__).parent.parent.parent / "docs" / "output.md"


def test_a_command_completes(complete):
    """A part of a command becomes the command."""
    assert {"sync"} == complete("profilectl sy")


def test_an_option_of_a_command_completes(complete):
    """A part of an option becomes the option."""
    assert {"--allow-deletes"} == complete("profilectl sync --allow-d")


def test_a_group_offers_its_commands(complete):
    """Behind a group stand its commands, and no files."""
    assert {"list", "adopt"} <= complete("profilectl profiles ")


def test_global_options_stand_before_and_after_the_command(complete):
    """A global option before the command changes nothing behind it, where the same ones are offered again."""
    assert {"--sandbox", "--roster", "--allow-deletes", "--yes"} <= complete("profilectl --sandbox sync --")


def test_the_value_of_an_option_is_no_command(complete):
    """Where --brand was given a brand that is called like a command, the command is still to come."""
    assert {"send"} == complete("profilectl --brand sync sen")


def test_a_path_completes_to_files(complete):
    """Files are offered where an option takes a path."""
    assert {"roster.toml", "rosette.txt"} == complete("profilectl sync --roster ro")


def test_free_text_offers_nothing(complete):
    """No file is offered where it would be wrong."""
    assert complete("profilectl sync --jobs ") <= {""}


def test_a_choice_offers_its_words(complete):
    """An argument with fixed choices offers exactly those."""
    assert {"bash", "zsh", "fish", "powershell"} == complete("profilectl completion ")


def test_a_value_behind_an_equals_sign_completes(complete):
    """``--roster=ro`` is one word to us, whatever the shell makes of it."""
    assert "--roster=roster.toml" in complete("profilectl sync --brand=a:b --roster=roster.t")


def test_bash_completes_files_behind_a_redirection(shells):
    """``> FILE`` is the shell's own business, also where our words take no files."""
    with shells.open_bash() as terminal:
        terminal.enter("profilectl completion bash >oth\t\r")

        assert "bash >other" in terminal.wait_for("\r\n")


def test_zsh_completes_with_a_script_that_was_sourced(shells):
    """Who has no folder in $fpath to write to may source the script after compinit."""
    assert ["sync"] == shells.sourced_zsh("profilectl sy")


def test_zsh_completes_after_what_the_help_says(shells):
    """Its two lines need no root and no folder that is there already; docs/output.md has the same ones."""
    shells.find("zsh")
    help_text = next(
        command.text for command in read_tree(build(), "profilectl").walk() if "completion" in command.words
    )
    settings, install = re.search(r"zsh, with (.*) before compinit .*\n\s*(.*)", help_text).groups()
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": programs, "HOME": str(shells.home)}
    subprocess.run(["bash", "-c", install], check=True, env=environment, timeout=60)

    with shells.open_zsh(f"{settings}\nautoload -Uz compinit && compinit -D -u\n{ZSH_INSERTS}") as terminal:
        assert ["sync"] == terminal.words("profilectl sy")
    assert settings in PAGE.read_text(encoding="utf-8")
    assert install in PAGE.read_text(encoding="utf-8")
