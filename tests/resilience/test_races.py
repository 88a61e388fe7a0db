"""Two syncs at once on one ledger: one does the work, the other waits for it or says who does.

`PROFILECTL_TEST_RACES=500` runs more of them.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from types import SimpleNamespace

import pytest
from filelock import FileLock

from profilectl.errors import TryLater
from profilectl.system.locks import hold_ledger
from tests.resilience.kills_bench import Bench

USUAL_RACES = 50
RACES = int(os.environ.get("PROFILECTL_TEST_RACES", str(USUAL_RACES)))
SEED = int(os.environ.get("PROFILECTL_TEST_SEED", "1"))
ONE_WORLD = 5  # races
NEVER = 86_400  # seconds: nothing falls due while a slow machine races


@pytest.mark.scoreboard("races")
@pytest.mark.parametrize("campaign", range(-(-RACES // ONE_WORLD)))
def test_two_syncs_at_once_do_the_work_once(tmp_path, campaign, tally):
    """No duplicate and no lost binding; the second finds nothing to do, or leaves with 75 and names the holder."""
    with Bench(tmp_path / "desk", random.Random(SEED * 1000 + campaign), NEVER) as bench:
        for _ in range(min(ONE_WORLD, RACES - campaign * ONE_WORLD)):
            race(bench)
            tally()
        bench.judge_difference()


def race(bench):
    """Let the roster move, and two processes bring it to X."""
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
    assert all(judge_loser(processes[1 - n], *said[n]) for n, code in enumerate(codes) if code == 75), said
    assert codes != [0, 0] or 0 in {json.loads(out)["summary"]["done"] for out, _ in said}
    bench.judge_at_rest()


def judge_loser(winner, out, err) -> bool:
    """Say whether the one who left has named the process that holds the ledger, and since when."""
    told = json.loads(out)["error"]
    return told["code"] == 75 and f"(pid {winner.pid} on " in err and " since 20" in err


def everything(bench):
    """Return every profile that was ever made."""
    return bench.world.profiles.all(bench.account.user_id)


# The moments between a lock and the note of who holds it are too short to be met by chance: here they are staged


@pytest.fixture
def other(tmp_path, monkeypatch):
    """Another run, which has got the lock; `meanwhile` is what it does whenever we pause."""
    one = SimpleNamespace(lock=FileLock(tmp_path / "ledger.db.lock"), meanwhile=lambda: None, elapsed=0.0)

    def sleep(seconds):
        one.elapsed += seconds
        one.meanwhile()

    monkeypatch.setattr("profilectl.system.locks.time", SimpleNamespace(monotonic=lambda: one.elapsed, sleep=sleep))
    with one.lock:
        yield one


@pytest.fixture
def gone():
    """The id of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def note(tmp_path, pid, **more):
    """Leave a note about the holder, as a run does."""
    told = {"pid": pid, "host": os.uname().nodename, "user": "root", "since": "2026-01-01T00:00:00Z", "command": "a"}
    (tmp_path / "ledger.db.lock.holder").write_text(json.dumps(told | more))


def test_a_holder_that_has_only_just_begun_is_named(tmp_path, other):
    """Who comes between the winner's lock and its note waits for the note, even when it may not wait for the lock."""
    other.meanwhile = lambda: note(tmp_path, os.getpid())
    with (
        pytest.raises(TryLater, match=f"pid {os.getpid()} on .* since 2026"),
        hold_ledger(tmp_path / "ledger.db.lock", 0, "b"),
    ):
        pytest.fail("two at once")


def test_a_killed_run_is_not_taken_for_the_holder(tmp_path, other, gone):
    """The note of a run that is dead is not believed: the one that has got the lock since is about to replace it."""
    note(tmp_path, gone)
    other.meanwhile = lambda: note(tmp_path, os.getpid())
    with pytest.raises(TryLater, match=f"pid {os.getpid()} on "), hold_ledger(tmp_path / "ledger.db.lock", 0, "b"):
        pytest.fail("two at once")


@pytest.mark.parametrize("max_wait", [0, 0.05])
def test_a_holder_that_never_tells_costs_a_moment(tmp_path, other, gone, max_wait):
    """Without a note that can be believed the refusal names nobody, and comes in time all the same."""
    note(tmp_path, gone)
    announced = []
    lock = hold_ledger(tmp_path / "ledger.db.lock", max_wait, "b", lambda *said: announced.append(said))
    with pytest.raises(TryLater, match="held by another process"), lock:
        pytest.fail("two at once")
    assert other.elapsed <= max_wait + 1
    assert ([] if max_wait == 0 else [(max_wait, "at most: the ledger is held by another process")]) == announced


def test_another_machine_s_note_is_believed(tmp_path, other, gone):
    """Whether a process of another host still runs can't be known here."""
    note(tmp_path, gone, host="elsewhere")
    with pytest.raises(TryLater, match=f"pid {gone} on elsewhere"), hold_ledger(tmp_path / "ledger.db.lock", 0, "b"):
        pytest.fail("two at once")


def test_a_holder_that_is_leaving_is_followed(tmp_path, other):
    """Who comes after the winner took its note away, and before it let the lock go, gets the lock."""
    other.meanwhile = other.lock.release
    with hold_ledger(tmp_path / "ledger.db.lock", 0, "b"):
        assert str(os.getpid()) in (tmp_path / "ledger.db.lock.holder").read_text()
