"""Moments as people read them: in local time, as a distance, as how long ago."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from profilectl.render.moments import ago, distance, moment

NOW = datetime(2026, 11, 30, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("in 1 s", 0), ("in 1 s", -5), ("in 90 s", 90), ("in 2 min", 91), ("in 12 min", 720), ("in 2 h", 7200)],
)
def test_a_distance_ahead(text, seconds):
    """At least a second, the larger unit from a minute and a half on."""
    assert text == distance(NOW + timedelta(seconds=seconds), NOW)


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("now", timedelta(0)),
        ("now", timedelta(seconds=-90)),
        ("1 s ago", timedelta(seconds=1)),
        ("89 s ago", timedelta(seconds=89)),
        ("1 min ago", timedelta(seconds=90)),
        ("89 min ago", timedelta(minutes=89)),
        ("2 h ago", timedelta(hours=2)),
        ("3 days ago", timedelta(days=3, hours=20)),
        ("14 days ago", timedelta(days=14)),
    ],
)
def test_how_long_ago(text, passed):
    """X's clock may be ahead of this machine's, which is no time to come."""
    assert text == ago(NOW - passed, NOW)


def test_what_is_long_ago_is_a_date():
    """Nobody counts in months."""
    at = NOW - timedelta(days=100)
    assert f"{at.astimezone():%Y-%m-%d}" == ago(at, NOW)


def test_the_day_is_told_where_it_is_another():
    """A moment of today is a time; the minute is rounded up."""
    today = NOW.astimezone().replace(hour=10, minute=0)
    assert "10:01" == moment(today + timedelta(seconds=1), today)
    assert "10:00 tomorrow" == moment(today + timedelta(days=1), today)
    assert f"10:00 on {today + timedelta(days=3):%Y-%m-%d}" == moment(today + timedelta(days=3), today)
