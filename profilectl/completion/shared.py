"""What the scripts have in common: a short way to write down what a value may be, and the options found everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from profilectl.completion.command_tree import Command, Option, Value


_ASKED = {"agent": "agents", "brand": "brands", "profile": "profiles"}


def asked(value: Value) -> str:
    """Return the kind of names that the program is asked for to complete a value; empty where it isn't."""
    return _ASKED.get(value.kind, "")


def kind(value: Value) -> str:
    """Write what a value may be: ``@path``, ``@plan``, ``@text``, names such as ``@agents``, or the words ``a,b,c``."""
    return ",".join(value.choices) or f"@{asked(value) or value.kind}"


def shared_options(tree: Command) -> tuple[Option, ...]:
    """Return the options that the program and every command take; a group takes them only through its commands."""
    takers = [command for command in tree.walk() if not command.commands]
    return tuple(option for option in tree.options if all(option in taker.options for taker in takers))


def own_options(command: Command, shared: tuple[Option, ...]) -> tuple[tuple[Option, ...], bool]:
    """Return a command's options but for the shared ones, and whether it takes those as well."""
    if not set(shared) <= set(command.options):
        return command.options, False
    return tuple(option for option in command.options if option not in shared), True
