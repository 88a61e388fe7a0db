"""The program within limits, and what it took: memory and time, measured of the process itself."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MACHINE = 2_000_000_000  # bytes that a process may map: what takes more shall fail here, not fill the machine
CPU_SECONDS = 60

# A small process of its own in between: the kernel counts a process's peak from what its parent held when it began,
# and after ten thousand tests pytest holds more than the program may.
_LAUNCHER = """
import os, resource, subprocess, sys

def limit():
    resource.setrlimit(resource.RLIMIT_AS, (machine, machine))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))

machine, seconds = int(sys.argv[1]), int(sys.argv[2])
with open(sys.argv[3], "wb") as out:
    process = subprocess.Popen(sys.argv[4:], stdout=out, stderr=out, preexec_fn=limit)
    _, status, usage = os.wait4(process.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, usage.ru_utime + usage.ru_stime)
"""


@dataclass(frozen=True)
class Measured:
    """How a run of the program ended.

    `peak` is in megabytes (of 1,024 kilobytes), `seconds` are of CPU, so that other work on the machine doesn't count.
    """

    code: int
    lines: list[str]
    peak: float
    seconds: float


def run(
    folder: Path,
    words: Sequence[str],
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    *,
    machine: int = MACHINE,
    **variables: str,
) -> Measured:
    """Run `profilectl` with these words in a folder; its output, both streams, goes to the file `out` there."""
    out = folder / "out"
    command = [sys.executable, "-m", "profilectl", *words]
    launched = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(machine), str(CPU_SECONDS), str(out), *command],
        cwd=folder,
        env={**os.environ, **variables},
        stdin=stdin,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    code, kilobytes, seconds = launched.stdout.split()
    return Measured(int(code), out.read_text(encoding="utf-8").splitlines(), int(kilobytes) / 1024, float(seconds))
