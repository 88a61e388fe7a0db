"""``sync``: the way of ``diff``, walked further."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli.authority import require_admin
from profilectl.cli.context import Context
from profilectl.cli.diff import Agents, AllowDeletes, PruneNow, VerifyAvatars, show_plan, tell_limits
from profilectl.cli.options import Options, command
from profilectl.cli.prompts import confirm
from profilectl.errors import Declined, ExitCode, GuardRefused, RosterRefused, UsageError
from profilectl.plan.changes import Action
from profilectl.render import documents
from profilectl.render.console import draw, info, is_terminal, out, write_rows
from profilectl.sync.ports import Stop
from profilectl.system.threads import begin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from profilectl.cli.context import Context
    from profilectl.ledger.protocol import Ledger
    from profilectl.model import PreparedPicture
    from profilectl.plan.builder import Plan
    from profilectl.plan.saved import Expectation
    from profilectl.sync.outcomes import Outcome
    from profilectl.sync.session import Selection, SyncSession


def register(app: typer.Typer) -> None:
    """Add ``sync``."""
    app.command("sync")(command(sync))


def sync(
    context: Context,
    yes: Annotated[bool, typer.Option("--yes", help="Apply without asking.")] = False,
    plan: Annotated[
        Path | None, typer.Option("--plan", metavar="PLAN", help="Only this plan, which `diff --out` saved.")
    ] = None,
    expect: Annotated[
        str | None, typer.Option("--expect", metavar="DIGEST", help="Only the plan of this digest, which `diff` shows.")
    ] = None,
    agent: Agents = None,
    allow_deletes: AllowDeletes = None,
    prune_now: PruneNow = False,
    verify_avatars: VerifyAvatars = False,
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", min=1, max=64, help="Calls at once.")] = 8,
    max_wait: Annotated[
        str, typer.Option("--max-wait", metavar="DURATION", help="Wait this long for another sync or for X.")
    ] = "10m",
) -> None:
    """Make X equal to the roster.

    Creates, replaces, retires, and destroys only what is ours. Asks on a terminal; elsewhere it needs --yes.

    With --plan or --expect it does what was reviewed, or nothing when anything has moved since. A saved plan brings its
    brands, its agents and what was agreed to along.
    """
    from profilectl.plan.saved import expected_digest, read
    from profilectl.sync.session import Selection, SyncSession
    from profilectl.toml.rules import parse_duration

    require_admin(context, "sync")
    seconds = parse_duration(max_wait, "--max-wait")
    _require_somebody_to_agree(context, yes=yes)
    selection = Selection(frozenset(agent or ()), allow_deletes, prune_now, verify_avatars)
    saved = None
    if plan is not None:
        _refuse_beside_a_plan(context, selection, expect)
        saved = read(plan)
        context, selection = context.overridden_by(Options(brand=saved.brands)), saved.selection
        saved.check_brands(context.roster.brands)
    expected = saved if expect is None else expected_digest(expect)
    session = SyncSession(context, selection, jobs, seconds)
    session.check_accounts(context.ledger_for_reading())  # before a ledger is made for the wrong account
    ledger = context.ledger_for_writing()
    with ledger.lock(seconds, "profilectl sync", context.announce_wait):
        session.check_accounts(ledger)
        if saved is None:  # whom a saved plan is about was somebody then, and is a part of what may have moved
            session.check_agents(ledger)
        run = Run(context, session, ledger, expected)
        raise typer.Exit(run.carry_out(asks=not yes))


def _require_somebody_to_agree(context: Context, *, yes: bool) -> None:
    if not yes and not context.may_ask:
        raise UsageError(
            "nothing was changed: nobody is here to ask", hint="--yes applies the plan; `profilectl diff` only shows it"
        )


def _refuse_beside_a_plan(context: Context, selection: Selection, expect: str | None) -> None:
    """Refuse the options that a saved plan answers already."""
    from profilectl.sync.session import Selection

    if expect is not None:
        raise UsageError("--plan and --expect exclude each other", hint="a saved plan knows its digest")
    if context.options.brand or selection != Selection():
        raise UsageError(
            "a saved plan says itself which brands and agents it is about, and what was agreed to",
            hint="leave the other options away, or save another plan with them: `profilectl diff --out`",
        )


_NAP = 0.2  # seconds
_FINISHING = b"finishing the calls under way; once more to leave at once (the next sync settles what is open)\n"


class Run:
    """One sync under the ledger's lock; with something expected, of the plan that was reviewed and no other."""

    def __init__(
        self,
        context: Context,
        session: SyncSession,
        ledger: Ledger,
        expected: Expectation | None = None,
    ) -> None:
        self.context = context
        self.session = session
        self.ledger = ledger
        self.expected = expected
        self.stop = Stop()
        self.stopped_by = ExitCode.DONE

    def carry_out(self, *, asks: bool) -> ExitCode:
        """Plan, ask, apply and report.

        Raises:
            Declined: the person who was asked said no; nothing is written.
            StalePlan: the plan isn't the expected one; nothing is written.
            GuardRefused: the plan looks like an accident; nothing is written.
            RosterRefused: a picture that the plan needs can't be used; nothing is written.
        """
        from profilectl.sync.outcomes import exit_code

        plan = self._plan()
        if plan.refused is not None and not self.context.wants_json:
            show_plan(self.context, plan)
        if plan.refused is not None:
            allow = plan.refused.allow
            raise GuardRefused(plan.refused.message, hint=f"`{allow}` allows this plan" if allow else None)
        try:
            prepared = self.session.prepare(plan)
        except RosterRefused:
            self.session.forget_pictures()
            raise
        steps = sum(change.action is not Action.BLOCKED for change in plan.changes)
        if asks and steps:
            show_plan(self.context, plan)
            tell_limits(self.context, self.session.forecasts(plan, self.ledger))
            if not confirm("Apply 1 change?" if steps == 1 else f"Apply {steps} changes?"):
                raise Declined("nothing was changed")
        self._claim()
        self.session.remember_pictures()
        order = {change: place for place, change in enumerate(plan.changes)}
        outcomes = sorted(self._watched(plan, prepared), key=lambda one: order.get(one.change, len(order)))
        code = self.stopped_by or exit_code(outcomes)
        self._report(plan, outcomes, code)
        return code

    def _plan(self) -> Plan:
        """Plan once; as ``diff`` does, without patience, when what it showed is expected."""
        if self.expected is None:
            return self.session.plan(self.ledger, self.patience)
        plan = self.session.plan(self.ledger, None)
        self.expected.check(plan)
        return plan

    def _claim(self) -> None:
        """Remember which accounts the brands stand for."""
        for brand in self.session.brands:
            now_ms = self.session.clients[brand.key].now_ms()
            self.ledger.register_account(brand.key, self.session.accounts[brand.key], now_ms)

    def patience(self, seconds: float, why: str) -> bool:
        """Wait, when neither ``--max-wait`` nor ``--timeout`` forbids it."""
        now = self.session.now_ms() / 1000
        if self.stop.requested or seconds > self.context.deadline.remaining():
            return False
        if self.session.wait_budget.take(now, now + seconds) is None:
            return False
        self.context.announce_wait(seconds, why)
        end = time.monotonic() + seconds
        while not self.stop.requested and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _NAP))  # a sleep goes on after a signal, so it has to be a short one
        return not self.stop.requested

    def _watched(self, plan: Plan, prepared: dict[str, PreparedPicture]) -> Iterator[Outcome]:
        """Apply the plan under a progress bar and behind signals that let the step in hand finish."""
        from profilectl.render.console import progress
        from profilectl.sync.engine import synchronise

        steps = synchronise(plan, self._carrier(prepared), self._plan_again, self.stop)
        with self._finishing_on_signals(), progress(len(plan.changes), "sync") as advance:
            for outcome in steps:
                advance()
                yield outcome

    def _carrier(self, prepared: dict[str, PreparedPicture]) -> Callable[[Plan], Iterator[Outcome]]:
        from profilectl.sync.apply import apply

        prune = self.session.selection.prune_now or self.context.roster.policy.retire_after == 0
        return lambda plan: apply(
            plan,
            self.session.targets,
            self.ledger,
            prepared,
            jobs=self.session.jobs,
            stop=self.stop,
            patience=self.patience,
            prune_at_once=prune,
        )

    def _plan_again(self, brands: frozenset[str], agents: frozenset[str]) -> Plan:
        return self.session.plan(self.ledger, self.patience, brands=brands, agents=agents)

    @contextmanager
    def _finishing_on_signals(self) -> Iterator[None]:
        """Let the first Ctrl-C or SIGTERM finish the calls under way; a second one ends the program at once."""

        def finish(number: int, _frame: FrameType | None) -> None:
            if self.stop.requested:
                os._exit(self.stopped_by)  # the intents are durable; waiting for X is what nobody wants any more
            self.stopped_by = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
            self.stop.requested = True  # from here on a second signal ends us, with that code
            for client in self.session.clients.values():
                begin(client.interrupt)  # or a worker would sleep a limit out; beside us, as we may hold its lock
            with suppress(OSError):  # nobody may be reading
                os.write(2, _FINISHING)  # not through sys.stderr, which the signal may have interrupted

        earlier = {number: signal.signal(number, finish) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def _report(self, plan: Plan, outcomes: list[Outcome], code: ExitCode) -> None:
        from profilectl.render.phrases import failures, obstacle, result
        from profilectl.render.tables import outcome_rows, outcome_table

        again = self.session.again_at(self.ledger, outcomes)
        if self.context.wants_json:
            document = documents.sync(plan.digest, outcomes, code, self.session.requests(), again)
            out(documents.dump(document))
        elif not is_terminal(sys.stdout):
            write_rows(outcome_rows(outcomes))
        elif outcomes:
            draw(outcome_table(outcomes))
        for outcome in outcomes:
            if outcome.change.action is Action.BLOCKED:
                info(obstacle(outcome.change, outcome.change.goal.name, self.context.again()))
        for line in failures(outcome for outcome in outcomes if outcome.change.action is not Action.BLOCKED):
            info(line)
        if not self.context.is_quiet or code:
            info(result(outcomes, datetime.fromtimestamp(self.session.now_ms() / 1000, UTC), again))
