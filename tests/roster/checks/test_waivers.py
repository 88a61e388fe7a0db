"""Rules that don't count for one agent."""

from __future__ import annotations

from datetime import date

import pytest

from profilectl.errors import RosterRefused
from profilectl.model import Problem, Waiver
from profilectl.roster.checks.rules import RULES
from profilectl.roster.checks.waivers import unused, waive
from profilectl.roster.parser import parse
from profilectl.toml.problems import format_problem

HEAD = 'version = 1\n[brands.acme]\nhandle = "acmecare"\n[agents.alice]\nname = "Alice"\navatar = "a"\nkind = "human"\n'
WAIVER = Waiver("lookalike", "alice", "twins", date(2027, 3, 1))


def messages(waiver, day=date(2026, 11, 30)):
    try:
        parse(f"{HEAD}[[policy.waivers]]\n{waiver}", "r", lambda _zone: day)
    except RosterRefused as refused:
        return [format_problem(problem) for problem in refused.problems]
    return []


@pytest.mark.parametrize(
    ("waiver", "expected"),
    [
        ('rule = "lookalike"\nagent = "alice"\nreason = "twins"\nuntil = 2027-03-01', []),
        ('rule = "lookalike"\nagent = "alice"\nreason = "twins"\nuntil = 2026-11-30', []),
        (
            'rule = "lookalike"\nagent = "alice"\nreason = "twins"\nuntil = 2026-11-29',
            ["r:12:1: policy.waivers[0].until: ended on 2026-11-29: renew it, or take it out"],
        ),
        (
            'rule = "lookalike"\nagent = "alice"\nuntil = 2027-03-01',
            ["r:8:1: policy.waivers[0].reason: missing; a waiver says why"],
        ),
        (
            'rule = "lookalike"\nagent = "alice"\nreason = " "',
            [
                "r:8:1: policy.waivers[0].until: missing; a waiver has a last day",
                "r:11:1: policy.waivers[0].reason: empty; leave it out instead",
            ],
        ),
        (
            'rule = "lokalike"\nagent = "alice"\nreason = "x"\nuntil = 2027-03-01',
            ['r:9:1: policy.waivers[0].rule: there is no such rule, did you mean "lookalike"?'],
        ),
        (
            'rule = "same-name"\nagent = "alice"\nreason = "x"\nuntil = 2027-03-01',
            [
                (
                    "r:9:1: policy.waivers[0].rule: there is no such rule; those that may be waived: "
                    "mixed-scripts, lookalike, impersonation, picture-origin, "
                    "picture-small, picture-cropped, picture-animated, picture-transparent"
                )
            ],
        ),
        (
            'rule = "disclosure"\nagent = "alice"\nreason = "x"\nuntil = 2027-03-01',
            ["r:9:1: policy.waivers[0].rule: disclosure can't be waived"],
        ),
        (
            2 * 'rule = "lookalike"\nagent = "alice"\nreason = "x"\nuntil = 2027-03-01\n[[policy.waivers]]\n'
            + 'rule = "picture-small"\nagent = "alice"\nreason = "x"\nuntil = 2027-03-01',
            ["r:13:1: policy.waivers[1]: lookalike is waived for alice already"],
        ),
    ],
)
def test_a_waiver_has_a_rule_an_agent_a_reason_and_an_end(waiver, expected):
    """Everything else is an error at its place; it counts on its last day."""
    assert expected == messages(waiver)


def test_without_a_date_no_waiver_is_over():
    """Who only completes words doesn't ask for the day."""
    over = 'rule = "lookalike"\nagent = "alice"\nreason = "twins"\nuntil = 2020-01-01\n'

    assert parse(f"{HEAD}[[policy.waivers]]\n{over}", "r").policy.waivers[0].until == date(2020, 1, 1)


def test_a_waiver_takes_out_its_rule_of_its_agent():
    """Other rules and agents stay as they are; what isn't used is told with its place."""
    alike = Problem("r", 5, 1, "agents.alice.name", "looks alike", "warning", "lookalike")
    others = [
        Problem("r", 6, 1, "agents.alice.avatar", "is small", "warning", "picture-small"),
        Problem("r", 9, 1, "agents.bob.name", "looks alike", "warning", "lookalike"),
        Problem("r", 2, 1, "brands.acme", "is idle", "warning", "lookalike"),
    ]
    kept, waived = waive([alike, *others], [WAIVER])

    assert (tuple(others), [alike]) == (kept, [entry.problem for entry in waived])
    assert [] == unused([WAIVER], waived)
    assert [(("policy", "waivers", 0), "waives nothing: alice keeps lookalike without it")] == unused([WAIVER], [])


def test_safety_rules_can_not_be_waived():
    """Who speaks, whose name it is, and what keeps the file readable stay rules for everybody."""
    waivable = {rule.id for rule in RULES.values() if rule.can_be_waived}

    assert waivable == {
        "mixed-scripts",
        "lookalike",
        "impersonation",
        "picture-origin",
        "picture-small",
        "picture-cropped",
        "picture-animated",
        "picture-transparent",
    }
