"""Errors as values: what a caller that knows more makes of one."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from profilectl import errors
from profilectl.errors import PRECEDENCE, ExitCode, OutcomeUnknown, ProfilectlError, RateLimited, RosterRefused

LATER = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "error",
    [
        RateLimited("X's limit is reached", hint="wait", retry_at=LATER, status=429, code=88),
        OutcomeUnknown("cut off"),
        RosterRefused("two problems", problems=["first", "second"], hint="look at them"),
    ],
)
def test_another_hint_changes_nothing_else(error):
    """Type, message and all that the error knows stay, and the first error keeps its own hint."""
    former = dict(vars(error))
    other = error.with_hint("run again")

    assert (type(error), str(error)) == (type(other), str(other))
    assert former | {"hint": "run again"} == vars(other)
    assert former == vars(error)


def drawn():
    """Read the tree of the docstring: each class by its name, with its bases and its exit code."""
    classes, above = {}, []
    for line in errors.__doc__.splitlines():
        match = re.match(r"    ([│├└─ ]*)([A-Z]\w+)(?: \((\w+)\))?(?:\s+(\d+))?(?:\s|$)", line)
        if match is None:
            continue
        branch, name, second, code = match.groups()
        above = [*above[: len(branch) // 4], name]
        bases = [*above[-2:-1], *filter(None, [second])]
        classes[name] = (bases, int(code) if code else classes[bases[0]][1])
    return classes


def test_the_tree_of_the_docstring_is_the_tree_of_the_classes():
    """Every class is drawn below its base, with the other base and the exit code beside it, and nothing else is."""
    classes = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)]

    assert drawn() == {
        each.__name__: ([base.__name__ for base in each.__bases__ if base is not Exception], int(each.exit_code))
        for each in classes
    }
    assert ProfilectlError in classes


def test_every_exit_code_has_its_place_and_says_what_to_do():
    """Each once; where several fit a run, what must be done first wins, however much was done."""
    assert sorted(ExitCode) == sorted(PRECEDENCE)
    assert all(code.meaning and code.advice for code in ExitCode)
    assert ExitCode.CREDENTIALS == ExitCode.gravest([ExitCode.DONE, ExitCode.PARTIAL, ExitCode.CREDENTIALS])
    assert ExitCode.DONE == ExitCode.gravest([])
