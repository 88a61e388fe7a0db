"""What can't be taken back needs a person's word: an answer on a terminal, or ``--yes``."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

import typer

from profilectl.errors import Declined, UsageError
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.cli.context import Context


def require_consent(context: Context, question: str, deed: str, *, yes: bool) -> None:
    """Ask, unless `yes` has answered already.

    Args:
        context: knows whether a person is there.
        question: safe to print.
        deed: what isn't done without consent, as a participle: "adopted".
        yes: whether ``--yes`` was said.

    Raises:
        Declined: the answer is no.
        UsageError: nobody is there to answer.
    """
    if yes:
        return
    if not context.may_ask:
        raise UsageError(f"not {deed}: nobody is here to agree", hint="--yes agrees without being asked")
    if not typer.confirm(question, err=True):
        raise Declined("nothing was changed")


def require_name(context: Context, question: str, name: str, deed: str, *, yes: bool) -> None:
    """Let a person type a profile's name, as it is or as it is shown, unless `yes` has answered already.

    Raises:
        Declined: nothing was typed.
        UsageError: nobody is there to type, or something else was typed.
    """
    if yes:
        return
    if not context.may_ask:
        raise UsageError(f"not {deed}: nobody is here to type its name", hint="--yes agrees without being asked")
    typed = typer.prompt(question, default="", show_default=False, err=True)
    if not typed.strip():
        raise Declined("nothing was changed")
    if _plain(typed) not in {_plain(name), _plain(visible(name))}:
        raise UsageError(f"not {deed}: {visible(typed)} isn't its name")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()
