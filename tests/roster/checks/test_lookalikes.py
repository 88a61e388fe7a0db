"""Names that look like another agent's, an account's, or a protected one."""

from __future__ import annotations

from datetime import date

import pytest

from profilectl.errors import RosterRefused
from profilectl.model import Agent, Brand, Kind
from profilectl.roster.checks.lookalikes import Lookalikes
from profilectl.roster.parser import parse
from profilectl.toml.problems import format_problem

BRANDS = (Brand("acme", "acme_care"), Brand("beta", "betacare"))


def agent(key, name, brand="acme"):
    return Agent(key, brand, name, "a.png", Kind.HUMAN)


@pytest.mark.parametrize(
    ("name", "handle"),
    [
        ("Acme Care", "acme_care"),
        ("@acme_care", "acme_care"),
        ("АСМЕСАRЕ", "acme_care"),
        ("BetaCare", "betacare"),
        ("Acme", None),
        ("Acme Care Alice", None),
    ],
)
def test_an_agent_is_not_the_account(name, handle):
    """A name that reads like the handle of any brand of the roster is told."""
    expected = [] if handle is None else [f'looks like the account @{handle} itself: "{name}"']

    assert expected == [*Lookalikes(BRANDS, ()).resembling(agent("a", name))]


def test_agents_of_a_brand_are_compared():
    """Agents of different brands may have one name."""
    names = Lookalikes(BRANDS, ())

    assert [] == [*names.resembling(agent("a", "Alice"))]
    assert [] == [*names.resembling(agent("b", "Alice", "beta"))]
    assert ["the same public name as agents.a"] * 2 == [*names.resembling(agent("c", "Alice"))]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Zoë Quist", "Zoe Quist"),
        ("Zoe Quist, CEO", "Zoe Quist"),
        ("ZOE QUIST", "Zoe Quist"),
        ("Zое Quist", "Zoe Quist"),
        ("Zoe Quisten", None),
        ("Zoe", None),
    ],
)
def test_protected_names_are_found_as_words(name, expected):
    """With a title, another case, without accents, in letters that look alike; not as a part of another word."""
    assert expected == Lookalikes((), ("Zoe Quist",)).impersonated(name)


HEAD = 'version = 1\n[brands.acme]\nhandle = "acmecare"\n[policy]\nimpersonation = ["Zoe Quist"]\n'
ZOE = '[agents.zoe]\nname = "Zoe Quist, CEO"\navatar = "a"\nkind = "human"\n'


def test_nobody_resembles_a_protected_name():
    """It is an error at the name."""
    with pytest.raises(RosterRefused) as refused:
        parse(HEAD + ZOE, "r")
    assert ['r:7:1: agents.zoe.name: resembles "Zoe Quist", whom nobody here may'] == [
        format_problem(problem) for problem in refused.value.problems
    ]


def test_the_person_herself_needs_a_waiver():
    """With one it is a warning, which the check takes out."""
    waiver = 'rule = "impersonation"\nagent = "zoe"\nreason = "it is her"\nuntil = 2027-03-01\n'
    roster = parse(f"{HEAD}[[policy.waivers]]\n{waiver}{ZOE}", "r", lambda _zone: date(2026, 11, 30))

    assert ["impersonation"] == [problem.rule for problem in roster.warnings]
