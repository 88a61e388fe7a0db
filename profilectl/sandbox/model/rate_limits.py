"""How often one may call: X's figures, counted in fixed windows that open with the first call."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Self

from profilectl.sandbox.model.errors import Refusal, Refused

if TYPE_CHECKING:
    from profilectl.sandbox.model.store import Store

QUARTER_HOUR = 15 * 60
DAY = 24 * 60 * 60


class Limit(NamedTuple):
    """So many calls in a window of so many seconds."""

    calls: int
    seconds: int


# X documents the figures of custom profiles, messages, media and feedback; those of verify, user and limits are the
# ones that rate_limit_status has shown for years. Families ending in "-app" are shared by all accounts, those ending in
# "-recipient" hold for each account and recipient.
X_LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        "create": Limit(1_000, DAY),
        "destroy": Limit(1_000, DAY),
        "list": Limit(180, QUARTER_HOUR),
        "show": Limit(180, QUARTER_HOUR),
        "send": Limit(1_000, DAY),
        "send-app": Limit(15_000, DAY),
        "messages": Limit(15, QUARTER_HOUR),
        "message": Limit(15, QUARTER_HOUR),
        "welcome-messages": Limit(15, QUARTER_HOUR),
        "typing": Limit(1_000, QUARTER_HOUR),
        "upload": Limit(500, QUARTER_HOUR),
        "upload-app": Limit(50_000, DAY),
        "upload-status": Limit(1_000, QUARTER_HOUR),
        "upload-begin": Limit(1_875, QUARTER_HOUR),
        "upload-append": Limit(1_875, QUARTER_HOUR),
        "upload-finish": Limit(1_875, QUARTER_HOUR),
        "feedback": Limit(1_000, DAY),
        "feedback-recipient": Limit(1, DAY),
        "feedback-show": Limit(180, QUARTER_HOUR),
        "feedback-events": Limit(1_000, QUARTER_HOUR),
        "verify": Limit(75, QUARTER_HOUR),
        "user": Limit(900, QUARTER_HOUR),
        "limits": Limit(180, QUARTER_HOUR),
    }
)


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that a world enforces: X's own unless whoever starts the sandbox chooses others."""

    families: Mapping[str, Limit] = field(default_factory=lambda: X_LIMITS)

    @classmethod
    def generous(cls) -> Self:
        """A million calls per window in every family, for runs larger than X would allow in one go."""
        return cls({family: Limit(1_000_000, limit.seconds) for family, limit in X_LIMITS.items()})

    def replace(self, **calls: int) -> Limits:
        """The same with other numbers, ``_`` for ``-``: ``Limits().replace(upload_app=5)``; KeyError if unknown."""
        changed = {name.replace("_", "-"): number for name, number in calls.items()}
        limits = {family: Limit(number, self.families[family].seconds) for family, number in changed.items()}
        return Limits({**self.families, **limits})


class RateStatus(NamedTuple):
    """What X's ``x-rate-limit-`` headers say; `reset` in epoch seconds."""

    limit: int
    remaining: int
    reset: int


class Exhausted(Refused):
    """A limit is used up until `status.reset`."""

    def __init__(self, status: RateStatus) -> None:
        super().__init__(Refusal.RATE_LIMITED)
        self.status = status


class Quotas:
    """The count of calls per family and holder; a holder is a user id, the app, or a pair of user ids."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits.families

    def spend(self, family: str, holder: str) -> RateStatus:
        """Count one call; Exhausted if the window is full, and the call isn't counted."""
        with self._store.transaction():
            status, opened = self._read(family, holder)
            if status.remaining == 0:
                raise Exhausted(status)
            used = status.limit - status.remaining + 1
            self._store.change("INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?)", family, holder, opened, used)
        return status._replace(remaining=status.remaining - 1)

    def status(self, family: str, holder: str) -> RateStatus:
        """What is left, without counting a call."""
        return self._read(family, holder)[0]

    def _read(self, family: str, holder: str) -> tuple[RateStatus, float]:
        limit, now = self._limits[family], self._store.now()
        row = self._store.row("SELECT opened, used FROM windows WHERE family = ? AND holder = ?", family, holder)
        opened, used = (row["opened"], row["used"]) if row and now < row["opened"] + limit.seconds else (now, 0)
        return RateStatus(limit.calls, max(limit.calls - used, 0), math.ceil(opened + limit.seconds)), opened
