"""Commands and groups that are stricter than Typer's: no value is empty, left out, or given twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from profilectl.cli.usage.sentences import missing_command, refusal, unknown_command
from profilectl.errors import UsageError
from profilectl.text.escape import visible
from profilectl.text.pasteable import RepeatedOptions, repeat

# Typer vendors the library that raises these; the base class of a public one is the way to reach it.
TyperUsageError: Any = typer.BadParameter.__bases__[0]


class StrictCommand(TyperCommand):
    """A command that says in one sentence what is wrong with its options, or with the words behind them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the words that are left over; UsageError where the options can't be obeyed."""
        refuse_wrong_values(self, ctx, args)
        with _explained(ctx, args):
            return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the words of the usage line, a needed argument without the braces that Typer puts around it."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]


class StrictGroup(TyperGroup):
    """A group that says in one sentence what is wrong with its options, and what an unknown command may have meant."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the words that are left over; UsageError where the options can't be obeyed."""
        if args:  # without any, the group shows its help
            refuse_wrong_values(self, ctx, args)
        with _explained(ctx, args):
            rest = super().parse_args(ctx, args)
        if not ctx._protected_args:  # noqa: SLF001 - where Typer keeps the command's name
            raise missing_command(ctx)
        return rest

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return a command's name, the command, and the words for it; UsageError where the group has no such one."""
        if self.get_command(ctx, args[0]) is None:
            repeat(RepeatedOptions.of(ctx.params))  # no command has begun that would do so
            raise unknown_command(ctx, args)
        return super().resolve_command(ctx, args)


def refuse_wrong_values(command: Any, ctx: Any, args: list[str]) -> None:
    """Raise UsageError where an option lacks its value, has an empty one, or is given twice but takes one.

    Flags may be repeated: `--yes --yes` means nothing else than `--yes`.
    """
    parser = command.make_parser(ctx)
    with _explained(ctx, args):
        values, _, order = parser.parse_args(list(args))
    if values.get("help"):
        return  # whoever asks for help gets it, whatever else is wrong
    valued = [option for option in order if option.param_type_name == "option" and not option.is_flag]
    for option in valued:
        name = _written_name(option, args)
        hint = f"`{ctx.command_path} --help` shows what it takes"
        if not option.multiple and valued.count(option) > 1:
            raise UsageError(f"{name} is given twice, but takes one value", hint=hint)
        for value in map(str, values[option.name] if option.multiple else [values[option.name]]):
            if not value.strip():
                raise UsageError(f"{name} has an empty value", hint=hint)
            if value in parser._long_opt and _stands_behind(value, option, args):  # noqa: SLF001 - there is no other way
                raise UsageError(f"{name} needs a value, but {visible(value)} stands in its place", hint=hint)


@contextmanager
def _explained(ctx: Any, args: list[str]) -> Iterator[None]:
    """Raise our own error in the place of one that Typer raises about the words of a command."""
    try:
        yield
    except TyperUsageError as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            raise  # no mistake, but a question
        # The parser leaves the context out where an option lacks its value.
        raise refusal(error, error.ctx or ctx, args) from None


def _written_name(option: Any, args: list[str]) -> str:
    """Return an option's name as it was typed, its first one where that isn't clear."""
    typed = (name for word in args for name in option.opts if word == name or word.startswith(f"{name}="))
    return next(typed, str(option.opts[0]))


def _stands_behind(value: str, option: Any, args: list[str]) -> bool:
    # `--title=--json` says clearly that the value is meant; `--brand --json` forgot one.
    return any(word in option.opts and args[place + 1 : place + 2] == [value] for place, word in enumerate(args))
