"""Paths to what stands in a TOML document."""

from __future__ import annotations

import re

from profilectl.text.escape import excerpt

# Apart from `positions`, whose expressions are compiled only when there is a problem to place.
Path = tuple[str | int, ...]
"""Keys from the root of the document; an int is an index into an array."""

_BARE_KEY = r"[A-Za-z0-9_-]+"
_LONGEST = 80  # code points of a key; those of brands and agents have 64


def dotted(path: Path) -> str:
    """Return a path as people write it: ``agents.alice.operators[0]``, odd keys in quotes, visible and cut."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (_key(part))
    return text


def _key(part: str) -> str:
    is_plain = len(part) <= _LONGEST and re.fullmatch(_BARE_KEY, part)
    return part if is_plain else f'"{excerpt(part, _LONGEST)}"'


def spelled_key(text: str, *, is_bare: bool) -> str:
    """Return the key that a bare or quoted token spells."""
    if is_bare:
        return text
    if "\\" not in text:
        return text[1:-1]
    import tomli  # knows the escapes of quoted keys

    return str(tomli.loads(f"key = {text}")["key"])
