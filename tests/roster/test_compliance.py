"""What is missing before somebody can answer for who speaks."""

from __future__ import annotations

from datetime import date

import pytest

from profilectl.roster.compliance import GapKind, assess
from profilectl.roster.parser import parse_partially

TODAY = date(2026, 11, 22)
HEAD = """\
version = 1
[brands.acme]
handle = "acmecare"
[defaults]
avatar = "a.png"
operators = ["afast"]
"""
CONSENT = "consent = { name = true, photo = true }\n"
ALICE = '[agents.alice]\nname = "Alice"\nkind = "human"\n' + CONSENT
HELPER = '[agents.helper]\nname = "Acme Helper (Bot)"\nkind = "bot"\n'


def judge(text, *chosen):
    return assess(parse_partially(text.encode(), "roster.toml"), chosen, TODAY)


def gaps(text, *chosen):
    """Return what is missing, by agent or by the path in the roster."""
    answer = judge(text, *chosen)
    kinds = {f"{entry.agent.brand}.{entry.agent.key}": [gap.kind for gap in entry.gaps] for entry in answer.agents}
    for path, gap in answer.general:
        kinds.setdefault(path, []).append(gap.kind)
    return {place: some for place, some in kinds.items() if some}


def test_nothing_is_missing():
    """A person without a marker, a bot with one, both with operators and time left."""
    answer = judge(HEAD + ALICE + "until = 2026-11-22\n" + HELPER)

    assert (True, {}) == (answer.is_complete, answer.counts())
    assert [("alice", None), ("helper", "bot")] == [(entry.agent.key, entry.marker) for entry in answer.agents]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + HELPER.replace(" (Bot)", ""), {"acme.helper": [GapKind.MARKER]}),
        (
            HEAD + HELPER.replace('kind = "bot"', 'kind = "human"'),
            {"acme.helper": [GapKind.HUMAN_MARKER, GapKind.CONSENT]},
        ),
        (HEAD + ALICE.replace(CONSENT, ""), {"acme.alice": [GapKind.CONSENT]}),
        (HEAD + ALICE.replace('kind = "human"', ""), {"agents.alice.kind": [GapKind.KIND]}),
        (HEAD + ALICE.replace('"human"', '"robot"'), {"agents.alice.kind": [GapKind.KIND]}),
        (HEAD.replace('operators = ["afast"]', "") + ALICE, {"acme.alice": [GapKind.OPERATORS]}),
        (HEAD + ALICE + "until = 2026-11-21\n", {"acme.alice": [GapKind.LAST_DAY]}),
        (HEAD + '[policy]\ndisclosure = "warn"\n' + ALICE, {"policy.disclosure": [GapKind.ENFORCEMENT]}),
        (HEAD + ALICE + 'legal_name = "Alice"\n', {"agents.alice.name": [GapKind.ROSTER]}),
        ("version = [", {"": [GapKind.ROSTER]}),
    ],
)
def test_each_thing_that_can_be_missing(text, expected):
    """At its agent; where no agent could be read, at its place in the file."""
    assert expected == gaps(text)
    remarks = [{"acme.alice": [GapKind.OPERATORS]}, {"acme.alice": [GapKind.CONSENT]}]  # which no rule asks for
    assert judge(text).is_complete == (expected in remarks)


@pytest.mark.parametrize("disclosure", ["enforce", "warn"])
def test_a_brand_without_markers_is_told_once(disclosure):
    """Not at each of its agents, and not a second time as the roster's error."""
    text = HEAD.replace('"acmecare"', '"acmecare"\nlanguage = "tlh"') + ALICE + HELPER
    missing = gaps(text + f'[policy]\ndisclosure = "{disclosure}"\n')

    assert [GapKind.LANGUAGE] == missing.pop("brands.acme.language")
    assert ({} if disclosure == "enforce" else {"policy.disclosure": [GapKind.ENFORCEMENT]}) == missing


@pytest.mark.parametrize("disclosure", ["enforce", "warn"])
def test_a_softened_rule_hides_nothing(disclosure):
    """The same bots lack their marker, whether the roster refuses them or not."""
    missing = gaps(HEAD + HELPER.replace(" (Bot)", "") + f'[policy]\ndisclosure = "{disclosure}"\n')

    assert [GapKind.MARKER] == missing["acme.helper"]


def test_each_brand_is_judged_in_its_language():
    """One bot may say so in one brand and not in another; --brand keeps to the chosen ones."""
    text = (
        HEAD + HELPER + '[brands.beta]\nhandle = "beta"\nlanguage = "ru"\n[brands.gamma]\nhandle = "g"\nlanguage="x1"\n'
    )
    text = text.replace('"x1"', '"tlh"')

    assert {"beta.helper": [GapKind.MARKER], "brands.gamma.language": [GapKind.LANGUAGE]} == gaps(text)
    assert ({}, {"beta.helper": [GapKind.MARKER]}) == (gaps(text, "acme"), gaps(text, "beta"))
    assert ["acme"] == [rule.brand.key for rule in judge(text, "acme").brands]


def test_own_markers_are_told_as_such():
    """Words of the roster's own could be anything, so whoever answers for them should see them."""
    (usual,) = judge(HEAD + ALICE).brands
    (own,) = judge(HEAD + ALICE + '[policy.bot_markers]\nen = ["automat"]\n').brands

    assert (("bot", "chatbot", "virtual assistant"), False) == (usual.markers, usual.is_own)
    assert (("automat",), True) == (own.markers, own.is_own)


def test_markers_of_the_roster_s_own_want_a_person_s_word():
    """Nothing is complete while a word could be anything; the usual ones, or any of another language, are fine."""
    gaps = {
        words: [(path, gap.kind) for path, gap in judge(HEAD + ALICE + f"[policy.bot_markers]\n{words}\n").general]
        for words in ('en = ["person"]', 'en = ["BOT"]', 'tlh = ["qoq"]')
    }

    assert [[("policy.bot_markers.en", GapKind.OWN_MARKERS)], [], []] == list(gaps.values())


def test_everything_is_counted():
    """By what is missing, in a fixed order, without what is not."""
    text = HEAD.replace('operators = ["afast"]', "") + ALICE + "until = 2020-01-01\n" + HELPER.replace(" (Bot)", "")

    assert {"no-marker": 1, "no-operators": 2, "until-over": 1} == judge(text).counts()
