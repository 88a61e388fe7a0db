"""What docs/design.md says about this suite is what the suite does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.resilience.cells import FAULTS, STEPS, cells
from tests.resilience.scoreboard import PARTS
from tests.resilience.test_kills import EXIT_CODES, SIGNALS, USUAL_KILLS
from tests.resilience.test_lying_lists import LISTS, SIZES
from tests.resilience.test_model import USUAL_EXAMPLES
from tests.resilience.test_races import USUAL_RACES
from tests.resilience.test_shared_cells import CELLS as SHARED_CELLS
from tests.resilience.test_shared_cells import USUAL_STEP
from tests.resilience.test_shared_ledger import DOORS, SENDERS, USUAL_FAULTS, USUAL_SHARED_RACES
from tests.resilience.test_shared_model import USUAL_SHARED_EXAMPLES

PAGE = Path(__file__).parents[2] / "docs" / "design.md"
SHARED_FAULTS = PARTS[PARTS.index("shared kills") : PARTS.index("senders")]
DONE = {
    "fault cells": len(tuple(cells())),
    "lying lists": len(LISTS) * len(SIZES),
    "kills": USUAL_KILLS,
    "other signals": SIGNALS * len(EXIT_CODES),
    "races": USUAL_RACES,
    "model examples": USUAL_EXAMPLES,
    "two machines": USUAL_SHARED_RACES,
    **dict.fromkeys(SHARED_FAULTS, USUAL_FAULTS),
    "senders": SENDERS * len(DOORS),
    "shared examples": USUAL_SHARED_EXAMPLES,
    "shared cells": len(SHARED_CELLS[::USUAL_STEP]),
}


@pytest.fixture(scope="module")
def section():
    """The text under "What it survives"."""
    return re.search(r"^## What it survives\n(.*?)^## ", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)[1]


@pytest.mark.parametrize("part", DONE)
def test_the_numbers_are_the_suite_s_own(section, part):
    """Each row of the table tells what one run does, and that nothing was violated."""
    assert re.search(rf"^\| {part} \| {DONE[part]:,} \| 0 \|", section, re.MULTILINE), (part, DONE[part])


def test_the_kinds_of_trouble_are_counted(section):
    """So are the faults and the steps that the cells are made of."""
    assert f"{len(FAULTS)} kinds of trouble" in section
    assert f"{len(STEPS)} steps" in section


def test_the_command_that_repeats_them_is_there(section):
    """A reader who doubts can run it."""
    assert "\npytest tests/resilience\n" in section


def test_the_switches_exist(section):
    """Whoever wants more finds how."""
    folder = Path(__file__).parent
    named = set(re.findall(r"PROFILECTL_TEST_[A-Z_]+", section))
    read = {
        name
        for path in (*folder.glob("test_*.py"), folder.parent / "api" / "test_link_cuts.py")
        for name in re.findall(r'environ\.get\("(PROFILECTL_TEST_[A-Z_]+)"', path.read_text("utf-8"))
    }

    assert named == read
