"""Edits of rosters that nobody has thought of: each gives what was meant, and nothing else."""

from __future__ import annotations

import os
import re
from datetime import date

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from profilectl.errors import ProfilectlError
from profilectl.roster.editing.apply import _spliced, edited
from profilectl.roster.editing.edits import (
    AddAgent,
    Batch,
    Reformat,
    RemoveAgent,
    RenameAgent,
    SetFields,
    intended,
    same,
)
from profilectl.roster.editing.splices import Text
from profilectl.roster.parser import parse
from profilectl.toml.document import load
from profilectl.toml.formatting import formatted
from profilectl.toml.layout import tokens
from tests.roster.editing.rosters import rosters

EXAMPLES = int(os.environ.get("PROFILECTL_TEST_EDITS", "60"))
"""How many rosters are drawn; 2,000 before a release."""

pytestmark = pytest.mark.timeout(max(600, EXAMPLES * 2))  # seconds: two for each, on a machine that is busy

MANY = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))

ALLOWED = re.compile(
    r"nothing was written: ("
    r"the comments in agents\.\S+ would be lost|agents\.\S+ lists brands.*"
    r"|agents\.\S+ is a table of its own|agents\.\S+ would have nothing left.*|agents\.\S+ is no table|agents\.\S+: "
    r"(isn't a brand|expected a table or false|missing; it is what customers read|missing; true or false).*)"
)
"""Why an edit may be refused that was drawn at random: what it asks for makes no roster, or would lose a comment."""

VALUES = {
    ("name",): st.sampled_from(['Zoë "Z" \\ Q', "Person 9", "Mo'"]),
    ("title",): st.just("Lead"),
    ("until",): st.dates(date(2099, 2, 1), date(2099, 12, 31)),
    ("operators",): st.lists(st.sampled_from(["ann", "bert", "uid:7", "x", "y", "z"]), min_size=1, max_size=4),
    ("protected",): st.booleans(),
    ("consent", "photo"): st.booleans(),
    ("brands", "acme", "title"): st.just("Lead in acme"),
}


@st.composite
def edits(draw, keys):
    """Return an edit of a roster with agents of these keys."""
    key = draw(st.sampled_from(keys))
    kind = draw(st.sampled_from(["add", "set", "set", "set", "unset", "remove", "rename", "back", "format"]))
    path = draw(st.sampled_from(list(VALUES)))
    if kind == "add":
        return AddAgent("new", {"name": "New", "until": date(2099, 1, 1), "operators": ["a", "b"]})
    if kind == "set":
        return SetFields(key, {path: draw(VALUES[path])})
    if kind == "unset":
        return SetFields(key, unset=(path[:1],))
    if kind == "rename":
        return RenameAgent(key, "new")
    if kind == "back":
        return RenameAgent(keys[0], "old0")
    return RemoveAgent(key) if kind == "remove" else Reformat()


def comments(text):
    return [token.text.rstrip() for token in tokens(text) if token.kind == "comment"]


def is_subsequence(lines, others):
    """Say whether lines stand among others in their order."""
    rest = iter(others)
    return all(line in rest for line in lines)


@MANY
@given(st.data())
def test_an_edit_is_what_was_meant_and_nothing_else(data):
    """Tables, comments, order and line ends are those of before, but for the change."""
    text, keys = data.draw(rosters())
    parse(text, "roster.toml")
    edit = data.draw(edits(keys))
    tables = load(text, "roster.toml")
    new, refusal = attempted(text, edit)
    if refusal is not None:
        event(f"refused: {type(edit).__name__}")
        assert ALLOWED.fullmatch(refusal) or is_hopeless(tables, edit), refusal
        return
    event(type(edit).__name__)
    got = load(new, "roster.toml")
    assert same(got, intended(tables, edit))
    if isinstance(edit, Reformat):
        assert (comments(text), new) == (comments(new), formatted(new))
        return
    assert ("\r\n" in text) == ("\r\n" in new)
    assert new.count("\r\n") in {0, new.count("\n")}
    if not takes_out(edit):
        assert text.endswith("\n") == new.endswith("\n")
    if isinstance(edit, AddAgent):
        assert [] == gone(text, new)
    if isinstance(edit, SetFields) and not edit.unset:
        assert comments(text) == comments(new)
        [path] = edit.values
        place = Text(text).find(("agents", edit.key, *path))
        held = (place.pair.value.start, place.pair.value.end) if place else (0, 0)
        assert all(held[0] <= start <= end <= held[1] for start, end in gone(text, new))
    if isinstance(edit, RemoveAgent):
        assert is_subsequence(comments(new), comments(text))


