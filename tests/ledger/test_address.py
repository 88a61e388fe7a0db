"""Where a ledger is: what an address may say, and how its server is reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from profilectl.errors import UsageError
from profilectl.ledger import address as addresses
from profilectl.ledger.address import parse_place

REMOTE = "postgresql://ledger@db.example.com:5433/brand"


def test_a_path_is_a_path(monkeypatch):
    """With the home folder expanded."""
    monkeypatch.setenv("HOME", "/home/ann")
    assert Path("/home/ann/ledger.db") == parse_place("~/ledger.db")


def test_what_an_address_says(tmp_path):
    """Server, port, database and user, each as libpq is told; and a certificate that is checked."""
    environ = {"HOME": str(tmp_path)}
    expected = {"host": "db.example.com", "port": "5433", "user": "ledger", "dbname": "brand"}
    parameters = parse_place(REMOTE).parameters(environ)
    assert expected | {"sslmode": "verify-full"} == {key: parameters[key] for key in parameters if key != "sslrootcert"}


def test_an_address_shows_as_it_was_written():
    """It holds nothing that mustn't be shown."""
    assert REMOTE == str(parse_place(REMOTE))


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://127.0.0.1/x",
        "postgresql://localhost:5432/x",
        "postgresql://[::1]:5432/x",
        "postgresql:///x?host=/var/run/postgresql",
        "postgresql:///x?host=%2Frun%2Fpg",
        "postgresql:///x",
        "postgresql://db.example.com/x?hostaddr=127.0.0.1",
        "postgresql://localhost,127.0.0.2/x",
    ],
)
def test_on_this_machine_nothing_is_asked_of_tls(address):
    """A socket's folder and loopback: nobody is on the way."""
    assert "sslmode" not in parse_place(address).parameters({})


@pytest.mark.parametrize(
    ("address", "environ"),
    [
        ("postgresql:///x", {"PGHOST": "db.example.com"}),
        ("postgresql:///x", {"PGSERVICE": "brand"}),
        ("postgresql:///x?service=brand", {}),
        ("postgresql://localhost,db.example.com/x", {}),
        ("postgresql://localhost/x?hostaddr=192.0.2.1", {}),
        ("postgresql://localhost.example.com/x", {}),
        ("postgresql://db1,db2/x?hostaddr=,", {}),
        ("postgresql://db1,db2/x?hostaddr=127.0.0.1,", {}),
        ("postgresql://db/x?hostaddr=", {"PGHOSTADDR": "127.0.0.1"}),
    ],
)
def test_whatever_may_be_elsewhere_is_checked(address, environ):
    """Also what only the environment or a service file names."""
    assert "verify-full" == parse_place(address).parameters(environ)["sslmode"]


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_less_than_a_checked_certificate_needs_consent(mode):
    """The refusal names the option that allows it, and the option does."""
    address = f"{REMOTE}?sslmode={mode}"
    with pytest.raises(UsageError, match=f"asks for sslmode={mode}") as refusal:
        parse_place(address).parameters({})
    assert "allow_plain=yes" in refusal.value.hint
    assert mode == parse_place(f"{address}&allow_plain=yes").parameters({})["sslmode"]


def test_a_user_s_own_certificates_win(tmp_path):
    """Who keeps a root.crt for libpq trusts that, and not whatever this machine trusts."""
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql/root.crt").touch()
    assert "sslrootcert" not in parse_place(REMOTE).parameters({"HOME": str(tmp_path)})


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ledger:hunter2@db.example.com/brand",
        "postgresql://db.example.com/brand?password=hunter2",
        "postgresql://db.example.com/brand?sslpassword=hunter2",
    ],
)
def test_a_password_in_an_address_is_refused(address):
    """And isn't repeated."""
    with pytest.raises(UsageError, match="carries a password") as refusal:
        parse_place(address)
    assert "hunter2" not in f"{refusal.value.message} {refusal.value.hint}"


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("mysql://db/x", "not at mysql"),
        ("postgresql://db/x?options=-csearch_path", "unknown option options"),
        ("postgresql://db/x?schema=a;b", "schema of small letters"),
        ("postgresql://db/x?allow_plain=1", "allow_plain=yes or no"),
        ("postgresql://db:5:6/x", "can't be read"),
        ("postgresql://[::1/x", "can't be read"),
        ("postgresql://db/x?sslmode", "can't be read"),
    ],
)
def test_what_makes_no_address(address, what):
    """One sentence that says what it is."""
    with pytest.raises(UsageError, match=what):
        parse_place(address)


def test_two_ledgers_in_one_database():
    """Each has a schema of its own."""
    assert ["profilectl", "beta"] == [parse_place(f"postgresql://db/x{query}").schema for query in ("", "?schema=beta")]


def test_what_this_machine_trusts_is_a_file(tmp_path, monkeypatch):
    """The OpenSSL of psycopg's wheels looks for certificates where nobody keeps them, unless it is told where."""
    bundle = tmp_path / "ca.crt"
    bundle.touch()
    monkeypatch.setattr(addresses, "_BUNDLES", (str(tmp_path / "nothing.crt"), str(bundle)))
    environ = {"HOME": str(tmp_path)}
    assert str(bundle) == parse_place(REMOTE).parameters(environ)["sslrootcert"]
    assert "system" == parse_place(REMOTE).parameters(environ | {"SSL_CERT_FILE": "/x"})["sslrootcert"]
    monkeypatch.setattr(addresses, "_BUNDLES", ())
    assert "system" == parse_place(REMOTE).parameters(environ)["sslrootcert"]


def test_a_service_names_its_own_certificates():
    """What its file says about them isn't overridden; that they are checked is."""
    parameters = parse_place("postgresql:///x?service=brand").parameters({})
    assert ("verify-full", False) == (parameters["sslmode"], "sslrootcert" in parameters)
