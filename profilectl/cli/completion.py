"""``completion``: the script with which a shell completes our commands, options and names at TAB."""

from __future__ import annotations

from enum import Enum
from importlib import import_module
from typing import Annotated

from profilectl.cli.context import Context
from profilectl.cli.options import argument
from profilectl.errors import UsageError
from profilectl.render.console import out


class Shell(Enum):
    """The shells that have a completion script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


def completion(
    context: Context,
    shell: Annotated[Shell, argument("SHELL", "bash, zsh, fish or powershell.")],
) -> None:
    """Print the completion script of a shell.

    The script holds the commands and options, so print it again after an upgrade. For names of agents, brands and
    profiles it runs profilectl, which reads them from a cache. To install it:

    \b
    bash, with its bash-completion package:
      mkdir -p ~/.local/share/bash-completion/completions && profilectl completion bash > $_/profilectl
    zsh, with fpath=(~/.zfunc $fpath) before compinit in ~/.zshrc:
      mkdir -p ~/.zfunc && profilectl completion zsh > ~/.zfunc/_profilectl
    fish:
      profilectl completion fish > ~/.config/fish/completions/profilectl.fish
    powershell:
      profilectl completion powershell >> $PROFILE
    """  # noqa: D301 - Typer keeps the lines behind a real backspace as they are
    if context.wants_json:
        raise UsageError("a completion script is for shells", hint="say it without --json")
    out(script(shell).removesuffix("\n"))


def script(shell: Shell) -> str:
    """Return a shell's script for the whole command tree as it is now; it ends in a line feed."""
    from profilectl.cli.main import build
    from profilectl.completion.command_tree import read_tree

    text: str = import_module(f"profilectl.completion.{shell.value}").script(read_tree(build(), "profilectl"))
    return text
