"""The guards around every test, tried on tests of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = """
import pytest
from tests import leftovers, own_signals

def pytest_configure(config):
    leftovers.PATIENCE = 0.2
    config.pluginmanager.register(leftovers.Leftovers(), "leftovers")
    own_signals.receive()

@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
"""
SLEEP = "[sys.executable, '-c', 'import time; print(1, flush=True); time.sleep(100)']"
START = f"kept.append(subprocess.Popen({SLEEP}, stdout=subprocess.PIPE)); kept[-1].stdout.readline()"
LEFT = {
    "descriptor": "kept.append(open(__file__))",
    "thread": "threading.Timer(1, print).start()",
    "process": START,
    "ended": "kept.append(subprocess.Popen(['true']))",
    "orphan": f"subprocess.run([sys.executable, '-c', '''import subprocess, sys; subprocess.Popen({SLEEP})'''])",
}
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_tests(folder, body, starter=""):
    (folder / "conftest.py").write_text(CONFTEST)
    imports = "import pytest, signal, subprocess, sys, threading\nkept = []\n"
    (folder / "test_it.py").write_text(f"{imports}{body}\ndef test_after(): pass\n")
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    begin = f"import os, signal, sys\n{starter}\nos.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    done = subprocess.run(
        [sys.executable, "-c", begin, *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout


@pytest.mark.parametrize("what", LEFT)
def test_what_is_left_behind_fails_the_test_that_did_it(tmp_path, what):
    """An open file, a thread, a process, one that nobody waited for or whose parent has gone: told, and not the next
    test's trouble.
    """
    out = run_tests(tmp_path, f"def test_it(): {LEFT[what]}")

    assert "2 passed, 1 error" in out, out
    assert "ERROR test_it.py::test_it - Failed: the test left behind: " in out
    assert {"ended": "nobody has waited", "orphan": "time.sleep(100)"}.get(what, what) in out


def test_what_a_fixture_holds_for_several_tests_is_not_left_behind(tmp_path):
    """It ends with the module."""
    fixture = f"@pytest.fixture(scope='module')\ndef server():\n    {START}; yield; "
    fixture += "kept[0].kill(); kept[0].communicate()\n"
    out = run_tests(tmp_path, f"{fixture}def test_it(server): pass\ndef test_more(server): pass")

    assert "3 passed" in out, out
    assert "error" not in out


@pytest.mark.parametrize("what", ["signal.signal(number, signal.SIG_IGN)", "signal.pthread_sigmask(0, {number})"])
def test_children_get_every_signal_whoever_starts_the_tests(tmp_path, what):
    """A starter that ignores or blocks signals has no say in what the program does with them."""
    ask = "import signal; print(*map(signal.getsignal, (2, 15, 1)), signal.pthread_sigmask(0, ()))"
    answer = "<built-in function default_int_handler> 0 0 set()\n"
    body = f"def test_it(): assert {answer!r} == subprocess.check_output([sys.executable, '-c', {ask!r}], text=True)"
    starter = f"for number in {[int(number) for number in SIGNALS]}: {what}"

    assert "2 passed" in run_tests(tmp_path, body, starter)


def test_a_neighbour_s_process_is_no_test_s(tmp_path):
    """Also not after a test that gives back the home that everything else on the machine has."""
    body = """
def test_it(monkeypatch):
    monkeypatch.undo()
    begin = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3)'])"
    subprocess.run([sys.executable, "-c", begin])
"""
    out = run_tests(tmp_path, body)

    assert "2 passed" in out, out
    assert "error" not in out
