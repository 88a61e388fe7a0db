"""A brand's cards from X and the ledger, made into one report."""

from __future__ import annotations

import pytest

from profilectl.audit import chain
from profilectl.feedback.reader import cards_asked, read_report
from profilectl.feedback.report import Period
from profilectl.model import Card, Event, Survey

DAY = 86_400_000
KEY = "profilectl:alice:human:profile:1"


class Api:
    """X, which returns cards without their keys, and knows when it was asked about what."""

    def __init__(self):
        self.asked = []
        self.answered_ms = 15 * DAY

    def feedback_events(self, since_ms, until_ms):
        self.asked.append((since_ms, until_ms))
        at = self.answered_ms
        return tuple(Card(number, Survey.CSAT, "", False, at, at, score=5) for number in "567")

    def now_ms(self):
        return 100 * DAY


class Ledger:
    """A ledger whose records are given, oldest first, and that knows which of them were read."""

    def __init__(self, *events):
        self.records, self.read = [], []
        for event in events:
            former = self.records[-1].hash if self.records else chain.GENESIS
            self.records.append(chain.seal(event, "ann@desk", seq=len(self.records) + 1, prev_hash=former))

    def events(self, *, after=0):
        for record in self.records[after:]:
            self.read.append(record.seq)
            yield record

    def last_seq(self):
        return len(self.records)

    def accepted_breaks(self):
        return frozenset()


def asked(card_id, at_ms, account="7"):
    return Event("asked", account, at_ms, detail={"card_id": card_id, "external_id": KEY})


def test_cards_without_a_key_are_known_from_the_ledger():
    """A card that the ledger doesn't know is another program's."""
    unknown = Event("ask-unknown", "7", 12 * DAY, detail={"card_id": None, "external_id": KEY})
    ledger = Ledger(asked("5", 10 * DAY), asked("6", 11 * DAY), unknown, asked("7", 12 * DAY, account="8"))
    report, period, _ = read_report(Api(), ledger, "acme", "7", 10 * DAY, 20 * DAY)

    assert Period(10 * DAY, 21 * DAY - 1) == period
    assert [("alice", 2)] == [(group.name, group.answered) for group in report.surveys[0].groups[:1]]
    assert ("acme", 1) == (report.brand, report.strangers)


@pytest.mark.parametrize(("issued_ms", "strangers"), [(28 * DAY - 1, 3), (28 * DAY, 2)])
def test_blocks_need_whole_months(issued_ms, strangers):
    """X is asked from the beginning of the month on, and the ledger from a month before, when it was asked."""
    api = Api()
    api.answered_ms = 70 * DAY
    report, _, _ = read_report(api, Ledger(asked("5", issued_ms)), "acme", "7", 69 * DAY, 80 * DAY)

    assert [Period(59 * DAY, 81 * DAY - 1)] == api.asked  # 1 March 1970
    assert strangers == report.strangers


def test_cards_since_the_last_day_are_counted():
    """X tells of them later."""
    ledger = Ledger(*(asked(str(number), 21 * DAY - 2 + number) for number in range(4)))

    assert 2 == read_report(Api(), ledger, "acme", "7", 10 * DAY, 20 * DAY).young


@pytest.mark.parametrize("others", [0, 499, 500, 501, 1001])
def test_every_card_of_the_period_is_read(others):
    """However many messages lie between them, also where clocks disagree; years of earlier ones aren't read."""
    messages = [Event("sent", "7", 30 * DAY) for _ in range(others)]
    early = [Event("sent", "7", 5 * DAY) for _ in range(2000)]
    ledger = Ledger(*early, asked("1", 20 * DAY), *messages, asked("2", 30 * DAY), asked("3", 19 * DAY))

    assert {"1", "2"} == {event.detail["card_id"] for event in cards_asked(ledger, "7", 20 * DAY)}
    assert set(ledger.read) & set(range(500)) == set()


def test_no_card_was_ever_issued():
    """A ledger may have no record at all."""
    assert [] == list(cards_asked(Ledger(), "7", 0))
