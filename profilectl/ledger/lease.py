"""The right to change a ledger's bindings: one run has it at a time, and who lost it can write nothing any more.

Each run counts the ledger's epoch up, and each of its transactions begins with the proof that the epoch is still its
own. On a shared database the right ends by itself when its holder doesn't renew it, so that no run has to wait for a
machine that was switched off; on a file the kernel's lock decides who may, and the epoch only proves it.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from profilectl.errors import TryLater
from profilectl.ledger import schema
from profilectl.system.host import host_name, user_name
from profilectl.system.locks import Holder

if TYPE_CHECKING:
    from profilectl.ledger.schema import Value
    from profilectl.ledger.store import Execute

TTL: Final = 60.0
"""Seconds after which a lease that isn't renewed is free for others; by the database's clock."""

RENEWAL: Final = 10.0
"""Seconds between two renewals: five may fail before the lease is lost."""

_NEVER_MS: Final = 2**62


class Lease(Struct, frozen=True):
    """Who has the right to change a ledger's bindings, or had it last; times are epoch milliseconds of its clock."""

    epoch: int
    command: str
    pid: int
    host: str
    user: str
    since_ms: int
    expires_ms: int  # 0 once it was given back

    def is_held(self, now_ms: int) -> bool:
        """Whether nobody else may take it yet."""
        return self.expires_ms > now_ms

    @property
    def holder(self) -> Holder:
        """Who holds it, as the holder of a file's lock is told."""
        since = datetime.fromtimestamp(self.since_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Holder(self.command, self.pid, self.host, self.user, since)

    def describe(self) -> str:
        """Say who holds it, and since when."""
        return self.holder.describe()


def current(execute: Execute) -> Lease | None:
    """Return the newest lease, which may be over; None when no run was ever begun."""
    rows = execute(schema.GET_LEASE)
    return Lease(*rows[0]) if rows else None


def take(execute: Execute, command: str, now_ms: int, *, ttl_ms: int | None) -> Lease:
    """Return the new lease of this process; without a `ttl_ms` it doesn't end by itself. Asks nobody."""
    former = current(execute)
    epoch, expires_ms = (former.epoch if former else 0) + 1, _NEVER_MS if ttl_ms is None else now_ms + ttl_ms
    lease = Lease(epoch, command, os.getpid(), host_name(), user_name(), now_ms, expires_ms)
    values: dict[str, Value] = {"pid": lease.pid, "host": lease.host, "os_user": lease.user, "since_ms": now_ms}
    execute(schema.ADD_LEASE, epoch=epoch, command=command, expires_ms=expires_ms, **values)
    execute(schema.DELETE_FORMER_LEASES, epoch=epoch)
    return lease


def renew(execute: Execute, epoch: int, expires_ms: int) -> None:
    """Prove that a lease is still the newest, and let it last until then; 0 gives it back.

    Raises:
        TryLater: another run has taken it.
    """
    if not execute(schema.RENEW_LEASE, epoch=epoch, expires_ms=expires_ms):
        raise lost(current(execute))


def lost(successor: Lease | None) -> TryLater:
    """Return the error of a run that has lost its lease, to `successor` where that is known."""
    what = "another run" if successor is None else successor.describe()
    return TryLater(
        f"the ledger was taken over by {what}, because this run was paused or cut off for too long",
        hint="run it again; what it had done by then is in the ledger, and it has done nothing since",
    )
