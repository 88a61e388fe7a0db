"""Keys that a roster doesn't know: what was meant, where it belongs, or why it must never be there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from profilectl.roster import schema
from profilectl.text.suggest import did_you_mean
from profilectl.toml.paths import Path
from profilectl.toml.problems import ProblemList
from profilectl.toml.rules import Rule, read

_LONGEST = 80  # code points of a key that are looked at
_WORD = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+"

_SECRETS = frozenset({"secret", "token", "password", "passwd", "passphrase", "credential", "credentials", "oauth"})
_KEYS_OF = frozenset({"api", "access", "app", "consumer", "private", "signing"})  # "api_key" is a secret, "key" isn't
_COMMANDS = frozenset({"command", "cmd", "exec", "shell", "script", "hook", "hooks"})
_LEDGERS = frozenset({"ledger", "database", "dsn"})
_HOSTS = frozenset({"host", "hostname", "url", "uri", "server", "endpoint", "proxy"})

_FORBIDDEN = (
    ("a command", _COMMANDS, "commands belong in your own config.toml"),
    ("a secret", _SECRETS, "secrets belong to `profilectl auth login`"),
    ("a ledger", _LEDGERS, "the ledger is chosen with PROFILECTL_LEDGER"),
    ("a host", _HOSTS, "avatars are local files, and X's address is PROFILECTL_API_URL"),
)

_AGENTS = "in an [agents] table or [defaults]"
_TABLES: tuple[tuple[str, Mapping[str, Rule]], ...] = (
    ("at the top of the file", schema.ROOT),
    ("in [policy]", schema.POLICY),
    ("in a [brands] table", schema.BRAND),
    (_AGENTS, schema.AGENT),
    ("in a [[moved]] table", schema.MOVED),
)


def read_table(
    table: Mapping[str, Any], rules: Mapping[str, Rule], path: Path, problems: ProblemList
) -> dict[str, Any]:
    """Return the fields of one of the roster's tables, as `profilectl.toml.rules.read` does."""
    return read(table, rules, path, problems, lambda key: unknown_key(key, rules))


def unknown_key(key: str, known: Mapping[str, Rule]) -> str:
    """Return what is wrong with a key that no rule knows."""
    # Never anything of its value, which may be a secret already.
    words = {word.lower() for word in re.findall(_WORD, key[:_LONGEST])}
    for what, signs, advice in _FORBIDDEN:
        if words & signs or (what == "a secret" and "key" in words and words & _KEYS_OF):
            return f"a roster may not name {what}, as it comes from git and may only name people; {advice}"
    places = [place for place, rules in _TABLES if key in rules and rules is not known]
    if known is schema.DIFFERENCE and key in schema.AGENT:  # an agent's in one brand: what is meant is the agent's own
        places = [_AGENTS]
    if places:
        return f"unknown key here, it belongs {' or '.join(places)}"
    return f"unknown key{did_you_mean(key, known)}"
