"""``ledger backup``: a sound copy of a ledger that others use, whole or not at all."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest

from profilectl.audit import chain
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from tests.ledger.filled import USER, fill
from tests.patience import cut_short, next_line

WRITER = """
import sys
from pathlib import Path
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Event
with open_for_writing(Path(sys.argv[1])) as ledger, ledger.lock(0, "profilectl sync"):
    print("writing", flush=True)
    for number in range(int(sys.argv[2])):
        ledger.record(Event("sent", "1", number))
    print(ledger.last_seq(), flush=True)
"""


@pytest.fixture
def path(desk):
    return desk.folder / "ledger.db"


@pytest.fixture
def filled(desk, path):
    with open_for_writing(path, actor="ann@desk") as ledger:
        fill(ledger)
    desk.env["PROFILECTL_LEDGER"] = str(path)
    return desk


def test_a_backup_is_the_ledger(filled, path):
    """Private, one file, and it can be used where the ledger was."""
    result = filled.run("ledger", "backup", "copy.db")
    copy = filled.folder / "copy.db"

    assert (0, f"backed up {path} to copy.db\n", "") == (result.code, result.out, result.err)
    assert 0o600 == stat.S_IMODE(copy.stat().st_mode)
    assert [copy] == [file for file in filled.folder.iterdir() if "copy" in file.name]
    assert filled.run("ledger", "export").out == filled.shell("PROFILECTL_LEDGER=copy.db profilectl ledger export").out
    copy.replace(path)
    assert 0 == filled.run("ledger", "show").code


def test_a_run_that_writes_goes_on(filled, path):
    """Backups beside a busy holder are each of one moment, and the holder loses nothing."""
    before = None
    words = [sys.executable, "-c", WRITER, str(path), "400"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as writer:
        assert "writing\n" == next_line(writer)
        with cut_short(writer):
            for number in range(3):
                assert 0 == filled.run("ledger", "backup", f"copy{number}.db").code
            out, _ = writer.communicate(timeout=120)
    with open_for_reading(path) as ledger:
        assert int(out) == ledger.last_seq()
        for number in range(3):
            with open_for_reading(filled.folder / f"copy{number}.db") as copy:
                assert chain.verify(copy.events()) is None
                assert ledger.hash_of(copy.last_seq()) == copy.hash_of(copy.last_seq())
                assert ledger.state_of(USER) == copy.state_of(USER)
                assert before is None or before <= copy.last_seq()
                before = copy.last_seq()


def test_an_older_backup_is_replaced_by_force_only(filled):
    """As cron does it; what was there before stays when it isn't asked for."""
    copy = filled.folder / "copy.db"
    copy.write_text("mine")
    refused = filled.run("ledger", "backup", "copy.db")
    assert (5, "mine") == (refused.code, copy.read_text())
    assert "copy.db exists already" in refused.err
    replaced = filled.run("ledger", "backup", "copy.db", "--force", "-q")
    assert (0, "", "") == (replaced.code, replaced.out, replaced.err)
    with closing(sqlite3.connect(copy)) as database:
        assert [("ok",)] == database.execute("PRAGMA integrity_check").fetchall()


@pytest.mark.parametrize("name", ["ledger.db", "ledger.db-wal"])
def test_never_over_the_ledger(filled, path, name):
    """Whatever --force says."""
    before = path.read_bytes()

    assert (2, before) == (filled.run("ledger", "backup", name, "--force").code, path.read_bytes())


def test_a_folder_of_many(filled):
    """Backups may lie where the ledger mustn't: what is private there can't be read by others."""
    folder = filled.folder / "backups"
    folder.mkdir(mode=0o770)
    folder.chmod(0o770)

    assert 0 == filled.run("ledger", "backup", "backups/copy.db").code


def test_a_damaged_ledger(filled, path):
    """It isn't taken for a sound one, and the last good backup stays."""
    filled.run("ledger", "backup", "copy.db")
    before = (filled.folder / "copy.db").read_bytes()
    with path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xaa" * 4096 * 4)
    refused = filled.run("ledger", "backup", "copy.db", "--force")

    assert (5, before) == (refused.code, (filled.folder / "copy.db").read_bytes())
    assert [] == [file.name for file in filled.folder.iterdir() if file.name.endswith(".new")]


def test_a_full_disk(filled, path):
    """No half of a backup is left."""
    refused = filled.shell("ulimit -f 20; profilectl ledger backup copy.db")

    assert 0 != refused.code
    assert [] == [file.name for file in filled.folder.iterdir() if "copy" in file.name]
    assert path.exists()


def test_json(filled, path):
    """A script learns what was copied where."""
    document = filled.run("ledger", "backup", "copy.db", "--json").document

    assert ("backup", str(path), "copy.db") == tuple(document[key] for key in ("deed", "source", "target"))


def test_nothing_to_back_up(desk):
    """No empty backup pretends to be one."""
    desk.env["PROFILECTL_LEDGER"] = "none.db"

    assert 5 == desk.run("ledger", "backup", "copy.db").code
    assert not (desk.folder / "copy.db").exists()


def test_no_file_is_named(desk):
    """It has to be said where to."""
    assert 2 == desk.run("ledger", "backup").code


def test_a_ledger_that_went_backwards(desk, served):
    """It isn't what anybody would want to keep in place of a newer backup."""
    assert served
    desk.write(("alice", "Alice")).run("sync", "--yes")
    ledger = desk.folder / "l.db"
    desk.env["PROFILECTL_LEDGER"] = str(ledger)
    desk.run("sync", "--yes", "--new-ledger")
    desk.run("ledger", "backup", "copy.db")
    desk.write(("alice", "Alice"), ("bea", "Bea")).run("sync", "--yes")
    shutil.copyfile(desk.folder / "copy.db", ledger)
    refused = desk.run("ledger", "backup", "copy.db", "--force")

    assert 5 == refused.code
    assert "went backwards" in refused.err
