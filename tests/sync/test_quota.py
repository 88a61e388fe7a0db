"""What X's daily limits leave of a plan."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profilectl.errors import RateLimited, Refused
from profilectl.model import Event
from profilectl.plan.builder import Plan
from profilectl.plan.changes import Action, Appearance, Change, Reason
from profilectl.plan.fingerprint import Basis
from profilectl.sync.outcomes import Outcome, Status
from profilectl.sync.quota import (
    CALLS_A_DAY,
    DAY_MS,
    UPLOADS,
    WINDOW,
    CallBudget,
    again_at,
    creates,
    destroys,
    forecast,
    to_document,
)

NOW = 1_900_000_000_000
NOBODY = Basis("", "", "", "")
LOOK = Appearance("Alice", "sha256:aa")
SOON = datetime.fromtimestamp(NOW / 1000 + 600, UTC)


def created(at_ms, nonce, what="created"):
    return Event(what, "1", at_ms, "alice", detail={"nonce": nonce})


def day_of(count, *, ago_ms=1000):
    return [created(NOW - ago_ms, str(number)) for number in range(count)]


def plan(**counts):
    steps = [(Action(action), number) for action, count in counts.items() for number in range(count)]
    return Plan(tuple(Change("acme", f"{a}{n}", a, (Reason.NEW,), after=LOOK) for a, n in steps), NOBODY)


def stopped(retry_at=None, *, brand="acme", action=Action.CREATE):
    return Outcome(
        Change(brand, "alice", action, (Reason.NEW,)), Status.SKIPPED, error=RateLimited("full", retry_at=retry_at)
    )


def test_what_is_used_is_taken_off():
    """1,400 creates after 37 of today: 963 now, the rest when the first of today leaves the day."""
    oldest = NOW - 5_000_000
    events = [created(oldest, "first"), *day_of(36)]
    one = forecast(plan(create=1_390, replace=10, delete=4, destroy=3), "acme", events, NOW).creates

    assert (1_400, 37, 963, 963, 437) == (one.planned, one.used, one.allowed, one.now, one.rest)
    assert (oldest, oldest + DAY_MS) == (one.since_ms, one.again_ms)


def test_a_plan_that_fits_has_no_later():
    """Within the limits nothing is left over, and nothing has to be waited for."""
    one = forecast(plan(create=500), "acme", [], NOW)

    assert (500, 0, None, 0) == (one.creates.now, one.creates.rest, one.creates.again_ms, one.wait_seconds)


def test_an_untouched_day_begins_now():
    """Where nothing was used, the rest can go on a day after this run has begun."""
    assert NOW + DAY_MS == creates(1_001, [], NOW).again_ms


def test_brands_have_limits_of_their_own():
    """Another brand's steps aren't this brand's."""
    assert 0 == forecast(plan(create=3), "bistro", [], NOW).creates.planned


def test_what_counts_as_a_create():
    """Every intent that X may have answered with a profile counts once, a person's adoption not at all.

    One that is open counts as well: the machine that wrote it may have died right after its create.
    """
    events = [
        created(NOW - 3, "lost", "unanswered"),
        created(NOW - 2, "lost", "adopted"),
        created(NOW - 2, "refused", "withdrawn"),
        created(NOW - 2, "begun", "intended"),
        created(NOW - 1, None, "adopted"),
        created(NOW - DAY_MS, "yesterday"),
    ]
    one = creates(0, events, NOW)

    assert (2, NOW - 3) == (one.used, one.since_ms)


def test_what_counts_as_a_destroy():
    """Ours and strangers', of the last day."""
    kinds = ("destroyed", "destroyed-stranger", "retired", "created")
    assert 2 == destroys(5, [Event(kind, "1", NOW - 1) for kind in kinds], NOW).used


@pytest.mark.parametrize(("count", "windows"), [(0, 0), (1, 0), (500, 0), (501, 1), (1_000, 1), (9_000, 1)])
def test_uploads_take_windows(count, windows):
    """Each further 500 pictures of this run wait for another quarter of an hour."""
    assert windows * WINDOW == forecast(plan(create=count), "acme", [], NOW).wait_seconds


@pytest.mark.parametrize(("age", "windows"), [(5, 1), (WINDOW + 1, 0)])
def test_a_forecast_counts_the_pictures_of_the_last_minutes(age, windows):
    """Those that another machine has uploaded in this window leave less of it."""
    events = [created(NOW - age * 1000, f"n{number}", "intended") for number in range(450)]
    assert windows * WINDOW == forecast(plan(create=300), "acme", events, NOW).wait_seconds


