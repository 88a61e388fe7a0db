"""The ledger's own commands over a real PostgreSQL: looked at, copied, moved, unlocked, and shared by three roles."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess

import pytest

from profilectl.ledger.address import parse_place
from profilectl.ledger.opening import open_for_reading, open_for_writing
from profilectl.ledger.sqlite import open_for_writing as open_file
from tests.ledger.filled import USER, fill
from tests.postgres_server import PostgresServer

_NUMBERS = itertools.count(1)


@pytest.fixture
def schema():
    return f"ledger_{next(_NUMBERS)}_{os.getpid()}"


@pytest.fixture
def address(postgres, schema):
    return postgres.address(query=f"schema={schema}")


@pytest.fixture
def filled(desk, address):
    """A ledger in PostgreSQL with something in every table, and no credentials anywhere."""
    with open_for_writing(parse_place(address), actor="ann@desk") as ledger:
        fill(ledger)
    desk.env["PROFILECTL_LEDGER"] = address
    return desk


def plain(text):
    return " ".join(text.split())


def test_show(filled, address):
    """As for a file, with the address; who holds it is read from the lease."""
    document = filled.run("ledger", "show", "--json").document
    assert (address, "postgresql", True, None) == tuple(document[key] for key in ("place", "kind", "exists", "holder"))
    with open_for_writing(parse_place(address)) as ledger, ledger.lock(0, "profilectl sync"):
        holder = filled.run("ledger", "show", "--json").document["holder"]
        assert ("profilectl sync", os.getpid()) == (holder["command"], holder["pid"])
        assert ["kind", "PostgreSQL"] in filled.run("ledger", "show").rows


def test_show_before_the_first_sync(desk, postgres, schema):
    """Nothing is made."""
    desk.env["PROFILECTL_LEDGER"] = postgres.address(query=f"schema={schema}")
    result = desk.run("ledger", "show", "--json")

    assert (0, False) == (result.code, result.document["exists"])
    assert [(None,)] == postgres.execute("SELECT to_regnamespace(%s)", schema)
    assert 5 == desk.run("ledger", "export").code


def test_from_one_engine_to_the_other_and_back(filled, postgres, schema):
    """The same file, byte for byte, whichever engine keeps the ledger."""
    first = filled.run("ledger", "export", "first.jsonl")
    filled.env["PROFILECTL_LEDGER"] = "copy.db"
    imported = filled.run("ledger", "import", "first.jsonl")
    filled.run("ledger", "export", "second.jsonl")
    filled.env["PROFILECTL_LEDGER"] = postgres.address(query=f"schema={schema}_back")
    back = filled.run("ledger", "import", "second.jsonl")
    filled.run("ledger", "export", "third.jsonl")

    assert (0, 0, 0) == (first.code, imported.code, back.code), (imported.err, back.err)
    texts = [(filled.folder / f"{name}.jsonl").read_bytes() for name in ("first", "second", "third")]
    assert texts == [texts[0]] * 3
    assert texts[0].count(b"\n") > 20


@pytest.mark.parametrize("through", ["postgres", "pooler"])
def test_a_file_moves_to_a_server(desk, request, schema, through):
    """Directly and through a pooler; the file is refused with the address afterwards."""
    with open_file(desk.folder / "ledger.db", actor="ann@desk") as ledger:
        fill(ledger)
    desk.env["PROFILECTL_LEDGER"] = str(desk.folder / "ledger.db")
    before = desk.run("ledger", "export").out
    new = request.getfixturevalue(through).address(query=f"schema={schema}")
    moved = desk.run("ledger", "migrate", new, "--yes")

    assert (0, "") == (moved.code, moved.err)
    assert f"the ledger is {new} now" in moved.out
    refused = desk.run("ledger", "show")
    assert 5 == refused.code
    assert f"was moved to {new}" in refused.err
    assert before == desk.run("ledger", "export").out  # the copy may be lost one day
    assert 0 == desk.run("ledger", "migrate", new, "--yes").code
    desk.env["PROFILECTL_LEDGER"] = new
    assert before == desk.run("ledger", "export").out


def test_a_server_s_ledger_moves_to_a_file(filled, address):
    """And is refused by every command that has it open or opens it."""
    before = filled.run("ledger", "export").out
    assert 0 == filled.run("ledger", "migrate", "ledger.db", "--yes").code
    refused = filled.run("ledger", "show")
    assert 5 == refused.code
    assert f"was moved to {filled.folder}/ledger.db" in refused.err
    filled.env["PROFILECTL_LEDGER"] = "ledger.db"
    assert before == filled.run("ledger", "export").out
    filled.env["PROFILECTL_LEDGER"] = address


def test_a_backup_is_pg_dump_s(filled, postgres, schema):
    """The command is told, and works as it stands."""
    refused = filled.run("ledger", "backup", "copy.dump")

    assert 5 == refused.code
    command = refused.err.partition("hint: ")[2].strip()
    assert command.startswith(f"(umask 077; pg_dump --format=custom --schema={schema} --file=copy.dump ")
    assert "'\"'" not in command  # what needs no quotes has none: people read it before they run it
    tools = postgres._tool.__globals__["_programs"]()
    environ = {"PATH": f"{tools}:{os.environ['PATH']}"}
    subprocess.run(["bash", "-c", command], cwd=filled.folder, env=environ, check=True, timeout=60)
    listed = subprocess.run(
        [tools / "pg_restore", "--list", "copy.dump"], cwd=filled.folder, capture_output=True, text=True, check=True
    )
    assert f"TABLE DATA {schema} audit" in listed.stdout
    assert 0o600 == (filled.folder / "copy.dump").stat().st_mode & 0o777


def test_unlock(filled, address):
    """The run is named, and can write nothing more; the next one doesn't wait."""
    assert "nobody holds" in filled.run("ledger", "unlock").out
    with open_for_writing(parse_place(address)) as ledger, ledger.lock(0, "profilectl sync"):
        refused = filled.run("ledger", "unlock")
        assert 2 == refused.code
        assert f"not unlocked: profilectl sync (pid {os.getpid()} on " in plain(refused.err)
        assert all(way in refused.err for way in ("--yes", "`profilectl ledger show"))
        document = filled.run("ledger", "unlock", "--yes", "--json").document
        assert (True, os.getpid()) == (document["ended"], document["holder"]["pid"])
        with open_for_writing(parse_place(address)) as other, other.lock(0, "profilectl sync"):
            pass
        from profilectl.errors import TryLater

        with pytest.raises(TryLater, match="was taken over"):
            ledger.block(USER, "ann", 90)


