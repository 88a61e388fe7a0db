"""Real kills: the program as it is installed, ended at random moments, then left to finish.

`PROFILECTL_TEST_KILLS=5000` goes on for longer; `PROFILECTL_TEST_SEED` chooses other moments.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from tests.patience import cut_short, until
from tests.resilience.kills_bench import Bench

USUAL_KILLS = 60
KILLS = int(os.environ.get("PROFILECTL_TEST_KILLS", str(USUAL_KILLS)))
SEED = int(os.environ.get("PROFILECTL_TEST_SEED", "1"))
ONE_WORLD = 5  # kills; time only moves forward in a world, and signatures may be five minutes off
EXIT_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
SIGNALS = 4  # of each kind
MOST_TRIES = 50  # runs in a row that are faster than their signal

PROGRAM = """
import atexit, os, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from profilectl import __main__
from profilectl.cli import main
from profilectl.render import console
strike = lambda number: os.kill(os.getpid(), number)
"""
CTRL_C = 'main._dispatch = lambda words: exec("strike(signal.SIGINT)", globals())'
IN_A_CLASS = """
class Struck:
    def __set_name__(self, owner, name):
        strike(signal.{})
main.{} = lambda *_: type("Owner", (), {{"struck": Struck()}})
"""
LEAVING = "main._dispatch = lambda words: 0\natexit.register(strike, signal.{})"


@pytest.mark.scoreboard("kills")
@pytest.mark.parametrize("campaign", range(-(-KILLS // ONE_WORLD)))
def test_kill_at_any_moment(tmp_path, preloaded, campaign, tally):
    """After a SIGKILL at any moment one run brings every agent exactly one live profile, and nothing is left to do."""
    dice = random.Random(SEED * 1000 + campaign)
    with Bench(tmp_path / "desk", dice, preloaded=preloaded) as bench:
        for _ in range(min(ONE_WORLD, KILLS - campaign * ONE_WORLD)):
            strike_once(bench, signal.SIGKILL, -signal.SIGKILL)
            tally()
            bench.recover()
            bench.judge_at_rest()
        bench.judge_difference()


@pytest.mark.scoreboard("other signals")
@pytest.mark.parametrize("number", EXIT_CODES, ids=lambda number: number.name)
def test_a_signal_at_any_moment_finishes_the_step_in_hand(tmp_path, preloaded, number, tally):
    """SIGINT and SIGTERM leave no open intent behind, tell a shell so, and the next run finishes."""
    dice = random.Random(SEED * 1000 + number)
    with Bench(tmp_path / "desk", dice, preloaded=preloaded) as bench:
        for _ in range(SIGNALS):
            strike_once(bench, number, EXIT_CODES[number])
            tally()
            assert () == bench.state_of().intents
            bench.recover()
            bench.judge_at_rest()
        bench.judge_difference()


def test_ctrl_c_while_a_dataclass_is_made_exits_as_any_other(tmp_path):
    """`python -m` would die of the signal after all once the interrupt has come up in an `exec`, as dataclasses use."""
    assert (EXIT_CODES[signal.SIGINT], "interrupted\n") == staged(tmp_path, CTRL_C)


@pytest.mark.parametrize("number", EXIT_CODES, ids=lambda number: number.name)
def test_a_signal_while_a_class_is_made_exits_as_any_other(tmp_path, number):
    """Python 3.11 makes a RuntimeError of what comes up while an attribute learns its name; that is no crash."""
    said = {signal.SIGINT: "interrupted\n", signal.SIGTERM: "stopped by SIGTERM\n"}[number]

    assert (EXIT_CODES[number], said) == staged(tmp_path, IN_A_CLASS.format(number.name, "_dispatch"))


def test_ctrl_c_while_a_class_is_made_at_the_start(tmp_path):
    """The same before the commands are there."""
    assert (EXIT_CODES[signal.SIGINT], "") == staged(tmp_path, IN_A_CLASS.format("SIGINT", "run"))


@pytest.mark.parametrize("number", EXIT_CODES, ids=lambda number: number.name)
def test_a_signal_while_leaving_changes_nothing(tmp_path, number):
    """All is done and told: a signal that comes later neither ends nor says anything else."""
    assert (0, "") == staged(tmp_path, LEAVING.format(number.name))


def staged(folder, deed) -> tuple[int, str]:
    """Run a program whose only deed this is with `python -m`; return its exit code and what it said."""
    (folder / "program.py").write_text(f"{PROGRAM}{deed}\n__main__.main()\n")
    words = [sys.executable, "-m", "program", "diff"]
    done = subprocess.run(words, capture_output=True, cwd=folder, text=True, check=False, timeout=60)
    return done.returncode, done.stderr


def strike_once(bench: Bench, number: signal.Signals, code: int) -> None:
    """Send signals to one run after the other until one of them ends by it; what was faster is judged as it is."""
    for _ in range(MOST_TRIES):
        if struck(bench, number, code):
            return
        bench.judge_at_rest()
    pytest.fail(f"{MOST_TRIES} runs in a row weren't ended by {number.name}")


def struck(bench: Bench, number: signal.Signals, code: int) -> bool:
    """Send a signal to a run at a random moment; say whether it ended by it, as it must unless it was faster."""
    process = begin(bench)
    time.sleep(bench.dice.uniform(0, 0.5))
    process.send_signal(number)
    with cut_short(process):
        _, said = process.communicate(timeout=60)
    assert process.returncode in {code, 0}, said
    bench.judge_after_kill()
    return process.returncode == code


def begin(bench: Bench) -> subprocess.Popen:
    """Start a sync that has something to do, and return when its first request has arrived."""
    bench.reshuffle()
    bench.slow_down()
    process = bench.start("sync", "--yes", "--jobs", str(bench.dice.choice((1, 2, 5))))
    with cut_short(process):
        until(lambda: bench.world.faults.all()[0][1] or process.poll() is not None, "the first request of a sync")
        assert process.poll() is None, process.communicate(timeout=60)
    return process
