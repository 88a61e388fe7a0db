"""What X's daily limits leave of a plan, as far as the ledger knows of earlier calls.

A forecast, never a refusal: what X itself answers stays the truth, because other tools may have used the same limits,
and X doesn't say when its days begin. The figures are those of X's documentation of custom profiles and of media.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from profilectl.model import Event
from profilectl.sync.outcomes import Status, limits

if TYPE_CHECKING:
    from profilectl.plan.builder import Plan
    from profilectl.sync.outcomes import Outcome

CALLS_A_DAY = 1000  # creates that X allows in 24 hours, and as many destroys
DAY_MS = 24 * 60 * 60 * 1000
UPLOADS = 500  # pictures in one window
WINDOW = 15 * 60  # seconds

_CREATING = {"created", "adopted", "unanswered"}  # an adoption without an intent was no create of ours
_DESTROYING = {"destroyed", "destroyed-stranger"}


class Budget(Struct, frozen=True):
    """One kind of call in one account; times are epoch milliseconds of X's clock."""

    planned: int
    used: int  # in the last 24 hours, as far as the ledger knows
    since_ms: int | None  # when the oldest of these was made
    free_ms: int  # when the first call that counts today stops counting, this run's own included

    @property
    def allowed(self) -> int:
        """How many calls are left for now."""
        return max(0, CALLS_A_DAY - self.used)

    @property
    def now(self) -> int:
        """How many of the planned calls a run makes now."""
        return min(self.planned, self.allowed)

    @property
    def rest(self) -> int:
        """How many of the planned calls have to wait."""
        return self.planned - self.now

    @property
    def again_ms(self) -> int | None:
        """When the rest can go on; None when nothing is left over."""
        return self.free_ms if self.rest else None


class Forecast(Struct, frozen=True):
    """What one brand's limits mean for one plan."""

    brand: str
    at_ms: int  # X's clock
    creates: Budget
    destroys: Budget

    @property
    def wait_seconds(self) -> int:
        """How long a run waits for uploads at most: X takes `UPLOADS` in a window, and each create needs one."""
        return max(0, (self.creates.now - 1) // UPLOADS) * WINDOW


def forecast(plan: Plan, brand: str, events: Iterable[Event], now_ms: int) -> Forecast:
    """Compare what a plan needs in one brand with what is left there, after the account's events of the last 24 hours.

    The later end of what the plan replaces isn't part of it. The time is X's clock, epoch milliseconds.
    """
    changes = [change for change in plan.changes if change.brand == brand]
    creations, removals = sum(change.creates for change in changes), sum(change.removes for change in changes)
    return Forecast(brand, now_ms, creates(creations, events, now_ms), destroys(removals, events, now_ms))


def creates(planned: int, events: Iterable[Event], now_ms: int) -> Budget:
    """Return what is left of an account's creates: one was made for every intent of which anything was heard."""
    moments: dict[str, int] = {}
    for event in events:
        nonce = event.detail.get("nonce")  # an unanswered create that is adopted later is one create
        if event.what in _CREATING and nonce is not None:
            moments[str(nonce)] = min(event.at_ms, moments.get(str(nonce), event.at_ms))
    return _budget(planned, moments.values(), now_ms)


def destroys(planned: int, events: Iterable[Event], now_ms: int) -> Budget:
    """Return what is left of an account's destroys."""
    return _budget(planned, [event.at_ms for event in events if event.what in _DESTROYING], now_ms)


def again_at(outcomes: Sequence[Outcome], recent: Mapping[str, Sequence[Event]], now_ms: int) -> datetime | None:
    """Return when another run can do more than the one that X's limits have stopped; None when nobody knows.

    `recent` holds the events of the last 24 hours at least, by brand. The time is X's clock, epoch milliseconds.
    """
    moments = []
    for brand, limit in limits(outcomes).items():
        left = any(
            outcome.change.creates and outcome.status is not Status.DONE
            for outcome in outcomes
            if outcome.change.brand == brand
        )
        budget = creates(int(left), recent.get(brand, ()), now_ms)
        # X's own reset may be that of uploads, while the day's creates are used up as well: X says so only of a create
        day_ends = None if budget.again_ms is None else datetime.fromtimestamp(budget.again_ms / 1000, UTC)
        known = [moment for moment in (limit.retry_at, day_ends) if moment is not None]
        moments += [max(known)] if known else []
    return min(moments, default=None)  # as soon as one brand can go on


def to_document(forecast: Forecast) -> dict[str, Any]:
    """Return a forecast as a part of the plan's document."""
    return {
        "brand": forecast.brand,
        "creates": _to_document(forecast.creates),
        "destroys": _to_document(forecast.destroys),
        "wait_seconds": forecast.wait_seconds,
    }


def _to_document(budget: Budget) -> dict[str, Any]:
    again_at = None if budget.again_ms is None else datetime.fromtimestamp(budget.again_ms // 1000, UTC)
    counts = {name: getattr(budget, name) for name in ("planned", "used", "allowed", "now", "rest")}
    return counts | {"again_at": None if again_at is None else again_at.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _budget(planned: int, moments: Iterable[int], now_ms: int) -> Budget:
    counting = [moment for moment in moments if moment > now_ms - DAY_MS]
    since_ms = min(counting, default=None)
    # where no call counts yet, the first one is this run's own
    return Budget(planned, len(counting), since_ms, (now_ms if since_ms is None else since_ms) + DAY_MS)
