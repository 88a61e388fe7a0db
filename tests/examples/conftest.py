"""An X on loopback, and the program found on a PATH as it is on the machines that the examples are for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from profilectl.sandbox.http.app import SandboxApp
from profilectl.sandbox.http.server import SandboxServer
from profilectl.sandbox.model.rate_limits import Limits
from profilectl.sandbox.model.world import World

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
_VALUES = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
_ROSTER = """version = 1
[brands.acme]
handle = "AcmeCare"
[agents.alice]
name = "Alice"
kind = "human"
avatar = "alice.png"
"""


@dataclass
class Machine:
    """A home, a folder of programs, and a sandbox that the installed `profilectl` takes for X."""

    root: Path
    world: World
    url: str
    token: str

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def programs(self) -> Path:
        return self.root / "bin"

    def environment(self, **more: str) -> dict[str, str]:
        """Return what cron gives to a job, and no more."""
        path = f"{self.programs}:/usr/bin:/bin"
        return {"HOME": str(self.home), "LOGNAME": "nobody", "PATH": path, "SHELL": "/bin/sh"} | more

    def install(self, name: str, script: str) -> Path:
        """Put an executable on the PATH."""
        self.programs.mkdir(exist_ok=True)
        path = self.programs / name
        path.write_text(script)
        path.chmod(0o755)
        return path

    def write_roster(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 64), (20, 120, 200)).save(folder / "alice.png")
        path = folder / "roster.toml"
        path.write_text(_ROSTER)
        return path

    def configure(self, text: str, mode: int = 0o600) -> Path:
        """Write the config file."""
        path = self.home / ".config" / "profilectl" / "config.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def run(self, *words: str, stdin: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=self.root,
            env=self.environment(**more),
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def live(self) -> list[str]:
        return [one["name"] for one in self.world.state()["profiles"] if one["is_live"]]


@pytest.fixture
def machine(tmp_path: Path):
    with World(limits=Limits.generous()) as world, SandboxServer(SandboxApp(world)) as server:
        brand = world.ensure_brand("AcmeCare", user_id="4242")
        token = json.dumps({name: getattr(brand, name) for name in _VALUES})
        one = Machine(tmp_path, world, server.url, token)
        one.home.mkdir()
        one.install(
            "profilectl",
            f'#!/bin/sh\nPROFILECTL_API_URL={server.url} exec "{sys.executable}" -m profilectl "$@"\n',
        )
        yield one


@pytest.fixture
def is_root() -> bool:
    return os.geteuid() == 0
