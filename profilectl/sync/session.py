"""What ``diff`` and ``sync`` have in common: everything that a plan is made from is read here, and the plan is made."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from profilectl.errors import CredentialsError, ProfilectlError, ProfilesWithdrawn, RemoteError, WrongAccount
from profilectl.ledger.accounts import (
    FormerLedger,
    UnknownAccount,
    as_withdrawal,
    check_account,
    moment,
    require_distinct,
    unknown_account,
)
from profilectl.model import Account, Agent, Brand, Event, Picture, PreparedPicture, Roster
from profilectl.plan.builder import build
from profilectl.plan.moves import Followed, follow
from profilectl.roster.facts import profile_facts
from profilectl.roster.lookup import unknown_agent
from profilectl.roster.moves import require_current
from profilectl.roster.selectors import carries, no_such_label
from profilectl.sync.apply import apply, create_run
from profilectl.sync.engine import observe, synchronise
from profilectl.sync.live_pictures import find_swapped, unchanged_pictures
from profilectl.sync.outcomes import limits
from profilectl.sync.ports import BrandTarget
from profilectl.sync.quota import DAY_MS, CallBudget, again_at, forecast
from profilectl.sync.run_record import Sources, record_overrides, record_sources
from profilectl.sync.welcome import WelcomeProfiles
from profilectl.system import host
from profilectl.system.threads import begin
from profilectl.text.escape import visible

if TYPE_CHECKING:
    from profilectl.api.client import XClient
    from profilectl.api.clock import Clock
    from profilectl.api.retry import Deadline, WaitBudget
    from profilectl.ledger.protocol import Ledger, LedgerReader
    from profilectl.pictures.preparation import Preparation
    from profilectl.plan.builder import Plan
    from profilectl.plan.intents import Observation
    from profilectl.plan.saved import Selection
    from profilectl.roster.facts import ProfileFacts
    from profilectl.sync.creates import CreateRun
    from profilectl.sync.outcomes import Outcome
    from profilectl.sync.ports import Stop, Wait
    from profilectl.sync.quota import Forecast

T = TypeVar("T")

_NAP = 0.2  # seconds: a sleep goes on after a signal, so it has to be a short one


@dataclass(slots=True)
class SyncSession:
    """The desired and the actual state of the chosen brands, for one run."""

    roster: Roster
    brands: tuple[Brand, ...]  # those that take part, in roster order; fewer when some are left out
    selection: Selection
    pictures: Mapping[str, Picture]  # of the brands' agents, by their path as the roster writes it
    clients: Mapping[str, XClient]  # by brand
    accounts: dict[str, Account]  # whom the credentials belong to, by brand
    preparation: Preparation
    jobs: int = 1  # calls at once
    goes_on: bool = False  # whether brands that can't be looked at are left out; else the first one ends the run
    left_out: dict[str, ProfilectlError] = field(default_factory=dict)  # why, by brand; the others take part
    today: Callable[[str], date] = host.today  # in a time zone
    find_commit: Callable[[], str | None] = lambda: None  # of the roster in git; asked only where something is recorded
    muted: frozenset[tuple[str, str]] = frozenset()  # (agent, field) whose difference doesn't count; never in a sync
    targets: dict[str, BrandTarget] = field(default_factory=dict)  # as observed last; empty before the first plan
    swapped: frozenset[str] | None = None  # ids of profiles with another live picture; None before they were compared
    withdrawn: dict[str, ProfilesWithdrawn] = field(default_factory=dict)  # what X refuses to accounts, by user id
    allowed_again: set[str] = field(default_factory=set)  # user ids of accounts that it had refused, by the ledger
    tells_once: bool = False  # whether nothing is said of a withdrawal that an earlier run has told
    lasting: set[str] = field(default_factory=set)  # warnings that each run gives until a person does something
    pixels: dict[str, str] = field(default_factory=dict)  # of picture files, by digest, as far as anybody knows
    begun: dict[str, CreateRun] = field(default_factory=dict)  # whose pictures were uploaded ahead, by brand
    budgets: dict[str, CallBudget] | None = None  # of the plan for which something was uploaded ahead
    _warnings: list[str] = field(default_factory=list)
    _given: set[str] = field(default_factory=set)  # warnings that were given

    @classmethod
    def open(
        cls,
        roster: Roster,
        brands: tuple[Brand, ...],
        selection: Selection,
        *,
        read_pictures: Callable[[Iterable[Agent]], dict[str, Picture]],
        preparation: Preparation,
        connect: Callable[[Brand], XClient],
        find_commit: Callable[[], str | None] = lambda: None,
        jobs: int = 1,
        goes_on: bool = False,
    ) -> Self:
        """Read the brands' pictures, and ask X who the credentials belong to; nothing is written.

        The arguments are those of the class; `read_pictures` reads and hashes every picture that some agents name,
        `connect` returns a client with a brand's credentials.

        Raises:
            RosterRefused: with every picture that can't be used.
            CredentialsError: a brand has no usable credentials, or none has when the others go on without it.
            RemoteError: X can't be asked, likewise.
        """
        keys = {brand.key for brand in brands}
        agents = [agent for agent in roster.agents if agent.brand in keys]
        # thousands of files take as long as X's answers, so both are waited for at once
        reading = begin(partial(read_pictures, agents))
        session = cls(roster, brands, selection, {}, {}, {}, preparation, jobs, goes_on, find_commit=find_commit)
        try:
            clients = session._each(((brand.key, partial(connect, brand)) for brand in brands), CredentialsError)
        except ProfilectlError:
            reading.result()  # a bad picture is reported first, as it can be mended without credentials
            raise
        calls = {key: begin(client.verify_credentials) for key, client in clients.items()}
        session.pictures = reading.result()
        session.clients = clients
        session.accounts = session._each(((key, call.result) for key, call in calls.items()), RemoteError)
        return session

    def _each(
        self, calls: Iterable[tuple[str, Callable[[], T]]], kind: type[ProfilectlError], *, goes_on: bool | None = None
    ) -> dict[str, T]:
        """Return what each brand's call gives; a brand whose call ends in such an error is left out, if we go on."""
        goes_on, results = self.goes_on if goes_on is None else goes_on, {}
        for brand, call in calls:
            try:
                results[brand] = call()
            except kind as error:
                if not goes_on:
                    raise (error if len(self.brands) == 1 else _named(error, brand)) from error
                self._leave_out(brand, error)
        return results

    def _leave_out(self, brand: str, error: ProfilectlError) -> None:
        """Go on without a brand, and warn of it; when it is the last one, raise why the first one was left out."""
        self.left_out[brand] = error
        self.brands = tuple(other for other in self.brands if other.key != brand)
        self.accounts.pop(brand, None)
        if not self.brands:
            first, why = next(iter(self.left_out.items()))
            raise why if len(self.left_out) == 1 else _named(why, first)
        if self.tells_once and isinstance(error, ProfilesWithdrawn) and error.since is not None:
            return
        hint = "" if error.hint is None else f" ({error.hint})"
        self._warn(f"warning: brand {brand} is left out, and nothing of it is changed: {error.message}{hint}")

    def pop_warnings(self) -> tuple[str, ...]:
        """Return what a person should know of the calls since the last time, a sentence each."""
        warnings = tuple(self._warnings)
        self._warnings.clear()
        return warnings

    def check_accounts(self, ledger: LedgerReader) -> None:
        """Raise WrongAccount where credentials belong to another account than the one that roster and ledger mean.

        Nor may two brands be one account. Such brands are left out where the others go on. Warns of a handle that was
        renamed at X.
        """
        accounts = dict(self.accounts)  # of two that are one, neither is the right one
        brands = self.brands  # as they are now
        self._each(((brand.key, partial(_check, brand, accounts, ledger, brands)) for brand in brands), WrongAccount)
        for brand in self.brands:
            account = self.accounts[brand.key]
            if account.handle.casefold() != brand.handle.casefold():
                names = f"@{brand.handle} in the roster, and @{account.handle} at X"
                self._warn_lastingly(f"warning: brand {brand.key} is {names}")

    def check_ledger(
        self, ledger: LedgerReader, former: Callable[[str], FormerLedger | None]
    ) -> tuple[UnknownAccount, ...]:
        """Return the accounts, as observed last, that have had another ledger than this one; see `unknown_account`.

        `former` returns the ledger that was used last for a user id, None when nothing is remembered.
        """
        observed = ((self.accounts[key], len(target.observation.profiles)) for key, target in self.targets.items())
        registered = ledger.user_ids()
        unknown = (
            unknown_account(
                account,
                listed,
                former(account.user_id),
                is_known=ledger.knows(account.user_id),
                is_registered=account.user_id in registered,
            )
            for account, listed in observed
        )
        return tuple(account for account in unknown if account is not None)

    def check_agents(self, ledger: LedgerReader) -> None:
        """Make sure that every chosen agent is in the roster or in the ledger; UsageError for the first who isn't."""
        labelled = self._labelled()
        if labelled is not None and not any(labelled.values()):
            raise no_such_label(self.selection.labels)
        if not self.selection.agents:
            return
        require_current(sorted(self.selection.agents), self.roster.moved)
        known = {agent.key for agent in self.roster.agents}
        for account in self.accounts.values():
            state = ledger.state_of(account.user_id)
            known |= {binding.agent for binding in state.bindings} | {retired.agent for retired in state.retired}
            known |= {intent.agent for intent in state.intents}
        for key in sorted(self.selection.agents - known):
            raise unknown_agent(key, known)

    def plan(
        self,
        ledger: LedgerReader,
        wait: Wait | None = None,
        *,
        brands: frozenset[str] | None = None,
        agents: frozenset[str] | None = None,
    ) -> Plan:
        """Observe these brands, or all that were chosen, and compare them with the roster.

        Warns of live pictures that can't be compared.

        Args:
            ledger: read before X's lists are.
            wait: waits for X's list to settle what went unanswered; None reads the list once.
            brands: keys; None for all that were chosen.
            agents: keys of those that take part; None for all that were chosen.

        Raises:
            RemoteError: X's list can't be read.
            RosterRefused: a picture that a live one is compared with is no image.
        """
        self._observe(ledger, wait, brands)
        today = self.today(self.roster.policy.timezone)  # once: midnight may come between the two comparisons
        compare = partial(
            build,
            self.roster,
            self.pictures,
            [target.observation for target in self.targets.values()],
            today=today,
            allow_deletes=self.selection.allow_deletes,
            allow_lost=self.selection.allow_lost,
            prune_now=self.selection.prune_now,
            only_agents=self.selection.agents if agents is None else agents,
            labelled=self._labelled(),
            muted=self.muted,
            recorded=self._recorded_retirements(ledger),
        )
        self._compare_pixels(compare, ledger)
        compare = partial(compare, pixels=self.pixels)
        if self.selection.verify_avatars and self.swapped is None:  # once a run: later rounds take the same answer
            self.swapped = self._find_swapped(compare(), today)
        plan = compare(swapped=self.swapped or frozenset())
        self._warn_of_names(plan)
        return plan

    def _compare_pixels(self, compare: Callable[..., Plan], ledger: LedgerReader) -> None:
        """Decode the pictures whose file is another one, where the ledger knows what the former one showed."""
        for target in self.targets.values():
            self.pixels |= ledger.pixels_of(target.user_id)
        if not self.pixels:
            return
        changes = [change for change in compare(pixels=self.pixels).changes if change.before and change.after]
        new = {change.goal.avatar for change in changes if change.before and change.before.avatar in self.pixels}
        # one that can't be used is refused when it is about to be uploaded
        prepared = self.preparation.usable(self._named(new - self.pixels.keys()))
        self.pixels |= {digest: picture.pixels for digest, picture in prepared.items()}

    def _labelled(self) -> dict[str, frozenset[str]] | None:
        """Return the keys of the agents with the chosen labels, by brand; None where none was chosen."""
        labels = self.selection.labels
        if not labels:
            return None
        chosen = [agent for agent in self.roster.agents if carries(agent, labels)]
        return {
            brand.key: frozenset(agent.key for agent in chosen if agent.brand == brand.key) for brand in self.brands
        }

    def _recorded_retirements(self, ledger: LedgerReader) -> dict[str, frozenset[str]]:
        # the record is long, so it is read only where something may be destroyed
        return {
            brand: ledger.recorded_retirements(target.user_id)
            for brand, target in self.targets.items()
            if target.observation.ledger_state.retired
        }

    def _warn_of_names(self, plan: Plan) -> None:
        for brand, agent, double in plan.doubles:
            self._warn_lastingly(
                f'warning: {brand}: X has another profile "{visible(double.name)}" ({double.id}) beside {agent}\'s, '
                "which this ledger doesn't know: adopt it where a command to do so is shown; if nobody uses it, "
                f"`profilectl profiles destroy {double.id} --brand {brand}` ends it"
            )
        for brand, agent, profiles in plan.undecided:
            for profile in profiles:
                self._warn_lastingly(
                    f'warning: {brand}: X has a profile "{visible(profile.name)}" ({profile.id}), which may be the one '
                    f"that it was to make for {agent} when it never answered: if nobody uses it, "
                    f"`profilectl profiles destroy {profile.id} --brand {brand}` ends it"
                )
        for brand, binding, shown in plan.spellings:
            names = f'"{visible(shown)}" at X, and "{visible(binding.name)}" in the roster'
            self._warn_lastingly(f"warning: {brand}: {binding.agent}'s name is {names}")

    def _warn_lastingly(self, line: str) -> None:
        self.lasting.add(line)
        self._warn(line)

    def _warn(self, line: str) -> None:
        if line not in self._given:  # a run plans more than once
            self._given.add(line)
            self._warnings.append(line)

    def _warn_about(self, brand: str, what: str) -> None:
        self._warn(f"warning: {brand}: {what}")

    def _observe(self, ledger: LedgerReader, wait: Wait | None, chosen: frozenset[str] | None) -> None:
        settle_after = self.roster.policy.settle_after
        ids = {
            brand.key: self.accounts[brand.key].user_id
            for brand in self.brands
            if chosen is None or brand.key in chosen
        }
        # the ledger first: a profile that is bound after its list was read would look as if X had lost it; and here,
        # as only this thread may use it
        known = {brand: self._followed(ledger, user_id) for brand, user_id in ids.items()}
        self._foresee(known)
        calls = {
            brand: begin(partial(observe, brand, user_id, self.clients[brand], known[brand].state, settle_after, wait))
            for brand, user_id in ids.items()
        }
        # a later round ends the steps of the first look's plan, so a brand that fails there isn't left out
        results = ((brand, partial(self._result_of, brand, call.result, ledger)) for brand, call in calls.items())
        observations = self._each(results, RemoteError, goes_on=self.goes_on and chosen is None)
        self.targets = {
            brand: BrandTarget(
                ids[brand],
                self.clients[brand],
                replace(observation, renames=known[brand].renames, conflicts=known[brand].conflicts),
            )
            for brand, observation in observations.items()
        }

    def _foresee(self, known: Mapping[str, Followed]) -> None:
        """Begin to prepare what will probably be uploaded, while X's lists are read."""
        today, chosen, labels = self.today(self.roster.policy.timezone), self.selection.agents, self.selection.labels
        digests = set()
        for brand, followed in known.items():
            uploaded = {binding.agent: binding.avatar for binding in followed.state.bindings}
            for agent in self.roster.agents_of(brand):
                takes_part = (not chosen or agent.key in chosen) and carries(agent, labels)
                is_there = agent.state_on(today) not in {"over", "to come"} and agent.key not in followed.state.blocked
                digest = self.pictures[agent.avatar].digest
                if takes_part and is_there and uploaded.get(agent.key) != digest:
                    digests.add(digest)
        self.preparation.begin(self._named(digests))

    def _followed(self, ledger: LedgerReader, user_id: str) -> Followed:
        """Return what the ledger knows of an account, with the keys that the roster has changed."""
        chosen, labels = self.selection.agents, self.selection.labels
        keys = {agent.key for agent in self.roster.agents if carries(agent, labels)}
        moves = [move for move in self.roster.moved if (not chosen or move.new in chosen) and move.new in keys]
        return follow(ledger.state_of(user_id), moves)

    def _result_of(self, brand: str, result: Callable[[], Observation], ledger: LedgerReader) -> Observation:
        """Return what was observed; where X refuses it, as far as the ledger tells whether that is new."""
        account = self.accounts[brand]
        try:
            observation = result()
        except RemoteError as error:
            withdrawal = as_withdrawal(error, account, ledger)
            if withdrawal is None:
                raise
            self.withdrawn[account.user_id] = withdrawal
            raise withdrawal from error
        since_ms = ledger.refused_since(account.user_id)
        if since_ms is not None:
            self.allowed_again.add(account.user_id)
            self._warn(f"{brand}: X allows custom profiles again, which it had refused since {moment(since_ms)}")
        return observation

    def record_access(self, ledger: Ledger) -> None:
        """Record which accounts X has taken custom profiles from since the last run, and which have them again."""
        for user_id, withdrawal in self.withdrawn.items():
            if withdrawal.since is None:
                ledger.note_refused(user_id, withdrawal.quote, self.now_ms())
        for user_id in self.allowed_again:
            ledger.note_allowed(user_id, self.now_ms())

    def _find_swapped(self, plan: Plan, today: date) -> frozenset[str]:
        chosen = self.selection.agents
        unchanged = unchanged_pictures(plan, self.roster, self.pictures, self.targets, today)
        live = [picture for picture in unchanged if not chosen or picture.agent in chosen]
        prepared = self.preparation.require(self._named({picture.digest for picture in live}))
        self.pixels |= {digest: picture.pixels for digest, picture in prepared.items()}
        verification = find_swapped(live, prepared, self.clients, self.jobs)
        self._warnings += verification.warnings
        return verification.swapped

    def prepare(self, plan: Plan) -> dict[str, PreparedPicture]:
        """Decode and normalise the pictures that the plan uploads; RosterRefused with every bad one."""
        return self.preparation.require(self._named({change.goal.avatar for change in plan.changes if change.creates}))

    def _named(self, digests: set[str]) -> Collection[Picture]:
        chosen = {picture.digest: picture for picture in self.pictures.values() if picture.digest in digests}
        return chosen.values()

    def record_pixels(self, ledger: Ledger, prepared: Mapping[str, PreparedPicture]) -> None:
        """Remember what the files of the accounts' pictures show, as far as this run has learned more of it."""
        known = self.pixels | {digest: picture.pixels for digest, picture in prepared.items()}
        for brand, target in self.targets.items():
            state = target.observation.ledger_state
            intents = (*state.intents, *(late.intent for late in state.withdrawn))
            named = {self.pictures[agent.avatar].digest for agent in self.roster.agents_of(brand)}
            named |= {binding.avatar for binding in state.bindings} | {intent.avatar for intent in intents}
            pixels = {digest: known[digest] for digest in sorted(named & known.keys())}
            if pixels.keys() - ledger.pixels_of(target.user_id).keys():
                ledger.note_pixels(target.user_id, pixels)

    def register_accounts(self, ledger: Ledger) -> None:
        """Record which accounts the brands stand for."""
        for brand in self.brands:
            ledger.register_account(brand.key, self.accounts[brand.key], self.clients[brand.key].now_ms())

    def begin_accounts(self, ledger: Ledger, unknown: Iterable[UnknownAccount]) -> None:
        """Record that a person takes this ledger for the accounts that it doesn't know, from now on."""
        for account in unknown:
            ledger.begin_account(account.user_id, account.listed, self.now_ms())

    def upload_ahead(self, plan: Plan, ledger: Ledger, *, stop: Stop, wait: Wait) -> dict[str, PreparedPicture]:
        """Return what `prepare` does; the first brand's pictures are uploaded while the last ones are prepared.

        Nothing else is done at X, and nothing is written, before every picture is known to be good. When a stop is
        requested, the pictures that were prepared until then are returned.

        Raises:
            RosterRefused: with every picture that can't be used.
            TryLater: the ledger isn't ours any more.
        """
        creates = [
            change for brand in self.targets for change in plan.changes if change.brand == brand and change.creates
        ]
        pictures = {picture.digest: picture for picture in self._named({change.goal.avatar for change in creates})}
        ordered = [pictures[digest] for digest in dict.fromkeys(change.goal.avatar for change in creates)]
        if not ordered:
            return {}
        brand, self.budgets = creates[0].brand, self._budgets(plan, ledger)
        prepared: dict[str, PreparedPicture] = {}
        run = create_run(
            plan, brand, self.targets[brand], ledger, prepared, self.jobs, stop, wait, self.budgets.get(brand)
        )
        run.upload_ahead([change for change in creates if change.brand == brand], self.preparation.futures(ordered))
        self.begun = {brand: run}
        if not stop.requested:
            try:
                prepared |= self.preparation.require(ordered)
            except BaseException:
                run.give_up()
                raise
        return prepared

    def apply(
        self, plan: Plan, prepared: dict[str, PreparedPicture], ledger: Ledger, *, stop: Stop, wait: Wait
    ) -> Iterator[Outcome]:
        """Carry a plan of this session out, and settle what goes unanswered; see `apply.apply`.

        Yields the outcome of each step once it is durable.
        """
        budgets = self._budgets(plan, ledger) if self.budgets is None else self.budgets  # later rounds go on with it
        welcome = {
            brand: WelcomeProfiles(client.welcome_profiles, partial(self._warn_about, brand))
            for brand, client in self.clients.items()
        }

        def carry_out(plan: Plan) -> Iterator[Outcome]:
            return apply(
                plan,
                self.targets,
                ledger,
                prepared,
                jobs=self.jobs,
                stop=stop,
                wait=wait,
                prune_at_once=self.selection.prune_now or self.roster.policy.retire_after == 0,
                budgets=budgets,
                welcome=welcome,
                begun={brand: self.begun.pop(brand) for brand in tuple(self.begun)},  # of the first round
            )

        def plan_again(brands: frozenset[str], agents: frozenset[str]) -> Plan:
            return self.plan(ledger, wait, brands=brands, agents=agents)

        with ledger.noting(self._facts(plan).of):
            yield from synchronise(plan, carry_out, plan_again, stop)

    def _facts(self, plan: Plan) -> ProfileFacts:
        """Return what the record holds of the profiles that a plan makes and ends."""
        user_ids = {brand: target.user_id for brand, target in self.targets.items()}
        commit = self.find_commit() if plan.changes else None
        return profile_facts(self.roster, user_ids, commit=commit, plan=plan.digest)

    def record_run(self, plan: Plan, ledger: Ledger, *, policy: str, unknown: Iterable[UnknownAccount] = ()) -> None:
        """Record what this run was made from, where that is new, and which guards were overridden for its plan.

        `policy` is the digest of the machine's policy file, `unknown` the accounts that are taken for new ones.
        """
        user_ids = {brand: target.user_id for brand, target in self.targets.items()}
        sources = Sources(plan.basis.roster, policy, self.find_commit)
        begun = frozenset(account.user_id for account in unknown)
        with ledger.batch():
            record_sources(ledger, user_ids.values(), sources, self.now_ms())
            record_overrides(ledger, plan, user_ids, self.selection, begun, self.now_ms())

    def _budgets(self, plan: Plan, ledger: LedgerReader) -> dict[str, CallBudget]:
        """Return what may be sent for brands where something is made or removed, unless X has other limits for them."""
        busy = {change.brand for change in plan.changes if change.creates or change.removes}
        calls = self._calls_of_the_day(ledger)
        return {
            brand: CallBudget.of(calls.get(target.user_id, ()))
            for brand, target in self.targets.items()
            if brand in busy and not self.clients[brand].has_other_limits
        }

    def now_ms(self) -> int:
        """Return a lower bound of X's clock, epoch milliseconds."""
        # every client's is a lower bound, so the highest is the closest
        return max(client.now_ms() for client in self.clients.values())

    def forecasts(self, plan: Plan, ledger: LedgerReader) -> tuple[Forecast, ...]:
        """Return what X's daily limits mean for a plan that was just made, brand by brand."""
        calls = self._calls_of_the_day(ledger)
        return tuple(
            forecast(plan, brand, calls.get(target.user_id, ()), target.observation.observed_ms)
            for brand, target in self.targets.items()
        )

    def again_at(self, ledger: LedgerReader, outcomes: Sequence[Outcome]) -> datetime | None:
        """Return when another run can do more, after X's limits have stopped one; None when nobody knows."""
        now_ms = self.now_ms()
        stopped = limits(outcomes)
        calls = self._calls_of_the_day(ledger) if stopped else {}
        recent = {brand: calls.get(self.accounts[brand].user_id, ()) for brand in stopped}
        return again_at(outcomes, recent, now_ms)

    def _calls_of_the_day(self, ledger: LedgerReader) -> Mapping[str, Sequence[Event]]:
        """Return what every account has sent in 24 hours, or a little more, of the calls that X limits."""
        earliest_ms = min((client.now_ms() for client in self.clients.values()), default=0)
        observed = (target.observation.observed_ms for target in self.targets.values())
        return ledger.recent_limited_calls(min([earliest_ms, *observed]) - DAY_MS)

    def requests(self) -> dict[str, int]:
        """Count the calls that left for X, by kind."""
        kinds = ("list", "upload", "create", "destroy", "other")
        return {kind: sum(client.requests[kind] for client in self.clients.values()) for kind in kinds}


