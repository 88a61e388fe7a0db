"""What is missing before somebody can answer for who speaks."""

from __future__ import annotations

from datetime import date

import pytest

from profilectl.roster.compliance import Lack, assess
from profilectl.roster.parser import survey

TODAY = date(2026, 11, 22)
HEAD = """\
version = 1
[brands.acme]
handle = "acmecare"
[defaults]
avatar = "a.png"
operators = ["afast"]
"""
ALICE = '[agents.alice]\nname = "Alice"\nkind = "human"\n'
HELPER = '[agents.helper]\nname = "Acme Helper (Bot)"\nkind = "bot"\n'


def judge(text, *chosen):
    return assess(survey(text.encode(), "roster.toml"), chosen, TODAY)


def lacks(text, *chosen):
    """Return what is missing, by agent or by the path in the roster."""
    one = judge(text, *chosen)
    found = {f"{s.agent.brand}.{s.agent.key}": [m.lack for m in s.missing] for s in one.agents if s.missing}
    for path, missing in one.general:
        found.setdefault(path, []).append(missing.lack)
    return found


def test_nothing_is_missing():
    """A person without a marker, a bot with one, both with operators and time left."""
    one = judge(HEAD + ALICE + "until = 2026-11-22\n" + HELPER)

    assert (True, {}) == (one.is_complete, one.counts())
    assert [("alice", None), ("helper", "bot")] == [(s.agent.key, s.marker) for s in one.agents]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + HELPER.replace(" (Bot)", ""), {"acme.helper": [Lack.MARKER]}),
        (HEAD + HELPER.replace('kind = "bot"', 'kind = "human"'), {"acme.helper": [Lack.HUMANITY]}),
        (HEAD + ALICE.replace('kind = "human"', ""), {"agents.alice.kind": [Lack.KIND]}),
        (HEAD + ALICE.replace('"human"', '"robot"'), {"agents.alice.kind": [Lack.KIND]}),
        (HEAD.replace('operators = ["afast"]', "") + ALICE, {"acme.alice": [Lack.OPERATORS]}),
        (HEAD + ALICE + "until = 2026-11-21\n", {"acme.alice": [Lack.TIME]}),
        (HEAD + '[policy]\ndisclosure = "warn"\n' + ALICE, {"policy.disclosure": [Lack.ENFORCEMENT]}),
        (HEAD + ALICE + 'legal_name = "Alice"\n', {"agents.alice.name": [Lack.ROSTER]}),
        ("version = [", {"": [Lack.ROSTER]}),
    ],
)
def test_each_thing_that_can_be_missing(text, expected):
    """At its agent; where no agent could be read, at its place in the file."""
    assert expected == lacks(text)
    assert judge(text).is_complete == (expected == {"acme.alice": [Lack.OPERATORS]})  # a remark: no rule asks for them


@pytest.mark.parametrize("disclosure", ["enforce", "warn"])
def test_a_brand_without_markers_is_told_once(disclosure):
    """Not at each of its agents, and not a second time as the roster's error."""
    text = HEAD.replace('"acmecare"', '"acmecare"\nlanguage = "tlh"') + ALICE + HELPER
    found = lacks(text + f'[policy]\ndisclosure = "{disclosure}"\n')

    assert [Lack.LANGUAGE] == found.pop("brands.acme.language")
    assert ({} if disclosure == "enforce" else {"policy.disclosure": [Lack.ENFORCEMENT]}) == found


@pytest.mark.parametrize("disclosure", ["enforce", "warn"])
def test_a_softened_rule_hides_nothing(disclosure):
    """The same bots lack their marker, whether the roster refuses them or not."""
    found = lacks(HEAD + HELPER.replace(" (Bot)", "") + f'[policy]\ndisclosure = "{disclosure}"\n')

    assert [Lack.MARKER] == found["acme.helper"]


def test_each_brand_is_judged_in_its_language():
    """One bot may say so in one brand and not in another; --brand keeps to the chosen ones."""
    text = (
        HEAD + HELPER + '[brands.beta]\nhandle = "beta"\nlanguage = "ru"\n[brands.gamma]\nhandle = "g"\nlanguage="x1"\n'
    )
    text = text.replace('"x1"', '"tlh"')

    assert {"beta.helper": [Lack.MARKER], "brands.gamma.language": [Lack.LANGUAGE]} == lacks(text)
    assert ({}, {"beta.helper": [Lack.MARKER]}) == (lacks(text, "acme"), lacks(text, "beta"))
    assert ["acme"] == [rule.brand.key for rule in judge(text, "acme").brands]


def test_own_markers_are_told_as_such():
    """Words of the roster's own could be anything, so whoever answers for them should see them."""
    (usual,) = judge(HEAD + ALICE).brands
    (own,) = judge(HEAD + ALICE + '[policy.bot_markers]\nen = ["automat"]\n').brands

    assert (("bot", "virtual assistant"), False) == (usual.markers, usual.is_own)
    assert (("automat",), True) == (own.markers, own.is_own)


def test_everything_is_counted():
    """By what is missing, in a fixed order, without what is not."""
    text = HEAD.replace('operators = ["afast"]', "") + ALICE + "until = 2020-01-01\n" + HELPER.replace(" (Bot)", "")

    assert {"no-marker": 1, "no-operators": 2, "until-over": 1} == judge(text).counts()
