import time
from datetime import UTC, datetime, timedelta

import pytest

from profilectl.api.clock import Clock, ServerClock, boot_time, parse_date

NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


class Hands:
    """A wall clock that is wrong by `ahead` seconds, and a monotonic one, moved by hand."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.passed = 0.0
        self.ahead = ahead

    def clock(self) -> Clock:
        return Clock(now=lambda: NOON.timestamp() + self.passed + self.ahead, monotonic=lambda: 500 + self.passed)


def test_before_the_first_answer():
    """As long as X has said nothing, this machine's time has to do, and nothing is known about the skew."""
    clock = ServerClock(Hands(ahead=5).clock())
    assert (NOON.timestamp() + 5, None) == (clock.now(), clock.skew_seconds)


def test_lower_bound():
    """X's time is at least what the best Date said, plus what has passed since; a late Date doesn't lower it."""
    hands = Hands(ahead=-300)
    clock = ServerClock(hands.clock())
    clock.learn(NOON, 0.1)
    hands.passed = 2.5
    assert clock.now() == NOON.timestamp() + 2.5
    clock.learn(NOON, 2.4)  # was long on its way
    assert clock.now() == NOON.timestamp() + 2.5
    clock.learn(NOON.replace(second=3), 0.1)
    assert clock.now() == NOON.timestamp() + 3


@pytest.mark.parametrize(
    ("expected", "ahead", "duration"),
    [
        (0.0, 0.0, 0.0),
        (0.0, 0.9, 0.0),  # Date says 12:00:00 until 12:00:01
        (0.0, 3.0, 2.5),  # the answer may have taken that long
        (3611.0, 3612.0, 0.0),
        (-60.0, -60.0, 0.5),
    ],
)
def test_skew(expected, ahead, duration):
    """The skew is what neither the Date's resolution nor the journey can explain."""
    clock = ServerClock(Hands(ahead).clock())
    clock.learn(NOON, duration)
    assert expected == clock.skew_seconds


def test_an_answer_without_date_teaches_nothing():
    """Date headers may be missing."""
    clock = ServerClock(Hands().clock())
    clock.learn(None, 0.1)
    assert clock.skew_seconds is None


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (NOON, "Sun, 22 Nov 2026 12:00:00 GMT"),
        (NOON, "Sun, 22 Nov 2026 12:00:00 -0000"),
        (NOON, "Sun, 22 Nov 2026 13:00:00 +0100"),
        (None, "yesterday"),
        (None, "Sun, 22 Nov 99999999999 12:00:00 GMT"),
        (None, ""),
        (None, None),
    ],
)
def test_parse_date(expected, text):
    """Dates are UTC; whatever isn't one is as good as absent."""
    assert expected == parse_date(text)


@pytest.mark.parametrize("jump", [300, -300])
def test_a_date_that_jumps_once_moves_nothing(jump):
    """One Date that is far from the others is a lie; only a second one like it is believed."""
    clock = ServerClock(Hands().clock())
    clock.learn(NOON, 0.1)
    clock.learn(NOON + timedelta(seconds=jump), 0.1)
    assert clock.now() == NOON.timestamp()
    clock.learn(NOON, 0.1)
    clock.learn(NOON + timedelta(seconds=jump), 0.1)
    assert clock.now() == NOON.timestamp()
    clock.learn(NOON + timedelta(seconds=jump), 0.1)
    assert clock.now() == NOON.timestamp() + jump


def test_a_first_date_that_jumped_is_corrected():
    """Where the first answer lied, the next two put it right."""
    clock = ServerClock(Hands().clock())
    clock.learn(NOON + timedelta(seconds=300), 0.1)
    clock.learn(NOON, 0.1)
    clock.learn(NOON, 0.1)
    assert clock.now() == NOON.timestamp()


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=366), timedelta(days=-366), timedelta(minutes=-6)])
def test_a_date_far_from_this_machines_clock_is_never_believed(jump):
    """However often it comes: X takes nothing that is signed by a clock so far from its own."""
    clock = ServerClock(Hands(ahead=10).clock())
    for _ in range(5):
        clock.learn(NOON + jump, 0.1)
    assert clock.now() == NOON.timestamp() + 10
    clock.learn(NOON, 0.1)
    assert clock.now() == NOON.timestamp()


def test_the_clock_runs_while_the_machine_sleeps():
    """Promises are counted by the clock that a suspended machine finds advanced, where the system has one."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        pytest.skip("CLOCK_BOOTTIME: only Linux has it")
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= Clock().monotonic() <= time.clock_gettime(time.CLOCK_BOOTTIME)
    assert Clock().monotonic is boot_time


def test_a_clock_that_is_set_moves_no_promise():
    """Before X's first Date this machine's clock may be set, and what was counted by it goes on as it was."""
    hands = Hands()
    clock = ServerClock(hands.clock())
    hands.ahead, hands.passed = -3600, 2.5
    assert NOON.timestamp() + 2.5 == clock.now()
