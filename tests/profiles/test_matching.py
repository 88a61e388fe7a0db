"""Whose profiles are these: only what nothing speaks against is sure."""

from __future__ import annotations

import pytest

from profilectl.model import Agent, Binding, Intent, Kind, LedgerState, Profile, Retired
from profilectl.pictures.similarity import LARGEST_DISTANCE
from profilectl.profiles.matching import (
    CLEAR_GAP,
    Candidate,
    Doubt,
    Finding,
    FindingStatus,
    bound_name,
    conclude,
    current_agents,
    search,
)

CLOSE, FAR = 1.0, 40.0
ZOE = "Zo\u00eb"
LIMIT, BEYOND = LARGEST_DISTANCE, LARGEST_DISTANCE + 0.1


def agent(key, name=ZOE, avatar=None):
    return Agent(key, "acme", name, avatar or f"{key}.png", Kind.HUMAN)


def profile(number, name=ZOE):
    return Profile(str(number), name, "https://pbs.example/1.jpg", number)


ALICE, TWIN = agent("alice"), agent("twin")


def concluded(agents, profiles, distances):
    """Return the findings for distances by (agent, profile's number), `FAR` where none is given."""
    searched = search(agents, profiles, LedgerState())
    candidates = {
        (member.key, seen.id): Candidate(seen, distances.get((member.key, int(seen.id)), FAR))
        for seen, those in searched.comparisons()
        for member in those
    }
    strangers = {seen.id for seen in searched.strangers}
    candidates = {pair: seen for pair, seen in candidates.items() if pair[1] not in strangers or not seen.is_far}
    return conclude(searched, candidates)


def plainly(findings):
    """Return the id of each agent's profile, None without one; where it is doubted, why and its candidates."""
    sure = {finding.agent.key: finding.sure and finding.sure.profile.id for finding in findings}
    doubted = {
        finding.agent.key: (finding.doubt.value, *(candidate.profile.id for candidate in finding.candidates))
        for finding in findings
        if finding.doubt is not None
    }
    return sure | doubted


# Who is searched for


def test_only_exact_names_match():
    """Composed and decomposed letters are one name, and folded spaces; case and parts of a name aren't."""
    listed = [profile(1), profile(2, "Zoe\u0308"), profile(3, "ZO\u00cb"), profile(4, "Zo\u00eb "), profile(5, "Zo")]
    [group] = search([ALICE], listed, LedgerState()).groups

    assert ((ALICE,), ["1", "2", "4"]) == (group.agents, [profile.id for profile in group.profiles])


def test_profiles_of_ours_are_nobody_else_s():
    """What is bound or retired is no candidate, and who is bound, blocked or has an open intent isn't searched for."""
    bound = Binding("bruno", "1", ZOE, "sha256:a", 1, 1)
    ledger_state = LedgerState((bound,), (), (Retired("2", "alice", ZOE, 1, "replaced"),))
    intent = Intent("n", "alice", ZOE, "sha256:a", frozenset(), 1)
    [group] = search([ALICE, agent("bruno")], [profile(1), profile(2), profile(3)], ledger_state).groups

    assert ((ALICE,), (profile(3),)) == (group.agents, group.profiles)
    assert () == search([ALICE], [profile(3)], LedgerState(intents=(intent,))).agents
    assert () == search([ALICE], [profile(3)], LedgerState(blocked=frozenset({"alice"}))).agents


def test_no_picture_is_fetched_that_tells_nothing():
    """A stranger's is worth a call only while somebody without a profile has a picture that nobody else has."""
    strangers = [profile(1), profile(2, "Stranger"), profile(3, "Dora")]

    assert [("1", 1)] == compared([ALICE], strangers)
    assert [("1", 1), ("2", 2)] == compared([ALICE, agent("dora", "Dora F.")], [*strangers[:2]])
    assert [("1", 1)] == compared([ALICE, agent("dora", "Dora F.", "alice.png")], strangers)


def compared(agents, profiles):
    """Return the ids of the profiles whose picture is fetched, each with the number of agents it is compared with."""
    return [(seen.id, len(those)) for seen, those in search(agents, profiles, LedgerState()).comparisons()]


