"""Whose profiles are these: only what nothing speaks against is sure."""

from __future__ import annotations

import pytest

from profilectl.model import Agent, Binding, Intent, Kind, LedgerState, Profile, Retired
from profilectl.pictures.similarity import LARGEST_DISTANCE
from profilectl.profiles.recovery import Candidate, Doubt, conclude, search

ALICE = Agent("alice", "acme", "Zo\u00eb", "a.png", Kind.HUMAN)
TWIN = Agent("twin", "acme", "Zo\u00eb", "b.png", Kind.HUMAN)


def profile(number, name="Zo\u00eb"):
    return Profile(str(number), name, "https://pbs.example/1.jpg", 1)


def only(*sightings):
    return [finding.doubt for finding in conclude(sightings)]


def test_only_exact_names_match():
    """Composed and decomposed letters are one name; case, spaces and parts of a name aren't."""
    listed = [profile(1), profile(2, "Zoe\u0308"), profile(3, "ZO\u00cb"), profile(4, "Zo\u00eb "), profile(5, "Zo")]
    [(agent, profiles)] = search([ALICE], listed, LedgerState())

    assert (ALICE, ["1", "2"]) == (agent, [profile.id for profile in profiles])


def test_profiles_of_ours_are_nobody_else_s():
    """What is bound or retired is no candidate, and who is bound or has an open intent isn't searched for."""
    bound = Binding("bruno", "1", "Zo\u00eb", "sha256:a", 1, 1)
    ledger_state = LedgerState((bound,), (), (Retired("2", "alice", "Zo\u00eb", 1, "replaced"),))
    intent = Intent("n", "alice", "Zo\u00eb", "sha256:a", frozenset(), 1)

    assert ((ALICE, (profile(3),)),) == search([ALICE], [profile(1), profile(2), profile(3)], ledger_state)
    assert () == search([ALICE], [profile(3)], LedgerState(intents=(intent,)))
    assert () == search([Agent("bruno", "acme", "Zo\u00eb", "a.png", Kind.HUMAN)], [profile(3)], ledger_state)


@pytest.mark.parametrize(
    ("candidates", "doubt"),
    [
        ((), None),
        ((Candidate(profile(1), 0),), None),
        ((Candidate(profile(1), LARGEST_DISTANCE),), None),
        ((Candidate(profile(1), LARGEST_DISTANCE + 0.1),), Doubt.OTHER_PICTURE),
        ((Candidate(profile(1), None, "HTTP 404"),), Doubt.NO_PICTURE),
        ((Candidate(profile(1), 0), Candidate(profile(2), 40)), Doubt.SEVERAL),
    ],
)
def test_one_name_and_a_close_face_are_sure(candidates, doubt):
    """Just one candidate whose face is close; without a candidate there is nothing to doubt."""
    [finding] = conclude([(ALICE, candidates)])

    assert doubt == finding.doubt
    assert (candidates[0] if candidates and doubt is None else None) == finding.sure


def test_a_name_that_two_agents_share_decides_nothing():
    """Whichever face is closer: whose the profile is, a person knows."""
    near, far = Candidate(profile(1), 0), Candidate(profile(1), 40)

    assert [Doubt.SHARED_NAME, Doubt.SHARED_NAME] == only((ALICE, (near,)), (TWIN, (far,)))
    assert [None, None] == only((ALICE, ()), (TWIN, ()))
