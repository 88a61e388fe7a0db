"""What the tests of lists of people say over and over."""

from __future__ import annotations

import pytest

from profilectl.errors import RosterRefused
from profilectl.people.tables import read_table
from profilectl.toml.problems import format_problem


@pytest.fixture
def table():
    """A function from the text of a list to its table."""

    def table(text: str):
        return read_table(text.encode(), "people.csv")

    return table


@pytest.fixture
def problems_of():
    """A function from a call that refuses a list to its problems, in the form people see."""

    def problems_of(call, *arguments, **options) -> list[str]:
        with pytest.raises(RosterRefused) as refused:
            call(*arguments, **options)
        return [format_problem(problem) for problem in refused.value.problems]

    return problems_of
