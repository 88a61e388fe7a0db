"""`roster check --compliance`, as the person who answers for the disclosure rules gets it."""

from __future__ import annotations

import pytest

OPERATORS = 'operators = ["afast"]'
CONSENT = 'consent = { name = true, photo = true, ref = "HR-1" }'
GOOD = [("alice", "Alice F.", OPERATORS, CONSENT), ("helper", "Acme Helper (bot)", 'kind = "bot"', OPERATORS)]
BAD = [("bruno", "Bruno", CONSENT), ("mira", "Mira", 'kind = "bot"', OPERATORS)]
NO_OPERATORS = "no operators: anybody with the credentials may send as this agent"
NO_MARKER = (
    'a bot\'s name must end with "bot" or "chatbot" or "virtual assistant", or hold it in brackets (language "en")'
)


def test_nothing_missing(desk):
    """Every agent is listed all the same, and the exit code is 0; pictures aren't looked at."""
    (desk.write(*GOOD).folder / "avatars" / "face.png").unlink()
    result = desk.run("roster", "check", "--compliance")

    assert (0, "2 agents; missing: nothing\n") == (result.code, result.err)
    assert [
        ["acme", "alice", "human", "Alice F.", "", ""],
        ["acme", "helper", "bot", "Acme Helper (bot)", "bot", ""],
    ] == result.rows


def test_something_missing(desk):
    """What no agent has to itself comes first; the exit code is 5, and nothing is written anywhere."""
    result = desk.write(*GOOD, *BAD, policy='disclosure = "warn"').run("roster", "check", "--compliance")

    assert 5 == result.code
    assert ["", "policy.disclosure", "", "", ""] == result.rows[0][:5]
    assert ["acme", "bruno", "human", "Bruno", "", NO_OPERATORS] == result.rows[3]
    assert ["acme", "mira", "bot", NO_MARKER] == [result.rows[4][column] for column in (0, 1, 2, 5)]
    assert "4 agents; missing: 1 no-marker, 1 no-operators, 1 not-enforced\n" == result.err
    assert ["avatars", "roster.toml"] == sorted(path.name for path in desk.folder.iterdir())


def test_the_document(desk):
    """Counts, each brand's markers, and a code for everything that is missing."""
    document = desk.write(*GOOD, *BAD).run("roster", "check", "--compliance", "--json").document

    assert ("profilectl.compliance/1", False) == (document["schema"], document["ok"])
    assert [
        {
            "brand": "acme",
            "handle": "acmecare",
            "language": "en",
            "markers": ["bot", "chatbot", "virtual assistant"],
            "own_markers": False,
        }
    ] == document["brands"]
    missing = {"no-marker": 1, "no-operators": 1}
    assert {"agents": 4, "humans": 2, "bots": 2, "complete": 2, "missing": missing} == document["counts"]
    assert {
        "brand": "acme",
        "agent": "bruno",
        "kind": "human",
        "name": "Bruno",
        "marker": None,
        "missing": [{"code": "no-operators", "message": NO_OPERATORS}],
    } == document["agents"][2]
    assert [] == document["roster"]


def test_what_cannot_be_judged_is_missing(desk):
    """A file that is no roster at all gives a document, too, and exit 5."""
    (desk.folder / "roster.toml").write_text("version = [")
    result = desk.run("roster", "check", "--compliance", "--json")

    assert (5, ["roster-error"]) == (result.code, [gap["code"] for gap in result.document["roster"]])
    assert 5 == desk.run("roster", "check", "--compliance", "--roster", "none.toml").code


def test_a_terminal_gets_a_table(desk):
    """With its headers, and the counts below it."""
    desk.write(*GOOD, ("eve", "Eve", CONSENT), policy='disclosure = "warn"')
    code, screen = desk.watch("roster", "check", "--compliance")

    assert 5 == code
    assert "marker" in screen
    assert "3 agents; missing: 1 no-operators, 1 not-enforced" in screen


@pytest.mark.parametrize(
    ("policy", "is_missing"), [("", True), ('consent = "require"', True), ('consent = "off"', False)]
)
def test_people_without_consent_are_listed(desk, policy, is_missing):
    """A remark as operators are; a bot needs none, and a policy that keeps no consent misses none."""
    desk.write(("bo", "Bo", OPERATORS), *GOOD, policy=policy)
    result = desk.run("roster", "check", "--compliance")
    message = "no consent: the roster doesn't say that this person agreed to name and photo"

    assert (0, [message if is_missing else "", "", ""]) == (result.code, [row[5] for row in result.rows])
    assert f"3 agents; missing: {'1 no-consent' if is_missing else 'nothing'}\n" == result.err


def test_the_document_has_who_lacks_consent(desk):
    """A script learns it as people do, and the roster complies all the same."""
    desk.write(("bo", "Bo", OPERATORS), *GOOD)
    result = desk.run("roster", "check", "--compliance", "--json")
    codes = {agent["agent"]: [gap["code"] for gap in agent["missing"]] for agent in result.document["agents"]}

    assert {"bo": ["no-consent"], "alice": [], "helper": []} == codes
    assert ({"no-consent": 1}, 2) == tuple(result.document["counts"][key] for key in ("missing", "complete"))
    assert (0, True) == (result.code, result.document["ok"])


@pytest.mark.parametrize(("brand", "code"), [("acme", 0), ("beta", 5), ("gamma", 2)])
def test_one_brand(desk, brand, code):
    """--brand narrows it down, and must name one of the roster's."""
    gone = ("bruno", "Bruno", "until = 2020-01-01", 'brands = ["beta"]')
    desk.write(*GOOD, gone, brands={"acme": "acmecare", "beta": "betacare"})

    assert code == desk.run("roster", "check", "--compliance", "--brand", brand).code
