"""What was measured, as rows: one table for people, one JSON document for programs."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.measure import Samples
    from benchmarks.sizes import Size

SCHEMA = "profilectl.benchmarks/1"


@dataclass(frozen=True)
class Goal:
    """What the ratio should be at most, or at least; `bound` is what stands in the way of less, or of more."""

    limit: float
    at_least: bool = False
    bound: str = ""

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"

    def is_reached(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


@dataclass(frozen=True)
class Row:
    """One line.

    Attributes:
        benchmark: the name that `--only` takes.
        name: what was measured.
        value: the median, or a count.
        unit: "ms", "s", "MB" or "calls".
        ratio: against the baseline; what a goal is about, where there is one.
        baseline: what the ratio is against.
        cpu_ratio: the same of CPU time, which a busy machine disturbs less.
        note: what a reader should know.
        samples: every single value, in the order in which they came.
    """

    benchmark: str
    name: str
    value: float
    unit: str
    ratio: float | None = None
    baseline: str = ""
    goal: Goal | None = None
    cpu_ratio: float | None = None
    note: str = ""
    samples: tuple[float, ...] = ()

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached, as information only; of a ratio, or of the value where there is none."""
        if self.goal is None:
            return None
        return self.goal.is_reached(self.value if self.ratio is None else self.ratio)

    @property
    def bound(self) -> str:
        """What bounds a goal that isn't reached, as far as somebody knows."""
        return self.goal.bound if self.goal is not None and not self.reached else ""

    def document(self) -> dict:
        goal = str(self.goal) if self.goal else None
        return asdict(self) | {"goal": goal, "reached": self.reached, "bound": self.bound}


def compared(
    benchmark: str,
    name: str,
    samples: Samples,
    baseline: Samples | None = None,
    *,
    against: str = "",
    unit: str = "s",
    **more: object,
) -> Row:
    """Return the row of a contestant's median, and its ratio to that of the baseline."""
    factor = 1000 if unit == "ms" else 1
    ratio = cpu_ratio = None
    if baseline is not None:
        ratio = samples.median / baseline.median
        if samples.cpu_median and baseline.cpu_median:
            cpu_ratio = samples.cpu_median / baseline.cpu_median
    singles = tuple(one.seconds * factor for one in samples.runs)
    return Row(
        benchmark,
        name,
        samples.median * factor,
        unit,
        ratio=ratio,
        baseline=against,
        cpu_ratio=cpu_ratio,
        samples=singles,
        **more,
    )


_COLUMNS: dict[str, Callable[[Row], str]] = {
    "benchmark": lambda row: row.benchmark,
    "what": lambda row: row.name,
    "median": lambda row: f"{row.value:,.{_places(row)}f} {row.unit}",
    "ratio": lambda row: "" if row.ratio is None else f"{row.ratio:.2f}",
    "of CPU": lambda row: "" if row.cpu_ratio is None else f"{row.cpu_ratio:.2f}",
    "baseline": lambda row: row.baseline,
    "goal": lambda row: str(row.goal or ""),
    "reached": lambda row: {True: "yes", False: "no", None: ""}[row.reached],
    "note": lambda row: row.note,
}
_TO_THE_RIGHT = {"median", "ratio", "of CPU", "goal"}


def _places(row: Row) -> int:
    return {"ms": 1, "s": 2, "MB": 1}.get(row.unit, 0)


def render(rows: Iterable[Row]) -> str:
    """Return the table as text."""
    cells = [list(_COLUMNS), *([show(row) for show in _COLUMNS.values()] for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(_COLUMNS))]
    lines = []
    for line in cells:
        fitted = [
            text.rjust(width) if column in _TO_THE_RIGHT else text.ljust(width)
            for text, width, column in zip(line, widths, _COLUMNS, strict=True)
        ]
        lines.append("  ".join(fitted).rstrip())
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)


def summary(rows: Iterable[Row]) -> str:
    """Return how many goals are reached, and a line for each that isn't: by how much, and what bounds it."""
    judged = [row for row in rows if row.goal is not None]
    lines = [f"{sum(row.reached for row in judged)} of {len(judged)} goals reached"]
    for row in judged:
        if not row.reached:
            value = f"{row.value:.{_places(row)}f} {row.unit}" if row.ratio is None else f"{row.ratio:.2f}"
            bound = row.bound or "what bounds it isn't known"
            lines.append(f"  {row.benchmark}, {row.name}: {value} instead of {row.goal}; {bound}")
    return "\n".join(lines)


def document(rows: Iterable[Row], size: Size, seconds: float) -> dict:
    """Return everything for a program."""
    return {
        "schema": SCHEMA,
        "size": size.name,
        "machine": machine(),
        "seconds": round(seconds, 1),
        "rows": [row.document() for row in rows],
    }


def machine() -> dict[str, object]:
    """Return what the figures depend on."""
    return {
        "python": platform.python_version(),
        "executable": sys.executable,
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": [round(one, 2) for one in os.getloadavg()],
    }


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as file:
            return next(line.partition(":")[2].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):  # only Linux has it
        return platform.machine()
