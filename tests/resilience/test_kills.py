"""Real kills: the program as it is installed, ended at random moments, then left to finish.

`PROFILECTL_TEST_KILLS=5000` goes on for longer; `PROFILECTL_TEST_SEED` chooses other moments.
"""

from __future__ import annotations

import os
import random
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.resilience.kills_bench import Bench

if TYPE_CHECKING:
    import subprocess

KILLS = int(os.environ.get("PROFILECTL_TEST_KILLS", "20"))
SEED = int(os.environ.get("PROFILECTL_TEST_SEED", "1"))
ONE_WORLD = 10  # kills; time only moves forward in a world, and signatures may be five minutes off
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.mark.parametrize("campaign", range(-(-KILLS // ONE_WORLD)))
def test_kill_at_any_moment(tmp_path, campaign):
    """After a SIGKILL at any moment one run brings every agent exactly one live profile, and nothing is left to do."""
    dice = random.Random(SEED * 1000 + campaign)
    landed = 0
    with Bench(tmp_path / "desk", dice) as bench:
        for _ in range(min(ONE_WORLD, KILLS - campaign * ONE_WORLD)):
            process = begin(bench)
            landed += end(process, signal.SIGKILL, dice)[0] == -signal.SIGKILL
            bench.judge_after_kill()
            bench.recover()
            bench.judge_at_rest()
        bench.judge_difference()
    assert landed > 0


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_at_any_moment_finishes_the_step_in_hand(tmp_path, number):
    """SIGINT and SIGTERM leave no open intent behind, tell a shell so, and the next run finishes."""
    dice = random.Random(SEED * 1000 + number)
    with Bench(tmp_path / "desk", dice) as bench:
        for _ in range(4):
            process = begin(bench)
            code, said = end(process, number, dice)
            assert code in {SIGNALS[number], 0}, said
            bench.judge_after_kill()
            assert () == bench.holdings().intents
            bench.recover()
            bench.judge_at_rest()
        bench.judge_difference()


def begin(bench: Bench) -> subprocess.Popen:
    """Start a sync that has something to do, and return when its first request has arrived."""
    bench.reshuffle()
    bench.slow_down()
    process = bench.start("sync", "--yes", "--jobs", str(bench.dice.choice((1, 2, 5))))
    while not bench.world.faults.all()[0][1]:
        assert process.poll() is None, process.communicate()
        time.sleep(0.002)
    return process


def end(process: subprocess.Popen, number: signal.Signals, dice: random.Random) -> tuple[int, str]:
    """Send a signal at a random moment; return the exit code, 0 when the run was faster, and what was said."""
    time.sleep(dice.uniform(0, 0.5))
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    return process.returncode, said
