"""``roster export``: what `roster import` reads."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def team(desk):
    """Three agents: one with all that a list may hold."""
    return desk.write(
        ("alice", "Alice F.", 'legal_name = "Alexandra Fastova"', "until = 2027-01-31", 'title = "=1+1"'),
        ("bruno", "Bruno K.", "protected = true", 'operators = ["bk"]'),
        ("helper", "Acme (bot)", 'kind = "bot"', 'brands.acme.name = "Helper (bot)"'),
    )


def test_a_spreadsheet_shows_it_as_it_is(team):
    """Quoted, with nothing to calculate; private names stay out, and that is said."""
    done = team.run("roster", "export")

    assert '"key","name","avatar","kind","title","until","protected","operators"' == done.out.splitlines()[0]
    assert '"alice","Alice F.","avatars/face.png","human","\'=1+1","2027-01-31","",""' == done.out.splitlines()[1]
    assert (
        "1 legal name was left out; --legal-names includes them\nwithout what differs from brand to brand: helper\n"
        == done.err
    )
    assert "Fastova" in team.run("roster", "export", "--legal-names").out


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_reading_it_again_changes_nothing(team, form):
    """Into the same roster."""
    (team.folder / "list").write_text(team.run("roster", "export", "--legal-names", "--format", form).out)
    before = (team.folder / "roster.toml").read_bytes()
    done = team.run("roster", "import", "list")

    assert (0, "", before) == (done.code, done.out, (team.folder / "roster.toml").read_bytes())
    assert "0 added, 0 changed, 0 removed, 3 unchanged" in done.err


def test_a_new_roster_can_be_made_of_it(team):
    """With the same agents in it."""
    (team.folder / "list.csv").write_text(team.run("roster", "export").out)
    done = team.run("init", "--csv", "list.csv", "--roster", "new/roster.toml", "--handle", "acmecare")
    names = [row[3] for row in team.run("roster", "list", "--roster", "new/roster.toml").rows]

    assert (0, ["Alice F.", "Bruno K.", "Acme (bot)"]) == (done.code, names)


def test_an_object_for_each_agent(team):
    """In ASCII, with what it has."""
    lines = team.run("roster", "export", "--format", "jsonl", "-q").out.splitlines()

    assert {"key": "bruno", "name": "Bruno K.", "avatar": "avatars/face.png", "kind": "human"} == {
        key: value for key, value in json.loads(lines[1]).items() if key in {"key", "name", "avatar", "kind"}
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--format", "xml"], "--format: expected csv or jsonl"), (["--json"], "roster export has no JSON document")],
)
def test_slips_are_usage_errors(team, words, message):
    """With what there is instead."""
    done = team.run("roster", "export", *words)

    assert (2, True) == (done.code, message in done.err)
