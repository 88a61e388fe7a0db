"""A folder for the time of one run, with rosters, pictures, servers and a clean environment; nothing of it stays."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import run_process
from benchmarks.server import HANDLE, USER_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measure import Sample

CHECKOUT = Path(__file__).resolve().parent.parent
PROGRAM = (sys.executable, "-m", "profilectl")
_SHARED_PICTURES = 24
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "VIRTUAL_ENV", "SYSTEMROOT", "TMPDIR")
_CREDENTIALS = {
    "PROFILECTL_CONSUMER_KEY": "consumer",
    "PROFILECTL_CONSUMER_SECRET": "consumer-secret",
    "PROFILECTL_ACCESS_TOKEN": f"{USER_ID}-token",
    "PROFILECTL_ACCESS_TOKEN_SECRET": "token-secret",
}


class Server:
    """A stand-in for X in a process of its own."""

    def __init__(self, url: str, control_url: str) -> None:
        self.url = url  # for clients; may lead over a slow line
        self._control_url = control_url

    def counts(self) -> dict[str, int]:
        """Return how many calls have come since the last reset, by kind."""
        with urllib.request.urlopen(f"{self._control_url}/_counts", timeout=10) as answer:
            return json.load(answer)

    def reset(self) -> None:
        """Forget profiles and counts."""
        urllib.request.urlopen(f"{self._control_url}/_reset", b"", timeout=10).close()


@dataclass
class Desk:
    """A folder with a roster of its own, and the same agents as a list for other clients."""

    folder: Path
    env: dict[str, str]
    agents: int

    def profilectl(self, *words: str, url: str | None = None, **env: str) -> Sample:
        return run_process([*PROGRAM, *words], folder=self.folder, env=self.environment(url) | env)

    def client(self, name: str, url: str, **env: str) -> Sample:
        """Run one of the other clients for all agents."""
        return self.script(name, "agents.tsv", url=url, **env)

    def script(self, name: str, *words: str, url: str | None = None, **env: str) -> Sample:
        """Run one of the scripts beside this module."""
        path = CHECKOUT / "benchmarks" / "clients" / f"{name}.py"
        return run_process([sys.executable, path, *words], folder=self.folder, env=self.environment(url) | env)

    def environment(self, url: str | None) -> dict[str, str]:
        ledger = {"PROFILECTL_LEDGER": str(self.folder / "ledger" / "ledger.db")}  # the same one at every address
        return self.env | ledger | ({"PROFILECTL_API_URL": url} if url else {})

    def forget(self) -> None:
        """Take ledger, caches and what is remembered of ledgers away, so that the next sync is the first one."""
        for folder in (self.folder / "ledger", self.env["XDG_CACHE_HOME"], self.env["XDG_STATE_HOME"]):
            shutil.rmtree(folder, ignore_errors=True)

    def sync(self, url: str, jobs: int, **env: str) -> Sample:
        """Sync all agents as new ones."""
        self.forget()
        return self.profilectl("sync", "--yes", "--json", "--jobs", str(jobs), url=url, **env)


class Workshop:
    """Makes desks and servers in one temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | {
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "XDG_STATE_HOME": str(folder / "state"),
        }

    def desk(self, name: str, agents: int, *, own_pictures: bool = False) -> Desk:
        """Return a new folder with a roster of that many agents."""
        folder = self.folder / name
        folder.mkdir()
        pictures = agents if own_pictures else min(agents, _SHARED_PICTURES)
        desk = Desk(folder, self.env | _CREDENTIALS, agents)
        desk.script("pictures", "avatars", str(pictures))
        rows = [(f"agent{number}", f"Agent {number}", f"avatars/{number % pictures}.jpg") for number in range(agents)]
        lines = ["version = 1", "[brands.acme]", f'handle = "{HANDLE}"', "[defaults]", 'kind = "human"']
        for key, public_name, picture in rows:
            lines += [f"[agents.{key}]", f'name = "{public_name}"', f'avatar = "{picture}"']
        (folder / "roster.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (folder / "agents.tsv").write_text("".join(f"{row[1]}\t{row[2]}\n" for row in rows), encoding="utf-8")
        return desk

    @contextmanager
    def server(self, delay: float = 0.0) -> Iterator[Server]:
        """Serve on plain loopback; every answer comes `delay` seconds late."""
        with self.process("-m", "benchmarks.server", "--delay", str(delay)) as process:
            url = f"http://127.0.0.1:{int(process.stdout.readline())}"
            yield Server(url, url)

    @contextmanager
    def sandbox(self) -> Iterator[dict[str, str]]:
        """Serve the local X; yields its address and credentials as environment variables."""
        serving = ("sandbox", "serve", "--generous", "--port", "0", "--handle", HANDLE, "--json", "--quiet")
        with self.process("-m", "profilectl", *serving) as process:
            served = json.loads(process.stdout.readline())
            account = served["accounts"][0]
            names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
            yield {"PROFILECTL_API_URL": served["url"]} | {
                f"PROFILECTL_{name.upper()}": account[name] for name in names
            }

    @contextmanager
    def process(self, *words: str) -> Iterator[subprocess.Popen]:
        """Run Python in the background; it ends when its standard input does, and when this runner dies."""
        with (self.folder / "servers.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *words],
                cwd=self.folder,
                env=self.env | {"PYTHONPATH": str(CHECKOUT)},  # what is measured is what is installed
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,  # Ctrl-C is for the runner
            )
        try:
            yield process
        finally:
            process.stdin.close()
            process.terminate()  # the sandbox doesn't look at its input
            process.stdout.close()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def open_workshop() -> Iterator[Workshop]:
    """Make a workshop, and leave nothing of it."""
    with tempfile.TemporaryDirectory(prefix="profilectl-benchmarks-") as folder:
        yield Workshop(Path(folder))
