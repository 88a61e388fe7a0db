"""One file beside the roster: opening it, looking at it, and what is refused."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from profilectl.audit.chain import verify
from profilectl.errors import LedgerRefused, TryLater, WrongAccount
from profilectl.ledger import sqlite
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.model import Account, Event, Intent, LedgerState
from tests.patience import join

ACME = Account("1", "acmecare", "api.x.com")


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".profilectl" / "ledger.db"


def contents(folder):
    """Every file with its bytes; only for ledgers that nobody has open."""
    return {one.name: one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


def closed_ledger(path, events=1):
    with open_for_writing(path, actor="ann@desk") as ledger:
        ledger.register_account("acme", ACME, 5)
        for number in range(events):
            ledger.record(Event("sent", "1", number))


def times(ledger):
    return [record.event.at_ms for record in ledger.events() if record.event.what == "sent"]


def test_durable_settings(path):
    """Every commit reaches the disk: a write-ahead log, synchronous=FULL (2)."""
    with open_for_writing(path) as ledger:
        pragma = {name: ledger._engine.execute(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous")}
    assert {"journal_mode": "wal", "synchronous": 2} == pragma


def test_default_actor(path):
    """Without a name given, the audit trail names OS user and host."""
    with open_for_writing(path) as ledger:
        ledger.record(Event("sent", "1", 5))
        user, _, host = next(ledger.events()).actor.partition("@")
    assert user
    assert host


def test_closing_twice(path):
    """Closing a closed ledger is fine; using it is our error, not a traceback."""
    for opened in (open_for_writing(path), open_for_reading(path)):
        opened.close()
        opened.close()
        with pytest.raises(LedgerRefused, match="closed"):
            opened.state_of("1")


def test_odd_path(tmp_path):
    """Characters that mean something in a URI mean nothing in a path."""
    path = tmp_path / "a b?mode=memory#c%41ü" / "ledger.db"
    closed_ledger(path)
    assert path.is_file()
    with open_for_reading(path) as reader:
        assert ACME == reader.account_of("acme")


def test_wrong_account_changes_no_byte(path):
    """Credentials of another account are refused before anything is written."""
    closed_ledger(path)
    before = contents(path.parent)
    with open_for_writing(path) as ledger, pytest.raises(WrongAccount):
        ledger.register_account("acme", Account("2", "other", "api.x.com"), 6)
    assert before == contents(path.parent)


@pytest.mark.parametrize(("user_id", "at_ms"), [("\ud800", 5), ("1", 2**64)])
def test_value_that_no_database_can_hold(path, user_id, at_ms):
    """Half a surrogate pair and a number beyond 64 bits are refused like any other failure."""
    with open_for_writing(path) as ledger:
        with pytest.raises(LedgerRefused):
            ledger.begin_intent(user_id, Intent("n1", "alice", "Alice", "sha256:a", frozenset(), at_ms))
        assert [] == list(ledger.events())


# Looking


def test_missing_ledger_reads_as_empty(path):
    """Looking at a ledger that doesn't exist finds nothing and makes nothing."""
    with open_for_reading(path) as reader:
        assert (None, LedgerState()) == (reader.account_of("acme"), reader.state_of("1"))
    assert not path.parent.exists()


def test_looking_leaves_no_trace(path):
    """A reader changes no byte and leaves no file behind."""
    closed_ledger(path)
    before = contents(path.parent)
    with open_for_reading(path) as reader:
        assert [0] == times(reader)
        assert before == contents(path.parent)
    assert before == contents(path.parent)


def test_reader_sees_the_last_commit_beside_a_writer(path):
    """A reader sees each commit of a running writer at once, whichever of them was there first."""
    with open_for_reading(path) as early, open_for_writing(path) as ledger, open_for_reading(path) as late:
        for number in range(3):
            ledger.record(Event("sent", "1", number))
            assert list(range(number + 1)) == times(early) == times(late)


