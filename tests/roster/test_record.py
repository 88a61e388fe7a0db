"""A roster that was judged once is taken from its record, as long as nothing about it has changed."""

from __future__ import annotations

import json

import pytest

from profilectl.roster import record
from profilectl.roster.parser import parse

TEXT = """
version = 1
[brands.acme]
handle = "acmecare"
privacy_url = "https://example.com/privacy"
[brands.beta]
handle = "betacare"
language = "de"
[policy]
test_recipients = ["@tester"]
retire_after = "3m"
[policy.bot_markers]
de = ["bot", "Automat"]
[defaults]
avatar = "a.png"
kind = "human"
[agents.alice]
name = "Alice 👩🏽‍💻"
operators = ["afast", "uid:1001"]
until = 2027-01-31
protected = true
[agents.alicia]
name = "Аlice F."
[agents.helper]
name = "Helfer (Automat)"
kind = "bot"
brands = ["beta"]
"""

ORIGIN = record.origin_of("roster.toml", "1:2:3")


def loaded(change=lambda plain: plain, text=TEXT, origin=ORIGIN):
    """Return what is left of a roster after its record was changed."""
    plain = json.loads(record.dump(parse(TEXT, "roster.toml"), TEXT, ORIGIN))
    return record.load(json.dumps(change(plain)).encode(), text, origin)


def test_a_roster_comes_back_as_it_was():
    """Every field, kind, date and warning is the one that the text gave."""
    roster = parse(TEXT, "roster.toml")

    assert roster.warnings
    assert roster == loaded()


@pytest.mark.parametrize(
    "change",
    [
        lambda plain: plain | {"origin": "0.0.9"},
        lambda plain: plain | {"brands": None},
        lambda plain: plain | {"agents": [{"key": "alice"}]},
        lambda plain: plain | {"agents": [plain["agents"][0] | {"kind": "cat"}]},
        lambda plain: plain | {"agents": [plain["agents"][0] | {"until": "soon"}]},
        lambda plain: plain | {"policy": plain["policy"] | {"unheard": 1}},
        lambda plain: [plain],
        lambda plain: {},
    ],
)
def test_a_record_that_does_not_fit_is_none(change):
    """Another version's rules may be others; what is damaged is read from the text again."""
    assert loaded(change) is None


def test_a_record_is_of_one_text_and_one_file():
    """One changed letter has the whole roster judged again, and so has a copy of the file, or another way to it."""
    assert loaded(text=TEXT.replace("Alice", "Alicf")) is None
    assert loaded(origin=record.origin_of("other.toml", "1:2:3")) is None
    assert loaded(origin=record.origin_of("roster.toml", "1:2:4")) is None


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000, b"null"])
def test_what_is_no_record_is_none(content):
    """The file may hold anything."""
    assert record.load(content, TEXT, ORIGIN) is None
