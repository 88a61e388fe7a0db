"""One run of ``sync``, from its plan to its result."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from profilectl.background import begin
from profilectl.changes import Action
from profilectl.cli.consent import confirm
from profilectl.cli.diff import show_plan, tell_limits
from profilectl.errors import Declined, ExitCode, GuardRefused, RosterRefused
from profilectl.ports import Stop
from profilectl.render import documents
from profilectl.render.consoles import draw, is_terminal, talk, write, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from profilectl.cli.context import Context
    from profilectl.cli.gathering import Gathering
    from profilectl.cli.saved_plan import Expectation
    from profilectl.ledger.base import Ledger
    from profilectl.model import PreparedPicture
    from profilectl.outcomes import Outcome
    from profilectl.plan import Plan

_NAP = 0.2  # seconds
_FINISHING = b"finishing the calls under way; once more to leave at once (the next sync settles what is open)\n"


class Run:
    """One sync under the ledger's lock; with something expected, of the plan that was reviewed and no other."""

    def __init__(
        self,
        context: Context,
        gathering: Gathering,
        ledger: Ledger,
        expected: Expectation | None = None,
    ) -> None:
        self.context = context
        self.gathering = gathering
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
        from profilectl.outcomes import exit_code

        plan = self._plan()
        if plan.refused is not None and not self.context.wants_json:
            show_plan(self.context, plan)
        if plan.refused is not None:
            allow = plan.refused.allow
            raise GuardRefused(plan.refused.message, hint=f"`{allow}` allows this plan" if allow else None)
        try:
            prepared = self.gathering.prepare(plan)
        except RosterRefused:
            self.gathering.forget_pictures()
            raise
        steps = sum(change.action is not Action.BLOCKED for change in plan.changes)
        if asks and steps:
            show_plan(self.context, plan)
            tell_limits(self.context, self.gathering.forecasts(plan, self.ledger))
            if not confirm("Apply 1 change?" if steps == 1 else f"Apply {steps} changes?"):
                raise Declined("nothing was changed")
        self._claim()
        self.context.remember_roster()
        self.gathering.remember_pictures()
        order = {change: place for place, change in enumerate(plan.changes)}
        outcomes = sorted(self._watched(plan, prepared), key=lambda one: order.get(one.change, len(order)))
        code = self.stopped_by or exit_code(outcomes)
        self._report(plan, outcomes, code)
        return code

    def _plan(self) -> Plan:
        """Plan once; as ``diff`` does, without patience, when what it showed is expected."""
        if self.expected is None:
            return self.gathering.plan(self.ledger, self.patience)
        plan = self.gathering.plan(self.ledger, None)
        self.expected.check(plan)
        return plan

    def _claim(self) -> None:
        """Remember which accounts the brands stand for."""
        for brand in self.gathering.brands:
            now_ms = self.gathering.clients[brand.key].now_ms()
            self.ledger.claim(brand.key, self.gathering.accounts[brand.key], now_ms)

    def patience(self, seconds: float, why: str) -> bool:
        """Wait, when neither ``--max-wait`` nor ``--timeout`` forbids it."""
        now = self.gathering.now_ms() / 1000
        if self.stop.requested or seconds > self.context.deadline.remaining():
            return False
        if self.gathering.allowance.take(now, now + seconds) is None:
            return False
        self.context.announce_wait(seconds, why)
        end = time.monotonic() + seconds
        while not self.stop.requested and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _NAP))  # a sleep goes on after a signal, so it has to be a short one
        return not self.stop.requested

    def _watched(self, plan: Plan, prepared: dict[str, PreparedPicture]) -> Iterator[Outcome]:
        """Apply the plan under a progress bar and behind signals that let the step in hand finish."""
        from profilectl.render.progress import progress
        from profilectl.sync import synchronise

        steps = synchronise(plan, self._carrier(prepared), self._plan_again, self.stop)
        with self._finishing_on_signals(), progress(len(plan.changes), "sync") as advance:
            for outcome in steps:
                advance()
                yield outcome

    def _carrier(self, prepared: dict[str, PreparedPicture]) -> Callable[[Plan], Iterator[Outcome]]:
        from profilectl.execution import apply

        prune = self.gathering.selection.prune_now or self.context.roster.policy.retire_after == 0
        return lambda plan: apply(
            plan,
            self.gathering.stations,
            self.ledger,
            prepared,
            jobs=self.gathering.jobs,
            stop=self.stop,
            patience=self.patience,
            prune_at_once=prune,
        )

    def _plan_again(self, brands: frozenset[str], agents: frozenset[str]) -> Plan:
        return self.gathering.plan(self.ledger, self.patience, brands=brands, agents=agents)

    @contextmanager
    def _finishing_on_signals(self) -> Iterator[None]:
        """Let the first Ctrl-C or SIGTERM finish the calls under way; a second one ends the program at once."""

        def finish(number: int, _frame: FrameType | None) -> None:
            if self.stop.requested:
                os._exit(self.stopped_by)  # the intents are durable; waiting for X is what nobody wants any more
            self.stopped_by = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
            self.stop.requested = True  # from here on a second signal ends us, with that code
            for client in self.gathering.clients.values():
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
        from profilectl.render.tables import outcome_rows, outcome_table
        from profilectl.render.wording import failures, obstacle, result

        again = self.gathering.again_at(self.ledger, outcomes)
        if self.context.wants_json:
            document = documents.sync(plan.digest, outcomes, code, self.gathering.requests(), again)
            write(documents.dump(document))
        elif not is_terminal(sys.stdout):
            write_rows(outcome_rows(outcomes))
        elif outcomes:
            draw(outcome_table(outcomes))
        for outcome in outcomes:
            if outcome.change.action is Action.BLOCKED:
                talk(obstacle(outcome.change, outcome.change.goal.name, self.context.again()))
        for line in failures(outcome for outcome in outcomes if outcome.change.action is not Action.BLOCKED):
            talk(line)
        if not self.context.is_quiet or code:
            talk(result(outcomes, datetime.fromtimestamp(self.gathering.now_ms() / 1000, UTC), again))
