"""The documents that hold generated blocks, and what each block is made with.

A block stands between `<!-- name -->` and the next `<!-- end -->`. `python -m tests.docs` writes all of them anew.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from profilectl.cli.main import build
from profilectl.completion.command_tree import read_tree
from profilectl.completion.man_page import manual
from tests.docs import tables, walks

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
RECORD = DOCS / "record.md"
OUTPUT = DOCS / "output.md"
REFERENCE = DOCS / "reference.md"
MANUAL = DOCS / "profilectl.1"
PAGES = (
    README,
    *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(DOCS.glob("*.md")),
)

NOISE = re.compile(
    r"""
      (?:sha256:)?[0-9a-f]{64}
    | \d{6,}                              # ids
    | \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ
    | \d{4}-\d\d-\d\d\ \d\d:\d\d\ UTC
    | /media/[\w-]+
    | "distance":\ [\d.]+                 # between pictures, as this machine's Pillow decodes them
    | \s+                                # lines are folded elsewhere where ids are longer
    """,
    re.VERBOSE,
)

BLOCKS = {
    (REFERENCE, "overview"): lambda _: tables.synopses(tree()),
    (OUTPUT, "environment"): lambda _: tables.environment(),
    (README, "exit codes"): lambda _: tables.exit_codes(),
    (OUTPUT, "precedence"): lambda _: tables.precedence(),
    (OUTPUT, "statuses"): lambda _: tables.statuses(),
    (ROOT / "examples" / "README.md", "precedence"): lambda _: tables.precedence(),
    (ROOT / "docs" / "roster-rules.md", "rules"): lambda _: tables.check_rules(),
    (REFERENCE, "commands"): lambda _: tables.commands(tree()),
    (REFERENCE, "global options"): lambda _: tables.global_options(tree()),
    (DOCS / "local-x.md", "calls"): lambda _: tables.calls(),
    (DOCS / "local-x.md", "troubles"): lambda _: tables.troubles(),
    (RECORD, "events"): lambda _: tables.events(),
    (README, "tour"): walks.walk,
    (RECORD, "record"): walks.walk,
    (OUTPUT, "json"): walks.walk,
    (REFERENCE, "json"): walks.walk,
}


@cache
def tree():
    return read_tree(build(), "profilectl")


def block(page, name):
    """Return what stands between the block's marker and its end."""
    return re.search(rf"<!-- {name} -->\n(.*?)<!-- end -->", page.read_text(encoding="utf-8"), re.DOTALL)[1]


def renewed(page, name):
    """Return the block as the program would have it: the same text where only ids, digests and times are others."""
    old = block(page, name)
    return settled(old, BLOCKS[page, name](old))


def settled(old, new):
    return old if NOISE.sub(" ", old) == NOISE.sub(" ", new) else new


def rewrite():
    """Write the manual and every block anew."""
    MANUAL.write_text(manual(tree()), encoding="ascii")
    for page, name in BLOCKS:
        old, new = (f"<!-- {name} -->\n{text}<!-- end -->" for text in (block(page, name), renewed(page, name)))
        page.write_text(page.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