def gone(text, new):
    """Return the span of a text that isn't in the one that one splice made of it."""
    shorter = min(len(text), len(new))
    first = next((place for place in range(shorter) if text[place] != new[place]), shorter)
    last = next((place for place in range(shorter - first) if text[-1 - place] != new[-1 - place]), shorter - first)
    return [(first, len(text) - last)] if first < len(text) - last else []


def attempted(text, edit):
    """Return the text after an edit, or why there is none."""
    try:
        return edited(text, "roster.toml", edit).text, None
    except ProfilectlError as refused:
        return None, refused.message


def is_hopeless(tables, edit):
    """Say whether an edit asks for what isn't there, or for a roster that can't be."""
    return isinstance(edit, SetFields) and any(path[0] not in tables["agents"][edit.key] for path in edit.unset)


def takes_out(edit):
    """Say whether an edit may take out the last line of a text."""
    is_taken_back = isinstance(edit, RenameAgent) and edit.new == "old0"
    return isinstance(edit, RemoveAgent) or bool(getattr(edit, "unset", ())) or is_taken_back


@MANY
@given(rosters())
def test_the_canonical_form_is_its_own(drawn):
    """A text in the canonical form stays as it is, and means what the original meant."""
    text, _ = drawn
    once = formatted(text)
    assert once == formatted(once)
    assert same(load(text, "roster.toml"), load(once, "roster.toml"))
    assert comments(text) == comments(once)


@st.composite
def batches(draw, keys):
    """Return edits of some of the agents of these keys, at most one for each, and up to two new agents."""
    kinds = {key: draw(st.sampled_from(["set", "set", "remove", "stay"])) for key in keys}
    changes = [
        SetFields(key, {path: draw(VALUES[path]) for path in draw(st.lists(st.sampled_from([*VALUES]), min_size=1))})
        for key, kind in kinds.items()
        if kind == "set"
    ]
    removals = [RemoveAgent(key) for key, kind in kinds.items() if kind == "remove"]
    additions = [AddAgent(key, {"name": key.upper()}) for key in draw(st.sampled_from([(), ("n1",), ("n1", "n2")]))]
    return Batch(tuple(changes), tuple(removals), tuple(additions))


@MANY
@given(st.data())
def test_edits_at_once_are_as_one_after_the_other(data):
    """Agents, comments and line ends are the same, and where nobody new comes and nobody goes, every byte is."""
    text, keys = data.draw(rosters())
    batch = data.draw(batches(keys))
    tables = load(text, "roster.toml")
    new, refusal = attempted(text, batch)
    if refusal is not None:
        event("refused")
        assert ALLOWED.fullmatch(refusal), refusal
        return
    assert same({"agents": {}, **load(new, "roster.toml")}, intended(tables, batch))
    assert new.count("\r\n") in {0, new.count("\n")}
    assert is_subsequence(comments(new), comments(text))
    if not batch.removals:
        assert comments(text) == comments(new)
    if not batch.removals and not batch.additions:
        for edit in batch.changes:
            text = _spliced(text, load(text, "roster.toml"), edit)  # which may be no roster until all are made
        assert text == new
