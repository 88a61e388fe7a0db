"""The right to change a ledger's bindings: one run has it at a time, and who lost it can write nothing any more.

Each run counts the ledger's epoch up, and each of its transactions begins with the proof that the epoch is still its
own. On a shared database the right ends by itself when its holder doesn't renew it, so that no run has to wait for a
machine that was switched off; on a file the kernel's lock decides who may, and the epoch only proves it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
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

ALL: Final = "*"
"""Stands for every account, where a run can't know beforehand which accounts it is about."""

_NEVER_MS: Final = 2**62


class Lease(Struct, frozen=True):
    """Who has the right to change an account's rows, or had it last; times are epoch milliseconds of its clock."""

    account: str
    epoch: int  # of the run, which has the same one for all of its accounts
    command: str
    pid: int
    host: str
    user: str
    since_ms: int
    expires_ms: int  # 0 once it was given back

    def is_held(self, now_ms: int) -> bool:
        """Whether nobody else may take it yet."""
        return self.expires_ms > now_ms

    def concerns(self, accounts: Collection[str]) -> bool:
        """Whether it and a run about these accounts exclude each other."""
        return self.account in accounts or ALL in accounts or self.account == ALL

    @property
    def holder(self) -> Holder:
        """Who that is."""
        since = datetime.fromtimestamp(self.since_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Holder(self.command, self.pid, self.host, self.user, since)


def read_all(execute: Execute) -> tuple[Lease, ...]:
    """Return every account's newest lease, those that are over included, the newest run's first."""
    return tuple(Lease(*row) for row in execute(schema.GET_LEASES))


def held(leases: Iterable[Lease], now_ms: int) -> Lease | None:
    """Return the first of these that isn't over, None when all are."""
    return next((lease for lease in leases if lease.is_held(now_ms)), None)


def take(
    execute: Execute, command: str, now_ms: int, *, accounts: Collection[str] = (ALL,), ttl_ms: int | None = None
) -> int:
    """Let this process have the leases of these accounts, whoever had them, and return their epoch.

    Without a `ttl_ms`, in milliseconds, they don't end by themselves.
    """
    former = read_all(execute)
    epoch = max((lease.epoch for lease in former), default=0) + 1
    for lease in former:
        if lease.concerns(accounts):
            execute(schema.DELETE_LEASE, account=lease.account)
    values: dict[str, Value] = {"pid": os.getpid(), "host": host_name(), "os_user": user_name(), "since_ms": now_ms}
    values |= {"epoch": epoch, "command": command, "expires_ms": _NEVER_MS if ttl_ms is None else now_ms + ttl_ms}
    for account in accounts:
        execute(schema.SAVE_LEASE, account=account, **values)
    return epoch


def renew(execute: Execute, epoch: int, since_ms: int, accounts: Collection[str], expires_ms: int) -> None:
    """Prove that a run still has the leases of all its accounts, and let them last until then; 0 gives them back.

    Raises:
        TryLater: another run has taken one of them.
    """
    # a ledger that was restored, or has failed over, gives an epoch out again, but to a run of another beginning
    rows = execute(schema.RENEW_LEASES, epoch=epoch, since_ms=since_ms, expires_ms=expires_ms)
    if {account for (account,) in rows} != set(accounts):
        others = (lease for lease in read_all(execute) if (lease.epoch, lease.since_ms) != (epoch, since_ms))
        raise lost(lease for lease in others if lease.concerns(accounts))


def require(execute: Execute, epoch: int) -> None:
    """Make sure that no run has begun since this one of a whole ledger.

    Raises:
        TryLater: one has.
    """
    newer = tuple(lease for lease in read_all(execute) if lease.epoch > epoch)
    if newer:
        raise lost(newer)


def lost(successors: Iterable[Lease]) -> TryLater:
    """Return the error of a run that has lost its leases, to the first of these where there is one."""
    successor = next((lease.holder.describe() for lease in successors), "another run")
    return TryLater(
        f"the ledger was taken over by {successor}, because this run was paused or cut off for too long",
        hint="run it again; what it had done by then is in the ledger, and it has done nothing since",
    )
