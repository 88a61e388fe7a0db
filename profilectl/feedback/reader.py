"""Reads what X and the ledger know of a brand's feedback cards, and reports on it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from profilectl.audit import queries as audit
from profilectl.feedback.report import BrandReport, Period, brand_report, collect, report_period
from profilectl.model import Card, Event

if TYPE_CHECKING:
    from profilectl.audit.chain import Record

_PAGE: Final = 500  # records that are in memory at a time, as many as the ledger reads at once


class CardApi(Protocol):
    """The part of X's API that reports on cards."""

    def feedback_events(self, since_ms: int, until_ms: int) -> tuple[Card, ...]:
        """Return the cards to which something happened in a period, each as it was at the time."""

    def now_ms(self) -> int:
        """Return a lower bound of X's clock, epoch milliseconds."""


class RecordReader(audit.RecordReader, Protocol):
    """The part of the ledger that knows which cards were issued."""

    def last_seq(self) -> int:
        """Return the number of the newest record, 0 when there is none."""

    def accepted_breaks(self) -> frozenset[tuple[int, str]]:
        """Return the broken records with which a person chose to go on."""


class BrandReading(NamedTuple):
    """What is known of a brand's cards: the report, the days that it covers, and how many were issued since then."""

    report: BrandReport
    period: Period
    young: int


def read_report(
    api: CardApi, ledger: RecordReader, brand: str, user_id: str, first_ms: int | None, last_ms: int | None
) -> BrandReading:
    """Return the report on a brand's cards, for a period that is asked for as in `report_period`.

    Raises:
        UsageError: X reports nothing between these days.
        NotAllowlisted: X hasn't allowed the brand to use cards.
        RemoteError: X refused for another reason, or couldn't be reached.
    """
    period = report_period(first_ms, last_ms, api.now_ms())
    # X returns some cards without their key, so the ledger's is taken for those that it knows.
    asked = list(cards_asked(ledger, user_id, period.remembered_since_ms()))
    known = {str(event.detail["card_id"]): str(event.detail["external_id"]) for event in asked}
    cards = api.feedback_events(*period.with_its_months())
    young = sum(event.at_ms > period.until_ms for event in asked)
    return BrandReading(brand_report(brand, collect(cards, period, known)), period, young)


def cards_asked(ledger: RecordReader, user_id: str, since_ms: int) -> Iterator[Event]:
    """Yield the events of an account's cards that were issued since a moment, in no certain order.

    Raises:
        LedgerRefused: a record that had to be read was damaged.
    """
    cards = audit.Selection(accounts=frozenset({user_id}), events=frozenset({"asked"}))
    readable = audit.Readable(ledger, ledger.accepted_breaks())
    for page in _pages(readable, ledger.last_seq(), since_ms):
        yield from (entry.event for entry in cards.entries(page) if entry.event.at_ms >= since_ms)


def _pages(readable: audit.Readable, last_seq: int, since_ms: int) -> Iterator[list[Record]]:
    """Yield the records since a moment, some at a time, and the newest of them first."""
    # Records have the times of several clocks, so only a whole page of earlier ones ends the search. Messages are most
    # of what is recorded: they aren't understood, but for the newest of each page.
    for before in range(last_seq + 1, 1, -_PAGE):
        records = islice(readable.events(after=max(0, before - 1 - _PAGE)), _PAGE)
        page = [record for record in records if record.seq < before]
        if not any(audit.read_entry(record).event.at_ms >= since_ms for record in reversed(page)):
            return
        yield page
