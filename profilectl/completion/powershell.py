"""The script for PowerShell: a table of the commands, and a native argument completer that walks it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import indent

from profilectl.completion.command_tree import Command, Option, notation, own_options, shared_options

_HEAD = """\
# PowerShell completion for profilectl, made by `profilectl completion powershell`

Register-ArgumentCompleter -Native -CommandName profilectl -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # A command is written name|description, an option name|what it takes|description; a flag takes nothing.
    # What options and arguments take is @path, @plan, @text, the words to choose from, with a comma between, or the
    # names to ask the program for: @agents, @brands, @profiles.
    $shared = @(
"""

_TABLE = """\
    )
    $table = @{
"""

_ENGINE = r"""    }

    function Find-Kind($name, $option) {
        foreach ($line in $table[$name].Options) {
            $known, $kind, $null = $line -split '\|', 3
            if ($known -ceq $option) { return $kind }
        }
    }

    function New-Result($text, $type, $tip) {
        if (-not $text.StartsWith($wordToComplete, [StringComparison]::Ordinal)) { return }
        if (-not $tip) { $tip = $text }
        [System.Management.Automation.CompletionResult]::new($text, $text, $type, $tip)
    }

    # Ask the program on the line, if that is one, for its names of a kind.
    function Get-Name($kind, $before) {
        $program = $commandAst.GetCommandName()
        if (-not $program) { return }
        $program = [System.Management.Automation.WildcardPattern]::Escape($program)
        $command = Get-Command -Name $program -CommandType Application -TotalCount 1 -ErrorAction Ignore
        if (-not $command) { return }
        $wordsBefore = @($words | Select-Object -Skip 1 | ForEach-Object {
            $isText = $_ -is [System.Management.Automation.Language.StringConstantExpressionAst]
            if ($isText) { $_.Value } else { $_.Extent.Text }
        })
        foreach ($line in & $command.Source __complete $kind $wordsBefore 2>$null) {
            $name, $tip = $line -split "`t", 2
            # Unquoted, a word that begins with @ would be taken for a variable's.
            if ($kind -ceq 'customers') {
                $typed = $wordToComplete.Trim([char]39, [char]34)
                if (-not $name.StartsWith($typed, [StringComparison]::Ordinal)) { continue }
                $label, $type = $name, 'ParameterValue'
                [System.Management.Automation.CompletionResult]::new("$before'$name'", $label, $type, $tip)
                continue
            }
            New-Result ($before + $name) 'ParameterValue' $tip
        }
    }

    function Get-Value($kind, $before, $value) {
        if ($kind -cin '@path', '@plan') {
            foreach ($file in [System.Management.Automation.CompletionCompleters]::CompleteFilename($value)) {
                $isFolder = $file.ResultType -eq 'ProviderContainer'
                if ($kind -ceq '@plan' -and -not $isFolder -and $file.ListItemText -notlike '*.json') { continue }
                $text = $before + $file.CompletionText
                $label, $type, $tip = $file.ListItemText, $file.ResultType, $file.ToolTip
                [System.Management.Automation.CompletionResult]::new($text, $label, $type, $tip)
            }
        } elseif ($kind -cin '@agents', '@brands', '@profiles', '@customers') {
            Get-Name $kind.Substring(1) $before
        } elseif ($kind -and $kind -cne '@text') {
            foreach ($choice in $kind -split ',') { New-Result ($before + $choice) 'ParameterValue' $choice }
        }
    }

    $name = 'profilectl'
    $place = 0
    $kind = ''
    $plain = $false
    $words = $commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition }
    foreach ($word in $words | Select-Object -Skip 1 | ForEach-Object { $_.Extent.Text }) {
        if ($kind) {
            $kind = ''
        } elseif (-not $plain -and $word -ceq '--') {
            $plain = $true
        } elseif (-not $plain -and $word -clike '-?*') {
            $kind = Find-Kind $name $word
        } elseif ($table.ContainsKey("$name $word")) {
            $name = "$name $word"
        } else {
            $place++
        }
    }

    if ($kind) {
        Get-Value $kind '' $wordToComplete
    } elseif (-not $plain -and $wordToComplete -clike '--*=*') {
        $option, $value = $wordToComplete -split '=', 2
        Get-Value (Find-Kind $name $option) "$option=" $value
    } elseif (-not $plain -and $wordToComplete.StartsWith('-')) {
        foreach ($line in $table[$name].Options) {
            $option, $null, $tip = $line -split '\|', 3
            New-Result $option 'ParameterName' $tip
        }
    } elseif ($table[$name].Commands) {
        foreach ($line in $table[$name].Commands) {
            $command, $tip = $line -split '\|', 2
            New-Result $command 'ParameterValue' $tip
        }
    } elseif ($place -lt $table[$name].Arguments.Count) {
        Get-Value $table[$name].Arguments[$place] '' $wordToComplete
    }
}
"""


def script(tree: Command) -> str:
    """Return the whole script."""
    shared = shared_options(tree)
    entries = "".join(_entry(command, shared) for command in tree.walk())
    return _HEAD + indent("".join(_options(shared)), 8 * " ") + _TABLE + entries + _ENGINE


def _entry(command: Command, shared: tuple[Option, ...]) -> str:
    own, takes_shared = own_options(command, shared)
    children = [_quote(f"{child.words[-1]}|{child.help}") + "\n" for child in command.commands]
    arguments = [_quote(notation(value)) + "\n" for value in command.arguments]
    # The description comes last and is split off with a limit, so that it may hold the separator.
    return (
        f"        '{' '.join(command.words)}' = @{{\n"
        f"            Commands = {_array(children)}\n"
        f"            Options = {'$shared + ' if takes_shared else ''}{_array(_options(own))}\n"
        f"            Arguments = {_array(arguments)}\n"
        "        }\n"
    )


def _options(options: Iterable[Option]) -> Iterator[str]:
    for option in options:
        taken = notation(option.value) if option.value is not None else ""
        yield from (_quote(f"{name}|{taken}|{option.help}") + "\n" for name in option.names)


def _array(items: Iterable[str]) -> str:
    lines = indent("".join(items), 16 * " ")
    return f"@(\n{lines}            )" if lines else "@()"


def _quote(text: str) -> str:
    # PowerShell takes the typographic single quotes for the plain one, so those are doubled, too.
    return "'" + re.sub("['\u2018\u2019\u201a\u201b]", r"\g<0>\g<0>", text) + "'"
