"""Encoding and syntax."""

from __future__ import annotations

import pytest

from profilectl.errors import RosterRefused
from profilectl.toml.document import decode, load
from profilectl.toml.problems import format_problem


def test_a_byte_order_mark_is_dropped():
    """Files of Windows editors are read."""
    assert decode(b"\xef\xbb\xbfversion = 1\r\n", "r") == "version = 1\r\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"version = 1\n# \xc3\xa9\xff", "r.toml:2:4: not UTF-8: byte 0xff"),
        (b"\xef\xbb\xbfab\xe9", "r.toml:1:3: not UTF-8: byte 0xe9"),
        (b"\xff\xfev\x00", "r.toml:1:1: not UTF-8: byte 0xff; it looks like UTF-16"),
    ],
)
def test_bytes_that_are_no_utf8_are_told_by_their_place(content, expected):
    """The column counts characters, as editors do."""
    with pytest.raises(RosterRefused) as refused:
        decode(content, "r.toml")
    assert [format_problem(problem) for problem in refused.value.problems] == [expected]


@pytest.mark.parametrize("text", ["a = {b = 1,}", "a = {b = 1,\n c = 2}", 'a = "\\e"', "a = 07:32"])
def test_the_language_is_toml_1_0(text):
    """What TOML 1.1 adds is refused on every Python: other programs that read the file may not know it."""
    with pytest.raises(RosterRefused, match="1 error"):
        load(text, "roster.toml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (".".join("a" * 17) + " = 1", "r:1:1: a key of more than 16 parts"),
        ("[ a . 'b'" + ' . "c"' * 14 + "]", None),
        ("x = {" + ".".join("a" * 17) + " = 1}", "r:1:6: a key of more than 16 parts"),
        ("# " + "." * 1000 + "\nx = '" + ". " * 400 + "'", None),
        ("x = 0x" + "f" * 1001, "r:1:7: a number of more than 1000 characters"),
        ("x = '" + "word " * 1000 + "'", None),
        ("x = " + "[" * 17 + "]" * 17, "r: more than 16 tables and arrays in one another"),
        ("x = [" + "{}," * 250_000 + "]", "r: more tables, keys and list items than one file may hold"),
    ],
)
def test_what_would_take_memory_is_refused_before_it_is_read(text, problem):
    """Parts of keys, digits, nesting and the number of things have bounds; words and dots in texts have none."""
    message = None
    try:
        load(text, "r")
    except RosterRefused as refused:
        message = format_problem(refused.problems[0])[: len(problem or "")]
    assert problem == message


def test_a_readers_message_is_cut():
    """What tomli quotes may be a key of megabytes, and its end blanks that an expression would try one by one."""
    text = '["' + " " * 300_000 + '"]\n' * 2
    with pytest.raises(RosterRefused) as refused:
        load(f"a.b = 1\n{text}{text}", "r")
    assert 300 > len(refused.value.problems[0].message)
