"""Which lines speak of one agent: all of them and no others, or none are named."""

from __future__ import annotations

import tomllib

import pytest

from profilectl.profiles.offboarding import entry_lines

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
