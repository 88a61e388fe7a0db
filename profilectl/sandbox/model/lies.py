"""What X may say that isn't so: lists that lack, repeat or borrow profiles, and names that it writes its own way."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from profilectl.sandbox.model.faults import LIST_LIES, Kind

if TYPE_CHECKING:
    from profilectl.sandbox.model.faults import Fault

CURSOR = re.compile(r"(\d{1,2})\.(\d{1,15})\.(\d{1,9})", re.ASCII)
_STALE_SECONDS = 600.0  # the age of a stale list, unless the rule says another
_JOINERS = "\u200d\ufe0e\ufe0f"  # what emoji are made of beside symbols
_SYMBOLS = ("So", "Sk")  # Unicode's categories of emoji and of their skin tones
Entry = TypeVar("Entry")


class LyingPosition(NamedTuple):
    """Where a reading that is lied to goes on. It travels in the cursor, so that one reading is told one story."""

    lie: int  # index in LIST_LIES
    as_of_ms: int  # the moment that a stale list shows, in epoch milliseconds
    offset: int = 0  # entries told so far

    @property
    def kind(self) -> Kind:
        """Which lie it is."""
        return LIST_LIES[self.lie % len(LIST_LIES)]


def begin_reading(faults: Mapping[Kind, Fault], now_ms: int) -> LyingPosition | None:
    """The first lie on order for a reading of the list that begins `now_ms`; None if the truth will be told."""
    for number, kind in enumerate(LIST_LIES):
        if kind in faults:
            seconds = faults[kind].seconds
            age = _STALE_SECONDS if seconds is None else seconds
            return LyingPosition(number, max(now_ms - int(age * 1000), 0))
    return None


def bend(kind: Kind, entries: Sequence[Entry], count: int) -> list[Entry]:
    """What a reading is told instead of `entries`, in pages of `count`."""
    match kind:
        case Kind.EMPTY_LIST:
            return []
        case Kind.HALF_LIST:
            return [*entries[1::2]]
        case Kind.SHRINKING_LIST:
            return [*entries[:count], *entries[count + 1 :: 2]]
        case Kind.REORDERED_LIST if len(entries) > count:
            return [*entries[:count], entries[count - 1], *entries[count + 1 :]]
        case Kind.CURSORLESS_LIST:
            return [*entries[:count]]
    return [*entries]


def shown_name(name: str, faults: Mapping[Kind, Fault]) -> str:
    """The name as X keeps it under these faults, never an empty one."""
    if Kind.NAME_ESCAPED in faults:
        name = html.escape(name, quote=False)
    if Kind.NAME_FOLDED in faults:
        name = " ".join(name.split())
    if Kind.NAME_NFD in faults:
        name = unicodedata.normalize("NFD", name)
    if Kind.NAME_WITHOUT_EMOJI in faults:
        name = "".join(filter(_is_no_emoji, name)).strip() or name
    return name


def _is_no_emoji(character: str) -> bool:
    return character not in _JOINERS and unicodedata.category(character) not in _SYMBOLS
