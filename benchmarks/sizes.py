"""How much is measured: everything, what a build has time for, or just enough to see that it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """Agents and rounds of each benchmark; None: it is left out.

    Attributes:
        start_rounds: of the start-up times.
        completed: agents whose names are completed.
        addressed: agents of the roster that ``send`` and ``roster`` read.
        synced: agents of a sync on loopback.
        sync_rounds: of every sync but those with one job and latency.
        own_pictures: agents of a sync where each has a picture of its own.
        sandboxed: agents of a sync against the real sandbox.
        distant: jobs and agents of each sync with latency, where each agent has a picture of its own.
        distant_tweepy: agents for which tweepy is run with latency; its time is scaled.
        encrypted: agents of a sync through TLS and the delaying proxy.
        recorded: records of messages in a long ledger.
        planned: agents that are planned in one process.
    """

    name: str
    start_rounds: int
    completed: int
    addressed: int
    synced: int
    sync_rounds: int
    own_pictures: int | None
    sandboxed: int | None
    distant: tuple[tuple[int, int], ...]
    distant_tweepy: int
    distant_rounds: int
    encrypted: int
    recorded: int
    planned: int


FULL = Size(
    "full",
    start_rounds=21,
    completed=1000,
    addressed=200,
    synced=1000,
    sync_rounds=5,
    own_pictures=1000,
    sandboxed=1000,
    distant=((1, 100), (8, 200), (8, 1000), (32, 1000)),
    distant_tweepy=60,
    distant_rounds=2,
    encrypted=1000,
    recorded=1_000_000,
    planned=5000,
)
SHORT = Size(
    "short",
    start_rounds=3,
    completed=1000,
    addressed=200,
    synced=200,
    sync_rounds=1,
    own_pictures=None,
    sandboxed=None,
    distant=((8, 160),),
    distant_tweepy=10,
    distant_rounds=1,
    encrypted=80,
    recorded=20_000,
    planned=1000,
)
TINY = Size(
    "tiny",
    start_rounds=1,
    completed=3,
    addressed=3,
    synced=3,
    sync_rounds=1,
    own_pictures=3,
    sandboxed=3,
    distant=((1, 3), (8, 3), (8, 4), (32, 3)),
    distant_tweepy=3,
    distant_rounds=1,
    encrypted=3,
    recorded=30,
    planned=3,
)
SIZES = {one.name: one for one in (FULL, SHORT, TINY)}
