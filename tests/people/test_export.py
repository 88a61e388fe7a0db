"""A roster as a list, and back: nothing changes."""

from __future__ import annotations

import json

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from profilectl.people.entries import as_written, read_entries
from profilectl.people.export import csv_rows, export, json_lines
from profilectl.people.mapping import map_columns
from profilectl.people.merge import agents_of, compare
from profilectl.people.tables import Problems, read_table
from profilectl.render.spreadsheets import csv_lines
from profilectl.text.names import name_problems

ROSTER = """
version = 1
[defaults]
kind = "human"
name = "{first} {last_initial}."
[agents.alice]
first = "Alice"
last = "Fast"
legal_name = "Alice Fast"
until = 2027-01-31
operators = ["afast", "uid:1001"]
[agents.bot]
name = "=Acme (bot)"
kind = "bot"
protected = true
brands.acme.name = "B (bot)"
"""


def as_csv(people):
    return "\n".join(csv_lines(people.columns, csv_rows(people)))


def as_json(people):
    return "\n".join(json_lines(people))


def changes(tables, text):
    """Return what a list's text would change."""
    people = read_table(text.encode(), "people.csv")
    problems = Problems("people.csv")
    known = agents_of(tables)
    mapping = map_columns(people.headers, ())
    entries = read_entries(people, mapping, known.__contains__, problems)
    problems.refuse()
    return compare(tables, entries, {entry.key: entry.picture for entry in entries if entry.picture})


def test_patterns_and_defaults_are_filled_in():
    """Legal names stay out; what differs in one brand isn't for a list."""
    people = export(tomli.loads(ROSTER), with_legal_names=False)

    assert (("bot",), 1) == (people.left_out, people.private)
    assert {
        "key": "alice",
        "name": "Alice F.",
        "kind": "human",
        "first": "Alice",
        "last": "Fast",
        "until": "2027-01-31",
        "operators": "afast uid:1001",
    } == people.people[0]
    assert "Alice Fast" == export(tomli.loads(ROSTER), with_legal_names=True).people[0]["legal_name"]


def test_a_spreadsheet_calculates_nothing():
    """And an object for each agent has what it has."""
    people = export(tomli.loads(ROSTER), with_legal_names=False)

    assert '"\'=Acme (bot)"' in as_csv(people)
    assert "=Acme (bot)" == json.loads([*json_lines(people)][1])["name"]


@pytest.mark.parametrize("form", [as_csv, as_json])
def test_what_is_exported_changes_nothing_when_it_is_read(form):
    """Into the roster that it came from."""
    tables = tomli.loads(ROSTER)

    assert (False, 2) == (
        (read := changes(tables, form(export(tables, with_legal_names=True)))).changes_anything,
        read.unchanged,
    )


NAMES = st.text(min_size=1, max_size=48).filter(lambda name: not name_problems(name))
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200).filter(
    lambda text: text == text.strip() and bool(text)
)
AGENTS = st.dictionaries(
    st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True),
    st.fixed_dictionaries(
        {"name": NAMES.map(as_written)},
        optional={"title": TEXTS, "legal_name": TEXTS, "protected": st.booleans(), "until": st.dates()},
    ),
    min_size=1,
    max_size=5,
)


@pytest.mark.parametrize("form", [as_csv, as_json])
@given(agents=AGENTS)
def test_the_round_trip_is_the_identity(form, agents):
    """Whatever a name or a title holds: signs of formulas, quotes, braces, apostrophes."""
    tables = {"version": 1, "agents": agents}
    read = changes(tables, form(export(tables, with_legal_names=True)))

    assert ([], len(agents)) == ([*read.added, *read.changes], read.unchanged)
