"""What a message may hold: what a customer can read, and the marks that their script needs."""

from __future__ import annotations

import pytest

from profilectl.errors import InputRefused
from profilectl.messaging.characters import encoding_of, require_readable


@pytest.mark.parametrize(
    "text",
    [
        "Hello\n\tthere",
        "Grüße, 你好, नमस्ते 👩‍🔧",
        "\u200fהמספר הוא +972-3\u200e (Acme)",
        "رقم \u2066AB-12\u2069 جاهز\nثم \u2068\u2067x\u2069\u2069",
        "\u061c5 ساعات",
    ],
)
def test_what_people_write_is_sent(text):
    """Lines, tabs, every script, joined emoji, and direction marks beside letters that run from the right."""
    require_readable(text)  # it raises for every text of the next test


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("U+0000 NULL (character 2)", "H\0e\0l\0l\0o\0"),
        ("U+001B ESCAPE (line 2, character 3)", "Hi\nab\x1b[31m"),
        ("U+000D CARRIAGE RETURN (character 3)", "Hi\r"),
        ("U+0085 NEXT LINE (character 3)", "Hi\x85"),
        ("U+202E RIGHT-TO-LEFT OVERRIDE (character 1)", "\u202eHello"),
        ("U+202E RIGHT-TO-LEFT OVERRIDE (character 5)", "שלום\u202eabc"),
        ("U+202B RIGHT-TO-LEFT EMBEDDING (character 1)", "\u202bשלום\u202c"),
        ("U+200F RIGHT-TO-LEFT MARK (character 6)", "Hello\u200f"),
        ("U+2066 LEFT-TO-RIGHT ISOLATE (character 1)", "\u2066Hello\u2069"),
        ("U+2067 RIGHT-TO-LEFT ISOLATE (line 1, character 1)", "\u2067שלום\nabc\u2069"),
        ("U+2069 POP DIRECTIONAL ISOLATE (character 5)", "שלום\u2069"),
        ("U+FEFF ZERO WIDTH NO-BREAK SPACE (character 2)", "a\ufeffb"),
        ("U+2028 LINE SEPARATOR (character 2)", "a\u2028b"),
    ],
)
def test_what_nobody_can_see_is_refused_with_its_place(expected, text):
    """Controls, overrides, marks where no script needs them, and isolates that aren't closed in their paragraph."""
    with pytest.raises(InputRefused) as caught:
        require_readable(text)

    assert f"the message holds a character that customers can't see: {expected}" == caught.value.message


@pytest.mark.parametrize("text", ["Hello", "Grüße", "", "a", "你好你好", "a\0b is odd but no other encoding"])
def test_utf_8_is_taken_for_nothing_else(text):
    """A single control character is told as such, not as an encoding."""
    assert encoding_of(text.encode()) is None
