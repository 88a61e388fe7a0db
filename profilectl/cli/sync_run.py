"""One look at X and the ledger, the plan that comes of it, and what is done about it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

import typer

from profilectl.cli import diff
from profilectl.cli.context import Context
from profilectl.errors import ExitCode, GuardRefused, ProfilesWithdrawn, RosterRefused
from profilectl.model import PreparedPicture
from profilectl.plan.changes import Reason
from profilectl.plan.intents import left_ms
from profilectl.plan.notices import NoticeKind
from profilectl.render import json_documents
from profilectl.render.console import info, info_lines, is_terminal
from profilectl.sync.outcomes import Status
from profilectl.sync.ports import Stop
from profilectl.system.endings import CODES
from profilectl.system.threads import begin

if TYPE_CHECKING:
    from profilectl.ledger.accounts import UnknownAccount
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.pictures.stat_cache import PictureStatCache
    from profilectl.plan.builder import Plan
    from profilectl.plan.saved import Expectation
    from profilectl.sync.outcomes import Outcome
    from profilectl.sync.ports import Wait
    from profilectl.sync.session import SyncSession

_FINISHING = b"finishing the calls under way; once more to leave at once (the next sync settles what is open)\n"


@dataclass(slots=True)
class Terms:
    """What a person has asked for and agreed to, and what one command's looks have come to so far."""

    expected: Expectation | None
    begins_ledger: bool  # whether a person has agreed to a ledger that doesn't know the accounts
    stop: Stop = field(default_factory=Stop)
    warnings: set[str] = field(default_factory=set)  # those that were shown
    requests: Counter[str] = field(default_factory=Counter)  # of the looks that are over


