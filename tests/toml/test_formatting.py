"""The canonical form: even white space, and nothing lost."""

from __future__ import annotations

import pytest

from profilectl.toml.formatting import formatted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1", "a = 1\n"),
        ("\n\n  a   =  1   # c  \r\n\r\n\r\n\r\nb=2\r\n", "a = 1  # c\n\nb = 2\n"),
        ("a=1\n[ t . 'u' ]#c\nb=2\n", "a = 1\n\n[t.u]  #c\nb = 2\n"),
        ("a=1\n# about t\n[t]", "a = 1\n\n# about t\n[t]\n"),
        ("a=1\n# about a\n\n[t]", "a = 1\n# about a\n\n[t]\n"),
        ("[[m]]\nx={a=1,b . c=[1,2]}\n[[ m ]]\n", "[[m]]\nx = { a = 1, b.c = [1, 2] }\n\n[[m]]\n"),
        ("a=[1,\n2]", "a = [\n    1,\n    2,\n]\n"),
        (
            "a = [ # first\n 1 # one\n , # more\n\n 2 ]",
            "a = [\n    # first\n    1,  # one\n    # more\n    2,\n]\n",
        ),
        ("a = [[1,\n2],[ ]]", "a = [\n    [\n        1,\n        2,\n    ],\n    [],\n]\n"),
        ('a = """x  \n\n  y"""\n', 'a = """x  \n\n  y"""\n'),
        ("'a-b' = {}\n\"a b\" = 1\n", 'a-b = {}\n"a b" = 1\n'),
        ("", ""),
        ("# only\n\n\n# remarks", "# only\n\n# remarks\n"),
        ("d = 1979-05-27   07:32:00", "d = 1979-05-27   07:32:00\n"),
    ],
    ids=range(14),
)
def test_the_form_of_a_text(text, expected):
    """A text becomes what is expected, and that stays as it is."""
    assert expected == formatted(text)
    assert expected == formatted(expected)
