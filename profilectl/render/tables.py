"""Rich tables for terminals, and the same rows for pipes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from profilectl.plan.changes import Action
from profilectl.render.phrases import SYMBOLS, reason
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from rich.table import Table

    from profilectl.plan.builder import Plan
    from profilectl.plan.changes import Change
    from profilectl.sync.outcomes import Outcome

# Columns that are never folded, as folding short words helps nobody, and half an id can't be copied.
_SHORT = {"", "action", "answered", "change", "kind", "mean", "result", "satisfied or NPS", "status", "until"}
_COPIED = {"created", "event", "id", "profile", "time"}
_STYLES = {"+": "green", "±": "yellow", "=": "cyan", "→": "cyan", "-": "red", "!": "bold red"}


def _table(*headers: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for header in headers:
        table.add_column(header, overflow="fold", no_wrap=header in _SHORT | _COPIED)
    return table


def _add(table: Table, cells: Sequence[str], style: str = "") -> None:
    from rich.text import Text

    # As Text, because a plain string would be read as markup.
    table.add_row(*(Text(visible(cell)) for cell in cells), style=style)


def plan_table(plan: Plan) -> Table:
    """Draw a plan, symbol first: one row per change."""
    several = len({change.brand for change in plan.changes}) > 1
    table = _table("", *(("brand",) if several else ()), "agent", "change", "because", "name", "profile")
    for change in plan.changes:
        symbol = SYMBOLS[change.action]
        before, after = _names(change)
        renamed = change.action is Action.REPLACE and before != after
        name = f"{before} → {after}" if renamed else after or before
        cells = [change.agent, change.action.value, reason(change), name, change.profile_id or ""]
        _add(table, [symbol, *((change.brand,) if several else ()), *cells], _STYLES[symbol])
    return table


def _names(change: Change) -> tuple[str, str]:
    before, after = change.before, change.after
    return before.name if before is not None else "", after.name if after is not None else ""


def plan_rows(plan: Plan) -> Iterator[tuple[str, ...]]:
    """Yield a plan for a pipe: symbol, brand, agent, action, why, profile id, name before, name after."""
    for change in plan.changes:
        # The reasons by their codes, which stay the same when the words of the table are improved.
        why = ",".join(change.why) + (f":{change.former}" if change.former is not None else "")
        symbol, action = SYMBOLS[change.action], change.action.value
        yield (symbol, change.brand, change.agent, action, why, change.profile_id or "", *_names(change))


def outcome_rows(outcomes: Iterable[Outcome]) -> Iterator[tuple[str, ...]]:
    """Yield what became of each step for a pipe: status, brand, agent, action, profile id, error."""
    for outcome in outcomes:
        change = outcome.change
        error = str(outcome.error) if outcome.error is not None else ""
        action, profile_id = change.action.value, outcome.profile_id or ""
        yield outcome.status.value, change.brand, change.agent, action, profile_id, error


def outcome_table(outcomes: Iterable[Outcome]) -> Table:
    """Draw what became of each step."""
    table = _table("", "agent", "change", "result", "profile", "error")
    for outcome in outcomes:
        (status, brand, agent, action, profile_id, error), *_ = outcome_rows([outcome])
        symbol = SYMBOLS[outcome.change.action]
        style = _STYLES[symbol] if status == "done" else "bold red"
        _add(table, [symbol, f"{agent} ({brand})", action, status, profile_id, error], style)
    return table


def listing(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Draw any list of facts."""
    table = _table(*headers)
    for row in rows:
        _add(table, row)
    return table