def _check(brand: Brand, accounts: Mapping[str, Account], ledger: LedgerReader, brands: Sequence[Brand]) -> None:
    account = accounts[brand.key]
    require_distinct({key: other for key, other in accounts.items() if other.user_id == account.user_id}, brands)
    check_account(brand, account, ledger)


def _named(error: ProfilectlError, brand: str) -> ProfilectlError:
    """Return the failure of a brand's call with the brand's name, which those that aren't X's have anyway."""
    if not isinstance(error, RemoteError):
        return error
    hint = error.hint or "nothing was changed; --brand chooses the brands to go on with"
    return error.with_message(f"brand {brand}: {error.message}").with_hint(hint)


class LimitedWait(Struct, frozen=True):
    """Waits for X as long as the run's limits allow it and nobody has asked to stop: a `Wait`."""

    budget: WaitBudget  # for X in all
    deadline: Deadline  # of the run
    now_ms: Callable[[], int]  # X's clock
    stop: Stop  # also ends a wait under way
    announce: Callable[[float, str], None]  # called with seconds and reason before each wait
    clock: Clock  # this machine's

    def __call__(self, seconds: float, why: str) -> bool:
        """Wait and return True, or return False: at once when a limit forbids it, sooner when asked to stop."""
        now = self.now_ms() / 1000
        if self.stop.requested or seconds > self.deadline.remaining():
            return False
        if self.budget.take(now, now + seconds) is None:  # asked last, because asking spends it
            return False
        self.announce(seconds, why)
        sleep, end = self.clock.sleep or time.sleep, self.clock.monotonic() + seconds
        while not self.stop.requested and (left := end - self.clock.monotonic()) > 0:
            sleep(min(left, _NAP))
        return not self.stop.requested
