"""Among several brands the one is meant that has what a command is about: its agent, or its profile at X."""

from __future__ import annotations

import pytest


@pytest.fixture
def two(desk):
    """Two brands on the local X, each with an agent of its own."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(("alice", "Alice F."), ("bea", "Bea K."))
    path = desk.folder / "roster.toml"
    text = path.read_text("utf-8").replace("[agents.bea]\n", '[agents.bea]\nbrands = ["beta"]\n')
    text = text.replace("[agents.alice]\n", '[agents.alice]\nbrands = ["acme"]\n')
    path.write_text(f'{text}\n[brands.beta]\nhandle = "betacare"\n', "utf-8")
    assert 0 == desk.run("sync", "--yes").code
    return desk


def profile_of(desk, agent):
    (row,) = [row for row in desk.run("--json", "profiles", "list").document["profiles"] if row["agent"] == agent]
    return row["id"]


def test_the_brand_is_found_by_the_agent_and_by_the_id(two):
    """Nobody is asked which brand: forget looks into the ledger, adopt and destroy at X."""
    profile_id = profile_of(two, "bea")
    for words in (("forget", "bea"), ("adopt", "bea", profile_id), ("forget", "bea"), ("destroy", profile_id)):
        result = two.run("--json", "profiles", *words, "--yes")
        assert (0, "beta") == (result.code, result.document["brand"]), words
    assert ["alice"] == [row[3] for row in two.run("profiles", "list").rows]


def test_what_no_brand_has_still_needs_one(two):
    """Exit 2 and the brands to choose from."""
    for words in (("forget", "nobody"), ("destroy", "999999"), ("adopt", "alice", "999999", "--brand", "zz")):
        result = two.run("profiles", *words, "--yes")
        assert 2 == result.code, result.err
    assert "hint: say --brand with one of: acme, beta" in two.run("profiles", "destroy", "999999", "--yes").err
