import math
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import httpx
import pytest

from profilectl.api.retry import (
    FATE_BY_EXCEPTION,
    Deadline,
    Persistence,
    Repeat,
    WaitBudget,
    fate_of_exception,
    fate_of_status,
    may_repeat,
)
from profilectl.errors import Fate, OutcomeUnknown, RateLimited, Refused, Unreachable

NOW = 1_790_000_000.0
NEVER_SENT = {"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol"}


def family(kind: type) -> list[type]:
    return [kind] + [heir for child in kind.__subclasses__() for heir in family(child)]


EXCEPTIONS = [
    kind
    for root in (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict)
    for kind in family(root)
    if kind.__module__.startswith("httpx")
]


@pytest.mark.parametrize("kind", [kind for kind in EXCEPTIONS if not kind.__subclasses__()])
def test_every_exception_of_httpx_has_a_row(kind):
    """A new release of httpx can't bring an exception that nobody has thought about."""
    assert kind.__name__ in FATE_BY_EXCEPTION


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_fate_of_exceptions(kind):
    """Only what failed before a connection was made was surely not applied."""
    expected = Fate.NOT_APPLIED if kind.__name__ in NEVER_SENT else Fate.UNKNOWN
    assert expected is fate_of_exception(kind.__new__(kind))


def test_no_row_is_for_nothing():
    """Every name of the table is one of httpx's."""
    assert set(FATE_BY_EXCEPTION) <= {kind.__name__ for kind in EXCEPTIONS}


def test_strange_exception():
    """What isn't httpx's is unknown."""
    assert fate_of_exception(OSError()) is Fate.UNKNOWN


def test_fate_of_statuses():
    """4xx is a no, except for limits, which are a not now, and 408, which says nothing; all else is unknown."""
    fates = {status: fate_of_status(status) for status in range(100, 600) if not 200 <= status < 300}
    not_applied = {status for status, fate in fates.items() if fate is Fate.NOT_APPLIED}
    refused = {status for status, fate in fates.items() if fate is Fate.REFUSED}
    assert not_applied == {420, 429}
    assert refused == set(range(400, 500)) - {408, 420, 429}


LATER = datetime.fromtimestamp(NOW + 30, UTC)


@pytest.mark.parametrize(
    ("attempts", "error", "repeat"),
    [
        (4, Unreachable("no connection"), Repeat.SAFE),
        (4, Unreachable("in trouble", status=503), Repeat.SAFE),
        (1, Unreachable("sent elsewhere", status=302), Repeat.SAFE),
        (4, RateLimited("wait", retry_at=LATER), Repeat.SAFE),
        (1, RateLimited("wait"), Repeat.SAFE),
        (1, Refused("no"), Repeat.SAFE),
        (3, Unreachable("no connection"), Repeat.UNSENT),
        (1, RateLimited("wait", retry_at=LATER), Repeat.UNSENT),
        (1, OutcomeUnknown("cut off"), Repeat.UNSENT),
        (1, Unreachable("no connection"), Repeat.NEVER),
        (1, RateLimited("wait", retry_at=LATER), Repeat.NEVER),
    ],
)
def test_may_repeat(attempts, error, repeat):
    """How often each failure is tried, by what the call may bear."""
    assert attempts == 1 + sum(may_repeat(error, repeat, attempt) for attempt in range(1, 10))


class World:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.pauses: list[float] = []
        self.said: list[tuple[float, str]] = []
        self.tries = 0

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.passed += seconds

    def patience(self, *, seconds: float = math.inf, max_wait: float = 600.0, **options) -> Persistence:
        options.setdefault("sleep", self.sleep)
        return Persistence(
            deadline=Deadline(seconds, monotonic=lambda: self.passed),
            wait_budget=WaitBudget(max_wait),
            announce=lambda pause, why: self.said.append((pause, why)),
            now=lambda: NOW + self.passed,
            uniform=lambda low, high: high,
            **options,
        )

    def fail(self, *errors):
        """Return a call that fails with each error in turn and succeeds afterwards."""
        remaining = list(errors)

        def send() -> str:
            self.tries += 1
            if remaining:
                raise remaining.pop(0)
            return "done"

        return send


def test_back_off():
    """Pauses grow up to 8 seconds, and each one is announced with its reason."""
    world, trouble = World(), Unreachable("in trouble")
    assert world.patience().persist(world.fail(trouble, trouble, trouble), Repeat.SAFE) == "done"
    assert world.pauses == [2.0, 4.0, 8.0]
    assert world.said == [(2.0, "in trouble"), (4.0, "in trouble"), (8.0, "in trouble")]


def test_jitter_begins_at_half_a_second():
    """Parallel workers spread, but none hammers."""
    world, asked = World(), []
    patience = world.patience()
    patience._uniform = lambda low, high: asked.append((low, high)) or low
    patience.persist(world.fail(Unreachable("a"), Unreachable("b")), Repeat.SAFE)
    assert asked == [(0.5, 2.0), (0.5, 4.0)]


def test_last_error_is_the_one_that_is_told():
    """After four attempts the last failure comes through."""
    world = World()
    errors = [Unreachable(f"failure {number}") for number in range(1, 6)]
    with pytest.raises(Unreachable, match="failure 4"):
        world.patience().persist(world.fail(*errors), Repeat.SAFE)


