"""How a doctor's report is shown: lines for a terminal, rows for a pipe, a document for a script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from profilectl.doctor.report import State
from profilectl.errors import ExitCode
from profilectl.text.escape import visible
from profilectl.text.pasteable import pasteable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from profilectl.doctor.report import Finding, Report
    from profilectl.render.json_documents import Document

_STYLES = {State.OK: "green", State.WARNING: "yellow", State.FAILED: "bold red", State.SKIPPED: "dim"}


def document(report: Report, exit_code: ExitCode) -> Document:
    """``profilectl.doctor/1``: every check, with what to do where something is wrong."""
    checks = [
        {
            "check": finding.check.value,
            "brand": finding.brand,
            "state": finding.state.value,
            "message": finding.result.text,
            "hint": None if finding.result.hint is None else pasteable(finding.result.hint),
        }
        for finding in report.findings
    ]
    is_ok = not report.failures
    return {"schema": "profilectl.doctor/1", "ok": is_ok, "exit_code": int(exit_code), "checks": checks}


def rows(findings: Sequence[Finding]) -> list[tuple[str, ...]]:
    """Return findings for a pipe: check, brand, state, message."""
    return [
        (finding.check.value, finding.brand or "", finding.state.value, finding.result.text) for finding in findings
    ]


def listing(findings: Sequence[Finding], first_failure: Finding | None) -> RenderableType:
    """Return what a terminal draws: the findings line by line, and under the first failure what to do about it."""
    from rich.console import Group

    # The hint stands right below the first failure: what comes after it often fails only because of it.
    end = findings.index(first_failure) + 1 if first_failure in findings else len(findings)
    widths = _widths(findings)
    parts: list[RenderableType] = [_grid(findings[:end], widths)] if findings[:end] else []
    if first_failure is not None:
        parts += _hint(first_failure)
    if findings[end:]:
        parts.append(_grid(findings[end:], widths))
    return Group(*parts)


def summary(report: Report) -> str:
    """Sum a report up in one line."""
    return ", ".join(f"{number} {state.value}" for state, number in report.counts().items() if number)


def _hint(finding: Finding) -> list[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    lines = [f"hint: {visible(pasteable(line))}" for line in (finding.result.hint or "").splitlines()]
    return [Padding(Text(line, style="bold", overflow="fold"), (0, 0, 0, 2)) for line in lines]


def _widths(findings: Sequence[Finding]) -> tuple[int, ...]:
    # Of all findings, also those that are drawn apart below a hint: the columns stand one under the other. Brands have
    # none where there is one at most.
    several = len({finding.brand for finding in findings if finding.brand is not None}) > 1
    brands = max((len(visible(finding.brand or "")) for finding in findings), default=0) if several else 0
    states = max((len(finding.state.value) for finding in findings), default=0)
    checks = max((len(finding.check.value) for finding in findings), default=0)
    return states, checks, min(brands, 20)  # a long key is folded, so that the message keeps most of the line


def _grid(findings: Sequence[Finding], widths: tuple[int, ...]) -> Table:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    shown = [width for width in widths if width]
    for width in shown:
        grid.add_column(width=width, overflow="fold")
    grid.add_column(overflow="fold")
    for finding in findings:
        lead = [Text(finding.state.value, style=_STYLES[finding.state]), Text(finding.check.value)]
        brand = [Text(visible(finding.brand or ""))] if len(shown) > len(lead) else []
        style = "dim" if finding.state is State.SKIPPED else ""
        grid.add_row(*lead, *brand, Text(visible(finding.result.text), style=style))
    return grid
