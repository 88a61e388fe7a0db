"""A ledger beside the roster moves to the user's state folder: once, whole, or not at all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from profilectl.audit.chain import verify
from profilectl.errors import LedgerRefused, TryLater
from profilectl.ledger import sqlite
from profilectl.ledger.location import default_ledger_path
from profilectl.ledger.move import move_old_ledger, path_to_read
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.model import Account, Event, Intent, Profile

HOST = "api.x.com"
ACME = Account("1", "acmecare", HOST)
OTHER = Account("2", "globexcare", HOST)

MOVER = """\
import sys
from pathlib import Path
from profilectl.errors import ProfilectlError
from profilectl.ledger.move import move_old_ledger
old, new = map(Path, sys.argv[1:])
print("ready", flush=True)
sys.stdin.readline()
print(move_old_ledger(old, new, "api.x.com", "a test") is not None)
"""


@pytest.fixture
def old(tmp_path):
    return tmp_path / "checkout" / ".profilectl" / "ledger.db"


@pytest.fixture
def new(tmp_path):
    return tmp_path / "state" / "profilectl" / HOST / "ledger.db"


def fill(path, *accounts, events=3, actor=None):
    with open_for_writing(path, actor=actor) as ledger:
        for account in accounts or (ACME,):
            ledger.register_account(account.handle, account, 1)
        ledger.begin_intent("1", Intent("n", "alice", "Alice", "sha256:a", frozenset({"7"}), 2))
        ledger.finish_intent("1", "n", Profile("100", "Alice", "url", 3), 4, adopted=False)
        for number in range(events):
            ledger.record(Event("sent", "1", 10 + number, "alice", detail={"text": "x" * 100}))


def content(path):
    """Everything that a ledger knows."""
    with open_for_reading(path) as ledger:
        records = tuple(ledger.events())
        assert verify(records) is None
        return ledger.account_of("acmecare"), ledger.state_of("1"), records


def names(folder):
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def kept(old):
    return old.with_name("ledger.db.moved-to-state")


@pytest.mark.parametrize(
    ("environ", "host", "path"),
    [
        ({"XDG_STATE_HOME": "/state"}, "api.x.com", "/state/profilectl/api.x.com/ledger.db"),
        ({"XDG_STATE_HOME": "relative"}, "api.x.com", "{home}/.local/state/profilectl/api.x.com/ledger.db"),
        ({"XDG_STATE_HOME": ""}, "api.x.com", "{home}/.local/state/profilectl/api.x.com/ledger.db"),
        ({}, "127.0.0.1:8123", "{home}/.local/state/profilectl/127.0.0.1_8123/ledger.db"),
        ({}, "[::1]:8123", "{home}/.local/state/profilectl/___1__8123/ledger.db"),
        ({}, "..", "{home}/.local/state/profilectl/_./ledger.db"),
    ],
)
def test_place_of_a_ledger(environ, host, path):
    """Below the state folder, which counts when it is absolute; each X has a folder with a harmless name."""
    assert path.format(home=os.environ["HOME"]) == str(default_ledger_path(environ, host))


def test_it_moves_once_and_whole(old, new):
    """State and trail are the same at the new place, private; the old file keeps its content under another name."""
    fill(old)
    before = content(old)
    assert old == path_to_read(old, new, HOST)
    sentence = move_old_ledger(old, new, HOST, "a test")

    assert str(old) in sentence
    assert str(new) in sentence
    assert before == content(new) == content(kept(old))
    assert (False, 0o600, 0o600) == (old.exists(), new.stat().st_mode & 0o777, kept(old).stat().st_mode & 0o777)
    assert new == path_to_read(old, new, HOST)
    assert {"ledger.db", "ledger.db.lock", ".gitignore"} == names(new.parent)
    assert move_old_ledger(old, new, HOST, "a test") is None


def test_it_moves_with_the_log_of_a_run_that_was_killed(old, new):
    """What stands only in SQLite's log comes along."""
    fill(old)
    program = (
        "import os, sys; from pathlib import Path; from profilectl.ledger.sqlite import open_for_writing\n"
        "from profilectl.model import Event\n"
        "ledger = open_for_writing(Path(sys.argv[1])); ledger.record(Event('sent', '1', 99)); os._exit(9)\n"
    )
    assert 9 == subprocess.run([sys.executable, "-c", program, str(old)], check=False).returncode
    assert old.with_name("ledger.db-wal").stat().st_size > 0
    move_old_ledger(old, new, HOST, "a test")

    assert 99 == content(new)[2][-1].event.at_ms
    assert not old.with_name("ledger.db-wal").exists()


