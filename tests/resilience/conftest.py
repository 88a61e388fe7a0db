"""Where a test's own count for the scoreboard is kept."""

from __future__ import annotations

import pytest

from tests.resilience.scoreboard import PROPERTY


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let every report of a marked test say which part it belongs to, even when the test is skipped."""
    mark = item.get_closest_marker("scoreboard")
    if mark is not None:
        item.user_properties.append((PROPERTY, {"part": mark.args[0], "done": 0}))


@pytest.fixture
def tally(request):
    """Count one thing more that this test has done."""
    entry = dict(request.node.user_properties)[PROPERTY]

    def count() -> None:
        entry["done"] += 1

    return count
