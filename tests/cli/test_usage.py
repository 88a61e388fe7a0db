"""A command line that can't be obeyed: exit 2, one sentence and what is right, for every option of every command."""

from __future__ import annotations

import json
import re
import signal
import sys

import pytest

from profilectl.cli.main import build, run
from profilectl.cli.usage import foreign
from profilectl.completion.command_tree import read_tree

TREE = read_tree(build(), "profilectl")
COMMANDS = list(TREE.walk())
NUMBERS = {"N", "COUNT", "PORT", "SECONDS", "SEED", "TROUBLE"}
MOMENTS = {"DATE", "WHEN", "DURATION"}


@pytest.fixture(autouse=True)
def _same_signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def lacking(option, name):
    """Yield the words that an option without its value, or with one too many, is made of, and the sentence about it."""
    if option.value is not None:
        yield [name], f"{name} needs a value"
        yield [name, "--json"], f"{name} needs a value, but --json stands in its place"
        yield [name, ""], f"{name} has an empty value"
        yield [name, " "], f"{name} has an empty value"
        if not option.is_repeatable:
            yield [name, "1", name, "2"], f"{name} is given twice, but takes one value"
        if option.value.choices:
            yield [name, "x"], f"{name}: x isn't one of {', '.join(option.value.choices)}"
        if option.value.metavar in NUMBERS:
            yield [name, "x"], f"{name}: x isn't a{' whole' if option.value.metavar != 'SECONDS' else ''} number"
        if option.value.metavar in MOMENTS:
            yield [name, "x"], None  # each says in its own words what it takes
    elif name.startswith("--"):
        yield [f"{name}=1"], f"{name} takes no value"


def wrong_lines(command):
    """Yield each way in which the options of a command can be typed wrongly, and the sentence about it."""
    for option in command.options:
        for name in option.names:
            for words, sentence in lacking(option, name):
                yield words, sentence.replace("a whole", "a") if sentence and name == "--trouble" else sentence
    yield ["--no-such-thing"], f"{' '.join(command.words)} has no option --no-such-thing"
    yield ["-Z"], f"{' '.join(command.words)} has no option -Z"


def test_every_option_of_every_command_in_every_wrong_way(capsys):
    """Each ends with 2, a sentence and a hint; on a script's stdout is the document of an error; no traceback."""
    total = 0
    for command in COMMANDS:
        for words, sentence in wrong_lines(command):
            line = [*command.words[1:], *words]
            total += 1

            code = run(["--json", *line])
            out, err = capsys.readouterr()
            document = json.loads(out)["error"] if out else {}

            assert (2, 2, "usage") == (code, document.get("code"), document.get("kind")), (line, err)
            assert "Traceback" not in err
            assert f"error: {document['message']}" == err.splitlines()[0], line
            assert sentence in {None, document["message"]}, line
            hints = [f"hint: {document['hint']}"] if sentence else err.splitlines()[1:]  # a moment's says it all
            assert hints == err.splitlines()[1:], line
    with capsys.disabled():
        sys.stdout.write(
            f"\n{total} wrong command lines of {len(COMMANDS)} commands: 0 tracebacks, every exit code 2\n"
        )
    assert total > 1500


