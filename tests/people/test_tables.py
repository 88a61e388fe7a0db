"""Lists of people: cells with their places, and everything that is wrong with a file at once."""

from __future__ import annotations

import pytest

from profilectl.people import tables
from profilectl.people.tables import read_table


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("name,mail\nAlice F.,a@x.example\n", "CSV with commas"),
        ("name;mail\r\nAlice F.;a@x.example\r\n", "CSV with semicolons"),
        ("name\tmail\nAlice F.\ta@x.example", "CSV with tabs"),
        ("sep=;\r\nname;mail\r\nAlice F.;a@x.example\r\n", "CSV with semicolons"),
        ('"name";"mail, work"\n"Alice F.";"a@x.example"\n', "CSV with semicolons"),
        ('{"name": "Alice F.", "mail": "a@x.example"}\n\n', "JSON lines"),
    ],
)
def test_every_form_gives_the_same_people(table, text, form):
    """The separator is the one that the header uses most, or the one that Excel's own line names."""
    people = table(text)

    assert (form, ["Alice F.", "a@x.example"]) == (people.form, [*people.rows[0].cells.values()])


def test_a_list_without_separators_has_one_column(table):
    """Names alone are a list, too."""
    people = table("name\nAlice\nBruno\n")

    assert (("name",), ["Alice", "Bruno"]) == (people.headers, [row.cells["name"] for row in people.rows])


def test_cells_may_hold_quotes_separators_and_line_ends(table):
    """As RFC 4180 writes them; the lines behind are counted on."""
    people = table('name,note\n"Fast, ""Al""","two\nlines"\nBruno,x\n')

    assert {"name": 'Fast, "Al"', "note": "two\nlines"} == people.rows[0].cells
    assert [(2, 1), (4, 1)] == [row.place("name") for row in people.rows]
    assert (4, 7) == people.rows[1].place("note")


def test_empty_cells_and_lines_are_nobodys(table):
    """A row of separators is none, and what a row doesn't say isn't there."""
    people = table("name,mail\n\n,\nAlice,\n  ,\n")

    assert [{"name": "Alice"}] == [row.cells for row in people.rows]


def test_columns_without_a_name_are_left_out(table):
    """A spreadsheet's empty columns."""
    assert {"name": "Alice"} == table("name,,\nAlice,x,\n").rows[0].cells


def test_the_guard_of_a_spreadsheet_is_taken_off(table):
    """What `roster export` put before a formula's sign, and no other apostrophe."""
    people = table("name\n'=1+1\n''=1\n't Hooft\n'-x\n")

    assert ["=1+1", "'=1", "'t Hooft", "-x"] == [row.cells["name"] for row in people.rows]


def test_objects_in_objects_have_dots_in_their_names(table):
    """As directories answer; lists of words are joined, and nothing else becomes a cell."""
    line = '{"profile": {"first": "Al", "n": {"x": 1}}, "on": true, "tags": ["a", "b"], "odd": [1], "none": null}'

    assert {"profile.first": "Al", "profile.n.x": "1", "on": "true", "tags": "a b"} == table(line).rows[0].cells


def test_everything_that_is_wrong_is_told_at_once(table, problems_of):
    """In file order, each at its place."""
    text = 'name,mail,name\nAlice,a@x.example,A,more\nBruno,b\n"Carla,c\n'

    assert [
        'people.csv:1:11: two columns are called "name"',
        "people.csv:2:21: 4 cells, but the header names 3 columns",
        "people.csv:3:1: 2 cells, but the header names 3 columns",
        "people.csv:4:1: the quote that opens here isn't closed",
    ] == problems_of(table, text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: no people: a list has a line of column names, and a line for each person"),
        ("name,mail\n", "1:1: no people: a list has a line of column names, and a line for each person"),
        ("name\nAl\0ice\n", "2:3: a NUL character, which no list of people holds"),
        ('name,mail\n"Alice" F.,x\n', '2:1: text after the closing quote; write a quote inside of a cell twice: ""'),
        ("name\n" + "x" * 4001, "2:1: name: 4001 characters in one cell, at most 4000"),
        ("x," * 301, "1:1: 302 columns, at most 300"),
        ('{"name": "a"}\n{"name": ', "2:10: not JSON: expecting value; each line is one person's object"),
        ('{"name": "a", "name": "b"}', '1:1: the key "name" twice'),
        ('["a"]', '1:1: expected an object such as {"name": "Alice F."}'),
        ('{"a":' + "[" * 100_000, "1:1: not JSON that can be read: too deep, or a number without end"),
        ('{"a": ' + "9" * 5000 + "}", "1:1: not JSON that can be read: too deep, or a number without end"),
    ],
)
def test_each_thing_that_can_be_wrong(table, problems_of, text, problem):
    """With line and column, and what is right instead."""
    assert [f"people.csv:{problem}"] == problems_of(table, text)


def test_bytes_that_are_no_text_are_a_problem(problems_of):
    """At the line and column of the first."""
    problem = "people.csv:2:2: not UTF-8, UTF-16 or Windows-1252: byte 0x9d"
    assert [problem] == problems_of(read_table, b"name\nA\x9d", "people.csv")


@pytest.mark.parametrize("content", [b"PK\x03\x04\x14\x00", b"\xd0\xcf\x11\xe0\xa1"])
def test_a_workbook_has_to_be_saved_as_csv(problems_of, content):
    """What people name first."""
    problem = "people.xlsx:1:1: a workbook of a spreadsheet: save it as CSV (UTF-8), and name that file"
    assert [problem] == problems_of(read_table, content, "people.xlsx")


def test_a_list_has_at_most_as_many_people_as_a_roster(table, problems_of, monkeypatch):
    """The first one too many is named, and nothing behind it is read."""
    monkeypatch.setattr(tables, "MOST_ROWS", 2)

    assert ["people.csv:4:1: more than 2 people"] == problems_of(table, "name\na\nb\nc\nd\n")
    assert ["people.csv:3:1: more than 2 people"] == problems_of(table, '{"n": "a"}\n{"n": "b"}\n{"n": "c"}\n')


def test_of_very_many_problems_the_first_are_told(table, problems_of):
    """A file that is broken in every line still ends with a list that a person reads."""
    problems = problems_of(table, "a,b,c\n" + "1,2\n" * 1500)

    assert (1001, True) == (len(problems), any("1500 problems; the first 1000 are listed" in line for line in problems))
