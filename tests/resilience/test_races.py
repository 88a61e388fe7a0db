"""Two syncs at once on one ledger: one does the work, the other waits for it or says who does.

`PROFILECTL_TEST_RACES=50` runs more of them.
"""

from __future__ import annotations

import json
import os
import random

import pytest

from tests.resilience.kills_bench import Bench

RACES = int(os.environ.get("PROFILECTL_TEST_RACES", "5"))
SEED = int(os.environ.get("PROFILECTL_TEST_SEED", "1"))


@pytest.fixture
def bench(tmp_path):
    with Bench(tmp_path / "desk", random.Random(SEED)) as one:
        yield one


def test_two_syncs_at_once_do_the_work_once(bench):
    """No duplicate and no lost binding; the second finds nothing to do, or leaves with 75 and names the holder."""
    for _ in range(RACES):
        before, looks = len(everything(bench)), dict(bench.agents)
        bench.reshuffle()
        bench.slow_down(0.03)
        new = sum(looks.get(key) != look for key, look in bench.agents.items())
        waits = [bench.dice.choice(("0s", "1m")) for _ in range(2)]
        processes = [bench.start("sync", "--yes", "--json", "--max-wait", wait) for wait in waits]
        said = [process.communicate(timeout=60) for process in processes]
        codes = [process.returncode for process in processes]

        assert codes in ([0, 0], [0, 75], [75, 0]), said
        assert before + new == len(everything(bench))
        assert all(judge_loser(processes[1 - n], *said[n]) for n, code in enumerate(codes) if code == 75)
        assert codes != [0, 0] or 0 in {json.loads(out)["summary"]["done"] for out, _ in said}
        bench.judge_at_rest()
    bench.judge_difference()


def judge_loser(winner, out, err) -> bool:
    """Say whether the one who left has named the process that holds the ledger, and since when."""
    told = json.loads(out)["error"]
    return told["code"] == 75 and f"(pid {winner.pid} on " in err and " since 20" in err


def everything(bench):
    """Return every profile that was ever made."""
    return bench.world.profiles.all(bench.account.user_id)
