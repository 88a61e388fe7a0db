"""The engine that machines share, where it differs from a file: the way to it, and what may happen on that way."""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
from types import SimpleNamespace

import pytest

from profilectl.errors import LedgerRefused, TryLater, UsageError
from profilectl.ledger import opening, postgres, schema
from profilectl.ledger.address import parse_place
from profilectl.ledger.grants import Roles, statements
from profilectl.model import Event, Profile
from profilectl.secret import Secret
from tests import postgres_server
from tests.resilience.wire import Wire

_NOTHING = "EXECUTE FUNCTION suppress_redundant_updates_trigger()"
_NUMBERS = itertools.count(1)


@pytest.fixture
def query():
    """Name a schema that nobody has used yet."""
    return f"schema=own_{next(_NUMBERS)}"


@pytest.fixture
def address(postgres, query):
    return parse_place(postgres.address(query=query))


@pytest.fixture
def ledger(address):
    with opening.open_for_writing(address, actor="ann@desk") as ledger:
        yield ledger


@pytest.fixture
def line(postgres):
    with Wire(postgres.port) as line:
        yield line


@pytest.fixture
def far(line, query):
    """A ledger at the far end of a wire that does what bad networks do."""
    with opening.open_for_writing(parse_place(f"postgresql://postgres@127.0.0.1:{line.port}/postgres?{query}")) as far:
        yield far


@pytest.fixture(scope="module")
def strict(postgres):
    """A server that wants TLS and a password; the usual one is asked for because it says what is missing."""
    with postgres_server.PostgresServer(tls=True, auth="scram-sha-256") as server:
        server.add_role("ann", "hunter2")
        server.execute("GRANT CREATE ON DATABASE postgres TO ann")
        yield server


def times(ledger):
    return [record.event.at_ms for record in ledger.events()]


def sent(at_ms):
    return Event("sent", "1", at_ms)


def write_slowly(ledger, meanwhile):
    """Let something happen in the middle of a transaction."""
    with ledger.batch():
        ledger.record(sent(5))
        meanwhile()
        ledger.record(sent(7))


# What happens on the way


def test_a_run_that_stands_still_in_a_transaction_keeps_nobody_waiting(address, query, postgres, monkeypatch):
    """Frozen or cut off, it loses its session before the others give up; nothing of its transaction is kept."""
    monkeypatch.setattr("profilectl.ledger.postgres._STANDSTILL", 1)
    with opening.open_for_writing(address) as frozen, opening.open_for_writing(address) as other:
        with pytest.raises(TryLater, match="stood still"):
            write_slowly(frozen, lambda: other.record(sent(6)))
        frozen.record(sent(8))
        assert [6, 8] == times(other)


def test_a_reader_that_stood_still_looks_again(postgres, query):
    """What a server ended meanwhile is read once more, at one moment as before."""
    postgres.add_role("idler")
    postgres.execute("GRANT CREATE ON DATABASE postgres TO idler")
    postgres.execute("ALTER ROLE idler SET idle_in_transaction_session_timeout = '300ms'")
    looks = []

    def look(execute):
        looks.append(execute(schema.GET_FORMAT))
        if len(looks) == 1:
            time.sleep(1)
        return execute(schema.GET_FORMAT)

    with opening.open_for_writing(parse_place(postgres.address(user="idler", query=query))) as ledger:
        assert [(str(schema.FORMAT),)] == ledger._engine.read(look)
    assert 2 == len(looks)


def test_a_holder_that_stood_still_in_a_transaction_is_told_who_took_its_lease(address, monkeypatch):
    """The session that ended is only how; why is that another run went on."""
    monkeypatch.setattr("profilectl.ledger.postgres._STANDSTILL", 1)
    monkeypatch.setattr("profilectl.ledger.lease.TTL", 0.5)
    with opening.open_for_writing(address) as frozen, opening.open_for_writing(address) as other:
        with (
            contextlib.ExitStack() as stack,
            frozen.lock(0, "profilectl sync"),
            pytest.raises(TryLater, match="taken over by profilectl offboard"),
        ):
            write_slowly(frozen, lambda: stack.enter_context(other.lock(5, "profilectl offboard")))
        other.record(sent(6))
        assert [6] == times(other)


def test_a_commit_whose_answer_is_lost_was_applied(far, line):
    """The server is asked what became of it, so nothing is done twice, and nothing is taken for lost."""
    line.loses_commits = 1
    far.record(sent(5))
    far.record(sent(6))
    assert (1, [5, 6]) == (line.lost, times(far))


