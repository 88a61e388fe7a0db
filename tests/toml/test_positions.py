"""The locator, held against tomllib."""

from __future__ import annotations

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profilectl.toml.positions import Positions, locate

TRICKY = '''# [not.a.header] "
version = 1
[ agents . "al.ice" ] # ]
"na\\u006de" = """a
[agents.fake]
name = 1 # x
"""""
list = [1.5, "x, ]", # ]
 [2], {a.b = 1, 'c d' = [ 3 ]}]
[[teams]]
x=1.5
[[teams]]
[teams.lead]
a.b = 2027-01-31 07:00:00.5
a.c = \'\'\'[z]'''
TRICKY += "''''\n"


@pytest.mark.parametrize(
    ("path", "position"),
    [
        (("version",), (2, 1)),
        (("agents",), (3, 1)),
        (("agents", "al.ice"), (3, 1)),
        (("agents", "al.ice", "name"), (4, 1)),
        (("agents", "al.ice", "list"), (8, 1)),
        (("agents", "al.ice", "list", 1), (8, 14)),
        (("agents", "al.ice", "list", 2, 0), (9, 3)),
        (("agents", "al.ice", "list", 3, "a", "b"), (9, 10)),
        (("agents", "al.ice", "list", 3, "c d"), (9, 17)),
        (("teams",), (10, 1)),
        (("teams", 0, "x"), (11, 1)),
        (("teams", 1, "lead"), (13, 1)),
        (("teams", 1, "lead", "a", "b"), (14, 3)),
        (("teams", 1, "lead", "a", "c"), (15, 3)),
        (("agents", "fake"), None),
    ],
)
def test_keys_are_found_where_they_stand(path, position):
    """Line and column are those of the key's own part, or of the bracket of its header."""
    assert position == Positions(TRICKY).find(path)


def test_the_own_header_wins_over_a_childs():
    """A table that a child's header opened is found at its own header, if it has one."""
    text = "[agents.alice.brands.acme]\n[agents.alice]\nname = 'A'\n"
    assert Positions(text).find(("agents", "alice")) == (2, 1)
    assert Positions(text).find(("agents",)) == (1, 1)


def test_windows_line_endings_change_nothing():
    """Lines and columns are the same with CRLF."""
    assert Positions("a = 1\r\n  b = 2\r\n").find(("b",)) == (2, 3)


def test_the_nearest_thing_around_a_missing_key():
    """What isn't there is looked for at its header, and in the end nowhere in particular."""
    positions = Positions("[agents.alice]\nname = 'A'\n")
    assert positions.nearest(("agents", "alice", "kind")) == (1, 1)
    assert positions.nearest(("brands", "acme")) == (0, 0)


ROSTER = """
[defaults]
avatar = "default.png"
[defaults.brands.acme]
title = "Care"
[agents.alice]
avatar = "alice.png"
[agents.alice.brands.acme]
name = "Ally"
[agents.bob]
"""


@pytest.mark.parametrize(
    ("path", "position"),
    [
        ("agents.alice.avatar", (7, 1)),
        ("agents.alice.brands.acme.name", (9, 1)),
        ("agents.alice.brands.acme.avatar", (7, 1)),
        ("agents.alice.brands.acme.title", (5, 1)),
        ("agents.bob.avatar", (3, 1)),
        (("agents", "bob", "avatar"), (3, 1)),
        ("agents.bob.kind", (10, 1)),
        ("brands.acme", (0, 0)),
    ],
)
def test_locate_follows_the_layers(path, position):
    """A field is located in the table that supplies it: override, agent, defaults, and else the agent's header."""
    assert position == locate(ROSTER, path)


KEYS = st.text(st.sampled_from("ab.[]{}=,#'\"\\ é\n"), max_size=4) | st.sampled_from(["a", "b", "name", "1", "-"])
STRINGS = st.text(st.sampled_from("ab[]{}=,#'\"\\ é\n"), max_size=8)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@st.composite
def _spelled_key(draw):
    key = draw(KEYS)
    spellings = [_quoted(key)]
    if key.isascii() and key.replace("-", "a").isalnum():
        spellings.append(key)
    if "'" not in key and "\n" not in key:
        spellings.append(f"'{key}'")
    return draw(st.sampled_from(spellings))


