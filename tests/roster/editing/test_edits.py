"""Edits of one roster with comments everywhere: the lines that change, as `git diff` shows them, and no others."""

from __future__ import annotations

import difflib
from datetime import date
from pathlib import Path

import pytest

from profilectl.errors import InputRefused, UsageError
from profilectl.roster.editing.apply import edited
from profilectl.roster.editing.edits import AddAgent, Reformat, RemoveAgent, RenameAgent, SetFields
from profilectl.roster.parser import parse
from profilectl.toml.layout import tokens

TEXT = (Path(__file__).parent / "commented.toml").read_text(encoding="utf-8")


def changed(text, edit):
    """Return the lines that go and come, with their sign, and the text after the edit."""
    new = edited(text, "roster.toml", edit).text
    diff = difflib.ndiff(text.splitlines(), new.splitlines())
    return [line for line in diff if line[0] in "+-"], new


EDITS = {
    "a value": (
        SetFields("alice", {("name",): 'Alice "F."'}),
        ['- name = "Alice F., Care Specialist"   # as she signs', '+ name = "Alice \\"F.\\""   # as she signs'],
    ),
    "a new value": (SetFields("bruno", {("protected",): True}), ["+ \tprotected = true"]),
    "one more of a list": (
        SetFields("alice", {("operators",): ["afast", "deputy", "night"]}),
        ['+     "deputy",', '+     "night", # while she is away', '-     "deputy", # while she is away'],
    ),
    "in a brand": (
        SetFields("alice", {("brands", "beta", "title"): "Lead"}),
        ['+ title = "Lead"'],
    ),
    "in a new brand": (
        SetFields("bruno", {("brands", "beta", "title"): "Lead"}),
        ["+ ", "+ [agents.bruno.brands.beta]", '+ title = "Lead"'],
    ),
    "in an inline table": (
        SetFields("chidi", {("until",): date(2099, 1, 2)}),
        [
            '- chidi = { name = "Chidi A.", title = "Nights" } # inline',
            '+ chidi = { name = "Chidi A.", title = "Nights", until = 2099-01-02 } # inline',
        ],
    ),
    "beside dotted keys": (SetFields("dora", {("title",): "Care"}), ['+ dora.title = "Care"']),
    "a nested field": (
        SetFields("bruno", {("consent", "name"): True, ("consent", "photo"): False}),
        ["+ \tconsent = { name = true, photo = false }"],
    ),
    "a field less": (SetFields("bruno", unset=(("title",),)), ['- \ttitle="Billing"']),
    "an inline field less": (
        SetFields("chidi", unset=(("title",),)),
        ['- chidi = { name = "Chidi A.", title = "Nights" } # inline', '+ chidi = { name = "Chidi A." } # inline'],
    ),
    "an agent more": (
        AddAgent("emre", {"name": "Emre", "operators": ["e"]}),
        ["+ [agents.emre]", '+ name = "Emre"', '+ operators = ["e"]', "+ "],
    ),
    "an agent less": (
        RemoveAgent("bruno"),
        ["- \t[agents.bruno]   # a tab before it", "- \tname = 'Bruno K.'", '- \ttitle="Billing"', "- "],
    ),
    "an inline agent less": (RemoveAgent("chidi"), ['- chidi = { name = "Chidi A.", title = "Nights" } # inline']),
    "a dotted agent less": (RemoveAgent("dora"), ['- dora.name = "Dóra"   # dotted', "- dora.until = 2099-05-01"]),
    "another key": (
        RenameAgent("bruno", "bru"),
        [
            "- \t[agents.bruno]   # a tab before it",
            "+ \t[agents.bru]   # a tab before it",
            "+ ",
            "+ [[moved]]",
            '+ from = "bruno"',
            '+ to = "bru"',
        ],
    ),
}


@pytest.mark.parametrize("words", EDITS)
def test_only_the_lines_of_the_change_change(words):
    """Nothing else moves, whatever way the agent is written in."""
    edit, expected = EDITS[words]
    lines, new = changed(TEXT, edit)
    assert sorted(expected) == sorted(lines)
    parse(new, "roster.toml")


@pytest.mark.parametrize("words", EDITS)
def test_line_ends_stay(words):
    """A file with CRLF gets lines with CRLF, and gives the same as one without."""
    edit, _ = EDITS[words]
    _, new = changed(TEXT, edit)
    crlf = edited(TEXT.replace("\n", "\r\n"), "roster.toml", edit).text
    assert new.replace("\n", "\r\n") == crlf


def test_comments_are_there_after_ten_edits():
    """Ten edits in a row lose none of the comments that aren't inside of what was taken out."""
    text = TEXT
    for edit in [
        AddAgent("emre", {"name": "Emre"}),
        SetFields("alice", {("title",): "Lead"}),
        SetFields("alice", {("operators",): ["afast", "deputy", "x"]}),
        SetFields("chidi", {("protected",): True}),
        RenameAgent("alice", "ali"),
        SetFields("ali", {("brands", "beta", "title"): "Boss"}),
        SetFields("dora", unset=(("until",),)),
        RenameAgent("ali", "alice"),
        RemoveAgent("emre"),
        SetFields("bruno", {("until",): date(2099, 1, 1)}),
    ]:
        text = edited(text, "roster.toml", edit).text
    before, after = ([each.text for each in tokens(text) if each.kind == "comment"] for text in (TEXT, text))
    assert before == after


