"""Help texts are prose: whatever they hold, every script stays what it was meant to be."""

from __future__ import annotations

import re
from typing import Annotated

import pytest
import typer

from profilectl.cli.main import build
from profilectl.completion import bash, fish, powershell, zsh
from profilectl.completion.command_tree import read_tree

HOSTILE = 'It\'s "a" [b]: $(touch gone) `touch gone` \\ \\n %d {a,b} | ; \u2018c\u2019 <d> é #'


@pytest.fixture(scope="module")
def hostile():
    """The tree of an app whose help texts would like to be code."""
    app = typer.Typer(add_completion=False)
    app.callback()(lambda: None)

    @app.command("one", help=HOSTILE)
    def _one(
        alpha: Annotated[str, typer.Option(help=HOSTILE, metavar="A:[B]'")] = "",
        beta: Annotated[bool, typer.Option("--beta/--no-beta", "-b/-B", help=HOSTILE)] = False,
    ) -> None: ...

    app.command("two", help=f"{HOSTILE} two")(lambda: None)
    return read_tree(app, "profilectl")


def test_fish_shows_any_help_as_it_is(shells, hostile):
    """A description is text, whatever it holds."""
    file = shells.home / "profilectl.fish"
    file.write_text(fish.script(hostile), encoding="utf-8")

    assert [f"one\t{HOSTILE}"] == shells.fish_lines(file, "profilectl on")
    assert [f"--alpha\t{HOSTILE}"] == shells.fish_lines(file, "profilectl one --al")


@pytest.mark.parametrize("line", ["profilectl ", "profilectl one --"])
def test_zsh_shows_any_help_as_it_is(shells, hostile, line):
    """A description is text, whatever it holds."""
    (shells.home / "_profilectl").write_text(zsh.script(hostile), encoding="utf-8")
    with shells.open_zsh("setopt auto_list") as terminal:
        terminal.enter(f"{line}\t")
        terminal.wait_for(f" -- {HOSTILE}")  # which fails when it doesn't come


def test_bash_is_told_no_help(hostile):
    """Bash has no place to show a description, so its script holds none."""
    assert "touch" not in bash.script(hostile)


def test_powershell_gets_any_help_in_closed_strings(hostile):
    """Every quote inside a string is doubled, the typographic ones that PowerShell takes for quotes included."""
    text = powershell.script(hostile)
    strings = re.findall("'((?:[^'\u2018-\u201b]|['\u2018-\u201b]{2})*)'", text)
    texts = [re.sub("(['\u2018-\u201b])\\1", r"\1", string) for string in strings]

    assert f"one|{HOSTILE}" in texts
    assert f"--alpha|@text|{HOSTILE}" in texts


def test_powershell_is_told_what_every_value_is():
    """No PowerShell is at hand to ask, so the table is read: names are asked for, plans are told from other files."""
    text = powershell.script(read_tree(build(), "profilectl"))

    assert "'--as|@agents|" in text
    assert "'--brand|@brands|" in text
    assert "'--plan|@plan|" in text
    assert "'--roster|@path|" in text
    profiles = text.split("'profilectl profiles adopt' = @{")[1]
    assert ["'@agents'", "'@profiles'"] == profiles.split("Arguments = @(")[1].split(")")[0].split()


@pytest.mark.parametrize("opening", ["(", "[", "{"])
def test_powershell_closes_what_it_opens(opening):
    """Outside of strings and comments every bracket has its partner."""
    text = powershell.script(read_tree(build(), "profilectl"))
    code = re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"|#.*", "", text)

    assert code.count(opening) == code.count({"(": ")", "[": "]", "{": "}"}[opening]) > 0
