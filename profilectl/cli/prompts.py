"""Questions to a person: what can't be undone needs an answer on a terminal, or ``--yes``.

What lets something happen is answered only by what is typed once the question is there. Other answers may be typed, or
pasted all at once, before they are asked for.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeVar

import typer

from profilectl.cli.terminal_input import discard_typed, read_line
from profilectl.errors import Declined, ProfilectlError, UsageError
from profilectl.render.console import folded_sentence, info
from profilectl.text.escape import visible
from profilectl.toml.problems import format_problem

if TYPE_CHECKING:
    from profilectl.cli.context import Context


Answer = TypeVar("Answer")

_MOST_PROBLEMS: Final = 10  # of an answer that are told
_ANSWER_ROOM = 4  # columns beside a question, for y or n
_ANSWERS = {"": "n", "n": "n", "no": "n", "y": "y", "yes": "y", "e": "e", "edit": "e"}


def confirm(question: str) -> bool:
    """Ask a question that is safe to print, until the answer is yes or no; Enter is no, Ctrl-C is typer.Abort."""
    # As Typer's own question, which reads with `input()` and so may lose a Ctrl-C (see `terminal_input`).
    while True:
        answer = _consent(f"{question} [y/N]: ").strip().lower()
        if answer in {"", "n", "no"}:
            return False
        if answer in {"y", "yes"}:
            return True
        info("Type y for yes, or n for no.")


def confirm_or_edit(question: str) -> str:
    """Ask until the answer is ``y``, ``n`` or ``e``, to edit what it is about; Enter is n, Ctrl-C is typer.Abort."""
    while True:
        answer = _consent(f"{question} [y/N/e=edit]: ").strip().lower()
        if answer in _ANSWERS:
            return _ANSWERS[answer]
        info("Type y to send it, n to stop, or e to edit it.")


def ask_line(label: str) -> str:
    """Return what is typed, nothing for Enter alone; Ctrl-C is typer.Abort."""
    return _answer(f"{label}: ")


def ask(label: str, *, hidden: bool = False) -> str:
    """Ask until something is typed, which the terminal doesn't show if it is hidden; Ctrl-C is typer.Abort."""
    while not (answer := _answer(f"{label}: ", hidden=hidden)):
        pass
    return answer


def ask_or(label: str, usual: str, check: Callable[[str], Answer]) -> Answer:
    """Ask until the answer can be used; Enter takes what is usual, which the question shows in brackets.

    `check` returns what an answer means, or raises a ProfilectlError, whose words are shown. Ctrl-C is typer.Abort.
    """
    while True:
        try:
            return check(_answer(f"{label} [{usual}]: ").strip() or usual)
        except ProfilectlError as error:
            info(error.message)
            for problem in getattr(error, "problems", ())[:_MOST_PROBLEMS]:
                info(format_problem(problem))


def require_consent(context: Context, question: str, outcome: str, *, yes: bool) -> None:
    """Ask, unless `yes` has answered already; `outcome` is what isn't done without consent: "adopted".

    Raises:
        Declined: the answer is no.
        UsageError: there is no terminal to ask on.
    """
    if yes:
        return
    _require_terminal(context, outcome)
    if not confirm(question):
        raise Declined("nothing was changed")


def require_name(context: Context, question: str, name: str, outcome: str, *, yes: bool) -> None:
    """Let a person type a profile's name, as it is or as it is shown, unless `yes` has answered already.

    Raises:
        Declined: nothing was typed.
        UsageError: there is no terminal to ask on, or something else was typed.
    """
    if yes:
        return
    _require_terminal(context, outcome)
    typed = _consent(f"{question}: ")
    if not typed.strip():
        raise Declined("nothing was changed")
    # A keyboard may compose an accent otherwise than X, and nobody can type a character that isn't seen.
    if _plain(typed) not in {_plain(name), _plain(visible(name))}:
        raise UsageError(f"not {outcome}: {visible(typed)} isn't its name")


def _require_terminal(context: Context, outcome: str) -> None:
    if not context.may_ask:
        raise UsageError(f"not {outcome}: {context.cannot_ask}", hint="--yes does it without asking")


def _consent(prompt: str) -> str:
    discard_typed()  # nobody agrees to what they haven't seen
    return _answer(prompt)


def _answer(prompt: str, *, hidden: bool = False) -> str:
    try:
        return read_line(folded_sentence(prompt, sys.stderr, _ANSWER_ROOM), hidden=hidden)
    except (KeyboardInterrupt, EOFError):
        raise typer.Abort from None


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()
