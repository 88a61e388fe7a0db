"""The known word that somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from profilectl.text.escape import excerpt

_LONGEST = 80  # code points: more isn't a slip of the finger, and comparing is quadratic


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``, did you mean "name"?`` for the known word that is close enough, else an empty string."""
    spellings = {name.lower(): name for name in known}
    close = spellings.get(nearest(word[:_LONGEST].lower(), tuple(spellings)) or "")
    return f', did you mean "{excerpt(close)}"?' if close else ""


@cache
def nearest(word: str, known: tuple[str, ...]) -> str | None:
    """Return the nearest known word or None; remembered, as one slip is often repeated in every entry."""
    import difflib

    return next(iter(difflib.get_close_matches(word, known, n=1)), None)
