"""Which options a command that a sentence names takes over from the command that names it."""

from __future__ import annotations

import pytest

from profilectl.cli.main import build
from profilectl.completion.command_tree import read_tree
from profilectl.text.pasteable import TAKEN, RepeatedOptions

SANDBOX = RepeatedOptions(sandbox=True)
ALL = RepeatedOptions(sandbox=True, roster="a b/r.toml", credentials_file="acme.json", brands=("acme", "beta"))
PLACE = "--sandbox --roster 'a b/r.toml'"
BRANDS = "--brand acme --brand beta"


def test_every_command_has_its_options():
    """A new command can't be forgotten, nor an old one stay behind."""
    tree = list(read_tree(build(), "profilectl").walk())
    commands = {" ".join(command.words[1:]) for command in tree if not command.commands}

    assert commands == set(TAKEN)


def test_nothing_is_added_without_options():
    assert RepeatedOptions().complete("run `profilectl sync`") == "run `profilectl sync`"


@pytest.mark.parametrize(
    ("sentence", "completed"),
    [
        ("run `profilectl sync` first", f"run `profilectl sync {PLACE} --credentials-file acme.json {BRANDS}` first"),
        ("`profilectl ledger show`", f"`profilectl ledger show {PLACE}`"),
        ("`profilectl audit verify --accept-break`", f"`profilectl audit verify {PLACE} --accept-break`"),
        ("`profilectl roster set a labels.b=c`", "`profilectl roster set --roster 'a b/r.toml' a labels.b=c`"),
        ("`profilectl init` writes one", "`profilectl init --roster 'a b/r.toml'` writes one"),
        ("`profilectl auth login --handle a`", "`profilectl auth login --handle a`"),
        ("`profilectl demo`", "`profilectl demo`"),
        ("`profilectl sync --help`", "`profilectl sync --help`"),
        ("`profilectl --version`", "`profilectl --version`"),
        ("`profilectl nothing such`", "`profilectl nothing such`"),
        ("profilectl sync (pid 8) holds it", "profilectl sync (pid 8) holds it"),
    ],
)
def test_a_command_takes_what_it_has_use_for(sentence, completed):
    assert completed == ALL.complete(sentence)


@pytest.mark.parametrize(
    ("sentence", "completed"),
    [
        ("`profilectl diff --out`", "`profilectl diff --sandbox --out`"),
        ("`profilectl sync --sandbox`", "`profilectl sync --sandbox`"),
        ("`profilectl doctor --face-check`", "`profilectl doctor --face-check`"),
        ("`profilectl ledger export | gzip`", "`profilectl ledger export --sandbox | gzip`"),
        ("`profilectl diff`, then `profilectl sync`", "`profilectl diff --sandbox`, then `profilectl sync --sandbox`"),
        ("`sync` of `profilectl diff`", "`sync` of `profilectl diff --sandbox`"),
    ],
)
def test_options_stand_right_behind_the_command(sentence, completed):
    """Behind them may stand a redirection, or an option whose value is still to be typed."""
    assert completed == SANDBOX.complete(sentence)


@pytest.mark.parametrize("words", ["--brand beta", "--handle acmecare", "--plan plan.json"])
def test_brands_go_where_nothing_else_names_them(words):
    """A saved plan is about the brands that it was made for."""
    sentence = f"`profilectl sync {words}`"

    assert sentence == RepeatedOptions(brands=("acme",)).complete(sentence)


def test_completing_twice_changes_nothing_more():
    once = ALL.complete("run `profilectl sync` first")

    assert once == ALL.complete(once)
