"""What is wrong with a command line, in one sentence, and the command that is right."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from typing import Any

from profilectl.cli.usage import foreign
from profilectl.completion.example_values import value_of
from profilectl.errors import UsageError
from profilectl.text.escape import excerpt, visible
from profilectl.text.suggest import nearest

_MOST_PLACES = 3  # groups that are named where several have a command
_OPTION = r"--?[A-Za-z][A-Za-z-]*(=.*)?"  # what somebody who types an option may have typed


def unknown_command(ctx: Any, words: list[str]) -> UsageError:
    """Return what to raise for words of which the first is no command of the group at hand."""
    word = words[0]
    if word.startswith("-"):
        return UsageError(f"{ctx.command_path} has no option {excerpt(word)}", hint=_see_help(ctx))
    return UsageError(f"{ctx.command_path} has no command {excerpt(word)}", hint=_command_hint(ctx, words))


def missing_command(ctx: Any) -> UsageError:
    """Return what to raise for a group that is given options, but no command."""
    return UsageError(f"{ctx.command_path} needs a command", hint=f"one of: {', '.join(ctx.command.commands)}")


def _command_hint(ctx: Any, words: list[str]) -> str:
    word, commands = words[0], ctx.command.commands
    if ctx.parent is not None:
        known = [name for name in foreign.SYNONYMS.get(word, ()) if name in commands]
        close = known[0] if known else nearest(word.lower(), tuple(commands))
        return f"did you mean `{ctx.command_path} {close}`?" if close else _see_help(ctx)
    if word == "help" and words[1:]:
        path = _known_path(ctx.command, words[1:])
        return f"`{' '.join((ctx.command_path, *path, '--help'))}` shows it"
    if word in foreign.COMMANDS:
        return foreign.COMMANDS[word]
    places = [
        f"`{ctx.command_path} {name} {word}`"
        for name, group in commands.items()
        if word in getattr(group, "commands", {})
    ]
    if places:
        return f"did you mean {' or '.join(places[:_MOST_PLACES])}?"
    close = nearest(word.lower(), tuple(commands))
    return f"did you mean `{ctx.command_path} {close}`?" if close else _see_help(ctx)


def _known_path(command: Any, words: Iterable[str]) -> list[str]:
    path = []
    for word in words:
        command = getattr(command, "commands", {}).get(word)
        if command is None:
            break
        path.append(word)
    return path


def refusal(error: Any, ctx: Any, words: list[str]) -> UsageError:
    """Return what to raise in the place of an error of Typer's about the words of a command.

    Args:
        error: what Typer raised.
        ctx: the context of the command.
        words: those behind the command's name.
    """
    # By name, as Typer doesn't publish the classes of the library that it carries along.
    explain = _EXPLANATIONS.get(type(error).__name__)
    if explain is not None:
        return explain(error, ctx, words)
    message = " ".join(str(error.format_message()).split()).rstrip(".")
    if message.startswith("Got unexpected extra argument"):
        return _too_many(message, ctx)
    return UsageError(visible(message), hint=_see_help(ctx))


def _no_such_option(error: Any, ctx: Any, words: list[str]) -> UsageError:
    name = str(error.option_name)
    # The parser takes a word with one dash apart, letter by letter: the word as it was typed says more.
    is_short = not name.startswith("--")
    typed = next(
        (word for word in words if word.startswith(name[:1] if is_short else name) and _dashes(word) == _dashes(name)),
        name,
    )
    texts = [parameter for parameter in ctx.command.get_params(ctx) if parameter.param_type_name == "argument"]
    known = [option for parameter in ctx.command.get_params(ctx) if parameter not in texts for option in parameter.opts]
    if texts and not re.fullmatch(_OPTION, typed):
        label = (texts[0].metavar or texts[0].name.upper()).strip("[]")
        hint = f"if {excerpt(typed)} is {label}, put -- before it: {ctx.command_path} … -- {_quoted(typed)}"
        return UsageError(f"{ctx.command_path} has no option {excerpt(typed)}", hint=hint)
    name = typed.partition("=")[0]
    hint = _option_hint(name, known, ctx)
    if name.startswith("--") and any(_letters(name) in {_letters(_metavar(text)), text.name} for text in texts):
        hint = f"{name.removeprefix('--').upper()} stands without a dash: `{_shortest(ctx)}`"
    return UsageError(f"{ctx.command_path} has no option {excerpt(name)}", hint=hint)


def _dashes(word: str) -> int:
    return len(word) - len(word.lstrip("-"))


def _option_hint(name: str, known: list[str], ctx: Any) -> str:
    own = next((option for option in known if _letters(option) == _letters(name)), None)
    if own is not None and name.startswith("--"):
        return f"did you mean {own}?"
    for command, option, hint in _of_other_tools(name):
        if command in {"", ctx.info_name} and (not option or option in known):
            return hint
    # without the dashes, which make every two options alike
    words = tuple(option.removeprefix("--") for option in known if option.startswith("--"))
    close = nearest(name.removeprefix("--").lower(), words) if name.startswith("--") else None
    return f"did you mean --{close}?" if close else _see_help(ctx)


def _of_other_tools(name: str) -> tuple[tuple[str, str, str], ...]:
    """Return what `foreign.OPTIONS` has for an option, in whatever case and with or without its inner dashes."""
    if name in foreign.OPTIONS or not name.startswith("--"):
        return foreign.OPTIONS.get(name, ())
    return next((hints for known, hints in foreign.OPTIONS.items() if _letters(known) == _letters(name)), ())


def _letters(option: str) -> str:
    return option.replace("-", "").lower()


def _value_problem(error: Any, ctx: Any, _words: list[str]) -> UsageError:
    """Explain an option without its value, or one with a value that takes none."""
    name = str(error.option_name)
    if "does not take a value" in error.message:
        return UsageError(f"{name} takes no value", hint=f"type {name} alone")
    options = [parameter for parameter in ctx.command.get_params(ctx) if name in parameter.opts]
    return UsageError(
        f"{name} needs a value",
        hint=f"such as {name} {_example_value(options[0])}; `{ctx.command_path} --help` shows what it takes",
    )


def _example_value(parameter: Any) -> str:
    choices = getattr(parameter.type, "choices", ())
    return str(choices[0]) if choices else value_of(parameter.opts[0], _metavar(parameter))


def _missing(error: Any, ctx: Any, _words: list[str]) -> UsageError:
    parameter = error.param
    name = _metavar(parameter) if parameter.param_type_name == "argument" else parameter.opts[0]
    return UsageError(f"{ctx.command_path} needs {name}", hint=f"`{_shortest(ctx)}`; {_see_help(ctx)}")


def _shortest(ctx: Any) -> str:
    """Return the command with all that it can't do without, as help writes it."""
    words = [ctx.command_path]
    for parameter in ctx.command.get_params(ctx):
        if parameter.required:
            option = parameter.param_type_name == "option"
            words.append(f"{parameter.opts[0]} {_metavar(parameter)}" if option else _metavar(parameter))
    return " ".join(words)


