"""Where things begin and end in a TOML text."""

from __future__ import annotations

import pytest

from profilectl.toml.layout import plain_key, read_layout, tokens


def values(text):
    """Return every pair's path with the words of its value, those of inline tables behind the one that holds them."""

    def inner(pairs):
        for pair in pairs:
            yield pair.path, text[pair.value.start : pair.value.end]
            yield from inner(pair.value.pairs)

    return [each for section in read_layout(text) for each in inner(section.pairs)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1", [(("a",), "1")]),
        ("a . 'b' = 1979-05-27 07:32:00 # c", [(("a", "b"), "1979-05-27 07:32:00")]),
        ('a = """x\n[y]\n# z"""\n', [(("a",), '"""x\n[y]\n# z"""')]),
        ("a = [1, # ]\n 2]\nb = 3.5", [(("a",), "[1, # ]\n 2]"), (("b",), "3.5")]),
        (
            "[t]\na = {b = 1, c.d = {}}",
            [(("t", "a"), "{b = 1, c.d = {}}"), (("t", "a", "b"), "1"), (("t", "a", "c", "d"), "{}")],
        ),
        ("[[m]]\nx=1\n[[m]]\nx=2\n[m.y]\nz=3", [(("m", 0, "x"), "1"), (("m", 1, "x"), "2"), (("m", 1, "y", "z"), "3")]),
        ("a = true\r\nb = -inf\r\n", [(("a",), "true"), (("b",), "-inf")]),
        ("", []),
        ("# only a comment", []),
    ],
)
def test_values_stand_where_they_are_written(text, expected):
    """Each value's words are exactly its own, without what stands around them."""
    assert expected == values(text)


def test_headers_and_their_keys():
    """A header's span is its brackets, and each part of its key has one of its own."""
    text = "# x\n[ a . 'b c' ]  # y\n[[d]]\n"
    _, table, entry = read_layout(text)
    assert (("a", "b c"), "[ a . 'b c' ]") == (table.path, text[table.start : table.end])
    assert ["a", "'b c'"] == [text[start:end] for start, end in table.keys]
    assert (("d", 0), "[[d]]", True) == (entry.path, text[entry.start : entry.end], entry.is_entry)


def test_escapes_in_keys():
    """A quoted key is what it spells."""
    assert "é\n" == plain_key(next(tokens('"\\u00e9\\n"')))


def test_tokens_are_the_text():
    """The tokens put together are the text, comments and white space included."""
    text = 'a = [ "x", 1 ] # c\r\n\t[b."c"]\n'
    assert text == "".join(token.text for token in tokens(text))
