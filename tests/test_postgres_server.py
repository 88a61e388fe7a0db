"""The private servers do what tests rely on, and leave nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psycopg
import pytest

from tests import postgres_server
from tests.patience import cut_short, next_line, until
from tests.postgres_server import PgBouncer, PostgresServer, Replica


@pytest.fixture(autouse=True)
def _installed(require):
    reason = postgres_server.why_not()
    require("postgres", reason is None, reason)


def test_a_killed_server_keeps_what_was_committed():
    """A kill loses no commit, and leaves neither a process nor shared memory behind."""
    with PostgresServer() as server:
        database = server.fresh_database()
        server.execute("CREATE TABLE things (name TEXT)", database=database)
        server.execute("INSERT INTO things VALUES (%s)", "anvil", database=database)
        server.kill()
        assert not server.is_running
        server.start()
        assert [("anvil",)] == server.execute("SELECT name FROM things", database=database)
        server.kill()
    assert not server.folder.exists()


def test_roles_settings_and_the_ends_of_connections():
    """A role logs in over TCP, a setting reaches those who come, and connections can be ended one role at a time."""
    with PostgresServer() as server:
        server.add_role("ann")
        with psycopg.connect(server.address(user="ann"), autocommit=True) as connection:
            assert ("ann",) == connection.execute("SELECT current_user").fetchone()
            assert 1 == server.terminate_connections("usename = 'ann'")
            with pytest.raises(psycopg.OperationalError, match="terminating connection"):
                connection.execute("SELECT 1")
        server.set("idle_session_timeout", "1s")
        assert [("1s",)] == server.execute("SHOW idle_session_timeout")
        server.reset("idle_session_timeout")
        assert [("0",)] == server.execute("SHOW idle_session_timeout")
        with psycopg.connect(server.address(host=str(server.folder))) as connection:
            assert ("postgres",) == connection.execute("SELECT current_user").fetchone()


def test_a_dump_brings_the_state_of_its_time_back():
    """What was written after the dump is gone, what was there is whole."""
    with PostgresServer() as server:
        database = server.fresh_database()
        server.execute("CREATE TABLE things (name TEXT)", database=database)
        dumped = server.dump(database)
        server.execute("INSERT INTO things VALUES ('late')", database=database)
        server.restore(database, dumped)
        assert [] == server.execute("SELECT name FROM things", database=database)


def test_tls_is_checked_with_the_authority_of_the_server():
    """The certificate is good for localhost, and without TLS nobody comes in."""
    with PostgresServer(tls=True, auth="scram-sha-256") as server:
        server.add_role("ann", "s3cret")
        address = server.address(user="ann", host="localhost", query=f"sslmode=verify-full&sslrootcert={server.ca}")
        with psycopg.connect(address, password="s3cret") as connection:
            assert connection.pgconn.ssl_in_use
        with pytest.raises(psycopg.OperationalError, match="no encryption"):
            psycopg.connect(server.address(user="ann", query="sslmode=disable"), password="s3cret")


def test_the_pooler_shares_connections_between_transactions(require):
    """Two clients get one backend in turn, which is why nothing may rest on a session."""
    reason = postgres_server.why_no_pooler()
    require("pgbouncer", reason is None, reason)
    with PostgresServer() as server, PgBouncer(server, pool_size=1) as pooler:
        pids = set()
        with psycopg.connect(pooler.address()) as first, psycopg.connect(pooler.address()) as second:
            for connection in (first, second, first):
                pids.add(connection.execute("SELECT pg_backend_pid()").fetchone())
                connection.commit()
        assert 1 == len(pids)


def test_a_replica_that_fell_behind_lacks_the_last_commits():
    """After the failover everything is there but what was committed last."""
    with PostgresServer() as server:
        server.execute("CREATE TABLE things (name TEXT)")
        with Replica(server) as replica:
            server.execute("INSERT INTO things VALUES ('first')")
            replica.fall_behind()
            server.execute("INSERT INTO things VALUES ('last')")
            server.kill()
            replica.promote()
            replica.execute("INSERT INTO things VALUES ('new')")
            assert [("first",), ("new",)] == replica.execute("SELECT name FROM things ORDER BY name")


def test_a_server_ends_with_the_tests_whatever_ends_them():
    """A process that is killed while its server runs leaves no server behind."""
    script = """
        from tests.postgres_server import PostgresServer
        with PostgresServer() as server:
            print(server.pid, server.folder, flush=True)
            input()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=Path(__file__).parents[1], text=True, **pipes) as process, cut_short(process):
        pid, folder = next_line(process).split()
        os.kill(process.pid, signal.SIGKILL)
        process.wait(60)
    until(lambda: not postgres_server._runs(int(pid)), "the end of the server")
    shutil.rmtree(folder)
