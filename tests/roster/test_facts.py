"""What the record holds of a profile beside its name and picture."""

from __future__ import annotations

from datetime import date

import pytest

from profilectl.model import Agent, Brand, Consent, Kind, Policy, Roster
from profilectl.roster.consent import agreed_agents, describe_consent
from profilectl.roster.facts import ProfileFacts, profile_facts

ALICE = Agent("alice", "acme", "Alice F.", "a.png", Kind.HUMAN)
HELPER = Agent("helper", "acme", "Acme Helper (bot)", "b.png", Kind.BOT)
TODAY = date(2027, 1, 1)
FULL = Consent(name=True, photo=True, ref="HR-2231", given=date(2026, 3, 1), expires=date(2027, 1, 31))


def described(consent, policy="record", agent=ALICE):
    policy = Policy(consent=policy)
    [agreed] = agreed_agents([_with(agent, consent)], policy, TODAY)
    return describe_consent(agreed, policy)


def _with(agent, consent):
    from msgspec.structs import replace

    return replace(agent, consent=consent)


@pytest.mark.parametrize(
    ("consent", "policy", "expected"),
    [
        (FULL, "record", "HR-2231: name and photo, given 2026-03-01, until 2027-01-31"),
        (None, "record", "none in the roster"),
        (None, "require", "none in the roster, customers see a neutral name and a drawn picture"),
        (Consent(name=True, photo=False), "record", "no reference: name, customers see a drawn picture"),
        (
            Consent(name=False, photo=False, ref="HR-1"),
            "record",
            "HR-1: neither name nor photo, customers see a neutral name and a drawn picture",
        ),
        (FULL, "off", 'not kept here: the policy has consent = "off"'),
    ],
)
def test_a_consent_in_words(consent, policy, expected):
    """The reference first, then what for and from when to when, and what follows from it."""
    assert expected == described(consent, policy)


def test_a_bot_needs_none():
    """It is nobody's name or face."""
    assert "none needed: a bot" == described(None, agent=HELPER)


def test_facts_are_those_of_the_account_and_the_agent():
    """What isn't known is left out: of other accounts and agents, and of no plan."""
    roster = Roster((Brand("acme", "acmecare"),), (_with(ALICE, FULL), HELPER))
    facts = profile_facts(roster, {"acme": "7001"}, commit="c0ffee", plan="sha256:p")

    words = "HR-2231: name and photo, given 2026-03-01, until 2027-01-31"
    assert {"consent": words, "commit": "c0ffee", "plan": "sha256:p"} == facts.of("7001", "alice")
    assert {"commit": "c0ffee", "plan": "sha256:p"} == facts.of("7002", "alice") == facts.of("7001", None)
    assert {} == ProfileFacts().of("7001", "alice")
