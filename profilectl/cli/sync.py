"""``sync``: apply the plan that `diff` shows."""

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
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli import diff
from profilectl.cli.context import Context
from profilectl.cli.options import Agents, Labels, Options, option
from profilectl.cli.prompts import confirm
from profilectl.errors import (
    CredentialsError,
    Declined,
    ExitCode,
    GuardRefused,
    ProfilesWithdrawn,
    RosterRefused,
    TryLater,
    UsageError,
)
from profilectl.model import PreparedPicture
from profilectl.plan import prices, saved
from profilectl.plan.notices import NoticeKind
from profilectl.plan.saved import Selection
from profilectl.render import json_documents
from profilectl.render.console import info, info_lines, is_terminal
from profilectl.roster.lookup import unknown_agent
from profilectl.roster.moves import require_current
from profilectl.roster.selectors import parse_labels
from profilectl.sync.ports import Stop
from profilectl.system import files
from profilectl.system.threads import begin
from profilectl.text.escape import visible

_MOST_QUESTIONS = 5  # a roster that never stands still isn't for a person to keep up with

if TYPE_CHECKING:
    from profilectl.api.retry import WaitBudget
    from profilectl.ledger.accounts import UnknownAccount
    from profilectl.ledger.protocol import Ledger
    from profilectl.pictures.stat_cache import PictureStatCache
    from profilectl.plan.builder import Plan
    from profilectl.plan.saved import Expectation, SavedPlan
    from profilectl.sync.outcomes import Outcome
    from profilectl.sync.ports import Wait
    from profilectl.sync.quota import Forecast
    from profilectl.sync.session import SyncSession


def sync(
    context: Context,
    yes: Annotated[bool, option("--yes", "Apply without asking.")] = False,
    plan: Annotated[Path | None, option("--plan PLAN", "Only this plan, which `diff --out` saved.")] = None,
    expect: Annotated[
        str | None, option("--expect DIGEST", "Only the plan of this digest, which `diff` shows.")
    ] = None,
    agent: Agents = None,
    label: Labels = None,
    allow_deletes: diff.AllowDeletes = None,
    allow_lost: diff.AllowLost = None,
    prune_now: diff.PruneNow = False,
    verify_avatars: diff.VerifyAvatars = False,
    jobs: Annotated[int, option("--jobs N", "Calls at once.", min=1, max=64)] = 8,
    max_wait: Annotated[str, option("--max-wait DURATION", "Wait this long for another sync or for X.")] = "10m",
    new_ledger: Annotated[bool, option("--new-ledger", "Begin a ledger for accounts that it doesn't know.")] = False,
) -> None:
    """Make X equal to the roster.

    Creates, replaces, retires, and destroys only what is ours. Asks on a terminal; elsewhere it needs --yes. While it
    asks, others may work; when that changes the plan, the new one is shown and asked about.

    With --plan or --expect it does what was reviewed, or nothing when anything has moved since. A saved plan names
    its brands and agents, and what was agreed to.
    """
    from profilectl.toml.rules import parse_duration

    context.require_admin("sync")
    seconds = parse_duration(max_wait, "--max-wait")
    if not yes:
        _require_person(context, agent or ())
    selection = Selection(
        frozenset(agent or ()), allow_deletes, allow_lost, prune_now, verify_avatars, parse_labels(label or ())
    )
    saved_plan = None
    if plan is not None:
        _refuse_beside_a_plan(context, selection, expect)
        saved_plan = read_plan(plan)
        context, selection = context.overridden_by(Options(brand=saved_plan.brands)), saved_plan.selection
        saved_plan.check_brands(context.roster.brands)
    expected = saved_plan if expect is None else saved.expected_digest(expect)
    code = _sync(context, selection, expected, jobs, seconds, asks=not yes, begins_ledger=new_ledger)
    if context.anchor_folder is not None:
        from profilectl.cli.audit.anchor import anchor

        anchor(context.reread())
    raise typer.Exit(code)


def _require_person(context: Context, agents: Sequence[str]) -> None:
    if not context.may_ask:
        _require_named(context, agents)  # or the same command with --yes would be refused as well
        raise UsageError(
            "nothing was changed: there is no terminal to ask on",
            hint="--yes applies the plan; `profilectl diff` only shows it",
        )


