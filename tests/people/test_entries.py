"""Rows become agents: which fields are written, and what is wrong with a row at its place."""

from __future__ import annotations

import pytest

from profilectl.errors import RosterRefused
from profilectl.people.entries import as_written, read_entries
from profilectl.people.mapping import map_columns
from profilectl.people.tables import Problems


@pytest.fixture
def entries(table):
    """A function from a list's text to its entries; a refusal tells what was noted."""

    def entries(text, *options, known=()):
        people = table(text)
        problems = Problems("people.csv")
        result = read_entries(people, map_columns(people.headers, options), known.__contains__, problems)
        problems.refuse()
        return result

    return entries


def test_a_column_with_names_is_enough(entries):
    """Given and family name stay out of the roster, as nothing there needs them; so does the address."""
    [entry] = entries("displayName,givenName,surname,mail\nAlice F.,Alice,Fast,afast@acme.example\n")

    assert ("afast", {"name": "Alice F."}) == (entry.key, entry.values(None))


def test_a_list_without_a_column_for_names_has_one_problem(entries):
    """Forty people with an unknown header were forty lines that said the same."""
    with pytest.raises(RosterRefused) as refused:
        entries("mail,Wie heißt er\na@x.example,Alice\nb@x.example,Bruno\n")
    assert [(1, "no column is known to have names: --map name=COLUMN says which; there are mail, Wie heißt er")] == [
        (problem.line, problem.message) for problem in refused.value.problems
    ]


def test_names_in_parts_become_a_pattern(entries):
    """Customers see the given name and an initial; a single name stands alone."""
    alice, bo = entries("First Name,Last Name\nAlice,Fast\nBo,\n")

    assert {"name": "{first} {last_initial}.", "first": "Alice", "last": "Fast"} == alice.values(None)
    assert {"name": "{first}", "first": "Bo"} == bo.values(None)


def test_the_roster_s_own_pattern_says_which_parts_are_written(entries):
    """A title is public only where the pattern says so."""
    [alice] = entries("First Name,Last Name,Job Title\nAlice,Fast,Care\n")

    assert {"first": "Alice", "title": "Care"} == alice.values("{first}, {title}")
    assert {} == alice.values("Alice")


def test_private_columns_are_written_only_when_they_are_named(entries):
    """Legal names go to `legal_name` alone, never to the public name."""
    [alice] = entries("name,Legal name,Employee #,mail\nAlice F.,Alice Fast,7,a@x.example\n")

    assert {"name": "Alice F.", "legal_name": "Alice Fast"} == alice.values(None)


def test_a_brace_is_no_pattern(entries):
    """A list says how somebody is called, not how to make a name."""
    [alice] = entries("key,name\na,Alice {first}\n")

    assert {"name": "Alice {{first}}"} == alice.values(None)
    assert "a}" == as_written("a}")


def test_everything_that_is_wrong_with_the_rows_is_told_at_once(entries, problems_of):
    """By the cell that holds it."""
    key = "a key has 1 to 64 lower-case letters, digits, - and _, and no - or _ first"
    text = f"key,name,kind,until\nAlice F,Alice,human,\nb,{'B' * 49},robot,31.1.27\nc,,,\nb,Bo,,\n"

    assert [
        f'people.csv:2:1: Alice F: {key}, such as "alice-f"',
        "people.csv:3:3: b.name: 49 characters, at most 48",
        'people.csv:3:53: b.kind: expected "human" or "bot", got "robot"',
        'people.csv:3:59: b.until: expected a day such as 2027-01-31, got "31.1.27"',
        "people.csv:4:1: c: no name: --map name=COLUMN says which column has it",
        "people.csv:5:1: b: the same person as in line 3, or keys are needed: --map key=COLUMN",
    ] == problems_of(entries, text)


def test_an_agent_of_the_roster_needs_no_name(entries):
    """A list may set anything else of it."""
    [entry] = entries("key,until\nalice,2027-01-31\n", known={"alice"})

    assert ["until"] == [*entry.values("Alice")]


def test_who_may_be_either_of_two_is_no_guess(entries, problems_of):
    """The roster has one of them under the key that both would get."""
    text = "mail,name\nal@a.example,Al F.\nal@b.example,Al G.\n"

    assert ["al-f", "al-g"] == [entry.key for entry in entries(text)]
    assert [
        'people.csv:3:1: al-g: the roster\'s "al" may be this person or that of line 2: add a column "key"'
    ] == problems_of(entries, text, known={"al"})
