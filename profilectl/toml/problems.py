"""Problems of a TOML file: collected without positions, placed and sorted at the end."""

from __future__ import annotations

from typing import NoReturn

from profilectl.model import Problem
from profilectl.text.escape import visible
from profilectl.toml.paths import Path, dotted

MOST = 1000
"""Errors, and warnings, of one file that are told: more is no list that a person reads, and each takes time to word."""


class ReadingStopped(Exception):
    """Nothing more of a file is judged: it has too many errors, or holds too much."""


def format_problem(problem: Problem) -> str:
    """Return the problem in the GNU form: ``roster.toml:14:1: agents.alice.name: 53 characters, at most 48``."""
    severity = "warning: " if problem.severity == "warning" else ""
    path = f"{problem.path}: " if problem.path else ""
    return f"{format_place(problem)}: {severity}{path}{problem.message}"


def format_place(problem: Problem) -> str:
    """Return where a problem is: ``roster.toml:14:1``, or the file alone."""
    return visible(problem.file) + (f":{problem.line}:{problem.column}" if problem.line else "")


class ProblemList:
    """Everything that is wrong with a file, noted while it is read, each thing once, with the id of its rule."""

    def __init__(self) -> None:
        self._severities: dict[tuple[Path, str], str] = {}
        self._rules: dict[tuple[Path, str], str] = {}
        self._cut = ""  # which severity has more than are noted
        self.errors = 0
        self._warnings = 0

    def error(self, path: Path, message: str, rule: str = "value") -> None:
        """Note something that makes the file unusable; ReadingStopped when it is one more than `MOST`."""
        if self.errors == MOST and (path, message) not in self._severities:
            self._cut = "errors"
            raise ReadingStopped
        self._note(path, message, "error", rule)

    def warning(self, path: Path, message: str, rule: str = "value") -> None:
        """Note something that a person should look at; of more than `MOST` the first."""
        if self._warnings == MOST:
            self._cut = self._cut or "warnings"
        else:
            self._note(path, message, "warning", rule)

    def stop(self, path: Path, message: str, rule: str = "size") -> NoReturn:
        """Note an error that leaves nothing else to judge, and raise ReadingStopped."""
        self._note(path, message, "error", rule)
        raise ReadingStopped

    def _note(self, path: Path, message: str, severity: str, rule: str) -> None:
        # A default of several agents and brands is read, and judged, more than once.
        if (path, message) not in self._severities:
            self._severities[path, message] = severity
            self._rules[path, message] = rule
            self.errors += severity == "error"
            self._warnings += severity == "warning"

    def placed(self, text: str, file: str) -> tuple[Problem, ...]:
        """Return the problems in file order, each at its key or at the nearest thing around it."""
        # The scan takes three times as long as tomli: only a file with problems pays for it.
        if not self._severities:
            return ()
        from profilectl.toml.positions import Positions

        paths = {path[:end] for path, _ in self._severities for end in range(1, len(path) + 1)}
        positions = Positions(text, paths.__contains__)
        problems = [
            Problem(file, *positions.nearest(path), dotted(path), message, severity, self._rules[path, message])
            for (path, message), severity in self._severities.items()
        ]
        if self._cut:
            message = f"more than {MOST} {self._cut}; the first are told, mend those and look again"
            problems.append(Problem(file, 0, 0, "", message, "warning", "size"))
        # By place alone: problems of one place stay in the order in which they were noted.
        return tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))
