"""Eleven ways to change a record behind the program's back, each on both engines: who notices, and what is named.

Every time somebody who knows SQL and how the chain is made changes the ledger. With one signed checkpoint, and nothing
else on the machine, each is noticed; without any, by what commands have kept in the state folder.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress

import pytest

from profilectl.audit.chain import GENESIS, Record, contents, seal
from profilectl.cli.main import run
from profilectl.ledger import schema
from profilectl.ledger.address import parse_place
from profilectl.ledger.export import tables
from profilectl.ledger.heads import KeptHeads
from profilectl.ledger.location import heads_folder
from profilectl.ledger.opening import open_for_writing
from profilectl.model import Event
from tests.audit.story import USER, at, tell

K = 12
"""The record at which the tamperings begin that are about some of them; the story has 46 records."""

TABLES = tuple(table.name for table in tables())


class Scene:
    """A ledger with the story, and what somebody does to it."""

    def __init__(self, place, postgres=None):
        self.place = place
        self.postgres = postgres

    def writer(self, actor="ann@desk"):
        return open_for_writing(self.place, actor=actor)

    def change(self, statement, **values):
        with self.writer() as ledger, ledger.engine.transaction() as execute:
            return execute(statement, **values)

    def by_hand(self, statement):
        """Run a statement as an owner of the database does."""
        if self.postgres is None:
            with closing(sqlite3.connect(self.place)) as connection:
                connection.executescript(statement)
        else:
            self.postgres.execute(f"SET search_path = {self.place.schema}; {statement}")

    def records(self):
        return [Record(*row) for row in self.change(schema.GET_RECORDS, after=0, limit=1000)]

    def put(self, records):
        """Write records in the place of all that are there."""
        self.change("DELETE FROM audit")
        for record in records:
            self.change(schema.ADD_RECORD, **{name: getattr(record, name) for name in record.__struct_fields__})

    def rows(self):
        """Return all that the ledger has."""
        return {table: self.change(f"SELECT {', '.join(columns(table))} FROM {table}") for table in TABLES}

    def restore(self, rows):
        """Put that in the place of all that it has."""
        with self.writer() as ledger, ledger.engine.transaction() as execute:
            for table in reversed(TABLES):
                execute(f"DELETE FROM {table}")
            for table in TABLES:
                names = columns(table)
                insert = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})"
                for row in rows[table]:
                    execute(insert, **dict(zip(names, row, strict=True)))


def columns(table):
    return next(known.names for known in tables() if known.name == table)


def resealed(records, change):
    """Return a chain in which each record says what `change` makes of it, sealed as it should be."""
    made, before = [], GENESIS
    for record in records:
        event, actor, text = *contents(record), None
        event, actor = change(record.seq, event, actor)
        made.append(seal(event, actor, seq=record.seq, prev_hash=before, written_ms=record.written_ms))
        before = made[-1].hash
        assert text is None
    return made


def edit(scene):
    scene.change("UPDATE audit SET text = REPLACE(text, 'alice', 'bruno') WHERE seq = :seq", seq=K)


def delete(scene):
    scene.change("DELETE FROM audit WHERE seq = :seq", seq=K)


def cut(scene):
    scene.change("DELETE FROM audit WHERE seq > :seq", seq=K)


def rewrite(scene):
    scene.put(resealed(scene.records(), lambda _, event, __: (event, "mallory@x")))


def fork(scene):
    scene.put(resealed(scene.records(), lambda seq, event, actor: (event, actor if seq < K else "mallory@x")))


def reorder(scene):
    first, second = (record for record in scene.records() if record.seq in {K, K + 1})
    for record, seq in ((first, K + 1), (second, K)):
        scene.change(
            "UPDATE audit SET hash = :hash, text = :text WHERE seq = :seq", hash=record.hash, text=record.text, seq=seq
        )


def back_date(scene):
    def earlier(seq, event, actor):
        moment = event.at_ms - 86_400_000 if seq == K else event.at_ms
        return Event(event.what, event.account, moment, event.agent, event.profile_id, event.detail), actor

    scene.put(resealed(scene.records(), earlier))


def old_backup(scene):
    scene.restore(scene.backup)


def swap(scene):
    scene.restore(scene.another)


def trigger(scene):
    if scene.postgres is None:
        scene.by_hand("CREATE TRIGGER deaf BEFORE INSERT ON audit BEGIN SELECT RAISE(IGNORE); END")
    else:
        function = "CREATE FUNCTION deaf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
        scene.by_hand(f"{function}; CREATE TRIGGER deaf BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION deaf()")


def unblock(scene):
    scene.change("DELETE FROM blocked WHERE agent = 'bruno'")


UNBLOCKED = "agent bruno is offboarded by its record, and not in the ledger"
GONE, OTHER = (f"record LAST, which this host has seen, {how}" for how in ("is missing", "is another one by now"))
CHANGED, SIGNED = f"record {K} isn't as it was written", "isn't the one that was signed"
TAMPERINGS = {
    # what is done, what is named with an anchor, and what without one, by the host that has written to the ledger
    "a record edited": (edit, CHANGED, CHANGED),
    "one deleted in the middle": (delete, f"record {K + 1} isn't as it was", f"record {K + 1} isn't as it was"),
    "the tail cut off": (cut, f"records {K + 1} to LAST missing at the end", GONE),
    "all rewritten with another actor": (rewrite, f"record 1 {SIGNED}", OTHER),
    "a fork": (fork, f"record {K} {SIGNED}", OTHER),
    "two in another order": (reorder, CHANGED, CHANGED),
    "an old backup": (old_backup, "record LAST missing at the end", GONE),
    "one back-dated": (back_date, f"record {K} {SIGNED}", OTHER),
    "a trigger that swallows what is written": (trigger, "the trigger deaf", "the trigger deaf"),
    "a row of an offboarded agent deleted": (unblock, UNBLOCKED, UNBLOCKED),
    "the ledger swapped": (swap, f"record 1 {SIGNED}", OTHER),
}


@pytest.fixture(params=["sqlite", "postgres"])
def scene(request, tmp_path, monkeypatch):
    """A ledger on which commands have worked on this host, with one signed checkpoint elsewhere."""
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", home / ".ssh" / "id_ed25519"], check=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    place, another, postgres = str(tmp_path / "ledger.db"), str(tmp_path / "another.db"), None
    if request.param == "postgres":
        postgres = request.getfixturevalue("postgres")
        name = f"tamper_{os.getpid()}_{abs(hash(tmp_path))}"
        place, another = (postgres.address(query=f"schema={name}_{number}") for number in (1, 2))
    monkeypatch.setenv("PROFILECTL_LEDGER", place)
    monkeypatch.setenv("PROFILECTL_AUDIT_ANCHOR", str(tmp_path / "anchor"))
    scene = Scene(parse_place(place), postgres)
    other = Scene(parse_place(another), postgres)
    with other.writer("eve@elsewhere") as ledger:
        tell(ledger)
        ledger.record(Event("sent", USER, at("2026-11-02T09:00")))
    scene.another = other.rows()
    with scene.writer() as ledger:
        tell(ledger)
    scene.backup = scene.rows()
    scene.last = len(scene.backup["audit"]) + 1
    with scene.writer() as ledger:
        ledger.record(Event("sent", USER, at("2026-11-01T09:00")))
        KeptHeads(heads_folder(os.environ, "api.x.com")).keep(ledger, scene.place)
    (tmp_path / "anchor").mkdir()
    assert 0 == run(["audit", "checkpoint", "--quiet"])
    return scene


def verify(capsys, *words):
    """Return how `audit verify` ends, and what it says."""
    capsys.readouterr()
    code = run(["audit", "verify", *words])
    return code, capsys.readouterr().err


@pytest.mark.parametrize(("tamper", "named", "named_here"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_each_tampering_is_noticed(scene, capsys, tmp_path, tamper, named, named_here):
    """Without an anchor on this host; with one anchor on any machine, such as an auditor's."""
    tamper(scene)
    named, named_here = (text.replace("LAST", str(scene.last)) for text in (named, named_here))

    code, err = verify(capsys)
    assert (5, True) == (code, named_here in err), err
    shutil.rmtree(tmp_path / "home" / "state")
    code, err = verify(capsys, "--against", str(tmp_path / "anchor"))
    assert (5, True) == (code, named in err), err


