"""A person's home and a folder with a roster: everything that a run of the program may leave a trace in."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from profilectl.cli import main
from profilectl.sandbox.model.rate_limits import Limits
from profilectl.sandbox.model.world import World
from tests import schemas
from tests.canaries.traces import Canaries, ProcessWatcher, files_below, traces
from tests.patience import group, next_line

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = (sys.executable, "-m", "profilectl")
HANDLE = "acmecare"


@dataclass
class House:
    """Runs the program, keeps all that it says, and looks for the canaries in all that there is.

    Attributes:
        excluded: the files in which the secrets have to be, by their exact path.
    """

    root: Path
    canaries: Canaries
    environ: dict[str, str] = field(default_factory=dict)
    heard: list[tuple[str, bytes]] = field(default_factory=list)
    excluded: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        for folder in (self.home, self.folder):
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def folder(self) -> Path:
        return self.root / "work"

    @property
    def state(self) -> Path:
        return self.home / ".local" / "state"

    def variables(self, **more: str) -> dict[str, str]:
        """Return the whole environment, of which nothing comes from the tests' own."""
        return {"HOME": str(self.home), "PATH": os.environ["PATH"], "TMPDIR": str(self.root)} | self.environ | more

    def _variables_for(self, line: str, more: dict[str, str]) -> dict[str, str]:
        """Return the environment of a command line; a roster in a folder of its own is another machine's."""
        other = re.search(r"--roster (\w+)/", line)
        if other is None:
            return self.variables(**more)
        state = str(self.folder / other[1] / "state")
        return self.variables(**{"PROFILECTL_LEDGER": f"{other[1]}/ledger.db", "XDG_STATE_HOME": state} | more)

    def run(self, line: str, *, stdin: str = "", program: tuple[str, ...] = PROGRAM, **more: str) -> int:
        """Run a command line as a process while somebody looks on; return its exit code."""
        with ProcessWatcher() as watcher:
            done = subprocess.run(
                [*program, *shlex.split(line)],
                cwd=self.folder,
                env=self._variables_for(line, more),
                input=stdin.encode(),
                capture_output=True,
                timeout=60,
                check=False,
            )
        schemas.check_output(shlex.split(line), done.stdout)
        self.heard += [(f"{line}: stdout", done.stdout), (f"{line}: stderr", done.stderr)]
        self.heard += [(f"{line}: /proc/…/cmdline", words) for words in watcher.seen]
        return done.returncode

    def run_server(self, line: str, **_: str) -> int:
        """Start a command that doesn't end by itself, and terminate it once it has spoken on both streams."""
        with group(
            [*PROGRAM, *shlex.split(line)],
            cwd=self.folder,
            env=self.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            begun = [next_line(process, stream) for stream in (process.stdout, process.stderr)]
            process.terminate()
            streams = [first + rest for first, rest in zip(begun, process.communicate(timeout=60), strict=True)]
        schemas.check_output(shlex.split(line), streams[0])
        self.heard += [(f"{line}: {name}", text) for name, text in zip(("stdout", "stderr"), streams, strict=True)]
        return process.returncode

    def run_here(self, line: str, *, stdin: str = "", **more: str) -> int:
        """Run a command line in this process, which is quicker by a factor of ten."""
        out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
        piped = io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8")
        with (
            mock.patch.dict(os.environ, self._variables_for(line, more), clear=True),
            contextlib.chdir(self.folder),
            mock.patch.multiple(sys, stdout=out, stderr=err, stdin=piped),
        ):
            code = main.run(shlex.split(line))
        for name, stream in (("stdout", out), ("stderr", err)):
            stream.flush()
            self.heard.append((f"{line}: {name}", stream.buffer.getvalue()))
        schemas.check_output(shlex.split(line), out.buffer.getvalue())
        return code

    def said(self) -> str:
        """Return all that was printed."""
        return b"\n".join(content for _, content in self.heard).decode()

    def leaks(self) -> list[str]:
        """Return where a canary was seen: in what was said, in arguments, in names and contents of files."""
        places = [*self.heard, *self._files()]
        return sorted({f"{place}: {trace}" for place, content in places for trace in traces(content, self.canaries)})

    def _files(self) -> Iterator[tuple[str, bytes]]:
        for path in files_below(self.root):
            if path not in self.excluded:
                yield str(path), os.fsencode(path) + b"\n" + path.read_bytes()


def world_of(canaries: Canaries, path: Path | str = ":memory:") -> World:
    """Return a world whose only brand signs with the canaries."""
    if path != ":memory:" and Path(path).exists():
        Path(path).chmod(0o600)  # a copy has the modes of whoever made it
    world = World(path, limits=Limits.generous())
    brand = world.ensure_brand(HANDLE, user_id="4242")
    world.ensure_customer("customer", user_id="7007")
    world.store.set_meta("consumer_key", canaries.consumer_key)
    world.store.set_meta("consumer_secret", canaries.consumer_secret)
    sql = "UPDATE tokens SET token = ?, secret = ? WHERE token = ?"
    world.store.change(sql, canaries.access_token, canaries.access_token_secret, brand.access_token)
    return world
