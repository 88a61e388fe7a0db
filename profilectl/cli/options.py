"""The options that every command takes, before or after its name, and how they reach it.

A command is written as a plain function whose first parameter is the `Context`; `command` gives it the global options
and hands it a context in which those after the command's name win over those before it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import Struct
from msgspec.structs import asdict, replace

from profilectl.cli.usage.examples import help_with_examples
from profilectl.cli.usage.parsing import StrictCommand, StrictGroup
from profilectl.text.pasteable import RepeatedOptions, repeat


def option(declaration: str, description: str, **settings: Any) -> Any:
    """Return what Typer takes for an option that is declared as the help shows it: ``--roster PATH``, or ``--json``."""
    name, _, metavar = declaration.partition(" ")
    return typer.Option(name, metavar=metavar or None, help=description, **settings)


def argument(metavar: str, description: str) -> Any:
    """Return what Typer takes for an argument."""
    return typer.Argument(metavar=metavar, help=description)


Agents = Annotated[list[str] | None, option("--agent AGENT", "Only this agent; repeatable.")]
Labels = Annotated[
    list[str] | None,
    typer.Option("--label", "-l", metavar="LABELS", help="Only agents with all these, such as team=night,kind=bot."),
]


class Options(Struct, frozen=True):
    """The global options of one command line; None or empty where one wasn't given."""

    roster: Path | None = None
    brand: tuple[str, ...] = ()
    sandbox: bool | None = None
    credentials_file: Path | None = None
    json: bool | None = None
    quiet: bool | None = None
    verbose: bool | None = None
    no_input: bool | None = None
    timeout: float | None = None

    def overridden_by(self, later: Options) -> Options:
        """Return these options with those that `later` gives in their place."""
        return Options(**{name: getattr(later, name) or getattr(self, name) for name in self.__struct_fields__})

    def repeated(self) -> RepeatedOptions:
        """Return what a command that follows this one needs as well."""
        # Only what was typed: what stands in the environment holds for the next command, too.
        return RepeatedOptions.of(asdict(self))


def _global_options(*, hidden: bool) -> dict[str, Any]:
    """Return the annotation of each global option; the help is silent about hidden ones."""
    short = partial(typer.Option, hidden=hidden)
    long = partial(option, hidden=hidden)
    return {
        "roster": Annotated[Path | None, long("--roster PATH", "The roster; else ./roster.toml.")],
        "brand": Annotated[list[str] | None, long("--brand BRAND", "Only this brand; repeatable.")],
        "sandbox": Annotated[bool | None, long("--sandbox", "Use the local X, with its own credentials and ledger.")],
        "credentials_file": Annotated[
            Path | None, long("--credentials-file PATH", "Credentials as JSON; - for stdin.")
        ],
        "json": Annotated[bool | None, long("--json", "Print one JSON document.")],
        "quiet": Annotated[bool | None, short("--quiet", "-q", help="Only results: nothing when nothing changed.")],
        "verbose": Annotated[bool | None, short("--verbose", "-v", help="Tell about every call.")],
        "no_input": Annotated[bool | None, long("--no-input", "Never ask.")],
        "timeout": Annotated[float | None, long("--timeout SECONDS", "Give up after this long.", min=1)],
    }


_GLOBAL = _global_options(hidden=False)
_HIDDEN = _global_options(hidden=True)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Turn ``function(context, …)`` into what Typer registers, with its own options and the global ones."""

    def leading(ctx: typer.Context, options: Options) -> tuple[Any, ...]:
        context = ctx.obj.overridden_by(options)
        repeated = context.options.repeated()
        # Of `init` --brand names accounts, which aren't brands yet.
        repeat(replace(repeated, brands=()) if ctx.info_name == "init" else repeated)
        return (context,)

    return _with_global_options(function, leading)


def root(function: Callable[..., None]) -> Callable[..., None]:
    """Turn ``function(ctx, options, …)`` into the callback that takes the options before the command's name."""
    return _with_global_options(function, lambda ctx, options: (ctx, options))


def add_command(app: typer.Typer, name: str, function: Callable[..., None], group: str = "") -> None:
    """Add a command, a plain function of a `Context`, under its name; its help ends with its examples."""
    text = help_with_examples(f"{group} {name}".strip(), inspect.getdoc(function) or "")
    app.command(name, cls=StrictCommand, help=text)(command(function))


def add_group(
    app: typer.Typer, name: str, description: str, commands: Mapping[str, Callable[..., None] | str], word: str | None
) -> None:
    """Add a group of commands, each under its word, in the order of the help.

    Args:
        app: gets the group.
        name: what it is called.
        description: the line of the help.
        commands: a function each, or where it is, such as ``audit.verify.verify``: it is loaded when it is needed.
        word: the only command that is needed, by what the command line seems to name; all where there is none of it.
    """
    group = typer.Typer(help=description, no_args_is_help=True, cls=StrictGroup)
    # `profilectl roster --json list` is what people type who think of the group as the command; its help has enough
    # to show without them.
    group.callback()(_with_global_options(_override, lambda ctx, options: (ctx, options), are_hidden=True))
    named = {key: function for key, function in commands.items() if key == word}
    for key, function in (named or commands).items():
        add_command(group, key, _loaded(function) if isinstance(function, str) else function, name)
    app.add_typer(group, name=name)


def _loaded(place: str) -> Callable[..., None]:
    module, _, name = place.rpartition(".")
    function: Callable[..., None] = getattr(import_module(f"profilectl.cli.{module}"), name)
    return function


def _override(ctx: typer.Context, options: Options) -> None:
    """Give a group's commands the options that stand before them."""
    ctx.obj = ctx.obj.overridden_by(options)


def _with_global_options(
    function: Callable[..., None],
    leading: Callable[[typer.Context, Options], tuple[Any, ...]],
    *,
    are_hidden: bool = False,
) -> Callable[..., None]:
    """Return a function of keywords only; `leading` makes the positional arguments of the one that is wrapped.

    The help is silent about global options that `are_hidden`.
    """

    @functools.wraps(function)
    def run(**values: Any) -> None:
        ctx = values.pop("ctx")
        given = {name: values.pop(name) for name in _GLOBAL}
        given["brand"] = tuple(given["brand"] or ())
        function(*leading(ctx, Options(**given)), **values)

    # Only what has an annotation of Typer's is an option; the positional ones before it come from `leading`.
    declared = inspect.signature(function, eval_str=True).parameters.values()
    own = [parameter for parameter in declared if hasattr(parameter.annotation, "__metadata__")]
    parameters = [
        inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context),
        *(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own),
        *(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
            for name, annotation in (_HIDDEN if are_hidden else _GLOBAL).items()
        ),
    ]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what Typer reads
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del run.__wrapped__  # or inspect would look through to the function
    return run
