"""Commands that a sentence names in backticks, completed by the options with which the user's own command was given.

Whoever pastes such a command wants it to be about the same roster and the same X.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any, Final, Self

from msgspec import Struct

_PLACE = ("--sandbox", "--roster")
_AT_X = (*_PLACE, "--credentials-file", "--brand")
_RECORD = (*_PLACE, "--brand")

TAKEN: Final[dict[str, tuple[str, ...]]] = {
    "demo": (),
    "init": ("--roster",),
    "roster check": ("--roster",),
    "roster list": ("--roster",),
    "roster show": ("--roster",),
    "roster add": ("--roster",),
    "roster set": ("--roster",),
    "roster remove": ("--roster",),
    "roster rename": ("--roster",),
    "roster fmt": ("--roster",),
    "roster import": ("--roster",),
    "roster export": ("--roster",),
    "roster pull": ("--roster",),
    "diff": _AT_X,
    "sync": _AT_X,
    "send": _AT_X,
    "thread": _AT_X,
    "inbox": _AT_X,
    "feedback report": _RECORD,
    "preview": _RECORD,
    "profiles list": _AT_X,
    "profiles adopt": _AT_X,
    "profiles forget": _AT_X,
    "profiles destroy": _AT_X,
    "offboard": _AT_X,
    "recover": _AT_X,
    "ledger show": _PLACE,
    "ledger export": _PLACE,
    "ledger import": _PLACE,
    "ledger backup": _PLACE,
    "ledger migrate": ("--roster",),
    "ledger unlock": _PLACE,
    "ledger accept-restore": _PLACE,
    "ledger grants": _PLACE,
    "audit log": _RECORD,
    "audit who": _RECORD,
    "audit sent": _RECORD,
    "audit verify": _PLACE,
    "audit checkpoint": _PLACE,
    "audit reconcile": _AT_X,
    "audit export": _PLACE,
    "audit prune": _PLACE,
    "auth login": (),
    "auth import": (),
    "auth status": _AT_X,
    "auth list": (),
    "auth default": ("--roster",),
    "auth logout": (),
    "doctor": _AT_X,
    "sandbox serve": _PLACE,
    "sandbox reset": _PLACE,
    "sandbox faults": _PLACE,
    "completion": (),
}
"""The options that each command takes over from the one that named it.

The local X has no logins and its ledger stays where it is; --brand would change what an edit of the roster says, or
hide the brands that a list is to show.
"""

_EXCLUDES: Final = {
    "--brand": ("--brand", "--handle", "--plan"),  # a saved plan says itself which brands it is about
    "--sandbox": ("--sandbox", "--face-check"),  # the check is of X's own apps, which show nothing of the local X
}
"""Options beside which another one isn't added, where that is more than itself."""

_COMMAND = re.compile(r"`profilectl ([a-z]+)(?: ([a-z][a-z-]*))?(?=[ `])([^`]*)`")


class RepeatedOptions(Struct, frozen=True):
    """The options of one command line that a command that follows it needs as well; empty where one wasn't given."""

    sandbox: bool = False
    roster: str = ""
    credentials_file: str = ""
    brands: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Return them from the values of global options by their names in Python; None where one wasn't given."""
        return cls(
            sandbox=bool(values.get("sandbox")),
            roster=str(values.get("roster") or ""),
            credentials_file=str(values.get("credentials_file") or ""),
            brands=tuple(values.get("brand") or ()),
        )

    def words(self, names: tuple[str, ...]) -> str:
        """Return those of these options that have such names, quoted for a shell, with a space before each word."""
        values = {
            "--sandbox": [["--sandbox"]] if self.sandbox else [],
            "--roster": [["--roster", self.roster]] if self.roster else [],
            "--credentials-file": [["--credentials-file", self.credentials_file]] if self.credentials_file else [],
            "--brand": [["--brand", brand] for brand in self.brands],
        }
        return "".join(f" {shlex.quote(word)}" for name in names for words in values[name] for word in words)

    def complete(self, sentence: str) -> str:
        """Return a sentence whose commands in backticks have these options, where they take them and lack them."""
        return sentence if self == RepeatedOptions() else _COMMAND.sub(self._complete_command, sentence)

    def _complete_command(self, match: re.Match[str]) -> str:
        first, second, rest = match.group(1), match.group(2), match.group(3)
        both = f"{first} {second}"
        own = f" {second}" if second else ""
        command, behind = (both, rest) if both in TAKEN else (first, f"{own}{rest}")
        typed = rest.split()
        if command not in TAKEN or "--help" in typed:
            return match.group()
        names = (name for name in TAKEN[command] if not set(_EXCLUDES.get(name, (name,))) & set(typed))
        # Right behind the command: at the end may stand a redirection, or an option whose value is to be typed.
        return f"`profilectl {command}{self.words(tuple(names))}{behind}`"


class _CommandLine(Struct):
    """What the command that writes was started with."""

    options: RepeatedOptions = RepeatedOptions()


_command_line = _CommandLine()


def repeat(options: RepeatedOptions) -> None:
    """Let every command that is named from now on have these options."""
    _command_line.options = options


def pasteable(sentence: str) -> str:
    """Return a sentence whose commands in backticks are about the same roster and X as the command that writes it."""
    return _command_line.options.complete(sentence)
