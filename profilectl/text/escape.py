"""How foreign text is shown: what can't be seen is spelled out.

Unicode's controls, bidirectional overrides, fillers and joiners can make two names look alike, or steer a terminal.
Joiners and variation selectors are kept where writing needs them: in emoji sequences (UTS 51), and where RFC 5892
appendix A lets them stand in Indic and Arabic-script words.
"""

from __future__ import annotations

import re
import unicodedata

from profilectl.text.later_unicode import NEWEST, category, is_newer, script_name

# Patterns are text, which `re` compiles when it is first used, and keeps: of most, a command needs none.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_ZWNJ, _ZWJ, _INFORMATION = "\u200c", "\u200d", "\u2139"
_VOWEL_SEPARATOR = "\u180e"
_REACH = 8  # code points around a joiner that can belong to its sequence
_SPELLED = {"\n": "\\n", "\t": "\\t"}

# Code points that Unicode counts as letters, marks or symbols, and that nevertheless show nothing.
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
_SELECTORS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_PRINTABLE_BUT_HIDDEN = f"[{_FILLERS}{_SELECTORS}]"
_SELECTOR = f"[{_SELECTORS}]"

# The three subdivision flags that are recommended for interchange: England, Scotland, Wales (UTS 51 annex C).
_FLAG_TAGS = frozenset(
    "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f" for region in ("gbeng", "gbsct", "gbwls")
)
_BLACK_FLAG = "\U0001f3f4"

# Reserved for pictographs, so that a newer emoji is judged alike on every Python, whatever its Unicode version.
_RESERVED_PICTOGRAPH = "[\U0001f6d8-\U0001f6ff\U0001fa70-\U0001faff\U0001fc00-\U0001fffd]"
_SKIN_TONE = "[\U0001f3fb-\U0001f3ff]"

_CURSIVE = ("ARABIC LETTER", "SYRIAC LETTER", "MANDAIC LETTER", "NKO LETTER", "ADLAM ", "MONGOLIAN LETTER")
# Arabic letters that never join to what follows (Joining_Type R or U): a ZWNJ after them would show nothing.
_ENDS_JOINING = (
    "[\u0621-\u0625\u0627\u0629\u062f-\u0632\u0648\u0671-\u0677\u0688-\u0699\u06c0\u06c3-\u06cb\u06cd\u06cf"
    "\u06d2\u06d3\u06d5\u06ee\u06ef]"
)

_CONTROL_NAMES = {
    "\x00": "NULL",
    "\x07": "BELL",
    "\x08": "BACKSPACE",
    "\t": "TAB",
    "\n": "LINE FEED",
    "\r": "CARRIAGE RETURN",
    "\x1b": "ESCAPE",
    "\x7f": "DELETE",
    "\x85": "NEXT LINE",
    "\x9b": "CONTROL SEQUENCE INTRODUCER",
}
_NAMELESS = {"Cc": "CONTROL CHARACTER", "Cs": "LONE SURROGATE", "Co": "PRIVATE USE"}


def visible(text: str) -> str:
    r"""Return `text` with everything that can't be seen spelled out.

    Controls become ``\x1b`` (``\n`` and ``\t`` for the two everyday ones), anything from U+0100 on ``<U+202E>``.
    The result holds no control, bidirectional, zero-width, unassigned or private-use code point and no surrogate,
    apart from joiners and variation selectors in their proper place. A backslash stays as it is: the result is for
    eyes, not for parsing back.
    """
    if text.isprintable() and (text.isascii() or not re.search(_PRINTABLE_BUT_HIDDEN, text)):
        return text
    return "".join(_spelled(char) if is_hidden(text, at) else char for at, char in enumerate(text))


def isolated(text: str) -> str:
    """Return a text that is safe to print so that what stands around it keeps its place, whichever way it is written.

    A text with letters that run from right to left is put between FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE
    (UAX 9, section 2.3); any other stays as it is. A terminal that knows no isolates shows nothing for them.
    """
    is_mixed = any(unicodedata.bidirectional(char) in {"R", "AL"} for char in text)
    return f"\u2068{text}\u2069" if is_mixed else text


def describe(character: str) -> str:
    """Return code point and Unicode name of one character: ``U+202E RIGHT-TO-LEFT OVERRIDE``."""
    name = _CONTROL_NAMES.get(character) or unicodedata.name(character, "")
    if not name:
        unassigned = "A CHARACTER NEWER THAN UNICODE 14" if is_newer(character) else f"UNASSIGNED IN UNICODE {NEWEST}"
        name = _NAMELESS.get(unicodedata.category(character), unassigned)
    return f"U+{ord(character):04X} {name}"


