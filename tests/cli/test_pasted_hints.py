"""Every command that a session on the local X names can be pasted: it is about the same roster and the same X."""

from __future__ import annotations

import re
import shlex

import pytest

SESSION = (("--roster", "my team/roster.toml"), ("--sandbox",), ("--brand", "acmecare"))
STEPS = (
    (SESSION[:2], "send --as alice --to @customer Hello"),
    (SESSION, "profiles list"),
    (SESSION[:2], "audit log"),
    (SESSION[:2], "ledger show"),
    (SESSION, "sync"),
    (SESSION, "diff --out plan.json"),
    (SESSION, "sync --plan plan.json --yes"),
    (SESSION[:2], "sync --plan plan.json --yes"),
    (SESSION[:1], "roster show nobody"),
    (SESSION[:1], "roster add alice"),
    (SESSION[:1], "roster list -l team=none"),
    (SESSION[:2], "profiles destroy 1"),
    (SESSION[:2], "preview --json"),
    (SESSION[:2], "feedback report"),
    (SESSION[:2], "auth logout"),
    (SESSION[:2], "roster set alice until=2099-01-31"),
    (SESSION, "offboard alice --yes"),
    (SESSION, "send --as alice --to @customer Hello"),
    (SESSION, "diff"),
)
LOST = ("can't read", "needs a value", "has no option", "has no command", "no such brand", "http://127.0.0.1:9")


@pytest.fixture
def away(desk):
    """A desk whose roster is elsewhere, and at which the real X can't be reached."""
    desk.env |= {"PROFILECTL_API_URL": "http://127.0.0.1:9", "HOME": str(desk.folder / "home")}
    desk.env |= {"XDG_CONFIG_HOME": str(desk.folder / "home"), "XDG_STATE_HOME": str(desk.folder / "home")}
    assert desk.run("init", "--handle", "acmecare", "--roster", "my team/roster.toml").code == 0
    return desk


def commands_of(result):
    """Return the commands that stand in backticks and can be typed as they are."""
    named = re.findall(r"`(profilectl [^`]+)`", result.out + result.err)
    return [command for command in dict.fromkeys(named) if not re.search(r"[A-Z]{2,}|…|--out$", command)]


def test_hints_of_a_sandbox_session_run(away):
    """Without the session's options they would find no roster, or ask the real X."""
    pasted = []
    for options, line in STEPS:
        result = away.run(*shlex.split(line), *(word for pair in options for word in pair))
        for command in commands_of(result):
            answer = away.shell(f"{command} </dev/null")
            pasted.append(command)
            assert [] == [word for word in LOST if word in answer.err], (line, command, answer.err)

    assert len(set(pasted)) >= 8, pasted


def test_the_hint_of_a_document_is_as_complete(away):
    result = away.run("send", "--as", "alice", "--to", "@x", "Hello", "--json", "--sandbox", *SESSION[0])

    assert "`profilectl sync --sandbox --roster 'my team/roster.toml'`" in result.document["error"]["hint"]


def test_the_word_of_another_tool_is_answered_as_completely(away):
    """Though no command has begun that would know its options."""
    result = away.run("--sandbox", "--roster", "my team/roster.toml", "deploy")

    assert "`profilectl sync --sandbox --roster 'my team/roster.toml'` makes X equal to the roster" in result.err
