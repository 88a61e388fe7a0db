"""What the program knows about itself, as Markdown."""

from __future__ import annotations

import inspect
import re
import textwrap

from profilectl.audit.queries import EVENTS
from profilectl.completion.environment import VARIABLES
from profilectl.completion.man_page import own_terms, usage
from profilectl.errors import PRECEDENCE, ExitCode
from profilectl.roster.checks.rules import RULES
from profilectl.sandbox.http.endpoints import ENDPOINTS
from profilectl.sandbox.model.faults import Kind
from profilectl.sync.outcomes import Status

_VALUE = re.compile(r"<(?:\w+:)?(\w+)>")  # in the path of an endpoint
_BRACED = r"{\1}"
_WIDTH = 112  # columns of a code block


def exit_codes():
    return _table("code", "meaning", ((str(code.value), code.meaning) for code in ExitCode))


def precedence():
    """Return a row for every code, the one that outweighs the others first, with what to do."""
    return _table("code", "what to do", ((str(code.value), code.advice) for code in PRECEDENCE))


def statuses():
    return _table("status", "of one step", ((f"`{status.value}`", status.meaning) for status in Status))


def check_rules():
    """Return a row for every rule of the check: its id, what it means, what to do, and whether it may be waived."""
    heads = "| rule | meaning | what to do | may be waived |\n|---|---|---|---|\n"
    rows = (
        f"| `{rule.id}` | {_plain(rule.meaning)} | {_plain(rule.advice)} | {'yes' if rule.can_be_waived else 'no'} |\n"
        for rule in RULES.values()
    )
    return heads + "".join(rows)


def environment():
    rows = ((", ".join(f"`{name}`" for name in names.split(", ")), meaning) for names, meaning in VARIABLES.items())
    return _table("variable", "meaning", rows)


def calls():
    """Return a row for every call of X that the local X answers: the name that faults have for it, its address."""
    rows = ((f"`{one.name}`", f"`{one.method} {_VALUE.sub(_BRACED, one.path)}`") for one in ENDPOINTS)
    return _table("call", "method and path", rows)


def troubles():
    """Return a row for every kind of fault, with what the source says behind it."""
    described = dict(re.findall(r'= "([\w-]+)"  # (.*)', inspect.getsource(Kind)))
    return _table("kind", "what happens", ((f"`{kind.value}`", _plain(_code(described[kind.value]))) for kind in Kind))


def events():
    return _table("event", "says", ((f"`{event}`", meaning) for event, meaning in EVENTS.items()))


def synopses(tree):
    """Return every command's line below its sentence, as a block for a shell's highlighting."""
    lines = "\n".join(f"# {command.help}\n{_line(command, tree)}" for command in _commands(tree))
    return f"```bash\n{lines}\n```\n"


def commands(tree):
    """Return a section for every command: its line, its whole help, its arguments and options."""
    return "\n".join(_section(command, tree) for command in _commands(tree))


def global_options(tree):
    return _list(tree.terms)


def _commands(tree):
    return (command for command in tree.walk() if not command.commands)


def _section(command, tree):
    own = own_terms(command, tree)
    parts = [
        f"### {' '.join(command.words)}",
        f"```\n{_line(command, tree)}\n```",
        *map(_paragraph, command.text.split("\n\n")),
    ]
    return "\n\n".join(parts) + "\n" + (f"\n{_list(own)}" if own else "")


def _line(command, tree):
    """Return the command's line; no word is broken from what it takes."""
    words = [word.replace(" ", "\0") for word in usage(command, tree)]
    name = words[0].replace("\0", " ")
    lines = textwrap.wrap(" ".join([name, *words[1:]]), _WIDTH, subsequent_indent="    ", break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


def _paragraph(text):
    if text.startswith("\b\n"):
        return "```\n" + text.removeprefix("\b\n") + "\n```"
    return textwrap.fill(_plain(text), 120, break_on_hyphens=False)


def _list(terms):
    return "".join(f"- `{term.written}`: {_plain(term.meaning)}\n" for term in terms)


def _table(left, right, rows):
    return "".join(f"| {one} | {other} |\n" for one, other in [(left, right), ("---", "---"), *rows]).replace(
        "| --- | --- |", "|---|---|"
    )


def _code(text):
    """Let what Markdown would read as a character stand as it is written."""
    return re.sub(r"(&\w+;)", r"`\1`", text)


def _plain(text):
    """Keep what Markdown would take for its own, outside code."""
    parts = text.split("`")
    return "`".join(re.sub(r"([*<\[])", r"\\\1", part) if place % 2 == 0 else part for place, part in enumerate(parts))
