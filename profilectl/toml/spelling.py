"""Values and keys as TOML spells them, each on one line."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
# TOML 1.0 forbids control characters in strings; the others would hide what is written, or let it seem otherwise.
_HIDDEN = re.compile('[\\x00-\\x1f\\x7f-\\x9f\\\\"\u200b\u2028-\u202e\u2060-\u2069\ufeff]')


def spelled_key(key: str) -> str:
    """Return one part of a key, bare where that is enough."""
    return key if _BARE.fullmatch(key) else _text(key)


def spelled(value: Any) -> str:
    """Return a value on one line: text, number, true or false, date, array, or inline table."""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{spelled_key(key)} = {spelled(part)}" for key, part in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(map(spelled, value))}]"
    return repr(value)


def _text(value: str) -> str:
    return '"' + _HIDDEN.sub(_escaped, value) + '"'


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    return _ESCAPES.get(character) or f"\\u{ord(character):04x}"
