"""A ledger of the former format: a writer brings it up, whole or not at all; a reader changes nothing on the disk."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from profilectl.audit import chain
from profilectl.errors import LedgerRefused
from profilectl.ledger import schema
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.model import Account, Binding, Intent, LedgerState, LocalTime, Profile, Retired, WithdrawnIntent

FORMER_TABLES = (
    "CREATE TABLE meta (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
    """CREATE TABLE brands (
        brand TEXT NOT NULL PRIMARY KEY, account TEXT NOT NULL, handle TEXT NOT NULL, host TEXT NOT NULL)""",
    """CREATE TABLE bindings (
        account TEXT NOT NULL, agent TEXT NOT NULL, profile_id TEXT NOT NULL, name TEXT NOT NULL, avatar TEXT NOT NULL,
        created_ms BIGINT NOT NULL, bound_ms BIGINT NOT NULL, protected INTEGER NOT NULL, avatar_url TEXT NOT NULL,
        PRIMARY KEY (account, agent), UNIQUE (account, profile_id))""",
    "CREATE TABLE listings (digest TEXT NOT NULL PRIMARY KEY, ids TEXT NOT NULL)",
    """CREATE TABLE intents (
        account TEXT NOT NULL, nonce TEXT NOT NULL, agent TEXT NOT NULL, name TEXT NOT NULL, avatar TEXT NOT NULL,
        listing TEXT NOT NULL REFERENCES listings (digest), begun_ms BIGINT NOT NULL, attempt INTEGER NOT NULL,
        attempted_ms BIGINT NOT NULL, protected INTEGER NOT NULL,
        PRIMARY KEY (account, nonce), UNIQUE (account, agent))""",
    "CREATE INDEX intents_by_listing ON intents (listing)",
    """CREATE TABLE retired (
        account TEXT NOT NULL, profile_id TEXT NOT NULL, agent TEXT NOT NULL, name TEXT NOT NULL,
        since_ms BIGINT NOT NULL, why TEXT NOT NULL, PRIMARY KEY (account, profile_id))""",
    """CREATE TABLE audit (
        seq BIGINT NOT NULL PRIMARY KEY, prev_hash TEXT NOT NULL, hash TEXT NOT NULL, text TEXT NOT NULL)""",
    """CREATE TABLE dispatches (
        account TEXT NOT NULL, key TEXT NOT NULL, nonce TEXT NOT NULL, agent TEXT NOT NULL, recipient_id TEXT NOT NULL,
        fingerprint TEXT NOT NULL, profile_id TEXT, begun_ms BIGINT NOT NULL, event_id TEXT, confirmed INTEGER NOT NULL,
        PRIMARY KEY (account, key))""",
    "CREATE TABLE deliveries (account TEXT NOT NULL, event_id TEXT NOT NULL, PRIMARY KEY (account, event_id))",
    """CREATE TABLE sightings (
        account TEXT NOT NULL, profile_id TEXT NOT NULL, seen_ms BIGINT NOT NULL, PRIMARY KEY (account, profile_id))""",
    "CREATE TABLE blocked (account TEXT NOT NULL, agent TEXT NOT NULL, PRIMARY KEY (account, agent))",
)
"""As the versions before wrote them."""

EARLIEST_TABLES = tuple(
    statement.replace("avatar_url TEXT NOT NULL,", "avatar_url TEXT NOT NULL, perceptual_hash TEXT,").replace(
        "protected INTEGER NOT NULL,\n        PRIMARY",
        "protected INTEGER NOT NULL, perceptual_hash TEXT,\n        PRIMARY",
    )
    for statement in FORMER_TABLES
)
"""As the first versions of that format wrote them, with one more column in two of them."""

LISTED = frozenset({"7", "8"})
STATE = LedgerState(
    (
        Binding("alice", "100", "Alice & Co", "sha256:aa", 20, 30, True, "https://pbs.example/100.jpg"),
        Binding("bruno", "101", "Bruno", "sha256:bb", 21, 31),
    ),
    (Intent("n1", "chidi", "Chidi", "sha256:cc", LISTED, 40, 2, 41, True),),
    (Retired("99", "alice", "Al", 25, "replaced"),),
    blocked=frozenset({"dora"}),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / ".profilectl" / "ledger.db"


def write_former(path, tables=FORMER_TABLES):
    """Make a ledger as a version before left it, with a row in each table that grew, and in its neighbours."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.touch(0o600)
    digest, ids = schema.listing(LISTED)
    with closing(sqlite3.connect(path)) as former, former:
        former.execute("PRAGMA journal_mode=WAL")
        for statement in tables:
            former.execute(statement)
        former.execute("INSERT INTO meta VALUES ('format', '2')")
        former.execute("INSERT INTO brands VALUES ('acme', '1', 'acmecare', 'api.x.com')")
        former.execute("INSERT INTO listings VALUES (?, ?)", (digest, ids))
        for binding in STATE.bindings:
            columns = schema.columns(binding)
            del columns["name_as_shown"]
            insert(former, "bindings", {"account": "1", **columns})
        for intent in STATE.intents:
            columns = {"account": "1", "listing": digest, **schema.columns(intent)}
            for name in ("picture", "boot", "attempted_local_ms", "made_by"):
                del columns[name]
            insert(former, "intents", columns)
        insert(former, "retired", {"account": "1", **schema.columns(STATE.retired[0])})
        former.execute("INSERT INTO blocked VALUES ('1', 'dora')")


def insert(database, table, columns):
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(columns.values()))


