"""Rosters made to fill a machine: each is refused by a process whose memory and time are measured."""

from __future__ import annotations

from itertools import count, takewhile

import pytest

from tests.measured import run

HEAD = 'version = 1\n[brands.acme]\nhandle = "acmecare"\n'
DEFAULTS = '[defaults]\nkind = "human"\navatar = "a.png"\n'
MEGABYTE = 1_000_000
MOST_MEMORY = 300  # MB at the peak
MOST_SECONDS = 10  # of CPU; other work on the machine doesn't count


def numbered(form, size):
    """Return lines that hold a number each, until they have so many characters."""
    total = 0

    def is_room(line):
        nonlocal total
        total += len(line)
        return total < size

    return "".join(takewhile(is_room, (form.format(number) for number in count())))


def brands(number):
    return "".join(f'[brands.b{index}]\nhandle = "h{index}"\n' for index in range(number))


def agents(number, fields=""):
    return "".join(f"[agents.a{index}]\n{fields}" for index in range(number))


NAMED = DEFAULTS + 'name = "Alice"\n'
ALICE = HEAD + DEFAULTS + "[agents.alice]\n"
MARKS = "\u0301\u0323"
ROSTERS = {
    "a pattern that multiplies": lambda: (
        HEAD + DEFAULTS + 'name = "' + "{first}" * 70_000 + '"\nfirst = "' + "x" * 600_000 + '"\n[agents.alice]\n'
    ),
    "a pattern of twenty thousand agents": lambda: (
        HEAD + DEFAULTS + 'name = "' + "{first}" * 60 + '"\nfirst = "' + "\u00e9" * 200 + '"\n' + agents(20_000)
    ),
    "brands times agents": lambda: "version = 1\n" + brands(100) + NAMED + agents(19_000),
    "tables": lambda: HEAD + numbered("[a{:x}]\n", 7.9 * MEGABYTE),
    "tables, as many as are read": lambda: HEAD + numbered("[a{:x}]\n", 1.1 * MEGABYTE),
    "empty arrays": lambda: HEAD + "x = [" + "[]," * 2_600_000 + "]\n",
    "unknown keys": lambda: ALICE + numbered("k{:x}=1\n", 4.4 * MEGABYTE),
    "a brand named a million times": lambda: ALICE + 'name = "A"\nbrands = [' + '"acme",' * 950_000 + "]\n",
    "nesting": lambda: HEAD + "x = [" + ("[" * 300 + "]" * 300 + ",") * 450 + "]\n",
    "a key of two hundred parts": lambda: HEAD + ".".join("a" * 199) + " = 1\n",
    "a number of megabytes": lambda: HEAD + "[policy]\nmax_deletes = 0x" + "f" * 7_900_000 + "\n",
    "a string of escapes": lambda: HEAD + 'x = "' + "\\n" * 3_900_000 + '"\n',
    "a key that is invisible": lambda: HEAD + '[agents."' + "\u200b" * 2_600_000 + '"]\n' + numbered("k{}=1\n", 700),
    "a key of blanks, twice": lambda: ('"' + " " * 3_900_000 + '" = 1\n') * 2,
    "marks upon marks": lambda: ALICE + 'name = "a' + MARKS * 1_900_000 + '"\n',
    "a picture that isn't there, twenty thousand times": lambda: HEAD + NAMED + agents(20_000),
}


@pytest.mark.parametrize("roster", ROSTERS)
def test_a_roster_that_would_fill_a_machine_is_refused(tmp_path, roster):
    """Exit 5, at most 300 MB and 10 s, and a bounded number of short lines."""
    (tmp_path / "roster.toml").write_text(ROSTERS[roster](), encoding="utf-8")
    ended = run(tmp_path, ("roster", "check"))

    assert 5 == ended.code, ended.lines[:5]
    assert ended.peak <= MOST_MEMORY
    assert ended.seconds <= MOST_SECONDS
    assert len(ended.lines) <= 2005
    assert max(map(len, ended.lines)) <= 1000


def test_a_roster_of_twenty_thousand_agents_is_read(tmp_path):
    """The largest roster that is allowed, each agent with a dozen fields, is read as quickly as the hostile ones."""
    fields = """
name = "{first} {last_initial}., {title}"
first = "Alice"
last = "Fast"
legal_name = "Alice M. Fast"
title = "Care Specialist"
operators = ["afast", "uid:1001"]
until = 2099-01-31
protected = true
"""
    (tmp_path / "roster.toml").write_text(f"{HEAD}{DEFAULTS}{agents(20_000, fields)}", encoding="utf-8")
    ended = run(tmp_path, ("roster", "list"))

    assert (0, 20_000) == (ended.code, len(ended.lines)), ended.lines[:5]
