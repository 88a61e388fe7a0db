"""Encodings are told from the bytes, and called by names that a person knows."""

from __future__ import annotations

import pytest

from profilectl.people.encodings import NotDecodable, decode

TEXT = "name;mail\nZoë Müller;zoë@acme.example\n"


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (TEXT.encode(), "UTF-8"),
        (b"\xef\xbb\xbf" + TEXT.encode(), "UTF-8 with a byte order mark"),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), "UTF-16 (little-endian)"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "UTF-16 (big-endian)"),
        (TEXT.encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (TEXT.encode("utf-16-be"), "UTF-16 without a byte order mark"),
        (TEXT.encode("cp1252"), "Windows-1252"),
    ],
)
def test_the_encodings_of_spreadsheets_are_told_apart(content, name):
    """The same text comes out of each, without its mark."""
    assert (TEXT, name) == ((decoded := decode(content)).text, decoded.encoding)


@pytest.mark.parametrize(
    ("content", "place", "message"),
    [
        (b"name\nZo\x81", (2, 3), "not UTF-8, UTF-16 or Windows-1252: byte 0x81"),
        (b"\xef\xbb\xbfname\nZo\xeb", (2, 3), "not UTF-8 with a byte order mark: byte 0xeb"),
        (b"\xff\xfea\x00\n\x00\x00\xd8", (2, 1), "not UTF-16 (little-endian): byte 0x00"),
    ],
)
def test_what_is_no_text_is_named_at_its_place(content, place, message):
    """The first byte that no encoding has, by line and column."""
    with pytest.raises(NotDecodable) as error:
        decode(content)

    assert (place, message) == ((error.value.line, error.value.column), error.value.message)


def test_an_empty_file_is_an_empty_text():
    """Nothing to tell apart."""
    assert "" == decode(b"").text
