"""What a run of the suite has really done: counted by the tests, carried by their reports, summed where they arrive.

A test that is marked ``scoreboard("kills")`` belongs to that part, and calls its fixture `tally` for each kill. The
count travels in the report's user properties, so that it also comes home from xdist's workers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pytest

PARTS = (
    *("fault cells", "lying lists", "kills", "other signals", "races", "model examples"),
    *(
        "two machines",
        "shared kills",
        "pooler",
        "failover",
        "restore",
        "link cut",
        "idle timeout",
        "mixed versions",
        "frozen holder",
    ),
    *("senders", "shared examples", "shared cells"),
)
PROPERTY = "scoreboard"
FILE = Path(__file__).parents[2] / "build" / "scoreboard.md"
NOT_RUN = "not run"


@dataclass
class Score:
    """What became of one part: `done` things by tests of which some failed (violations), broke or were skipped."""

    done: int = 0
    tests: Counter[str] = field(default_factory=Counter)

    def add(self, outcome: str, done: int) -> None:
        self.done += done
        self.tests[outcome] += 1

    def row(self) -> tuple[str, str]:
        """Return what was done, and the violations with whatever else went wrong; 0 is only said of what ran."""
        judged = self.tests["held"] + self.tests["violated"]
        done = str(self.done) if judged else NOT_RUN
        troubles = [f"{self.tests[one]} {one}" for one in ("broken off", "skipped") if self.tests[one]]
        return done, ", ".join([str(self.tests["violated"]) if judged else "-", *troubles])


class Scoreboard:
    """A pytest plugin of the process that hears all reports: prints the scores and writes them down."""

    def __init__(self) -> None:
        self.scores = {part: Score() for part in PARTS}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a report in, if it is the one that tells how a test of ours went."""
        entry = dict(report.user_properties).get(PROPERTY)
        outcome = outcome_of(report)
        if entry is not None and outcome is not None:
            self.scores[entry["part"]].add(outcome, entry["done"] if report.when == "call" else 0)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print one block, in a run that had anything to do with us."""
        if not any(score.tests for score in self.scores.values()):
            return
        rows = {part: score.row() for part, score in self.scores.items()}
        terminalreporter.section("what it survived")
        for line in table(rows):
            terminalreporter.write_line(line)
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(document(rows), encoding="utf-8")


def outcome_of(report: pytest.TestReport) -> str | None:
    """Say what a report tells of its test; None where another report of the same test does.

    A judgment that fails is a violation, an expected one as well. What fails before it could judge is broken off.
    """
    if report.when == "call":
        return "violated" if report.failed or hasattr(report, "wasxfail") else "skipped" if report.skipped else "held"
    if report.failed:
        return "broken off"
    return "skipped" if report.skipped else None


def table(rows: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return the scores for a terminal."""
    return [f"{part:<16}{done:>8}   violations: {violations}" for part, (done, violations) in rows.items()]


def document(rows: Mapping[str, tuple[str, str]]) -> str:
    """Return the scores as Markdown."""
    lines = [f"| {part} | {done} | {violations} |" for part, (done, violations) in rows.items()]
    return "\n".join(["# Scoreboard", "", "| part | done | violations |", "|---|---:|---|", *lines, ""])
