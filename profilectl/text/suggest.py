"""The known word that somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import takewhile

from profilectl.text.escape import excerpt

_BEGINNING = 0.05  # for each letter in common, beside a ratio from 0.6 to 1; about half of what Jaro-Winkler adds at 0
_MOST_BEGINNING = 4  # letters, as Winkler has it
_LONGEST = 80  # code points: more isn't a slip of the finger, and comparing is quadratic


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``, did you mean "name"?`` for the known word that is close enough, else an empty string."""
    spellings = {name.lower(): name for name in known}
    close = spellings.get(nearest(word[:_LONGEST].lower(), tuple(spellings)) or "")
    return f', did you mean "{excerpt(close)}"?' if close else ""


@cache
def nearest(word: str, known: tuple[str, ...]) -> str | None:
    """Return the nearest known word or None; remembered, as one slip is often repeated in every entry.

    A common beginning counts a little more than the rest: "sended" means "sent" rather than "intended".
    """
    import difflib

    def closeness(name: str) -> float:
        same = takewhile(lambda pair: pair[0] == pair[1], zip(word, name, strict=False))
        beginning = min(len(list(same)), _MOST_BEGINNING)
        return difflib.SequenceMatcher(None, name, word).ratio() + _BEGINNING * beginning

    return max(difflib.get_close_matches(word, known, n=5), key=closeness, default=None)
