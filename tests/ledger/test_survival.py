"""Real kills and real full disks: what was acknowledged is there, and nothing is there by half."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from contextlib import closing

import pytest

from profilectl.audit.chain import verify
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.model import Account, LedgerState
from tests.patience import next_line

DEEDS = '''\
"""The n-th deed follows from n alone: even ones intend, odd ones settle, for five agents in turn."""
from profilectl.model import Intent, Profile

LISTED = frozenset(str(number) for number in range(50))

def do(ledger, n):
    turn, agent = n // 2, f"agent{n // 2 % 5}"
    if n % 2 == 0:
        ledger.begin_intent("1", Intent(f"n{turn}", agent, agent, "sha256:a", LISTED, n, 1, n))
    else:
        ledger.finish_intent("1", f"n{turn}", Profile(str(1000 + turn), agent, "url", n), n, adopted=False)
'''

WORKER = """\
import resource, sys
from pathlib import Path
from profilectl.errors import LedgerRefused
from profilectl.ledger.sqlite import open_for_writing

ledger = open_for_writing(Path(sys.argv[1]))
n = sum(1 for _ in ledger.events())
size = 4 if "batch" in sys.argv[2] else 1

def turn(n):
    if size == 1:
        do(ledger, n)
        return
    with ledger.batch():
        for one in range(n, n + size):
            do(ledger, one)

print("begun", flush=True)
if "full" in sys.argv[2]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    while True:
        turn(n)
        n += size
        print(n, flush=True)
except LedgerRefused as refusal:
    print(refusal.message, flush=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    turn(n)
    print(n + size, flush=True)
"""


def worker(path, how):
    command = [sys.executable, "-c", DEEDS + WORKER, str(path), how]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def do():
    names = {}
    exec(DEEDS, names)
    return names["do"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".profilectl" / "ledger.db"


def sound(path):
    """Check the database by its own means, and return what the ledger says."""
    with open_for_writing(path) as ledger:
        assert [("ok",)] == ledger._engine.execute("PRAGMA integrity_check")
        assert [] == ledger._engine.execute("PRAGMA foreign_key_check")
        assert verify(ledger.events()) is None
        return sum(1 for _ in ledger.events()), ledger.state_of("1")


def test_kill_at_any_moment(tmp_path, path, do):
    """After each of twenty kills every acknowledged deed is there, at most one more, and none by half."""
    seed = random.randrange(2**32)
    moments = random.Random(seed)
    mirror = open_for_writing(tmp_path / "mirror" / "ledger.db")
    mirrored = 0
    with closing(mirror):
        for _ in range(20):
            with worker(path, "kill") as process:
                assert next_line(process) == "begun\n"
                time.sleep(moments.uniform(0, 0.06))
                process.kill()
                told = [line for line in process.stdout.read().splitlines() if line]
            acknowledged = int(told[-1]) if told else mirrored
            done, held = sound(path)
            assert done in {acknowledged, acknowledged + 1}, f"seed {seed}"
            for n in range(mirrored, done):
                do(mirror, n)
            mirrored = done
            assert mirror.state_of("1") == held, f"seed {seed}"
    assert mirrored > 20


@pytest.mark.parametrize(("how", "size"), [("full", 1), ("full, in a batch", 4)])
def test_full_disk(path, how, size):
    """A full disk refuses the deed, or the batch, as a whole, with the path; with space again the ledger goes on."""
    with worker(path, how) as process:
        told = process.communicate(timeout=60)[0].splitlines()
    assert 0 == process.returncode
    before, refusal, after = told[-3:]
    assert str(path) in refusal
    assert int(before) + size == int(after) == sound(path)[0]


def test_kill_before_anything_is_known(path):
    """A ledger that was opened and never used survives a kill as an empty one."""
    with worker(path, "kill") as process:
        assert next_line(process) == "begun\n"
        process.kill()
    with open_for_writing(path) as ledger:
        ledger.register_account("acme", Account("1", "acmecare", "api.x.com"), 5)
    with open_for_reading(path) as reader:
        assert reader.account_of("acme")
        assert isinstance(reader.state_of("1"), LedgerState)
