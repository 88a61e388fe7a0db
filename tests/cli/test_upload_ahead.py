"""A sync uploads while it still prepares pictures; a bad one refuses the whole run before anything is created."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.photographs import photograph_like_portrait

KEYS = [f"agent{number}" for number in range(8)]


@pytest.fixture
def team(desk):
    """Eight agents with a photograph each."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    for seed, key in enumerate(KEYS):
        (desk.folder / f"{key}.jpg").write_bytes(photograph_like_portrait(seed, (300, 400)))
    return desk.write(*((key, key.title(), f'avatar = "{key}.jpg"') for key in KEYS))


def count(desk, database, table):
    with closing(sqlite3.connect(desk.folder / ".profilectl" / "sandbox" / database)) as file:
        return file.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]


def test_each_picture_is_uploaded_once_and_each_profile_created_once(team):
    """As many calls as without any haste, and none in a second run."""
    first, second = (team.run("sync", "--yes", "--json").document for _ in range(2))

    assert (8, 8) == (first["requests"]["upload"], first["requests"]["create"])
    assert (0, 0) == (second["requests"]["upload"], second["requests"]["create"])
    assert 8 == count(team, "ledger.db", "bindings")


@pytest.mark.parametrize("is_begun", [True, False], ids=["a ledger that is there", "the first sync"])
@pytest.mark.parametrize("bad", [["agent7"], ["agent1", "agent7"]])
def test_bad_pictures_refuse_the_whole_run(team, bad, is_begun):
    """With all of them, whichever comes last: nothing was created, and nothing is in the ledger or on its record."""
    tables = ("bindings", "intents", "audit")
    before = None
    if is_begun:
        assert 0 == team.run("sync", "--yes", "--agent", "agent0").code
        before = [count(team, "ledger.db", table) for table in tables]
    for key in bad:
        path = team.folder / f"{key}.jpg"
        path.write_bytes(path.read_bytes()[:3000])
    result = team.run("sync", "--yes")

    assert 5 == result.code
    assert len(bad) == result.err.count("is damaged or cut off")
    assert is_begun == count(team, "world.db", "profiles")
    ledger = team.folder / ".profilectl" / "sandbox" / "ledger.db"
    assert before == ([count(team, "ledger.db", table) for table in tables] if ledger.exists() else None)
