"""One admin of the model: a roster, a ledger on disk, and runs that are wired as the command line wires them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import TYPE_CHECKING
from unittest.mock import patch

from msgspec.structs import replace

from profilectl.audit.chain import verify
from profilectl.audit.replay import differences, replay
from profilectl.errors import LedgerRefused, TryLater
from profilectl.ledger.opening import open_for_reading, open_for_writing
from profilectl.model import Account, Agent, Brand, Kind, LedgerState, Picture, Policy, Roster
from profilectl.pictures.avatars import normalise
from profilectl.pictures.placeholders import initials_portrait
from profilectl.plan.builder import build
from profilectl.sync.apply import apply
from profilectl.sync.engine import observe, synchronise
from profilectl.sync.ports import BrandTarget
from tests.resilience.model_line import RESOLUTION_MS, Line
from tests.resilience.model_trouble import CrashError, Pool, Script, wait
from tests.resilience.model_x import START, STRANGER, Made, ModelX, hold

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from profilectl.ledger.address import PostgresAddress
    from profilectl.model import Intent, Profile
    from profilectl.plan.builder import Plan
    from profilectl.sync.outcomes import Outcome

USER = "1"
SETTLE_AFTER = 60  # seconds
RETIRE_AFTER = 900
PICTURES = {path: Picture(path, f"sha256:{path}", 1) for path in ("a.png", "b.png", "theirs.png")}
FACES = {path: normalise(initials_portrait(f"{path} Face", 48), path) for path in PICTURES}
PREPARED = {one.digest: replace(FACES[path], source_digest=one.digest) for path, one in PICTURES.items()}
TODAY = date(2027, 1, 10)
WRITES = (
    *("register_account", "begin_intent", "reattempt", "mark_unknown", "finish_intent", "cancel_intent"),
    *("retire", "retire_late", "drop", "protect", "note_shown"),
)


@dataclass
class Desk:
    """An admin with a ledger of its own."""

    name: str
    x: ModelX
    place: Path | PostgresAddress
    agents: dict[str, Agent] = field(default_factory=dict)
    begun: dict[tuple[str, str], int] = field(default_factory=dict)  # (agent, name): true time of the intent
    doubtful: set[str] = field(default_factory=set)  # names of creates that nothing has told the end of
    prune: bool = False

    def __post_init__(self) -> None:
        self.x.watchers.append(self.watch)

    def put(self, key: str, name: str, avatar: str = "a.png", **more: object) -> None:
        self.agents[key] = Agent(key, "acme", name, avatar, Kind.HUMAN, **more)

    def wanted(self) -> dict[str, Agent]:
        return {key: one for key, one in self.agents.items() if one.until is None or one.until >= TODAY}

    def state_of(self) -> LedgerState:
        with open_for_reading(self.place) as ledger:
            return ledger.state_of(USER)

    def events(self) -> int:
        """Count the audit records, hold the chain together, and the rows to what the record says."""
        with open_for_reading(self.place) as ledger:
            records = list(ledger.events())
            hold(verify(records) is None, "the audit chain is broken")
            times = [record.written_ms for record in records]
            hold(times == sorted(times), "the record isn't in the order of its times")
            image = replay(record.event for record in records)
            rows = ledger.state_of(USER), ledger.open_dispatches(USER)
            untrue = list(differences(image, USER, *rows))
            hold(not untrue, "; ".join(untrue))
            return len(records)

    def live(self, agent: str | None = None) -> list[Made]:
        mine = [one for one in self.x.live() if one.owner == self.name]
        return [one for one in mine if agent is None or one.agent == agent]

    def faces(self, agent: str) -> list[Made]:
        """Return an agent's live profiles; one that another admin has adopted since is still its face."""
        bound = {one.profile_id for one in self.state_of().bindings if one.agent == agent}
        return [one for one in self.x.live() if one.id in bound or one in self.live(agent)]

    def watch(self, one: Made, by: str) -> None:
        """Judge the end of a profile at the moment it happens."""
        if by != self.name:
            return
        hold(one.owner == self.name, f"{self.name} destroys {one}")
        bound = {binding.profile_id: binding.agent for binding in self.state_of().bindings}
        hold(one.id not in bound, f"bound and destroyed: {one}")
        if one.agent in self.wanted():
            others = [other for other in self.faces(one.agent) if other is not one]
            hold(bool(others), f"{one.agent} is left without a live profile")

    def sync(self, script: Script) -> list[Outcome] | None:
        """Run once; None after a crash, which leaves nothing of the run but what is durable."""
        run = _Run(self, script)
        pool = partial(Pool, script, run.line.lose)
        new_pool: Callable = lambda jobs, thread_name_prefix: pool()  # noqa: E731
        with patch.multiple("profilectl.sync.creates", ThreadPoolExecutor=new_pool, wait=wait):
            try:
                with open_for_writing(self.place, actor="admin@model") as ledger, ledger.lock(0, "model"):
                    return run.carry_out(ledger)
            except CrashError:
                return None

    def intrude(self) -> None:
        """Let a colleague try to run on the same ledger while we do: nothing of X's is asked or changed by that."""
        steps = Script()
        try:
            self.sync(steps)
        except TryLater:
            hold(steps.steps == 0, "a colleague began although the ledger was held")
        else:
            hold(False, "two runs at once on one ledger")


