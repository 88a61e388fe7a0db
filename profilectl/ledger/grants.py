"""Who may do what in a ledger on PostgreSQL: the SQL for three roles, least rights each.

What an agent's role needs is read from the statements that sending runs, so that the two can't drift apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

from msgspec import Struct

from profilectl.errors import UsageError
from profilectl.ledger import schema
from profilectl.ledger.address import is_schema_name
from profilectl.text.escape import visible

SENDING: Final = (
    schema.SAVE_ACCOUNT,
    schema.ADD_DISPATCH,
    schema.KEEP_CONTACT,
    schema.REPLACE_DISPATCH,
    schema.FINISH_DISPATCH,
    schema.DELETE_OPEN_DISPATCH,
    schema.ADD_DELIVERY,
    schema.SET_SIGHTING,
    schema.ADD_RECORD,
)
"""All statements that change something while a message is sent."""

KEYS_HIDDEN: Final = f"(name !~~ '{schema.TEXT_KEY}%'::text)"
"""Which rows of ``meta`` a reader sees, as PostgreSQL writes it."""

_LONGEST: Final = 63  # bytes of a name (postgresql.org, "Identifiers and Key Words"); longer ones are cut off silently
_DEEDS: Final = {"INSERT": r"INSERT INTO (\w+)", "UPDATE": r"UPDATE (?!SET)(\w+)", "DELETE": r"DELETE FROM (\w+)"}


class Roles(Struct, frozen=True):
    """The names of the three roles."""

    admin: str = "profilectl_admin"
    agent: str = "profilectl_agent"
    reader: str = "profilectl_reader"


def statements(roles: Roles, schema_name: str) -> tuple[str, ...]:
    """Return the SQL that makes the roles, unless they are there, and gives them what they need in a schema.

    It takes nothing away, and may be run again. Tables that aren't there yet are passed over.

    Raises:
        UsageError: a name is empty, too long, or two roles have the same one.
    """
    for name in (roles.admin, roles.agent, roles.reader, schema_name):
        _require_name(name)
    if not is_schema_name(schema_name):
        what = f"{visible(schema_name)} is no schema that a ledger's address can name"
        raise UsageError(what, hint="small letters, digits and underscores")
    if "public" in {roles.admin, roles.agent, roles.reader}:
        raise UsageError("public stands for every role", hint="choose another name")
    if len({roles.admin, roles.agent, roles.reader}) < 3:
        raise UsageError("two of the roles have the same name", hint="--admin, --agent and --reader name three")
    return (*_foundation(roles, schema_name), *_tables(roles, schema_name))


def _foundation(roles: Roles, schema_name: str) -> Iterator[str]:
    admin, agent, reader, within = map(_quoted, (roles.admin, roles.agent, roles.reader, schema_name))
    yield "SET client_min_messages = warning;"  # or each further run tells that the schema exists already
    for name in (roles.admin, roles.agent, roles.reader):
        is_missing = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {_literal(name)})"
        yield _if(is_missing, f"CREATE ROLE {_quoted(name)} NOLOGIN;")
    yield f"CREATE SCHEMA IF NOT EXISTS {within} AUTHORIZATION {admin};"
    yield f"GRANT USAGE, CREATE ON SCHEMA {within} TO {admin};"
    yield f"GRANT USAGE ON SCHEMA {within} TO {agent}, {reader};"


def _tables(roles: Roles, schema_name: str) -> Iterator[str]:
    admin, agent, reader, within = map(_quoted, (roles.admin, roles.agent, roles.reader, schema_name))
    changes = rights(SENDING)
    for name in (name for kind, name in schema.objects() if kind == "table"):
        table = f"{within}.{_quoted(name)}"
        # as its owner, each admin may do everything, and bring it up to a later version
        words = [f"ALTER TABLE {table} OWNER TO {admin};", f"GRANT SELECT ON {table} TO {agent}, {reader};"]
        if name in changes:
            words.append(f"GRANT {', '.join(changes[name])} ON {table} TO {agent};")
        yield _if_there(table, " ".join(words))
    yield from _hidden_keys(roles, f'{within}."meta"')


def _hidden_keys(roles: Roles, table: str) -> Iterator[str]:
    """Yield what keeps the keys of the texts' digests from readers: who has one can try what a text may have been."""
    place = f"to_regclass({_literal(table)})"
    reader = f"(SELECT oid FROM pg_roles WHERE rolname = {_literal(roles.reader)})"  # noqa: S608 - a literal
    named = f"FROM pg_policy WHERE polrelid = {place} AND"
    # all rows to everybody, and from readers these are taken: roles that somebody else has made lose nothing
    everything = f"CREATE POLICY {_quoted(roles.admin)} ON {table} USING (true);"
    yield _if(f"{place} IS NOT NULL AND NOT EXISTS (SELECT {named} polpermissive)", everything)
    keys = f"CREATE POLICY {_quoted(roles.reader)} ON {table} AS RESTRICTIVE FOR SELECT TO {_quoted(roles.reader)}"
    missing = f"{place} IS NOT NULL AND NOT EXISTS (SELECT {named} NOT polpermissive AND {reader} = ANY(polroles))"
    yield _if(missing, f"{keys} USING ({KEYS_HIDDEN});")
    yield _if_there(table, f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;")


def _if_there(table: str, statement: str) -> str:
    return _if(f"to_regclass({_literal(table)}) IS NOT NULL", statement)


def _if(condition: str, statement: str) -> str:
    tag = next(tag for number in count() if (tag := f"$do{number or ''}$") not in condition + statement)
    return f"DO {tag} BEGIN IF {condition} THEN {statement} END IF; END {tag};"


def rights(changes: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return what statements do to which tables, beyond reading: "INSERT", "UPDATE", "DELETE"."""
    needed: dict[str, set[str]] = {}
    for statement in changes:
        for deed, pattern in _DEEDS.items():
            for table in re.findall(pattern, statement):
                needed.setdefault(table, set()).add(deed)
        if "DO UPDATE SET" in statement:  # of what couldn't be inserted
            needed[re.findall(_DEEDS["INSERT"], statement)[0]].add("UPDATE")
    return {table: tuple(deed for deed in _DEEDS if deed in deeds) for table, deeds in sorted(needed.items())}


def _require_name(name: str) -> None:
    shown = visible(name)
    if not name or shown != name:  # what can't be printed as it is can't be run as it is
        raise UsageError(f"{shown or 'an empty text'} is no name of a role or schema")
    if len(name.encode("utf-8", "surrogatepass")) > _LONGEST:
        raise UsageError(f"{shown} is longer than {_LONGEST} bytes, where PostgreSQL cuts a name off")
    if name.startswith("pg_"):
        raise UsageError(f"{shown} is one of PostgreSQL's own names", hint="choose another one")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    # as PostgreSQL reads it whatever standard_conforming_strings says
    return ("E" if "\\" in text else "") + "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
