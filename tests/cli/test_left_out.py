"""One bad brand doesn't stop the others: it is left out of the run, named, and counted by the exit code."""

from __future__ import annotations

import json

import pytest

from profilectl.cli.local_sandbox import LocalX

BRANDS = {"acme": "acmecare", "bistro": "bistrocare"}
TEAM = (("alice", "Alice", 'brands = ["acme"]'), ("bruno", "Bruno", 'brands = ["bistro"]'))


@pytest.fixture
def two(desk):
    """Two brands at the local X, of which it lets only acme use custom profiles."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    desk.write(*TEAM, brands=BRANDS)
    assert 0 == desk.run("diff").code
    allow(desk, "bistrocare", allowed=False)
    return desk


def allow(desk, handle, *, allowed):
    with LocalX(desk.folder / ".profilectl" / "sandbox") as local:
        local.world.accounts.allow(handle, allowed)


def plain(text):
    return " ".join(text.split())


def test_a_brand_that_x_refuses_is_left_out(two):
    """The other one is synced; the bad one is told with its reason, and follows when it is mended."""
    looked, done = two.run("diff"), two.run("sync", "--yes", "--json")

    assert (6, 6) == (looked.code, done.code)
    assert [("acme", "alice", "done")] == [
        (row["brand"], row["agent"], row["status"]) for row in done.document["results"]
    ]
    assert [("bistro", "allowlist")] == [
        (brand["brand"], brand["error"]["kind"]) for brand in done.document["left_out"]
    ]
    for result in (looked, done):
        assert "warning: brand bistro is left out, and nothing of it is changed: " in plain(result.err)

    allow(two, "bistrocare", allowed=True)
    again = two.run("sync", "--yes", "--json")
    assert (0, ["bruno"], []) == (
        again.code,
        [row["agent"] for row in again.document["results"]],
        again.document["left_out"],
    )


def test_a_plan_of_the_others_is_about_them_only(two):
    """What `diff --out` saves names the brands that it was made for, so it can be applied as it was reviewed."""
    saved = two.run("diff", "--out", "plan.json", "--json")
    applied = two.run("sync", "--yes", "--plan", "plan.json", "--json")

    assert (6, ["acme"], ["bistro"]) == (
        saved.code,
        saved.document["selection"]["brands"],
        [brand["brand"] for brand in saved.document["left_out"]],
    )
    assert (0, ["alice"]) == (applied.code, [row["agent"] for row in applied.document["results"]])


def test_a_reviewed_plan_is_applied_as_a_whole(two):
    """When one of its brands can't be looked at any more, nothing is done."""
    allow(two, "bistrocare", allowed=True)
    assert 0 == two.run("diff", "--out", "plan.json").code
    allow(two, "bistrocare", allowed=False)
    refused = two.run("sync", "--yes", "--plan", "plan.json")

    assert (4, 1) == (refused.code, refused.err.count("brand bistro: "))
    assert [] == two.run("profiles", "list", "--brand", "acme").rows


def test_when_no_brand_is_left_the_first_one_says_why(two):
    """There is nobody to go on with, so it is that brand's failure."""
    allow(two, "acmecare", allowed=False)
    both, chosen = two.run("sync", "--yes"), two.run("sync", "--yes", "--brand", "bistro")

    assert (4, 4) == (both.code, chosen.code)
    assert "brand acme: " in plain(both.err)
    assert "left out" not in both.err + chosen.err


def test_a_brand_without_credentials_is_left_out(desk, served):
    """A command has those of one handle only."""
    names = ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")
    secrets = {name.lower(): desk.env.pop(f"PROFILECTL_{name}") for name in names}
    credentials = desk.folder / "acme.json"
    credentials.write_text(json.dumps(secrets))
    credentials.chmod(0o600)
    command = desk.folder / "credentials"
    config = desk.folder / "config" / "profilectl" / "config.toml"
    config.parent.mkdir(parents=True)
    argv = json.dumps([str(command), "{handle}"])
    config.write_text(f"credential_command = {argv}\n")
    config.chmod(0o600)
    desk.env["XDG_CONFIG_HOME"] = str(desk.folder / "config")
    desk.write(*TEAM, brands=BRANDS)
    command.write_text(f'#!/bin/sh\ntest "$1" = acmecare || exit 1; cat {credentials}\n')
    command.chmod(0o700)
    done = desk.run("sync", "--yes", "--json")

    assert (6, [("bistro", "credentials")]) == (
        done.code,
        [(brand["brand"], brand["error"]["kind"]) for brand in done.document["left_out"]],
    )
    assert ["Alice"] == served.live()
