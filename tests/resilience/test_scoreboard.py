"""The scoreboard says what was really done, and 0 only of what was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.resilience import scoreboard
from tests.resilience.scoreboard import PARTS, Scoreboard


@pytest.fixture
def board(tmp_path, monkeypatch):
    monkeypatch.setattr(scoreboard, "FILE", tmp_path / "build" / "scoreboard.md")
    return Scoreboard()


def report(when, outcome, part="kills", done=0, **more):
    """Return a report as pytest makes one, of a test that belongs to a part (or to none)."""
    properties = [("scoreboard", {"part": part, "done": done})] if part else [("other", 1)]
    flags = {"passed": outcome == "passed", "failed": outcome == "failed", "skipped": outcome == "skipped"}
    return SimpleNamespace(when=when, user_properties=properties, **flags, **more)


def hear(board, *reports):
    for one in reports:
        board.pytest_runtest_logreport(one)


def printed(board):
    """Return what a terminal would get."""
    lines = []
    board.pytest_terminal_summary(SimpleNamespace(section=lines.append, write_line=lines.append))
    return lines


def test_the_counts_of_all_tests_of_a_part_are_added_once(board):
    """Each test has three reports, and its count is in all of them."""
    for done in (5, 4):
        hear(board, *(report(when, "passed", done=done) for when in ("setup", "call", "teardown")))

    assert ("9", "0") == board.scores["kills"].row()


def test_a_judgment_that_fails_is_a_violation_and_what_came_before_it_counts(board):
    """A campaign that ends early has done what it has done."""
    hear(board, report("call", "passed", done=5), report("call", "failed", done=2))

    assert ("7", "1") == board.scores["kills"].row()


def test_a_violation_that_was_expected_is_one_all_the_same(board):
    """A known bug isn't hidden, whether it still shows or not."""
    hear(board, report("call", "skipped", done=1, wasxfail="known"))

    assert ("1", "1") == board.scores["kills"].row()


def test_what_did_not_run_has_no_violations_to_be_proud_of(board):
    """Nothing, skipped, or broken before anything could be judged: it isn't 0."""
    hear(board, report("setup", "skipped", "races"), report("call", "skipped", "races"))
    hear(board, report("setup", "failed", "model examples"))

    assert ("not run", "-") == board.scores["kills"].row()
    assert ("not run", "-, 2 skipped") == board.scores["races"].row()
    assert ("not run", "-, 1 broken off") == board.scores["model examples"].row()


def test_a_test_that_breaks_in_its_teardown_shows(board):
    """It held, but something is wrong with it."""
    hear(board, report("call", "passed", done=5), report("teardown", "failed", done=5))

    assert ("5", "0, 1 broken off") == board.scores["kills"].row()


def test_one_block_with_a_line_for_each_part(board):
    """A reader finds the same in the terminal and in the file."""
    hear(board, report("call", "passed", done=60), report("call", "failed", "races", done=3))
    lines = printed(board)

    assert "what it survived" == lines[0]
    assert [*PARTS] == [line[:16].rstrip() for line in lines[1:]]
    assert "kills                 60   violations: 0" in lines
    assert "| races | 3 | 1 |" in scoreboard.FILE.read_text("utf-8").splitlines()


def test_other_runs_print_nothing(board):
    """A run without any of our tests neither prints a block nor overwrites the file."""
    hear(board, report("call", "passed", part=None))

    assert [] == printed(board)
    assert not scoreboard.FILE.exists()


SUITE = """
import pytest

@pytest.mark.scoreboard("kills")
@pytest.mark.parametrize("n", [2, 3])
def test_kills(tally, n):
    for _ in range(n):
        tally()
    assert n == 2

@pytest.mark.scoreboard("races")
def test_race(tally):
    tally()

@pytest.mark.scoreboard("other signals")
@pytest.mark.skip(reason="no signals here")
def test_signal(tally):
    tally()
"""
ROOT = """
import pytest
from tests.resilience import scoreboard
from tests.resilience.conftest import pytest_itemcollected, tally
scoreboard.FILE = __import__("pathlib").Path(__file__).parent / "scoreboard.md"

def pytest_configure(config):
    config.addinivalue_line("markers", "scoreboard(part): as in the real suite")
    config.pluginmanager.register(scoreboard.Scoreboard(), "scoreboard")
"""


@pytest.fixture
def small_run(tmp_path):
    """Run a small suite with the scoreboard in a process of its own; return what it printed."""
    (tmp_path / "conftest.py").write_text(ROOT)
    (tmp_path / "test_small.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")

    def run(workers):
        words = [sys.executable, "-m", "pytest", "-n", str(workers), str(tmp_path)]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run(
            words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout

    return run


@pytest.mark.parametrize("workers", [0, 2])
def test_the_counts_come_home(small_run, workers):
    """A real run prints the block with its true numbers before pytest's last line, with workers and without."""
    out = small_run(workers)
    lines = out.splitlines()

    assert "kills                  5   violations: 1" in lines
    assert "other signals    not run   violations: -, 1 skipped" in lines
    assert "races                  1   violations: 0" in lines
    assert "1 failed, 2 passed, 1 skipped" in lines[-1]
