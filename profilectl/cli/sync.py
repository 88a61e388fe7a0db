"""``sync``: apply the plan that `diff` shows."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli import diff
from profilectl.cli.context import Context
from profilectl.cli.options import Options, option
from profilectl.cli.prompts import confirm
from profilectl.errors import Declined, ExitCode, GuardRefused, RosterRefused, UsageError
from profilectl.model import PreparedPicture
from profilectl.plan import saved
from profilectl.plan.saved import Selection
from profilectl.render import json_documents
from profilectl.render.console import info
from profilectl.sync.ports import Stop
from profilectl.system import files
from profilectl.system.threads import begin
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.ledger.accounts import UnknownAccount
    from profilectl.ledger.protocol import Ledger
    from profilectl.pictures.stat_cache import PictureStatCache
    from profilectl.plan.builder import Plan
    from profilectl.plan.saved import Expectation, SavedPlan
    from profilectl.sync.outcomes import Outcome
    from profilectl.sync.ports import Wait
    from profilectl.sync.session import SyncSession


def sync(
    context: Context,
    yes: Annotated[bool, option("--yes", "Apply without asking.")] = False,
    plan: Annotated[Path | None, option("--plan PLAN", "Only this plan, which `diff --out` saved.")] = None,
    expect: Annotated[
        str | None, option("--expect DIGEST", "Only the plan of this digest, which `diff` shows.")
    ] = None,
    agent: diff.Agents = None,
    allow_deletes: diff.AllowDeletes = None,
    prune_now: diff.PruneNow = False,
    verify_avatars: diff.VerifyAvatars = False,
    jobs: Annotated[int, option("--jobs N", "Calls at once.", min=1, max=64)] = 8,
    max_wait: Annotated[str, option("--max-wait DURATION", "Wait this long for another sync or for X.")] = "10m",
    new_ledger: Annotated[bool, option("--new-ledger", "Begin a ledger for accounts that it doesn't know.")] = False,
) -> None:
    """Make X equal to the roster.

    Creates, replaces, retires, and destroys only what is ours. Asks on a terminal; elsewhere it needs --yes.

    With --plan or --expect it does what was reviewed, or nothing when anything has moved since. A saved plan brings its
    brands, its agents and what was agreed to along.
    """
    from profilectl.toml.rules import parse_duration

    context.require_admin("sync")
    seconds = parse_duration(max_wait, "--max-wait")
    if not yes and not context.may_ask:
        raise UsageError(
            "nothing was changed: nobody is here to ask", hint="--yes applies the plan; `profilectl diff` only shows it"
        )
    selection = Selection(frozenset(agent or ()), allow_deletes, prune_now, verify_avatars)
    saved_plan = None
    if plan is not None:
        _refuse_beside_a_plan(context, selection, expect)
        saved_plan = read_plan(plan)
        context, selection = context.overridden_by(Options(brand=saved_plan.brands)), saved_plan.selection
        saved_plan.check_brands(context.roster.brands)
    expected = saved_plan if expect is None else saved.expected_digest(expect)
    raise typer.Exit(_sync(context, selection, expected, jobs, seconds, asks=not yes, begins_ledger=new_ledger))


def _refuse_beside_a_plan(context: Context, selection: Selection, expect: str | None) -> None:
    # A saved plan was reviewed as a whole, so nothing beside it may change what it is about.
    if expect is not None:
        raise UsageError("--plan and --expect exclude each other", hint="a saved plan knows its digest")
    if context.options.brand or selection != Selection():
        raise UsageError(
            "a saved plan says itself which brands and agents it is about, and what was agreed to",
            hint="leave the other options away, or save another plan with them: `profilectl diff --out`",
        )


def read_plan(path: Path) -> SavedPlan:
    """Return the plan in a file; InputRefused when it can't be read, StalePlan when it isn't one as `diff` saves it."""
    content = files.read_named(path, "the plan", saved.LARGEST_PLAN, saved.HOW_TO_SAVE)
    return saved.from_document(content, visible(str(path)))


def _sync(
    context: Context,
    selection: Selection,
    expected: Expectation | None,
    jobs: int,
    seconds: float,
    *,
    asks: bool,
    begins_ledger: bool,
) -> ExitCode:
    """Lock the ledger and make one run; `seconds` is the longest wait for the lock, and for X."""
    from profilectl.api.retry import WaitBudget
    from profilectl.sync.session import LimitedWait

    budget, stop, cache = WaitBudget(seconds), Stop(), context.picture_cache
    session = diff.open_session(context, context.brands(), selection, jobs, budget, cache)
    session.check_accounts(context.ledger_for_reading())  # before a ledger is made for the wrong account
    diff.show_warnings(session)
    ledger = context.ledger_for_writing()
    with ledger.lock(seconds, "profilectl sync", context.announce_wait):
        session.check_accounts(ledger)
        diff.show_warnings(session)
        if not isinstance(expected, saved.SavedPlan):  # its agents existed then: who is gone since has moved
            session.check_agents(ledger)
        wait = LimitedWait(budget, context.deadline, session.now_ms, stop, context.announce_wait, context.clock)
        return _Run(context, session, ledger, cache, expected, stop, wait, begins_ledger).carry_out(asks=asks)


_FINISHING = b"finishing the calls under way; once more to leave at once (the next sync settles what is open)\n"


@dataclass(slots=True)
class _Run:
    """One sync under the ledger's lock; with something expected, of the plan that was reviewed and no other."""

    context: Context
    session: SyncSession
    ledger: Ledger
    cache: PictureStatCache
    expected: Expectation | None
    stop: Stop
    wait: Wait
    begins_ledger: bool  # whether a person has agreed to a ledger that doesn't know the accounts
    unknown: tuple[UnknownAccount, ...] = field(init=False, default=())  # those accounts
    stopped_by: ExitCode = field(init=False, default=ExitCode.DONE)

    def carry_out(self, *, asks: bool) -> ExitCode:
        """Plan, ask, apply and show what became of it.

        Nothing is written before Declined, StalePlan, GuardRefused, LedgerRefused about an account that the ledger
        doesn't know, or RosterRefused about a picture that is needed.
        """
        from profilectl.sync.outcomes import exit_code

        plan = self._plan()
        prepared = self._prepare(plan)
        if asks:
            self._ask(plan)
        self.session.register_accounts(self.ledger)
        self.session.begin_accounts(self.ledger, self.unknown)
        # Only now, because whoever says no leaves no file behind.
        self.cache.save(agent.avatar for agent in self.context.roster.agents)
        outcomes = self._apply(plan, prepared)
        code = self.stopped_by or exit_code(outcomes)
        self._show(plan, outcomes, code)
        return code

    def _plan(self) -> Plan:
        # A reviewed plan was made of one look at X's list, as `diff` takes; waiting could only make another plan.
        plan = self.session.plan(self.ledger, self.wait if self.expected is None else None)
        diff.show_warnings(self.session)
        self.unknown = self.session.check_ledger(self.ledger, self.context.kept_heads.ledger_of)
        if not self.begins_ledger:
            self.context.require_known(self.unknown)
        if self.expected is not None:
            self.expected.check(plan)
        if plan.refused is not None:
            if not self.context.wants_json:
                diff.show_plan(self.context, plan)
            allow = plan.refused.allow
            raise GuardRefused(plan.refused.message, hint=f"`{allow}` allows this plan" if allow else None)
        return plan

    def _prepare(self, plan: Plan) -> dict[str, PreparedPicture]:
        try:
            return self.session.prepare(plan)
        except RosterRefused:
            self.cache.clear()  # a picture isn't what it was taken for
            raise

    def _ask(self, plan: Plan) -> None:
        steps = sum(not change.is_blocked for change in plan.changes)
        if not steps:
            return
        diff.show_plan(self.context, plan)
        diff.show_limits(self.context, self.session.forecasts(plan, self.ledger))
        if not confirm("Apply 1 change?" if steps == 1 else f"Apply {steps} changes?"):
            raise Declined("nothing was changed")

    def _apply(self, plan: Plan, prepared: dict[str, PreparedPicture]) -> list[Outcome]:
        from profilectl.render.console import progress

        outcomes = []  # in the order in which they end, and shown in that of the plan
        with self._finishing_on_signals(), progress(len(plan.changes), "sync") as advance:
            for outcome in self.session.apply(plan, prepared, self.ledger, stop=self.stop, wait=self.wait):
                advance()
                outcomes.append(outcome)
        order = {change: place for place, change in enumerate(plan.changes)}
        return sorted(outcomes, key=lambda outcome: order.get(outcome.change, len(order)))

    @contextmanager
    def _finishing_on_signals(self) -> Iterator[None]:
        """Let the first Ctrl-C or SIGTERM finish the calls under way; a second one ends the program at once."""

        def finish(number: int, _frame: FrameType | None) -> None:
            if self.stop.requested:
                os._exit(self.stopped_by)  # the intents are durable, so nothing is lost by not waiting for X
            self.stopped_by = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
            self.stop.requested = True  # from here on a second signal ends us, with that code
            for client in self.session.clients.values():
                begin(client.interrupt)  # or a worker would sleep a limit out; in a thread, as we may hold its lock
            with suppress(OSError):  # nobody may be reading
                os.write(2, _FINISHING)  # not through sys.stderr, which the signal may have interrupted

        earlier = {number: signal.signal(number, finish) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def _show(self, plan: Plan, outcomes: Sequence[Outcome], code: ExitCode) -> None:
        from profilectl.render.phrases import failures, result
        from profilectl.render.tables import outcome_rows, outcome_table

        again = self.session.again_at(self.ledger, outcomes)
        self.context.output.show(
            json_documents.sync(plan.digest, outcomes, code, self.session.requests(), again),
            rows=tuple(outcome_rows(outcomes)),
            table=partial(outcome_table, outcomes),
        )
        diff.show_obstacles(self.context, (outcome.change for outcome in outcomes))
        for line in failures(outcome for outcome in outcomes if not outcome.change.is_blocked):
            info(line)
        if not self.context.is_quiet or code:
            info(result(outcomes, datetime.fromtimestamp(self.session.now_ms() / 1000, UTC), again))