def test_waits_for_a_reset():
    """A reset that fits is waited for, measured by X's clock, with a margin."""
    world = World()
    assert world.patience().persist(world.fail(RateLimited("limit", retry_at=LATER)), Repeat.SAFE) == "done"
    assert world.pauses == [32.0]


def test_reset_in_the_past():
    """A reset that is over is given one second all the same."""
    world = World()
    past = datetime.fromtimestamp(NOW - 100, UTC)
    world.patience().persist(world.fail(RateLimited("limit", retry_at=past)), Repeat.SAFE)
    assert world.pauses == [3.0]


@pytest.mark.parametrize("bounds", [{"max_wait": 31.0}, {"seconds": 31.0}])
def test_reset_that_does_not_fit(bounds):
    """Beyond the longest bearable wait or the deadline nothing is waited for; the error knows when to return."""
    world = World()
    with pytest.raises(RateLimited) as caught:
        world.patience(**bounds).persist(world.fail(RateLimited("limit", retry_at=LATER)), Repeat.SAFE)
    assert caught.value.retry_at == LATER
    assert world.pauses == world.said == []


def test_waits_add_up():
    """The wait_budget is that of the run, not of each of its limits."""
    world = World()
    limits = [RateLimited("limit", retry_at=datetime.fromtimestamp(NOW + at, UTC)) for at in (30, 60)]
    with pytest.raises(RateLimited):
        world.patience(max_wait=50.0).persist(world.fail(*limits), Repeat.SAFE)
    assert world.pauses == [32.0]


def test_waits_of_several_calls_add_up():
    """What one call has waited, another one can't wait any more."""
    world = World()
    patience = world.patience(max_wait=50.0)
    patience.persist(world.fail(RateLimited("limit", retry_at=LATER)), Repeat.SAFE)
    with pytest.raises(RateLimited):
        patience.persist(world.fail(RateLimited("limit", retry_at=datetime.fromtimestamp(NOW + 60, UTC))), Repeat.SAFE)
    assert world.pauses == [32.0]


def test_a_shared_wait_counts_and_is_announced_once():
    """Eight workers who meet one limit wait for it together: one announcement, one share of the wait_budget."""
    world = World()
    all_are_late = threading.Barrier(8)

    def sleep(seconds: float) -> None:
        with suppress(threading.BrokenBarrierError):
            all_are_late.wait(timeout=0.05)  # nobody else gets here
        world.sleep(seconds)

    patience = world.patience(max_wait=33.0, sleep=sleep)
    met_it = threading.Barrier(8)

    def ask() -> str:
        limits = [RateLimited("limit", retry_at=LATER)]

        def send() -> str:
            if limits:
                met_it.wait(timeout=60)
                raise limits.pop()
            return "done"

        return patience.persist(send, Repeat.SAFE)

    with ThreadPoolExecutor(8) as pool:
        answers = [one.result() for one in [pool.submit(ask) for _ in range(8)]]

    assert answers == ["done"] * 8
    assert world.said == [(32.0, "limit")]
    assert world.pauses == [32.0]


def test_clients_share_an_allowance():
    """Two brands of one run wait out of one purse, and what overlaps is paid once."""
    wait_budget = WaitBudget(60.0)
    assert wait_budget.take(100.0, 140.0) == 40.0
    assert wait_budget.take(110.0, 150.0) == 10.0
    assert wait_budget.take(110.0, 150.0) == 0.0
    assert wait_budget.take(200.0, 211.0) is None
    assert wait_budget.take(200.0, 210.0) == 10.0


def test_no_pause_beyond_the_deadline():
    """A pause that would end after the deadline isn't begun; the failure itself is told."""
    world = World()
    with pytest.raises(Unreachable, match="in trouble"):
        world.patience(seconds=1.5).persist(world.fail(Unreachable("in trouble")), Repeat.SAFE)
    assert world.pauses == []


def test_deadline_before_the_first_attempt():
    """When no time is left nothing is sent, and surely nothing applied."""
    world = World()
    with pytest.raises(Unreachable) as caught:
        world.patience(seconds=0.0).persist(world.fail(), Repeat.NEVER)
    assert (world.tries, caught.value.fate) == (0, Fate.NOT_APPLIED)


def test_halted_while_pausing():
    """Halting ends a pause at once, and the call tells what it waited for."""
    world = World()
    patience = world.patience(sleep=None)
    patience._announce = lambda *_: patience.halt()
    with pytest.raises(Unreachable, match="in trouble"):
        patience.persist(world.fail(Unreachable("in trouble")), Repeat.SAFE)
    with pytest.raises(Unreachable, match="again"):
        patience.persist(world.fail(Unreachable("again")), Repeat.SAFE)
    assert world.tries == 2


def test_deadline_counts_down_to_zero():
    """Remaining seconds are never negative."""
    world = World()
    deadline = Deadline(5.0, monotonic=lambda: world.passed)
    world.passed = 3.0
    assert deadline.remaining() == 2.0
    world.passed = 9.0
    assert deadline.remaining() == 0.0
