"""Adds records of messages to a ledger, as sends of three years leave them: nine in ten of them before today."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from profilectl.ledger.sqlite import open_for_writing
from profilectl.model import Event

DAY_MS = 86_400_000
BATCH = 10_000  # records of one transaction


def event(user_id: str, number: int, at_ms: int) -> Event:
    """Return one of the two records of a message, with as much in it as a real one has."""
    detail = {
        "recipient_id": str(10**9 + number // 2 % 50_000),
        "text_hmac": f"2026-11:{number:064x}",
        "text_length": 120,
        "name": f"Agent {number % 200}",
        "picture": f"sha256:{'a' * 64}",
        "origin": "person at a terminal",
        "user": "op@desk",
        "roster": f"sha256:{'b' * 64}",
        "plan": f"sha256:{'c' * 64}",
        "nonce": f"{number // 2:016x}",
    }
    what = "sent" if number % 2 else "promised"
    return Event(what, user_id, at_ms, f"agent{number // 2 % 200}", str(10**18 + number // 2 % 200), detail)


def main() -> None:
    most, now_ms = int(sys.argv[1]), int(time.time() * 1000)
    with open_for_writing(Path(os.environ["PROFILECTL_LEDGER"])) as ledger:
        (user_id,) = ledger.user_ids()
        for begin in range(0, most, BATCH):
            with ledger.batch():
                for number in range(begin, min(most, begin + BATCH)):
                    left = 1 - number / most  # the last tenth is today's
                    days = 10 * left if left < 0.1 else 1 + 1000 * (left - 0.1)
                    ledger.record(event(user_id, number, now_ms - int(days * DAY_MS)))


if __name__ == "__main__":
    main()