@given(st.integers(0, 3 * CALLS_A_DAY), st.lists(st.integers(0, 2 * DAY_MS), max_size=100))
def test_a_forecast_adds_up(planned, ages):
    """Now and later make the whole; a run never makes more than what is left; again lies within the next day."""
    events = [created(NOW - age, str(number)) for number, age in enumerate(ages)]
    one = creates(planned, events, NOW)

    assert planned == one.now + one.rest
    assert 0 <= one.now <= one.allowed <= CALLS_A_DAY
    assert one.used == sum(age < DAY_MS for age in ages)
    assert (one.again_ms is None) == (one.rest == 0)
    assert NOW < one.free_ms <= NOW + DAY_MS


@given(st.lists(st.integers(0, DAY_MS - 1), min_size=1, max_size=20))
def test_there_is_room_when_a_forecast_says_so(ages):
    """At the moment that the forecast names, the ledger knows of a call less."""
    events = [created(NOW - age, str(number)) for number, age in zip(range(CALLS_A_DAY), itertools.cycle(ages))]
    one = creates(1, events, NOW)

    assert 0 == one.allowed
    assert creates(1, events, one.free_ms).allowed >= 1


def test_again_at_the_reset():
    """X's own word counts as long as creates are left."""
    assert again_at([stopped(SOON)], {"acme": day_of(UPLOADS)}, NOW) == SOON


def test_again_when_the_day_is_over():
    """Pictures in a quarter of an hour don't help where the day's creates are used up."""
    expected = datetime.fromtimestamp((NOW - 1000 + DAY_MS) / 1000, UTC)
    assert again_at([stopped(SOON)], {"acme": day_of(CALLS_A_DAY)}, NOW) == expected
    assert again_at([stopped(SOON, action=Action.DESTROY)], {"acme": day_of(CALLS_A_DAY)}, NOW) == SOON


def test_again_for_the_first_brand():
    """With several brands another run makes sense as soon as one of them can go on."""
    later = datetime.fromtimestamp(NOW / 1000 + 6000, UTC)
    assert again_at([stopped(later), stopped(SOON, brand="bistro")], {}, NOW) == SOON


def test_nobody_knows():
    """Without X's word, or without a limit, there is no time to tell."""
    other = Outcome(
        Change("acme", "bob", Action.CREATE, (Reason.NEW,)), Status.FAILED, error=Refused("no", retry_at=SOON)
    )
    assert None is again_at([stopped(), other], {}, NOW)
    assert None is again_at([], {}, NOW)


def test_a_forecast_as_a_document():
    """Every figure of creates and destroys, the moment in UTC to the second, null where nothing has to wait."""
    document = to_document(forecast(plan(create=1_001, delete=2), "acme", [], NOW))

    assert {
        "brand": "acme",
        "creates": {
            "planned": 1_001,
            "used": 0,
            "allowed": 1_000,
            "now": 1_000,
            "rest": 1,
            "again_at": "2030-03-18T17:46:40Z",
        },
        "destroys": {"planned": 2, "used": 0, "allowed": 1_000, "now": 2, "rest": 0, "again_at": None},
        "wait_seconds": WINDOW,
    } == document


def seconds_until(limit):
    return limit.retry_at.timestamp() - NOW / 1000


def test_a_budget_counts_what_others_made():
    """After 999 creates by any machine one is left, and then it takes until the first of them is a day old."""
    budget = CallBudget.of([created(NOW - DAY_MS + 5_000, "first"), *day_of(998, ago_ms=WINDOW * 1000)])

    assert [True, False] == [budget.take_create(NOW) for _ in range(2)]
    limit = budget.create_limit(200, NOW)
    assert "X allows 1,000 creates in 24 hours, and the ledger counts 1,000" == limit.message
    assert 5 == seconds_until(limit)


def test_a_window_is_waited_for_until_it_has_room_for_all():
    """Of 500 pictures the first 250 leave the window five minutes before the others."""
    budget = CallBudget.of([created(NOW - ago, f"{ago} {n}") for ago in (600_000, 300_000) for n in range(250)])

    assert not budget.take_create(NOW)
    assert [300, 300, 600, 600] == [
        seconds_until(budget.create_limit(planned, NOW)) for planned in (1, 250, 251, 10 * UPLOADS)
    ]


def test_a_withdrawn_create_keeps_its_upload():
    """X refused to make the profile: it has the picture all the same."""
    events = [created(NOW - 2, "refused", "intended"), created(NOW - 1, "refused", "withdrawn")]
    budget = CallBudget.of(events)

    assert ([], [NOW - 2]) == (budget.creates, budget.uploads)
    budget.take_create(NOW)
    budget.give_back_create()
    assert ([], [NOW - 2, NOW]) == (budget.creates, budget.uploads)


def test_destroys_have_a_budget_of_their_own():
    """The 1,001st of a day isn't sent, and creates don't count for it."""
    budget = CallBudget.of([*day_of(500), *(Event("destroyed", "1", NOW - 1000) for _ in range(999))])

    assert budget.take_destroy(NOW) is None
    assert DAY_MS / 1000 - 1 == seconds_until(budget.take_destroy(NOW))