def test_a_name_that_somebody_bears_isn_t_a_changed_one():
    """What bears the name of an agent who has a profile, or of an open intent, is no candidate for another one."""
    intent = Intent("n", "bruno", "Bruno", "sha256:a", frozenset(), 1)
    ledger_state = LedgerState((Binding("alice", "9", ZOE, "sha256:a", 1, 1),), (intent,))
    agents = [ALICE, agent("bruno", "Bruno F."), agent("dora", "Dora")]

    assert () == search(agents, [profile(1), profile(2, "Bruno")], ledger_state).strangers
    assert (profile(3, "Old"),) == search(agents, [profile(3, "Old")], ledger_state).strangers


@pytest.mark.parametrize(
    ("binding", "doubted"),
    [
        (Binding("alice", "1", ZOE, "sha256:a", 1, 1), False),
        (Binding("alice", "1", "Zo", "sha256:a", 1, 1), True),
        (Binding("alice", "1", ZOE, "sha256:b", 1, 1), True),
        (Binding("alice", "9", ZOE, "sha256:a", 1, 1), True),
    ],
    ids=["as the roster", "another name", "another picture", "not listed"],
)
def test_another_profile_of_a_bound_agent_s_name_is_a_doubt_unless_the_binding_is_current(binding, doubted):
    """It is never sure, however close its picture: what the ledger knows isn't given up without a person."""
    ledger_state, newer, bound = LedgerState((binding,)), profile(2), profile(1, "Zo")
    current = current_agents([ALICE], {"1", "2"}, ledger_state, {"alice.png": "sha256:a"})
    findings = conclude(
        search([ALICE], [bound, newer], ledger_state), {("alice", "2"): Candidate(newer, CLOSE)}, current
    )

    assert ({"alice": ("other-binding", "2")} if doubted else {}) == plainly(findings)


# One agent of a name


@pytest.mark.parametrize(
    ("distances", "expected"),
    [
        ([], None),
        ([0.0], "1"),
        ([LIMIT], "1"),
        ([BEYOND], ("other-face", "1")),
        ([None], ("no-picture", "1")),
        ([CLOSE, FAR], "1"),
        ([FAR, CLOSE], "2"),
        ([CLOSE, CLOSE], ("several", "1", "2")),
        ([FAR, FAR], ("several", "1", "2")),
        ([CLOSE, None], ("several", "1", "2")),
        ([LIMIT, BEYOND], ("several", "1", "2")),
        ([LIMIT, LIMIT + CLEAR_GAP], "1"),
    ],
)
def test_one_name_and_the_only_close_face_are_sure(distances, expected):
    """One of the profiles shows the agent's picture and all the others surely don't; else a person decides."""
    profiles = [profile(number) for number in range(1, len(distances) + 1)]
    pairs = {("alice", number): distance for number, distance in enumerate(distances, 1)}

    assert {"alice": expected} == plainly(concluded([ALICE], profiles, pairs))


# Several agents of a name


@pytest.mark.parametrize(
    ("distances", "expected"),
    [
        pytest.param({("alice", 1): CLOSE, ("twin", 2): CLOSE}, {"alice": "1", "twin": "2"}, id="each its own"),
        pytest.param({("alice", 2): CLOSE, ("twin", 1): CLOSE}, {"alice": "2", "twin": "1"}, id="crosswise"),
        pytest.param(
            {(key, number): CLOSE for key in ("alice", "twin") for number in (1, 2)},
            {"alice": ("shared-name", "1"), "twin": ("shared-name", "2")},
            id="same picture",
        ),
        pytest.param({("alice", 1): CLOSE}, {"alice": "1", "twin": ("other-face", "2")}, id="one changed"),
        pytest.param(
            {("alice", 1): CLOSE, ("twin", 2): None}, {"alice": "1", "twin": ("no-picture", "2")}, id="one lost"
        ),
        pytest.param(
            {("alice", 1): CLOSE, ("twin", 1): None, ("alice", 2): None, ("twin", 2): None},
            {"alice": ("shared-name", "1"), "twin": ("shared-name", "2")},
            id="a picture that may be either's",
        ),
        pytest.param({}, {"alice": ("shared-name", "1"), "twin": ("shared-name", "2")}, id="nobody's"),
        pytest.param(
            {("alice", 1): LIMIT, ("alice", 2): BEYOND, ("twin", 2): 0.0},
            {"alice": ("shared-name", "1"), "twin": "2"},
            id="too like the other's",
        ),
    ],
)
def test_agents_of_one_name_are_told_apart_by_their_faces(distances, expected):
    """Where a picture is clearly one agent's; of the rest each profile is a candidate of one agent only."""
    assert expected == plainly(concluded([ALICE, TWIN], [profile(1), profile(2)], distances))


