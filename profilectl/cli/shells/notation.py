"""What the scripts have in common: a short way to write down what a value may be, and the options found everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from profilectl.cli.tree import Command, Option, Value


def kind(value: Value) -> str:
    """Write what a value may be: ``@file``, ``@text``, or the words to choose from as ``a,b,c``."""
    if value.choices:
        return ",".join(value.choices)
    return "@file" if value.is_path else "@text"


def shared_options(tree: Command) -> tuple[Option, ...]:
    """Return the options that the program and every command take; a group takes them only through its commands."""
    takers = [command for command in tree.walk() if not command.commands]
    return tuple(option for option in tree.options if all(option in taker.options for taker in takers))


def own_options(command: Command, shared: tuple[Option, ...]) -> tuple[tuple[Option, ...], bool]:
    """Return a command's options but for the shared ones, and whether it takes those as well."""
    if not set(shared) <= set(command.options):
        return command.options, False
    return tuple(option for option in command.options if option not in shared), True
