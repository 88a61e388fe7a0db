"""``diff`` never writes: not at X, not in the ledger, not beside the roster, not at home."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from profilectl.ledger.location import default_ledger_path
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Intent
from tests.patience import cut_short, next_line

WRITES = ("upload", "create", "destroy", "send")
NOBODY = 65534  # a user id that isn't ours
STATES = ("none", "closed", "open", "intent", "retired")
EVERYTHING = ("--exit-code", "--verify-avatars", "--format", "html")

WRITER = """
import sys
from pathlib import Path
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Intent
with open_for_writing(Path(sys.argv[1])) as ledger:
    account = ledger.account_of("acme").user_id
    ledger.begin_intent(account, Intent("n", "dora", "Dora", "sha256:a", frozenset(), 1))
    print("open", flush=True)
    sys.stdin.read()
"""
"""Another process that has the ledger open: here, looking at its files would let go of SQLite's locks."""


@pytest.fixture(params=["in the state folder", "beside the roster"])
def served(request, served, desk):
    """The served X, with the ledger where it is by default, and where older versions kept it."""
    state = default_ledger_path(os.environ, served.url.partition("://")[2])
    desk.ledger = state if request.param == "in the state folder" else desk.folder / ".profilectl" / "ledger.db"
    return served


def ledger_of(desk):
    return desk.ledger


@contextmanager
def in_state(desk, state):
    """Bring the ledger into a state and keep it there; what it holds and the roster differ in every way there is."""
    desk.env["PROFILECTL_LEDGER"] = str(ledger_of(desk))
    desk.write(("alice", "Alice"), ("bruno", "Bruno"))
    if state != "none":
        assert 0 == desk.run("sync", "--yes").code
    if state == "retired":
        desk.write(("alice", "Ally"), ("bruno", "Bruno"))
        assert 0 == desk.run("sync", "--yes").code
        with closing(sqlite3.connect(ledger_of(desk))) as database, database:
            assert 1 == database.execute("UPDATE retired SET since_ms = since_ms - 86400000").rowcount
    if state == "intent":
        with open_for_writing(ledger_of(desk)) as ledger:
            now_ms = int(time.time() * 1000) - 3_600_000
            promised = Intent("n", "dora", "Dora", "sha256:a", frozenset(), now_ms, attempted_ms=now_ms)
            ledger.begin_intent(ledger.account_of("acme").user_id, promised)
    desk.write(("alice", "Alicia"), ("bruno", "Bruno"), ("dora", "Dora"))
    del desk.env["PROFILECTL_LEDGER"]
    if state != "open":
        yield
        return
    words = [sys.executable, "-c", WRITER, str(ledger_of(desk))]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert "open\n" == next_line(writer)
        assert ledger_of(desk).with_name("ledger.db-wal").stat().st_size > 0
        with cut_short(writer):
            yield
            writer.communicate("", timeout=60)
    assert 0 == writer.returncode


@contextmanager
def refusing_to_write(served):
    """Let X refuse every call that writes, and make sure that none came."""
    for call in WRITES:
        served.fault(call=call, kind="refuse", times=None, status=401 if call == "send" else 403)
    yield
    assert dict.fromkeys(WRITES, 0) == {
        rule["call"]: rule["seen"] for rule in served.ask("GET", "faults")["faults"] if rule["call"] in WRITES
    }


def tree(*folders):
    """Return everything that is in these folders, with the times of its last changes."""
    entries = {}
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            status = path.lstat()
            is_index = path.name.endswith("-shm")  # the memory that readers and writers of an open ledger share
            content = path.read_bytes() if path.is_file() and not is_index else None
            changed = None if is_index else status.st_mtime_ns
            entries[path] = (status.st_mode, status.st_uid, status.st_size, changed, content)
    return entries


@pytest.mark.parametrize("words", [("--exit-code",), EVERYTHING], ids=["plain", "everything"])
@pytest.mark.parametrize("state", STATES)
def test_nothing_is_written_anywhere(desk, served, tmp_path_factory, state, words):
    """Ledger, folder, home and X are the same afterwards to the last byte and time; the saved plan lies aside."""
    aside, home = tmp_path_factory.mktemp("aside"), Path(os.environ["HOME"])
    with in_state(desk, state), refusing_to_write(served):
        before, live = tree(desk.folder, home), served.live()
        result = desk.run("diff", *words, "--out", str(aside / "plan.json"))

        assert 3 == result.code, result.err
        assert before == tree(desk.folder, home)
        assert live == served.live()
    assert ["plan.json"] == [path.name for path in aside.iterdir()]
    assert (state != "none") == ledger_of(desk).exists()


def run_powerless(desk, powerless, *words):
    """Run the program without root's powers and without a home."""
    environ = {
        name: value
        for name, value in desk.environment().items()
        if name == "XDG_STATE_HOME" or not name.startswith("XDG_")
    }
    return subprocess.run(
        [*powerless, sys.executable, "-m", "profilectl", *words],
        cwd=desk.folder,
        env=environ | {"HOME": "/nonexistent"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@contextmanager
def read_only(*folders):
    """Take the right to write anything in some folders from everybody."""
    paths = {path: path.stat().st_mode for folder in folders for path in (*folder.rglob("*"), folder)}
    for path, mode in paths.items():
        path.chmod(mode & ~0o222)
    yield
    for path, mode in paths.items():
        path.chmod(mode)


@pytest.mark.parametrize("state", STATES)
def test_a_ledger_that_can_only_be_read_is_enough(desk, served, powerless, state):
    """The system would refuse every write, to the folder and to all that is in it."""
    home = Path(os.environ["HOME"])
    with in_state(desk, state), refusing_to_write(served), read_only(desk.folder, home):
        before = tree(desk.folder, home)
        result = run_powerless(desk, powerless, "diff", *EVERYTHING)

        assert 3 == result.returncode, result.stderr
        assert "<html" in result.stdout
        assert before == tree(desk.folder, home)


def lock_file(ledger):
    ledger.chmod(0)


def lock_folder(ledger):
    ledger.parent.chmod(0)


def give_away(ledger):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(ledger, NOBODY, NOBODY)


@pytest.mark.parametrize("deed", [lock_file, lock_folder, give_away])
def test_a_ledger_that_can_t_be_read_is_named(desk, served, powerless, deed):
    """Somebody else's private ledger isn't taken for a missing one, which would plan everything anew."""
    with in_state(desk, "closed"), refusing_to_write(served):
        deed(ledger_of(desk))
        result = run_powerless(desk, powerless, "diff", "--exit-code")
        ledger_of(desk).parent.chmod(0o700)

    assert (5, "") == (result.returncode, result.stdout)
    assert str(ledger_of(desk).parent) in result.stderr
    assert "hint: " in result.stderr
