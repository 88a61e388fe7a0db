"""``sync``: the way of ``diff``, walked further."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.changes import Action
from profilectl.cli.context import Context
from profilectl.cli.diff import Agents, AllowDeletes, PruneNow, show_plan
from profilectl.cli.options import command
from profilectl.errors import ExitCode, GuardRefused, UsageError
from profilectl.ports import Stop
from profilectl.render import documents
from profilectl.render.consoles import draw, is_terminal, talk, write, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from profilectl.cli.gathering import Gathering
    from profilectl.ledger.base import Ledger
    from profilectl.model import PreparedPicture
    from profilectl.outcomes import Outcome
    from profilectl.plan import Plan

_NAP = 0.2  # seconds
_FINISHING = b"finishing the calls under way; once more to leave at once (the next sync settles what is open)\n"


def register(app: typer.Typer) -> None:
    """Add ``sync``."""
    app.command("sync")(command(sync))


def sync(
    context: Context,
    yes: Annotated[bool, typer.Option("--yes", help="Apply without asking.")] = False,
    agent: Agents = None,
    allow_deletes: AllowDeletes = None,
    prune_now: PruneNow = False,
    jobs: Annotated[int, typer.Option("--jobs", metavar="N", min=1, max=64, help="Calls at once.")] = 8,
    max_wait: Annotated[
        str, typer.Option("--max-wait", metavar="DURATION", help="Wait this long for another sync or for X.")
    ] = "10m",
) -> None:
    """Make X equal to the roster.

    Creates, replaces, retires, and destroys only what is ours. Asks on a terminal; elsewhere it needs --yes.
    """
    from profilectl.cli.gathering import Gathering, Selection
    from profilectl.roster.fields import parse_duration

    seconds = parse_duration(max_wait, "--max-wait")
    if not yes and not context.may_ask:
        raise UsageError(
            "nothing was changed: nobody is here to ask", hint="--yes applies the plan; `profilectl diff` only shows it"
        )
    gathering = Gathering(context, Selection(frozenset(agent or ()), allow_deletes, prune_now), jobs, seconds)
    gathering.check_accounts(context.ledger_for_reading())  # before a ledger is made for the wrong account
    ledger = context.ledger_for_writing()
    with ledger.lock(seconds, "profilectl sync", context.announce_wait):
        gathering.check_accounts(ledger)
        for brand in gathering.brands:
            ledger.claim(brand.key, gathering.accounts[brand.key], gathering.clients[brand.key].now_ms())
        gathering.check_agents(ledger)
        run = _Run(context, gathering, ledger, seconds)
        raise typer.Exit(run.carry_out(asks=not yes))


class _Run:
    """One sync, from its plan to its result."""

    def __init__(self, context: Context, gathering: Gathering, ledger: Ledger, max_wait: float) -> None:
        self.context = context
        self.gathering = gathering
        self.ledger = ledger
        self.max_wait = max_wait
        self.waited = 0.0  # seconds: the waits of a run add up
        self.stop = Stop()
        self.stopped_by = ExitCode.DONE

    def carry_out(self, *, asks: bool) -> ExitCode:
        from profilectl.outcomes import exit_code

        plan = self.gathering.plan(self.ledger, self.patience)
        if plan.refused is not None and not self.context.wants_json:
            show_plan(self.context, plan)
        if plan.refused is not None:
            allow = plan.refused.allow
            raise GuardRefused(plan.refused.message, hint=f"`{allow}` allows this plan" if allow else None)
        prepared = self.gathering.prepare(plan)
        steps = sum(change.action is not Action.BLOCKED for change in plan.changes)
        if asks and steps:
            show_plan(self.context, plan)
            if not typer.confirm("Apply 1 change?" if steps == 1 else f"Apply {steps} changes?", err=True):
                talk("nothing was changed")
                return ExitCode.INTERRUPTED
        order = {change: place for place, change in enumerate(plan.changes)}
        outcomes = sorted(self._watched(plan, prepared), key=lambda one: order.get(one.change, len(order)))
        code = self.stopped_by or exit_code(outcomes)
        self._report(plan, outcomes, code)
        return code

    def patience(self, seconds: float, why: str) -> bool:
        """Wait, when neither ``--max-wait`` nor ``--timeout`` forbids it."""
        if self.stop.requested or seconds > min(self.max_wait - self.waited, self.context.deadline.remaining()):
            return False
        self.waited += seconds
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
            self.stop.requested = True
            for client in self.gathering.clients.values():
                client.interrupt()  # or a worker would sleep a rate limit out
            self.stopped_by = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
            with suppress(OSError):  # nobody may be reading
                os.write(2, _FINISHING)  # not through sys.stderr, which the signal may have interrupted

        earlier = {number: signal.signal(number, finish) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    def _report(self, plan: Plan, outcomes: list[Outcome], code: ExitCode) -> None:
        from profilectl.outcomes import Status
        from profilectl.render.tables import outcome_rows, outcome_table
        from profilectl.render.wording import failure, obstacle, result

        if self.context.wants_json:
            document = documents.sync(plan.digest, outcomes, code, self.gathering.requests())
            write(documents.dump(document))
        elif not is_terminal(sys.stdout):
            write_rows(outcome_rows(outcomes))
        elif outcomes:
            draw(outcome_table(outcomes))
        for outcome in outcomes:
            if outcome.change.action is Action.BLOCKED:
                talk(obstacle(outcome.change, outcome.change.goal.name, self.context.again()))
            elif outcome.status is not Status.DONE:
                talk(failure(outcome))
        if not self.context.is_quiet or code:
            talk(result(outcomes))