def test_the_moved_ledger_goes_on(old, new):
    """A writer at the new place continues the trail, durably."""
    fill(old)
    move_old_ledger(old, new, HOST, "a test")
    with open_for_writing(new) as ledger:
        ledger.record(Event("sent", "1", 50))
        assert [("wal",)] == ledger._engine.execute("PRAGMA journal_mode")
    assert 50 == content(new)[2][-1].event.at_ms


@pytest.mark.parametrize("accounts", [(), (Account("1", "acmecare", "localhost"),)], ids=["empty", "of another X"])
def test_what_is_not_about_this_x_stays(old, new, accounts):
    """A ledger without this X's accounts isn't its ledger: it is neither read nor moved."""
    with open_for_writing(old) as ledger:
        for account in accounts:
            ledger.register_account("acme", account, 1)
    assert move_old_ledger(old, new, HOST, "a test") is None
    assert (True, new, False) == (old.exists(), path_to_read(old, new, HOST), new.parent.exists())


def refused(old, new, match):
    """Let it be refused, with both named, a way on, and nothing touched."""
    before = {path: path.read_bytes() for path in (old, new) if path.exists()}
    files = names(old.parent), names(new.parent)
    with pytest.raises(LedgerRefused, match=match) as refusal:
        move_old_ledger(old, new, HOST, "a test")
    assert str(old) in refusal.value.message
    assert str(new) in refusal.value.message
    assert f"PROFILECTL_LEDGER={old}" in refusal.value.hint
    assert before == {path: path.read_bytes() for path in (old, new) if path.exists()}
    assert files == (names(old.parent), names(new.parent))


@pytest.mark.parametrize("account", [ACME, OTHER], ids=["the same account", "another account"])
def test_two_ledgers(old, new, account):
    """Two trails can't become one, so both are named, also to who only reads."""
    fill(old)
    fill(new, account, events=9, actor="bob@laptop")
    refused(old, new, "there are two ledgers")
    with pytest.raises(LedgerRefused, match="there are two ledgers"):
        path_to_read(old, new, HOST)


def test_accounts_of_several_x(old, new):
    """Such a ledger belongs to no single folder."""
    fill(old, ACME, Account("3", "test", "localhost"))
    refused(old, new, r"holds accounts of several X \(api.x.com, localhost\)")
    assert old == path_to_read(old, new, HOST)


def git(folder, *words):
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(old):
    """A git repository in the roster's folder."""
    if shutil.which("git") is None:
        pytest.skip("git isn't installed")
    fill(old)
    git(old.parent.parent, "init", "--quiet")
    return old.parent.parent


def test_tracked_by_git(old, new, checkout):
    """A ledger that git keeps would come back with the next checkout."""
    git(checkout, "add", "--force", ".profilectl/ledger.db")
    refused(old, new, "is tracked by git")


@pytest.mark.parametrize("name", ["ledger.db-wal", "ledger.db-shm", "ledger.db-journal", "ledger.db.lock"])
def test_tracked_beside_ours(old, new, checkout, name):
    """A log that came with a checkout would be read into our own ledger."""
    companion = old.with_name(name)
    companion.touch(0o600)
    git(checkout, "add", "--force", f".profilectl/{name}")
    refused(old, new, rf"is tracked by git \({name}\)")
    with pytest.raises(LedgerRefused, match="is tracked by git"):
        path_to_read(old, new, HOST)


def test_written_by_somebody_else(old, new):
    """What an archive brought along names another user or machine, and isn't read."""
    fill(old, actor="ann@desk")
    refused(old, new, "was last written by ann@desk, not by ")
    with pytest.raises(LedgerRefused, match="was last written by ann@desk"):
        path_to_read(old, new, HOST)


def test_tracked_folder_that_looks_like_a_repository(old, new, checkout):
    """A repository of its own within ours, with an index that knows nothing, isn't the one that is asked."""
    git(old.parent, "init", "--quiet", "--bare", ".")
    (old.parent / "config").write_text("[core]\n\tbare = false\n\tworktree = ..\n")
    git(checkout, "add", "--force", ".profilectl/ledger.db")
    refused(old, new, "is tracked by git")


def test_ignored_by_git(old, new, checkout, monkeypatch):
    """In a repository that doesn't track it, it moves, whatever repository a hook runs for."""
    monkeypatch.setenv("GIT_DIR", str(checkout / "nowhere"))
    assert move_old_ledger(old, new, HOST, "a test") is not None


def test_git_that_can_not_be_asked(old, new, checkout, monkeypatch):
    """In a repository the question has to be answered; elsewhere there is none."""
    monkeypatch.setenv("PATH", "/nonexistent")
    refused(old, new, "may be tracked by git")
    shutil.rmtree(checkout / ".git")
    assert move_old_ledger(old, new, HOST, "a test") is not None