def _require_named(context: Context, agents: Sequence[str]) -> None:
    """Refuse a brand that the roster doesn't have, and an agent whom neither it nor the ledger knows; X isn't asked."""
    if context.chosen_brands():
        context.brands()
    unknown = set(agents) - {agent.key for agent in context.roster.agents} if agents else set[str]()
    if not unknown:
        return
    require_current(sorted(unknown), context.roster.moved)
    ledger = context.ledger_for_reading()
    for state in map(ledger.state_of, ledger.user_ids()):
        unknown -= {binding.agent for binding in state.bindings} | {retired.agent for retired in state.retired}
        unknown -= {intent.agent for intent in state.intents}
    for key in sorted(unknown):
        raise unknown_agent(key, {agent.key for agent in context.roster.agents})


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
    """Make one run; `seconds` is the longest wait for the lock, and for X."""
    from profilectl.api.retry import WaitBudget

    context.brands()  # a roster that can't be used is refused before any wait; what counts is read again under the lock
    looks = _Looks(context, selection, expected, jobs, seconds, WaitBudget(seconds), begins_ledger)
    return looks.ask_and_apply() if asks else looks.apply()


@dataclass(slots=True)
class _Looks:
    """One sync: everything is read under the lock, and again after each question, which is asked without it."""

    context: Context
    selection: Selection
    expected: Expectation | None
    jobs: int
    max_wait: float  # seconds
    budget: WaitBudget
    begins_ledger: bool  # whether a person has agreed to a ledger that doesn't know the accounts
    stop: Stop = field(default_factory=Stop)
    warnings: set[str] = field(default_factory=set)  # those that were shown
    requests: Counter[str] = field(default_factory=Counter)  # of the looks that are over

    def apply(self) -> ExitCode:
        """Apply what is planned under the lock; errors as for `_Run.plan`."""
        with self._locked() as run:
            plan = run.plan()
            return run.carry_out(plan, run.prepare(plan, uploads=True))

    def ask_and_apply(self) -> ExitCode:
        """Ask about the plan, and apply it when it is still the same afterwards; otherwise ask about the new one.

        Raises:
            Declined: a person said no.
            TryLater: the plan changed during every question.
        """
        agreed = ""  # the digest of the plan to which a person said yes
        prepared: dict[str, PreparedPicture] = {}
        for number in range(_MOST_QUESTIONS + 1):
            with self._locked() as run:
                plan = run.plan()
                if plan.digest != agreed:  # equal digests mean the same pictures
                    prepared = run.prepare(plan)
                if plan.digest == agreed or not _steps(plan):
                    return run.carry_out(plan, prepared)
                forecasts = run.session.forecasts(plan, run.ledger)
                self.requests.update(run.session.requests())
            if number == _MOST_QUESTIONS:
                break
            if agreed:
                info("the plan has changed since you were asked; this is what sync would do now")
            agreed = self._ask(plan, forecasts, diff.where_of(run.context, run.session))
        raise TryLater(
            f"nothing was changed: the plan changed during each of {_MOST_QUESTIONS} questions",
            hint="run it again when nobody else works on the roster; --yes applies what is true at that moment",
        )

    def _ask(self, plan: Plan, forecasts: Sequence[Forecast], where: str) -> str:
        """Return the digest of the plan when a person agrees to it; Declined when not."""
        from profilectl.render.phrases import steps

        diff.show_plan(self.context, plan, where)
        diff.show_limits(self.context, forecasts, prices.cost_of_plan(plan, self.context.prices))
        if not confirm(f"Apply {steps(plan)} at {where}?"):
            raise Declined("nothing was changed")
        return plan.digest

    @contextmanager
    def _locked(self) -> Iterator[_Run]:
        """Hold the lock of the ledger that is the right one by now, and look at everything under it."""
        context = self.context.reread()
        ledger = context.ledger_for_writing(is_thorough=True)
        if context.anchor_folder is not None:
            from profilectl.cli.audit.anchor import require_anchored

            require_anchored(context, ledger, context.ledger_place)
        accounts = _known_accounts(self.context, ledger)  # not by the roster that counts: that is read under the lock
        with ledger.lock(self.max_wait, "profilectl sync", self._announce_lock, accounts):
            run = self._look(context, ledger)
            if accounts and not accounts.issuperset(account.user_id for account in run.session.accounts.values()):
                what = "nothing was changed: the roster was given other brands while this run waited"
                raise TryLater(what, hint="run it again")
            yield run
        ledger.close()  # so that it can be moved while a question is asked; an error leaves that to the command's end

    @property
    def _goes_on(self) -> bool:
        return self.expected is None  # a reviewed plan is applied as a whole

    def _announce_lock(self, seconds: float, holder: str) -> None:
        errors = []
        for brand in self.context.brands():  # who has no credentials needn't wait to learn it
            try:
                self.context.credentials(brand)
            except CredentialsError as error:
                errors.append(error)
        if errors and (not self._goes_on or len(errors) == len(self.context.brands())):
            raise errors[0]
        self.context.announce_wait(seconds, holder)

    def _look(self, context: Context, ledger: Ledger) -> _Run:
        from profilectl.sync.session import LimitedWait

        cache = context.picture_cache
        session = diff.open_session(
            context, context.brands(), self.selection, self.jobs, self.budget, cache, goes_on=self._goes_on
        )
        session.tells_once = context.is_quiet
        wait = LimitedWait(
            self.budget, context.deadline, session.now_ms, self.stop, context.announce_wait, context.clock
        )
        run = _Run(context, session, ledger, cache, self, wait)
        session.check_accounts(ledger)
        run.show_warnings()
        if not isinstance(self.expected, saved.SavedPlan):  # its agents existed then: who is gone since has moved
            diff.check_agents(session, ledger)
        return run


