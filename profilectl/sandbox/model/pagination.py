"""Where a list goes on: the id that the next page stays below, in base64 as X's cursors are."""

from __future__ import annotations

import base64
import binascii
import re
from typing import NamedTuple

from profilectl.sandbox.model.errors import Refusal, Refused

BEYOND = 2**63 - 1  # above every id
_TEXT = re.compile(r"(\d{1,19})(?:\.(\d{1,9}))?", re.ASCII)


class Place(NamedTuple):
    """A place in a list that runs from high ids to low ones."""

    before: int = BEYOND
    turn: int = 0  # how many empty pages led here, so that no cursor ever repeats

    def cursor(self) -> str:
        """The place as clients see it: opaque."""
        text = f"{self.before}.{self.turn}" if self.turn else str(self.before)
        return base64.b64encode(text.encode()).decode()


def read_cursor(cursor: str | None) -> Place:
    """The place that a cursor stands for; none is the beginning.

    Raises:
        Refused: not a cursor of ours
    """
    if not cursor:
        return Place()
    try:
        found = _TEXT.fullmatch(base64.b64decode(cursor, validate=True).decode())
    except (binascii.Error, ValueError):
        found = None
    if found is None or int(found[1]) > BEYOND:
        raise Refused(Refusal.PARAMETER_INVALID, "cursor")
    return Place(int(found[1]), int(found[2] or 0))
