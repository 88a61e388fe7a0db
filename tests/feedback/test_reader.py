"""A brand's cards from X and the ledger, made into one report."""

from __future__ import annotations

from profilectl.feedback.reader import read_report
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
    """A ledger that knows the keys of two cards, and of a third that may not have been issued."""

    def __init__(self):
        self.asked = []

    def recent(self, user_id, since_ms):
        self.asked.append(since_ms)
        return (
            Event("asked", user_id, since_ms, detail={"card_id": "5", "external_id": KEY}),
            Event("asked", user_id, since_ms, detail={"card_id": "6", "external_id": KEY}),
            Event("ask-unknown", user_id, since_ms, detail={"card_id": None, "external_id": KEY}),
        )


def test_cards_without_a_key_are_known_from_the_ledger():
    """A card that the ledger doesn't know is another program's."""
    report, period = read_report(Api(), Ledger(), "acme", "7", 10 * DAY, 20 * DAY)

    assert Period(10 * DAY, 21 * DAY - 1) == period
    assert [("alice", 2)] == [(group.name, group.answered) for group in report.surveys[0].groups[:1]]
    assert ("acme", 1) == (report.brand, report.strangers)


def test_blocks_need_whole_months():
    """X is asked from the beginning of the month on, and the ledger from a month before, when it was asked."""
    api, ledger = Api(), Ledger()
    read_report(api, ledger, "acme", "7", 69 * DAY, 80 * DAY)

    assert [Period(59 * DAY, 81 * DAY - 1)] == api.asked  # 1 March 1970
    assert [28 * DAY] == ledger.asked