def _known_accounts(context: Context, ledger: Ledger) -> frozenset[str]:
    """Return the user ids of the brands that take part, nothing when the ledger doesn't know one of them yet."""
    accounts = [ledger.account_of(brand.key) for brand in context.brands()]
    known = frozenset(account.user_id for account in accounts if account is not None)
    return known if None not in accounts else frozenset()


def _steps(plan: Plan) -> int:
    return sum(not change.is_blocked for change in plan.changes)


_FINISHING = b"finishing the calls under way; once more to leave at once (the next sync settles what is open)\n"


@dataclass(slots=True)
class _Run:
    """One look under the ledger's lock, and what is done about it."""

    context: Context
    session: SyncSession
    ledger: Ledger
    cache: PictureStatCache
    looks: _Looks
    wait: Wait
    unknown: tuple[UnknownAccount, ...] = field(init=False, default=())  # accounts that the ledger doesn't know
    stopped_by: ExitCode = field(init=False, default=ExitCode.DONE)
    seconds: float = field(init=False, default=0.0)  # that the steps took

    def plan(self) -> Plan:
        """Return the plan; nothing is written.

        Raises:
            LedgerRefused: the ledger may not be the right one for an account.
            StalePlan: it isn't the plan that was reviewed.
            GuardRefused: it may not be applied.
        """
        expected = self.looks.expected
        # A reviewed plan was made of one look at X's list, as `diff` takes; waiting could only make another plan.
        plan = self._plan(self.wait if expected is None else None)
        self.show_warnings()
        self.unknown = self.session.check_ledger(self.ledger, self.context.kept_heads.ledger_of)
        if not self.looks.begins_ledger:
            self.context.require_known(self.unknown)
        if expected is not None:
            expected.check(plan)
        if plan.refused is not None:
            if not self.context.wants_json:
                diff.show_plan(self.context, plan, diff.where_of(self.context, self.session))
            allow = plan.refused.allow
            raise GuardRefused(plan.refused.message, hint=f"`{allow}` allows this plan" if allow else None)
        return plan

    def _plan(self, wait: Wait | None) -> Plan:
        try:
            plan = self.session.plan(self.ledger, wait)
        except ProfilesWithdrawn as withdrawal:
            self.session.record_access(self.ledger)
            if self.session.tells_once and withdrawal.since is not None and not self.context.wants_json:
                raise typer.Exit(withdrawal.exit_code) from withdrawal  # cron's users were told by the first run
            raise
        self.session.record_access(self.ledger)
        return plan

    def prepare(self, plan: Plan, *, uploads: bool = False) -> dict[str, PreparedPicture]:
        """Return the pictures that the plan uploads, and begin with that; RosterRefused when one can't be used."""
        try:
            if uploads:
                with self._finishing_on_signals():
                    return self.session.upload_ahead(plan, self.ledger, stop=self.looks.stop, wait=self.wait)
            return self.session.prepare(plan)
        except RosterRefused:
            self.cache.clear()
            raise

    def show_warnings(self) -> None:
        """Write the session's warnings so far to stderr, each once in the whole command."""
        for line in self.session.pop_warnings():
            if line not in self.looks.warnings:
                self.looks.warnings.add(line)
                info(line)

    def carry_out(self, plan: Plan, prepared: dict[str, PreparedPicture]) -> ExitCode:
        """Apply the plan of this look, and show what became of it."""
        from profilectl.sync.outcomes import exit_code

        self.session.register_accounts(self.ledger)
        self.session.begin_accounts(self.ledger, self.unknown)
        # who may only send can't make one where the ledger is on PostgreSQL
        self.ledger.text_key(f"{datetime.fromtimestamp(self.session.now_ms() / 1000, UTC):%Y-%m}")
        policy = self.context.policy_digest()
        self.session.record_run(plan, self.ledger, policy=policy, unknown=self.unknown)
        self.session.record_pixels(self.ledger, prepared)
        # Only now, because whoever says no leaves no file behind.
        self.cache.save(agent.avatar for agent in self.context.roster.agents)
        began = time.monotonic()
        outcomes = self._apply(plan, prepared)
        self.seconds = time.monotonic() - began
        self._keep(prepared)
        code = self.stopped_by or diff.with_left_out(exit_code(outcomes), self.session.left_out)
        self._show(plan, outcomes, code)
        return code

    def _keep(self, prepared: dict[str, PreparedPicture]) -> None:
        pictures = {picture.digest: picture for picture in self.session.pictures.values()}
        for digest, picture in prepared.items():
            self.context.prepared_cache.keep(pictures[digest], picture)
        self.context.prepared_cache.trim()

    def _apply(self, plan: Plan, prepared: dict[str, PreparedPicture]) -> list[Outcome]:
        from profilectl.render.console import progress

        outcomes = []  # in the order in which they end, and shown in that of the plan
        # In the order in which they are begun: those that nothing is done about end at once.
        names = [change.agent for change in sorted(plan.changes, key=lambda change: not change.creates)]
        with self._finishing_on_signals(), progress(names) as advance:
            for outcome in self.session.apply(plan, prepared, self.ledger, stop=self.looks.stop, wait=self.wait):
                advance(outcome.change.agent)
                outcomes.append(outcome)
        order = {change: place for place, change in enumerate(plan.changes)}
        return sorted(outcomes, key=lambda outcome: order.get(outcome.change, len(order)))

    @contextmanager
    def _finishing_on_signals(self) -> Iterator[None]:
        """Let the first Ctrl-C or SIGTERM finish the calls under way; a second one ends the program at once."""

        def finish(number: int, _frame: FrameType | None) -> None:
            if self.looks.stop.requested:
                os._exit(self.stopped_by)  # the intents are durable, so nothing is lost by not waiting for X
            self.stopped_by = ExitCode.INTERRUPTED if number == signal.SIGINT else ExitCode.TERMINATED
            self.looks.stop.requested = True  # from here on a second signal ends us, with that code
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
        from profilectl.render.phrases import failures, result, spellings
        from profilectl.render.tables import outcome_rows, outcome_table

        self.show_warnings()
        again = self.session.again_at(self.ledger, outcomes)
        requests = {kind: number + self.looks.requests[kind] for kind, number in self.session.requests().items()}
        self.context.output.show(
            json_documents.sync(plan.digest, outcomes, code, requests, again, self.session.left_out),
            rows=tuple(outcome_rows(outcomes)),
            table=partial(outcome_table, outcomes),
        )
        diff.show_obstacles(self.context, (outcome.change for outcome in outcomes))
        for line in spellings(outcomes):
            info(line)
        diff.show_notices(self.context, (notice for notice in plan.notices if notice.kind is NoticeKind.SETTLING))
        tried = [outcome for outcome in outcomes if not outcome.change.is_blocked]
        for line in failures(tried, is_stopped=bool(self.stopped_by)):
            info_lines(line)
        if not self.context.is_quiet or code:
            now, where = (
                datetime.fromtimestamp(self.session.now_ms() / 1000, UTC),
                diff.where_of(self.context, self.session),
            )
            info(result(outcomes, now, again, where, self.seconds if is_terminal(sys.stderr) else None))
