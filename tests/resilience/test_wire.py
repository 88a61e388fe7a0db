"""The wire between a program and its database does to it what a bad network does."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import psycopg
import pytest

from tests.patience import until
from tests.resilience.wire import Network, Wire, why_no_namespaces

CONNECT = """
import psycopg, sys
with psycopg.connect(sys.argv[1], connect_timeout=10) as connection:
    print(connection.execute("SELECT 6 * 7").fetchone())
"""


@pytest.fixture
def line(postgres):
    with Wire(postgres.port) as line:
        yield line


def connected(line):
    return psycopg.connect(f"postgresql://postgres@127.0.0.1:{line.port}/postgres", connect_timeout=10)


def test_a_commit_is_applied_and_its_answer_lost(line, postgres):
    """The client learns nothing but that its connection has gone; the row is there."""
    name = postgres.fresh_database()
    postgres.execute("CREATE TABLE things (name TEXT)", database=name)
    with contextlib.closing(psycopg.connect(f"postgresql://postgres@127.0.0.1:{line.port}/{name}")) as connection:
        connection.execute("INSERT INTO things VALUES ('anvil')")
        line.loses_commits = 1
        with pytest.raises(psycopg.OperationalError):
            connection.commit()

    assert 1 == line.lost
    assert [("anvil",)] == postgres.execute("SELECT name FROM things", database=name)


def test_a_cut_wire_lets_nobody_through_until_it_is_mended(line):
    """Who is connected is cut off, who comes is turned away, and afterwards all is as before."""
    with connected(line) as connection:
        line.cut()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError):
            connected(line)
    line.mend()
    with connected(line) as connection:
        assert (1,) == connection.execute("SELECT 1").fetchone()


def test_a_frozen_wire_keeps_what_is_on_its_way(line):
    """An answer comes when the wire is mended, and not before."""
    with connected(line) as connection:
        line.freeze()
        cursor = connection.cursor()
        connection.pgconn.send_query(b"SELECT 1")
        until(lambda: connection.pgconn.flush() == 0, "the question to leave")
        connection.pgconn.consume_input()
        assert connection.pgconn.is_busy()
        line.mend()
        until(lambda: connection.pgconn.consume_input() or not connection.pgconn.is_busy(), "the answer")
        while connection.pgconn.get_result() is not None:
            pass
        cursor.close()


def test_the_same_address_works_in_a_network_of_its_own(postgres, require):
    """A program that shares no network with the server reaches it, and doesn't when the kernel's link is down."""
    reason = why_no_namespaces()
    require("namespaces", reason is None, reason)
    with Network() as network, Wire(postgres.port, network=network):
        address = postgres.address(query="connect_timeout=3")

        def ask():
            command = [*network.entering(), sys.executable, "-c", CONNECT, address]
            return subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=60, pass_fds=network.descriptors
            )

        assert "(42,)\n" == ask().stdout
        network.set_link("down")
        assert 0 != ask().returncode
        network.set_link("up")
        assert "(42,)\n" == ask().stdout
