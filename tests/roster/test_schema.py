"""Rules of single fields."""

from __future__ import annotations

import pytest

from profilectl.roster.schema import avatar, web_page
from profilectl.toml.rules import FieldError

ALICE = ['name = "Alice"', 'avatar = "a.png"', 'kind = "human"']


@pytest.mark.parametrize("path", ["a.png", "avatars/été 2.jpg", "a/../b.png", "./a.png", "..a.png", "ab:c.png"])
def test_relative_paths_are_kept_as_written(path):
    """Whatever stays inside the folder by its words is accepted and not rewritten."""
    assert avatar(path) == path


@pytest.mark.parametrize(
    "address", ["https://acme.example/privacy", "https://acme.example", "https://acme.example:8443/a?b=c#d"]
)
def test_addresses_of_pages_are_kept_as_written(address):
    """Any page that is encrypted."""
    assert web_page(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "http://acme.example/privacy",
        "acme.example/privacy",
        "https://",
        "https://user@acme.example/",
        "https://acme.example/a b",
        "https://acme.example/\n",
        "https://acmé.example/",
        "javascript:alert(1)",
        5,
        "",
    ],
)
def test_what_is_no_page(address):
    """Customers follow it, so nothing else than a plain address of a page will do."""
    with pytest.raises(FieldError):
        web_page(address)


BAD_FIELDS = {  # a line of [brands.acme], [policy] or [agents.alice], and what is said of it
    ("brands.acme", 'handle = "@acmecare"'): 'write it without the @: "acmecare"',
    ("brands.acme", 'handle = "acme-care"'): 'expected 1 to 15 letters, digits and underscores, got "acme-care"',
    ("brands.acme", "handle = 5"): "expected a string, got 5",
    ("brands.acme", 'language = "pt_BR"'): 'expected a language tag such as "en" or "pt-BR", got "pt_BR", '
    'did you mean "pt-BR"?',
    ("brands.acme", 'language = "tlh"'): 'no bot markers are known for "tlh"; set them in [policy.bot_markers]: '
    'tlh = ["…"]',
    ("brands.acme", 'fallback = "signoff"'): 'expected "none" or "sign-off", got "signoff"',
    ("policy", "max_deletes = true"): "expected a whole number, got true",
    ("policy", "max_deletes = 1.5"): "expected a whole number, got 1.5",
    ("policy", "max_deletes = -1"): "below 0",
    ("policy", 'max_delete_ratio = "1"'): 'expected a number from 0 to 1, got "1"',
    ("policy", "max_delete_ratio = nan"): "outside 0 to 1",
    ("policy", "retire_after = 15"): 'expected a duration such as "60s", "15m", "2h" or "1d", got 15',
    ("policy", 'settle_after = "1w"'): 'expected a duration such as "60s", "15m", "2h" or "1d", got "1w"',
    ("policy", 'disclosure = "off"'): 'expected "enforce" or "warn", got "off"',
    ("policy", 'test_recipients = "@me"'): 'expected an array of ids in quotes such as "12345" or @handles, got "@me"; '
    'did you mean ["@me"]?',
    ("agents.alice", "name = 7"): "expected a string, got 7",
    ("agents.alice", 'name = ""'): "empty",
    ("agents.alice", 'name = "\\u202eecilA"'): 'contains U+202E RIGHT-TO-LEFT OVERRIDE: "<U+202E>ecilA"',
    ("agents.alice", 'avatar = "https://x.com/a.png"'): "avatars are local files, not URLs",
    ("agents.alice", 'avatar = "/etc/passwd"'): "must be relative to the roster's folder",
    ("agents.alice", 'avatar = "C:/a.png"'): "must be relative to the roster's folder",
    ("agents.alice", 'avatar = "a/../../b.png"'): "leads outside the roster's folder",
    ("agents.alice", "avatar = 'a\\b.png'"): "write folders with forward slashes",
    ("agents.alice", 'avatar = "a\\u0000.png"'): 'a path can\'t hold control or invisible characters: "a\\x00.png"',
    ("agents.alice", 'avatar = " "'): "empty; leave it out instead",
    ("agents.alice", 'kind = "robot"'): 'expected "human" or "bot", got "robot"',
    ("agents.alice", "until = 2027-01-31T00:00:00"): "expected a day without a time, such as 2027-01-31",
    ("agents.alice", 'until = "2027-01-31"'): "expected a date without quotes, such as 2027-01-31",
    ("agents.alice", "until = 2027"): "expected a date such as 2027-01-31, got 2027",
    ("agents.alice", "protected = 1"): "expected true or false, got 1",
    ("agents.alice", "operators = []"): "names nobody; leave it out to let anybody with the credentials send",
    ("agents.alice", "legal_name = 5"): "expected a string, got a whole number",
    ("agents.alice", 'brands = "acme"'): 'expected an array of brands or a table, got "acme"; did you mean ["acme"]?',
    (
        "agents.alice",
        "brands = []",
    ): "names no brand; remove the agent's entry, or set `until`, to take it out everywhere",
}


@pytest.mark.parametrize(("place", "message"), BAD_FIELDS.items(), ids=[line for _, line in BAD_FIELDS])
def test_a_wrong_value_is_told_at_its_key(place, message, problems_of):
    """Types are exact, and each message says what is expected instead."""
    table, line = place
    field = line.split(" ")[0]
    tables = {"brands.acme": ['handle = "acmecare"'], "policy": [], "agents.alice": ALICE}
    tables[table] = [*(other for other in tables[table] if not other.startswith(f"{field} ")), line]
    lines = ["version = 1"]
    for header, body in tables.items():
        lines += [f"[{header}]", *body]
    assert problems_of("\n".join(lines)) == [f"roster.toml:{lines.index(line) + 1}:1: {table}.{field}: {message}"]
