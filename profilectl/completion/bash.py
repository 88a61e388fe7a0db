"""The script for bash: a table of the commands, and a function that walks it along the line."""

from __future__ import annotations

from collections.abc import Iterable

from profilectl.completion.command_tree import Command, Option, notation, own_options, shared_options

_HEAD = """\
# bash completion for profilectl, made by `profilectl completion bash`

# Set what may follow a command. Behind the = of an option, and for an argument, stands what it takes: @path, @plan,
# @text, the words to choose from, or the names to ask the program for: @agents, @brands, @profiles,
# @customers.
_profilectl_know() {
    commands='' options='' arguments=''
    local shared='%s'
    case $1 in
"""

_ENGINE = r"""    esac
}

# Set `value` to what an option takes; fails for a flag and for an unknown option.
_profilectl_takes() {
    local option
    for option in $options; do
        if [[ $option == "$1="* ]]; then
            value=${option#*=}
            return 0
        fi
    done
    return 1
}

# Set `words` to the words up to the cursor, joined again where bash broke them at = and :
_profilectl_read_words() {
    local line=${COMP_LINE:0:COMP_POINT} word gap i
    for ((i = 0; i <= COMP_CWORD; i++)); do
        gap=${line%%[![:space:]]*}
        line=${line#"$gap"}
        word=${COMP_WORDS[i]}
        ((i < COMP_CWORD)) || word=$line
        if ((i == 0)) || [[ -n $gap ]]; then
            words+=("$word")
        else
            words[${#words[@]} - 1]+=$word
        fi
        line=${line#"$word"}
    done
}

# Set `bare` to a word as the shell would read it, but for the values of variables.
_profilectl_bare() {
    local quote='' char i
    bare=$1
    if [[ $1 == *[\'\"\\]* ]]; then
        bare=''
        for ((i = 0; i < ${#1}; i++)); do
            char=${1:i:1}
            if [[ $char == \\ && $quote != "'" ]]; then
                ((i += 1))
                bare+=${1:i:1}
            elif [[ -z $quote && $char == [\'\"] ]]; then
                quote=$char
            elif [[ $char == "$quote" ]]; then
                quote=''
            else
                bare+=$char
            fi
        done
    fi
    [[ $1 != '~/'* ]] || bare=$HOME/${bare:2}
}

# Offer the names of kind $1 that begin with $2, as the program on the line knows them.
_profilectl_offer_names() {
    local bare program word name description before=()
    _profilectl_bare "${words[0]}"
    program=$(type -P -- "$bare") || return
    for word in "${words[@]:1:${#words[@]} - 2}"; do
        _profilectl_bare "$word"
        before+=("$bare")
    done
    while IFS=$'\t' read -r name description; do
        [[ -z $name || $name != "$2"* ]] || COMPREPLY+=("$name")
    done <<<"$("$program" __complete "$1" "${before[@]}" 2>/dev/null </dev/null)"
}

# Offer saved plans, and folders that may hold some.
_profilectl_offer_plans() {
    local bare file
    _profilectl_bare "$1"
    compopt -o filenames 2>/dev/null # readline quotes them, and knows which ones are folders
    while IFS= read -r file; do
        [[ -z $file ]] || COMPREPLY+=("$file")
    done <<<"$(compgen -d -- "$bare"; compgen -f -X '!*.json' -- "$bare")"
}

# Offer what $1 says, as far as it begins with $2.
_profilectl_offer() {
    case $1 in
        @path) compopt -o default 2>/dev/null ;; # readline knows about ~, quotes and folders
        @plan) _profilectl_offer_plans "$2" ;;
        @text) ;;
        @*) _profilectl_offer_names "${1#@}" "$2" ;;
        *) COMPREPLY=($(compgen -W "${1//,/ }" -- "$2")) ;;
    esac
}

_profilectl() {
    local IFS=$' \t\n' words=() commands options arguments value='' name=profilectl place=0 plain='' word
    _profilectl_read_words
    local current=${words[${#words[@]} - 1]}
    _profilectl_know "$name"
    for word in "${words[@]:1:${#words[@]} - 2}"; do
        if [[ -n $value ]]; then
            value=''
        elif [[ -z $plain && $word == -- ]]; then
            plain=yes
        elif [[ -z $plain && $word == -?* ]]; then
            _profilectl_takes "$word"
        elif [[ " $commands " == *" $word "* ]]; then
            name+=" $word"
            _profilectl_know "$name"
        else
            ((place += 1))
        fi
    done

    COMPREPLY=()
    if [[ ${COMP_WORDS[COMP_CWORD - 1]} == *[\<\>] ]]; then
        _profilectl_offer @path
    elif [[ -n $value ]]; then
        _profilectl_offer "$value" "$current"
    elif [[ -z $plain && $current == --*=* ]]; then
        _profilectl_takes "${current%%=*}" || return
        _profilectl_offer "$value" "${current#*=}"
        # Where = doesn't break words, the whole word is going to be replaced.
        [[ $COMP_WORDBREAKS == *=* ]] || COMPREPLY=("${COMPREPLY[@]/#/${current%%=*}=}")
    elif [[ -z $plain && $current == -* ]]; then
        for word in $options; do
            [[ ${word%%=*} != "$current"* ]] || COMPREPLY+=("${word%%=*}")
        done
    elif [[ -n $commands ]]; then
        _profilectl_offer "$commands" "$current"
    else
        arguments=($arguments)
        _profilectl_offer "${arguments[place]:-@text}" "$current"
    fi
}

complete -F _profilectl profilectl
"""


def script(tree: Command) -> str:
    """Return the whole script."""
    shared = shared_options(tree)
    cases = "".join(_case(command, shared) for command in tree.walk())
    return _HEAD % _options(shared) + cases + _ENGINE


def _case(command: Command, shared: tuple[Option, ...]) -> str:
    own, takes_shared = own_options(command, shared)
    # Nothing in them needs quoting: names and choices are plain words, which `read_tree` makes sure of.
    options = f'"{" ".join(filter(None, ["$shared", _options(own)]))}"' if takes_shared else f"'{_options(own)}'"
    lines = [f"        '{' '.join(command.words)}')"]
    if command.commands:
        lines.append(f"            commands='{' '.join(child.words[-1] for child in command.commands)}'")
    lines.append(f"            options={options}")
    if command.arguments:
        lines.append(f"            arguments='{' '.join(map(notation, command.arguments))}'")
    lines.append("            ;;")
    return "\n".join(lines) + "\n"


def _options(options: Iterable[Option]) -> str:
    return " ".join(
        name if option.value is None else f"{name}={notation(option.value)}"
        for option in options
        for name in option.names
    )
