"""Words in names and texts, for finding them: without differences of case, width and accent, in every script.

The one finder of the program: a word is found as a word, in scripts that write without spaces as well.
"""

from __future__ import annotations

import re
import unicodedata

from profilectl.text.later_unicode import category, script_name

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_UNSEEN = "[\u00ad\u034f\u200b-\u200f\u2060\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
_WIDTHS = ("<wide>", "<narrow>")
_LONG = 4  # letters: what is that long in a script without spaces isn't by chance a part of another word


def fold(text: str) -> str:
    """Return `text` without differences of case, width and presentation: NFKC and full case folding."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return re.sub(_UNSEEN, "", folded).replace("i\u0307", "i")  # what casefold makes of the Turkish İ


def words(text: str) -> list[str]:
    """Return the runs of letters, marks and digits of a text, in their order."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return "".join(char if category(char)[0] in "LMN" else " " for char in text).split()


class Words:
    """A text, cut into words for many phrases to be found in it.

    Where a script writes without spaces, what is written in it is one word up to the next letter of another script.

    Args:
        text: as it is read.
        strict: whether only the plain letters of a script count; else superscripts, circled and styled letters, too.
    """

    def __init__(self, text: str, *, strict: bool = False) -> None:
        self.plain = _without_accents(_lower(text) if strict else fold(text))
        self.list = _runs(self.plain)
        self.row = f" {' '.join(self.list)} "
        self.letters = "".join(self.list)

    def holds(self, phrase: list[str]) -> bool:
        """Say whether words, cut as these are, stand here side by side; in a script without spaces, within a run."""
        letters = "".join(phrase)
        return f" {' '.join(phrase)} " in self.row or (is_unspaced(letters) and letters in self.letters)


class Phrase:
    """A word or two that can be looked for in `Words`.

    It is found as whole words: "bot" is in "Acme (Bot)", not in "Botticelli"; and ボット isn't in アボット. What is
    long (`_LONG`), or Chinese, is found within a longer run as well, as scripts without spaces have no whole words; so
    is a phrase of symbols only, such as an emoji.

    Args:
        text: the phrase.
        within: letters from which on a phrase of a script without spaces is found within a longer run.
    """

    def __init__(self, text: str, *, within: int = _LONG) -> None:
        self.text = text
        bare = Words(text)
        self._plain = bare.plain
        self._list = bare.list
        self._row = bare.row
        self._letters = bare.letters
        is_chinese = {_unspaced_script(char) for char in bare.letters} == {"CJK"}
        self._is_within = is_unspaced(bare.letters) and len(bare.letters) >= (2 if is_chinese else within)

    def found_in(self, text: Words) -> bool:
        """Say whether the phrase stands in a text."""
        if not self._list:
            return self._plain in text.plain
        return self._row in text.row or (self._is_within and self._letters in text.letters)

    def before_end_of(self, text: Words) -> list[str] | None:
        """Return the words before the phrase where a text ends with it, but for a number; None where it doesn't."""
        if not self._list:
            ends = text.plain.rstrip().endswith(self._plain)
            return text.list if ends else None
        rest = text.list[:-1] if len(text.list) > 1 and text.list[-1].isdigit() else text.list
        if rest[-len(self._list) :] == self._list:
            return rest[: -len(self._list)]
        if self._is_within and (letters := "".join(rest)).endswith(self._letters):
            return [letters[: -len(self._letters)]]
        return None


def _lower(text: str) -> str:
    """Fold case and width only: letters that merely look like others, or are set above the line, stay what they are."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", _without_widths(text)).casefold())
    return re.sub(_UNSEEN, "", folded).replace("i\u0307", "i")


def _without_widths(text: str) -> str:
    return "".join(
        unicodedata.normalize("NFKC", char) if unicodedata.decomposition(char).startswith(_WIDTHS) else char
        for char in text
    )


def _without_accents(text: str) -> str:
    """Return a text without the marks that many leave out: accents, and the points of Hebrew and Arabic."""
    if text.isascii():
        return text
    letters = (char for char in unicodedata.normalize("NFD", text) if not _is_accent(char))
    return unicodedata.normalize("NFC", "".join(letters))


def _is_accent(char: str) -> bool:
    # UAX 44's combining classes: 10 to 36 are Hebrew, Arabic and Syriac points, from 200 on it is accents; what is
    # between, and 0 to 9, are vowels and signs without which Indic, Thai and Japanese words are others
    order = unicodedata.combining(char)
    return 10 <= order <= 36 or order >= 200


def _runs(plain: str) -> list[str]:
    """Return the words of a folded text, where a change of script ends a word in those without spaces."""
    if plain.isascii():
        return _ASCII_WORD.findall(plain)
    parts, before = [], None
    for char in plain:
        sort = category(char)
        if sort[0] not in "LMN":
            parts.append(" ")
            before = None
            continue
        script = _unspaced_script(char)
        if sort[0] == "M" or sort == "Lm":  # belongs to the letter before it
            script = before if before is not None else script
        if before is not None and script != before:
            parts.append(" ")
        parts.append(char)
        before = script
    return "".join(parts).split()


def is_unspaced(letters: str) -> bool:
    """Say whether letters are all of scripts that write without spaces."""
    return bool(letters) and all(map(_unspaced_script, letters))


def _unspaced_script(char: str) -> str:
    """Return the script of a letter where it is written without spaces, else an empty string."""
    if char.isascii():
        return ""
    name = script_name(char)
    return next((script for script in _UNSPACED if name.startswith(script)), "")
