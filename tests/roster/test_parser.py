"""Whole rosters: what they become, and that nothing else ever comes out."""

from __future__ import annotations

import datetime as dt
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profilectl.errors import RosterRefused
from profilectl.model import Agent, Brand, Kind, Policy
from profilectl.roster.disclosure import MARKERS
from profilectl.roster.parser import parse
from profilectl.text.escape import visible
from profilectl.toml.problems import format_problem

BRAND = '[brands.acme]\nhandle = "acmecare"\n'
HEAD = f"version = 1\n{BRAND}"
ALICE = '[agents.alice]\nname = "Alice"\navatar = "a.png"\nkind = "human"\n'
FULL = """
version = 1

[brands.acme]
handle = "acmecare"
language = "en"
fallback = "sign-off"

[brands.beta]
handle = "BetaCare"
language = "de-AT"

[policy]
max_deletes = 7
max_delete_ratio = 1
retire_after = "2h"
settle_after = "0s"
disclosure = "warn"
test_recipients = ["12345", "@me"]

[policy.bot_markers]
en = ["robot"]

[defaults]
kind = "human"
avatar = "avatars/default.png"
name = "{first} {last_initial}., {title}"
title = "Care"

[agents.alice]
brands = ["acme"]
operators = ["afast", "uid:1001"]
first = "Alice"
last = "Fast"
legal_name = "Alice Fast"
title = "Care Specialist"
until = 2027-01-31
protected = true

[agents.helper]
name = "Acme {{Robot}}"
avatar = "avatars/helper.png"
kind = "bot"
[agents.helper.brands.beta]
name = "Beta Bot"
"""


def test_a_brand_may_name_its_privacy_policy():
    """The one address that a roster holds; what a roster may never name is refused as before."""
    text = FULL.replace('fallback = "sign-off"', 'privacy_url = "https://acme.example/privacy"')
    assert parse(text, "roster.toml").brands[0].privacy_url == "https://acme.example/privacy"


def test_a_full_roster_becomes_its_values():
    """Brands, policy, layers, patterns and overrides end up in the model as contracted."""
    roster = parse(FULL, "roster.toml")
    assert roster.brands == (Brand("acme", "acmecare", "en", "sign-off"), Brand("beta", "BetaCare", "de-AT"))
    markers = {**MARKERS, "en": ("robot",)}
    assert roster.policy == Policy(7, 1.0, 7200, 0, "warn", ("12345", "@me"), markers)
    alice = Agent(
        key="alice",
        brand="acme",
        name="Alice F., Care Specialist",
        avatar="avatars/default.png",
        kind=Kind.HUMAN,
        operators=("afast", "uid:1001"),
        first="Alice",
        last="Fast",
        legal_name="Alice Fast",
        title="Care Specialist",
        until=dt.date(2027, 1, 31),
        protected=True,
        line=30,
    )
    helper = Agent("helper", "acme", "Acme {Robot}", "avatars/helper.png", Kind.BOT, title="Care", line=40)
    assert roster.agents[0] == alice
    assert roster.agents[1:] == (
        helper,
        Agent("helper", "beta", "Beta Bot", "avatars/helper.png", Kind.BOT, title="Care", line=40),
    )
    assert roster.warnings == ()


def test_a_policy_that_says_nothing_has_the_contracts_defaults():
    """Without [policy] the numbers are those of the model, and the markers are the built-in ones."""
    assert parse(HEAD + ALICE, "r").policy == Policy(bot_markers=MARKERS)


def test_names_are_kept_in_nfc():
    """However a name was typed, the agent bears its composed form."""
    name = "Do\u0301ra K."
    assert parse(HEAD + ALICE.replace("Alice", name), "r").agents[0].name == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + HEAD + ALICE,
        (HEAD + ALICE).replace("\n", "\r\n"),
        """version = 1
brands.acme.handle = "acmecare"
agents.alice = { name = 'Alice', avatar = 'a.png', kind = 'human' }
""",
    ],
    ids=["byte order mark", "CRLF", "inline"],
)
def test_the_same_roster_in_other_spellings(text):
    """A byte order mark, Windows line endings and inline tables make no difference."""
    roster = parse(text, "r")
    assert [agent.name for agent in roster.agents] == ["Alice"]
    assert roster.brands == (Brand("acme", "acmecare"),)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEAD + ALICE, 4),
        ((HEAD + ALICE).replace("\n", "\r\n"), 4),
        (HEAD + "# '''\n" + ALICE, 5),
        (HEAD + 'language = """\\\nen"""\n' + ALICE, 6),
        (HEAD + ALICE.replace("agents.alice", "agents.'alice'"), 4),
        (HEAD + "[agents]\nalice.name = 'Alice'\nalice.avatar = 'a.png'\nalice.kind = 'human'\n", 5),
    ],
)
def test_agents_know_their_line(text, line):
    """The line is that of the agent's header, or of the first key that speaks of it."""
    assert parse(text, "r").agents[0].line == line


