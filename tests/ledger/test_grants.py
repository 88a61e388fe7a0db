"""The roles of a ledger on PostgreSQL: what sending needs and nothing else, whatever the names look like."""

from __future__ import annotations

import pytest

from profilectl.errors import LedgerConflict, UsageError
from profilectl.ledger import schema
from profilectl.ledger.grants import SENDING, Roles, rights, statements
from profilectl.model import Account, Dispatch, Event
from tests.ledger.filled import USER, fill

AGENT_MAY = {
    "audit": ("INSERT",),
    "brands": ("INSERT", "UPDATE"),
    "deliveries": ("INSERT",),
    "dispatches": ("INSERT", "UPDATE", "DELETE"),
    "sightings": ("INSERT", "UPDATE"),
}


def recorded(ledger, deed):
    """Return the statements that a deed runs."""
    ran = []
    transaction = ledger._engine.transaction

    class Recording:
        def __enter__(self):
            self.inner = transaction()
            execute = self.inner.__enter__()
            return lambda statement, **values: (ran.append(statement), execute(statement, **values))[1]

        def __exit__(self, *error):
            return self.inner.__exit__(*error)

    ledger._engine.transaction = Recording
    try:
        deed()
    finally:
        del ledger._engine.transaction
    return ran


def test_the_sql_says_nothing_where_all_is_there():
    """Run once more it would tell of a schema that exists already, beside `psql --quiet`."""
    assert "SET client_min_messages = warning;" == statements(Roles(), "profilectl")[0]


def test_an_agent_may_what_sending_does(ledger):
    """No statement that a send runs is missing, and none is there that no send runs."""
    fill(ledger)
    ledger.adopt(USER, "zoe", profile(), avatar="sha256:z", protected=False, now_ms=70)
    first = Dispatch("k9", "d9", "zoe", "5", "print", "555", 80)
    sent = Dispatch("k9", "d9", "zoe", "5", "print", "555", 80, "990", True)
    again = Dispatch("k9", "d10", "zoe", "5", "print", "555", 90)

    def send():
        ledger.register_account("shop", Account(USER, "acmecare", "api.x.com"), 71)
        ledger.begin_send(USER, first, None)
        ledger.finish_send(USER, sent, Event("sent", USER, 81))
        ledger.mark_seen(USER, "555", 82)
        ledger.begin_send(USER, again, sent)
        ledger.cancel_send(USER, again, Event("taken-back", USER, 9))

    changes = {statement for statement in recorded(ledger, send) if rights([statement])}
    assert set(SENDING) == changes
    assert AGENT_MAY == rights(SENDING)


def profile():
    from profilectl.model import Profile

    return Profile("555", "Zoe", "https://pbs.example/z.jpg", 1000)


def test_a_sync_needs_more(ledger):
    """An agent's role can't bind, retire or promise."""
    fill(ledger)
    ran = recorded(ledger, lambda: ledger.retire(USER, "ann", 70))

    assert {"bindings", "retired"} <= set(rights(ran)) - set(AGENT_MAY)
    with pytest.raises(LedgerConflict):
        ledger.retire(USER, "ann", 71)


def test_every_table_has_an_owner_and_readers():
    """All of the schema's tables belong to the admins; nothing is granted beyond the list."""
    sql = statements(Roles(), "profilectl")
    granted = [part for line in sql for part in line.split(";") if "GRANT" in part]
    owned = {line.split('ALTER TABLE "profilectl"."')[1].split('"')[0] for line in sql if "OWNER TO" in line}

    tables = {name for kind, name in schema.objects() if kind == "table"}
    assert tables == owned
    assert {
        f' GRANT SELECT ON "profilectl"."{table}" TO "profilectl_agent", "profilectl_reader"' for table in tables
    } == {part for part in granted if "SELECT" in part}
    assert {
        f' GRANT {", ".join(deeds)} ON "profilectl"."{table}" TO "profilectl_agent"'
        for table, deeds in AGENT_MAY.items()
    } == {part for part in granted if "SCHEMA" not in part and "SELECT" not in part}


def test_a_schema_of_many():
    """In one that other programs use as well, nothing of theirs is granted."""
    sql = statements(Roles(), "public")

    assert not any("ALL TABLES" in line for line in sql)
    with pytest.raises(UsageError, match="stands for every role"):
        statements(Roles(agent="public"), "profilectl")


def test_names_are_quoted():
    """A name may hold whatever PostgreSQL takes, and ends no statement early."""
    sql = "\n".join(statements(Roles('a"; DROP TABLE x; --', "it's $do$", "back\\slash"), "acme"))

    assert '"a""; DROP TABLE x; --"' in sql
    assert "DO $do1$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'it''s $do$')" in sql
    assert "rolname = E'back\\\\slash'" in sql
    assert '"acme"."audit"' in sql


@pytest.mark.parametrize("name", ["", "a\0b", "a\nb", "\u202eb", "x" * 64, "ä" * 32, "pg_admin"])
def test_what_is_no_name(name):
    """PostgreSQL would refuse it, cut it off, or mean everybody."""
    with pytest.raises(UsageError):
        statements(Roles(agent=name), "profilectl")
    with pytest.raises(UsageError):
        statements(Roles(), name)


def test_three_roles_are_three():
    """Or a reader could send."""
    with pytest.raises(UsageError, match="the same name"):
        statements(Roles(agent="a", reader="a"), "profilectl")


@pytest.mark.parametrize("name", ["Acme", "acme-1", 'a"b'])
def test_a_schema_that_no_address_can_name(name):
    """Its tables would never be used."""
    with pytest.raises(UsageError, match="is no schema that a ledger's address can name"):
        statements(Roles(), name)
