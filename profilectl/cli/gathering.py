"""What ``diff`` and ``sync`` have in common: everything left of the plan is gathered here, and the plan is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from profilectl.background import begin
from profilectl.budget import DAY_MS, again_at, forecast
from profilectl.cli.identity import check_account, unknown_agent
from profilectl.cli.pictures import forget, recollect, remember
from profilectl.cli.verification import find_swapped
from profilectl.errors import ProfilectlError, RemoteError
from profilectl.outcomes import limits
from profilectl.plan import build
from profilectl.ports import Station
from profilectl.render.consoles import talk
from profilectl.sync import observe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from profilectl.api.client import XClient
    from profilectl.api.patience import Allowance
    from profilectl.budget import Forecast
    from profilectl.cli.context import Context
    from profilectl.ledger.base import LedgerReader
    from profilectl.model import Account, Brand, Picture, PreparedPicture
    from profilectl.outcomes import Outcome
    from profilectl.picture_memory import PictureMemory
    from profilectl.plan import Plan
    from profilectl.ports import Patience

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
class Gathering:
    """The desired and the actual state of the chosen brands, for one run."""

    context: Context
    selection: Selection
    jobs: int = 1
    max_wait: float = 0  # seconds
    allowance: Allowance = field(init=False)  # shared by all waits for X
    brands: tuple[Brand, ...] = field(init=False)
    memory: PictureMemory = field(init=False)
    pictures: dict[str, Picture] = field(init=False)
    clients: dict[str, XClient] = field(init=False)
    accounts: dict[str, Account] = field(init=False)
    stations: dict[str, Station] = field(init=False, default_factory=dict)
    swapped: frozenset[str] | None = field(init=False, default=None)  # profile ids; None: not compared yet

    def __post_init__(self) -> None:
        """Read roster and pictures, and ask X who the credentials belong to; nothing is written."""
        from profilectl.api.patience import Allowance

        self.allowance = Allowance(self.max_wait)
        roster = self.context.roster
        self.brands = self.context.brands()
        keys = {brand.key for brand in self.brands}
        agents = [agent for agent in roster.agents if agent.brand in keys]
        self.memory = recollect(self.context)
        reading = begin(partial(self.context.inspect_pictures, agents, self.memory))
        try:
            self.clients = {
                brand.key: self.context.connect(brand, jobs=self.jobs, max_wait=self.allowance) for brand in self.brands
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
                talk(f"warning: brand {brand.key} is @{brand.handle} in the roster, and @{account.handle} at X")

    def check_agents(self, ledger: LedgerReader) -> None:
        """Make sure that every ``--agent`` is somebody."""
        if not self.selection.agents:
            return
        known = {agent.key for agent in self.context.roster.agents}
        for account in self.accounts.values():
            holdings = ledger.holdings(account.user_id)
            known |= {one.agent for one in holdings.bindings} | {one.agent for one in holdings.retired}
            known |= {one.agent for one in holdings.intents}
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
        held = {key: ledger.holdings(self.accounts[key].user_id) for key in chosen}
        looking = {
            key: begin(
                partial(observe, key, self.accounts[key].user_id, self.clients[key], held[key], settle_after, patience)
            )
            for key in chosen
        }
        self.stations = {
            key: Station(self.accounts[key].user_id, self.clients[key], self._named(key, one.result))
            for key, one in looking.items()
        }
        today = datetime.now().astimezone().date()
        compare = partial(
            build,
            self.context.roster,
            self.pictures,
            [station.situation for station in self.stations.values()],
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
        for brand, station in self.stations.items():
            now_ms = station.situation.observed_ms
            found.append(forecast(plan, brand, ledger.recent(station.user_id, now_ms - DAY_MS), now_ms))
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
        remember(self.context, self.memory)

    def forget_pictures(self) -> None:
        """Let the next command read every picture, because one isn't what it was taken for."""
        forget(self.context)

    def requests(self) -> dict[str, int]:
        """Count the calls that left for X, by kind."""
        kinds = ("list", "upload", "create", "destroy", "other")
        return {kind: sum(client.requests[kind] for client in self.clients.values()) for kind in kinds}
