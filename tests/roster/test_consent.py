# ruff: noqa: E501 - the table of problems is read row by row
"""What people have agreed to, and what customers see where they haven't."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from profilectl.messaging.send_rules import sign_off
from profilectl.model import DRAWN, Agent, Consent, Kind, Policy
from profilectl.roster.compliance import assess
from profilectl.roster.consent import agreed_agents, as_before, consent_warnings, shown_picture, withheld
from profilectl.roster.disclosure import MARKERS
from profilectl.roster.parser import parse, parse_partially

TODAY = date(2027, 1, 1)
DAY = timedelta(1)
ALICE = Agent("alice", "acme", "Alice F.", "alice.jpg", Kind.HUMAN, title="Care Specialist")
BOTH = Consent(name=True, photo=True)

CASES = [
    ("record", None, ""),
    ("require", None, "name"),
    ("require", BOTH, ""),
    ("record", Consent(name=True, photo=False), "photo"),
    ("require", Consent(name=True, photo=False), "photo"),
    ("record", Consent(name=False, photo=True), "name"),
    ("record", Consent(name=False, photo=False), "name"),
    ("record", replace(BOTH, expires=TODAY), ""),
    ("record", replace(BOTH, expires=TODAY - DAY), "name"),
    ("record", replace(BOTH, given=TODAY), ""),
    ("record", replace(BOTH, given=TODAY + DAY), "name"),
    ("off", Consent(name=False, photo=False), ""),
    ("off", replace(BOTH, expires=TODAY - DAY), ""),
]


@pytest.mark.parametrize(("policy", "consent", "expected"), CASES)
def test_what_may_not_be_shown(policy, consent, expected):
    """Nothing, the photo, or the name and so both: on the last day all is as agreed, on the next nothing is."""
    assert expected == withheld(replace(ALICE, consent=consent), Policy(consent=policy), TODAY)


def test_a_bot_needs_no_consent():
    """It is nobody's name or face."""
    assert "" == withheld(replace(ALICE, kind=Kind.BOT), Policy(consent="require"), TODAY)


def shown(**fields):
    [agent] = agreed_agents([replace(ALICE, **fields)], Policy(), TODAY)
    return agent.name, agent.avatar, agent.withheld


def test_initials_take_the_place_of_a_photo():
    """The name stays, and the colour is that of the key."""
    assert ("Alice F.", f"{DRAWN}alice,Alice F.", "photo") == shown(consent=Consent(name=True, photo=False))


@pytest.mark.parametrize(
    ("title", "expected"),
    [("Care Specialist", "Care Specialist D8DF47"), (None, "Agent D8DF47"), (50 * "x", "Agent D8DF47")],
)
def test_a_neutral_name_gives_nobody_away(title, expected):
    """The title, where it is no longer than a name, and a code that stays the same."""
    assert (expected, f"{DRAWN}alice,{expected}", "name") == shown(title=title, consent=Consent(name=False, photo=True))


def test_what_is_agreed_to_is_left_as_it_is():
    """The very agent, so that nothing of it changes at X."""
    assert [ALICE] == [*agreed_agents([ALICE], Policy(), TODAY)]


def warnings(consent, policy="record"):
    agents = [replace(ALICE, consent=consent), replace(ALICE, consent=consent, brand="beta")]
    return list(consent_warnings(agents, Policy(consent=policy), TODAY))


PATH = ("agents", "alice", "consent")


@pytest.mark.parametrize(
    ("consent", "policy", "expected"),
    [
        (None, "record", []),
        (None, "require", [(PATH, "missing, and the policy requires it: customers see a neutral name and picture")]),
        (Consent(name=False, photo=False), "record", []),
        (replace(BOTH, expires=TODAY + 31 * DAY), "record", []),
        (
            replace(BOTH, expires=TODAY + 30 * DAY),
            "record",
            [
                (
                    (*PATH, "expires"),
                    "30 days are left; from the day after 2027-01-31 customers see a neutral name and picture",
                )
            ],
        ),
        (
            replace(BOTH, expires=TODAY + DAY),
            "require",
            [
                (
                    (*PATH, "expires"),
                    "1 day is left; from the day after 2027-01-02 customers see a neutral name and picture",
                )
            ],
        ),
        (
            replace(BOTH, expires=TODAY),
            "record",
            [
                (
                    (*PATH, "expires"),
                    "today is the last day; from the day after 2027-01-01 customers see a neutral name and picture",
                )
            ],
        ),
        (
            replace(BOTH, expires=TODAY - DAY),
            "record",
            [((*PATH, "expires"), "ended on 2026-12-31: customers see a neutral name and picture")],
        ),
        (
            replace(BOTH, given=TODAY + DAY),
            "record",
            [((*PATH, "given"), "begins on 2027-01-02; until then customers see a neutral name and picture")],
        ),
        (replace(BOTH, expires=TODAY), "off", []),
        (Consent(name=False, photo=False, expires=TODAY + DAY), "record", []),
        (Consent(name=False, photo=True, given=TODAY + DAY), "require", []),
    ],
)
def test_what_ends_is_warned_of(consent, policy, expected):
    """Thirty days before, once for all brands, each at its place; not where the day changes nothing."""
    assert expected == warnings(consent, policy)