@st.composite
def _dotted_key(draw):
    return draw(st.sampled_from([".", " . "])).join(draw(st.lists(_spelled_key(), min_size=1, max_size=3)))


def _spelled_string(text: str) -> st.SearchStrategy[str]:
    spellings = [_quoted(text), '"""\n' + _quoted(text)[1:-1].replace("\\n", "\n") + '"""']
    if "'" not in text:
        spellings.append(f"'''{text}'''")
    return st.sampled_from(spellings)


SCALARS = st.sampled_from(["1", "-1.5e3", "true", "2027-01-31", "1979-05-27 07:32:00.9Z", "07:32:00", "inf", "0x1f"])
SPACES = st.sampled_from(["", " ", "\n", " # ] }\n\n"])


def _values(depth: int = 2) -> st.SearchStrategy[str]:
    simple = SCALARS | STRINGS.flatmap(_spelled_string)
    if not depth:
        return simple
    return simple | _array(depth - 1) | _inline_table(depth - 1)


@st.composite
def _array(draw, depth):
    items = draw(st.lists(_values(depth), max_size=3))
    end = draw(st.sampled_from(["", ","])) if items else ""
    return "[" + ",".join(draw(SPACES) + item + draw(SPACES) for item in items) + end + draw(SPACES) + "]"


@st.composite
def _inline_table(draw, depth):
    pairs = draw(st.lists(st.tuples(_dotted_key(), _values(depth)), max_size=3))
    return "{" + ", ".join(f"{key} = {value}" for key, value in pairs) + "}"


@st.composite
def _line(draw):
    kind = draw(st.sampled_from(["pair", "pair", "table", "array of tables", "comment", "blank"]))
    indent = draw(st.sampled_from(["", "  ", "\t"]))
    if kind == "pair":
        return f"{indent}{draw(_dotted_key())}{draw(st.sampled_from(['=', ' = ']))}{draw(_values())} # [x]"
    if kind == "comment":
        return indent + "# [a.b] = \"'"
    if kind == "blank":
        return indent
    brackets = ("[", "]") if kind == "table" else ("[[", "]]")
    return f"{indent}{brackets[0]}{draw(_dotted_key())}{brackets[1]}"


def _accepted(lines: list[str]) -> str:
    """Return the lines that tomllib lets stand together, so that clashing keys don't waste the example."""
    text = ""
    for line in lines:
        try:
            tomllib.loads(text + line + "\n")
        except tomllib.TOMLDecodeError:
            continue
        text += line + "\n"
    return text


def _paths(value: object, path: tuple[str | int, ...] = ()):
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _paths(item, (*path, key))


@given(st.lists(_line(), max_size=10).map(_accepted), st.sampled_from(["\n", "\r\n"]))
def test_the_locator_finds_exactly_what_tomllib_finds(text, newline):
    """Every key and item of the document has a position, nothing else has one, and the key's text stands there."""
    positions = Positions(text.replace("\n", newline))
    paths = set(_paths(tomllib.loads(text)))
    assert paths == set(positions._places.keys())
    lines = text.split("\n")
    for path in paths:
        line, column = positions.find(path)
        rest = lines[line - 1][column - 1 :]
        if isinstance(path[-1], str) and not rest.startswith("["):
            assert tomllib.loads("x = 0\n" + _key_alone(rest)) == {"x": 0, path[-1]: 1}


def _key_alone(rest: str) -> str:
    """Return ``key = 1`` for the key part that `rest` begins with."""
    for end in range(1, len(rest) + 1):
        try:
            tables = tomllib.loads(rest[:end] + " = 1")
        except tomllib.TOMLDecodeError:
            continue
        if rest[end : end + 1] in {"", " ", "=", "."} and len(tables) == 1:
            return rest[:end] + " = 1"
    return rest
