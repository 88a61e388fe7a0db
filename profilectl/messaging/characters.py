"""Which characters a message may hold: what customers can read, and what a script of theirs needs to be read right."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from profilectl.errors import InputRefused
from profilectl.text.escape import describe

_LINES_AND_TABS: Final = "\n\t"
_MARKS: Final = "\u200e\u200f\u061c"  # left-to-right, right-to-left and Arabic letter mark
_ISOLATES: Final = "\u2066\u2067\u2068"
_END_OF_ISOLATE: Final = "\u2069"
_FORBIDDEN: Final = (
    "[\u202a-\u202e"  # embeddings and overrides, which show a text otherwise than it is
    "\ufeff\u2028\u2029\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e001f]"
)
_UTF_8: Final = "save the text as UTF-8, then send it again"


def require_readable(text: str) -> None:
    """Raise InputRefused where a text holds a character that no customer should get, named with its place.

    Control characters are refused but for line breaks and tabs, and so is what overrides the direction of a text. The
    three marks that set a direction, and isolates (each closed in its own paragraph), are what Arabic and Hebrew texts
    need beside Latin words and numbers: they may stand in a text that has letters of such a script (UAX 9, 2.4-2.7).
    """
    if text.isascii() and not _has_control(text):
        return
    is_right_to_left = any(
        character.isalpha() and unicodedata.bidirectional(character) in {"R", "AL"} for character in text
    )
    open_isolates: list[int] = []
    for place, character in enumerate(text):
        if character == "\n":
            _require_closed(open_isolates, text)
        elif character in _ISOLATES and is_right_to_left:
            open_isolates.append(place)
        elif character == _END_OF_ISOLATE and is_right_to_left and open_isolates:
            open_isolates.pop()
        elif _is_refused(character, is_right_to_left=is_right_to_left):
            raise _refusal(text, place)
    _require_closed(open_isolates, text)


def encoding_of(data: bytes) -> str | None:
    """Return the name of an encoding that bytes are in, where that isn't UTF-8 and can be told; None where it can't."""
    if data.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "UTF-32"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    # Without a mark, the text of any European language has a zero in every second byte or nearly so.
    if len(data) >= 2:
        even, odd = data[::2].count(0), data[1::2].count(0)
        most = max(even, odd)
        if most and min(even, odd) * 4 <= most and most * 4 >= len(data) // 2:
            return f"UTF-16 ({'big' if even > odd else 'little'}-endian, without a byte order mark)"
    return None


def wrong_encoding(name: str) -> InputRefused:
    """Return the refusal of a text in another encoding."""
    return InputRefused(f"the message is {name}, not UTF-8", hint=_UTF_8)


def _has_control(text: str) -> bool:
    return not text.isprintable() and any(
        unicodedata.category(character) == "Cc" and character not in _LINES_AND_TABS for character in text
    )


def _is_refused(character: str, *, is_right_to_left: bool) -> bool:
    if character in _LINES_AND_TABS:
        return False
    if character in _MARKS:
        return not is_right_to_left
    if character in _ISOLATES or character == _END_OF_ISOLATE:
        return True  # one in a text that needs none, or an end without a beginning
    return unicodedata.category(character) == "Cc" or re.match(_FORBIDDEN, character) is not None


def _require_closed(open_isolates: list[int], text: str) -> None:
    if open_isolates:
        raise _refusal(text, open_isolates[-1])


def _refusal(text: str, place: int) -> InputRefused:
    line, column = text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
    where = f"line {line}, character {column}" if line > 1 or "\n" in text else f"character {column}"
    return InputRefused(
        f"the message holds a character that customers can't see: {describe(text[place])} ({where})",
        hint="take it out; a text from a web page may bring such characters along",
    )
