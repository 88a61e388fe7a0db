"""Timing processes: interleaved, shuffled, medians; what is told is the ratio within one run."""

from __future__ import annotations

import os
import random
import signal
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_LONGEST_SECONDS = 300  # of one run; it hangs


@dataclass(frozen=True)
class Sample:
    """One run.

    Attributes:
        seconds: from the start of the process to its end, or to the moment that is measured.
        cpu_seconds: of the process and its children, None where it wasn't run to its end.
        peak_bytes: the largest resident set.
    """

    seconds: float
    cpu_seconds: float | None = None
    peak_bytes: int = 0
    output: str = ""


@dataclass(frozen=True)
class Samples:
    """All runs of one contestant."""

    runs: tuple[Sample, ...]

    @property
    def median(self) -> float:
        return statistics.median(one.seconds for one in self.runs)

    @property
    def cpu_median(self) -> float | None:
        known = [one.cpu_seconds for one in self.runs if one.cpu_seconds is not None]
        return statistics.median(known) if known else None

    @property
    def peak_bytes(self) -> int:
        return max(one.peak_bytes for one in self.runs)


class Failed(RuntimeError):
    """A measured process ended with an error: its time would mean nothing."""


def run_process(words: Sequence[str | Path], *, folder: Path, env: Mapping[str, str]) -> Sample:
    """Run a process to its end; Failed with what it said when its exit code isn't 0."""
    with (folder / "stderr").open("w+b") as complaints:
        started = time.perf_counter()
        process = subprocess.Popen(
            words, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints
        )
        watchdog = threading.Timer(_LONGEST_SECONDS, process.kill)
        watchdog.daemon = True  # or it would outlast an interruption
        try:
            watchdog.start()
            output = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            watchdog.cancel()
            process.stdout.close()
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            complaints.seek(0)
            raise Failed(f"{' '.join(map(str, words))}: {process.returncode}\n{complaints.read().decode()[-2000:]}")
    cpu = usage.ru_utime + usage.ru_stime
    return Sample(seconds, cpu, usage.ru_maxrss * 1024, output.decode())


def interleave(contestants: Mapping[str, Callable[[], Sample]], rounds: int, warm_ups: int = 1) -> dict[str, Samples]:
    """Let every contestant run once per round, in an order that changes, so that a busy machine is fair to all."""
    shuffle = random.Random(6).shuffle
    runs: dict[str, list[Sample]] = {name: [] for name in contestants}
    for number in range(-warm_ups, rounds):
        names = list(contestants)
        shuffle(names)
        for name in names:
            sample = contestants[name]()
            if number >= 0:
                runs[name].append(sample)
    return {name: Samples(tuple(samples)) for name, samples in runs.items()}


def raise_on_sigterm() -> None:
    """Unwind on SIGTERM as on Ctrl-C, so that servers and folders don't stay behind."""

    def leave(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, leave)
