"""``sync``: apply the plan that `diff` shows."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from profilectl.cli import diff
from profilectl.cli.context import Context
from profilectl.cli.options import Agents, Labels, Options, option
from profilectl.cli.prompts import confirm
from profilectl.cli.sync_run import SyncRun, Terms
from profilectl.errors import CredentialsError, Declined, ExitCode, RosterRefused, TryLater, UsageError
from profilectl.model import PreparedPicture
from profilectl.plan import prices, saved
from profilectl.plan.saved import Selection
from profilectl.render.console import info
from profilectl.roster.lookup import unknown_agent
from profilectl.roster.moves import require_current
from profilectl.roster.selectors import parse_labels
from profilectl.system import files
from profilectl.text.escape import visible

_MAILED_PROBLEMS = 3  # of a roster, in a timer's mail
_MOST_QUESTIONS = 5  # a roster that never stands still isn't for a person to keep up with
_DECODED_FIRST = 40
"""Pictures that a first sync decodes before it begins a ledger, so that a bad one leaves none behind.

More are decoded while the first are uploaded, as a large team's take seconds (`benchmarks latency`): then a bad one may
leave an empty ledger, with which the next run goes on.
"""

if TYPE_CHECKING:
    from profilectl.api.retry import WaitBudget
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.plan.builder import Plan
    from profilectl.plan.saved import Expectation, SavedPlan
    from profilectl.sync.quota import Forecast


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
    new_ledger: Annotated[
        bool, option("--new-ledger", "Begin a ledger although X has profiles: all those stay strangers'.")
    ] = False,
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
    with _few_problems_when_quiet(context):
        code = _sync(context, selection, expected, jobs, seconds, asks=not yes, begins_ledger=new_ledger)
    if context.anchor_folder is not None:
        from profilectl.cli.audit.anchor import anchor

        anchor(context.reread())
    raise typer.Exit(code)


@contextmanager
def _few_problems_when_quiet(context: Context) -> Iterator[None]:
    """Show only the first problems of a refused roster where nobody looks: each of a timer's runs mails them anew."""
    try:
        yield
    except RosterRefused as error:
        if not context.is_quiet or len(error.problems) <= _MAILED_PROBLEMS:
            raise
        message = f"{error.message}: `profilectl roster check` shows all"
        raise RosterRefused(message, problems=error.problems[:_MAILED_PROBLEMS], hint=error.hint) from None


def _require_person(context: Context, agents: Sequence[str]) -> None:
    if not context.may_ask:
        _require_named(context, agents)  # or the same command with --yes would be refused as well
        raise UsageError(
            f"nothing was changed: {context.cannot_ask}",
            hint="--yes applies the plan; `profilectl diff` only shows it",
        )


def _require_named(context: Context, agents: Sequence[str]) -> None:
    """Refuse a roster that can't be read, and brands and agents that nobody knows; X isn't asked."""
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
    looks = _Looks(context, selection, jobs, seconds, WaitBudget(seconds), Terms(expected, begins_ledger))
    return looks.ask_and_apply() if asks else looks.apply()