def contents(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def written_down(path):
    """Return how a database describes its tables and indexes."""
    with closing(sqlite3.connect(path)) as database:
        return set(database.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"))


both = pytest.mark.parametrize("tables", [FORMER_TABLES, EARLIEST_TABLES], ids=["former", "earliest"])


@both
def test_a_writer_keeps_all_that_was_there(path, tables):
    """What the format hadn't yet is empty: nothing seen at X, no picture, no start of a machine."""
    write_former(path, tables)
    with open_for_writing(path) as ledger:
        assert (STATE, Account("1", "acmecare", "api.x.com")) == (ledger.state_of("1"), ledger.account_of("acme"))


@both
def test_a_ledger_that_was_brought_up_is_written_down_like_a_new_one(path, tmp_path, tables):
    """The same statements, to the letter, so that nobody has to tell them apart; and sound, references included."""
    write_former(path, tables)
    open_for_writing(path).close()
    fresh = tmp_path / "fresh" / "ledger.db"
    open_for_writing(fresh).close()

    assert written_down(fresh) == written_down(path)
    with closing(sqlite3.connect(path)) as database:
        assert [("ok",)] == database.execute("PRAGMA integrity_check").fetchall()
        assert [] == database.execute("PRAGMA foreign_key_check").fetchall()
        assert [(str(schema.FORMAT),)] == database.execute(schema.GET_FORMAT).fetchall()


@both
def test_a_ledger_that_was_brought_up_works_like_a_new_one(path, tables):
    """Its open intent can be tried again, withdrawn, and found to have made something."""
    write_former(path, tables)
    with open_for_writing(path) as ledger:
        ledger.reattempt("1", "n1", 50, LocalTime("a start", 7))
        ledger.cancel_intent("1", "n1", "lost", 60, was_sent=True)
        expected = Intent("n1", "chidi", "Chidi", "sha256:cc", LISTED, 40, 3, 50, True, "", "a start", 7)
        assert (WithdrawnIntent(expected, 60),) == ledger.state_of("1").withdrawn
        ledger.finish_intent("1", "n1", Profile("102", "Chidi", "url", 45), 70, adopted=True)
        ledger.note_shown("1", "100", "Alice &amp; Co")
        after = ledger.state_of("1")
        assert chain.verify(ledger.events()) is None
    with open_for_reading(path) as reader:
        assert after == reader.state_of("1")
    assert ("102", "Alice &amp; Co") == (after.binding("chidi").profile_id, after.binding("alice").name_as_shown)


@both
def test_a_reader_changes_nothing_on_the_disk(path, tables):
    """It sees all that a writer would, and every file stays as it is, to the byte."""
    write_former(path, tables)
    before = contents(path.parent)
    with open_for_reading(path) as reader:
        assert (STATE, Account("1", "acmecare", "api.x.com")) == (reader.state_of("1"), reader.account_of("acme"))
    assert before == contents(path.parent)


def test_a_reader_follows_a_ledger_that_is_brought_up(path):
    """What a writer of this version makes of it later is seen."""
    write_former(path)
    with open_for_reading(path) as reader:
        assert STATE == reader.state_of("1")
        with open_for_writing(path) as ledger:
            ledger.protect("1", "bruno", protected=True)
            after = ledger.state_of("1")
            assert after == reader.state_of("1")
        assert after == reader.state_of("1") != STATE


def test_a_reader_follows_a_writer_of_the_version_before(path):
    """As it follows one of this version."""
    write_former(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as former:
        former.execute("UPDATE bindings SET protected = 0 WHERE agent = 'alice'")
        with open_for_reading(path) as reader:
            assert not reader.state_of("1").binding("alice").protected
            former.execute("UPDATE bindings SET protected = 1 WHERE agent = 'alice'")
            assert reader.state_of("1").binding("alice").protected


STEPS = [(former, step) for former, steps in schema.MIGRATIONS.items() for step in range(len(steps))]


@pytest.mark.parametrize(("former", "step"), STEPS)
def test_whichever_step_fails_nothing_has_happened(path, monkeypatch, former, step):
    """It is one transaction, so the versions before still read it, and the next opening brings it up."""
    write_former(path)
    tables = written_down(path)
    steps = schema.MIGRATIONS[former][: step + 1]
    monkeypatch.setitem(schema.MIGRATIONS, former, (*steps, "INSERT INTO nowhere VALUES (1)"))
    with pytest.raises(LedgerRefused, match="nowhere"):
        open_for_writing(path)
    assert tables == written_down(path)
    monkeypatch.undo()
    with open_for_writing(path) as ledger:
        assert STATE == ledger.state_of("1")


def test_a_reader_whose_copy_can_not_be_brought_up_says_so(path, monkeypatch):
    """With the ledger's path, and leaves it alone."""
    write_former(path)
    before = contents(path.parent)
    monkeypatch.setitem(schema.MIGRATIONS, "2", ("INSERT INTO nowhere VALUES (1)",))
    with pytest.raises(LedgerRefused, match=f"{path.name}: no such table: nowhere"):
        open_for_reading(path)
    assert before == contents(path.parent)


def test_several_processes_bring_it_up_at_once(path):
    """One does it, the others find it done; then all of them write."""
    write_former(path)
    program = (
        "import sys; from pathlib import Path; from profilectl.ledger.sqlite import open_for_writing\n"
        "from profilectl.model import Event\n"
        "sys.stdin.readline()\n"
        "with open_for_writing(Path(sys.argv[1])) as ledger:\n"
        "    for number in range(20): ledger.record(Event('sent', '1', number))\n"
    )
    command = [sys.executable, "-c", program, str(path)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, text=True) for _ in range(4)]
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.close()

    assert [0] * 4 == [process.wait(60) for process in processes]
    with open_for_reading(path) as reader:
        assert (STATE, 80, None) == (reader.state_of("1"), len(list(reader.events())), chain.verify(reader.events()))
