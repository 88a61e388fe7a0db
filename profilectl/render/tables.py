"""Plans, outcomes and lists on a terminal, and plans and outcomes as rows for pipes.

Colour says what state something is in: the sign of a change, the result of a step. Names and keys have none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import takewhile
from typing import TYPE_CHECKING

from profilectl.plan.changes import Action
from profilectl.render.layout import Cell, Rows
from profilectl.render.moments import ago
from profilectl.render.phrases import SYMBOLS, reason
from profilectl.text.escape import isolated, visible

if TYPE_CHECKING:
    from rich.console import RenderableType

    from profilectl.plan.builder import Plan
    from profilectl.plan.changes import Change
    from profilectl.sync.outcomes import Outcome

_SIGNS = {"+": "bold green", "±": "bold yellow", "=": "bold cyan", "→": "bold cyan", "-": "bold red", "!": "bold red"}
_STATES = {
    "done": ("✓ done", "green"),
    "failed": ("✗ failed", "red"),
    "unknown": ("? unknown", "yellow"),
    "skipped": ("· skipped", "dim"),
    "retired": ("retired", "dim"),
    "unmanaged": ("unmanaged", "dim"),
    "namesake": ("namesake", "yellow"),
    "lost": ("lost", "red"),
}
"""How the words for a state are shown, those that aren't as they should be in colour."""

_OF_STATE = frozenset({"result", "status"})
_OF_TIME = frozenset({"created", "when"})
_LAST = ("name", "because", "problem", "missing", "error", "command")  # texts, in the order in which they come last
_PLAIN = frozenset(
    {"agent", "brand", "created", "event", "handle", "id", "kind", "profile", "result", "status", "time", "when", "who"}
)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def plan_table(plan: Plan) -> RenderableType:
    """Draw a plan, symbol first: one row for each change; names last, the old one above the new one."""
    headings = ("", "brand", "agent", "change", "because", "profile", "name")
    rows = [
        (*_subject(change), Cell.of(reason(change)), Cell.of(change.profile_id or ""), _name_cell(change))
        for change in plan.changes
    ]
    return _rows(headings, rows, leading=4, unlabelled=("name",))


def _subject(change: Change) -> tuple[Cell, Cell, Cell, Cell]:
    """Return what both tables begin with: sign, brand, agent, and what is done."""
    symbol = SYMBOLS[change.action]
    names = (change.brand, change.agent, change.action.value)
    return (Cell.of(symbol, _SIGNS[symbol]), *(Cell.of(visible(name)) for name in names))  # type: ignore[return-value]


def _name_cell(change: Change) -> Cell:
    before, after = (isolated(visible(name)) for name in _names(change))
    if change.action is Action.REPLACE and before != after:
        return Cell((f"  {before}", f"→ {after}"))
    return Cell.of(after or before)


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


def outcome_table(outcomes: Iterable[Outcome]) -> RenderableType:
    """Draw what became of each step; why one didn't end well is told below, once for all that failed alike."""
    headings = ("", "brand", "agent", "change", "result", "profile")
    rows = [
        (*_subject(outcome.change), _state(outcome.status.value), Cell.of(outcome.profile_id or ""))
        for outcome in outcomes
    ]
    return _rows(headings, rows, leading=6)


def listing(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> RenderableType:
    """Draw any list of facts; foreign text is made visible here.

    Columns without content and the only brand's are left out, names and sentences come last, and a moment is shown as
    how long ago it was.
    """
    now = datetime.now(UTC)
    order = sorted(range(len(headers)), key=lambda place: _rank(headers[place]))
    cells = [tuple(_cell(headers[place], row[place], now) for place in order) for row in rows]
    headings = tuple(headers[place] for place in order)
    # What needs no heading shares the first line of a block.
    leading = max(1, sum(1 for _ in takewhile(_PLAIN.__contains__, headings)))
    return _rows(headings, cells, leading=leading, unlabelled=("name",))


def _rank(header: str) -> int:
    return _LAST.index(header) + 1 if header in _LAST else 0


def _cell(header: str, text: str, now: datetime) -> Cell:
    if header in _OF_STATE:
        return _state(text)
    if header in _OF_TIME and _TIME.fullmatch(text):
        return Cell.of(ago(datetime.fromisoformat(text), now))
    return Cell.of(isolated(visible(text)))


def _state(word: str) -> Cell:
    text, style = _STATES.get(word, (visible(word), ""))
    return Cell.of(text, style)


def _rows(
    headings: tuple[str, ...],
    rows: Sequence[tuple[Cell, ...]],
    *,
    leading: int,
    unlabelled: Sequence[str] = (),
) -> Rows:
    """Return rows without the column of the only brand."""
    if "brand" in headings:
        place = headings.index("brand")
        if len({row[place] for row in rows}) == 1:
            headings = headings[:place] + headings[place + 1 :]
            rows = [row[:place] + row[place + 1 :] for row in rows]
            leading = max(1, leading - (place < leading))  # a block begins with something
    return Rows(headings, tuple(rows), leading, frozenset(unlabelled))
