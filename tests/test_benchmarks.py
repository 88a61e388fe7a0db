"""The benchmarks run, count and fill their table; how long anything takes isn't asserted."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.patience import until

ROOT = Path(__file__).resolve().parent.parent
COLUMNS = ["benchmark", "what", "median", "ratio", "of CPU", "baseline", "goal", "reached", "note"]
KEYS = {
    *(
        "benchmark",
        "name",
        "value",
        "unit",
        "ratio",
        "baseline",
        "goal",
        "cpu_ratio",
        "note",
        "samples",
        "reached",
        "bound",
    ),
}
GOALS = {  # every figure that the project promises, as (benchmark, name, baseline, goal)
    ("startup", "--version, python -m", "python -c pass", "≤ 1.6"),
    ("startup", "__complete agents", "python -c pass", "≤ 1.6"),
    ("startup", "send --dry-run", "python -c pass", "≤ 7.5"),
    ("startup", "send, until the first byte leaves", "python -c pass", "≤ 13"),
    ("wire", "sync --jobs 1", "bare httpx loop", "≤ 1.6"),
    ("wire", "sync --jobs 1", "sequential tweepy", "≤ 0.8"),
    ("latency", "sync --jobs 8", "the ideal", "≥ 0.8"),
    ("latency", "sync --jobs 8", "the ideal", "≥ 0.88"),
    ("latency", "sync --jobs 8", "sequential tweepy", "≥ 7"),
    ("tls", "sync --jobs 8", "sequential tweepy", "≥ 20"),
    ("record", "doctor, more than without", "", "≤ 0.3"),
    ("record", "diff, more than without", "", "≤ 0.3"),
    ("record", "TAB after a send, more than without", "", "≤ 0.3"),
    ("record", "peak memory", "", "≤ 120"),
    ("idle", "peak memory", "", "≤ 90"),
    ("idle", "calls", "", "≤ 2"),
    ("idle", "pictures opened", "", "≤ 0"),
}


@pytest.fixture
def start(tmp_path):
    """Return a function that starts the runner in tiny form, with a temporary folder of its own."""
    started = []

    def starting(*words):
        (tmp_path / "temporary").mkdir()
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks", "--tiny", *words],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path / "temporary")},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield starting
    for process in started:
        process.kill()
        process.communicate(timeout=60)


@pytest.fixture
def module(monkeypatch):
    """Import a module of the benchmarks, which are no part of what is installed."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: import_module(f"benchmarks.{name}")


@pytest.mark.parametrize("name", ["startup", "wire", "latency", "tls", "idle", "record", "planning"])
def test_each_benchmark_fills_the_table_and_the_document(name, start, tmp_path):
    """Every row is printed and written with all that it has, each promise among them; nothing stays behind."""
    if name == "tls" and shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    process = start("--only", name, "--json", str(tmp_path / "out.json"))
    out, err = process.communicate(timeout=120)
    assert 0 == process.returncode, err
    document = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    rows = document["rows"]
    header, _, *lines = out.partition("\n\n")[0].splitlines()

    assert ("profilectl.benchmarks/1", "tiny") == (document["schema"], document["size"])
    assert COLUMNS == [column.strip() for column in header.split("  ") if column.strip()]
    assert len(rows) == len(lines)
    assert all(row.keys() == KEYS and row["benchmark"] == name for row in rows)
    told = {(name, row["name"], row["baseline"].partition(",")[0], row["goal"]) for row in rows}
    assert {promise for promise in GOALS if promise[0] == name} <= told
    assert [] == list((tmp_path / "temporary").iterdir())


def test_an_interrupted_run_leaves_nothing_behind(start, tmp_path):
    """Servers and folders are gone after SIGTERM, and the exit code is that of an interruption."""
    process = start("--only", "latency")
    folder = tmp_path / "temporary"
    until(lambda: list(folder.glob("*/jobs-1-3/roster.toml")), "the workshop to be furnished")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)

    assert (130, "") == (process.returncode, out), err
    assert [] == list(folder.iterdir())


def test_every_contestant_runs_once_per_round_in_a_changing_order(module):
    """The warm-up isn't counted, and no contestant is always the first one."""
    measure = module("measure")
    order = []

    def contestant(name):
        return lambda: order.append(name) or measure.Sample(1.0)

    names = ["a", "b", "c"]
    samples = measure.interleave({name: contestant(name) for name in names}, 8, 1)
    rounds = [order[place : place + 3] for place in range(0, len(order), 3)]

    assert dict.fromkeys(names, 8) == {name: len(one.runs) for name, one in samples.items()}
    assert all(names == sorted(one) for one in rounds)
    assert len(rounds) == 9
    assert len({one[0] for one in rounds}) > 1


def test_the_summary_names_what_bounds_a_goal(module):
    """How many goals are reached, and for each that isn't by how much it is missed, and why."""
    table = module("table")
    rows = [
        table.Row("idle", "calls", 21, "calls", goal=table.Goal(21)),
        table.Row("idle", "pictures opened", 2, "files", goal=table.Goal(0)),
        table.Row("startup", "send", 90.0, "ms", ratio=9.0, goal=table.Goal(7.5, bound="importing it takes 6")),
        table.Row("startup", "--help", 90.0, "ms", ratio=9.0),
    ]

    assert table.summary(rows).splitlines() == [
        "1 of 3 goals reached",
        "  idle, pictures opened: 2 files instead of ≤ 0; what bounds it isn't known",
        "  startup, send: 9.00 instead of ≤ 7.5; importing it takes 6",
    ]


def test_a_process_that_fails_is_no_measurement(module, tmp_path):
    """What it said is told, instead of the time that it took to fail."""
    measure = module("measure")

    with pytest.raises(measure.Failed, match="never heard of it"):
        measure.run_process([sys.executable, "-c", "raise SystemExit('never heard of it')"], folder=tmp_path, env={})


def test_contestants_with_other_calls_are_not_compared(module):
    """A ratio means something only between programs that make the same calls."""
    wire, measure, server = module("wire"), module("measure"), CountingServer()
    calls = {}
    wire._with_equal_calls(server, lambda: server.take("list", "upload", "create"), calls)
    wire._with_equal_calls(server, lambda: server.take("list", "create", "upload"), calls)

    with pytest.raises(measure.Failed, match="other calls"):
        wire._with_equal_calls(server, lambda: server.take("list", "upload"), calls)


class CountingServer:
    def __init__(self):
        self.taken = {}

    def reset(self):
        self.taken = {}

    def take(self, *kinds):
        self.taken = dict.fromkeys(kinds, 1)

    def counts(self):
        return self.taken
