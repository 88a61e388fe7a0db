"""Rows on a terminal: tables where there is room, blocks elsewhere, nothing padded at the end."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from profilectl.plan.builder import Plan
from profilectl.plan.changes import Action, Appearance, Change, Reason
from profilectl.render import tables
from profilectl.render.layout import Cell, Rows, Unpadded, most_cells
from profilectl.sync.outcomes import Outcome, Status

NAMES = {
    "alice": ("Alice F., Care Specialist", "Alice F., Senior Care Specialist in Billing, nights"),
    "noor": ("نور الهاشمي", "نور ح. الهاشمي"),
    "yael": ("יעל כהן, שירות", "יעל לוי"),
    "asha": ("आशा क्षत्रिय, सहायता", "आशा क्षत्रिय, सेवा"),
    "li": ("王小明 客服", "王大明 客服"),
    "zoe": ("Zoë 👩‍💻🇩🇪 Care", "Zoë 👩🏽‍🚀 Care"),
}


def drawn(renderable, width, *, colour=False):
    system = "standard" if colour else None
    console = Console(file=StringIO(), width=width, color_system=system, force_terminal=colour, highlight=False)
    console.print(renderable, crop=False)
    return console.file.getvalue().splitlines()


def replacement(agent, brand="acme"):
    before, after = (Appearance(name, "sha256:a") for name in NAMES[agent])
    return Change(brand, agent, Action.REPLACE, (Reason.NAME,), "100001", before=before, after=after)


def plan_of(*changes):
    return Plan(tuple(changes), "sha256:0")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_names_of_every_writing_stay_in_their_rows(width):
    """No line ends in spaces or is wider than the screen; the old name stands above the new one."""
    lines = drawn(tables.plan_table(plan_of(*map(replacement, NAMES))), width)

    assert [] == [line for line in lines if line != line.rstrip() or cell_len(line) > width]
    for before, after in NAMES.values():
        (place,) = [number for number, line in enumerate(lines) if before in line]
        assert after in lines[place + 1].replace("\u2068", "")
        assert re.search(rf"→ \u2068?{re.escape(after)}\u2069?$", lines[place + 1])


def test_right_to_left_names_are_isolated_and_others_are_not():
    """Without isolation a terminal that knows the bidirectional algorithm would move the arrow to the right."""
    text = "\n".join(drawn(tables.plan_table(plan_of(*map(replacement, NAMES))), 120))

    assert {"\u2068" + NAMES["yael"][0] + "\u2069", "\u2068" + NAMES["noor"][1] + "\u2069"} <= set(
        re.findall("\u2068[^\u2069]*\u2069", text)
    )
    assert 4 == text.count("\u2068") == text.count("\u2069")


def test_below_ninety_columns_there_are_blocks():
    """Each change begins with its sign, who and what; the rest has lines to itself."""
    assert ["± alice replace", "    because  name", "    profile  100001", "      Alice F., Care Specialist"] == drawn(
        tables.plan_table(plan_of(replacement("alice"))), 89
    )[:4]
    assert drawn(tables.plan_table(plan_of(replacement("alice"))), 90)[0].startswith("   agent")


def test_colour_says_state_and_not_kind():
    """The sign has it, a name hasn't; a step that is done is green, one that failed red, one that was left dim."""
    (sign,) = [
        line for line in drawn(tables.plan_table(plan_of(replacement("alice"))), 120, colour=True) if "±" in line
    ]
    assert sign.startswith("\x1b[1;33m±\x1b[0m  alice  replace")

    outcomes = [Outcome(replacement("alice"), status) for status in Status]
    table = "\n".join(drawn(tables.outcome_table(outcomes), 120, colour=True))
    for code, words in (("32", "✓ done"), ("31", "✗ failed"), ("33", "? unknown"), ("2", "· skipped")):
        assert f"\x1b[{code}m  {words}" in table


def test_the_only_brand_and_empty_columns_are_left_out():
    """Two brands are told apart."""
    created = Change("acme", "bob", Action.CREATE, (Reason.NEW,), after=Appearance("Bob", "sha256:b"))
    assert "   agent  change  because  name" == drawn(tables.plan_table(plan_of(created)), 120)[0]
    two = plan_of(created, replacement("alice", "beta"))
    assert "   brand  agent  change   because  profile  name" == drawn(tables.plan_table(two), 120)[0]


def test_strangers_are_counted_and_not_listed():
    """A plan is about what it changes."""
    from profilectl.model import Profile

    plan = Plan((), "sha256:0", strangers=(("acme", Profile("9", "Somebody", "", 0)),))
    assert [] == drawn(tables.plan_table(plan), 120) == [*tables.plan_rows(plan)]


def test_a_list_shows_names_last_and_how_long_ago():
    """Whatever the order for pipes is; what has no moment stays as it is."""
    headers = ("brand", "id", "status", "agent", "name", "created")
    rows = [("acme", "7", "bound", "li", "王小明", "2000-01-01T12:00:00Z"), ("acme", "8", "lost", "", "Eve", "")]
    first, second, third = drawn(tables.listing(headers, rows), 120)

    assert ["id", "status", "agent", "created", "name"] == first.split()
    assert ["7", "bound", "li", "2000-01-01", "王小明"] == second.split()
    assert ["8", "lost", "Eve"] == third.split()
    assert ["7 bound li 2000-01-01", "    王小明"] == drawn(tables.listing(headers, rows), 60)[:2]


def test_a_block_begins_with_what_comes_after_the_only_brand():
    """Not with an empty line; and what runs from right to left is isolated, whatever the column."""
    headers, rows = ("brand", "field", "value", "from", "place"), [("acme", "name", "יעל", "agents.yael", "1:1")]

    assert ["name", "    value  \u2068יעל\u2069"] == drawn(tables.listing(headers, rows), 40)[:2]


def test_long_texts_are_folded_at_spaces_and_long_words_cut():
    """Facts below one another stay a table at any width; nothing of them is lost."""
    rows = Rows(("what", "value"), ((Cell.of("path"), Cell.of("/a/b " + "word " * 12 + "x" * 70)),))
    lines = drawn(rows, 40)

    assert [] == [line for line in lines if cell_len(line) > 40 or line.endswith(" ")]
    assert (12, 70) == ("".join(lines).count("word"), "".join(lines).count("x"))


def test_foreign_text_is_made_visible():
    """No escape of somebody else's reaches the terminal."""
    (line, *_) = drawn(tables.listing(("id", "name"), [("1", "\x1b[31m\u202eevil")]), 120)[1:]
    assert "1   \\x1b[31m<U+202E>evil" == line


def test_nothing_is_padded():
    """What Rich fills up with spaces ends where it ends; a coloured ground is no padding."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_row(Text("ok"), Text("fine"))
    grid.add_row(Text("failed"), Text("bar  ", style="on red"))
    first, second = drawn(Unpadded(grid), 40, colour=True)

    assert "ok      fine" == first
    assert "failed  \x1b[41mbar  \x1b[0m" == second


@pytest.mark.parametrize(
    ("text", "columns"),
    [("Alice", 5), ("王美玲", 6), ("سارة", 4), ("👍🏽", 4), ("👩‍💻", 4), ("🇫🇷", 4), ("❤️", 2), ("शि", 2)],
)
def test_most_cells(text, columns):
    """As wide as the terminal has it that knows no sequences."""
    assert columns == most_cells(text)
