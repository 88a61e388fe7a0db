"""``ledger unlock``: a lock in a file is its process's, so the process is named; without one there is nothing to do."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from profilectl.ledger.sqlite import open_for_writing
from tests.cli.test_ledger_show import HOLDER
from tests.patience import cut_short, next_line


@pytest.fixture
def path(desk):
    desk.env["PROFILECTL_LEDGER"] = str(desk.folder / "ledger.db")
    return desk.folder / "ledger.db"


def test_nobody_holds_it(desk, path):
    """With a ledger and without: one sentence, and no file is made."""
    result = desk.run("ledger", "unlock")
    assert (0, f"nobody holds {path}\n") == (result.code, result.out)
    assert [] == list(desk.folder.glob("ledger*"))
    with open_for_writing(path) as ledger, ledger.lock(0, "profilectl sync"):
        pass
    assert 0 == desk.run("ledger", "unlock").code
    assert {"holder": None, "ended": False}.items() <= desk.run("ledger", "unlock", "--json").document.items()


def test_a_run_holds_it(desk, path):
    """It is named, with what to do; it goes on."""
    words = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert "held\n" == next_line(holder)
        with cut_short(holder):
            refused = desk.run("ledger", "unlock")
            assert holder.poll() is None
            holder.communicate("", timeout=60)

    assert (75, "") == (refused.code, refused.out)
    assert f"profilectl sync (pid {holder.pid} on " in refused.err
    assert f"kill {holder.pid}" in refused.err
    assert 0 == holder.returncode


def test_after_a_kill_nothing_is_left(desk, path):
    """The system frees the lock; the note of the killed run isn't believed."""
    words = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert "held\n" == next_line(holder)
        holder.send_signal(signal.SIGKILL)
        holder.wait(60)

    assert path.with_name("ledger.db.lock.holder").exists()
    assert f"nobody holds {path}\n" == desk.run("ledger", "unlock").out