def test_a_key_that_goes_back_leaves_one_entry():
    """Two changes that undo each other leave one entry, for the ledgers that have followed the first."""
    once = edited(TEXT, "roster.toml", RenameAgent("bruno", "bru")).text
    twice = edited(once, "roster.toml", RenameAgent("bru", "bruno")).text
    assert [("bru", "bruno")] == [(move.old, move.new) for move in parse(twice, "roster.toml").moved]


def test_a_key_in_a_circle_leaves_no_circle():
    """Three changes that end where they began give entries that lead to the agent."""
    text = TEXT
    for old, new in (("bruno", "b1"), ("b1", "b2"), ("b2", "bruno")):
        text = edited(text, "roster.toml", RenameAgent(old, new)).text
    assert {("b1", "bruno"), ("b2", "bruno")} == {(move.old, move.new) for move in parse(text, "roster.toml").moved}


def test_who_leaves_takes_the_entries_along():
    """An agent who is removed leaves no entry that leads nowhere, and the person is told."""
    text = edited(TEXT, "roster.toml", RenameAgent("bruno", "bru")).text
    result = edited(text, "roster.toml", RemoveAgent("bru"))
    assert () == parse(result.text, "roster.toml").moved
    assert any("[[moved]]" in note for note in result.notes)


def test_a_comment_above_an_agent_who_leaves_is_named():
    """It may be about the agent or about all that follow, so it stays, and the person is told where."""
    result = edited(TEXT, "roster.toml", RemoveAgent("alice"))
    assert "# Alice leads the day shift." in result.text
    assert ("the comment above it stays (line 16); take it out if it was about alice",) == result.notes


@pytest.mark.parametrize(
    ("edit", "kind", "message"),
    [
        (SetFields("alcie", {("title",): "x"}), UsageError, "there is no agent alcie"),
        (RemoveAgent("nobody"), UsageError, "there is no agent nobody"),
        (AddAgent("alice", {"name": "A"}), UsageError, "there is an agent alice already"),
        (AddAgent("Émile", {"name": "A"}), UsageError, "can't be a key"),
        (RenameAgent("alice", "bruno"), UsageError, "there is an agent bruno already"),
        (RenameAgent("alice", "alice"), UsageError, "is the key that it has"),
        (AddAgent("new", {}), InputRefused, "nothing was written: agents.new.name: missing"),
        (SetFields("alice", {("name",): "x" * 60}), InputRefused, "agents.alice.name: 60 characters, at most 48"),
        (SetFields("alice", {("operators",): ["x"]}), InputRefused, "the comments in agents.alice.operators"),
        (SetFields("alice", unset=(("title",),)), UsageError, "alice has no title of its own"),
        (SetFields("alice", {("brands", "beta"): False}), InputRefused, "is a table of its own"),
    ],
    ids=range(11),
)
def test_what_can_t_be_is_refused(edit, kind, message):
    """An edit that asks for what isn't there, or makes no roster, says so."""
    with pytest.raises(kind) as refused:
        edited(TEXT, "roster.toml", edit)
    assert message in refused.value.message


def test_a_former_key_isn_t_given_again():
    """A key that leads to another agent can't be a new agent's: its ledger rows belong to the other."""
    text = edited(TEXT, "roster.toml", RenameAgent("bruno", "bru")).text
    for edit in (AddAgent("bruno", {"name": "B"}), RenameAgent("alice", "bruno")):
        with pytest.raises(UsageError, match="was the key of bru"):
            edited(text, "roster.toml", edit)


def test_errors_that_are_there_may_stay():
    """A roster with a mistake elsewhere can be edited, so that the mistake can be mended by an edit."""
    broken = TEXT.replace("'Bruno K.'", "''")
    assert "Lead" in edited(broken, "roster.toml", SetFields("alice", {("title",): "Lead"})).text
    mended = edited(broken, "roster.toml", SetFields("bruno", {("name",): "Bruno K."})).text
    parse(mended, "roster.toml")


def test_the_canonical_form_of_this_one():
    """White space becomes even, and every comment stays beside what it was about."""
    new = edited(TEXT, "roster.toml", Reformat()).text
    assert "[agents.bruno]  # a tab before it\nname = 'Bruno K.'\ntitle = \"Billing\"\n" in new
    assert 'operators = [\n    "afast",  # her desk\n    "deputy",  # while she is away\n]\n# brands below\n' in new
    assert new == edited(new, "roster.toml", Reformat()).text


@pytest.mark.parametrize("ending", ["", "\n", "\n\n\n", "\n# the end", "\n# the end\n"])
def test_the_end_of_the_file(ending):
    """An agent behind the last line keeps that line as it is, with or without its end."""
    head = 'version = 1\n[brands.acme]\nhandle = "acmecare"\n[agents.a]\nname = "A"\nkind = "human"\navatar = "a.png"'
    lines, new = changed(head + ending, AddAgent("b", {"name": "B", "kind": "human", "avatar": "b.png"}))
    assert not [line for line in lines if line[0] == "-"]
    assert ("A", "B") == tuple(agent.name for agent in parse(new, "roster.toml").agents)
    assert ending.endswith("\n") == new.endswith("\n")
