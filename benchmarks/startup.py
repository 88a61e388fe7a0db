"""How long a command takes to start, against Python doing nothing."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import Failed, Sample, interleave, run_process
from benchmarks.table import Goal, Row, compared
from benchmarks.workshop import CHECKOUT, PROGRAM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.measure import Samples
    from benchmarks.sizes import Size
    from benchmarks.workshop import Desk, Workshop

FLOOR = "python -c pass"
_CUSTOMER = "1234567890"
_REFUSAL = b'{"errors":[{"code":32,"message":"Could not authenticate you."}]}'
_LIBRARIES = "import typer, msgspec"
_WIRE = "import typer, msgspec, httpx, oauthlib.oauth1"
_GOALS = {
    "--version, python -m": Goal(1.6),
    "--version, console script": Goal(1.6),
    "__complete agents": Goal(1.6),
    "send --dry-run": Goal(7.5),
    "send, until the first byte leaves": Goal(13),
}
_COMPLETION = """
source "$1"
COMP_LINE="profilectl $2" COMP_POINT=$((11 + ${#2})) COMP_WORDS=(profilectl "$2") COMP_CWORD=1
_profilectl
[[ " ${COMPREPLY[*]} " == *" $3 "* ]]
"""


def measure(workshop: Workshop, size: Size) -> Iterator[Row]:
    """Yield one row per command."""
    addressed = workshop.desk("addressed", size.addressed)
    with workshop.server() as server:
        addressed.sync(server.url, 8)  # a message needs a face
    completed = workshop.desk("completed", size.completed)
    contestants = _contestants(workshop, addressed, completed)
    samples = interleave(contestants, size.start_rounds)
    notes, goals = _notes(size), _bounded(samples)
    for name, own in samples.items():
        row = partial(compared, "startup", name, own, unit="ms", note=notes.get(name, ""))
        yield row() if name == FLOOR else row(samples[FLOOR], against=FLOOR, goal=goals.get(name))


def _bounded(samples: dict[str, Samples]) -> dict[str, Goal]:
    """Return the goals, with how much of each figure the libraries are that no command line does without."""
    bounds = {"send --dry-run": _LIBRARIES, "send, until the first byte leaves": _WIRE}
    shares = {name: (words, samples[words].median / samples[FLOOR].median) for name, words in bounds.items()}
    return _GOALS | {
        name: replace(_GOALS[name], bound=f"`{words}` alone takes {share:.2f}")
        for name, (words, share) in shares.items()
    }


def _contestants(workshop: Workshop, addressed: Desk, completed: Desk) -> dict[str, Callable[[], Sample]]:
    python = partial(run_process, folder=addressed.folder, env=addressed.env)
    message = ("Hello", "--as", "agent0", "--to", _CUSTOMER, "--human-wrote-this")
    contestants = {
        FLOOR: partial(python, [sys.executable, "-c", "pass"]),
        _LIBRARIES: partial(python, [sys.executable, "-c", _LIBRARIES]),
        _WIRE: partial(python, [sys.executable, "-c", _WIRE]),
        "--version, python -m": partial(addressed.profilectl, "--version"),
        "__complete agents": partial(completed.profilectl, "__complete", "agents"),
        "--help": partial(addressed.profilectl, "--help"),
        "roster check": partial(addressed.profilectl, "roster", "check"),
        "roster list | cat": partial(addressed.profilectl, "roster", "list"),
        "send --dry-run": partial(addressed.profilectl, "send", *message, "--dry-run"),
        "send, until the first byte leaves": partial(_time_first_byte, addressed, "send", *message),
    }
    if script := _console_script():
        contestants["--version, console script"] = partial(python, [script, "--version"])
    if shutil.which("bash"):
        contestants["a command completed in bash"] = _completion(workshop)
    return contestants


def _notes(size: Size) -> dict[str, str]:
    agents = f"{size.addressed} agents"
    return {
        _LIBRARIES: "what every command line loads before anything of ours",
        _WIRE: "the same for one that calls X",
        "__complete agents": f"{size.completed:,} agents, names cached",
        "roster check": agents,
        "roster list | cat": f"{agents}, into a pipe",
        "send --dry-run": agents,
        "send, until the first byte leaves": f"{agents}, credentials from the environment",
        "a command completed in bash": "the whole bash process; it could start no Python",
    }


def _console_script() -> Path | None:
    """Return the command that pip made beside this interpreter."""
    path = Path(sys.executable).with_name("profilectl")
    return path if path.exists() else None


def _completion(workshop: Workshop) -> Callable[[], Sample]:
    """Return a completion by a bash on whose PATH every Python and profilectl is a trap."""
    folder = workshop.folder / "traps"
    folder.mkdir()
    for name in ("python", "python3", "profilectl", "env"):
        trap = folder / name
        trap.write_text(f"#!/bin/sh\necho {name} >>{folder}/sprung\n")
        trap.chmod(0o755)
    bash = shutil.which("bash")
    script = CHECKOUT / "completions" / "profilectl.bash"
    words = [bash, "--norc", "-c", _COMPLETION, "bash", script, "ros", "roster"]

    def complete() -> Sample:
        sample = run_process(words, folder=folder, env={"PATH": str(folder)})
        if (folder / "sprung").exists():
            raise Failed("bash's completion of a command started another process")
        return sample

    return complete


def _time_first_byte(desk: Desk, *words: str) -> Sample:
    """Return how long after its start a process sends the first byte; then it is refused, and ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        env = desk.environment(f"http://127.0.0.1:{listener.getsockname()[1]}")
        started = time.perf_counter()
        process = subprocess.Popen(
            [*PROGRAM, *words],
            cwd=desk.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(30)
                connection.recv(1)
                seconds = time.perf_counter() - started
                head = f"HTTP/1.1 401 Unauthorized\r\nContent-Length: {len(_REFUSAL)}\r\nConnection: close\r\n\r\n"
                connection.sendall(head.encode() + _REFUSAL)
                while connection.recv(4096):  # until the process has read its answer
                    pass
            process.wait(30)
        finally:
            process.kill()
            process.wait()
    return Sample(seconds)