@dataclass(slots=True)
class _Looks:
    """One sync: everything is read under the lock, and again after each question, which is asked without it."""

    context: Context
    selection: Selection
    jobs: int
    max_wait: float  # seconds
    budget: WaitBudget
    terms: Terms
    has_waited: bool = False  # for the lock

    def apply(self) -> ExitCode:
        """Apply what is planned under the lock; errors as for `SyncRun.plan`."""
        first = self._first_look()
        if first is not None:
            plan = first.plan(None)
            if sum(change.creates for change in plan.changes) <= _DECODED_FIRST:
                first.prepare(plan)  # each is decoded once: what comes of it is taken under the lock
        with self._locked(first) as (run, ledger):
            plan = run.plan(ledger)
            return run.carry_out(plan, run.prepare(plan, ledger), ledger)

    def ask_and_apply(self) -> ExitCode:
        """Ask about the plan, and apply it when it is still the same afterwards; otherwise ask about the new one.

        Raises:
            Declined: a person said no.
            TryLater: the plan changed during every question.
        """
        agreed, prepared = self._agree_to_first()  # the digest of the plan to which a person said yes
        for number in range(_MOST_QUESTIONS + 1):
            with self._locked() as (run, ledger):
                plan = run.plan(ledger)
                if plan.digest != agreed:  # equal digests mean the same pictures
                    prepared = run.prepare(plan)
                if plan.digest == agreed or not _steps(plan):
                    return run.carry_out(plan, prepared, ledger)
                forecasts = run.session.forecasts(plan, ledger)
            if number == _MOST_QUESTIONS:
                break
            if agreed:
                info("the plan has changed since you were asked; this is what sync would do now")
            agreed = self._ask(run, plan, forecasts)
        raise TryLater(
            f"nothing was changed: the plan changed during each of {_MOST_QUESTIONS} questions",
            hint="run it again when nobody else works on the roster; --yes applies what is true at that moment",
        )

    def _agree_to_first(self) -> tuple[str, dict[str, PreparedPicture]]:
        """Ask about the plan where there is no ledger yet, and return its digest and pictures; else nothing."""
        run = self._first_look()
        if run is None:
            return "", {}
        plan = run.plan(None)
        prepared = run.prepare(plan)
        if not _steps(plan):
            return plan.digest, prepared
        return self._ask(run, plan, run.session.forecasts(plan, run.known)), prepared

    def _ask(self, run: SyncRun, plan: Plan, forecasts: Sequence[Forecast]) -> str:
        """Return the digest of the plan when a person agrees to it; Declined when not."""
        from profilectl.render.phrases import steps

        self.terms.requests.update(run.session.requests())
        where = diff.where_of(run.context, run.session)
        diff.show_plan(self.context, plan, where)
        diff.show_limits(self.context, forecasts, prices.cost_of_plan(plan, self.context.prices))
        if not confirm(f"Apply {steps(plan)} at {where}?"):
            raise Declined("nothing was changed")
        return plan.digest

    def _first_look(self) -> SyncRun | None:
        """Look at everything where there is no ledger yet, as that begins with what is done; None where there is one.

        What is refused leaves nothing behind then.
        """
        context = self.context.reread()
        place = context.ledger_place
        if isinstance(place, Path) and not _can_begin(place):
            return None
        ledger = context.ledger_for_reading()
        if not isinstance(place, Path) and not _is_missing(ledger):  # only the database itself knows
            ledger.close()
            return None
        _require_anchored(context, ledger)
        return self._look(context, ledger)

    @contextmanager
    def _locked(self, first: SyncRun | None = None) -> Iterator[tuple[SyncRun, Ledger]]:
        """Hold the lock of the ledger that is the right one by now, and look at everything under it.

        A `first` look counts unless there was a wait since, or somebody has begun a ledger.
        """
        context = (self.context if first is None else first.context).reread()
        ledger = context.ledger_for_writing(is_thorough=True)
        if first is None:
            _require_anchored(context, ledger)
        accounts = _known_accounts(self.context, ledger)  # not by the roster that counts: that is read under the lock
        with ledger.lock(self.max_wait, "profilectl sync", self._announce_lock, accounts):
            is_true = not self.has_waited and not _is_begun(ledger)
            run = first if first is not None and is_true else self._look(context, ledger)
            if accounts and not accounts.issuperset(account.user_id for account in run.session.accounts.values()):
                what = "nothing was changed: the roster was given other brands while this run waited"
                raise TryLater(what, hint="run it again")
            yield run, ledger
        ledger.close()  # so that it can be moved while a question is asked; an error leaves that to the command's end

    @property
    def _goes_on(self) -> bool:
        return self.terms.expected is None  # a reviewed plan is applied as a whole

    def _announce_lock(self, seconds: float, holder: str) -> None:
        self.has_waited, errors = True, []
        for brand in self.context.brands():  # who has no credentials needn't wait to learn it
            try:
                self.context.credentials(brand)
            except CredentialsError as error:
                errors.append(error)
        if errors and (not self._goes_on or len(errors) == len(self.context.brands())):
            raise errors[0]
        self.context.announce_wait(seconds, holder)

    def _look(self, context: Context, ledger: LedgerReader) -> SyncRun:
        from profilectl.sync.session import LimitedWait

        cache = context.picture_cache
        session = diff.open_session(
            context, context.brands(), self.selection, self.jobs, self.budget, cache, goes_on=self._goes_on
        )
        session.tells_once = context.is_quiet
        wait = LimitedWait(
            self.budget, context.deadline, session.now_ms, self.terms.stop, context.announce_wait, context.clock
        )
        run = SyncRun(context, session, ledger, cache, self.terms, wait)
        session.check_accounts(ledger)
        run.show_warnings()
        if not isinstance(self.terms.expected, saved.SavedPlan):  # its agents existed then: who is gone since has moved
            diff.check_agents(session, ledger)
        return run


def _require_anchored(context: Context, ledger: LedgerReader) -> None:
    """Do what `audit.anchor.require_anchored` does, where there is an anchor."""
    if context.anchor_folder is not None:
        from profilectl.cli.audit.anchor import require_anchored

        require_anchored(context, ledger, context.ledger_place)


def _can_begin(place: Path) -> bool:
    """Say whether a ledger is missing where one can be made; what is in its way is best told by making it."""
    folder = next(parent for parent in place.absolute().parents if os.path.lexists(parent))
    return not os.path.lexists(place) and folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def _is_missing(ledger: LedgerReader) -> bool:
    """Say whether what was opened is the empty ledger in the place of one that isn't there."""
    from profilectl.ledger.sqlite import EmptyReader

    return isinstance(getattr(ledger, "engine", None), EmptyReader)


def _is_begun(ledger: LedgerReader) -> bool:
    return bool(ledger.user_ids() or ledger.last_seq())


def _known_accounts(context: Context, ledger: Ledger) -> frozenset[str]:
    """Return the user ids of the brands that take part, nothing when the ledger doesn't know one of them yet."""
    accounts = [ledger.account_of(brand.key) for brand in context.brands()]
    known = frozenset(account.user_id for account in accounts if account is not None)
    return known if None not in accounts else frozenset()


def _steps(plan: Plan) -> int:
    return sum(not change.is_blocked for change in plan.changes)
