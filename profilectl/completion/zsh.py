"""The script for zsh: one function a command, in the words of zsh's own ``_arguments``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from profilectl.completion.command_tree import Command, Option, Value, names_of, own_options, shared_options

_HEAD = """\
#compdef profilectl
# zsh completion for profilectl, made by `profilectl completion zsh`

typeset -ga _profilectl_shared=(
%s)
"""

_NAMES = r"""
# Offer the names of a kind, as the program on the line knows them: agents, brands or profiles.
__profilectl_names() {
  local program=${(Q)profilectl_line[1]} line description
  local -a names
  [[ $program != '~/'* ]] || program=$HOME/${program#'~/'}
  program=$(whence -p -- $program) || return 1
  for line in ${(f)"$($program __complete $1 "${(@Q)profilectl_line[2,-1]}" 2>/dev/null </dev/null)"}; do
    description=${line#*$'\t'}
    names+=("${line%%$'\t'*}${description:+:${description//\\/\\\\}}")
  done
  _describe -t $1 ${1%s} names
}
"""

_REMEMBER = """\
  local -a profilectl_line=("${(@)words[1,CURRENT-1]}") # commands below see only their own part of it
"""

_TAIL = """
# Autoloaded, this file is the body of the function at its first call; sourced, it only registers it.
if [[ $funcstack[1] == _profilectl ]]; then
  _profilectl "$@"
else
  compdef _profilectl profilectl
fi
"""


def script(tree: Command) -> str:
    """Return the whole script."""
    shared = shared_options(tree)
    # Only the first function sees the whole line: _arguments hands each command below the part that is its own.
    functions = (_function(command, shared, _REMEMBER if command is tree else "") for command in tree.walk())
    return _HEAD % _lines(map(_option, shared), "  ") + _NAMES + "".join(functions) + _TAIL


def _function(command: Command, shared: tuple[Option, ...], preamble: str) -> str:
    own, takes_shared = own_options(command, shared)
    specifications = ["$_profilectl_shared"] if takes_shared else []
    specifications += [_option(option) for option in own]
    body = _group(command, specifications) if command.commands else _leaf(command, specifications)
    return f"\n{_name(command)}() {{\n{preamble}{body}}}\n"


def _leaf(command: Command, specifications: list[str]) -> str:
    places = [_quote(f"{place}{_value(value)}") for place, value in enumerate(command.arguments, 1)]
    return _arguments("-s -S", [*specifications, *places])


def _group(command: Command, specifications: list[str]) -> str:
    children = [_quote(f"{child.words[-1]}:{_escape(child.help)}") for child in command.commands]
    calls = [f"{child.words[-1]}) {_name(child)} && ret=0 ;;" for child in command.commands]
    return (
        "  local curcontext=$curcontext state line ret=1\n"
        "  local -A opt_args\n"
        f"  local -a commands=(\n{_lines(children, '    ')}  )\n"
        + _arguments("-C -s -S", [*specifications, "'(-): :->command'", "'(-)*:: :->rest'"], " && ret=0")
        + "  case $state in\n"
        "    command) _describe -t commands command commands && ret=0 ;;\n"
        "    rest)\n"
        "      case $words[1] in\n"
        f"{_lines(calls, '        ')}"
        "      esac\n"
        "      ;;\n"
        "  esac\n"
        "  return ret\n"
    )


def _arguments(flags: str, specifications: list[str], after: str = "") -> str:
    return " \\\n    ".join([f"  _arguments {flags}", *specifications]) + after + "\n"


def _option(option: Option) -> str:
    exclusive = f"({' '.join(option.names)})" if len(option.names) > 1 and not option.is_repeatable else ""
    # An option that may be repeated is offered again; else all its names go, once one of them is on the line.
    prefix = "*" if option.is_repeatable else exclusive
    names = list(option.names)
    if option.value is not None:
        # These signs allow ``--name=value`` beside ``--name value``, and ``-nvalue`` beside ``-n value``.
        names = [f"{name}=" if name.startswith("--") else f"{name}+" for name in names]
    brackets = f"[{_escape(option.help, '[]:')}]" if option.help else ""
    value = _value(option.value) if option.value is not None else ""
    # Braces expand to one specification a name, with the same text before and behind each, so they stay unquoted.
    if len(names) == 1:
        return _quote(prefix + names[0] + brackets + value)
    return (_quote(prefix) if prefix else "") + "{" + ",".join(names) + "}" + _quote(brackets + value)


def _value(value: Value) -> str:
    action = {"path": "_files", "plan": '_files -g "*.json"'}.get(value.kind, " ")
    if value.choices:
        action = f"({' '.join(value.choices)})"
    elif names_of(value):
        action = f" __profilectl_names {names_of(value)}"  # the space keeps _arguments' own options out of its words
    return f":{_escape(value.metavar, ':')}:{action}"


def _name(command: Command) -> str:
    return "_" + "_".join(command.words)


def _lines(items: Iterable[str], indent: str) -> str:
    return "".join(f"{indent}{item}\n" for item in items)


def _escape(text: str, special: str = "") -> str:
    return re.sub(f"[{re.escape(special)}\\\\]", r"\\\g<0>", text)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
