"""A command line that can't be obeyed: exit 2 and one sentence, for every option of every command."""

from __future__ import annotations

import json
import signal

import pytest

from profilectl.cli.main import build, run
from profilectl.completion.command_tree import read_tree

COMMANDS = list(read_tree(build(), "profilectl").walk())


@pytest.fixture(autouse=True)
def _same_signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def wrong_lines(command):
    """Yield each command line in which one option lacks its value, or has one although it takes none."""
    for option in command.options:
        for name in option.names:
            if option.value is not None:
                yield [*command.words[1:], name], f"Option '{name}' requires an argument"
            elif name.startswith("--"):
                yield [*command.words[1:], f"{name}=1"], f"Option '{name}' does not take a value"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_an_option_without_its_value_is_a_usage_error(capsys, command):
    """The message names the option and the help of the command at hand, and no option brings a traceback."""
    for words, sentence in wrong_lines(command):
        code = run(words)
        out, err = capsys.readouterr()
        usage, *rest = err.splitlines()

        assert (2, "", f"Usage: {' '.join(command.words)} ") == (code, out, usage[: len(" ".join(command.words)) + 8])
        assert [f"error: {sentence}", f"hint: see `{' '.join(command.words)} --help`"] == rest


@pytest.mark.parametrize(
    "words",
    [["--json", "--brand"], ["diff", "--json", "--brand"], ["--json", "--brand", "acme", "auth", "login", "--handle"]],
)
def test_scripts_get_it_as_json(capsys, words):
    """With --json, stdout is the document of an error, as for every other one."""
    code = run(words)
    document = json.loads(capsys.readouterr().out)

    assert (2, "profilectl.error/1", "usage") == (code, document["schema"], document["error"]["kind"])
    assert f"Option '{words[-1]}' requires an argument" == document["error"]["message"]


def test_a_brand_that_is_called_like_a_command_is_none(capsys):
    """What an option takes doesn't count as the name of a command."""
    assert 2 == run(["--brand", "sync", "diff", "--timeout"])
    assert "hint: see `profilectl diff --help`" in capsys.readouterr().err
