"""The documents can't rot: their tables are generated, their roster is parsed, their commands are run."""

from __future__ import annotations

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profilectl.config import read_config
from profilectl.errors import InputRefused
from profilectl.render.record import answers
from profilectl.roster.parser import parse
from tests.docs.pages import BLOCKS, DOCS, PAGES, README, REFERENCE, block, renewed, settled, tree
from tests.docs.walks import fold

NUMBERS = st.integers() | st.booleans() | st.none()
VALUES = st.recursive(
    NUMBERS | st.text(), lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=9)
)


@pytest.mark.parametrize(("page", "name"), BLOCKS, ids=lambda one: getattr(one, "stem", one))
def test_generated_blocks_are_as_the_program_says(page, name):
    """Tables are what the program knows, and every command does what stands below it, ids and times aside."""
    assert block(page, name) == renewed(page, name), "stale, so regenerate: python -m tests.docs"


def test_the_tour_is_one():
    """It goes from nothing to a change and a message."""
    assert 8 < block(README, "tour").count("\n$ ")


def test_every_command_explains_itself():
    """Every command has a help text, short enough never to be cut in a list of 80 columns."""
    assert {} == {one.words: one.help for one in tree().walk() if not 0 < len(one.help) <= 60}


def test_the_roster_of_the_reference_is_one():
    """The example of the roster's page parses without errors or warnings."""
    text = re.search(r"```toml\n(.*?)```", block(DOCS / "roster.md", "roster"), re.DOTALL)[1]
    roster = parse(text, "roster.md")

    assert ((), ["Ally F.", "Acme Helper (bot)"]) == (roster.warnings, [agent.name for agent in roster.agents])


def test_the_columns_of_the_record_are_told_once_and_found():
    """On the record's page, as they are printed; the page about output leads there."""
    record, output = ((DOCS / page).read_text(encoding="utf-8") for page in ("record.md", "output.md"))
    rows = dict(re.findall(r"^\| `(audit \w+)` \| (.*) \|$", record, re.MULTILINE))
    cells = {
        "audit log": answers.LOG_CELLS,
        "audit sent": answers.SENT_CELLS,
        "audit reconcile": answers.RECONCILE_HEADERS,
    }

    assert {command: ", ".join(columns) for command, columns in cells.items()} == {
        command: rows[command].partition(" (")[0] for command in cells
    }
    assert {"audit who", *cells} == rows.keys()
    assert [] == re.findall(r"^\| `audit \w+` \|", output, re.MULTILINE)
    assert "record.md#columns-of-the-lines-with-tabs" in output


def test_the_settings_of_config_toml_are_all_told(tmp_path):
    """In one table, in which the program's own hint names no key that is missing."""
    (tmp_path / "config.toml").write_text("zzz = 1")
    with pytest.raises(InputRefused) as refusal:
        read_config(tmp_path / "config.toml")
    known = set(refusal.value.hint.removeprefix("it may say ").split(", "))
    text = REFERENCE.read_text(encoding="utf-8").partition("## config.toml\n")[2].partition("\n## ")[0]

    assert known == set(re.findall(r"^\| `\[?(\w+)", text, re.MULTILINE))


def test_steps_are_numbered_one_after_the_other():
    """A page's list of steps has each number once."""
    for page in PAGES:
        numbers = [int(number) for number in re.findall(r"^(\d+)\. ", page.read_text(encoding="utf-8"), re.MULTILINE)]
        wrong = [pair for pair in pairwise(numbers) if pair[1] not in {pair[0] + 1, 1}]
        assert [] == wrong, page.name


def test_links_lead_somewhere():
    """Files that a document links to are there, and so are the sections."""
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8")):
            file, _, section = target.partition("#")
            goal = page.parent / file if file else page
            assert goal.exists(), target
            assert not section or section in sections(goal), target


def sections(page):
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_ids_digests_and_times_are_no_news():
    """A block is left as it is when nothing else in it has changed, so that regenerating makes no noise."""
    old = "plan sha256:" + "a" * 64 + ", event 2124628168701640709 at 2026-11-23T01:03:59Z"
    new = "plan sha256:" + "b" * 64 + ", event 2124628168701640710 at 2026-11-24T09:09:09Z"

    assert old == settled(old, new)
    assert new + "!" == settled(old, new + "!")


@given(value=VALUES)
def test_folded_documents_are_the_same_documents(value):
    """Folding breaks lines between members, and changes nothing."""
    assert value == json.loads(fold(value))
