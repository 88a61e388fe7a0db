"""What `diff` and a rehearsed message say of money."""

from __future__ import annotations

import json

import pytest

TO = ("send", "--as", "alice", "--to", "12345", "Hello", "--dry-run", "--human-wrote-this")


@pytest.fixture
def alice(desk, served):
    """A desk with one agent who isn't at X yet, and a config file of its own."""
    desk.env |= {"XDG_CONFIG_HOME": str(desk.folder / "config")}
    return desk.write(("alice", "Alice F."))


def price(desk, text):
    """Write the table of prices."""
    folder = desk.folder / "config" / "profilectl"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f"[prices]\n{text}\n", "utf-8")


def test_no_price_is_invented(alice):
    """X publishes none for custom profiles, so nothing is said of them; for a message there is one, with its date."""
    shown = alice.run("diff")
    document = alice.run("diff", "--json").document
    assert 0 == alice.run("sync", "--yes").code
    nothing, message, quiet = alice.run("diff"), alice.run(*TO), alice.run(*TO, "-q")

    assert "cost" not in shown.err
    assert (None, ["upload", "create"]) == (document["cost"]["amount"], document["cost"]["unknown"])
    assert "cost" not in nothing.err
    assert "cost: 0.015 USD by the prices of 2026-11-29\n" == message.err
    assert "" == quiet.err


def test_own_prices(alice):
    """What a person has read at X counts, and nothing else: a list without messages says nothing of them."""
    price(alice, "create = 0.02\nupload = 0.005\ncurrency = 'EUR'\nas_of = 2027-01-02")
    saved = alice.folder / "plan.json"
    shown = alice.run("diff", "--out", "plan.json")
    applied = alice.run("sync", "--yes", "--plan", "plan.json")
    rehearsed = alice.run(*TO, "--json").document

    assert "cost: 0.025 EUR by the prices of 2027-01-02\n" in shown.err
    assert "0.025" == json.loads(saved.read_text("utf-8"))["cost"]["amount"]
    assert 0 == applied.code
    assert {
        "amount": None,
        "currency": "EUR",
        "as_of": "2027-01-02",
        "calls": {"dm": 1, "upload": 0, "create": 0, "destroy": 0},
        "unknown": ["dm"],
    } == rehearsed["cost"]


def test_the_local_x_asks_no_configuration(desk):
    """A rehearsal goes on beside a config file that can't be read."""
    desk.env |= {"PROFILECTL_SANDBOX": "1", "XDG_CONFIG_HOME": str(desk.folder / "config")}
    price(desk, "broken")
    result = desk.write(("alice", "Alice F.")).run("diff")

    assert (0, 1) == (result.code, len(result.rows))


def test_a_price_without_its_day_is_refused(alice):
    """Prices change, so a list without a date is worth nothing."""
    price(alice, "dm = 0.02")
    result = alice.run("diff")

    assert 5 == result.code
    assert "prices.as_of must be a date" in result.err
