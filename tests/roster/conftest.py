"""What the roster's tests say over and over."""

from __future__ import annotations

import pytest

from profilectl.errors import RosterRefused
from profilectl.roster.parser import parse
from profilectl.toml.problems import format_problem


@pytest.fixture
def problems_of():
    """A function from a roster that is refused to its problems, in the form people see."""

    def problems_of(text: str) -> list[str]:
        with pytest.raises(RosterRefused) as refused:
            parse(text, "roster.toml")
        return [format_problem(problem) for problem in refused.value.problems]

    return problems_of


@pytest.fixture
def warnings_of():
    """A function from a roster that is accepted to its warnings."""

    def warnings_of(text: str) -> list[str]:
        return [format_problem(problem) for problem in parse(text, "roster.toml").warnings]

    return warnings_of
