"""Which lines speak of one agent: all of them and no others, or none are named."""

from __future__ import annotations

import tomllib

import pytest

from profilectl.errors import UsageError
from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Event
from profilectl.profiles.offboarding import entry_lines, require_known
from profilectl.roster.parser import parse
from tests.ledger.filled import USER, fill

HEAD = 'version = 1\n[brands.acme]\nhandle = "acmecare"\n\n'


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ('[agents.alice]\nname = "A"\n', ((5, 6),)),
        ('[agents.alice]\nname = "A"\n\n# the next one\n[agents.bruno]\nname = "B"\n', ((5, 6),)),
        ('[agents.alice]\nname = "A"\n[agents.alice.brands.acme]\nname = "B"\n', ((5, 6), (7, 8))),
        ('[agents.alice]\nname = "A"\n[agents.b]\n[agents.alice.brands.acme]\nname = "B"', ((5, 6), (8, 9))),
        ('[ agents . "alice" ]  # hello\r\nname = "A"\r\n', ((5, 6),)),
        ('[agents.alice]\nname = """\n[agents.b]\n"""\n[agents.b]\n', ()),
        ('[agents]\nalice.name = "A"\n', ()),
        ('agents = { alice = { name = "A" } }\n', ()),
        ('[agents.alicia]\nname = "A"\n', ()),
    ],
)
def test_whole_tables_or_nothing(body, lines):
    """First and last line of each table; what isn't written as tables of its own isn't guessed at."""
    text = HEAD + body

    assert lines == entry_lines(text, "alice")


def test_the_rest_is_the_roster_without_the_agent():
    """Comments, other agents and every setting stay."""
    text = HEAD + '[agents.alice]\nname = "A"\n\n[defaults]\nkind = "human"\n[agents.alice.brands.acme]\nname = "B"\n'
    spans = entry_lines(text, "alice")
    kept = [line for n, line in enumerate(text.split("\n"), 1) if not any(a <= n <= b for a, b in spans)]

    assert tomllib.loads(HEAD + '[defaults]\nkind = "human"\n') == tomllib.loads("\n".join(kept))


@pytest.fixture
def ledger(tmp_path):
    with open_for_writing(tmp_path / "ledger.db", actor="ann@desk") as ledger:
        fill(ledger)
        ledger.record(Event("denied", USER, 9, "anne"))
        yield ledger


@pytest.fixture
def roster():
    return parse(f'{HEAD}[agents.zoe]\nname = "Zoe"\navatar = "zoe.png"\nkind = "human"\n', "roster.toml")


@pytest.mark.parametrize("key", ["ann", "bob", "emil"])
def test_who_ever_had_a_profile_can_be_offboarded(ledger, roster, key, monkeypatch):
    """Also after the roster has forgotten them; a record of a million messages isn't read for that."""
    monkeypatch.setattr(type(ledger), "events", None)
    require_known(key, roster, ledger)  # it raises for any other key, as the next test has it


def test_a_typing_error_isnt_known_by_an_earlier_one(ledger, roster):
    """Somebody who tried to send under a key doesn't make it that of an agent."""
    with pytest.raises(UsageError) as refused:
        require_known("anne", roster, ledger)
    assert "did you mean ann?" == refused.value.hint