def test_a_commit_that_never_arrived_is_said_to_be_lost(far, line, monkeypatch):
    """Cut off before it left, it is surely not applied: try later, and the next change goes on."""
    far.record(sent(5))
    commit = postgres.PostgresEngine._commit

    def cut_first(engine, begun):
        line.cut()
        threading.Timer(0.5, line.mend).start()
        commit(engine, begun)

    monkeypatch.setattr(postgres.PostgresEngine, "_commit", cut_first)
    with pytest.raises(TryLater, match="the last change wasn't written"):
        far.record(sent(6))
    monkeypatch.undo()
    far.record(sent(7))
    assert [5, 7] == times(far)


def test_a_connection_that_was_ended_is_replaced(ledger, postgres):
    """Between two transactions nothing can be lost, so nobody hears of it."""
    ledger.record(sent(5))
    postgres.terminate_connections()
    ledger.record(sent(6))
    postgres.terminate_connections()
    assert [5, 6] == times(ledger)


def test_an_end_in_the_middle_leaves_nothing(ledger, postgres):
    """The transaction is gone as a whole, and the ledger goes on with the next."""

    def change():
        with ledger.batch():
            ledger.record(sent(5))
            postgres.terminate_connections()
            ledger.record(sent(6))

    with pytest.raises(TryLater, match="terminating connection"):
        change()
    ledger.record(sent(7))
    assert [7] == times(ledger)


def test_sessions_that_may_not_idle(ledger, postgres):
    """A server that ends what waits for X costs a new connection, and no run."""
    postgres.set("idle_session_timeout", "200ms")
    try:
        with ledger.lock(0, "profilectl sync"):
            ledger.record(sent(5))
            threading.Event().wait(0.6)
            ledger.record(sent(6))
    finally:
        postgres.reset("idle_session_timeout")
    assert [5, 6] == times(ledger)


def test_writers_stand_in_one_queue(address):
    """Many at once get one order, and one whole chain."""
    with opening.open_for_writing(address):
        pass

    def write():
        with opening.open_for_writing(address) as ledger:
            for number in range(10):
                ledger.record(sent(number))

    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    with opening.open_for_reading(address) as reader:
        assert list(range(1, 81)) == [record.seq for record in reader.events()]


def test_the_tables_are_made_once(address):
    """By whichever of the first commands comes first."""
    opened, barrier = [], threading.Barrier(6)

    def make():
        barrier.wait(60)
        with opening.open_for_writing(address) as ledger:
            opened.append(ledger.last_seq())

    makers = [threading.Thread(target=make) for _ in range(6)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join(60)
    assert [0] * 6 == opened


def test_a_database_without_our_tables_is_an_empty_ledger(address, postgres):
    """To who only looks: nothing is made there."""
    with opening.open_for_reading(address) as reader:
        assert ((), 0, None) == (reader.user_ids(), reader.last_seq(), reader.holder())
    assert [] == postgres.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", address.schema)


@pytest.mark.usefixtures("postgres")
def test_a_standby_is_no_place_to_write(query):
    """It is said to be one, and what to name instead."""
    with postgres_server.PostgresServer() as primary:
        opening.open_for_writing(parse_place(primary.address(query=query))).close()
        with postgres_server.Replica(primary) as standby:
            standby.catch_up()
            with opening.open_for_reading(parse_place(standby.address(query=query))) as reader:
                assert 0 == reader.last_seq()
            with (
                opening.open_for_writing(parse_place(standby.address(query=query))) as ledger,
                pytest.raises(TryLater) as refusal,
            ):
                ledger.record(sent(5))
    assert "target_session_attrs=read-write" in refusal.value.hint


def test_nobody_listens(monkeypatch):
    """Try later, at once, with the address, the reason, and what to look at."""
    place = parse_place(f"postgresql://127.0.0.1:{postgres_server.free_port()}/brand?connect_timeout=2")
    waits = []
    monkeypatch.setattr(postgres, "time", SimpleNamespace(monotonic=time.monotonic, sleep=waits.append))
    with pytest.raises(TryLater, match=r"brand.*: connection failed") as refusal:
        opening.open_for_reading(place)
    assert waits == []
    assert "whether the server runs" in refusal.value.hint


# What others put there


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("CREATE VIEW {schema}.faces AS SELECT * FROM {schema}.bindings", "the view faces"),
        ("CREATE RULE deaf AS ON DELETE TO {schema}.retired DO INSTEAD NOTHING", "the rule deaf"),
        (f"CREATE TRIGGER sly BEFORE UPDATE ON {{schema}}.audit FOR EACH ROW {_NOTHING}", "the trigger sly"),
        ("CREATE UNIQUE INDEX once ON {schema}.audit (hash)", "the index once"),
        ("ALTER TABLE {schema}.audit ENABLE ROW LEVEL SECURITY", "the row security of audit"),
    ],
)
def test_what_acts_on_rows_without_us_is_refused(address, postgres, statement, what):
    """By readers and writers, with its name; by a writer also where it was put there while that had it open."""
    with opening.open_for_writing(address, actor="ann@desk") as writer:
        writer.record(Event("claimed", "1", 1))
        postgres.execute(statement.format(schema=address.schema))
        with pytest.raises(LedgerRefused, match=f"no profilectl has put into it: {what}"):
            writer.record(Event("claimed", "1", 2))
        assert 1 == writer.last_seq()
    for open_ledger in (opening.open_for_reading, opening.open_for_writing):
        with pytest.raises(LedgerRefused, match=f"no profilectl has put into it: {what}"):
            open_ledger(address)


