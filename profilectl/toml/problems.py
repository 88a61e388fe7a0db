"""Problems of a TOML file: collected without positions, placed and sorted at the end."""

from __future__ import annotations

from profilectl.model import Problem
from profilectl.text.escape import visible
from profilectl.toml.paths import Path, dotted


def format_problem(problem: Problem) -> str:
    """Return the problem in the GNU form: ``roster.toml:14:1: agents.alice.name: 53 characters, at most 48``."""
    place = visible(problem.file) + (f":{problem.line}:{problem.column}" if problem.line else "")
    severity = "warning: " if problem.severity == "warning" else ""
    path = f"{problem.path}: " if problem.path else ""
    return f"{place}: {severity}{path}{problem.message}"


class ProblemList:
    """Everything that is wrong with a file, noted while it is read, each thing once."""

    def __init__(self) -> None:
        self._severities: dict[tuple[Path, str], str] = {}
        self.errors = 0

    def error(self, path: Path, message: str) -> None:
        """Note something that makes the file unusable."""
        self._note(path, message, "error")

    def warning(self, path: Path, message: str) -> None:
        """Note something that a person should look at."""
        self._note(path, message, "warning")

    def _note(self, path: Path, message: str, severity: str) -> None:
        # A default of several agents and brands is read, and judged, more than once.
        if (path, message) not in self._severities:
            self._severities[path, message] = severity
            self.errors += severity == "error"

    def placed(self, text: str, file: str) -> tuple[Problem, ...]:
        """Return the problems in file order, each at its key or at the nearest thing around it."""
        # The scan takes three times as long as tomli: only a file with problems pays for it.
        if not self._severities:
            return ()
        from profilectl.toml.positions import Positions

        positions = Positions(text)
        problems = [
            Problem(file, *positions.nearest(path), dotted(path), message, severity)
            for (path, message), severity in self._severities.items()
        ]
        # By place alone: problems of one place stay in the order in which they were noted.
        return tuple(sorted(problems, key=lambda problem: (problem.line, problem.column)))
