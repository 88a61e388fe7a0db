"""``[[moved]]``: what an entry may say, and where it leads."""

from __future__ import annotations

import pytest

from profilectl.errors import UsageError
from profilectl.model import Move
from profilectl.roster.moves import current_key, first_key, require_current, valid_moves
from profilectl.roster.parser import parse

HEAD = """\
version = 1
[brands.acme]
handle = "acmecare"
[defaults]
kind = "human"
avatar = "a.png"
[agents.alice]
name = "Alice"
[agents.bob]
name = "Bob"
"""


def entry(old, new):
    return f'[[moved]]\nfrom = "{old}"\nto = "{new}"\n'


def test_a_changed_key_leads_to_its_agent():
    """An entry gives what was one key's to an agent of the roster."""
    assert (Move("afast", "alice"),) == parse(HEAD + entry("afast", "alice"), "roster.toml").moved


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "a", "b"), ("b", "c", "a")])
def test_keys_that_were_changed_several_times(order):
    """Entries that follow one another lead to the agent, the oldest key first, in whatever order they are written."""
    entries = {"a": entry("one", "two"), "b": entry("two", "three"), "c": entry("three", "alice")}
    roster = parse(HEAD + "".join(entries[word] for word in order), "roster.toml")
    assert tuple(Move(old, "alice") for old in ("one", "two", "three")) == roster.moved
    assert ("alice", "one", "bob") == (
        current_key("two", roster.moved),
        first_key("alice", roster.moved),
        first_key("bob", roster.moved),
    )


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (entry("bob", "alice"), ["12:1: moved[0].from: agents.bob is still there"]),
        (entry("afast", "carol"), ["13:1: moved[0].to: there is no agents.carol"]),
        (entry("afast", "carol") + entry("carol", "dora"), ["13:1: moved[0].to: there is no agents.dora", "16:1"]),
        (entry("x", "y") + entry("y", "x"), ["13:1: moved[0].to: the entries lead in a circle", "16:1"]),
        (entry("x", "x"), ["13:1: moved[0].to: the entries lead in a circle"]),
        (entry("x", "alice") + entry("x", "bob"), ["15:1: moved[1].from: moved[0].from is the same key"]),
        ('[[moved]]\nfrom = "x"\n', ["11:1: moved[0].to: missing"]),
        ('[[moved]]\nfrom = "x"\nto = "alice"\nwhy = "y"\n', ["14:1: moved[0].why: unknown key"]),
        (entry("Å", "alice"), ["12:1: moved[0].from: expected an agent's key"]),
        ('[[moved]]\nfrom = 7\nto = "alice"\n', ['12:1: moved[0].from: expected a string such as "alice", got 7']),
        ('[moved]\nfrom = "x"\nto = "alice"\n', ["11:1: moved: expected tables that begin with [[moved]]"]),
        ("moved = 3\n", ["11:1: agents.bob.moved: unknown key here, it belongs at the top of the file"]),
    ],
    ids=range(12),
)
def test_entries_that_lead_nowhere_are_problems(problems_of, entries, expected):
    """Each entry that isn't true any more is named with its line and column."""
    problems = problems_of(HEAD + entries)
    assert len(expected) == len(problems)
    for problem, beginning in zip(problems, expected, strict=True):
        assert problem.startswith(f"roster.toml:{beginning}")


def test_an_agent_may_have_had_several_keys():
    """Two former keys may lead to one agent, as after a change that was taken back."""
    roster = parse(HEAD + entry("x", "alice") + entry("y", "alice"), "roster.toml")
    assert (Move("x", "alice"), Move("y", "alice")) == roster.moved


def test_a_former_key_names_the_one_of_today():
    """Who types a key that was changed is told the new one."""
    require_current(["alice"], (Move("afast", "alice"),))
    with pytest.raises(UsageError, match="afast is called alice now"):
        require_current(["bob", "afast"], (Move("afast", "alice"),))


def test_entries_that_lead_nowhere_explain_no_key():
    """Circles, leavers, agents who are still there and what is no key: a roster with mistakes can be edited."""
    pairs = [("a", "b"), ("b", "alice"), ("c", "c"), ("d", "carol"), ("bob", "alice"), (["x"], "alice"), ("e", None)]
    tables = [*({"from": old, "to": new} for old, new in pairs), {}]

    assert (Move("a", "alice"), Move("b", "alice")) == valid_moves(tables, {"alice", "bob"})