def test_reader_follows_a_ledger_that_wakes_up(path):
    """A reader that began on a ledger at rest sees what a writer commits later, also after that writer left."""
    closed_ledger(path)
    with open_for_reading(path) as reader:
        assert [0] == times(reader)
        with open_for_writing(path) as ledger:
            ledger.record(Event("sent", "1", 1))
            assert [0, 1] == times(reader)
        assert [0, 1] == times(reader)
        closed_ledger(path, 3)
        assert [0, 1, 0, 1, 2] == times(reader)


def test_look_that_was_overtaken_is_repeated(path):
    """When the file changes while an immutable look is under way, the look isn't believed."""
    closed_ledger(path)
    looks = []
    with open_for_reading(path) as reader:

        def look(execute):
            looks.append(execute("SELECT count(*) FROM audit")[0][0])
            if len(looks) == 1:
                closed_ledger(path)
                raise KeyError("what a torn page may lead to")
            return looks[-1]

        assert 3 == reader._engine.read(look)
    assert [2, 3] == looks


def test_failing_look_at_a_quiet_ledger(path):
    """An error that isn't due to a writer comes out, once."""
    closed_ledger(path)
    with open_for_reading(path) as reader, pytest.raises(LedgerRefused, match="nowhere"):
        reader._engine.read(lambda execute: execute("SELECT * FROM nowhere"))


def test_looking_keeps_the_writers_locks(path):
    """A reader that opens and closes in the writer's own process doesn't let a second writer in."""
    closed_ledger(path)
    early = open_for_reading(path)
    early.state_of("1")
    with open_for_writing(path) as ledger, ledger._engine.transaction() as execute:
        execute("DELETE FROM audit")
        early.close()
        with open_for_reading(path) as late:
            late.state_of("1")
        intruder = f"import sqlite3; sqlite3.connect({str(path)!r}, timeout=0).execute('BEGIN IMMEDIATE')"
        result = subprocess.run(
            [sys.executable, "-c", intruder], capture_output=True, text=True, check=False, timeout=60
        )
    assert "database is locked" in result.stderr


def make_read_only(path):
    """Take the right to write from a ledger's files and its folder, and leave them to whom `nobody` turns us into."""
    for one in (*path.parent.iterdir(), path.parent):
        if os.geteuid() == 0:
            os.chown(one, 65534, 65534)
        one.chmod(0o500 if one.is_dir() else 0o400)


def test_read_only_folder(open_folder, nobody):
    """A ledger at rest can be read where nothing can be written, and not be opened for writing."""
    path = open_folder / "state" / "ledger.db"
    closed_ledger(path)
    make_read_only(path)
    with nobody():
        with open_for_reading(path) as reader:
            assert [0] == times(reader)
        with pytest.raises(LedgerRefused, match="readonly"):
            open_for_writing(path)
    assert {".gitignore", "ledger.db"} == {one.name for one in path.parent.iterdir()}


def test_read_only_folder_beside_a_writer(open_folder, nobody):
    """The same with a writer at work: its last commit is seen."""
    path = open_folder / "state" / "ledger.db"
    with open_for_writing(path) as ledger:
        ledger.record(Event("sent", "1", 7))
        make_read_only(path)
        with nobody(), open_for_reading(path) as reader:
            assert [7] == times(reader)


def test_folder_that_can_not_be_entered(open_folder, nobody):
    """A ledger that can't even be looked for is refused with its path, never taken for an empty one."""
    path = open_folder / "state" / "ledger.db"
    closed_ledger(path)
    path.parent.chmod(0o000)
    with nobody():
        for opening in (open_for_reading, open_for_writing):
            with pytest.raises(LedgerRefused, match="Permission denied"):
                opening(path)


def test_folder_that_can_not_be_written(open_folder, nobody):
    """A new ledger where nothing can be created is refused with the reason."""
    open_folder.chmod(0o555)
    with nobody(), pytest.raises(LedgerRefused, match="Permission denied"):
        open_for_writing(open_folder / ".profilectl" / "ledger.db")


# Several at once


def test_two_writers(path):
    """Two writers take turns; both chains of records become one."""
    with open_for_writing(path, actor="a@one") as one, open_for_writing(path, actor="b@two") as two:
        for number in range(20):
            one.record(Event("sent", "1", number))
            two.record(Event("sent", "1", number))
        assert (40, None) == (len(times(one)), verify(two.events()))