@pytest.fixture
def shared(desk, served, postgres):
    """A database of three people with a role each, made by the SQL that `ledger grants` prints."""
    assert served
    name = postgres.fresh_database()
    for person in ("admin", "agent", "reader"):
        postgres.add_role(person)
    names = [word for person in ("admin", "agent", "reader") for word in (f"--{person}", f"{name}_{person}")]

    def allow():
        for statement in desk.run("ledger", "grants", *names).out.splitlines():
            postgres.execute(statement, database=name)

    allow()
    for person in ("admin", "agent", "reader"):
        postgres.execute(f"GRANT {name}_{person} TO {person}", database=name)
    desk.write(("alice", "Alice"), ("bruno", "Bruno"))
    desk.address = lambda person: postgres.address(user=person, database=name)
    desk.env["PROFILECTL_LEDGER"] = desk.address("admin")
    synced = desk.run("sync", "--yes")
    assert 0 == synced.code, synced.err
    allow()
    return desk


def as_role(desk, person, *words):
    desk.env["PROFILECTL_LEDGER"] = desk.address(person)
    return desk.run(*words)


def test_a_reader_looks(shared):
    """`diff` and `ledger show` need nothing more; writing is refused with the right that is missing."""
    assert 0 == as_role(shared, "reader", "diff", "--exit-code").code
    assert ["bindings", "2"] in as_role(shared, "reader", "ledger", "show").rows
    assert 0 == as_role(shared, "reader", "ledger", "export", "copy.jsonl").code
    shared.write(("alice", "Alice"), ("bruno", "Bruno"), ("carol", "Carol"))
    for words in (("sync", "--yes"), ("send", "--as", "alice", "--to", "@customer", "--human-wrote-this", "Hi")):
        refused = as_role(shared, "reader", *words)
        assert (5, "") == (refused.code, refused.out), words
        assert "permission denied for table" in refused.err
        assert "`profilectl ledger grants`" in refused.err


def test_a_reader_sees_no_key_of_a_text(shared, postgres):
    """Nor does their export, which says so; what they verify is whole, and an admin's and an agent's keys are there."""
    name = parse_place(shared.address("admin")).parameters()["dbname"]
    key = postgres.execute("SELECT value FROM profilectl.meta WHERE name LIKE 'text_key:%%'", database=name)[0][0]
    kept = {}
    for person in ("admin", "agent", "reader"):
        with open_for_reading(parse_place(shared.address(person))) as ledger:
            kept[person] = [value for _, value in ledger.text_keys()]
    exported = {person: as_role(shared, person, "ledger", "export") for person in ("admin", "reader")}
    verified = as_role(shared, "reader", "audit", "verify")

    assert {"admin": [key], "agent": [key], "reader": []} == kept
    assert (True, False) == tuple(key in exported[person].out for person in ("admin", "reader"))
    assert (False, True) == tuple("keys of the texts' digests" in exported[who].err for who in ("admin", "reader"))
    assert (0, 0, 0) == (exported["admin"].code, exported["reader"].code, verified.code), verified.err


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE POLICY other ON profilectl.meta AS RESTRICTIVE FOR SELECT USING (name <> 'moved_to')",
        "CREATE POLICY other ON profilectl.meta FOR SELECT USING (name <> 'moved_to')",
        "ALTER TABLE profilectl.audit ENABLE ROW LEVEL SECURITY",
    ],
)
def test_rows_that_anything_else_hides_are_noticed(shared, postgres, statement):
    """Only what `ledger grants` prints may stand there."""
    name = parse_place(shared.address("admin")).parameters()["dbname"]
    postgres.execute(statement, database=name)
    for words in (("audit", "verify"), ("sync", "--yes")):
        result = as_role(shared, "admin", *words)
        assert (5, True) == (result.code, "the row security of " in result.err), words