@dataclass
class _Run:
    """One run: the line to X, the recording ledger, and the wiring in between."""

    desk: Desk
    script: Script
    line: Line = field(init=False)
    target: BrandTarget = field(init=False)

    def __post_init__(self) -> None:
        self.line = Line(self.desk, self.script)

    def carry_out(self, ledger) -> list[Outcome]:
        records = Recorded(self.desk, self.script, self.line, ledger)
        records.register_account("acme", Account(USER, "acmecare", "api.x.com"), START)
        plan = partial(self.plan, records)
        return list(synchronise(plan(), partial(self.apply, records), plan, self.script.stop))

    def plan(self, records, brands=frozenset(), only=frozenset()) -> Plan:
        observation = observe("acme", USER, self.line, records.state_of(USER), SETTLE_AFTER, self.wait)
        self.target = BrandTarget(USER, self.line, observation)
        policy = Policy(retire_after=RETIRE_AFTER, settle_after=SETTLE_AFTER)
        roster = Roster((Brand("acme", "acmecare"),), tuple(self.desk.agents.values()), policy)
        return build(
            roster,
            PICTURES,
            [observation],
            today=TODAY,
            only_agents=only,
            allow_deletes=99,
            allow_lost=99,
            prune_now=self.desk.prune,
        )

    def apply(self, records, plan):
        return apply(
            plan,
            {"acme": self.target},
            records,
            PREPARED,
            jobs=self.script.jobs,
            stop=self.script.stop,
            wait=self.wait,
            prune_at_once=self.desk.prune,
        )

    def wait(self, seconds: float, why: str) -> bool:
        if self.script.stop.requested or not self.script.patient or seconds > 600:
            return False
        self.desk.x.advance(int(seconds * 1000))
        return True


@dataclass
class Recorded:
    """The real ledger, with crashes and full disks before and after each record."""

    desk: Desk
    script: Script
    line: Line
    ledger: object
    durable: list[Callable[[], None]] | None = None  # what follows when the batch that is open has come to its end

    def state_of(self, user_id: str) -> LedgerState:
        return self.ledger.state_of(user_id)

    def open_sends(self, user_id: str) -> dict[str, int]:
        return self.ledger.open_sends(user_id)

    def seconds_held(self) -> float:
        return self.ledger.seconds_held()

    def require_held(self) -> None:
        self.ledger.require_held()

    def __getattr__(self, deed: str):
        if deed not in WRITES:
            raise AttributeError(deed)
        return partial(self._record, deed)

    def _record(self, deed, *arguments, **more):
        self.script.step()
        if self.script.strike(deed):
            raise LedgerRefused("disk full")
        result = getattr(self.ledger, deed)(*arguments, **more)
        effects = {
            "begin_intent": lambda: self._promised(arguments[1]),
            "finish_intent": lambda: self._bound(arguments[2], result.agent, **more),
        }
        if deed in effects and self.durable is not None:
            self.durable.append(effects[deed])
        elif deed in effects:
            effects[deed]()
        self.script.step()
        return result

    @contextmanager
    def batch(self):
        """Let what was written take effect when it is durable, and a crash come right before and right after that."""
        self.durable = effects = []
        try:
            with self.ledger.batch():
                yield
                self.script.step()
        finally:
            self.durable = None
        for effect in effects:
            effect()
        self.script.step()

    def _promised(self, intent: Intent) -> None:
        self.line.expected[intent.name] = intent.agent
        self.desk.begun[intent.agent, intent.name] = self.desk.x.time_ms

    def _bound(self, profile: Profile, agent: str, *, adopted: bool) -> None:
        """Hand a stranger's profile over if nobody could have told it from ours: made after the promise, same name."""
        hold(profile.id in self.desk.x.made, f"{agent} is bound to another account's {profile}")
        one = self.desk.x.made[profile.id]
        self.desk.doubtful.discard(one.name)
        self.line.expected.pop(one.name, None)
        if one.owner == self.desk.name and one.agent in {agent, None}:
            one.agent = agent
            return
        hold(adopted, f"{agent} is bound to somebody else's {one}")
        begun = self.desk.begun[agent, one.name]
        hold(one.created_ms >= begun - RESOLUTION_MS, f"{agent} adopts {one}, made {begun - one.created_ms} ms before")
        for other in self.desk.live(agent):
            if other.name == one.name and other.id != profile.id:
                self._leave(other)
        one.owner, one.agent = self.desk.name, agent

    def _leave(self, other: Made) -> None:
        """What was taken for a stranger's from now on, unless the ledger knows it."""
        ledger_state = self.ledger.state_of(USER)
        known = {one.profile_id for one in (*ledger_state.bindings, *ledger_state.retired)}
        if other.id not in known:
            other.owner, other.agent = STRANGER, None
