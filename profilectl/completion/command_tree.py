"""The command tree as plain values: what a shell has to know about every command, without Typer's machinery."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATH_TYPES = {"path", "file", "directory", "filename"}  # what Typer calls pathlib.Path and its file types
_NAMED = {"AGENT": "agent", "BRAND": "brand", "ID": "profile"}  # metavars, which promise a reader of the help the same
_SAFE_WORD = re.compile(r"[A-Za-z0-9-][A-Za-z0-9._-]*")
_LONGEST_HELP = 200  # code points; longer than any of ours


@dataclass(frozen=True, slots=True)
class Value:
    """What an option or an argument takes.

    Attributes:
        metavar: what help calls it.
        kind: "choice", "path", "plan" (a path of a saved plan), "agent", "brand", "profile" (the id of one that no
            agent uses), or "text".
        choices: the words of a "choice", else none.
    """

    metavar: str
    kind: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One option with all its names; a flag has no value."""

    names: tuple[str, ...]
    help: str
    value: Value | None
    is_repeatable: bool


@dataclass(frozen=True, slots=True)
class Term:
    """An argument or an option as the help explains it.

    Attributes:
        written: with all its names and what it takes: ``-q, --quiet``, ``--ask csat|nps``, ``TEXT``.
        meaning: a sentence, with default and bounds in brackets behind it.
        is_required: whether nothing goes without it.
    """

    written: str
    meaning: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class Command:
    """One command or group, named by all its words from the program on.

    Attributes:
        help: the first sentence of its help, on one line.
        text: its whole help, paragraph by paragraph; one whose lines must stay as they are begins with a backspace.
        terms: what the help lists below that: the arguments and options in the order of their definition.
    """

    words: tuple[str, ...]
    help: str
    options: tuple[Option, ...]
    arguments: tuple[Value, ...]
    commands: tuple[Command, ...]
    text: str = ""
    terms: tuple[Term, ...] = ()

    def walk(self) -> Iterator[Command]:
        """Yield this command, and every command below it in the order of the help."""
        yield self
        for command in self.commands:
            yield from command.walk()


def read_tree(app: typer.Typer, name: str) -> Command:
    """Return the visible part of an app's command tree.

    Names and choices are plain ASCII words, which need no quotes in any shell; help is one line of any characters.

    Raises:
        ValueError: a name or a choice isn't such a word.
    """
    return _read_command(typer.main.get_command(app), (_safe(name),), None)


def _read_command(command: Any, words: tuple[str, ...], parent: typer.Context | None) -> Command:
    context = typer.Context(command, info_name=words[-1], parent=parent)
    visible = [one for one in command.get_params(context) if not one.hidden]
    children = getattr(command, "commands", {}).items()
    return Command(
        words=words,
        help=_one_line(command.get_short_help_str(_LONGEST_HELP)),
        options=tuple(_read_option(one) for one in visible if one.param_type_name == "option"),
        arguments=tuple(_read_value(one) for one in visible if one.param_type_name == "argument"),
        commands=tuple(
            _read_command(child, (*words, _safe(name)), context) for name, child in children if not child.hidden
        ),
        text=command.help or "",
        terms=tuple(_read_term(one, context) for one in visible),
    )


def _read_option(option: Any) -> Option:
    return Option(
        names=tuple(_safe(name) for name in (*option.opts, *option.secondary_opts)),
        help=_one_line(option.help or ""),
        value=None if option.is_flag or option.count else _read_value(option),
        is_repeatable=option.multiple or option.count,
    )


def _read_value(parameter: Any) -> Value:
    metavar = (parameter.metavar or parameter.name.upper()).strip("[]")
    choices = tuple(_safe(choice) for choice in getattr(parameter.type, "choices", ()))
    if choices:
        return Value(metavar, "choice", choices)
    if parameter.type.name in _PATH_TYPES:
        return Value(metavar, "plan" if metavar == "PLAN" else "path")
    return Value(metavar, _NAMED.get(metavar, "text"))


def _read_term(parameter: Any, context: typer.Context) -> Term:
    _, meaning = parameter.get_help_record(context)
    is_argument = parameter.param_type_name == "argument"
    written = _read_value(parameter).metavar if is_argument else _written(_read_option(parameter))
    return Term(written, " ".join(meaning.split()), parameter.required)


def _written(option: Option) -> str:
    names = ", ".join(sorted(option.names, key=len))
    return names if option.value is None else f"{names} {'|'.join(option.value.choices) or option.value.metavar}"


def _one_line(text: str) -> str:
    return " ".join(text.split()).removesuffix(".")


def _safe(word: str) -> str:
    if not _SAFE_WORD.fullmatch(word):
        raise ValueError(f"not a plain word, so no shell could complete it: {word!r}")
    return word
