"""Keys that a roster doesn't know: what was meant, where it belongs, or why it must never be there."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from profilectl.roster import schema
from profilectl.text.escape import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from profilectl.toml.positions import Path
    from profilectl.toml.problems import Findings

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

_FORBIDDEN: tuple[tuple[str, frozenset[str], str], ...] = (
    (
        "a command",
        frozenset(["command", "cmd", "exec", "shell", "script", "hook", "hooks"]),
        "commands belong in your own config.toml",
    ),
    (
        "a secret",
        frozenset(["secret", "token", "password", "passwd", "passphrase", "credential", "credentials", "oauth"]),
        "secrets belong to `profilectl auth login`",
    ),
    (
        "a ledger",
        frozenset(["ledger", "database", "dsn"]),
        "the ledger is chosen with PROFILECTL_LEDGER",
    ),
    (
        "a host",
        frozenset(["host", "hostname", "url", "uri", "server", "endpoint", "proxy"]),
        "avatars are local files, and X's address is PROFILECTL_API_URL",
    ),
)
_KEYS_OF = frozenset({"api", "access", "app", "consumer", "private", "signing"})

_TABLES: tuple[tuple[str, Mapping[str, schema.Rule]], ...] = (
    ("at the top of the file", schema.ROOT),
    ("in [policy]", schema.POLICY),
    ("in a [brands] table", schema.BRAND),
    ("in an [agents] table or [defaults]", schema.AGENT),
)


def read(table: Mapping[str, Any], rules: Mapping[str, schema.Rule], path: Path, findings: Findings) -> dict[str, Any]:
    """Return the fields of `table` as their rules return them, and note what is wrong with the others.

    A refused value is there as None, so that nobody calls it missing on top.
    """
    values: dict[str, Any] = {}
    for key, value in table.items():
        rule = rules.get(key)
        if rule is None:
            findings.error((*path, key), stranger(key, rules))
            continue
        try:
            values[key] = rule(value)
        except schema.Misfit as misfit:
            values[key] = None
            for below, message in misfit.faults:
                findings.error((*path, key, *below), message)
    return values


def stranger(key: str, known: Mapping[str, schema.Rule]) -> str:
    """Return what to say about a key that no rule knows; never anything of its value."""
    words = {word.lower() for word in _WORD.findall(key)}
    for what, signs, advice in _FORBIDDEN:
        if words & signs or (what == "a secret" and "key" in words and words & _KEYS_OF):
            return f"a roster may not name {what}, as it comes from git and may only name people; {advice}"
    for place, rules in _TABLES:
        if key in rules and rules is not known:
            return f"unknown key here, it belongs {place}"
    return f"unknown key{did_you_mean(key, known)}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``, did you mean "name"?`` for the known word that is close enough, else an empty string."""
    close = _closest(word[:80].lower(), tuple(known))
    return f', did you mean "{excerpt(close)}"?' if close else ""


@cache
def _closest(word: str, known: tuple[str, ...]) -> str | None:
    """Return the nearest known word; remembered, as one slip is often repeated in every entry."""
    import difflib

    return next(iter(difflib.get_close_matches(word, known, n=1)), None)


def check_key(path: Path, findings: Findings) -> None:
    """Note a brand's or agent's key, the last of `path`, that isn't plain enough to be used on a command line."""
    key = str(path[-1])
    if not schema.SLUG.fullmatch(key):
        slug = re.sub(r"[^a-z0-9_]+", "-", key.lower()).strip("-_")[:64]
        advice = f', such as "{slug}"' if schema.SLUG.fullmatch(slug) else ""
        findings.error(path, f"a key has 1 to 64 lower-case letters, digits, - and _, and no - or _ first{advice}")
