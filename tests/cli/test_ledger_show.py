"""``ledger show``: where the ledger is, what it holds and who holds it, read only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from profilectl.ledger.location import default_ledger_path
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Account, Event
from tests.patience import cut_short, next_line

HOLDER = """
import sys
from pathlib import Path
from profilectl.ledger.sqlite import open_for_writing
with open_for_writing(Path(sys.argv[1])) as ledger, ledger.lock(0, "profilectl sync"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(desk):
    return desk.folder / "ledger.db"


@pytest.fixture
def known(desk, path):
    """A ledger of one account with a record of 23 November 2026, and no credentials anywhere."""
    with open_for_writing(path, actor="ann@desk") as ledger:
        ledger.register_account("acme", Account("1", "acmecare", "api.x.com"), 1)
        ledger.register_account("shop", Account("1", "acmecare", "api.x.com"), 1)
        ledger.record(Event("sent", "1", 1_795_392_000_000))
    desk.env["PROFILECTL_LEDGER"] = str(path)
    return desk


def values(result):
    return dict(result.rows)


def test_it_is_told_in_rows(known, path):
    """Without credentials, a roster, or X; a pipe gets pairs."""
    result = known.run("ledger", "show")

    assert (0, "") == (result.code, result.err)
    told = values(result)
    assert {
        "place": str(path),
        "kind": "SQLite",
        "account": "@acmecare, user id 1 at api.x.com, brand acme, shop",
        "bindings": "0",
        "open intents": "0",
        "retired profiles": "0",
        "audit records": "3",
        "newest record": "3 of 2026-11-23T00:00:00Z",
        "held by": "nobody",
    }.items() <= told.items()


def test_it_is_told_to_a_script(known, path):
    """With --json the same, by keys."""
    document = known.run("ledger", "show", "--json").document

    assert ("profilectl.ledger/1", str(path), "sqlite", True, None, None) == tuple(
        document[key] for key in ("schema", "place", "kind", "exists", "holder", "problem")
    )
    assert {"seq": 3, "at": "2026-11-23T00:00:00Z"} == document["last_record"]
    assert [{"user_id": "1", "handle": "acmecare", "host": "api.x.com", "brands": ["acme", "shop"]}] == document[
        "accounts"
    ]


def test_it_is_told_on_a_terminal(known):
    """As a table."""
    code, screen = known.watch("ledger", "show")

    assert 0 == code
    assert "newest record" in screen
    assert "what" in screen


def test_nothing_is_written(known, path):
    """Neither to the ledger nor beside it."""
    before = {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in path.parent.glob("ledger*")}
    assert 0 == known.run("ledger", "show").code
    after = {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in path.parent.glob("ledger*")}

    assert before == after


def test_who_holds_it(known, path):
    """A run that works is named by command and process."""
    words = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert "held\n" == next_line(holder)
        with cut_short(holder):
            shown = known.run("ledger", "show")
            document = known.run("ledger", "show", "--json").document
            holder.communicate("", timeout=60)

    assert f"profilectl sync (pid {holder.pid} on " in values(shown)["held by"]
    assert ("profilectl sync", holder.pid) == (document["holder"]["command"], document["holder"]["pid"])


@pytest.mark.parametrize("words", [(), ("--json",)], ids=["rows", "json"])
def test_there_is_none_yet(desk, words):
    """A newcomer reads where it will be, and nothing is made."""
    desk.env = {"HOME": str(desk.folder / "home"), "XDG_STATE_HOME": ""}
    result = desk.run("ledger", "show", *words)

    assert 0 == result.code
    assert "the first `profilectl sync` makes it" in result.err
    assert "home/.local/state/profilectl/api.x.com/ledger.db" in result.err
    assert not (desk.folder / "home").exists()
    assert not words or not result.document["exists"]


def test_a_ledger_that_went_backwards_is_shown(desk, served):
    """Other commands refuse it; this one says why, and what it holds."""
    del desk.env["PROFILECTL_LEDGER"]
    place = default_ledger_path(os.environ, served.url.partition("://")[2])
    assert 0 == desk.write(("alice", "Alice")).run("sync", "--yes").code
    shutil.copyfile(place, place.with_name("backup.db"))
    assert 0 == desk.write(("alice", "Ally")).run("sync", "--yes").code
    place.with_name("backup.db").replace(place)
    place.chmod(0o600)
    result = desk.run("ledger", "show", "--json")

    assert 0 == result.code
    assert "went backwards" in result.err
    assert ("ledger", 1) == (result.document["problem"]["kind"], result.document["counts"]["bindings"])


def test_it_may_be_damaged(known, path):
    """What can't be read is refused with what to do."""
    path.write_bytes(b"no database at all")
    result = known.run("ledger", "show")

    assert (5, "") == (result.code, result.out)
    assert str(path) in result.err
    assert "hint: restore a backup" in result.err


def test_the_ledger_of_the_sandbox(desk):
    """It has its own, beside the roster."""
    desk.write(("alice", "Alice")).run("--sandbox", "sync", "--yes")
    told = values(desk.run("ledger", "show", "--sandbox"))

    assert (str(Path(desk.folder, ".profilectl", "sandbox", "ledger.db")), "1") == (told["place"], told["bindings"])


def test_a_typing_error_has_a_suggestion(desk):
    """The group knows its commands."""
    result = desk.run("ledger", "shwo")

    assert 2 == result.code
    assert "did you mean `profilectl ledger show`?" in result.err