def test_an_option_without_its_value_shows_one_that_it_takes(capsys):
    """A value that can be typed: not the word that help has for it, nor another one in capitals."""
    for command in COMMANDS:
        for option in (option for option in command.options if option.value is not None):
            code = run([*command.words[1:], option.names[0]])
            hint = capsys.readouterr().err.splitlines()[1]
            example = hint.removeprefix(f"hint: such as {option.names[0]} ").partition("; ")[0]
            words = [word for word in re.findall("[A-Za-z]+", example) if word.isupper() and len(word) > 1]

            assert code == 2
            assert words == [], hint
            assert example not in {"", option.value.metavar, option.value.metavar.lower()}, hint
            assert all(re.fullmatch(choice, example) for choice in option.value.choices[:1]), hint


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("plan", "`profilectl diff` shows what sync would do"),
        ("apply", "`profilectl sync` makes X equal to the roster"),
        ("login", "did you mean `profilectl auth login`?"),
        ("logout", "did you mean `profilectl auth logout`?"),
        ("status", "`profilectl auth status` shows the credentials, `profilectl doctor` whether all works"),
        ("whoami", "`profilectl auth status` shows the accounts whose credentials are here"),
        ("delete", "`profilectl offboard AGENT` removes a person, `profilectl profiles destroy ID` one profile at X"),
        ("help", "`profilectl --help` shows all commands"),
        ("help sync", "`profilectl sync --help` shows it"),
        ("help ledger export", "`profilectl ledger export --help` shows it"),
        ("version", "`profilectl --version` prints the version"),
        ("sinc", "did you mean `profilectl sync`?"),
        ("profiles delete", "did you mean `profilectl profiles destroy`?"),
        ("sync --dry-run", "`profilectl diff` shows what sync would do"),
        ("sync -y", "--yes agrees without being asked"),
        ("send --dryrun", "did you mean --dry-run?"),
        ("profiles adopt --agent alice 100044", "AGENT stands without a dash: `profilectl profiles adopt AGENT ID`"),
        ("offboard --agent=alice", "AGENT stands without a dash: `profilectl offboard AGENT`"),
        ("profiles destroy --id 100044", "ID stands without a dash: `profilectl profiles destroy ID`"),
        ("sync --frobnicate", "see `profilectl sync --help`"),
        ("reply", foreign.COMMANDS["answer"]),
        ("drafts", foreign.COMMANDS["draft"]),
        ("sync --dryrun", "`profilectl diff` shows what sync would do"),
        ("sync --What-If", "`profilectl diff` shows what sync would do"),
        ("diff --dry-run", "leave it out: diff changes nothing"),
        ("diff --brand acme --out a --out b", "`profilectl diff --help` shows what it takes"),
        ("sync everything", "see `profilectl sync --help`"),
        ("profiles", None),
        ("offboard", "`profilectl offboard AGENT`; see `profilectl offboard --help`"),
        ("completion tcsh", "see `profilectl completion --help`"),
        ("frobnicate", "see `profilectl --help`"),
    ],
)
def test_the_words_of_other_tools_end_with_the_right_command(capsys, line, hint):
    """Exit 2, one sentence, and what to type instead; where a group's command is left out, the group's help."""
    code = run(line.split())
    err = capsys.readouterr().err

    assert (2, True) == (code, err.startswith("error: " if hint else "Usage: profilectl profiles "))
    assert hint is None or [f"hint: {hint}"] == err.splitlines()[1:]


@pytest.mark.parametrize("group", [command.words[1:] for command in COMMANDS if command.commands and command.words[1:]])
def test_global_options_stand_at_every_level(capsys, group):
    """`profilectl roster --json list` says the same as `profilectl --json roster list` and `… list --json`."""
    code = run([*group, "--json", "--brand", "acme", "--timeout", "2", "frobnicate"])
    out = capsys.readouterr().out

    assert (2, f"{' '.join(('profilectl', *group))} has no command frobnicate") == (
        code,
        json.loads(out)["error"]["message"],
    )
    assert 2 == run([*group, "--json", "--timeout", "2"])
    out = capsys.readouterr().out
    assert f"{' '.join(('profilectl', *group))} needs a command" == json.loads(out)["error"]["message"]


def test_what_stands_before_a_groups_command_counts(capsys):
    """The option reaches the command; one behind the command's name wins over it."""
    assert 5 == run(["roster", "--roster", "a.toml", "--json", "list"])
    assert "a.toml" in json.loads(capsys.readouterr().out)["error"]["message"]
    assert 5 == run(["roster", "--roster", "a.toml", "--json", "list", "--roster", "b.toml"])
    assert "b.toml" in json.loads(capsys.readouterr().out)["error"]["message"]


def test_a_text_that_begins_with_a_dash_is_told_from_an_option(capsys):
    """The hint shows where to put the two dashes."""
    assert 2 == run(["send", "--as", "alice", "--to", "1", "-10% off"])
    assert "hint: if -10% off is TEXT, put -- before it: profilectl send … -- '-10% off'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["-h"], ["sync", "-h"], ["roster", "-h"], ["roster", "list", "-h"]])
def test_the_short_option_for_help_is_known_everywhere(capsys, words):
    """Nobody is sent from -h to --help."""
    assert 0 == run(words)
    assert f"Usage: {' '.join(['profilectl', *words[:-1]])} " in capsys.readouterr().out


def test_help_wins_over_what_else_is_wrong(capsys):
    """Whoever asks how it is done is told, and not what was wrong before."""
    assert 0 == run(["send", "--to", "1", "--to", "2", "--help"])
    assert "Usage: profilectl send" in capsys.readouterr().out


def test_a_brand_that_is_called_like_a_command_is_none(capsys):
    """What an option takes doesn't count as the name of a command."""
    assert 2 == run(["--brand", "sync", "diff", "--timeout"])
    assert "`profilectl diff --help`" in capsys.readouterr().err
