"""The sign that somebody types, as a customer sees it: X shows it for about three seconds after each call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.errors import RemoteError
from profilectl.system.threads import begin

if TYPE_CHECKING:
    from profilectl.api.client import XClient

SHORTEST: float = 2.0
"""Seconds for which the sign is seen before a message that nobody reads first."""

_AGAIN: float = 2.5  # seconds after which it is shown again: X's lasts for about three (X: indicate_typing)
_LONGEST: float = 120.0  # seconds: who has left the terminal isn't typing any more
_LAST_CALL: float = 1.0  # seconds that a call under way is waited for


class Typing(Struct, frozen=True):
    """How long the sign is shown before a message leaves, and what waits so long."""

    seconds: float = SHORTEST
    pause: Callable[[float], None] = time.sleep


class TypingSign:
    """What became of a sign that is shown in the background."""

    def __init__(self) -> None:
        self.since: float | None = None  # by `time.monotonic`; None before X has shown it
        self.error: RemoteError | None = None  # why it isn't shown any more

    @property
    def remaining(self) -> Typing | None:
        """How the sign is shown before the message leaves; None where X doesn't show it."""
        if self.error is not None:
            return None
        seen = 0.0 if self.since is None else time.monotonic() - self.since
        return Typing(max(0.0, SHORTEST - seen))


@contextmanager
def shown_typing(client: XClient, recipient_id: str) -> Iterator[TypingSign]:
    """Show the recipient that somebody types for as long as the block lasts, at most two minutes."""
    sign, over = TypingSign(), threading.Event()

    def show() -> None:
        end = time.monotonic() + _LONGEST
        while not over.is_set() and time.monotonic() < end:
            try:
                client.indicate_typing(recipient_id)
            except RemoteError as error:  # a courtesy, which the message doesn't depend on
                sign.error = error
                return
            sign.since = time.monotonic() if sign.since is None else sign.since
            over.wait(_AGAIN)

    shown = begin(show)
    try:
        yield sign
    finally:
        over.set()
        with suppress(TimeoutError):
            shown.result(_LAST_CALL)