def test_the_sample_of_the_contract_is_told_in_the_gnu_form(problems_of):
    """File, line, column, path and fact: what editors and CI matchers read."""
    text = HEAD + ALICE.replace("Alice", "x" * 53)
    assert problems_of(text) == ["roster.toml:5:1: agents.alice.name: 53 characters, at most 48"]


BAD_TOP = {
    "": [
        "roster.toml: version: missing; a roster begins with `version = 1`",
        'roster.toml: brands: no brand; name the account that speaks: [brands.acme] with handle = "acmecare"',
        "roster.toml: agents: no agent; a roster without agents is refused: it would remove everybody",
    ],
    HEAD + "[agents]\n": [
        "roster.toml:4:1: agents: no agent; a roster without agents is refused: it would remove everybody"
    ],
    "version = 2\nnovelty = 1\n": [
        "roster.toml:1:1: version: this roster is newer than this profilectl, which reads version 1"
    ],
    'version = "1"\n' + BRAND + ALICE: ['roster.toml:1:1: version: expected 1, got "1"'],
    "version = true\n" + BRAND + ALICE: ["roster.toml:1:1: version: expected 1, got true"],
    HEAD + ALICE + "x = \n": ["roster.toml:8:5: a value is missing here"],
    HEAD + ALICE + "x = [": ["roster.toml:8:6: not valid TOML: invalid value"],
    HEAD + ALICE + ALICE: [
        "roster.toml:8:14: not valid TOML: cannot declare ('agents', 'alice') twice",
    ],
    HEAD + ALICE + "x = 2027-02-30": ["roster.toml:8:5: not valid TOML: invalid date or datetime"],
    "version = 1\nbrands = 3\nagents = []\n": [
        "roster.toml:2:1: brands: expected a table, got 3",
        "roster.toml:3:1: agents: expected a table, got an array",
    ],
    "version = 1\nbrands.acme = 3\nagents.alice = 'x'\n": [
        "roster.toml:2:8: brands.acme: expected a table such as [brands.acme], got 3",
        'roster.toml:3:8: agents.alice: expected a table such as [agents.alice], got "x"',
    ],
}


@pytest.mark.parametrize(("text", "expected"), BAD_TOP.items())
def test_what_is_wrong_with_the_whole(text, expected, problems_of):
    """Syntax, version, and rosters without brands or agents are told at their place, or for the whole file."""
    assert problems_of(text) == expected


def test_two_brands_cannot_share_a_handle(problems_of):
    """Handles are compared as X does, without case."""
    text = HEAD + '[brands.other]\nhandle = "ACMECARE"\n' + ALICE
    assert problems_of(text) == ["roster.toml:5:1: brands.other.handle: the handle of brands.acme as well"]


def test_warnings_come_with_the_roster_in_file_order(warnings_of):
    """Mixed scripts and look-alikes within a brand are warned about; the roster stands."""
    text = (
        HEAD
        + '[brands.beta]\nhandle = "beta"\n'
        + "\n".join(
            f'[agents.a{number}]\nkind = "human"\navatar = "a"\nbrands = ["acme"]\nname = "{name}"'
            for number, name in enumerate(["Alice", "Аlice", "alice", "Bob", "فاطمة · Support", "花Hana", "Bob"])
        )
    )
    assert warnings_of(text) == [
        "roster.toml:4:1: warning: brands.beta: no agent belongs to this brand",
        (
            'roster.toml:15:1: warning: agents.a1.name: mixes Cyrillic and Latin letters in one word, "Аlice": '
            "is U+0410 CYRILLIC CAPITAL LETTER A meant?"
        ),
        'roster.toml:15:1: warning: agents.a1.name: looks like the name of agents.a0: "Аlice" and "Alice"',
        'roster.toml:20:1: warning: agents.a2.name: looks like the name of agents.a0: "alice" and "Alice"',
        "roster.toml:40:1: warning: agents.a6.name: the same public name as agents.a3",
    ]


def test_disclosure_can_be_a_warning(warnings_of):
    """With disclosure = "warn" a bot without a marker, and a brand without markers, don't refuse the roster."""
    text = (
        HEAD
        + 'language = "tlh"\n[brands.b]\nhandle = "b"\n[policy]\ndisclosure = "warn"\n'
        + ALICE.replace("human", "bot")
    )
    assert warnings_of(text) == [
        (
            'roster.toml:4:1: warning: brands.acme.language: no bot markers are known for "tlh"; set them in '
            '[policy.bot_markers]: tlh = ["…"]'
        ),
        (
            'roster.toml:10:1: warning: agents.alice.name: a bot\'s name must end with "bot" or "chatbot" or '
            '"virtual assistant", or hold it in brackets (language "en")'
        ),
    ]


