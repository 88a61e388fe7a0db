"""A bench of several machines: one brand and its X, one ledger in PostgreSQL, and processes that share nothing else."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

from profilectl.ledger import opening
from profilectl.ledger.address import parse_place
from profilectl.sandbox.http.app import SandboxApp
from tests import schemas
from tests.patience import until
from tests.resilience.kills_bench import GRACE, LATEST_ARRIVAL, Bench

if TYPE_CHECKING:
    from pathlib import Path

    from tests.postgres_server import PostgresServer
    from tests.resilience.wire import Network

OWNER = "admin"  # the role of these machines
TTL = 3.0  # seconds of a lease here, in place of a minute
QUICK = f"""
import sys
from profilectl.ledger import lease, postgres
lease.TTL, lease.RENEWAL, postgres._PATIENCE, postgres._STANDSTILL = {TTL}, 0.5, 6.0, 2
from profilectl.__main__ import main
main()
"""
PROGRAM = [sys.executable, "-c", QUICK]
_NEWER = "from profilectl.ledger import schema; schema.FORMAT += 1; schema.READ_AS_IS = {str(schema.FORMAT)}"
NEWER = [sys.executable, "-c", f"{_NEWER}\n{QUICK}"]  # a later format that has nothing in common with ours
_MACHINE = 'hostname "$0" && mount --bind "$1" /proc/sys/kernel/random/boot_id && shift && exec "$@"'


@dataclass
class Machine:
    """A host with a name, a start, a home and perhaps a network of its own, which reaches the ledger at an address."""

    name: str
    bench: SharedBench
    address: str
    network: Network | None = None
    boot: str = field(default_factory=lambda: str(uuid.uuid4()))

    def __post_init__(self) -> None:
        self.home.mkdir()
        (self.home / "boot_id").write_text(f"{self.boot}\n")

    @property
    def home(self) -> Path:
        return self.bench.folder / f"home-of-{self.name}"

    def environment(self) -> dict[str, str]:
        folders = {"CONFIG": ".config", "STATE": ".local/state", "CACHE": ".cache"}
        return {
            **self.bench.environment(),
            "HOME": str(self.home),
            **{f"XDG_{kind}_HOME": str(self.home / folder) for kind, folder in folders.items()},
            "PROFILECTL_LEDGER": self.address,
        }

    def start(
        self, *words: str, program: list[str] | None = None, stdin: int = subprocess.DEVNULL
    ) -> subprocess.Popen[str]:
        """Start the program, whose process id is the one that this machine knows it by."""
        is_root = os.geteuid() == 0 and shutil.which("unshare") is not None
        enter = self.network.entering() if self.network else []
        become = ["unshare", "--uts", "--mount", "sh", "-c", _MACHINE, self.name, str(self.home / "boot_id")]
        return schemas.Process(
            [*enter, *(become if is_root else []), *(program or PROGRAM), *words],
            cwd=self.bench.folder,
            env=self.environment(),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=self.network.descriptors if self.network else (),
        )

    def run(self, *words: str) -> subprocess.CompletedProcess:
        process = self.start(*words)
        out, err = process.communicate(timeout=120)
        assert "Traceback" not in err, err
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def forget_heads(self) -> None:
        """Be a machine that has never seen this ledger, such as a new CI runner."""
        shutil.rmtree(self.home / ".local" / "state", ignore_errors=True)


class RecordingApp(SandboxApp):
    """A sandbox that writes down what it is asked for."""

    def __init__(self, world, requests: list[tuple[str, str]]) -> None:
        super().__init__(world)
        self._requests = requests

    def __call__(self, environ, start_response):
        self._requests.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return super().__call__(environ, start_response)


@dataclass
class SharedBench(Bench):
    """A bench whose ledger is a database of a server, which may become another server's."""

    postgres: PostgresServer | None = None
    machines: list[Machine] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)  # methods and paths, as X got them

    def __post_init__(self) -> None:
        self.postgres.add_role(OWNER)
        self.database = self.postgres.fresh_database(OWNER)

    def add_machine(self, name: str, port: int, network: Network | None = None) -> Machine:
        """Add a machine that reaches the ledger at a port of its loopback."""
        machine = Machine(name, self, f"postgresql://{OWNER}@127.0.0.1:{port}/{self.database}", network)
        self.machines.append(machine)
        return machine

    def make_app(self):
        return RecordingApp(self.world, self.requests)

    def writer(self):
        return opening.open_for_writing(self.place)

    def reader(self):
        return opening.open_for_reading(self.place)

    @property
    def place(self):
        """Where the ledger is for this process, past everything that is in the machines' way."""
        return parse_place(self.postgres.address(user=OWNER, database=self.database))

    def run(self, *words: str) -> subprocess.CompletedProcess:
        """Run a command on the machine whose turn it is: never the same twice in a row."""
        self.machines.append(self.machines.pop(0))
        return self.machines[0].run(*words)

    @property
    def x_port(self) -> int:
        """Where X is on loopback."""
        return int(self.server.url.rpartition(":")[2])

    def age_attempts(self, ms: int) -> None:
        """Let open attempts be older, and of the machine that is next: its time counts then, without a wait."""
        self.execute(
            "UPDATE profilectl.intents SET boot = %s, attempted_local_ms = attempted_local_ms - %s",
            self.machines[1 % len(self.machines)].boot,
            ms,
        )

    def let_time_pass(self) -> None:
        """Let the grace pass, and the time until a list must tell what a lost create made; nothing is slow any more."""
        self.world.faults.clear()
        seconds = GRACE + (LATEST_ARRIVAL if self.state_of().intents else 1)
        self.world.advance(seconds)
        self.age_attempts(int(seconds * 1000))

    def restore(self, dumped: str) -> None:
        """Put a dump in the ledger's place; again when a run that is under way is in its way, as a person would."""
        for _ in range(5):
            try:
                self.postgres.restore(self.database, dumped)
            except AssertionError as error:
                if "deadlock detected" not in str(error):
                    raise
            else:
                return
        raise AssertionError("five deadlocks in a row")

    def execute(self, statement: str, *values):
        """Run a statement in the ledger's database, as nobody should."""
        return self.postgres.execute(statement, *values, database=self.database)

    def bound_ids(self) -> set[str]:
        """Return the profiles that are somebody's, as soon as the database can be asked."""
        rows: list[tuple[str]] = []

        def ask() -> bool:
            with contextlib.suppress(psycopg.OperationalError):
                rows[:] = self.execute("SELECT profile_id FROM profilectl.bindings")
                return True
            return False

        until(ask, "the ledger's database")
        return {profile_id for (profile_id,) in rows}

    def has_lease(self) -> bool:
        """Say whether some run holds the ledger now."""
        with self.reader() as ledger:
            return ledger.holder() is not None
