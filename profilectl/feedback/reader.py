"""Reads what X and the ledger know of a brand's feedback cards, and reports on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from profilectl.feedback.report import brand_report, collect, report_period
from profilectl.model import Card, Event

if TYPE_CHECKING:
    from profilectl.feedback.report import BrandReport, Period


class CardApi(Protocol):
    """The part of X's API that reports on cards."""

    def feedback_events(self, since_ms: int, until_ms: int) -> tuple[Card, ...]:
        """Return the cards to which something happened in a period, each as it was at the time."""

    def now_ms(self) -> int:
        """Return a lower bound of X's clock, epoch milliseconds."""


class EventReader(Protocol):
    """The part of the ledger that knows which cards were issued."""

    def recent(self, user_id: str, since_ms: int) -> tuple[Event, ...]:
        """Return an account's events since a moment, oldest first."""


def asked_after(ledger: EventReader, user_id: str, moment_ms: int) -> int:
    """Return how many cards an account has issued since a moment, as the ledger has it."""
    return sum(event.what == "asked" for event in ledger.recent(user_id, moment_ms + 1))


def read_report(
    api: CardApi, ledger: EventReader, brand: str, user_id: str, first_ms: int | None, last_ms: int | None
) -> tuple[BrandReport, Period]:
    """Return the report on a brand's cards, and the period that it covers, which is asked for as in `report_period`.

    Raises:
        UsageError: X reports nothing between these days.
        NotAllowlisted: X hasn't allowed the brand to use cards.
        RemoteError: X refused for another reason, or couldn't be reached.
    """
    period = report_period(first_ms, last_ms, api.now_ms())
    # X returns some cards without their key, so the ledger's is taken for those that it knows.
    asked = [event for event in ledger.recent(user_id, period.remembered_since_ms()) if event.what == "asked"]
    known = {str(event.detail["card_id"]): str(event.detail["external_id"]) for event in asked}
    cards = api.feedback_events(*period.with_its_months())
    return brand_report(brand, collect(cards, period, known)), period