PIECES = st.sampled_from([*FULL.splitlines(keepends=True), *ALICE.splitlines(keepends=True), HEAD])
VALUES = st.sampled_from(
    ["1", "true", "nan", "2027-01-31", "07:00:00", "[]", "[1]", "{}", '"{x"', '"}\\u202e"', "{a=[{}]}"]
)


def _with_other_value(draw, line: str) -> str:
    key, equals, _ = line.partition("=")
    return f"{key}= {draw(VALUES)}\n" if equals and draw(st.booleans()) else line


@st.composite
def _mutated(draw):
    lines = [_with_other_value(draw, line) for line in FULL.splitlines(keepends=True)]
    for _ in range(draw(st.integers(0, 3))):
        lines.insert(draw(st.integers(0, len(lines))), draw(PIECES))
    for _ in range(draw(st.integers(0, 5))):
        lines.pop(draw(st.integers(0, len(lines) - 1)))
    return "".join(lines)


@given(st.text() | _mutated() | st.lists(PIECES, max_size=12).map("".join))
def test_any_text_is_a_roster_or_refused_in_clean_words(text):
    """Nothing but RosterRefused is ever raised, with at least one error, in file order, and all of it visible."""
    try:
        problems = parse(text, "r.toml").warnings
        assert all(problem.severity == "warning" for problem in problems)
    except RosterRefused as refused:
        problems = refused.problems
        assert any(problem.severity == "error" for problem in problems)
    assert list(problems) == sorted(problems, key=lambda problem: (problem.line, problem.column))
    for problem in problems:
        assert visible(format_problem(problem)) == format_problem(problem)


@pytest.mark.parametrize("text", ["x = " + "[" * 5000, "version = " + "9" * 5000, "version = 0x" + "f" * 5000])
def test_texts_made_to_break_parsers_are_refused(text, problems_of):
    """Deep nesting and huge numbers end in a refusal, not in a traceback."""
    assert problems_of(text)


def test_as_many_agents_and_brands_as_are_allowed(problems_of):
    """The bounds are those of the sum: 100 brands, and 20,000 agents over all of them."""
    brands = "version = 1\n" + "".join(f'[brands.b{number}]\nhandle = "h{number}"\n' for number in range(100))
    usual = '[defaults]\nkind = "human"\navatar = "a.png"\nname = "Alice"\n'
    agents = "".join(f"[agents.a{number}]\n" for number in range(200))

    assert 20_000 == len(parse(brands + usual + agents, "r").agents)
    assert "roster.toml:206:1: agents: more than 20000 agents, each counted once for each of its brands" in problems_of(
        brands + usual + agents + "[agents.more]\n"
    )
    assert problems_of(brands + "[brands.more]\nhandle = 'more'\n") == [
        "roster.toml:2:1: brands: 101 brands, at most 100"
    ]


def test_of_very_many_errors_the_first_are_told(problems_of):
    """A thousand lines and one that says so; nothing is judged after them."""
    problems = problems_of(HEAD + ALICE + "".join(f"k{number} = 1\n" for number in range(2000)))

    assert "roster.toml: warning: more than 1000 errors; the first are told, mend those and look again" == problems[0]
    assert (1001, "roster.toml:1007:1: agents.alice.k999: unknown key") == (len(problems), problems[-1])


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        (f"title = '{'x' * 201}'", "agents.alice.title: 201 characters, at most 200"),
        (f"avatar = '{'x/' * 501}'", "agents.alice.avatar: 1002 characters, at most 1000"),
        (f"operators = {['x'] * 101}", "agents.alice.operators: 101 entries, at most 100"),
        (f"brands = {['acme'] * 101}", "agents.alice.brands: 101 brands, at most 100"),
        (f"name = '{'{first}' * 100}'", "agents.alice.name: a name pattern of 700 characters, at most 500"),
        (f"name = '{'{first}' * 10}'\nfirst = '{'x' * 100}'", "agents.alice.name: 1000 characters, at most 48"),
        (f"name = '{'e' + chr(0x301) * 10**6}'", "agents.alice.name: 1000001 characters, at most 48"),
        (f"'{'k' * 10**6}' = 1", f'agents.alice."{"k" * 80}…": unknown key'),
        (
            f"until = 2027-01-31\n[policy.bot_markers]\nen = {['bot'] * 51}",
            "policy.bot_markers.en: 51 entries, at most 50",
        ),
        ("[policy]\nmax_deletes = 0xffffffffffffff", "policy.max_deletes: above 1000000"),
        (f"[policy]\ntest_recipients = {['12'] * 1001}", "policy.test_recipients: 1001 entries, at most 1000"),
    ],
)
def test_values_have_bounds_far_above_what_brands_have(problems_of, field, problem):
    """Each is one line that names the number and what is allowed, and never the value."""
    fields = f'{HEAD}[agents.alice]\n{field}\n[defaults]\nname = "A"\navatar = "a.png"\nkind = "human"\n'

    assert [problem] == [line.split(": ", 1)[1] for line in problems_of(fields) if "missing" not in line]