def excerpt(text: str, limit: int = 60) -> str:
    """Return `text` visible and on one line, cut after `limit` code points with an ellipsis."""
    return visible(text[:limit]) + ("…" if len(text) > limit else "")


def _spelled(char: str) -> str:
    code = ord(char)
    return _SPELLED.get(char) or (f"\\x{code:02x}" if code < 0x100 else f"<U+{code:04X}>")


def is_hidden(text: str, at: int) -> bool:
    """Say whether the character at index `at` shows nothing, or changes how its neighbours are shown."""
    char = text[at]
    if char in _FILLERS:
        return True
    if re.match(_SELECTOR, char):
        return not _selects(text[at - 1] if at else " ", char)
    if category(char) not in _HIDDEN_CATEGORIES or re.match(_RESERVED_PICTOGRAPH, char):
        return False
    if char in {_ZWJ, _ZWNJ}:
        return not _joins(text, at)
    if char == _VOWEL_SEPARATOR:
        return not _separates_vowel(text, at)
    return not _is_flag_tag(text, at)


def _selects(base: str, selector: str) -> bool:
    """Say whether `base` is of a kind that variation selectors are defined for (Unicode 23.4)."""
    if base in _FILLERS:
        return False
    if selector in "\u180b\u180c\u180d\u180f":
        return unicodedata.name(base, "").startswith("MONGOLIAN LETTER")
    if selector in "\ufe0e\ufe0f":
        is_symbol = category(base) in {"So", "Sm", "Po", "Pd", "Nd"} or base == _INFORMATION
        return is_symbol or _is_pictograph(base)
    return script_name(base).startswith(("CJK", "MYANMAR"))


def _separates_vowel(text: str, at: int) -> bool:
    """Say whether Mongolian's vowel separator stands before a word's last a or e, as it is written (Unicode 13.4)."""
    before = text[max(at - 2, 0) : at].rstrip("\u180b\u180c\u180d\u180f")
    is_after_letter = bool(before) and unicodedata.name(before[-1], "").startswith("MONGOLIAN LETTER")
    return is_after_letter and text[at + 1 : at + 2] in {"\u1820", "\u1821"}


def _joins(text: str, at: int) -> bool:
    """Say whether a joiner does visible work here: RFC 5892 A.1 and A.2, UTS 51 emoji sequences, repha forms."""
    before, after = text[max(at - _REACH, 0) : at], text[at + 1 : at + 2]
    if not before:
        return False
    if unicodedata.combining(before[-1]) == 9:
        return True
    if text[at] == _ZWNJ:
        return bool(after) and _separates(before, text[at + 1 : at + _REACH])
    if after and unicodedata.combining(after) == 9:
        return unicodedata.category(before[-1]) == "Lo" and before[-1] not in _FILLERS
    return bool(after) and _is_pictograph(after) and _is_pictograph(_pictograph_at_end(before))


def _separates(before: str, after: str) -> bool:
    """Say whether two letters of a cursive script would join, were there no non-joiner between them."""
    left = next((char for char in reversed(before) if not _is_visible_mark(char)), "")
    right = next((char for char in after if not _is_visible_mark(char)), "")
    if not left or not right or re.match(_ENDS_JOINING, left):
        return False
    # The Arabic letter mark is no letter, whatever its name.
    return all(char.isalpha() and unicodedata.name(char, "").startswith(_CURSIVE) for char in (left, right))


def _is_visible_mark(char: str) -> bool:
    return unicodedata.category(char) == "Mn" and not re.match(_PRINTABLE_BUT_HIDDEN, char)


def _pictograph_at_end(text: str) -> str:
    """Return the last character, or the one before a skin tone or variation selector."""
    is_modified = len(text) > 1 and (text[-1] == "\ufe0f" or re.match(_SKIN_TONE, text[-1]))
    return text[-2] if is_modified else text[-1]


def _is_pictograph(char: str) -> bool:
    is_symbol = char >= "\u2190" and char not in _FILLERS and category(char) in {"So", "Sm"}
    return is_symbol or bool(re.match(_RESERVED_PICTOGRAPH, char))


def _is_flag_tag(text: str, at: int) -> bool:
    if not "\U000e0030" <= text[at] <= "\U000e007f":
        return False
    start = text.rfind(_BLACK_FLAG, max(at - 6, 0), at)
    return start >= 0 and text[start + 1 : start + 7] in _FLAG_TAGS
