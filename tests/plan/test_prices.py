"""Money beside quota: what is known is added up, and what isn't stays unknown."""

from __future__ import annotations

from datetime import date

import pytest

from profilectl.model import Prices
from profilectl.plan.prices import KNOWN, amount_in_words, cost_of, describe, to_document

ALL = Prices({"dm": 0.015, "upload": 0.005, "create": 0.02, "destroy": 0.0}, "EUR", date(2027, 1, 2))


@pytest.mark.parametrize(
    ("calls", "prices", "line"),
    [
        ({"dm": 1}, KNOWN, "cost: 0.015 USD by the prices of 2026-11-29"),
        ({"dm": 1, "upload": 0}, KNOWN, "cost: 0.015 USD by the prices of 2026-11-29"),
        (
            {"dm": 1, "upload": 1},
            KNOWN,
            "cost: at least 0.015 USD by the prices of 2026-11-29; no known price for 1 upload",
        ),
        ({"create": 1200, "destroy": 1}, KNOWN, "cost: no known price for 1,200 creates, 1 destroy"),
        ({"upload": 3, "create": 3, "destroy": 2}, ALL, "cost: 0.075 EUR by the prices of 2027-01-02"),
        ({"destroy": 2}, ALL, "cost: 0.00 EUR by the prices of 2027-01-02"),  # known to be free
    ],
)
def test_in_words(calls, prices, line):
    """The date stands beside every amount, and each kind of call without a price is named."""
    assert line == describe(cost_of(calls, prices))


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "0.00"),
        (0.1 + 0.2, "0.30"),
        (0.015, "0.015"),
        (1234.5, "1234.50"),
        (0.000001, "0.000001"),
        (3 * 0.07, "0.21"),
    ],
)
def test_amounts(amount, words):
    """At least two decimals, and none of the noise of binary fractions."""
    assert words == amount_in_words(amount)


def test_as_a_document():
    """The amount is text; without any known price it is null, never 0."""
    assert {
        "amount": None,
        "currency": "USD",
        "as_of": "2026-11-29",
        "calls": {"dm": 0, "upload": 0, "create": 2, "destroy": 0},
        "unknown": ["create"],
    } == to_document(cost_of({"create": 2, "destroy": 0}, KNOWN))
