"""Unknown keys and odd ones."""

from __future__ import annotations

import pytest

HEAD = 'version = 1\n[brands.acme]\nhandle = "acmecare"\n'
ALICE = '[agents.alice]\nname = "Alice"\navatar = "a.png"\nkind = "human"\n'
GIT = "as it comes from git and may only name people"
SECRET = f"a roster may not name a secret, {GIT}; secrets belong to `profilectl auth login`"


@pytest.mark.parametrize(
    ("place", "key", "message"),
    [
        ("", "agent", 'unknown key, did you mean "agents"?'),
        ("", "zzz", "unknown key"),
        ("", "max_deletes", "unknown key here, it belongs in [policy]"),
        ("brands.acme", "langage", 'unknown key, did you mean "language"?'),
        ("policy", "fallback", "unknown key here, it belongs in a [brands] table"),
        ("agents.alice", "Kind ", 'unknown key, did you mean "kind"?'),
        ("defaults", "titel", 'unknown key, did you mean "title"?'),
        ("agents.alice.brands.acme", "kind", "unknown key here, it belongs in an [agents] table or [defaults]"),
        ("brands.acme", "consent",
         "unknown key here, it belongs in [policy] or in an [agents] table or [defaults]"),
        ("agents.alice.brands.acme", "consent", "unknown key here, it belongs in an [agents] table or [defaults]"),
        ("", "credential_command", f"a roster may not name a command, {GIT}; commands belong in your own config.toml"),
        ("policy", "api_url", (f"a roster may not name a host, {GIT}; avatars are local files, and X's address is "
         "PROFILECTL_API_URL")),
        ("brands.acme", "accessTokenSecret",
         SECRET),
        ("brands.acme", "consumer_key",
         SECRET),
        ("agents.alice", "password", SECRET),
        ("policy", "ledger_url", f"a roster may not name a ledger, {GIT}; the ledger is chosen with PROFILECTL_LEDGER"),
    ],
)  # fmt: skip
def test_an_unknown_key_is_told_with_what_was_meant(place, key, message, problems_of):
    """Slips get a suggestion; what names commands, hosts, secrets or ledgers gets its reason, and never its value."""
    spelled = key if key.replace("_", "").isalnum() else f'"{key}"'
    line = f'{spelled} = "hunter2"'
    header = f"[{place}]\n" if place else ""
    if place and f"[{place}]\n" in HEAD + ALICE:
        text = (HEAD + ALICE).replace(header, header + line + "\n")
    else:
        text = HEAD + ALICE + header + line + "\n" if place else line + "\n" + HEAD + ALICE
    number = text.splitlines().index(line) + 1
    path = f"{place}.{spelled}" if place else spelled
    assert problems_of(text) == [f"roster.toml:{number}:1: {path}: {message}"]


@pytest.mark.parametrize(
    ("key", "shown", "advice"),
    [
        ("Alice", "Alice", ', such as "alice"'),
        ('"anna b."', '"anna b."', ', such as "anna-b"'),
        ("-a", "-a", ', such as "a"'),
        ("a" * 65, "a" * 65, f', such as "{"a" * 64}"'),
        ('"\\u001b[31m"', '"\\x1b[31m"', ', such as "31m"'),
        ('"花"', '"花"', ""),
    ],
)
def test_keys_are_plain(key, shown, advice, problems_of):
    """A key that couldn't be used on a command line is refused, with a plain one to take where there is one."""
    rule = "a key has 1 to 64 lower-case letters, digits, - and _, and no - or _ first"
    assert problems_of(HEAD + ALICE.replace("alice", key)) == [f"roster.toml:4:1: agents.{shown}: {rule}{advice}"]
