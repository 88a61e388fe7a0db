"""Waiting for X to allow custom profiles, on a clock that nobody waits for."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice, pairwise

import pytest

from profilectl.doctor.allowlist_wait import FIRST_PAUSE, LONGEST_PAUSE, Clock, WaitResult, pauses, wait_until_allowed
from profilectl.errors import CredentialsRefused, NotAllowlisted, RateLimited, Unreachable

NOON = 1_900_000_000.0


class Hours:
    """A clock that moves when somebody sleeps, and remembers how long they did."""

    def __init__(self):
        self.naps = []

    def now(self):
        return NOON + sum(self.naps)

    def clock(self):
        return Clock(self.now, lambda: sum(self.naps), self.naps.append)


def answers(*errors):
    """Return a question that meets these errors one after the other, and is allowed in the end."""
    left = list(errors)

    def ask(_stack):
        if left:
            raise left.pop(0)

    return ask


def keep(ask, seconds, hours, announced=None):
    announce = (lambda *_: None) if announced is None else (lambda *words: announced.append(words))
    return wait_until_allowed(ask, seconds, announce, hours.clock())


def test_pauses_grow_up_to_a_quarter_of_an_hour():
    """A minute at first, then longer and longer, far below 180 calls in 15 minutes."""
    first = list(islice(pauses(), 20))

    assert (FIRST_PAUSE, LONGEST_PAUSE) == (first[0], first[-1])
    assert all(pause <= longer for pause, longer in pairwise(first))


def test_it_ends_when_x_agrees():
    """The answer ends the waiting, whatever time is left."""
    hours = Hours()

    assert WaitResult(NOON, 3, allowed=True) == keep(answers(*[NotAllowlisted("no")] * 2), 7200, hours)
    assert [60, 90, 135] == hours.naps


def test_it_ends_when_the_time_is_over():
    """The last question is asked at the very end, and not one second later."""
    hours = Hours()

    assert WaitResult(NOON, 3, allowed=False) == keep(answers(*[NotAllowlisted("no")] * 9), 200, hours)
    assert [60, 90, 50] == hours.naps


def test_x_is_not_asked_before_it_wants_to_be():
    """A rate limit counts more than the plan."""
    hours = Hours()
    limited = RateLimited("slow down", retry_at=datetime.fromtimestamp(NOON + 60 + 700, UTC))

    keep(answers(limited), 7200, hours)

    assert [60, 700] == hours.naps


def test_trouble_on_the_way_is_waited_out():
    """A network that fails for a while is no answer; it is told, though."""
    hours, announced = Hours(), []

    assert keep(answers(Unreachable("no connection")), 7200, hours, announced).allowed
    assert [(60, "before X is asked again whether it allows custom profiles"), (90, "(no connection)")] == announced


def test_another_refusal_ends_the_waiting():
    """A token that was revoked meanwhile won't be allowed anything."""
    with pytest.raises(CredentialsRefused, match="revoked"):
        keep(answers(CredentialsRefused("revoked")), 7200, Hours())


def test_ctrl_c_ends_the_waiting():
    """The sleep is what it interrupts."""

    def interrupted(_seconds):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        wait_until_allowed(answers(), 60, lambda *_: None, Clock(lambda: NOON, lambda: 0.0, interrupted))


def test_what_a_question_opens_is_closed_after_it():
    """Two hours of questions leave one connection open at a time."""
    closed = []
    errors = [NotAllowlisted("no")] * 2

    def ask(stack):
        stack.callback(closed.append, len(errors))
        if errors:
            raise errors.pop()

    keep(ask, 7200, Hours())

    assert [2, 1, 0] == closed