def test_an_agent_sends(shared, served):
    """And can't sync: it is refused before anything is made at X, with the right that is missing."""
    sent = as_role(shared, "agent", "send", "--as", "alice", "--to", "@customer", "--human-wrote-this", "Hi")
    again = as_role(
        shared, "agent", "send", "--as", "alice", "--to", "@customer", "--human-wrote-this", "--key", "k", "B"
    )
    assert (0, 0) == (sent.code, again.code), (sent.err, again.err)
    shared.write(("alice", "Alice"), ("bruno", "Bruno"), ("carol", "Carol"))
    refused = as_role(shared, "agent", "sync", "--yes")
    assert (5, ["Alice", "Bruno"]) == (refused.code, served.live())
    assert "permission denied for table" in refused.err
    with open_for_reading(parse_place(shared.address("admin"))) as ledger:
        assert ledger.last_seq() == max(record.seq for record in ledger.events() if record.event.what)


def test_an_agent_says_what_the_apps_show(shared, served):
    """Their role may only add to the record, and the doctor, whoever runs it, finds it there."""
    shared.env["PROFILECTL_LEDGER"] = shared.address("agent")
    code, screen = shared.watch("doctor", "--face-check", "--to", "@customer", answers=b"both\n\n\nname\n")
    looked = as_role(shared, "reader", "doctor").out
    shared.env["PROFILECTL_LEDGER"] = shared.address("admin")
    later = shared.watch("doctor", "--face-check", "--to", "@customer", answers=b"\n\nnothing\n\n")[0]

    assert (0, 0) == (code, later), screen
    assert "iOS yes, XChat name only" in looked
    assert "web no" in as_role(shared, "reader", "doctor").out


def test_an_admin_goes_on(shared, served):
    """After the rights were given, whoever made the tables."""
    shared.write(("alice", "Alice"), ("bruno", "Bruno"), ("carol", "Carol"))

    assert 0 == as_role(shared, "admin", "sync", "--yes").code
    assert ["Alice", "Bruno", "Carol"] == served.live()


@pytest.mark.parametrize("role", ["admin", "agent"])
def test_a_database_that_went_backwards(shared, served, postgres, role):
    """A dump that was put back is noticed on this host, and accepted by a person; a desk's role is enough for that."""
    assert shutil.which("bash")
    name = parse_place(shared.address("admin")).parameters()["dbname"]
    dumped = postgres.dump(name)
    shared.write(("alice", "Alice"), ("bruno", "Bruno"), ("carol", "Carol"))
    assert 0 == as_role(shared, "admin", "sync", "--yes").code
    postgres.restore(name, dumped)
    refused = as_role(shared, "admin", "sync", "--yes")
    assert 5 == refused.code
    assert "went backwards" in plain(refused.err)
    accepted = as_role(shared, role, "ledger", "accept-restore", "--yes")
    assert (0, "carol") == (accepted.code, accepted.rows[0][1])
    assert 7 == as_role(shared, "admin", "sync", "--yes").code
    assert ["Alice", "Bruno", "Carol"] == served.live()


@pytest.mark.parametrize("command", [("ledger", "show"), ("audit", "verify")])
def test_a_database_s_password_that_nobody_has(desk, locked_address, command):
    """In cron, where no keyring is: it is the ledger's password that is missing, not the values of X's app."""
    desk.env["PROFILECTL_LEDGER"] = locked_address
    refused = desk.run(*command)

    assert 5 == refused.code
    assert f"no password for the ledger {locked_address}: this machine has no keyring" in plain(refused.err)
    assert ("PGPASSWORD" in refused.err, "PROFILECTL_CREDENTIALS_FILE" in refused.err) == (True, False)


def test_a_database_s_wrong_password(desk, locked_address):
    """The server's answer, and where the right one is put."""
    desk.env |= {"PROFILECTL_LEDGER": locked_address, "PGPASSWORD": "swordfish"}
    refused = desk.run("ledger", "show")

    assert 5 == refused.code
    assert "password authentication failed" in refused.err
    assert "~/.pgpass" in refused.err


@pytest.fixture(scope="module")
def locked_address(postgres):
    """The address of a ledger whose server wants a password; the usual one is asked for as it says what is missing."""
    with PostgresServer(auth="scram-sha-256") as server:
        yield server.address(user="cron", host="127.0.0.1")
