"""What is wrong with agents, told all at once."""

from __future__ import annotations

import pytest

HEAD = 'version = 1\n[brands.acme]\nhandle = "acmecare"\n'
ALICE = '[agents.alice]\nname = "Alice"\navatar = "a.png"\nkind = "human"\n'


@pytest.mark.parametrize(
    ("agent", "expected"),
    [
        ("", ["avatar: missing; name a picture, here or in [defaults]",
              'kind: missing; say who speaks, "human" or "bot", here or in [defaults]',
              "name: missing; it is what customers read"]),
        ('kind = "bot"\navatar = "a"\nname = "Helper"',
         [('name: a bot\'s name must end with "bot" or "chatbot" or "virtual assistant", '
          'or hold it in brackets (language "en")')]),
        ('kind = "human"\navatar = "a"\nname = "Bob (bot)"',
         ['name: contains the bot marker "bot", but its kind is "human"']),
        ('kind = "human"\navatar = "a"\nname = "{first} {last_initial}., {title}"\nfirst = "Bob"',
         ['last: missing, but the name pattern "{first} {last_initial}., {title}" needs it',
          'title: missing, but the name pattern "{first} {last_initial}., {title}" needs it']),
        ('kind = "human"\navatar = "a"\nname = "{frist} {zzz} {legal_name} }"',
         ['name: unknown field "frist" in the name pattern, did you mean "first"?',
          'name: unknown field "zzz" in the name pattern; there are first, last, title, first_initial, last_initial',
          "name: a public name can't use {legal_name}, which never leaves the machine",
          'name: a single "}" in a name pattern; write "}}" for a plain brace']),
        ('kind = "human"\navatar = "a"\nname = "{first_initial}. {title}"\nfirst = "007"\ntitle = "Care"',
         ['first: has no letter, but the name pattern "{first_initial}. {title}" takes an initial from it']),
        ('kind = "human"\navatar = "a"\nname = "Dr Bob Fast"\nlegal_name = "bob  FAST"',
         ["name: contains the legal name, which must never leave the machine"]),
        ('kind = "human"\navatar = "a"\nname = "Bob"\nbrands = ["acm", "acme", "acme", 5]',
         ['brands[0]: there is no brand "acm", did you mean "acme"?', 'brands[2]: "acme" is named twice',
          "brands[3]: expected the key of a brand, got 5"]),
        ('kind = "human"\navatar = "a"\nname = "\\u001bBob"\nbrands = ["acm"]',
         ['name: contains U+001B ESCAPE: "\\x1bBob"', 'brands[0]: there is no brand "acm", did you mean "acme"?']),
        ('kind = "human"\navatar = "a"\nname = "Bob"\nbrands.acme = false', ["belongs to no brand"]),
        ('kind = "human"\navatar = "a"\nname = "Bob"\nbrands.acme = true',
         ["brands.acme: expected a table or false, got true"]),
        ('kind = "human"\navatar = "a"\nname = "Bob"\nbrands.acm.name = "B"',
         ['brands.acm: there is no brand "acm", did you mean "acme"?']),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_agent_is_told_all_at_once(agent, expected, problems_of):
    """Missing, contradicting and leaking fields of one agent are all named."""
    problems = problems_of(f"{HEAD}[agents.bob]\n{agent}\n")
    assert [message.split(": ", 1)[1].removeprefix("agents.bob").lstrip(".: ") for message in problems] == expected


def test_a_legal_name_is_in_no_message(problems_of):
    """Whatever else is wrong with a name that leaks the legal one, it isn't quoted."""
    text = f'{HEAD}[agents.bob]\nlegal_name = "Robert Roe"\nname = "Dr Robert Roe\\u202e {"x" * 48}"\nkind = "human"\n'
    assert "Roe" not in "".join(problems_of(text))


def test_a_default_pattern_is_blamed_once_where_it_stands(problems_of):
    """A broken pattern is a problem of [defaults], a missing value one of the agent."""
    people = '[agents.a]\n[agents.b]\n[agents.c]\nfirst = "C"\n'
    head = HEAD + '[defaults]\nkind = "human"\navatar = "a"\n'
    assert problems_of(f'{head}name = "{{frist}}"\n{people}') == [
        'roster.toml:7:1: defaults.name: unknown field "frist" in the name pattern, did you mean "first"?'
    ]
    assert problems_of(f'{head}name = "{{first}}"\n{people}') == [
        'roster.toml:8:1: agents.a.first: missing, but the name pattern "{first}" needs it',
        'roster.toml:9:1: agents.b.first: missing, but the name pattern "{first}" needs it',
    ]
