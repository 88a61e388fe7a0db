"""The edit touches the lines of the change, and nothing else: read back, and byte for byte."""

from __future__ import annotations

import datetime as dt
import difflib

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from profilectl.errors import InputRefused
from profilectl.people import merge
from profilectl.people.merge import Change, Comparison, agents_of, public_name

ROSTER = '''\
# at the top
version = 1  # of the format

[brands.acme]
handle = "acmecare"

[defaults]
kind = "human"
avatar = "a.png"

# about alice
[agents.alice] # her header
name = "Alice F."   # her name
title = """
Care
# no comment
"""

# about bruno
[agents.bruno]
name = 'Bruno K.'
[agents.bruno.brands.acme]
name = "B. K."

# at the end
'''


def edit(text, comparison):
    return merge.edit(text, "roster.toml", comparison)


def change(**values):
    """A comparison that sets fields of alice and bruno: ``alice_name="x"``."""
    changes = [Change(*name.split("_", 1), None, value) for name, value in values.items()]
    return Comparison((), tuple(changes), (), (), 0)


def touched(before, after):
    """Return the lines that differ, as a diff shows them."""
    lines = difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True))
    return [line for line in lines if line[0] in "+-"]


def test_a_value_is_set_in_its_own_line():
    """The comment behind it stays."""
    assert ['- name = "Alice F."   # her name\n', '+ name = "Alicia"   # her name\n'] == touched(
        ROSTER, edit(ROSTER, change(alice_name="Alicia"))
    )


def test_a_new_field_stands_behind_the_others_of_its_table():
    """Before the comments of what follows, and not in the table of a brand."""
    edited = edit(ROSTER, change(alice_until=dt.date(2027, 1, 31), bruno_protected=True))

    assert ["+ until = 2027-01-31\n", "+ protected = true\n"] == touched(ROSTER, edited)
    assert '# no comment\n"""\nuntil = 2027-01-31\n\n# about bruno' in edited
    assert "name = 'Bruno K.'\nprotected = true\n[agents.bruno.brands.acme]" in edited


def test_new_agents_stand_at_the_end():
    """With the fields in the roster's order, and quoted where they must be."""
    edited = edit(ROSTER, Comparison((("carla", {"name": 'C "x" \\ é', "brands": ["acme"]}),), (), (), (), 0))

    assert ROSTER + '\n[agents.carla]\nname = "C \\"x\\" \\\\ é"\nbrands = ["acme"]\n' == edited


def test_who_is_removed_takes_no_comment_of_others_along():
    """Their tables go, with what is in them."""
    edited = edit(ROSTER, Comparison((), (), ("bruno",), (), 0))

    assert ROSTER.replace(ROSTER[ROSTER.index("[agents.bruno]") : ROSTER.index("\n# at the end")], "") == edited


@pytest.mark.parametrize("text", ["\ufeff" + ROSTER, ROSTER.replace("\n", "\r\n"), ROSTER.rstrip("\n#atehnd ")])
def test_marks_and_line_ends_stay(text):
    """A byte order mark, CRLF, and a last line without an end."""
    edited = edit(text, Comparison((("carla", {"name": "C"}),), (Change("alice", "kind", None, "human"),), (), (), 0))

    end = "\r\n" if "\r" in text else "\n"
    gap, last = (end, end) if text.endswith("\n") else (end * 2, "")
    rest = text.replace(f'"""{end}{end}# about', f'"""{end}kind = "human"{end}{end}# about')
    assert f'{rest}{gap}[agents.carla]{end}name = "C"{last}' == edited


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("agents = { alice = { name = 'A' } } # 1", 'agents = { alice = { name = "C" } } # 1'),
        ("[agents]\nalice.name = 'A' # 1", '[agents]\nalice.name = "C" # 1'),
        ("[agents]\nalice = { name = 'A' } # 1", '[agents]\nalice = { name = "C" } # 1'),
        (
            "[agents]\nalice.name = 'A'\n[agents.alice.brands.acme]",
            '[agents]\nalice.name = "C"\n[agents.alice.brands.acme]',
        ),
    ],
)
def test_an_agent_may_be_written_in_any_way(text, expected):
    """In braces or with dots: the value is another one, and nothing else is."""
    head = "version = 1\nx = '''\n[agents.alice]\nname = 'B'\n'''\n"

    assert head + expected == edit(head + text, change(alice_name="C"))
    assert "alice" not in tomli.loads(edit(head + text, Comparison((), (), ("alice",), (), 0))).get("agents", {})


