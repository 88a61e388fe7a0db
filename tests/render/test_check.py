"""Problems as GitHub and SARIF readers take them."""

from __future__ import annotations

from datetime import date

from profilectl.model import Problem, Waiver
from profilectl.render.check import github_lines, sarif, text_lines
from profilectl.roster.checks.rules import RULES
from profilectl.roster.checks.waivers import WaivedProblem

NAME = Problem("a, b:c/roster.toml", 14, 3, "agents.alice.name", "100 % wrong\nor not", rule="name")
FILE = Problem("roster.toml", 0, 0, "", "not UTF-8", "warning", "encoding", "save it anew")


def test_a_workflow_command_is_escaped():
    """Percent signs and line ends everywhere, colons and commas in properties; no line for the whole file."""
    assert [*github_lines([NAME, FILE])] == [
        (
            "::error file=a%2C b%3Ac/roster.toml,line=14,col=3,title=name::"
            "agents.alice.name: 100 %25 wrong\\nor not (Write another name.)"
        ),
        "::warning file=roster.toml,title=encoding::not UTF-8 (save it anew)",
    ]


def test_a_sarif_log_holds_every_rule_and_result():
    """Problems at their place, what is waived with its reason, and fingerprints that lines don't change."""
    waiver = Waiver("name", "alice", "known", date(2027, 3, 1))
    log = sarif([FILE], [WaivedProblem(NAME, waiver)])
    [run] = log["runs"]
    whole, waived = run["results"]

    assert ("2.1.0", [*RULES]) == (log["version"], [rule["id"] for rule in run["tool"]["driver"]["rules"]])
    assert "region" not in whole["locations"][0]["physicalLocation"]
    assert waived["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "a%2C%20b%3Ac/roster.toml"},
        "region": {"startLine": 14, "startColumn": 3},
    }
    assert [{"kind": "external", "status": "accepted", "justification": "known (until 2027-03-01)"}] == waived[
        "suppressions"
    ]
    assert waived["ruleId"] == run["tool"]["driver"]["rules"][waived["ruleIndex"]]["id"]


def test_a_hint_is_told_once_for_each_rule():
    """On a terminal, where each line has its rule's id; elsewhere one line is one problem, in the promised form."""
    lines = [*text_lines([FILE, FILE, NAME], for_people=True)]

    assert ["  hint: save it anew [encoding]", "  hint: Write another name. [name]"] == [lines[1], lines[4]]
    assert 2 * ["roster.toml: warning: not UTF-8 [encoding]"] == [lines[0], lines[2]]
    assert [
        "roster.toml: warning: not UTF-8",
        "a, b:c/roster.toml:14:3: agents.alice.name: 100 % wrong\nor not",
    ] == [*text_lines([FILE, NAME], for_people=False)]
