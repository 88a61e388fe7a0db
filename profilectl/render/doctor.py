"""How a diagnosis is shown: lines for a terminal, rows for a pipe, a document for a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from profilectl.doctor.report import State
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from profilectl.doctor.report import Diagnosis, Finding
    from profilectl.errors import ExitCode
    from profilectl.render.documents import Document

_STYLES = {State.OK: "green", State.WARNING: "yellow", State.FAILED: "bold red", State.SKIPPED: "dim"}


def document(diagnosis: Diagnosis, exit_code: ExitCode) -> Document:
    """``profilectl.doctor/1``: every layer, with what to do where something is wrong."""
    checks = [
        {
            "check": one.layer.value,
            "brand": one.brand,
            "state": one.state.value,
            "message": one.judgement.text,
            "hint": one.judgement.hint,
        }
        for one in diagnosis.findings
    ]
    ok = not diagnosis.failures
    return {"schema": "profilectl.doctor/1", "ok": ok, "exit_code": int(exit_code), "checks": checks}


def rows(findings: Sequence[Finding]) -> Iterator[tuple[str, ...]]:
    """Yield findings for a pipe: check, brand, state, message."""
    for one in findings:
        yield (one.layer.value, one.brand or "", one.state.value, one.judgement.text)


def checkup(findings: Sequence[Finding], first_failure: Finding | None) -> Iterator[RenderableType]:
    """Yield what a terminal draws: the findings line by line, and under the first failure what to do about it."""
    end = findings.index(first_failure) + 1 if first_failure in findings else len(findings)
    widths = _widths(findings)
    if findings[:end]:
        yield _grid(findings[:end], widths)
    if first_failure is not None:
        yield from _hint(first_failure)
    if findings[end:]:
        yield _grid(findings[end:], widths)


def summary(diagnosis: Diagnosis) -> str:
    """Sum a diagnosis up in one line."""
    told = ((number, state.value) for state, number in diagnosis.counts().items() if number)
    return ", ".join(f"{number} {word}" for number, word in told)


def _hint(finding: Finding) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    for line in (finding.judgement.hint or "").splitlines():
        yield Padding(Text(f"hint: {visible(line)}", style="bold", overflow="fold"), (0, 0, 0, 2))


def _widths(findings: Sequence[Finding]) -> tuple[int, ...]:
    """Return how wide the columns before the message are; none for brands where there is one at most."""
    several = len({one.brand for one in findings if one.brand is not None}) > 1
    brands = max((len(visible(one.brand or "")) for one in findings), default=0) if several else 0
    states, layers = (max((len(cell) for cell in column), default=0) for column in _short(findings))
    return states, layers, min(brands, 20)


def _short(findings: Sequence[Finding]) -> tuple[list[str], list[str]]:
    return [one.state.value for one in findings], [one.layer.value for one in findings]


def _grid(findings: Sequence[Finding], widths: tuple[int, ...]) -> Table:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    shown = [width for width in widths if width]
    for width in shown:
        grid.add_column(width=width, overflow="fold")
    grid.add_column(overflow="fold")
    for one in findings:
        lead = [Text(one.state.value, style=_STYLES[one.state]), Text(one.layer.value)]
        brand = [Text(visible(one.brand or ""))] if len(shown) > len(lead) else []
        style = "dim" if one.state is State.SKIPPED else ""
        grid.add_row(*lead, *brand, Text(visible(one.judgement.text), style=style))
    return grid
