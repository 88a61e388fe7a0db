"""``offboard``: an agent leaves. Sending ends first and without X, then the faces go, brand by brand."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.authority import require_admin
from profilectl.cli.context import Context
from profilectl.cli.options import command
from profilectl.cli.prompts import require_consent
from profilectl.errors import ExitCode
from profilectl.profiles.offboarding import AGAIN, Leaving, now_ms
from profilectl.render import documents
from profilectl.render.console import draw, info, is_terminal, out, write_rows
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.model import Brand

_HEADERS = ("result", "brand", "profile", "name", "error")


def register(app: typer.Typer) -> None:
    """Add ``offboard``."""
    app.command("offboard")(command(offboard))


def offboard(
    context: Context,
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="Who leaves; in the roster or not.")],
    yes: Annotated[bool, typer.Option("--yes", help="Offboard without asking.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Allow the agent again; the next sync makes a profile.")] = False,
) -> None:
    """Block sending as an agent at once, and destroy its faces.

    Sending is blocked in every brand before X is asked anything, so that works offline. Then every profile of the
    agent is destroyed, protected or not; a brand that can't be reached doesn't stop the others (exit 6, and the same
    command again finishes). The roster isn't touched, and the agent stays blocked: while the roster goes on naming
    them, sync makes nothing for them and says so (exit 7), so the lines to remove are printed. --undo allows them
    again. Only --brand narrows it down; PROFILECTL_BRAND doesn't.
    """
    require_admin(context, "offboard anybody")
    brands = context.brands() if context.options.brand else context.roster.brands
    knowledge = context.ledger_for_reading()
    _require_known(context, knowledge, agent)
    leaving = Leaving(context, agent, brands)
    if undo:
        leaving.undo(context.ledger_for_writing())
        return
    if leaving.accounts(knowledge) or leaving.unclaimed(knowledge):
        require_consent(context, leaving.question(knowledge), "offboarded", yes=yes)
        leaving.carry_out(context.ledger_for_writing())
    code = ExitCode.PARTIAL if any(row["status"] != "destroyed" for row in leaving.rows) else ExitCode.DONE
    _report(context, agent, brands, leaving.rows, code)
    raise typer.Exit(code)


def _require_known(context: Context, knowledge: LedgerReader, key: str) -> None:
    """Refuse a key that neither the roster nor the audit trail has ever named."""
    from profilectl.roster.lookup import unknown_agent

    known = {agent.key for agent in context.roster.agents}
    if key not in known:
        known |= {agent for record in knowledge.events() if (agent := record.event.agent) is not None}
    if key not in known:
        raise unknown_agent(key, known)


def _report(
    context: Context, agent: str, brands: tuple[Brand, ...], rows: list[documents.Document], code: ExitCode
) -> None:
    lines = _roster_lines(context, agent, brands)
    if context.wants_json:
        out(documents.dump(documents.offboard(agent, now_ms(), code, rows, lines)))
    else:
        cells = [[row["status"], row["brand"], row["profile_id"] or "", row["name"] or "", _why(row)] for row in rows]
        _show(cells)
    if context.is_quiet and not rows:
        return
    if not rows:
        info(f"this ledger knows no profile of {visible(agent)}: nothing to destroy")
    if code is ExitCode.PARTIAL:
        info(f"not every profile of {visible(agent)} is gone; {AGAIN}")
    if lines is not None:
        _tell_lines(context, agent, lines)


def _why(row: documents.Document) -> str:
    if row["error"] is not None:
        return str(row["error"]["message"])
    return "X hasn't shown yet whether an earlier create was done" if row["status"] == "unsettled" else ""


def _show(cells: list[list[str]]) -> None:
    if not is_terminal(sys.stdout):
        write_rows(cells)
    elif cells:
        from profilectl.render.tables import listing

        draw(listing(_HEADERS, cells))


def _roster_lines(context: Context, agent: str, brands: tuple[Brand, ...]) -> tuple[tuple[int, int], ...] | None:
    """Return the lines that would bring the agent back; None when nothing would, empty when they aren't whole lines."""
    from profilectl.roster.source_lines import entry_lines
    from profilectl.toml.document import decode

    named = {one.brand for one in context.roster.agents if one.key == agent}
    if not named & {brand.key for brand in brands}:
        return None
    if not named <= {brand.key for brand in brands}:
        return ()  # the agent goes on speaking for another brand
    return entry_lines(decode(context.read_roster(), str(context.roster_path)), agent)


def _tell_lines(context: Context, agent: str, lines: tuple[tuple[int, int], ...]) -> None:
    from profilectl.toml.document import decode

    file = visible(str(context.roster_path))
    if not lines:
        info(f"{file} still names {agent} here: take it out, or every sync says that {agent} is blocked")
        return
    text = decode(context.read_roster(), file).split("\n")
    info(f"{file} still names {agent}: remove these lines, or every sync says that {agent} is blocked")
    for first, last in lines:
        for number in range(first, last + 1):
            info(f"{file}:{number}: {visible(text[number - 1].rstrip())}")