def test_processes_that_write_at_once(path):
    """Processes that race for the first opening, and then write as fast as they can, make one chain of all records."""
    program = (
        "import sys; from pathlib import Path; from profilectl.ledger.sqlite import open_for_writing\n"
        "from profilectl.model import Event\n"
        "with open_for_writing(Path(sys.argv[1])) as ledger:\n"
        "    for number in range(50): ledger.record(Event('sent', '1', number))\n"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program, str(path)]) for _ in range(3)]
    assert [0, 0, 0] == [process.wait(30) for process in processes]
    with open_for_reading(path) as reader:
        assert (150, None) == (len(times(reader)), verify(reader.events()))


def test_writer_that_never_ends(path, monkeypatch):
    """A database that stays busy is a matter of time, said so, and nothing is written."""
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT", 0.05)
    with open_for_writing(path) as ledger, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TryLater, match="busy"):
            ledger.record(Event("sent", "1", 5))
        other.execute("ROLLBACK")
        ledger.record(Event("sent", "1", 6))
        assert [6] == times(ledger)


def test_another_thread(path):
    """A ledger belongs to the thread that opened it, and says so."""
    refusals = []

    def trespass(ledger):
        try:
            ledger.state_of("1")
        except LedgerRefused as refusal:
            refusals.append(refusal.message)

    with open_for_writing(path) as ledger:
        thread = threading.Thread(target=trespass, args=(ledger,))
        thread.start()
        join(thread)
    assert "thread" in refusals[0]


# What is no ledger


def test_garbage(path):
    """A file that is no database is refused by both, with a way out, and left as it is."""
    path.parent.mkdir(mode=0o700)
    path.write_bytes(b"not a database " * 500)
    path.chmod(0o600)
    for opening in (open_for_reading, open_for_writing):
        with pytest.raises(LedgerRefused, match="file is not a database") as refusal:
            opening(path)
        assert "restore a backup" in refusal.value.hint
    assert b"not a database " * 500 == path.read_bytes()


@pytest.mark.parametrize("keep", [0, 100, 5000, -4096])
def test_truncated(path, keep):
    """A ledger that was cut is refused by both, wherever it was cut."""
    closed_ledger(path, 500)
    whole = path.read_bytes()
    path.write_bytes(whole[:keep])
    for opening in (open_for_reading, open_for_writing):
        with pytest.raises(LedgerRefused) as refusal:
            opening(path)
        assert str(path) in refusal.value.message
        assert "restore a backup" in refusal.value.hint
    assert whole[:keep] == path.read_bytes()


