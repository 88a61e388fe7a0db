"""``offboard``: an agent leaves. Sending ends first and without X, then the profiles go, brand by brand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.context import Context
from profilectl.cli.options import argument, option
from profilectl.cli.prompts import require_consent
from profilectl.errors import ExitCode
from profilectl.profiles.offboarding import (
    AGAIN,
    Offboarding,
    OffboardResult,
    OffboardStatus,
    require_known,
    roster_lines,
)
from profilectl.render import json_documents
from profilectl.render.console import info
from profilectl.roster.facts import profile_facts
from profilectl.roster.moves import require_current
from profilectl.system.host import now_ms
from profilectl.text.escape import visible
from profilectl.toml.document import decode

if TYPE_CHECKING:
    from profilectl.ledger.protocol import Ledger, LedgerReader

_HEADERS = ("result", "brand", "profile", "name", "error")


def offboard(
    context: Context,
    agent: Annotated[str, argument("AGENT", "Who leaves; in the roster or not.")],
    yes: Annotated[bool, option("--yes", "Offboard without asking.")] = False,
    undo: Annotated[bool, option("--undo", "Allow the agent again; the next sync makes a profile.")] = False,
) -> None:
    """Block sending as an agent at once, and destroy its faces.

    Sending is blocked in every brand before X is asked anything, so that works offline. Then every profile of the agent
    is destroyed, also one with `protected` in the roster, once the messages that carry it are over; a brand that can't
    be reached, or doesn't confirm it, doesn't stop the others (exit 6, and the same command again finishes). The roster
    isn't touched, and the agent stays blocked: while the roster goes on naming them, sync makes nothing for them and
    says so (exit 7), so the lines to remove are printed. --undo allows them again. Only --brand narrows it down;
    PROFILECTL_BRAND doesn't.
    """
    context.require_admin("offboard anybody")
    # A default brand is for convenience; who leaves must not stay able to send for another one because of it.
    brands = context.brands() if context.options.brand else context.roster.brands
    ledger = context.ledger_for_reading()
    require_current([agent], context.roster.moved)
    require_known(agent, context.roster, ledger)  # a typing error would end in "nothing to destroy"
    offboarding = Offboarding(context.roster, agent, brands, context.connect, now_ms)
    if undo:
        _show_allowed(context, agent, offboarding.unblock(context.ledger_for_writing()))
        return
    results = _carry_out(context, offboarding, ledger, yes=yes)
    is_done = all(result.status is OffboardStatus.DESTROYED for result in results)
    code = ExitCode.DONE if is_done else ExitCode.PARTIAL
    lines = roster_lines(agent, brands, context.roster, lambda: _roster_text(context))
    _show(context, agent, results, lines, code)
    raise typer.Exit(code)


def _carry_out(
    context: Context, offboarding: Offboarding, ledger: LedgerReader, *, yes: bool
) -> tuple[OffboardResult, ...]:
    """Ask, block, and destroy; no question is asked about nothing."""
    concerned = (*offboarding.registered(ledger), *offboarding.unregistered(ledger))
    if not concerned:
        return ()
    shown, where = visible(offboarding.agent), ", ".join(brand.key for brand in concerned)
    question = f"Block sending as {shown} and destroy every profile of theirs ({where}){context.on_local_x}?"
    require_consent(context, question, "offboarded", yes=yes)
    writable = context.ledger_for_writing()
    user_ids = {brand.key: user_id for brand, user_id in offboarding.registered(ledger).items()}
    facts = profile_facts(
        context.roster, user_ids
    )  # no commit: git may keep one waiting, and who leaves can still send
    with writable.noting(facts.of):
        return _block_and_destroy(context, offboarding, writable)


def _block_and_destroy(context: Context, offboarding: Offboarding, writable: Ledger) -> tuple[OffboardResult, ...]:
    shown, blocked = visible(offboarding.agent), offboarding.block(writable)
    for warning in blocked.warnings:
        info(warning)
    # Before the profiles go, because a sync may keep us waiting for minutes.
    if blocked.brands and not context.is_quiet:
        where = ", ".join(brand.key for brand in blocked.brands)
        info(f"nobody can send as {shown} any more ({where}){context.on_local_x}")
    remaining = context.deadline.remaining()
    return blocked.failures + offboarding.destroy(
        writable, blocked.brands, remaining, context.announce_wait, context.wait
    )


def _show_allowed(context: Context, agent: str, results: tuple[OffboardResult, ...]) -> None:
    context.output.show(json_documents.offboard(agent, now_ms(), ExitCode.DONE, results, None))
    if context.wants_json:
        return
    where = ", ".join(result.brand for result in results)
    if not where:
        info(f"{visible(agent)} isn't blocked in any brand, so nothing changed")
    elif not context.is_quiet:
        info(f"{visible(agent)} is allowed again ({where}){context.on_local_x}; `profilectl sync` makes the profile")


def _show(
    context: Context,
    agent: str,
    results: tuple[OffboardResult, ...],
    lines: tuple[tuple[int, int], ...] | None,
    code: ExitCode,
) -> None:
    rows = [
        [_status(result), result.brand, result.profile_id or "", result.name or "", _why(result)] for result in results
    ]
    context.output.show(json_documents.offboard(agent, now_ms(), code, results, lines), _HEADERS, rows)
    if context.is_quiet and not results:
        return
    if not results:
        info(f"this ledger knows no profile of {visible(agent)}: nothing to destroy")
    if code is ExitCode.PARTIAL:
        info(f"not every profile of {visible(agent)} is gone; {AGAIN}")
    if lines is not None:
        _show_lines(context, agent, lines)


def _status(result: OffboardResult) -> str:
    return "not confirmed" if result.status is OffboardStatus.UNCONFIRMED else result.status.value


def _why(result: OffboardResult) -> str:
    if result.error is not None:
        return result.error.message
    is_unsettled = result.status is OffboardStatus.UNSETTLED
    return "X hasn't shown yet whether an earlier create was done" if is_unsettled else ""


def _roster_text(context: Context) -> str:
    # Read anew rather than taken from the parsed roster: the lines are numbered as the file has them now.
    return decode(context.read_roster(), str(context.roster_path))


def _show_lines(context: Context, agent: str, lines: tuple[tuple[int, int], ...]) -> None:
    file = visible(str(context.roster_path))
    if not lines:
        info(f"{file} still names {agent} here: take it out, or every sync says that {agent} is blocked")
        return
    info(f"{file} still names {agent}: remove these lines, or every sync says that {agent} is blocked")
    for first, last in lines:  # only where they are: they may hold names that nobody else should read
        info(f"{file}:{first}" if first == last else f"{file}:{first}-{last}")
