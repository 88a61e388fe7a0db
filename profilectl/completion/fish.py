"""The script for fish: one ``complete`` line an option, held to its commands by a condition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from profilectl.completion.command_tree import Command, Option, Value, names_of, own_options, shared_options

_HEAD = """\
# fish completion for profilectl, made by `profilectl completion fish`

# Succeed when an option of a command takes a value: COMMAND OPTION
function __profilectl_takes
    switch $argv[1]
"""

_ENGINE = r"""        case '*'
            return 1
    end
end

# Print the command that stands before the cursor, then the arguments it was given.
function __profilectl_line
    set -l name profilectl
    set -l given
    set -l skips no
    set -l plain no
    set -l words (commandline -opc)
    set -e words[1]
    for word in $words
        if test $skips = yes
            set skips no
        else if test $plain = no -a "$word" = --
            set plain yes
        else if test $plain = no; and string match -qr -- '^-.' "$word"
            __profilectl_takes $name $word; and set skips yes
        else if contains -- "$name/$word" $__profilectl_commands
            set name $name/$word
        else
            set -a given "$word"
        end
    end
    printf '%s\n' $name $given
end

# Print the names of a kind, as the program on the line knows them: agents, brands, profiles or customers.
function __profilectl_names
    set -l words (commandline -opc)
    set -l program (command -s -- (string replace -r -- '^~/' "$HOME/" $words[1])); or return
    $program __complete $argv[1] $words[2..-1] 2>/dev/null </dev/null
end

# Print saved plans, and folders that may hold some.
function __profilectl_plans
    set -l start (commandline -ct | string replace -r -- '^--plan=' '')
    complete -C "'' $start" | string match -r -- '^.*(?:\.json|/)(?:\t.*)?$'
end

# Succeed when the cursor is behind one of these commands: COMMAND...
function __profilectl_on
    set -l line (__profilectl_line)
    contains -- $line[1] $argv
end

# Succeed when the cursor is at an argument of a command: COMMAND PLACE
function __profilectl_at
    set -l line (__profilectl_line)
    test $line[1] = $argv[1] -a (count $line) -eq $argv[2]
end

"""


def script(tree: Command) -> str:
    """Return the whole script."""
    shared = shared_options(tree)
    commands = list(tree.walk())
    # Groups take the shared options only through their commands, so they aren't in this list.
    sharers = [command for command in commands if own_options(command, shared)[1]]
    lines = [_set("commands", commands), _set("sharers", sharers), "", "complete -c profilectl -f"]
    lines += [_option(option, "__profilectl_on $__profilectl_sharers") for option in shared]
    for command in commands:
        own = list(_command_lines(command, shared))
        lines += ["", *own] if own else []
    return _HEAD + "".join(map(_takes, commands)) + _ENGINE + "\n".join(lines) + "\n"


def _takes(command: Command) -> str:
    # One switch of all commands, as fish can't ask its own `complete` lines what takes a value.
    names = [name for option in command.options if option.value is not None for name in option.names]
    return f"        case {_path(command)}\n            contains -- $argv[2] {' '.join(names)}\n" if names else ""


def _set(name: str, commands: Iterable[Command]) -> str:
    return " \\\n    ".join([f"set -g __profilectl_{name}", *map(_path, commands)])


def _command_lines(command: Command, shared: tuple[Option, ...]) -> Iterator[str]:
    on = f"__profilectl_on {_path(command)}"
    for child in command.commands:
        yield f"complete -c profilectl -n '{on}' -a {child.words[-1]}{_description(child.help)}"
    for place, value in enumerate(command.arguments, 1):
        if value.kind != "text":
            yield f"complete -c profilectl -n '__profilectl_at {_path(command)} {place}'{_value(value)}"
    for option in own_options(command, shared)[0]:
        yield _option(option, on)


def _option(option: Option, condition: str) -> str:
    # fish has long and short options apart, each without its hyphens.
    names = "".join(f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}" for name in option.names)
    value = " -r" + _value(option.value) if option.value is not None else ""
    return f"complete -c profilectl -n '{condition}'{names}{value}{_description(option.help)}"


def _value(value: Value) -> str:
    # -f, for no files, is needed with each: an option that takes a value (-r) offers files otherwise.
    if value.choices:
        return f" -f -a '{' '.join(value.choices)}'"
    if names_of(value):
        return f" -f -a '(__profilectl_names {names_of(value)})'"
    return {"path": " -F", "plan": " -f -a '(__profilectl_plans)'"}.get(value.kind, " -f")


def _path(command: Command) -> str:
    # With a slash, which no command's name has: fish lists have no other separator inside of an element.
    return "/".join(command.words)


def _description(text: str) -> str:
    return f" -d {_quote(text)}" if text else ""


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