def test_damaged_inside(path):
    """A page of rubbish among the bindings is found before anything is written on top of it."""
    with open_for_writing(path) as ledger:
        page = ledger._engine.execute("SELECT rootpage FROM sqlite_master WHERE name = 'bindings'")[0][0]
    content = bytearray(path.read_bytes())
    content[(page - 1) * 4096 : page * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    with pytest.raises(LedgerRefused) as refusal:
        open_for_writing(path)
    assert "restore a backup" in refusal.value.hint


def test_other_database(path):
    """Somebody else's SQLite file is recognised and not touched."""
    path.parent.mkdir(mode=0o700)
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE cookies (value TEXT)")
    path.chmod(0o600)
    before = path.read_bytes()
    for opening in (open_for_reading, open_for_writing):
        with pytest.raises(LedgerRefused, match="is a database, but no ledger"):
            opening(path)
    assert before == path.read_bytes()


def test_newer_format(path):
    """A ledger of a newer version is refused by both, and not touched."""
    closed_ledger(path)
    with closing(sqlite3.connect(path)) as newer, newer:
        newer.execute("UPDATE meta SET value = '7' WHERE name = 'format'")
    before = path.read_bytes()
    for opening in (open_for_reading, open_for_writing):
        with pytest.raises(LedgerRefused, match="written by a newer profilectl"):
            opening(path)
    assert before == path.read_bytes()


def test_older_format(path):
    """A ledger of the first format is refused by both, with a way on, and not touched."""
    closed_ledger(path)
    with closing(sqlite3.connect(path)) as older, older:
        older.execute("UPDATE meta SET value = '1' WHERE name = 'format'")
    before = path.read_bytes()
    for opening in (open_for_reading, open_for_writing):
        with pytest.raises(LedgerRefused, match=r"written by an early profilectl \(format 1\)") as refusal:
            opening(path)
        assert "profiles adopt" in refusal.value.hint
    assert before == path.read_bytes()


def test_opening_does_not_read_the_trail(path, monkeypatch):
    """The small tables are checked at every opening; the audit trail, which only grows, isn't."""
    statements = []
    connect = sqlite.sqlite3.connect

    def traced(*args, **options):
        connection = connect(*args, **options)
        connection.set_trace_callback(statements.append)
        return connection

    closed_ledger(path)
    monkeypatch.setattr(sqlite.sqlite3, "connect", traced)
    open_for_writing(path).close()
    assert "PRAGMA quick_check(bindings)" in statements
    assert not any("audit" in statement for statement in statements)


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("CREATE TRIGGER mine AFTER INSERT ON audit BEGIN DELETE FROM blocked; END", "the trigger mine"),
        ("CREATE VIEW mine AS SELECT * FROM bindings", "the view mine"),
        ("CREATE INDEX mine ON audit (hash)", "the index mine"),
        ("CREATE TABLE mine (a)", "the table mine"),
        ("CREATE VIRTUAL TABLE mine USING fts5(a)", "the table mine"),
        ("DROP TABLE blocked; CREATE VIEW blocked AS SELECT '1' AS account, 'alice' AS agent", "the view blocked"),
        ("DROP TABLE blocked; CREATE TABLE blocked (account, agent)", "another table blocked"),
        ("DROP INDEX intents_by_listing; CREATE INDEX intents_by_listing ON audit (hash)", "another index intents_by"),
    ],
)
def test_a_schema_that_is_not_ours(path, statement, what):
    """Who reads or writes is refused what acts on the rows without us, and nothing is changed."""
    closed_ledger(path)
    with closing(sqlite3.connect(path)) as forged:
        forged.executescript(statement)
    before = path.read_bytes()
    for opening in (open_for_reading, open_for_writing):
        with pytest.raises(LedgerRefused, match=f"no profilectl has put into it: .*{what}"):
            opening(path)
    assert before == path.read_bytes()


@pytest.mark.parametrize("statement", ["CREATE TRIGGER mine BEFORE INSERT ON audit BEGIN SELECT RAISE(IGNORE); END"])
def test_what_is_put_there_while_a_ledger_is_open(path, statement):
    """The next change is refused, before a trigger could swallow it."""
    with open_for_writing(path) as ledger:
        ledger.record(Event("claimed", "1", 1))
        with closing(sqlite3.connect(path)) as forged:
            forged.executescript(statement)
            version = forged.execute("PRAGMA schema_version").fetchone()[0]
            forged.execute(f"PRAGMA schema_version = {version - 1}")  # as who wants to hide it does
        with pytest.raises(LedgerRefused, match="no profilectl has put into it: the trigger mine"):
            ledger.record(Event("claimed", "1", 2))
        assert 1 == ledger.last_seq()


@pytest.mark.parametrize("suffix", ["-wal", "-journal", "-shm"])
def test_a_log_without_its_ledger(path, suffix):
    """It isn't read into a new ledger, which to SQLite would be its own."""
    path.parent.mkdir(mode=0o700)
    path.with_name(path.name + suffix).touch(0o600)
    with pytest.raises(LedgerRefused, match=f"is missing, but ledger.db{suffix}"):
        open_for_writing(path)
    assert not path.exists()


@pytest.mark.parametrize("trouble", [sqlite3.OperationalError("disk I/O error"), KeyboardInterrupt()])
def test_a_rollback_that_fails_hides_nothing(trouble):
    """What the transaction failed of is what is told."""

    class Connection:
        in_transaction = True

        def execute(self, statement):
            if statement == "ROLLBACK":
                raise trouble

    with pytest.raises(LedgerRefused, match="first"), sqlite._transaction(Connection(), "IMMEDIATE"):
        raise LedgerRefused("first")
