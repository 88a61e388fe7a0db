"""The manual page: as the program is, and as the real groff and man show it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from profilectl.access.policy_file import POLICY
from profilectl.cli.main import build
from profilectl.completion.command_tree import Command, Term, read_tree
from profilectl.completion.environment import VARIABLES
from profilectl.completion.man_page import EXAMPLES, FILES, manual
from profilectl.errors import ExitCode
from profilectl.ledger.location import default_ledger_path
from profilectl.system.cache import cache_file

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "profilectl.1"


@pytest.fixture(scope="module", name="tree")
def _tree():
    return read_tree(build(), "profilectl")


@pytest.fixture(name="shown")
def _shown(require):
    """Return what shows a page: roff in, the text that a person reads out; a warning of groff's is a failure."""
    require("man", bool(shutil.which("groff") and shutil.which("man")), "groff and man aren't installed")

    def show(page):
        words = ["groff", "-man", "-ww", "-Tutf8", "-P-cbou"]  # the plain text, without bold and underlines
        done = subprocess.run(
            words, input=page, capture_output=True, text=True, encoding="utf-8", check=True, timeout=60
        )
        assert "" == done.stderr
        return done.stdout

    return show


def as_read(page):
    """Return a page's text in one line, without macros, fonts and escapes, where no groff is."""
    text = re.sub(r"^\..*$|^\\&|\\f[BIR]", "", page, flags=re.MULTILINE)
    for escape, char in {r"\-": "-", r"\(aq": "'", r"\(ga": "`", r"\(ha": "^", r"\(ti": "~", r"\e": "\\"}.items():
        text = text.replace(escape, char)
    return " ".join(text.replace(r"\~", " ").split())


def test_the_committed_page_is_that_of_the_program_as_it_is(tree):
    """The page changes only with the program, so it holds no date, and whoever makes it anew gets the same."""
    assert manual(tree) == PAGE.read_text(encoding="ascii"), "stale, so regenerate: python -m tests.docs"


def test_everything_is_in_it(tree):
    """Every command with its whole help, every argument and option, exit code, variable and file."""
    text = as_read(PAGE.read_text(encoding="ascii"))
    helps = [" ".join(command.text.replace("`", "").replace("\b", "").split()) for command in tree.walk()]
    commands = [" ".join(command.words) for command in tree.walk()]
    terms = [f"{term.written} {term.meaning.replace('`', '')}" for command in tree.walk() for term in command.terms]
    terms += [name for command in tree.walk() for option in command.options for name in option.names]
    terms += [value.metavar for command in tree.walk() for value in command.arguments]
    codes = [f"{code.value} {code.meaning[0].upper()}{code.meaning[1:].replace('`', '')}." for code in ExitCode]
    names = [name for names in VARIABLES for name in names.split(", ")] + [name for name, _ in FILES]

    assert [] == [part for part in (*helps[1:], *commands, *terms, *codes, *names) if part not in text]


def test_terms_are_those_of_the_help(tree):
    """Choices, defaults and bounds stand in them, and what must be given is told apart."""
    terms = {command.words[1:]: {term.written: term for term in command.terms} for command in tree.walk()}

    assert "Calls at once. [default: 8; 1<=x<=64]" == terms["sync",]["--jobs N"].meaning
    assert "The message; - reads stdin." == terms["send",]["TEXT"].meaning
    assert {"--to ID|@HANDLE"} == {written for written, term in terms["send",].items() if term.is_required}
    assert {"-q, --quiet", "--ask csat|nps"} <= terms["send",].keys()


def test_groff_and_man_have_nothing_to_say_about_it(shown):
    """The real groff warns of nothing, and what it shows has every section of a manual."""
    sections = re.findall(r"^[A-Z][A-Z ]+$", shown(PAGE.read_text(encoding="ascii")), re.MULTILINE)

    assert ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "GLOBAL OPTIONS"] == sections[:5]
    assert ["EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO"] == sections[5:]


@pytest.mark.usefixtures("shown")
def test_man_shows_it():
    """The page opens in man itself, from a file as from an installed tree."""
    done = subprocess.run(
        ["man", "--warnings", "-l", str(PAGE)],
        env={"PATH": os.environ["PATH"], "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert "" == done.stderr
    assert "profilectl - decide who your customers see in X Direct Messages" in done.stdout


def test_hostile_words_come_out_as_they_are(shown):
    """What roff takes for its own, at the start of a line or inside, is shown and can be copied."""
    hostile = [
        ".TH is no request",
        "'quoted' at the start",
        "back\\slash \\fB",
        "--long-option",
        "~ ^ `code-b`",
        "“…” ü",
    ]
    text = "Does it.\n\n" + "\n\n".join(hostile) + "\n\n\b\n" + "\n".join(hostile)
    terms = (Term("--cta LABEL=URL", ".so /etc/passwd", is_required=False),)
    tree = Command(("profilectl",), "Does it", (), (), (), text, ())
    child = Command(("profilectl", "odd"), "Does it", (), (), (), text, terms)
    page = shown(manual(Command(tree.words, tree.help, (), (), (child,), tree.text, ())))

    lines = [line.strip() for line in page.splitlines()]
    prose = [line.replace("`", "") for line in hostile]  # backticks stay only where lines do
    assert [] == [line for line in [*prose, *hostile, terms[0].meaning] if line not in lines]


@pytest.mark.parametrize("line", [line for _, lines in EXAMPLES for line in re.split(r" && |\n", lines)])
def test_examples_can_be_typed(tree, line):
    """Every example names a command and options that there are."""
    words = shlex.split(line)
    command = max((c for c in tree.walk() if tuple(words[: len(c.words)]) == c.words), key=lambda c: c.words)
    options = {name for option in command.options for name in option.names}

    assert not command.commands
    assert {word for word in words if word.startswith("-")} <= options


def test_files_are_where_the_program_has_them():
    """The folders of the page are those of the source."""
    from profilectl.cli.wiring.settings import STATE_FOLDER

    kept = {f"{STATE_FOLDER}/sandbox/"}
    caches = Path(cache_file("/roster.toml", "names")).parent.relative_to(Path.home())
    ledger = str(default_ledger_path({"XDG_STATE_HOME": "/state"}, "HOST")).replace("/state", "$XDG_STATE_HOME")
    kept |= {f"~/{caches}/", ledger.replace("host", "HOST"), str(POLICY)}
    assert kept <= {name for name, _ in FILES}


def test_the_wheel_puts_it_where_man_looks():
    """An installation needs no further step where man looks into the prefix."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shared = project["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-data"]

    assert "share/man/man1/profilectl.1" == shared["docs/profilectl.1"]
