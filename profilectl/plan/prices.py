"""What calls cost at X, as far as a price is known: X bills by the call since 2026, and publishes few of the prices.

X's own price list (read on 2026-11-29) names a Direct Message; whether calls of v1.1 and custom profiles are billed at
all isn't published. So the figures are estimates, with the day on which they were read.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from profilectl.model import Prices

if TYPE_CHECKING:
    from profilectl.plan.builder import Plan

KNOWN: Final = Prices({"dm": 0.015}, "USD", date(2026, 11, 29))
"""Those of X's price list that we have read, for whoever names none in ``config.toml``."""

_NOUNS: Final = {"dm": "message", "upload": "upload", "create": "create", "destroy": "destroy"}


class Cost(Struct, frozen=True):
    """What some calls cost."""

    calls: Mapping[str, int]  # those that are planned, by what `Prices.amounts` calls them; none is 0
    amount: float | None  # of those with a known price; None where none has one
    unknown: tuple[str, ...]  # those without
    prices: Prices

    @property
    def is_known(self) -> bool:
        """Whether every call's price is known."""
        return not self.unknown


def cost_of(calls: Mapping[str, int], prices: Prices) -> Cost:
    """Return what calls cost, given their numbers; those of which there are none don't count."""
    made = {call: number for call, number in calls.items() if number}
    known = [number * prices.amounts[call] for call, number in made.items() if call in prices.amounts]
    unknown = tuple(call for call in made if call not in prices.amounts)
    return Cost(made, sum(known) if known else None, unknown, prices)


def cost_of_plan(plan: Plan, prices: Prices) -> Cost:
    """Return what a plan's calls cost: each profile that is made takes one upload; reading X's list isn't counted."""
    creates, destroys = sum(change.creates for change in plan.changes), sum(change.removes for change in plan.changes)
    return cost_of({"upload": creates, "create": creates, "destroy": destroys}, prices)


def describe(cost: Cost) -> str:
    """Return a cost in one line, with the date of the prices; what has no known price is named."""
    as_of = f"by the prices of {cost.prices.as_of.isoformat()}"
    unknown = f"no known price for {', '.join(_counted(call, cost.calls[call]) for call in cost.unknown)}"
    if cost.amount is None:
        return f"cost: {unknown}"
    amount = f"{amount_in_words(cost.amount)} {cost.prices.currency} {as_of}"
    return f"cost: {amount}" if cost.is_known else f"cost: at least {amount}; {unknown}"


def to_document(cost: Cost) -> dict[str, Any]:
    """Return a cost as a part of a document; the amount is text, as binary fractions aren't money."""
    return {
        "amount": None if cost.amount is None else amount_in_words(cost.amount),
        "currency": cost.prices.currency,
        "as_of": cost.prices.as_of.isoformat(),
        "calls": {call: cost.calls.get(call, 0) for call in _NOUNS},
        "unknown": list(cost.unknown),
    }


def amount_in_words(amount: float) -> str:
    """Return an amount with two to six decimals."""
    whole, _, decimals = f"{amount:.6f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def _counted(call: str, number: int) -> str:
    noun = _NOUNS[call]
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"
