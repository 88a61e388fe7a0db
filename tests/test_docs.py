"""The README can't rot: its tables are generated, its roster is parsed, its tour is walked.

Run as a program, this file writes the generated blocks anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import typer

from profilectl.cli.main import build
from profilectl.errors import ExitCode
from profilectl.roster.parse import parse

README = Path(__file__).parent.parent / "README.md"
DIGITS = re.compile(r"sha256:[0-9a-f]{64}|\d{6,}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def block(name):
    """Return what stands between `<!-- name -->` and the next `<!-- end -->`."""
    return re.search(rf"<!-- {name} -->\n(.*?)<!-- end -->", README.read_text(encoding="utf-8"), re.DOTALL)[1]


def exit_codes():
    rows = [f"| {code.value} | {code.meaning} |" for code in ExitCode]
    return "\n".join(["| code | meaning |", "|---|---|", *rows]) + "\n"


def commands():
    rows = [f"| `profilectl {name}` | {sentence} |" for name, sentence in sorted(walk(typer.main.get_command(build())))]
    return "\n".join(["| command | does |", "|---|---|", *rows]) + "\n"


def walk(group, prefix=""):
    """Yield every command with the first sentence of its help."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from walk(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command.help.split("\n\n")[0].replace("\n", " ").rstrip(".")


GENERATED = {"exit codes": exit_codes, "commands": commands}


@pytest.mark.parametrize("name", GENERATED)
def test_generated_blocks_are_as_the_program_says(name):
    """The tables of exit codes and commands are made from the program."""
    assert GENERATED[name]() == block(name)


def test_every_command_explains_itself():
    """Every command has a help text, short enough never to be cut in a list of 80 columns."""
    lengths = {name: len(sentence) for name, sentence in walk(typer.main.get_command(build()))}

    assert {} == {name: length for name, length in lengths.items() if not 0 < length <= 60}


def test_the_roster_of_the_reference_is_one():
    """The reference's example parses without errors or warnings."""
    text = re.search(r"```toml\n(.*?)```", block("roster"), re.DOTALL)[1]
    roster = parse(text, "README.md")

    assert ((), ["Ally F.", "Acme Helper (bot)"]) == (roster.warnings, [agent.name for agent in roster.agents])


def test_the_tour_can_be_walked(tmp_path):
    """Every command of the tour does what stands below it, ids and times aside."""
    assert 8 < block("tour").count("\n$ ")
    assert DIGITS.sub("N", tour(tmp_path)) == DIGITS.sub("N", block("tour"))


def tour(folder):
    """Return the tour's text with what its commands print now."""
    step = re.compile(r"^(\$ (.*)\n)(?:(?!\$ |```).*\n)*", re.MULTILINE)
    walked = lambda match: match[1] + shell(match[2], folder)  # noqa: E731 - a callback of one line
    return re.sub(r"```console\n.*?```", lambda match: step.sub(walked, match[0]), block("tour"), flags=re.DOTALL)


def shell(command, folder):
    done = subprocess.run(
        ["bash", "-c", f'profilectl() {{ {sys.executable} -m profilectl "$@"; }}; {command}'],
        cwd=folder,
        env=os.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def rewrite():
    text = README.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        text = text.replace(block("tour"), tour(Path(folder)))
    for name, generate in GENERATED.items():
        text = text.replace(f"<!-- {name} -->\n{block(name)}", f"<!-- {name} -->\n{generate()}")
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    rewrite()