def test_nobody_is_warned_of_who_has_left():
    """After the last day nothing of an agent is shown, with or without consent."""
    left = replace(ALICE, until=TODAY - DAY)
    assert [] == list(consent_warnings([left], Policy(consent="require"), TODAY))
    assert 1 == len(list(consent_warnings([replace(left, until=TODAY)], Policy(consent="require"), TODAY)))


def test_a_neutral_agent_is_who_it_was_before():
    """Name and picture of the roster come back as they were; who is shown as they are stays so."""
    for consent in (None, Consent(name=False, photo=True), Consent(name=True, photo=False)):
        agent = replace(ALICE, consent=consent)
        [agreed] = agreed_agents([agent], Policy(), TODAY)
        assert agent == as_before(agreed)


def test_people_never_read_what_stands_for_drawn_initials():
    """A path is shown as it is."""
    [drawn] = agreed_agents([replace(ALICE, consent=Consent(name=True, photo=False))], Policy(), TODAY)
    assert ("alice.jpg", "drawn initials") == (shown_picture(ALICE), shown_picture(drawn))


HEAD = 'version = 1\n[brands.acme]\nhandle = "a"\n[agents.alice]\nname = "Alice F."\nkind = "human"\n'


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("consent = true", ["7:1: agents.alice.consent: expected a table such as { name = true, photo = true }, got true"]),
        ("consent = {}", ["7:1: agents.alice.consent.name: missing; true or false", "7:1: agents.alice.consent.photo: missing; true or false"]),
        ('[agents.alice.consent]\nname = 1\nphoto = true\nreff = ""', ["8:1: agents.alice.consent.name: expected true or false, got 1", '10:1: agents.alice.consent.reff: unknown key, did you mean "ref"?']),
        ('consent = { name = true, photo = true, ref = " " }', ["7:40: agents.alice.consent.ref: empty; leave it out instead"]),
        ('consent = { name = true, photo = true, given = "2026-03-01" }', ["7:40: agents.alice.consent.given: expected a date without quotes, such as 2027-01-31"]),
        ("consent = { name = true, photo = true, given = 2026-03-02, expires = 2026-03-01 }", ["7:60: agents.alice.consent.expires: before the day on which it was given, 2026-03-02"]),
    ],
)  # fmt: skip
def test_every_problem_has_its_place(problems_of, lines, expected):
    """Also in an inline table."""
    text = HEAD + lines + '\n[defaults]\navatar = "a.png"\n'

    assert [f"roster.toml:{line}" for line in expected] == problems_of(text)


def test_nobody_may_be_shown_before_they_agree():
    """As a default: then whoever has no entry of their own is neutral."""
    text = HEAD + '[agents.bruno]\nname = "Bruno"\nkind = "human"\nconsent = { name = true, photo = false }\n'
    text += '[defaults]\navatar = "a.png"\nconsent = { name = false, photo = false }\n'
    roster = parse(text, "roster.toml")

    assert ["name", "photo"] == [withheld(agent, roster.policy, TODAY) for agent in roster.agents]


def test_who_agrees_to_no_photo_needs_none():
    """Then the roster may leave it out; a photo that is agreed to must be there."""
    lines = "consent = { name = true, photo = false }\n"
    [agent] = parse(HEAD + lines, "roster.toml").agents

    assert (f"{DRAWN}alice,Alice F.", Consent(name=True, photo=False)) == (agent.avatar, agent.consent)


def test_a_photo_that_is_agreed_to_has_to_be_there(problems_of):
    """As for everybody."""
    problems = problems_of(HEAD + "consent = { name = true, photo = true }\n")

    assert ["roster.toml:4:1: agents.alice.avatar: missing; name a picture, here or in [defaults]"] == problems


def test_compliance_shows_what_customers_see():
    """The neutral name, and not the one that isn't agreed to."""
    lines = "consent = { name = false, photo = false }\n"
    answer = assess(parse_partially((HEAD + lines).encode(), "roster.toml"), (), TODAY)

    assert ["Agent D8DF47"] == [entry.agent.name for entry in answer.agents]


def test_a_signature_has_nobodys_initials_without_consent():
    """Those of the neutral name without its code, though the roster knows the person's."""
    alice = replace(ALICE, first="Alice", last="Fast", consent=Consent(name=False, photo=False))
    [neutral] = agreed_agents([alice], Policy(), TODAY)

    assert ("^AF", "^CS") == (sign_off(alice), sign_off(neutral))


@pytest.mark.parametrize("title", ["Office of Alice Fast", "Team Fast", "Bot trainer", "assistante virtuelle"])
def test_a_title_that_tells_who_it_is_or_passes_for_a_bot_s_is_left_out(title):
    """A neutral name is judged as a name is: nobody's own name in it, and no marker in any language."""
    agent = Agent("alice", "acme", "Alice F.", "a.png", Kind.HUMAN, first="Alice", last="Fast", title=title)
    [shown] = agreed_agents([agent], Policy(consent="require", bot_markers=MARKERS), date(2026, 11, 30))

    assert shown.name.startswith("Agent ")


def test_the_code_is_not_that_of_the_key_alone():
    """Keys are first names mostly: whoever tries a list of them against a code finds nobody."""
    policy, today = Policy(consent="require"), date(2026, 11, 30)
    agents = [Agent("alice", "acme", "Alice F.", "a.png", Kind.HUMAN, last=last) for last in ("Fast", "Fine")]

    assert 2 == len({agent.name for agent in agreed_agents(agents, policy, today)})
