"""How foreign texts, times and names are put on a page."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from jinja2 import Environment

TELEPHONE = Path(__file__).parent.parent.parent / "telephone"
"""The look of a conversation: data, which `profilectl preview --html` reads as well. No code is shared."""

_HARMLESS = "\n\u200c\u200d"  # emoji and some scripts need the joiners; other invisible characters only deceive
_HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # letters and marks by category, and nothing to the eye


def visible(text: str) -> str:
    """The text with its control, bidirectional and invisible characters spelled out; line breaks stay."""
    return "".join(_spelled_out(character) for character in text)


def _spelled_out(character: str) -> str:
    is_hidden = unicodedata.category(character) in _HIDDEN or character in _FILLERS
    if character in _HARMLESS or not is_hidden:
        return character
    return f"<U+{ord(character):04X}>"


def message(text: str) -> str:
    """A text of several lines, whose ends come in two kinds."""
    return visible(text.replace("\r\n", "\n"))


@cache
def bot_name() -> re.Pattern[str]:
    """What tells a bot from a person: a word in the public name, as X knows nothing else about who speaks.

    X draws no badge; the pages do, so that a rehearsal shows which names would be understood.
    """
    return re.compile((TELEPHONE / "bot_name.regex").read_text(encoding="utf-8"), re.IGNORECASE | re.VERBOSE)


def clock(epoch_ms: int) -> str:
    """The time of day."""
    return _moment(epoch_ms).strftime("%H:%M")


def day(epoch_ms: int) -> str:
    """The date."""
    date = _moment(epoch_ms)
    return f"{date.day} {date:%B %Y}"


def iso(epoch_ms: int) -> str:
    """Date and time for machines, to the minute."""
    return _moment(epoch_ms).strftime("%Y-%m-%dT%H:%MZ")


def _moment(epoch_ms: int) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)


def host(url: str) -> str:
    """Where an address leads: what a reader should know before following it."""
    try:
        return urlsplit(url).hostname or url
    except ValueError:
        return url


def teach(environment: Environment) -> None:
    """Give templates the words above."""
    words = (visible, message, clock, day, iso, host)
    environment.filters.update((word.__name__, word) for word in words)
    environment.tests["a_bot"] = bot_name().search
