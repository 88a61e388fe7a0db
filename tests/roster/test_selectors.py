"""Agents by keys and labels."""

from __future__ import annotations

import pytest

from profilectl.errors import UsageError
from profilectl.model import Agent, Kind
from profilectl.roster.parser import parse
from profilectl.roster.selectors import carries, parse_labels, select

HEAD = 'version = 1\n[brands.acme]\nhandle = "acmecare"\n[brands.beta]\nhandle = "betacare"\n'
ROSTER = f"""{HEAD}
[defaults]
avatar = "a"
kind = "human"
labels = {{ team = "day", site = "Köln" }}
[agents.alice]
name = "Alice"
labels = {{ team = "night" }}
[agents.alice.brands.beta]
labels = {{ team = "late" }}
[agents.helper]
name = "Helper (bot)"
kind = "bot"
brands = ["acme"]
"""


def test_labels_come_from_every_layer():
    """A later layer's value takes the place of an earlier one's; the others stay."""
    agents = parse(ROSTER, "r").agents

    assert [("acme", "night"), ("beta", "late"), ("acme", "day")] == [
        (agent.brand, dict(agent.labels)["team"]) for agent in agents
    ]
    assert {"Köln"} == {dict(agent.labels)["site"] for agent in agents}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ["alice", "alice", "helper"]),
        (["team=night"], ["alice"]),
        (["kind=bot"], ["helper"]),
        (["site=Köln,kind=human"], ["alice", "alice"]),
        (["site=Köln", "team=day"], ["helper"]),
    ],
)
def test_all_labels_have_to_fit(words, expected):
    """Within one option and over several; kind is a label of everybody."""
    agents = parse(ROSTER, "r").agents

    assert expected == [agent.key for agent in select(agents, (), parse_labels(words))]


@pytest.mark.parametrize("word", ["team", "team=", "=night", "", "team=a b", "team=night,team=day", "a=b,,c=d"])
def test_what_is_no_label_is_refused(word):
    """With an example of what is."""
    with pytest.raises(UsageError, match="--label"):
        parse_labels([word])


def test_nobody_is_selected_by_mistake():
    """A key or label that no agent has is a slip."""
    agents = parse(ROSTER, "r").agents

    with pytest.raises(UsageError, match="no agent has team=nigth"):
        select(agents, (), parse_labels(["team=nigth"]))
    with pytest.raises(UsageError, match="there is no agent alic"):
        select(agents, {"alic"}, ())
    assert not carries(Agent("a", "acme", "A", "a", Kind.HUMAN), (("team", "night"),))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ('{ kind = "x" }', "labels.kind: kind is told by the agent's own kind; choose another word"),
        ("{ team = 5 }", "labels.team: a label's value has 1 to 63 letters, digits, -, _ and ., got 5"),
        ('{ team = "a,b" }', 'labels.team: a label\'s value has 1 to 63 letters, digits, -, _ and ., got "a,b"'),
        ('"night"', 'labels: expected a table such as { team = "night" }, got "night"'),
        ("{ " + ", ".join(f'l{n} = "x"' for n in range(21)) + " }", "labels: 21 labels, at most 20"),
    ],
)
def test_labels_are_bounded_words(labels, expected, problems_of):
    """Neither commas nor equals signs, which divide a selector."""
    text = f'{HEAD}[agents.alice]\nname = "Alice"\navatar = "a"\nkind = "human"\nlabels = {labels}\n'

    assert [expected] == [problem.partition("agents.alice.")[2] for problem in problems_of(text)]


def test_a_first_day_comes_before_the_last(problems_of):
    """The same day is one day."""
    agent = '[agents.alice]\nname = "Alice"\navatar = "a"\nkind = "human"\nfrom = {}\nuntil = 2026-12-01\n'

    assert ["r" + "oster.toml:10:1: agents.alice.from: after the last day, 2026-12-01"] == problems_of(
        HEAD + agent.format("2026-12-02")
    )
    assert parse(HEAD + agent.format("2026-12-01"), "r").agents[0].starts is not None
