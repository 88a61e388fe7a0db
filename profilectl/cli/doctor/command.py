"""``doctor``: what works and what doesn't, check by check, and what to do about the first thing that doesn't."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.auth import accounts as auth_accounts
from profilectl.cli.auth.accounts import give_hint
from profilectl.cli.context import Context
from profilectl.cli.options import option
from profilectl.cli.read_only_context import ReadOnlyContext
from profilectl.doctor.account_checks import Accounts, check_allowlists_again, run_checks
from profilectl.doctor.allowlist_wait import wait_until_allowed
from profilectl.doctor.face_check import UNKNOWN
from profilectl.doctor.machine_checks import Machine
from profilectl.doctor.report import State, lacks_only_allowlist
from profilectl.errors import ExitCode, UsageError
from profilectl.render import doctor as render
from profilectl.render.console import info, is_terminal, out
from profilectl.text.pasteable import pasteable
from profilectl.toml.rules import parse_duration

if TYPE_CHECKING:
    from profilectl.api.probe import ProbeResult
    from profilectl.api.retry import Deadline
    from profilectl.doctor.account_checks import AccountChecks
    from profilectl.doctor.report import Finding, Report


def doctor(
    context: Context,
    wait: Annotated[
        str | None,
        option("--wait DURATION", "Keep asking until X allows custom profiles, for this long: 2h."),
    ] = None,
    face_check: Annotated[
        bool, option("--face-check", "Send one test message, and ask you what X's apps show beside it.")
    ] = False,
    to: Annotated[str | None, option("--to ID|@HANDLE", "For --face-check: one of test_recipients.")] = None,
    agent: Annotated[str | None, option("--as AGENT", "For --face-check: whose face; else the first one's.")] = None,
) -> None:
    """Tell what works, what doesn't, and what to do.

    Looks at clock, network, keyring, credentials, what X allows, roster, pictures, ledger and profiles, within 20
    seconds or --timeout, which ends --wait, too. Asks nobody and changes nothing. Exits with the code of the first
    failure.

    Many customers read in XChat by now, and X doesn't publish whether it shows agents' names and pictures: with
    --face-check a person looks, and the next report says when that was and what they saw.
    """
    if face_check:
        _check_face(context, to, agent, waits=wait is not None)
        return
    if to is not None or agent is not None:
        raise UsageError("--to and --as are for --face-check")
    seconds = None if wait is None else parse_duration(wait, "--wait")
    read_only = ReadOnlyContext.of(context)
    report, accounts = run_checks(_machine(read_only), _accounts(read_only))
    refused = [account for account in accounts if account.refusal is not None]
    waits = seconds is not None and lacks_only_allowlist(report, [account.target.label for account in refused])
    if seconds is not None and not waits and report.failures:
        info("not waiting: X's allowlist isn't the only thing that is missing")
    if not (waits and context.wants_json):  # stdout holds one document, which then follows the wait
        _show(context, report, report.exit_code, needs_eyes=any(account.needs_eyes for account in accounts))
    if seconds is None or not waits:
        raise typer.Exit(report.exit_code)
    # Only a chosen --timeout ends the waiting: the default one is meant for the checks.
    limit = None if context.options.timeout is None else read_only.deadline
    raise typer.Exit(_wait(read_only, report, refused, seconds, limit))


def _check_face(context: Context, to: str | None, agent: str | None, *, waits: bool) -> None:
    if waits:
        raise UsageError("--wait and --face-check exclude each other")
    from profilectl.cli.doctor.face_check import check_face

    context.deeds.append("send")
    out(check_face(context, to, agent))


def _machine(context: ReadOnlyContext) -> Machine:
    # What may be refused (an unclear variable, a broken roster) is read within the check that it is about.
    return Machine(
        api_url=context.api_url,
        uses_sandbox=context.uses_sandbox,
        timeout=context.options.timeout or 0,
        deadline=context.deadline,
        keyring=auth_accounts.unattended_keychain(context),
        probe=partial(_probe, context),
        roster_path=context.roster_path,
        read_roster=lambda: context.roster,
        brands=context.brands,
        inspect_pictures=context.inspect_pictures,
        ledger_place=lambda: context.ledger_place,
        open_ledger=context.open_ledger,
        former_ledger=lambda user_id: context.kept_heads.ledger_of(user_id),  # noqa: PLW0108 - may be refused,
    )


def _probe(context: ReadOnlyContext, seconds: float) -> ProbeResult:
    from profilectl.api.probe import probe

    local = context.local_x if context.uses_sandbox else None
    url, transport = (context.api_url, None) if local is None else (local.url, local.transport())
    return probe(url, transport=transport, seconds=seconds)


def _accounts(context: ReadOnlyContext) -> Accounts:
    keyring, host = auth_accounts.unattended_keychain(context), partial(auth_accounts.host_of, context)
    return Accounts(
        host=host,
        logged_in=partial(auth_accounts.logged_in, context),
        describe=lambda handle: auth_accounts.describe(context, handle, host(), keyring),
        describe_anonymous=lambda: auth_accounts.describe_anonymous(context, host(), keyring),
        find_credentials=lambda handle: auth_accounts.find_credentials(context, handle, keyring),
        connect=context.client,
        wait_command=f"profilectl doctor --wait 2h{context.again()}",
        options=context.again(),
    )


def _show(context: Context, report: Report, exit_code: ExitCode, *, needs_eyes: bool = False) -> None:
    first = report.first_failure
    findings = [
        finding for finding in report.findings if not (context.is_quiet and _goes_without_saying(finding, report))
    ]
    context.output.show(
        render.document(report, exit_code),
        rows=render.rows(findings),
        table=lambda: render.listing(findings, first),
    )
    # A terminal's table holds the hint already; the rows of a pipe have no place for it.
    if first in findings and first is not None and (context.wants_json or not is_terminal(sys.stdout)):
        give_hint(first.result.hint)
    context.remark(render.summary(report))
    # for people: what a pipe reads has its lines, and nobody would look
    if needs_eyes and is_terminal(sys.stdout):
        context.remark(UNKNOWN)


def _goes_without_saying(finding: Finding, report: Report) -> bool:
    """Say whether --quiet leaves a finding out: what is well, and what an earlier run has told; the exit code stays."""
    # a timer's runs would repeat every half hour that X has withdrawn custom profiles, which `sync` notes
    old = {(other.check, other.brand) for other in report.findings if other.result.is_old}
    return finding.state is State.OK or finding.result.is_old or (finding.result.because, finding.brand) in old


def _wait(
    context: ReadOnlyContext, report: Report, accounts: Sequence[AccountChecks], seconds: float, limit: Deadline | None
) -> ExitCode:
    """Ask X about these accounts until it allows custom profiles, show how it ended, and return the exit code."""
    seconds = seconds if limit is None else min(seconds, limit.remaining())

    def ask(stack: ExitStack) -> None:
        nonlocal report
        # A deadline of its own for each question: that of the checks is over long before a wait of hours.
        left = None if limit is None else limit.remaining()
        report = check_allowlists_again(report, accounts, context.once_more(stack, left).client)
        refusals = [account.refusal for account in accounts if account.refusal is not None]
        if refusals:
            raise refusals[0]

    context.remark(f"asking X until {_clock_time(time.time() + seconds)}; Ctrl-C ends it")
    result = wait_until_allowed(ask, seconds, context.announce_wait)
    code = ExitCode.DONE if result.allowed else ExitCode.TRY_LATER
    if context.wants_json:
        _show(context, report, code)
    elif result.allowed and not context.is_quiet:
        out(pasteable("X allows custom profiles now: `profilectl diff` shows what a sync would make"))
    times = "once" if result.questions == 1 else f"{result.questions} times"
    for account in accounts:
        if account.refusal is not None:
            since = _clock_time(result.since)
            info(f"{account.target.title}: X still doesn't allow custom profiles (asked {times} since {since})")
            give_hint(account.application())
    return code


def _clock_time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
