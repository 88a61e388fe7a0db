"""The manual page, ``profilectl.1``, made from the command tree in the macros of man(7), which every man reads."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from profilectl import __version__
from profilectl.completion.environment import VARIABLES
from profilectl.errors import ExitCode

if TYPE_CHECKING:
    from profilectl.completion.command_tree import Command, Term

FILES: Final = (
    ("./roster.toml", "the roster: who your agents are; kept by people, and only read"),
    (
        "$XDG_STATE_HOME/profilectl/HOST/ledger.db",
        "the ledger of the accounts at one X: which profile belongs to whom, and what was done",
    ),
    (".profilectl/sandbox/", "the local X of `--sandbox` with its own ledger, beside the roster"),
    ("~/.config/profilectl/config.toml", "who is logged in, the default brand, `credential_command` and `ledger`"),
    ("~/.cache/profilectl/", "names that the shells complete, and which pictures are unchanged; may be deleted"),
    ("~/.local/state/profilectl/crash-*.log", "what is kept of an unexpected failure, without secrets"),
    ("/etc/profilectl/policy.toml", "root's word on who may sync, and who may send as whom"),
)

EXAMPLES: Final = (
    ("See the whole job on a local X, without an account:", "profilectl demo"),
    ("Write a starter roster, and tell its problems:", "profilectl init --handle acmecare && profilectl roster check"),
    ("Show what would be done, and do it:", "profilectl diff && profilectl sync"),
    ("Do exactly what was reviewed, or nothing:", "profilectl diff --out plan.json\nprofilectl sync --plan plan.json"),
    ("Speak as an agent:", 'profilectl send --as alice --to @customer "Your refund is on its way."'),
    ("Keep X equal to the roster from cron:", "profilectl sync --yes --quiet"),
)

_SYNOPSIS = r"\fBprofilectl\fR [\fIoptions\fR] \fIcommand\fR [\fIoptions\fR] [\fIarguments\fR]"

_DESCRIPTION = """\
X lets an approved brand make custom profiles: a name and a picture, many per account, seen only in Direct Messages.
profilectl keeps them from one file, the roster. `profilectl sync` makes X equal to it, and `profilectl send` speaks as
one of its agents and proves that customers see the agent's face.

Nothing is created twice, nothing of others is touched, and no agent is without a face while it changes. What is about
to be done is in the ledger, in the state folder of your user, before it is done.

With `--sandbox` every command works on a local X, which needs no account and no network.

Results go to stdout, everything else to stderr. On a terminal results are tables; elsewhere they are lines with tabs.
With `--json` they are one JSON document, errors included."""

_SEE_ALSO = "crontab(5), systemd.timer(5), sudoers(5), jq(1)"

_CHARACTERS = str.maketrans({"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"})
_WIDTH = 78  # columns of the source, which is kept in git and read in diffs


def manual(tree: Command) -> str:
    """Return the whole page as roff."""
    sections = {
        "NAME": [rf"profilectl \- {_escape(tree.help[0].lower() + tree.help[1:])}"],
        "SYNOPSIS": [_SYNOPSIS],
        "DESCRIPTION": _paragraphs(_DESCRIPTION),
        "COMMANDS": _commands(tree),
        "GLOBAL OPTIONS": [_running("These stand before or after the whole command."), *_terms(tree.terms)],
        "EXIT STATUS": [_item(str(code.value), code.meaning) for code in ExitCode],
        "ENVIRONMENT": [_item(*variable) for variable in VARIABLES.items()],
        "FILES": [_item(*file) for file in FILES],
        "EXAMPLES": _apart(f"{_running(aim)}\n{_verbatim(lines)}" for aim, lines in EXAMPLES),
        "SEE ALSO": [_running(_SEE_ALSO)],
    }
    # No date, as a test compares the page with the one in git; no hyphens (.nh) and no stretched spaces (.ad l), which
    # would break command lines that are copied.
    head = f'.TH PROFILECTL 1 "" "profilectl {_escape(__version__)}" "User Commands"\n.nh\n.ad l\n'
    blocks = [block for name, texts in sections.items() for block in (f".SH {name}", *texts)]
    return head + "".join(f"{block}\n" for block in blocks)


def usage(command: Command, tree: Command) -> list[str]:
    """Return the words of a command's line without the global options: what may be left out stands in brackets."""
    # Options first, and what is required before what isn't, as in the synopses of other pages.
    own = sorted(own_terms(command, tree), key=lambda term: (not term.written.startswith("-"), not term.is_required))
    return [" ".join(command.words), *(term.written if term.is_required else f"[{term.written}]" for term in own)]


def own_terms(command: Command, tree: Command) -> list[Term]:
    """Return the arguments and options that a command doesn't share with the whole program."""
    return [term for term in command.terms if term not in tree.terms]


def _commands(tree: Command) -> Iterator[str]:
    for command in list(tree.walk())[1:]:
        yield f'.SS "{_escape(" ".join(command.words))}"'
        if not command.commands:
            name, *terms = usage(command, tree)
            # Unbreakable spaces inside of a term: an option stays on the line of its value.
            styled = (_styled(term).replace(" ", r"\~") for term in terms)
            yield "\n".join([_filled(" ".join([rf"\fB{_escape(name)}\fR", *styled])), ".PP"])
        yield from _paragraphs(command.text)
        yield from _terms(own_terms(command, tree))


def _terms(terms: Iterable[Term]) -> Iterator[str]:
    for term in terms:
        yield f".TP\n{_styled(term.written)}\n{_running(term.meaning)}"


def _item(word: str, meaning: str) -> str:
    return f".TP\n\\fB{_escape(word)}\\fR\n{_running(meaning[0].upper() + meaning[1:])}."


def _styled(written: str) -> str:
    # What is typed as it stands is bold, what is replaced (all in capitals) italic: man-pages(7).
    parts = re.split(r"([ |=,@\[\]]+)", written)
    return "".join(
        rf"\f{'I' if part.isupper() else 'B'}{_escape(part)}\fR" if re.search(r"\w", part) else _escape(part)
        for part in parts
    )


def _paragraphs(text: str) -> Iterator[str]:
    return _apart(
        _verbatim(paragraph.removeprefix("\b\n")) if paragraph.startswith("\b\n") else _running(paragraph)
        for paragraph in text.split("\n\n")
    )


def _apart(blocks: Iterable[str]) -> Iterator[str]:
    # Space goes between blocks only: behind a heading man makes its own.
    for number, block in enumerate(blocks):
        yield f".PP\n{block}" if number else block


def _verbatim(lines: str) -> str:
    return "\n".join([".RS 4", ".nf", *(_guard(_escape(line)) for line in lines.splitlines()), ".fi", ".RE"])


def _running(text: str) -> str:
    # Each sentence on lines of its own, so that roff sets the space behind it; code in backticks becomes bold.
    escaped = "".join(
        rf"\fB{_escape(part)}\fR" if number % 2 else _escape(part) for number, part in enumerate(text.split("`"))
    )
    return "\n".join(_filled(sentence) for sentence in re.split(r"(?<=[.:;!?])\s+", escaped))


def _filled(text: str) -> str:
    lines = textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(_guard, lines))


def _escape(text: str) -> str:
    # groff shows a plain hyphen or quote as a typographic one, and such an option can't be copied (groff_char(7)).
    return "".join(char if char.isascii() else rf"\[u{ord(char):04X}]" for char in text.translate(_CHARACTERS))


def _guard(line: str) -> str:
    # A line that begins with a dot or a quote would be a request, and wouldn't be shown.
    return rf"\&{line}" if line.startswith((".", "'")) else line
