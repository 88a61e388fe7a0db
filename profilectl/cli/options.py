"""The options that every command takes, before or after its name, and how they reach it.

A command is written as a plain function whose first parameter is the `Context`; `command` gives it the global options
and hands it a context in which those after the command's name win over those before it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import typer

_PANEL = "Global options"


@dataclass(frozen=True, slots=True)
class Options:
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
        return Options(**{f.name: getattr(later, f.name) or getattr(self, f.name) for f in fields(Options)})


_GLOBAL: dict[str, Any] = {
    "roster": Annotated[Path | None, typer.Option("--roster", metavar="PATH", help="The roster; else ./roster.toml.")],
    "brand": Annotated[list[str] | None, typer.Option("--brand", metavar="BRAND", help="Only this brand; repeatable.")],
    "sandbox": Annotated[
        bool | None, typer.Option("--sandbox", help="Use the local X, with its own credentials and ledger.")
    ],
    "credentials_file": Annotated[
        Path | None, typer.Option("--credentials-file", metavar="PATH", help="Credentials as JSON; - for stdin.")
    ],
    "json": Annotated[bool | None, typer.Option("--json", help="Print one JSON document.")],
    "quiet": Annotated[bool | None, typer.Option("--quiet", "-q", help="Print nothing when nothing changed.")],
    "verbose": Annotated[bool | None, typer.Option("--verbose", "-v", help="Tell about every call.")],
    "no_input": Annotated[bool | None, typer.Option("--no-input", help="Never ask.")],
    "timeout": Annotated[
        float | None, typer.Option("--timeout", metavar="SECONDS", min=1, help="Give up after this long.")
    ],
}


def _parameters() -> list[inspect.Parameter]:
    return [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _GLOBAL.items()
    ]


def collect(values: dict[str, Any]) -> Options:
    """Take the global options out of a command's values."""
    given = {name: values.pop(name) for name in _GLOBAL}
    given["brand"] = tuple(given["brand"] or ())
    return Options(**given)


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Turn ``function(context, …)`` into what Typer registers, with its own options and the global ones."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    first = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)

    @functools.wraps(function)
    def run(**values: Any) -> None:
        ctx = values.pop("ctx")
        function(ctx.obj.overridden_by(collect(values)), **values)

    return _with_signature(run, [first, *keyword_only, *_parameters()])


def root(function: Callable[..., None]) -> Callable[..., None]:
    """Turn ``function(ctx, options, …)`` into the callback that takes the options before the command's name."""
    own = list(inspect.signature(function, eval_str=True).parameters.values())[2:]
    first = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)

    @functools.wraps(function)
    def run(**values: Any) -> None:
        ctx = values.pop("ctx")
        function(ctx, collect(values), **values)

    keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    return _with_signature(run, [first, *keyword_only, *_parameters()])


def _with_signature(run: Callable[..., None], parameters: list[inspect.Parameter]) -> Callable[..., None]:
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what Typer reads
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    del run.__wrapped__  # type: ignore[attr-defined]  # or inspect would look through to the function
    return run