@pytest.mark.parametrize("tamper", [case[0] for case in TAMPERINGS.values()], ids=TAMPERINGS)
def test_no_checkpoint_is_signed_over_a_tampering(scene, capsys, tmp_path, tamper):
    """It begins with what this host has seen, the newest records, and the newest checkpoint; so does a sync."""
    tamper(scene)
    if tamper is unblock:
        return  # the rows are compared with their record by `audit verify`
    codes, errors = [], []
    for has_state in (True, False):
        if not has_state:
            with suppress(FileNotFoundError):
                shutil.rmtree(tmp_path / "home" / "state")
        capsys.readouterr()
        codes.append(run(["audit", "checkpoint"]))
        errors.append(capsys.readouterr().err)
    assert [5, 5] == codes, errors


def test_what_nobody_changed_is_whole(scene, capsys, tmp_path):
    """With what came after the checkpoint, and after the record was moved to another place."""
    with scene.writer() as ledger:
        ledger.record(Event("sent", USER, at("2026-11-03T09:00")))
    capsys.readouterr()
    assert 0 == run(["audit", "verify", "--json", "--against", str(tmp_path / "anchor")])
    document = json.loads(capsys.readouterr().out)
    none = {"good": 0, "newest": None, "traced": False, "lacking": 0, "unread": 0, "refused": []}
    expected = {"fits": 1, "records": scene.last, "contradiction": None, "refused": [], "timestamps": none}
    assert (True, expected) == (document["whole"], document["checkpoints"])