def _bad_value(error: Any, ctx: Any, _words: list[str]) -> UsageError:
    parameter = error.param
    if parameter is None:
        return UsageError(visible(str(error.message)), hint=_see_help(ctx))
    name = _metavar(parameter) if parameter.param_type_name == "argument" else parameter.opts[0]
    kind, choices = parameter.type, getattr(parameter.type, "choices", ())
    value = visible(str(error.message).partition(" is not ")[0])
    value = value[1:-1] if value[:1] in {"'", '"'} else value.removesuffix(".0")
    if choices:
        return UsageError(f"{name}: {value} isn't one of {', '.join(choices)}", hint=_see_help(ctx))
    if "is not in the range" in error.message:
        bounds = {"at least": kind.min, "at most": kind.max}
        limits = " and ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)
        return UsageError(f"{name}: {value} is out of range: {limits}", hint=_see_help(ctx))
    numbers = {"int": "a whole number", "integer": "a whole number", "float": "a number"}
    noun = numbers.get(kind.name.split()[0])
    if noun is not None:
        return UsageError(f"{name}: {value} isn't {noun}", hint=_see_help(ctx))
    return UsageError(f"{name}: {visible(str(error.message)).rstrip('.')}", hint=_see_help(ctx))


def _too_many(message: str, ctx: Any) -> UsageError:
    extra = message.partition("(s) (")[2].removesuffix(")")
    arguments = [parameter for parameter in ctx.command.get_params(ctx) if parameter.param_type_name == "argument"]
    if arguments:
        text = "put a text of several words in quotes" if _metavar(arguments[0]) == "TEXT" else _see_help(ctx)
        return UsageError(f"{ctx.command_path} takes no further argument: {visible(extra)}", hint=text)
    return UsageError(f"{ctx.command_path} takes no argument: {visible(extra)}", hint=_see_help(ctx))


def _metavar(parameter: Any) -> str:
    choices = getattr(parameter.type, "choices", ())
    if choices and parameter.param_type_name == "option":
        return "|".join(choices)
    return str(parameter.metavar or parameter.name.upper()).strip("[]")


def _see_help(ctx: Any) -> str:
    return f"see `{ctx.command_path} --help`"


def _quoted(word: str) -> str:
    return visible(shlex.quote(word))


_EXPLANATIONS = {
    "NoSuchOption": _no_such_option,
    "BadOptionUsage": _value_problem,
    "MissingParameter": _missing,
    "BadParameter": _bad_value,
}
