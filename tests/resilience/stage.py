"""The real command line in this process, on a clock that nobody waits for, with trouble on order."""

from __future__ import annotations

import functools
import shutil
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import typer

from profilectl.api.client import XClient
from profilectl.api.clock import Clock
from profilectl.api.retry import Deadline
from profilectl.api.transport import Transport
from profilectl.cli.context import Context
from profilectl.cli.main import build
from profilectl.cli.wiring.settings import DEFAULT_TIMEOUT
from profilectl.errors import ExitCode, ProfilectlError
from profilectl.ledger.opening import open_for_reading
from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.model.world import World
from profilectl.secret import Credentials, Secret
from tests.resilience.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from profilectl.ledger.address import PostgresAddress

START = 1_900_000_000.0  # epoch seconds
ROUND_TRIP = 0.05  # seconds that every request takes


class Killed(BaseException):
    """The process is gone; whoever catches it cheats."""


@dataclass
class Hours:
    """X's time, and how far this machine's clock is ahead of it; both in seconds."""

    now: float = START
    skew: float = 0.0
    _lock: Any = field(default_factory=threading.Lock, repr=False, compare=False)  # workers let time pass, too

    def pass_by(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds

    def of_machine(self) -> float:
        return self.now + self.skew


@dataclass
class Trouble:
    """A fault that strikes at the moments of one step: the first one only, or all of them."""

    is_moment: Callable[[str], bool]
    strike: Callable[..., Any]  # (stage, request or None, proceed)
    throughout: bool = False
    struck: int = 0

    def fits(self, moment: str) -> bool:
        if not self.is_moment(moment) or (self.struck and not self.throughout):
            return False
        self.struck += 1
        return True


@dataclass
class Stage:
    """A folder with a roster and a ledger, a world in a file, and what has happened so far."""

    folder: Path
    hours: Hours = field(default_factory=Hours)
    database: PostgresAddress | None = None  # where the ledger is, if not in the folder
    troubles: list[Trouble] = field(default_factory=list)
    record: Record = field(init=False)
    world: World = field(init=False)
    is_dead: bool = False
    signature: Any = None
    delivery: Any = field(default_factory=threading.RLock, repr=False, compare=False)  # one request reaches X at a time

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.world = World(self.folder / "world.db", now=lambda: self.hours.now)
        self.brand = self.world.ensure_brand("acmecare", user_id="4242")
        self.world.ensure_customer("customer", user_id="7007")
        self.record = Record(self.world, self.ledger_place)

    def close(self) -> None:
        self.world.close()

    def copy(self, folder: Path, database: PostgresAddress | None = None) -> Stage:
        """Return a stage in the same state, whose ledger is in a copy of the database; this one has to be closed."""
        shutil.copytree(self.folder, folder)
        return Stage(folder, Hours(self.hours.now), database)

    def environ(self) -> dict[str, str]:
        return {"PROFILECTL_LEDGER": str(self.ledger_place), "XDG_STATE_HOME": str(self.folder / "state")}

    @property
    def ledger_place(self) -> Path | PostgresAddress:
        return self.database or self.folder / "ledger.db"

    def state_of(self):
        with open_for_reading(self.ledger_place) as ledger:
            return ledger.state_of(self.brand.user_id)

    def write_roster(self, text: str) -> None:
        (self.folder / "roster.toml").write_text(text, encoding="utf-8")

    def run(self, *words: str) -> int | None:
        """Run one command line as `cli.main.run` does; None when it was killed. No run may outlast its --timeout."""
        self.is_dead = False
        self.record.begin()
        began = self.hours.now
        try:
            return self._run(words)
        except ProfilectlError as error:
            return error.exit_code
        except Killed:
            return None
        except Exception as error:  # noqa: BLE001 - the boundary of `cli.main`: a bug is told as such
            self.record.violations.append(f"crashed: {error!r}")
            return ExitCode.UNEXPECTED
        finally:
            if self.hours.now - began > DEFAULT_TIMEOUT + 2:
                self.record.violations.append(f"took {self.hours.now - began:.0f} s")

    def _run(self, words: tuple[str, ...]) -> int:
        with ExitStack() as stack:
            context = StagedContext(stack=stack, environ=self.environ(), stage=self)
            roster = str(self.folder / "roster.toml")
            code = _command().main([*words, "--roster", roster, "--no-input"], standalone_mode=False, obj=context)
            self.at("end", lambda: None)
        return code or 0

    def at(self, moment: str, proceed: Callable[[], Any], request: httpx.Request | None = None) -> Any:
        """Let a moment pass: struck by the trouble that waits for it, or undisturbed."""
        if self.is_dead:
            raise Killed
        for trouble in self.troubles:
            if trouble.fits(moment):
                return trouble.strike(self, request, proceed)
        return proceed()

    def sign_again(self, request: httpx.Request) -> None:
        """Sign a request as this machine's clock has it now."""
        next(self.signature.auth_flow(request))

    def die(self) -> None:
        """Kill the process; whatever it still tries while Python unwinds comes to nothing."""
        self.is_dead = True
        raise Killed


@functools.cache
def _command():
    return typer.main.get_command(build())


class StagedContext(Context, frozen=True):
    """The wiring of the command line, with the stage's X, clock and ledger."""

    stage: Any = None

    @functools.cached_property
    def deadline(self):
        return Deadline(self.options.timeout or DEFAULT_TIMEOUT, monotonic=lambda: self.stage.hours.now)

    @functools.cached_property
    def clock(self):
        return Clock(self.stage.hours.of_machine, lambda: self.stage.hours.now, self.stage.hours.pass_by)

    def credentials(self, brand):
        account = self.stage.brand
        return Credentials(
            consumer_key=Secret(account.consumer_key),
            consumer_secret=Secret(account.consumer_secret),
            token=Secret(account.access_token),
            token_secret=Secret(account.access_token_secret),
            source="stage",
            handle=account.handle,
            user_id=account.user_id,
        )

    def client(self, credentials, *, jobs=1, max_wait=0):
        hours = self.stage.hours
        client = XClient(
            credentials,
            Transport(
                "http://localhost",
                transport=Wire(self.stage),
                jobs=jobs,
                deadline=self.deadline,
                max_wait=max_wait,
                announce=self.announce_wait,
                clock=self.clock,
            ),
        )
        self.stage.signature = client._signature
        client._signature._timestamp = lambda: str(int(hours.of_machine()))
        return self.stack.enter_context(client)

    def ledger_for_writing(self, *, is_thorough=False):
        return WatchedLedger(super().ledger_for_writing(is_thorough=is_thorough), self.stage)


class Wire(httpx.BaseTransport):
    """The way to X, past the trouble that waits for each kind of call."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.world = httpx.WSGITransport(SandboxApp(stage.world))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.stage.hours.pass_by(ROUND_TRIP)
        record = self.stage.record
        call = record.recognise(request)
        with record.told(call) as told:
            told.append(self.stage.at(call.moment, lambda: self._deliver(request, call), request))
        return told[0]

    def _deliver(self, request: httpx.Request, call: Any) -> httpx.Response:
        with self.stage.delivery, self.stage.record.applying(call):
            answer = self.world.handle_request(request)
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.read())


class WatchedLedger:
    """A ledger whose deeds are moments at which trouble may strike."""

    _DEEDS = (
        *("register_account", "begin_intent", "reattempt", "mark_unknown", "cancel_intent", "finish_intent"),
        *("retire", "drop", "protect", "record", "begin_send", "finish_send", "cancel_send", "mark_seen"),
    )

    def __init__(self, ledger: Any, stage: Stage) -> None:
        self.real = ledger
        self._stage = stage
        self._last_words: list[Callable[[], Any]] | None = None  # of the batch that is open

    def once_durable(self, strike: Callable[[], Any]) -> None:
        """Strike now, or at the end of the batch that the deed is a part of."""
        if self._last_words is None:
            strike()
        else:
            self._last_words.append(strike)

    @contextmanager
    def batch(self):
        self._last_words = strikes = []
        try:
            with self.real.batch():
                yield
        finally:
            self._last_words = None
        for strike in strikes:
            strike()

    def __getattr__(self, name: str) -> Any:
        deed = getattr(self.real, name)
        if name not in self._DEEDS:
            return deed

        def watched(*args: Any, **more: Any) -> Any:
            moment = "ledger adopt" if more.get("adopted") else f"ledger {name}"
            return self._stage.at(moment, lambda: deed(*args, **more), self)

        return watched

    @contextmanager
    def lock(self, *args: Any, **more: Any):
        """Hold the lock; the moment is the one right after it was asked for."""
        with self._stage.at("ledger lock", lambda: self.real.lock(*args, **more), self):
            yield