@pytest.mark.parametrize(("file_format", "age"), [("3", "an earlier"), (str(schema.FORMAT + 1), "a newer")])
def test_another_format_is_refused_by_name(address, postgres, file_format, age):
    """Machines with different versions don't write side by side."""
    opening.open_for_writing(address).close()
    postgres.execute(f"UPDATE {address.schema}.meta SET value = '{file_format}' WHERE name = 'format'")
    for open_ledger in (opening.open_for_reading, opening.open_for_writing):
        with pytest.raises(LedgerRefused, match=f"written by {age} profilectl"):
            open_ledger(address)


def former_format(postgres, address):
    """Make a ledger what the version before made of it."""
    opening.open_for_writing(address).close()
    for name in ("audit_about_profiles", "audit_of_limited_calls", "dispatches_by_recipient"):
        postgres.execute(f"DROP INDEX {address.schema}.{name}")
    postgres.execute(f"UPDATE {address.schema}.meta SET value = '4' WHERE name = 'format'")


def test_an_agent_goes_on_with_the_format_before_until_an_admin_brings_it_up(address, postgres):
    """Only an owner may add an index, and nothing else is missing."""
    former_format(postgres, address)
    for statement in statements(Roles("boss", "desk", "looker"), address.schema):
        postgres.execute(statement)
    postgres.execute("CREATE ROLE ben LOGIN IN ROLE desk")
    as_agent = parse_place(postgres.address(user="ben", query=f"schema={address.schema}"))
    with opening.open_for_writing(as_agent) as ledger:
        ledger.record(sent(5))
        assert "4" == ledger.summary().format


def test_a_ledger_of_the_format_before_is_read_as_it_is_and_brought_up_by_a_writer(address, postgres):
    """With the very indexes that a new one has, which the database uses for what they are for."""
    former_format(postgres, address)
    with opening.open_for_reading(address) as reader:
        assert "4" == reader.summary().format
    with opening.open_for_writing(address) as ledger:
        assert str(schema.FORMAT) == ledger.summary().format
        ledger.record(sent(5))
        with ledger.engine.transaction() as execute:
            execute("SET LOCAL enable_seqscan = off")
            plan = execute(f"EXPLAIN {schema.GET_PROFILE_RECORDS}", account="1", after=0, limit=9)
            calls = execute(f"EXPLAIN {schema.GET_LIMITED_RECORDS_BACKWARDS}", before=9, limit=9)
    assert "audit_about_profiles" in str(plan)
    assert "audit_of_limited_calls" in str(calls)


# Who comes in


def test_a_checked_certificate_and_a_password(strict, query, monkeypatch, tmp_path):
    """With the server's own authority, and the password from where libpq looks for it."""
    address = strict.address(user="ann", host="localhost", query=f"sslmode=verify-full&sslrootcert={strict.ca}&{query}")
    passwords = tmp_path / "passwords"
    passwords.write_text("*:*:*:ann:hunter2\n")
    passwords.chmod(0o600)
    for name, value in (("PGPASSWORD", "hunter2"), ("PGPASSFILE", str(passwords))):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            with opening.open_for_writing(parse_place(address)) as ledger:
                ledger.record(sent(5))
                number = ledger.last_seq()

    assert 2 == number


