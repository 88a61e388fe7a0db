"""``ledger migrate`` as people use it: asked, told where it is, and refused everywhere else afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from tests.cli.test_ledger_show import HOLDER
from tests.ledger.filled import USER, fill
from tests.patience import cut_short, next_line


@pytest.fixture
def path(desk):
    return desk.folder / "ledger.db"


@pytest.fixture
def filled(desk, path):
    with open_for_writing(path, actor="ann@desk") as ledger:
        fill(ledger)
    desk.env["PROFILECTL_LEDGER"] = str(path)
    return desk


def test_from_place_to_place(filled, path):
    """The new place is told with how to point to it, and every command on the old one is refused with it."""
    new = filled.folder / "new" / "ledger.db"
    moved = filled.run("ledger", "migrate", "new/ledger.db", "--yes")

    assert (0, "") == (moved.code, moved.err)
    assert f"the ledger is {new} now" in moved.out
    assert f"PROFILECTL_LEDGER={new}" in moved.out
    filled.write(("ann", "Ann"))
    send = ("send", "--as", "ann", "--to", "1", "--dry-run", "Hi")
    for words in (("ledger", "show"), ("profiles", "forget", "ann", "--yes"), send):
        refused = filled.run(*words)
        assert (5, "") == (refused.code, refused.out), words
        assert f"the ledger was moved to {new}" in refused.err
        assert f"PROFILECTL_LEDGER={new}" in refused.err
    filled.env["PROFILECTL_LEDGER"] = str(new)
    assert ["place", str(new)] == filled.run("ledger", "show").rows[0]
    with open_for_reading(new) as ledger:
        assert ledger.state_of(USER).bindings
    assert path.exists()


def test_twice(filled):
    """The second time it says that it was done; to another place it is refused."""
    assert 0 == filled.run("ledger", "migrate", "new.db", "--yes").code
    again = filled.run("ledger", "migrate", "new.db", "--yes", "--json")
    assert (0, "migrate", str(filled.folder / "new.db")) == (
        again.code,
        again.document["deed"],
        again.document["target"],
    )
    assert "was moved before" in again.err
    refused = filled.run("ledger", "migrate", "third.db", "--yes")
    assert 5 == refused.code
    assert f"was moved to {filled.folder}/new.db" in refused.err
    assert not (filled.folder / "third.db").exists()


def test_nobody_is_there_to_ask(filled):
    """Nothing happens without an answer."""
    refused = filled.run("ledger", "migrate", "new.db")

    assert 2 == refused.code
    assert "--yes" in refused.err
    assert not (filled.folder / "new.db").exists()


@pytest.mark.parametrize(("answer", "code"), [(b"y\n", 0), (b"n\n", 130), (b"\n", 130), (b"\x03", 130)])
def test_it_asks(filled, path, answer, code):
    """Only a yes moves it; a no and Ctrl-C leave everything as it is."""
    before = path.read_bytes()
    result, screen = filled.watch("ledger", "migrate", "new.db", answers=answer)

    assert (code, code == 0) == (result, (filled.folder / "new.db").exists())
    assert f"Move the ledger from {path} to {filled.folder}/new.db?" in screen.replace("\n", "")
    assert code == 0 or before == path.read_bytes()


@pytest.mark.parametrize("name", ["ledger.db", "ledger.db-wal", "link.db"])
def test_where_it_is_already(filled, path, name):
    """Under whatever name."""
    (filled.folder / "link.db").hardlink_to(path)
    refused = filled.run("ledger", "migrate", name, "--yes")

    assert 2 == refused.code
    assert "is where the ledger is already" in refused.err


def test_there_is_nothing_to_move(desk):
    """No empty ledger is moved, or made."""
    desk.env["PROFILECTL_LEDGER"] = "none.db"

    assert 5 == desk.run("ledger", "migrate", "new.db", "--yes").code
    assert not (desk.folder / "new.db").exists()


def test_the_sandbox_has_its_place(desk):
    """No setting would find it elsewhere."""
    refused = desk.run("ledger", "migrate", "new.db", "--sandbox", "--yes")

    assert 2 == refused.code
    assert "keeps its ledger beside the roster" in refused.err


def test_a_place_that_isn_t_safe(filled):
    """It is refused as any ledger there would be, and the old one stays in use."""
    folder = filled.folder / "open"
    folder.mkdir()
    folder.chmod(0o777)
    refused = filled.run("ledger", "migrate", "open/ledger.db", "--yes")

    assert 5 == refused.code
    assert "can be written by" in refused.err
    assert 0 == filled.run("ledger", "show").code


def test_a_run_is_waited_for(filled, path):
    """A sync that holds the ledger ends first."""
    words = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert "held\n" == next_line(holder)
        with cut_short(holder):
            mover = filled.start("ledger", "migrate", "new.db", "--yes")
            with cut_short(mover):
                assert "held by profilectl sync" in mover.stderr.readline()
                assert not (filled.folder / "new.db").exists()
                holder.communicate("", timeout=60)
                mover.communicate(timeout=60)

    assert 0 == mover.returncode


def test_killed_at_any_moment(filled, path):
    """Afterwards one of the two is in use at most, and the same command finishes it."""
    before = filled.run("ledger", "export").out
    for number, moment in enumerate((0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3)):
        new = f"new{number}.db"
        mover = filled.start("ledger", "migrate", new, "--yes")
        with cut_short(mover):
            time.sleep(0.2 + moment)
            mover.send_signal(signal.SIGKILL)
            mover.communicate(timeout=60)
        assert 0 == filled.run("ledger", "migrate", new, "--yes").code
        filled.env["PROFILECTL_LEDGER"] = str(filled.folder / new)
        assert before == filled.run("ledger", "export").out
    assert path.exists()


def test_a_new_place_that_was_lost(filled, path):
    """No empty ledger is made there and called the ledger; what was moved can still be written out."""
    new = filled.folder / "new.db"
    assert 0 == filled.run("ledger", "migrate", "new.db", "--yes").code
    for file in filled.folder.glob("new.db*"):
        file.unlink()
    again = filled.run("ledger", "migrate", "new.db", "--yes")
    assert (5, "", False) == (again.code, again.out, new.exists())
    assert f"PROFILECTL_LEDGER={path} profilectl ledger export" in again.err
    assert 0 == filled.run("ledger", "export", "kept.jsonl").code
    filled.env["PROFILECTL_LEDGER"] = str(new)
    assert 0 == filled.run("ledger", "import", "kept.jsonl").code
