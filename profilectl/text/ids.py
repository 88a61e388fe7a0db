"""How an id of X is written: X compares numbers, the ledger compares text, so each number has one form only."""

from __future__ import annotations

import re

_ID = re.compile(r"[1-9][0-9]{0,19}")  # an unsigned 64-bit number has at most 20 digits


def is_id(text: str) -> bool:
    """Return whether a text is an id as X writes it: ASCII digits, the first of which isn't 0, at most 20."""
    return _ID.fullmatch(text) is not None


def as_read(user_id: str, handle: str | None) -> str:
    """Return somebody as people read it: ``@ada (12345)``, or the id alone."""
    return user_id if handle is None else f"@{handle.removeprefix('@')} ({user_id})"
