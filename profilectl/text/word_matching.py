"""Words in names, for comparing: case and width folded, in every script."""

from __future__ import annotations

import re
import unicodedata

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_UNSEEN = re.compile("[\u034f\u200c\u200d\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")


def fold(text: str) -> str:
    """Return `text` without differences of case, width and presentation: NFKC and full case folding."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _UNSEEN.sub("", folded).replace("i\u0307", "i")  # what casefold makes of the Turkish İ


def words(text: str) -> list[str]:
    """Return the runs of letters, marks and digits of a text, in their order."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return "".join(char if unicodedata.category(char)[0] in "LMN" else " " for char in text).split()


class Phrase:
    """A folded word or two that can be looked for in names.

    It is found as whole words: "bot" is in "Acme (Bot)", not in "Botticelli". Scripts that write without spaces have
    no whole words, so there any place counts; so it does for a phrase of symbols only, such as an emoji.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._folded = fold(text)
        self._words = words(self._folded)
        self._anywhere = not self._words or any(map(_is_unspaced, self._folded))

    def found_in(self, folded: str) -> bool:
        """Say whether the phrase stands in a name that `fold` has been through."""
        if self._anywhere:
            return self._folded in folded
        if self._words[0] not in folded:
            return False
        return f" {' '.join(self._words)} " in f" {' '.join(words(folded))} "


def _is_unspaced(char: str) -> bool:
    return not char.isascii() and unicodedata.name(char, "").startswith(_UNSPACED)
