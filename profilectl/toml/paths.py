"""Paths to what stands in a TOML document."""

from __future__ import annotations

import re

from profilectl.text.escape import visible

# Apart from `positions`, whose expressions are compiled only when there is a problem to place.
Path = tuple[str | int, ...]
"""Keys from the root of the document; an int is an index into an array."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def dotted(path: Path) -> str:
    """Return a path as people write it: ``agents.alice.operators[0]``, odd keys in quotes and visible."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if _BARE_KEY.fullmatch(part) else f'"{visible(part)}"')
    return text