@pytest.mark.parametrize(
    ("numbers", "distances", "expected"),
    [
        ([1], {("alice", 1): CLOSE}, {"alice": "1", "twin": None}),
        ([1], {("alice", 1): CLOSE, ("twin", 1): CLOSE}, {"alice": ("shared-name", "1"), "twin": ("shared-name",)}),
        ([], {}, {"alice": None, "twin": None}),
        ([1, 2, 3], {("twin", 1): 9.0}, {"alice": ("shared-name", "2", "3"), "twin": ("shared-name", "1")}),
    ],
)
def test_more_or_fewer_profiles_than_agents_of_a_name(numbers, distances, expected):
    """Who is left without a profile is sync's to make, unless a person has to decide whose the others are."""
    assert expected == plainly(concluded([ALICE, TWIN], [profile(number) for number in numbers], distances))


# Names that have changed

DORA, EMIL = agent("dora", "Dora"), agent("emil", "Emil")
OLD, OLDER = profile(7, "Old"), profile(8, "Older")


@pytest.mark.parametrize(
    ("distances", "expected"),
    [
        ({("dora", 7): CLOSE}, {"alice": "1", "dora": ("other-name", "7"), "emil": None}),
        (
            {("dora", 7): CLOSE, ("emil", 8): CLOSE},
            {"alice": "1", "dora": ("other-name", "7"), "emil": ("other-name", "8")},
        ),
        ({("dora", 7): CLOSE, ("dora", 8): CLOSE}, {"alice": "1", "dora": None, "emil": None}),
        ({("dora", 7): CLOSE, ("emil", 7): CLOSE}, {"alice": "1", "dora": None, "emil": None}),
        ({("dora", 7): CLOSE, ("alice", 7): CLOSE}, {"alice": "1", "dora": None, "emil": None}),
        ({("dora", 7): CLOSE, ("dora", 8): None}, {"alice": "1", "dora": None, "emil": None}),
        ({("alice", 7): CLOSE}, {"alice": "1", "dora": None, "emil": None}),
        ({}, {"alice": "1", "dora": None, "emil": None}),
    ],
)
def test_a_changed_name_is_recognised_by_a_face_that_nobody_else_has(distances, expected):
    """Only a picture that one profile shows and one agent has; and even then a person has to agree."""
    distances = {("alice", 1): CLOSE} | distances

    assert expected == plainly(concluded([ALICE, DORA, EMIL], [profile(1), OLD, OLDER], distances))


def test_what_a_person_agreed_to_is_sure():
    """The finding is one like any other then."""
    finding = Finding(DORA, (Candidate(OLD, CLOSE),), Doubt.OTHER_NAME)

    assert (FindingStatus.DOUBTFUL, None, OLD) == (finding.status, finding.sure, finding.renamed.profile)
    assert (FindingStatus.BOUND, OLD, None) == (
        finding.agreed().status,
        finding.agreed().sure.profile,
        finding.agreed().renamed,
    )


def test_a_name_is_bound_as_the_roster_writes_it():
    """Where X only spells it otherwise, or the next sync would replace what is right; another name stays X's."""
    assert ["A & B", "Old"] == [bound_name("A & B", profile(1, shown)) for shown in ("A &amp;  B", "Old")]
