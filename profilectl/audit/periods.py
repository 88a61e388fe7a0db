"""A stretch of time that somebody asks about."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

ALWAYS_MS: Final = 2**62  # epoch milliseconds that no record reaches


class Period(Struct, frozen=True):
    """From a moment on, up to another one that doesn't belong to it; epoch milliseconds."""

    from_ms: int = -ALWAYS_MS
    until_ms: int = ALWAYS_MS

    def has(self, at_ms: int) -> bool:
        """Say whether a moment belongs to it."""
        return self.from_ms <= at_ms < self.until_ms
