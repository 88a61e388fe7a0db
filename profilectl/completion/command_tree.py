"""The command tree as plain values: what the shells' scripts and the man page need of every command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer
from msgspec import Struct

_PATH_TYPES = {"path", "file", "directory", "filename"}  # what Typer calls pathlib.Path and its file types
# Metavars, which promise a reader of the help the same.
_NAMED = {"AGENT": "agent", "BRAND": "brand", "ID": "profile", "ID|@HANDLE": "customer", "@HANDLE": "customer"}
_SAFE_WORD = re.compile(r"[A-Za-z0-9-][A-Za-z0-9._-]*")
_LONGEST_HELP = 200  # code points; longer than any of ours


class Value(Struct, frozen=True):
    """What an option or an argument takes."""

    metavar: str  # what help calls it
    kind: str  # "choice", "path", "plan", "agent", "brand", "profile" (of no agent), "customer" or "text"
    choices: tuple[str, ...] = ()  # the words of a "choice"


class Option(Struct, frozen=True):
    """One option with all its names; a flag has no value."""

    names: tuple[str, ...]
    help: str
    value: Value | None
    is_repeatable: bool


class Term(Struct, frozen=True):
    """An argument or an option as the help explains it."""

    written: str  # with all its names and what it takes: ``-q, --quiet``, ``--ask csat|nps``, ``TEXT``
    meaning: str  # a sentence, with default and bounds in brackets behind it
    is_required: bool


class Command(Struct, frozen=True):
    """One command or group, named by all its words from the program on."""

    words: tuple[str, ...]
    help: str  # the first sentence of its help, on one line
    options: tuple[Option, ...]
    arguments: tuple[Value, ...]
    commands: tuple[Command, ...]
    text: str = ""  # its whole help; a paragraph whose lines must stay as they are begins with a backspace
    terms: tuple[Term, ...] = ()  # arguments and options in the order of the help

    def walk(self) -> Iterator[Command]:
        """Yield this command, and every command below it in the order of the help."""
        yield self
        for command in self.commands:
            yield from command.walk()


def read_tree(app: typer.Typer, name: str) -> Command:
    """Return the visible part of an app's command tree.

    Raises:
        ValueError: a name or a choice isn't a plain ASCII word, and so would need other quotes in every shell.
    """
    return _read_command(typer.main.get_command(app), (_safe(name),), None)


def names_of(value: Value) -> str:
    """Return the kind of names that the program is asked for to complete a value; empty where it isn't."""
    return f"{value.kind}s" if value.kind in _NAMED.values() else ""


def notation(value: Value) -> str:
    """Write what a value may be: ``@path``, ``@plan``, ``@text``, names such as ``@agents``, or the words ``a,b,c``."""
    return ",".join(value.choices) or f"@{names_of(value) or value.kind}"


def shared_options(tree: Command) -> tuple[Option, ...]:
    """Return the options that the program and every command take; groups don't count."""
    # A group passes them on to its commands and takes none itself, so asking groups as well would leave nothing.
    takers = [command for command in tree.walk() if not command.commands]
    return tuple(option for option in tree.options if all(option in taker.options for taker in takers))


def own_options(command: Command, shared: tuple[Option, ...]) -> tuple[tuple[Option, ...], bool]:
    """Return a command's options but for the shared ones, and whether it takes those as well."""
    # All or none, as the scripts have one name for all of them together.
    if not set(shared) <= set(command.options):
        return command.options, False
    return tuple(option for option in command.options if option not in shared), True


def _read_command(command: Any, words: tuple[str, ...], parent: typer.Context | None) -> Command:
    # Any: Typer carries its own copy of click, whose classes it doesn't make public.
    context = typer.Context(command, info_name=words[-1], parent=parent)
    parameters = [parameter for parameter in command.get_params(context) if not parameter.hidden]
    children = getattr(command, "commands", {}).items()
    return Command(
        words=words,
        help=_one_line(command.get_short_help_str(_LONGEST_HELP)),
        options=tuple(_read_option(option) for option in parameters if option.param_type_name == "option"),
        arguments=tuple(_read_value(value) for value in parameters if value.param_type_name == "argument"),
        commands=tuple(
            _read_command(child, (*words, _safe(name)), context) for name, child in children if not child.hidden
        ),
        text=command.help or "",
        terms=tuple(_read_term(parameter, context) for parameter in parameters),
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