def test_a_comment_in_a_list_is_not_lost():
    """A person decides what becomes of it; nothing is written."""
    text = ROSTER.replace("'Bruno K.'", "'Bruno K.'\noperators = [\n  'ann', # days\n]")

    with pytest.raises(InputRefused, match=r"the comments in agents\.bruno\.operators would be lost"):
        edit(text, change(bruno_operators=["bert"]))


def test_a_header_in_a_text_of_many_lines_is_no_header():
    """The table itself is edited."""
    text = "version = 1\n[policy]\nx = '''\n[agents.alice]\nname = 'B'\n'''\n[agents.alice]\nname = 'A'\n"

    assert text.replace("'A'", '"C"') == edit(text, change(alice_name="C"))


def test_who_leaves_takes_moves_along():
    """An entry of [[moved]] that leads nowhere would be an error of the next check."""
    text = f'{ROSTER}[[moved]]\nfrom = "bru"\nto = "bruno"\n'

    assert "moved" not in edit(text, Comparison((), (), ("bruno",), (), 0))


FIELDS = st.dictionaries(
    st.sampled_from(["name", "title", "first"]), st.text(st.characters(exclude_categories=["Cs", "Cc"])), min_size=1
)
REMARKS = st.sampled_from(["", "# plain\n", "\n\n# [agents.x]\n", "  # indented\n\n"])
ENTRIES = st.lists(st.tuples(REMARKS, st.sampled_from("abcdef"), FIELDS), unique_by=lambda entry: entry[1], max_size=6)


@settings(max_examples=200)
@given(entries=ENTRIES, values=FIELDS, end=st.sampled_from(["\n", "\r\n"]), chosen=st.sampled_from("abcdefg"))
def test_an_edit_says_what_was_meant_and_keeps_the_rest(entries, values, end, chosen):
    """Over generated rosters: read back it is the intended change, and every comment is still there."""
    text = "version = 1\n" + "".join(
        f"{remark}[agents.{key}]\n" + "".join(f"{field} = '''{value}''' # c\n" for field, value in fields.items())
        for remark, key, fields in entries
        if not any("'" in value for value in fields.values())
    )
    text = text.replace("\n", end)
    before = tomli.loads(text)
    known = agents_of(before)
    if chosen in known:
        changes = tuple(Change(chosen, field, None, value) for field, value in values.items())
        comparison = Comparison((), changes, (), (), 0)
    else:
        comparison = Comparison(((chosen, values),), (), (), (), 0)
    edited = edit(text, comparison)

    agents = {**known, chosen: {**known.get(chosen, {}), **values}}
    assert {**before, "agents": agents} == tomli.loads(edited)
    assert text.count("#") == edited.count("#") - sum(
        value.count("#") - str(known.get(chosen, {}).get(field, "")).count("#") for field, value in values.items()
    )
    assert edited.count("\n") == edited.count(end)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"name": "Alice"}, "Alice"),
        ({"name": "{first} {last_initial}.", "first": "Zoë", "last": "Ünal"}, "Zoë Ü."),
        ({"name": "{first}"}, None),
        ({"name": "{nonsense}"}, None),
        ({"name": "{{x}}"}, "{x}"),
        ({}, None),
        ({"name": 1}, None),
    ],
)
def test_the_name_that_fields_give(values, name):
    """With its pattern filled in, or none."""
    assert name == public_name(values)