@dataclass(slots=True)
class SyncRun:
    """One look, and what is done about it."""

    context: Context
    session: SyncSession
    known: LedgerReader  # what the plan is made from
    cache: PictureStatCache
    terms: Terms
    wait: Wait
    planned: Plan | None = field(init=False, default=None)
    unknown: tuple[UnknownAccount, ...] = field(init=False, default=())  # accounts that the ledger doesn't know
    stopped_by: signal.Signals | None = field(init=False, default=None)
    seconds: float = field(init=False, default=0.0)  # that the steps took

    def plan(self, ledger: Ledger | None) -> Plan:
        """Return the plan, which is made once; only what has changed in X's access is written, where there is a ledger.

        Raises:
            LedgerRefused: the ledger may not be the right one for an account.
            StalePlan: it isn't the plan that was reviewed.
            GuardRefused: it may not be applied.
        """
        if self.planned is None:
            self.planned = self._judged(ledger)
        return self.planned

    def _judged(self, ledger: Ledger | None) -> Plan:
        expected = self.terms.expected
        # A reviewed plan was made of one look at X's list, as `diff` takes; waiting could only make another plan.
        plan = self._plan(self.wait if expected is None else None, ledger)
        self.show_warnings()
        self.unknown = self.session.check_ledger(self.known, self.context.kept_heads.ledger_of)
        if not self.terms.begins_ledger:
            self.context.require_known(self.unknown)
        if expected is not None:
            expected.check(plan)
        if plan.refused is not None:
            if not (self.context.wants_json or self.context.is_quiet):
                diff.show_plan(self.context, plan, diff.where_of(self.context, self.session))
            refused = plan.refused
            raise GuardRefused(refused.message, hint=self._way_on(refused.ways_on), agents=refused.agents)
        return plan

    def _way_on(self, ways_on: str | None) -> str | None:
        """Return what to do about a refused plan, which these ways lead on from; None where nothing does."""
        # With --quiet the plan isn't shown: a timer's mail would repeat it until somebody has decided.
        shows = "`profilectl diff` shows the plan" if self.context.is_quiet else None
        return "; ".join(way for way in (ways_on, shows) if way) or None

    def _plan(self, wait: Wait | None, ledger: Ledger | None) -> Plan:
        try:
            plan = self.session.plan(self.known, wait)
        except ProfilesWithdrawn as withdrawal:
            self._record_access(ledger)
            if self.session.tells_once and withdrawal.since is not None and not self.context.wants_json:
                raise typer.Exit(withdrawal.exit_code) from withdrawal  # cron's users were told by the first run
            raise
        self._record_access(ledger)
        return plan

    def _record_access(self, ledger: Ledger | None) -> None:
        if ledger is not None:  # else no account is known yet, so no access of one has changed
            self.session.record_access(ledger)

    def prepare(self, plan: Plan, ledger: Ledger | None = None) -> dict[str, PreparedPicture]:
        """Return the pictures that the plan uploads; RosterRefused when one can't be used.

        Where the ledger is given in which that is recorded, they are uploaded meanwhile.
        """
        try:
            if ledger is not None:
                with self._finishing_on_signals():
                    return self.session.upload_ahead(plan, ledger, stop=self.terms.stop, wait=self.wait)
            return self.session.prepare(plan)
        except RosterRefused:
            self.cache.clear()
            raise

    def show_warnings(self) -> None:
        """Write the session's warnings so far to stderr, each once in the whole command; with --quiet only new ones."""
        for line in self.session.pop_warnings():
            if line not in self.terms.warnings:
                self.terms.warnings.add(line)
                if not (self._lasts(line) and self.context.is_quiet and self.context.lasting_warnings.is_given(line)):
                    info(line)

    def _lasts(self, line: str) -> bool:
        return line in self.session.lasting

    def _keep_warnings(self) -> None:
        selection = self.session.selection
        is_whole = not (self.context.chosen_brands() or selection.agents or selection.labels or self.session.left_out)
        given = {line for line in self.terms.warnings if self._lasts(line)}
        self.context.lasting_warnings.keep(given, all_brands=is_whole)

    def carry_out(self, plan: Plan, prepared: dict[str, PreparedPicture], ledger: Ledger) -> ExitCode:
        """Apply the plan of this look, and show what became of it."""
        from profilectl.sync.outcomes import exit_code

        self.session.register_accounts(ledger)
        self.session.begin_accounts(ledger, self.unknown)
        # who may only send can't make one where the ledger is on PostgreSQL
        ledger.text_key(f"{datetime.fromtimestamp(self.session.now_ms() / 1000, UTC):%Y-%m}")
        policy = self.context.policy_digest()
        self.session.record_run(plan, ledger, policy=policy, unknown=self.unknown)
        self.session.record_pixels(ledger, prepared)
        # Only now, because whoever says no leaves no file behind.
        self.cache.save(agent.avatar for agent in self.context.roster.agents)
        began = time.monotonic()
        outcomes = self._apply(plan, prepared, ledger)
        self.seconds = time.monotonic() - began
        self._keep(prepared)
        stopped = [] if self.stopped_by is None else [CODES[self.stopped_by]]
        code = ExitCode.gravest([*stopped, diff.with_left_out(exit_code(outcomes), self.session.left_out)])
        self._show(plan, outcomes, code, ledger)
        return code

    def _keep(self, prepared: dict[str, PreparedPicture]) -> None:
        pictures = {picture.digest: picture for picture in self.session.pictures.values()}
        for digest, picture in prepared.items():
            self.context.prepared_cache.keep(pictures[digest], picture)
        self.context.prepared_cache.trim()

    def _apply(self, plan: Plan, prepared: dict[str, PreparedPicture], ledger: Ledger) -> list[Outcome]:
        from profilectl.render.console import progress

        outcomes = []  # in the order in which they end, and shown in that of the plan
        # In the order in which they are begun: those that nothing is done about end at once.
        names = [change.agent for change in sorted(plan.changes, key=lambda change: not change.creates)]
        with self._finishing_on_signals(), progress(names) as advance:
            for outcome in self.session.apply(plan, prepared, ledger, stop=self.terms.stop, wait=self.wait):
                advance(outcome.change.agent)
                outcomes.append(outcome)
        order = {change: place for place, change in enumerate(plan.changes)}
        return sorted(outcomes, key=lambda outcome: order.get(outcome.change, len(order)))

    @contextmanager
    def _finishing_on_signals(self) -> Iterator[None]:
        """Let the first Ctrl-C, SIGTERM or SIGHUP finish the calls under way; a second ends the program at once."""

        def finish(number: int, _frame: FrameType | None) -> None:
            if self.stopped_by is not None:
                os._exit(CODES[self.stopped_by])  # the intents are durable, so nothing is lost by not waiting for X
            self.stopped_by = signal.Signals(number)
            self.terms.stop.requested = True  # from here on a second signal ends us, with that code
            for client in self.session.clients.values():
                begin(client.interrupt)  # or a worker would sleep a limit out; in a thread, as we may hold its lock
            with suppress(OSError):  # nobody may be reading
                os.write(2, _FINISHING)  # not through sys.stderr, which the signal may have interrupted

        is_ignored = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # as nohup wants it
        numbers = CODES.keys() - ({signal.SIGHUP} if is_ignored else set())
        earlier = {number: signal.signal(number, finish) for number in numbers}
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def _again_at(self, plan: Plan, outcomes: Sequence[Outcome], ledger: LedgerReader) -> datetime | None:
        """Return when another run can do more, None when nobody knows or nothing is left to do."""
        limited = self.session.again_at(ledger, outcomes)
        settled_ms = [notice.at_ms for notice in plan.notices if notice.kind is NoticeKind.SETTLING]
        doubtful = {outcome.change.brand for outcome in outcomes if _is_unsettled(outcome)}
        for target in (self.session.targets[brand] for brand in doubtful):
            seen, settle_after = target.observation, self.session.roster.policy.settle_after
            intents = ledger.state_of(target.user_id).intents
            # until the last of them is settled, an agent whose create went unanswered gets nothing
            settled_ms.append(
                max((seen.observed_ms + left_ms(intent, seen, settle_after) for intent in intents), default=None)
            )
        settled = [datetime.fromtimestamp(until_ms / 1000, UTC) for until_ms in settled_ms if until_ms is not None]
        return min([*settled, *([] if limited is None else [limited])], default=None)

    def _show(self, plan: Plan, outcomes: Sequence[Outcome], code: ExitCode, ledger: LedgerReader) -> None:
        from profilectl.render.phrases import failures, result, spellings
        from profilectl.render.tables import outcome_rows, outcome_table

        self.show_warnings()
        self._keep_warnings()
        again = self._again_at(plan, outcomes, ledger)
        requests = {kind: number + self.terms.requests[kind] for kind, number in self.session.requests().items()}
        self.context.output.show(
            json_documents.sync(
                plan.digest,
                outcomes,
                code,
                requests,
                again,
                self.session.left_out,
                self.context.again(),
                stopped_by=self.stopped_by,
            ),
            rows=tuple(outcome_rows(outcomes)),
            table=partial(outcome_table, outcomes),
        )
        diff.show_obstacles(self.context, (outcome.change for outcome in outcomes))
        for line in spellings(outcomes):
            info(line)
        diff.show_notices(self.context, (notice for notice in plan.notices if notice.kind is NoticeKind.SETTLING))
        tried = [outcome for outcome in outcomes if not outcome.change.is_blocked]
        for line in failures(tried, stopped_by=self.stopped_by):
            info_lines(line)
        if not self.context.is_quiet or code:
            now = datetime.fromtimestamp(self.session.now_ms() / 1000, UTC)
            where = diff.where_of(self.context, self.session)
            seconds = self.seconds if is_terminal(sys.stderr) else None
            info(result(outcomes, now, again if code else None, where, seconds))


def _is_unsettled(outcome: Outcome) -> bool:
    """Say whether a step waits until X's list must show what became of a create."""
    return outcome.status is Status.UNKNOWN or Reason.UNSETTLED in outcome.change.why
