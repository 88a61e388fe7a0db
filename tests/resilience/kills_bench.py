"""A bench for real processes: a sandbox whose truth lies open, a roster that moves, and a program to kill."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from PIL import Image

from profilectl.audit.chain import verify
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from profilectl.sandbox.model.faults import Fault, Kind
from profilectl.sandbox.model.rate_limits import Limits
from profilectl.sandbox.model.world import World
from tests import schemas

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from profilectl.ledger.protocol import Ledger, LedgerReader
    from tests.preloaded import Preloaded

PROGRAM = [sys.executable, "-m", "profilectl"]
GRACE = 10  # seconds, of settling as well as of retiring
LATEST_ARRIVAL = 35  # seconds after which the request of a run that was killed can't be applied any more
KEYS = ("alice", "bruno", "chidi", "dana", "emil")
NAMES = ("Alex", "Bea", "Cleo", "Dan", "Eve", "Fay")
STRANGERS = ("Mallory", "Trent")


@dataclass
class Bench:
    """One brand, its folder and its X; `dice` decides whatever is random."""

    folder: Path
    dice: random.Random
    retire_after: int = GRACE  # seconds
    agents: dict[str, tuple[str, str]] = field(default_factory=dict)  # key: name, picture
    broken: list[str] = field(default_factory=list)  # promises that weren't kept at an event
    preloaded: Preloaded | None = None  # what runs commands that nobody disturbs, if not the program as it is started

    def __enter__(self) -> Self:
        (self.folder / "avatars").mkdir(parents=True)
        for name, colour in (("a.png", "navy"), ("b.png", "olive")):
            Image.new("RGB", (32, 32), colour).save(self.folder / "avatars" / name)
        self.world = World(limits=Limits.generous())
        self.account = self.world.ensure_brand("acmecare")
        self.server = SandboxServer(self.make_app()).__enter__()
        media = self.world.media.add(self.account.user_id, picture()).id
        for name in STRANGERS:
            self.world.profiles.create(self.account.user_id, name, media)
        with self.writer() as ledger:  # a person has agreed to begin one beside the strangers
            ledger.begin_account(self.account.user_id, len(STRANGERS), 1)
        self._watch_destroys()
        return self

    def __exit__(self, kind, error, trace) -> None:
        self.server.__exit__(kind, error, trace)
        self.world.close()

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger.db"

    def make_app(self) -> SandboxApp:
        return SandboxApp(self.world)

    def writer(self) -> Ledger:
        return open_for_writing(self.ledger)

    def reader(self) -> LedgerReader:
        return open_for_reading(self.ledger)

    def environment(self) -> dict[str, str]:
        """Return the environment of the program: this sandbox, these credentials, this ledger."""
        names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        return {
            **os.environ,
            "PROFILECTL_API_URL": self.server.url,
            "PROFILECTL_LEDGER": str(self.ledger),
            **{f"PROFILECTL_{name.upper()}": getattr(self.account, name) for name in names},
        }

    def start(self, *words: str) -> subprocess.Popen:
        return schemas.Process(
            [*PROGRAM, *words],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess:
        environ = self.environment()
        if self.preloaded is not None and self.preloaded.is_for(environ):
            done = self.preloaded.run(words, cwd=self.folder, env=environ)
            schemas.check_output(words, done.stdout)
        else:
            process = self.start(*words)
            out, err = process.communicate(timeout=60)
            done = subprocess.CompletedProcess(words, process.returncode, out, err)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def reshuffle(self) -> None:
        """Let the roster move: somebody leaves, somebody comes, some get another name or picture."""
        for key in KEYS:
            draw = self.dice.random()
            taken = {name for name, _ in self.agents.values()} | self.live_names()
            free = [name for name in NAMES if name not in taken] or [f"{key.title()} {self.dice.randrange(10**6)}"]
            if key not in self.agents or draw < 0.5:
                self.agents[key] = (self.dice.choice(free), self.dice.choice(("a.png", "b.png")))
            elif draw < 0.6 and len(self.agents) > 1:
                del self.agents[key]
        self.write()

    def write(self) -> None:
        policy = f'settle_after = "{GRACE}s"\nretire_after = "{self.retire_after}s"\nmax_delete_ratio = 1.0\n'
        text = f'version = 1\n[brands.acme]\nhandle = "acmecare"\n[policy]\n{policy}[defaults]\nkind = "human"\n'
        for key, (name, avatar) in self.agents.items():
            text += f'[agents.{key}]\nname = {json.dumps(name)}\navatar = "avatars/{avatar}"\n'
        (self.folder / "roster.toml").write_text(text)

    def slow_down(self, most: float = 0.06) -> None:
        """Give every kind of call a latency of its own, in seconds at most."""
        self.world.faults.clear()
        for call in ("verify", "list", "upload", "create", "destroy"):
            self.world.faults.add(Fault(kind=Kind.SLOW, call=call, times=None, seconds=self.dice.uniform(0.001, most)))

    def recover(self) -> None:
        """Let the grace pass, and the time until a list must tell what a lost create made, then run once, undisturbed.

        Where there is such a create the last second of its time is left to be waited for by the run itself.
        """
        self.world.faults.clear()
        seconds = GRACE + (LATEST_ARRIVAL if self.state_of().intents else 1)
        self.world.advance(seconds)
        self.age_attempts(int(seconds * 1000))
        done = self.run("sync", "--yes")
        assert 0 == done.returncode, (done.stdout, done.stderr)

    def age_attempts(self, ms: int) -> None:
        """Let open attempts be older by this machine's clock: that can't be moved, so what it is compared with is."""
        with closing(sqlite3.connect(self.ledger)) as ledger, ledger:
            ledger.execute("UPDATE intents SET attempted_local_ms = attempted_local_ms - ?", (ms,))

    def live(self) -> dict[str, str]:
        """Return the names of the live profiles by their ids."""
        return {one.id: one.name for one in self.world.profiles.all(self.account.user_id) if one.is_live}

    def live_names(self) -> set[str]:
        return set(self.live().values())

    def state_of(self):
        with self.reader() as ledger:
            return ledger.state_of(self.account.user_id)

    def bound_ids(self) -> set[str]:
        return {binding.profile_id for binding in self.state_of().bindings}

    def judge_after_kill(self) -> None:
        """What holds at any moment: whoever is bound is live, strangers too, and no event broke a promise."""
        live = self.live()
        assert [] == self.broken
        assert set(STRANGERS) <= set(live.values())
        for binding in self.state_of().bindings:
            assert binding.name == live.get(binding.profile_id), binding

    def judge_at_rest(self) -> None:
        """What holds after recovery: one live profile per agent and nothing else, no intent, a whole audit chain."""
        ledger_state, live = self.state_of(), self.live()
        self.judge_after_kill()
        retired = {one.profile_id for one in ledger_state.retired}
        assert self.agents.keys() == {one.agent for one in ledger_state.bindings}
        wanted = sorted([name for name, _ in self.agents.values()] + list(STRANGERS))
        assert wanted == sorted(name for one, name in live.items() if one not in retired)
        assert () == ledger_state.intents
        with self.reader() as ledger:
            assert verify(ledger.events()) is None

    def judge_difference(self) -> None:
        """What a person would ask: is anything left to do."""
        done = self.run("diff", "--exit-code")
        assert 0 == done.returncode, (done.stdout, done.stderr)

    def _watch_destroys(self) -> None:
        destroy = self.world.profiles.destroy

        def watched(user_id: str, profile_id: str) -> None:
            if profile_id in self.bound_ids() or self.live().get(profile_id) in STRANGERS:
                self.broken.append(f"{profile_id} was destroyed")
            destroy(user_id, profile_id)

        self.world.profiles.destroy = watched


def picture() -> bytes:
    """Return a small PNG."""
    import io

    content = io.BytesIO()
    Image.new("RGB", (32, 32), "gray").save(content, "PNG")
    return content.getvalue()
