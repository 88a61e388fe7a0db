"""The page that tells what is kept of a message, beside what is kept."""

from __future__ import annotations

import re
from pathlib import Path

from profilectl.audit.chain import PRIVATE

PAGE = Path(__file__).parents[2] / "docs" / "disclosure.md"
ONLY_SOMETIMES = {"text"}  # with `audit_text`


def rows():
    """Return the cells of each line of the table: fact, names, about whom, pruned."""
    table = PAGE.read_text("utf-8").partition("| fact |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def names(cell):
    return set(re.findall(r"`([a-z_]+)`", cell)) - {"script", "rehearsal"}


def test_the_table_has_the_names_of_the_record(desk):
    """No fact of a message that is sent is missing there, and none is only there."""
    desk.env["PROFILECTL_SANDBOX"] = "1"
    assert 0 == desk.write(("alice", "Alice F.")).run("sync", "--yes").code
    assert 0 == desk.run("send", "--as", "alice", "--to", "@customer", "Hello", "--human-wrote-this").code
    (record,) = desk.run("audit", "log", "--event", "sent", "--json").document["records"]

    documented = set().union(*(names(row[1]) for row in rows()))
    assert (record.keys() | record["detail"].keys()) - {"detail"} == documented - ONLY_SOMETIMES


def test_the_table_says_what_pruning_removes():
    """All that is private of a message, but for what other events and earlier versions call otherwise."""
    pruned = set().union(*(names(row[1]) for row in rows() if row[3] == "yes"))
    assert PRIVATE - {"recipient", "text_sha256"} == pruned
