"""What ``diff`` and ``sync`` have in common: everything left of the plan is gathered here, and the plan is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from profilectl.cli.checks import check_account, unknown_agent
from profilectl.errors import ProfilectlError, RemoteError
from profilectl.plan.builder import build
from profilectl.render.console import info
from profilectl.sync.engine import observe
from profilectl.sync.outcomes import limits
from profilectl.sync.ports import BrandTarget
from profilectl.sync.quota import DAY_MS, again_at, forecast
from profilectl.sync.verification import find_swapped
from profilectl.system.threads import begin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from profilectl.api.client import XClient
    from profilectl.api.retry import WaitBudget
    from profilectl.cli.context import Context
    from profilectl.ledger.protocol import LedgerReader
    from profilectl.model import Account, Brand, Picture, PreparedPicture
    from profilectl.plan.builder import Plan
    from profilectl.sync.outcomes import Outcome
    from profilectl.sync.ports import Patience
    from profilectl.sync.quota import Forecast

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Selection:
    """What a person said about the plan: the same words give the same plan.

    Attributes:
        agents: keys of the agents that take part; empty for all.
        allow_deletes: deletions per brand that were agreed to; None for the policy's guards.
        prune_now: whether replaced profiles go without their grace.
        verify_avatars: whether the live pictures are compared with those that were uploaded.
    """

    agents: frozenset[str] = frozenset()
    allow_deletes: int | None = None
    prune_now: bool = False
    verify_avatars: bool = False


@dataclass
class SyncSession:
    """The desired and the actual state of the chosen brands, for one run."""

    context: Context
    selection: Selection
    jobs: int = 1
    max_wait: float = 0  # seconds
    wait_budget: WaitBudget = field(init=False)  # shared by all waits for X
    brands: tuple[Brand, ...] = field(init=False)
    pictures: dict[str, Picture] = field(init=False)
    clients: dict[str, XClient] = field(init=False)
    accounts: dict[str, Account] = field(init=False)
    targets: dict[str, BrandTarget] = field(init=False, default_factory=dict)
    swapped: frozenset[str] | None = field(init=False, default=None)  # profile ids; None: not compared yet

    def __post_init__(self) -> None:
        """Read roster and pictures, and ask X who the credentials belong to; nothing is written."""
        from profilectl.api.retry import WaitBudget

        self.wait_budget = WaitBudget(self.max_wait)
        roster = self.context.roster
        self.brands = self.context.brands()
        keys = {brand.key for brand in self.brands}
        agents = [agent for agent in roster.agents if agent.brand in keys]
        reading = begin(partial(self.context.inspect_pictures, agents, self.context.picture_cache))
        try:
            self.clients = {
                brand.key: self.context.connect(brand, jobs=self.jobs, max_wait=self.wait_budget)
                for brand in self.brands
            }
        except ProfilectlError:
            reading.result()  # what is wrong with the pictures is told first
            raise
        asking = {key: begin(client.verify_credentials) for key, client in self.clients.items()}
        self.pictures = reading.result()
        self.accounts = {key: self._named(key, one.result) for key, one in asking.items()}

    def _named(self, brand: str, call: Callable[[], T]) -> T:
        """Return what a call to X gives; where there are several brands, its failure says whose call it was."""
        try:
            return call()
        except RemoteError as error:
            if len(self.brands) > 1:
                error.message = f"brand {brand}: {error.message}"
                error.hint = error.hint or "nothing was changed; --brand chooses the brands to go on with"
            raise

    def check_accounts(self, ledger: LedgerReader) -> None:
        """Make sure that every brand's credentials belong to the account that roster and ledger mean."""
        for brand in self.brands:
            account = self.accounts[brand.key]
            check_account(brand, account, ledger)
            if account.handle.casefold() != brand.handle.casefold():
                info(f"warning: brand {brand.key} is @{brand.handle} in the roster, and @{account.handle} at X")

    def check_agents(self, ledger: LedgerReader) -> None:
        """Make sure that every ``--agent`` is somebody."""
        if not self.selection.agents:
            return
        known = {agent.key for agent in self.context.roster.agents}
        for account in self.accounts.values():
            ledger_state = ledger.state_of(account.user_id)
            known |= {one.agent for one in ledger_state.bindings} | {one.agent for one in ledger_state.retired}
            known |= {one.agent for one in ledger_state.intents}
        for key in sorted(self.selection.agents - known):
            raise unknown_agent(key, known)

    def plan(
        self,
        ledger: LedgerReader,
        patience: Patience | None,
        *,
        brands: frozenset[str] | None = None,
        agents: frozenset[str] | None = None,
    ) -> Plan:
        """Observe these brands, or all that were chosen, and compare them with the roster."""
        settle_after = self.context.roster.policy.settle_after
        chosen = [brand.key for brand in self.brands if brands is None or brand.key in brands]
        held = {key: ledger.state_of(self.accounts[key].user_id) for key in chosen}
        looking = {
            key: begin(
                partial(observe, key, self.accounts[key].user_id, self.clients[key], held[key], settle_after, patience)
            )
            for key in chosen
        }
        self.targets = {
            key: BrandTarget(self.accounts[key].user_id, self.clients[key], self._named(key, one.result))
            for key, one in looking.items()
        }
        today = datetime.now().astimezone().date()
        compare = partial(
            build,
            self.context.roster,
            self.pictures,
            [target.observation for target in self.targets.values()],
            today=today,
            allow_deletes=self.selection.allow_deletes,
            prune_now=self.selection.prune_now,
            only_agents=self.selection.agents if agents is None else agents,
        )
        if self.selection.verify_avatars and self.swapped is None:
            self.swapped = find_swapped(self, compare(), today)
        return compare(swapped=self.swapped or frozenset())

    def now_ms(self) -> int:
        """Return a lower bound of X's clock, epoch milliseconds."""
        return max(client.now_ms() for client in self.clients.values())

    def forecasts(self, plan: Plan, ledger: LedgerReader) -> tuple[Forecast, ...]:
        """Say what X's daily limits mean for a plan that was just made, brand by brand."""
        found = []
        for brand, target in self.targets.items():
            now_ms = target.observation.observed_ms
            found.append(forecast(plan, brand, ledger.recent(target.user_id, now_ms - DAY_MS), now_ms))
        return tuple(found)

    def again_at(self, ledger: LedgerReader, outcomes: Sequence[Outcome]) -> datetime | None:
        """Return when another run can do more, after X's limits have stopped one."""
        now_ms = self.now_ms()
        stopped = [brand for brand in self.brands if brand.key in limits(outcomes)]
        recent = {one.key: ledger.recent(self.accounts[one.key].user_id, now_ms - DAY_MS) for one in stopped}
        return again_at(outcomes, recent, now_ms)

    def prepare(self, plan: Plan) -> dict[str, PreparedPicture]:
        """Decode and normalise the pictures that the plan uploads; RosterRefused with every bad one."""
        wanted = {change.goal.avatar for change in plan.changes if change.creates}
        chosen = {picture.digest: picture for picture in self.pictures.values() if picture.digest in wanted}
        return self.context.prepare_pictures(chosen.values())

    def remember_pictures(self) -> None:
        """Let the next command know the pictures that nobody touches until then."""
        self.context.picture_cache.save(agent.avatar for agent in self.context.roster.agents)

    def forget_pictures(self) -> None:
        """Let the next command read every picture, because one isn't what it was taken for."""
        self.context.picture_cache.clear()

    def requests(self) -> dict[str, int]:
        """Count the calls that left for X, by kind."""
        kinds = ("list", "upload", "create", "destroy", "other")
        return {kind: sum(client.requests[kind] for client in self.clients.values()) for kind in kinds}
