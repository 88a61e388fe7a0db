"""The examples in every command's help: what they name is there, and nobody types them in vain."""

from __future__ import annotations

import re
import shlex

import pytest

from profilectl.cli.main import build
from profilectl.cli.usage.examples import EXAMPLES
from profilectl.completion.command_tree import read_tree

TREE = read_tree(build(), "profilectl")
COMMANDS = {" ".join(command.words[1:]): command for command in TREE.walk() if not command.commands}
LINES = [(words, line) for words, lines in EXAMPLES.items() for line in lines]


def typed(line):
    """Return the words that profilectl gets: the shell takes what it redirects and other programs."""
    words = list(shlex.shlex(line, posix=True, punctuation_chars="|<>"))
    (begin,) = [number for number, word in enumerate(words) if word == "profilectl"]
    rest = words[begin + 1 :]
    ends = [number for number, word in enumerate(rest) if re.fullmatch("[|<>]+", word)]
    return rest[: ends[0]] if ends else rest


def names(command):
    """Return the options that a command takes, also before its name."""
    return {
        name for term in (*command.terms, *TREE.terms) for name in re.findall(r"(?<!\w)--?[a-z][\w-]*", term.written)
    }


def test_every_command_has_examples():
    """But `completion`, whose help says line by line how each shell is set up."""
    assert set(COMMANDS) - {"completion"} == set(EXAMPLES)


@pytest.mark.parametrize(("words", "line"), LINES, ids=[line for _, line in LINES])
def test_examples_can_be_typed(words, line):
    """Each is one of its own command, with options that the command has."""
    given = [word for word in typed(line) if not word.startswith("--sandbox")]

    assert words.split() == given[: len(words.split())]
    assert set() == {word for word in given if word.startswith("-") and word != "-"} - names(COMMANDS[words])


def test_examples_stand_in_the_help():
    """Below the text, each on a line of its own; those of the manual and the reference come from there."""
    assert [] == [line for words, line in LINES if f"  {line}" not in COMMANDS[words].text.splitlines()]