def test_the_keyring_s_password_comes_last(strict, query):
    """It is asked for when the server wants one and nobody else has it."""
    place = parse_place(strict.address(user="ann", host="localhost", query=query))
    asked = []
    with opening.open_for_writing(place, find_password=lambda: asked.append(1) or Secret("hunter2")) as ledger:
        ledger.record(sent(5))
    assert asked == [1]


def test_a_wrong_password_is_refused_and_not_shown(strict, query, monkeypatch):
    """At once: another attempt would fail like this one."""
    monkeypatch.setenv("PGPASSWORD", "swordfish")
    with pytest.raises(LedgerRefused, match="password authentication failed") as refusal:
        opening.open_for_writing(parse_place(strict.address(user="ann", host="localhost", query=query)))
    assert "swordfish" not in f"{refusal.value.message} {refusal.value.hint}"
    assert "PGPASSWORD" in refusal.value.hint


def test_no_password_at_all(strict, query):
    """Neither libpq nor the keyring has one: that is what is said, with the places to put it."""
    address = strict.address(user="ann", host="localhost", query=query)
    with pytest.raises(LedgerRefused, match="no password for the ledger") as refusal:
        opening.open_for_reading(parse_place(address), find_password=lambda: None)
    assert address in refusal.value.message
    assert all(place in refusal.value.hint for place in ("PGPASSWORD", "~/.pgpass", "PGSERVICEFILE", "keyring"))


def test_a_certificate_of_somebody_else_is_refused(strict, query, monkeypatch):
    """What the machine trusts doesn't vouch for this server."""
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    address = strict.address(user="ann", host="localhost", query=f"sslmode=verify-full&sslrootcert=system&{query}")
    with pytest.raises(LedgerRefused, match="certificate"):
        opening.open_for_writing(parse_place(address))


def test_a_role_that_may_not_make_tables(strict, query, monkeypatch):
    """The missing right is named, and the command that shows how it is given."""
    strict.add_role("eve", "hunter2")
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    with pytest.raises(LedgerRefused, match="permission denied") as refusal:
        opening.open_for_writing(parse_place(strict.address(user="eve", host="localhost", query=query)))
    assert "ledger grants" in refusal.value.hint


def test_without_psycopg(address, monkeypatch):
    """One sentence says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    postgres._driver.cache_clear()
    try:
        with pytest.raises(UsageError, match="psycopg isn't installed") as refusal:
            opening.open_for_reading(address)
    finally:
        postgres._driver.cache_clear()
    assert "pip install '.[postgres]'" in refusal.value.hint


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_of_another_encoding(postgres, encoding):
    """Names come back as they were written, and one that the database can't hold is refused in a sentence."""
    name = f"other_{next(_NUMBERS)}"
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'")
    place = parse_place(postgres.address(database=name))
    with opening.open_for_writing(place, actor="ann@desk") as ledger:
        adopt = {"avatar": "", "protected": False, "now_ms": 5}
        ledger.adopt("1", "zoe", Profile("7", "Zoë", "", 1), **adopt)
        if encoding == "LATIN1":
            with pytest.raises(LedgerRefused, match="LATIN1"):
                ledger.adopt("1", "vera", Profile("8", "Вера", "", 1), **adopt)
    with opening.open_for_reading(place) as reader:
        assert ["Zoë"] == [binding.name for binding in reader.state_of("1").bindings]


def test_a_host_that_is_no_name():
    """What can't be looked up is a sentence, and no bug."""
    with pytest.raises((LedgerRefused, TryLater), match=r"db\.\.example"):
        opening.open_for_reading(parse_place("postgresql://db..example.com/x"))


def test_an_interruption_leaves_no_transaction_open(ledger):
    """Ctrl-C in the writers' queue: the same connection can go on, to give the lease back."""
    engine = ledger.engine

    def interrupted():
        engine._open().execute("BEGIN")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine._on_a_connection(interrupted)
    ledger.record(sent(5))
    assert [5] == times(ledger)


def test_a_commit_is_on_disk(ledger, postgres, address):
    """Also where the server would answer sooner, unless a session asks for more."""
    postgres.set("synchronous_commit", "off")
    try:
        with ledger.engine.transaction() as execute:
            assert [("on",)] == execute("SELECT current_setting('synchronous_commit')")
    finally:
        postgres.reset("synchronous_commit")
