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
from profilectl.model import Event
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


@pytest.fixture
def kept(filled):
    """A desk with a good copy of a filled ledger, whose ledger is lost afterwards."""
    assert 0 == filled.run("ledger", "backup", "copy.db").code
    for file in filled.folder.glob("ledger.db*"):
        file.unlink()
    return filled


def test_an_empty_ledger_is_no_backup(kept, path):
    """What a refused sync leaves behind a lost ledger holds nothing, and the last good copy stays."""
    open_for_writing(path).close()
    before = (kept.folder / "copy.db").read_bytes()
    refused = kept.run("ledger", "backup", "--force", "copy.db")
    elsewhere = kept.run("ledger", "backup", "today.db")

    assert (5, before) == (refused.code, (kept.folder / "copy.db").read_bytes())
    assert 5 == elsewhere.code
    assert f"{path} knows no account and has no record" in elsewhere.err
    assert not (kept.folder / "today.db").exists()


def test_a_copy_of_another_ledger_stays(kept, path):
    """One that was begun anew knows the same account, and none of the copy's records."""
    with open_for_writing(path) as ledger:
        fill(ledger)
        ledger.record(Event("sent", USER, 5))
    before = (kept.folder / "copy.db").read_bytes()
    refused = kept.run("ledger", "backup", "--force", "copy.db")

    assert (5, before) == (refused.code, (kept.folder / "copy.db").read_bytes())
    assert f"copy.db stays, as it isn't an earlier copy of {path}: it has another record" in refused.err
    assert "another name keeps both" in refused.err
    assert "profilectl recover" in refused.err


def test_a_copy_that_knows_more_stays(filled, path):
    """A ledger that lost its last record, such as one restored where nothing remembers how far it was."""
    copy = filled.folder / "copy.db"
    shutil.copyfile(path, filled.folder / "older.db")
    with open_for_writing(path) as ledger:
        ledger.record(Event("sent", USER, 5))
        newest = ledger.last_seq()
    filled.run("ledger", "backup", "copy.db")
    shutil.copyfile(filled.folder / "older.db", path)
    before = copy.read_bytes()
    shutil.rmtree(filled.folder / "home" / ".local", ignore_errors=True)
    refused = filled.run("ledger", "backup", "--force", "copy.db")

    assert (5, before) == (refused.code, copy.read_bytes())
    assert f"it has records up to {newest}, and the ledger's end at {newest - 1}" in refused.err


def test_the_sandbox_never_over_a_real_copy(kept):
    """A rehearsal's ledger knows another account."""
    kept.write(("alice", "Alice"))
    assert 0 == kept.run("--sandbox", "sync", "--yes").code
    before = (kept.folder / "copy.db").read_bytes()
    refused = kept.run("--sandbox", "ledger", "backup", "--force", "copy.db")

    assert (5, before) == (refused.code, (kept.folder / "copy.db").read_bytes())
    assert "it knows @acmecare (user id 1 at api.x.com)" in refused.err


def test_a_copy_that_cant_be_understood_stays(filled):
    """A damaged copy may be the only one there is."""
    copy = filled.folder / "copy.db"
    filled.run("ledger", "backup", "copy.db")
    with copy.open("r+b") as file:
        file.seek(100)
        file.write(b"\xaa" * 4096)
    before = copy.read_bytes()
    refused = filled.run("ledger", "backup", "--force", "copy.db")

    assert (5, before) == (refused.code, copy.read_bytes())
    assert "another name keeps both" in refused.err


def test_an_older_copy_is_replaced_wherever_it_lies(filled, path):
    """Also in a folder of many, and where it was made readable for those who keep the backups."""
    folder = filled.folder / "backups"
    folder.mkdir(mode=0o770)
    folder.chmod(0o770)
    filled.run("ledger", "backup", "backups/copy.db")
    (folder / "copy.db").chmod(0o644)
    with open_for_writing(path) as ledger:
        ledger.record(Event("sent", USER, 5))
        newest = ledger.last_seq()
    replaced = filled.run("ledger", "backup", "--force", "backups/copy.db")

    assert (0, "") == (replaced.code, replaced.err)
    with closing(sqlite3.connect(folder / "copy.db")) as database:
        assert [(newest,)] == database.execute("SELECT MAX(seq) FROM audit").fetchall()