def test_while_somebody_has_it_open(old, new, monkeypatch):
    """A ledger that another process may write to stays where it is."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.05)
    fill(old)
    with open_for_writing(old) as ledger:
        before = content(old)
        with pytest.raises(TryLater, match="busy"):
            move_old_ledger(old, new, HOST, "a test")
        ledger.record(Event("sent", "1", 50))
    assert (True, False) == (old.exists(), new.exists())
    assert before[2] == content(old)[2][:-1]
    assert names(new.parent) <= {".gitignore", "ledger.db.lock"}


def test_two_commands_at_once(old, new):
    """One of them moves it, the other uses it; nobody refuses, nothing is lost."""
    fill(old, events=200)
    before = content(old)
    movers = [
        subprocess.Popen(
            [sys.executable, "-c", MOVER, str(old), str(new)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    assert ["ready\n"] * 4 == [mover.stdout.readline() for mover in movers]
    for mover in movers:
        mover.stdin.write("\n")
        mover.stdin.flush()
    answers = sorted(mover.communicate(timeout=60)[0] for mover in movers)

    assert ["False\n", "False\n", "False\n", "True\n"] == answers
    assert before == content(new)


@pytest.mark.parametrize("limit", [0, 4096, 20_000, 60_000])
def test_disk_that_is_full_in_the_middle(old, new, limit):
    """Wherever the copy ends, the old ledger is whole and in its place, and with space again it moves."""
    fill(old, events=300)
    before = content(old)
    program = f"""\
import resource, sys
from pathlib import Path
from profilectl.errors import LedgerRefused
from profilectl.ledger import move, sqlite
copied = sqlite.copied
def limited(*paths):
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))
    return copied(*paths)
sqlite.copied = limited
try:
    move.move_old_ledger(Path(sys.argv[1]), Path(sys.argv[2]), "api.x.com", "a test")
except LedgerRefused as refusal:
    print(refusal.message)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(old), str(new)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert "ledger" in done.stdout
    assert before == content(old)
    assert {".gitignore", "ledger.db.lock"} == names(new.parent)
    move_old_ledger(old, new, HOST, "a test")
    assert before == content(new)


@pytest.mark.parametrize("moment", ["before the link", "after the link"])
def test_kill_in_the_middle(old, new, moment):
    """Whatever was reached, there is one truth, readers find it, and the next command ends what was begun."""
    fill(old)
    before = content(old)
    program = """\
import os, sys
from pathlib import Path
from profilectl.ledger import move
if sys.argv[3] == "before the link":
    os.fsync = lambda _descriptor: os._exit(9)
    move.create_private = lambda path, _content: path.touch(0o600)
else:
    move._set_aside = lambda _old: os._exit(9)
move.move_old_ledger(Path(sys.argv[1]), Path(sys.argv[2]), "api.x.com", "a test")
"""
    new.parent.mkdir(parents=True, mode=0o700)
    done = subprocess.run([sys.executable, "-c", program, str(old), str(new), moment], check=False, timeout=60)
    assert 9 == done.returncode
    assert (True, moment == "after the link") == (old.exists(), new.exists())
    assert before == content(path_to_read(old, new, HOST))
    if new.exists():
        with open_for_writing(new) as ledger:
            ledger.record(Event("sent", "1", 50))
    assert move_old_ledger(old, new, HOST, "a test") is not None
    assert before[2] == content(new)[2][: len(before[2])]
    assert not old.exists()


def test_a_reader_whose_ledger_moves_is_told(old, new):
    """A ledger that went while it was read isn't taken for an empty one."""
    fill(old)
    with open_for_reading(old) as reader:
        move_old_ledger(old, new, HOST, "a test")
        with pytest.raises(TryLater, match="was moved away meanwhile"):
            reader.state_of("1")


def test_a_command_that_looks_while_another_moves_it(old, new, monkeypatch):
    """It finds the ledger where it is by then: nobody is told to run the command again."""
    fill(old)

    class Moved(sqlite.SQLiteReader):
        def read(self, look):
            monkeypatch.undo()
            return super().read(lambda execute: (look(execute), move_old_ledger(old, new, HOST, "a test"))[0])

    monkeypatch.setattr(sqlite, "SQLiteReader", Moved)
    assert (new, True) == (path_to_read(old, new, HOST), new.exists())


def test_the_name_that_the_old_one_gets_is_free(old, new):
    """An earlier one that was left is left."""
    fill(old)
    kept(old).write_text("earlier")
    move_old_ledger(old, new, HOST, "a test")
    assert ("earlier", True) == (kept(old).read_text(), old.with_name("ledger.db.moved-to-state-2").exists())


def test_new_place_that_can_not_be_made(old, new):
    """The reason is named and nothing changes."""
    fill(old)
    new.parent.parent.mkdir(parents=True)
    new.parent.write_text("")
    before = content(old)
    with pytest.raises(LedgerRefused):
        move_old_ledger(old, new, HOST, "a test")
    assert before == content(old)
