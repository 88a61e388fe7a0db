"""What X's limits leave of a plan, as far as the ledger knows of earlier calls by any machine.

`forecast` says beforehand what a run can do, `CallBudget` keeps it from sending more. What X itself answers stays the
truth where it allows less, because other tools may have used the same limits, and X doesn't say when its days begin.
The figures are those of X's documentation of custom profiles and of media.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from msgspec import Struct

from profilectl.errors import RateLimited
from profilectl.model import Event
from profilectl.sync.outcomes import Status, limits

if TYPE_CHECKING:
    from profilectl.plan.builder import Plan
    from profilectl.sync.outcomes import Outcome

CALLS_A_DAY = 1000  # creates that X allows in 24 hours, and as many destroys
DAY_MS = 24 * 60 * 60 * 1000
UPLOADS = 500  # pictures in one window
WINDOW = 15 * 60  # seconds

_MADE = {"created", "adopted", "unanswered"}  # an adoption without an intent was no create of ours
_DESTROYING = {"destroyed", "destroyed-stranger"}
_NEVER = datetime.max.replace(tzinfo=UTC)


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
    uploads: int = 0  # in the window that ends now, by any machine

    @property
    def wait_seconds(self) -> int:
        """How long a run waits for uploads at most: X takes `UPLOADS` in a window, and each create needs one."""
        return max(0, (self.uploads + self.creates.now - 1) // UPLOADS) * WINDOW if self.creates.now else 0


def forecast(plan: Plan, brand: str, events: Iterable[Event], now_ms: int) -> Forecast:
    """Compare what a plan needs in one brand with what is left there, after the account's events of the last 24 hours.

    The later end of what the plan replaces isn't part of it. The time is X's clock, epoch milliseconds.
    """
    changes = [change for change in plan.changes if change.brand == brand]
    creations, removals = sum(change.creates for change in changes), sum(change.removes for change in changes)
    events = tuple(events)
    uploads = sum(at_ms > now_ms - WINDOW * 1000 for at_ms in _promised(events)[0].values())
    return Forecast(brand, now_ms, creates(creations, events, now_ms), destroys(removals, events, now_ms), uploads)


def creates(planned: int, events: Iterable[Event], now_ms: int) -> Budget:
    """Return what is left of an account's creates: each intent counts unless it was withdrawn before an answer."""
    promised, withdrawn = _promised(events)
    return _budget(planned, (at_ms for nonce, at_ms in promised.items() if nonce not in withdrawn), now_ms)


def destroys(planned: int, events: Iterable[Event], now_ms: int) -> Budget:
    """Return what is left of an account's destroys."""
    return _budget(planned, _destroyed(events), now_ms)


@dataclass(slots=True)
class CallBudget:
    """What a run may send to one account; the lists hold when what counts was sent, X's clock, epoch milliseconds.

    An upload counts with its intent. One that never came to an intent, as its run was killed, or that went along with a
    message, is unknown here: there X's own answer ends the run.
    """

    creates: list[int]
    uploads: list[int]
    destroys: list[int]

    @classmethod
    def of(cls, events: Iterable[Event]) -> Self:
        """Count an account's events of the last 24 hours at least, those of every machine."""
        events = tuple(events)
        promised, withdrawn = _promised(events)
        creates = [at_ms for nonce, at_ms in promised.items() if nonce not in withdrawn]
        return cls(sorted(creates), sorted(promised.values()), sorted(_destroyed(events)))

    def take_create(self, now_ms: int) -> bool:
        """Count a create and its upload, and say whether they may be sent; otherwise nothing is counted."""
        if self.create_limit(1, now_ms) is not None:
            return False
        self.creates.append(now_ms)
        self.uploads.append(now_ms)
        return True

    def give_back_create(self) -> None:
        """Take the last create off again, which surely wasn't applied; its upload still counts."""
        self.creates.pop()

    def create_limit(self, planned: int, now_ms: int) -> RateLimited | None:
        """Return the limit that leaves nothing, with the moment when creates can go on; None if both leave some.

        That is when the day has room for one more, and for pictures when there is room for as many as are planned.
        Where both leave nothing, it is the one that lasts longer.
        """
        limits = (
            _limit(self.creates, 1, now_ms, CALLS_A_DAY, DAY_MS, "creates in 24 hours"),
            _limit(self.uploads, planned, now_ms, UPLOADS, WINDOW * 1000, f"pictures in {WINDOW // 60} minutes"),
        )
        reached = [limit for limit in limits if limit is not None]
        return max(reached, key=lambda limit: limit.retry_at or _NEVER, default=None)

    def take_destroy(self, now_ms: int) -> RateLimited | None:
        """Count a destroy, or return the limit that leaves none."""
        limit = _limit(self.destroys, 1, now_ms, CALLS_A_DAY, DAY_MS, "destroys in 24 hours")
        if limit is None:
            self.destroys.append(now_ms)
        return limit


def _limit(moments: Sequence[int], planned: int, now_ms: int, most: int, span_ms: int, what: str) -> RateLimited | None:
    if len(moments) < most:  # asked for every create: none is looked at twice before there are that many
        return None
    counting = sorted(moment for moment in moments if moment > now_ms - span_ms)
    if len(counting) < most:
        return None
    # whoever waits for a window to have room for all would go on one by one otherwise
    last = counting[len(counting) - most + min(planned, most) - 1]
    retry_at = datetime.fromtimestamp((last + span_ms) / 1000, UTC)
    return RateLimited(f"X allows {most:,} {what}, and the ledger counts {len(counting):,}", retry_at=retry_at)


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


def _promised(events: Iterable[Event]) -> tuple[dict[str, int], set[str]]:
    """Return when each intent was written or heard of first, and those that were withdrawn before any answer."""
    promised: dict[str, int] = {}
    withdrawn, made = set[str](), set[str]()
    for event in events:
        if event.detail.get("nonce") is None:
            continue
        nonce = str(event.detail["nonce"])  # an unanswered create that is adopted later is one create
        if event.what in _MADE | {"intended"}:
            promised[nonce] = min(event.at_ms, promised.get(nonce, event.at_ms))
        made |= {nonce} if event.what in _MADE else set()
        withdrawn |= {nonce} if event.what == "withdrawn" else set()
    return promised, withdrawn - made


def _destroyed(events: Iterable[Event]) -> list[int]:
    return [event.at_ms for event in events if event.what in _DESTROYING]


def _budget(planned: int, moments: Iterable[int], now_ms: int) -> Budget:
    counting = [moment for moment in moments if moment > now_ms - DAY_MS]
    since_ms = min(counting, default=None)
    # where no call counts yet, the first one is this run's own
    return Budget(planned, len(counting), since_ms, (now_ms if since_ms is None else since_ms) + DAY_MS)
