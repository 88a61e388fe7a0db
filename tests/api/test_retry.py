import math
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime

import httpx
import pytest

from profilectl.api.retry import (
    FATE_BY_EXCEPTION,
    LARGEST_HEAD,
    Deadline,
    Exchange,
    Retrier,
    RetryPolicy,
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
    ("attempts", "error", "policy"),
    [
        (4, Unreachable("no connection"), RetryPolicy.SAFE),
        (4, Unreachable("in trouble", status=503), RetryPolicy.SAFE),
        (1, Unreachable("sent elsewhere", status=302), RetryPolicy.SAFE),
        (4, RateLimited("wait", retry_at=LATER), RetryPolicy.SAFE),
        (1, RateLimited("wait"), RetryPolicy.SAFE),
        (1, Refused("no"), RetryPolicy.SAFE),
        (3, Unreachable("no connection"), RetryPolicy.UNSENT),
        (1, RateLimited("wait", retry_at=LATER), RetryPolicy.UNSENT),
        (1, OutcomeUnknown("cut off"), RetryPolicy.UNSENT),
        (1, Unreachable("no connection"), RetryPolicy.NEVER),
        (1, RateLimited("wait", retry_at=LATER), RetryPolicy.NEVER),
        (4, OutcomeUnknown("cut off"), RetryPolicy.IDEMPOTENT),
        (4, RateLimited("wait", retry_at=LATER), RetryPolicy.IDEMPOTENT),
        (1, OutcomeUnknown("sent elsewhere", status=302), RetryPolicy.IDEMPOTENT),
    ],
)
def test_may_repeat(attempts, error, policy):
    """How often each failure is tried, by what the call may bear."""
    assert attempts == 1 + sum(may_repeat(error, policy, attempt) for attempt in range(1, 10))


class World:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.pauses: list[float] = []
        self.announced: list[tuple[float, str]] = []
        self.tries = 0

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.passed += seconds

    def retrier(self, *, seconds: float = math.inf, max_wait: float = 600.0, **options) -> Retrier:
        options.setdefault("sleep", self.sleep)
        return Retrier(
            deadline=Deadline(seconds, monotonic=lambda: self.passed),
            wait_budget=WaitBudget(max_wait),
            announce=lambda pause, why: self.announced.append((pause, why)),
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
    world, error = World(), Unreachable("in trouble")
    assert world.retrier().call(world.fail(error, error, error), RetryPolicy.SAFE) == "done"
    assert world.pauses == [2.0, 4.0, 8.0]
    assert world.announced == [(2.0, "in trouble"), (4.0, "in trouble"), (8.0, "in trouble")]


def test_jitter_begins_at_half_a_second():
    """Parallel workers spread, but none hammers."""
    world, asked = World(), []
    retrier = world.retrier()
    retrier._uniform = lambda low, high: asked.append((low, high)) or low
    retrier.call(world.fail(Unreachable("a"), Unreachable("b")), RetryPolicy.SAFE)
    assert asked == [(0.5, 2.0), (0.5, 4.0)]


def test_last_error_is_the_one_that_is_told():
    """After four attempts the last failure comes through."""
    world = World()
    errors = [Unreachable(f"failure {number}") for number in range(1, 6)]
    with pytest.raises(Unreachable, match="failure 4"):
        world.retrier().call(world.fail(*errors), RetryPolicy.SAFE)


def test_waits_for_a_reset():
    """A reset that fits is waited for, measured by X's clock, with a margin."""
    world = World()
    assert world.retrier().call(world.fail(RateLimited("limit", retry_at=LATER)), RetryPolicy.SAFE) == "done"
    assert world.pauses == [32.0]


def test_reset_in_the_past():
    """A reset that is over is given one second all the same."""
    world = World()
    past = datetime.fromtimestamp(NOW - 100, UTC)
    world.retrier().call(world.fail(RateLimited("limit", retry_at=past)), RetryPolicy.SAFE)
    assert world.pauses == [3.0]


@pytest.mark.parametrize("bounds", [{"max_wait": 31.0}, {"seconds": 31.0}])
def test_reset_that_does_not_fit(bounds):
    """Beyond the longest bearable wait or the deadline nothing is waited for; the error knows when to return."""
    world = World()
    with pytest.raises(RateLimited) as caught:
        world.retrier(**bounds).call(world.fail(RateLimited("limit", retry_at=LATER)), RetryPolicy.SAFE)
    assert caught.value.retry_at == LATER
    assert world.pauses == world.announced == []


def test_waits_add_up():
    """The wait_budget is that of the run, not of each of its limits."""
    world = World()
    limits = [RateLimited("limit", retry_at=datetime.fromtimestamp(NOW + at, UTC)) for at in (30, 60)]
    with pytest.raises(RateLimited):
        world.retrier(max_wait=50.0).call(world.fail(*limits), RetryPolicy.SAFE)
    assert world.pauses == [32.0]


def test_waits_of_several_calls_add_up():
    """What one call has waited, another one can't wait any more."""
    world = World()
    retrier = world.retrier(max_wait=50.0)
    retrier.call(world.fail(RateLimited("limit", retry_at=LATER)), RetryPolicy.SAFE)
    with pytest.raises(RateLimited):
        retrier.call(world.fail(RateLimited("limit", retry_at=datetime.fromtimestamp(NOW + 60, UTC))), RetryPolicy.SAFE)
    assert world.pauses == [32.0]


def test_a_shared_wait_counts_and_is_announced_once():
    """Eight workers who meet one limit wait for it together: one announcement, one share of the wait_budget."""
    world = World()
    all_are_late = threading.Barrier(8)

    def sleep(seconds: float) -> None:
        with suppress(threading.BrokenBarrierError):
            all_are_late.wait(timeout=0.05)  # nobody else gets here
        world.sleep(seconds)

    retrier = world.retrier(max_wait=33.0, sleep=sleep)
    met_it = threading.Barrier(8)

    def ask() -> str:
        limits = [RateLimited("limit", retry_at=LATER)]

        def send() -> str:
            if limits:
                met_it.wait(timeout=60)
                raise limits.pop()
            return "done"

        return retrier.call(send, RetryPolicy.SAFE)

    with ThreadPoolExecutor(8) as pool:
        answers = [future.result() for future in [pool.submit(ask) for _ in range(8)]]

    assert answers == ["done"] * 8
    assert world.announced == [(32.0, "limit")]
    assert world.pauses == [32.0]


def test_clients_share_a_wait_budget():
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
        world.retrier(seconds=1.5).call(world.fail(Unreachable("in trouble")), RetryPolicy.SAFE)
    assert world.pauses == []


def test_deadline_before_the_first_attempt():
    """When no time is left nothing is sent, and surely nothing applied."""
    world = World()
    with pytest.raises(Unreachable) as caught:
        world.retrier(seconds=0.0).call(world.fail(), RetryPolicy.NEVER)
    assert (world.tries, caught.value.fate) == (0, Fate.NOT_APPLIED)


def test_halted_while_pausing():
    """Halting ends a pause at once, and the call tells what it waited for."""
    world = World()
    retrier = world.retrier(sleep=None)
    retrier._announce = lambda *_: retrier.halt()
    with pytest.raises(Unreachable, match="in trouble"):
        retrier.call(world.fail(Unreachable("in trouble")), RetryPolicy.SAFE)
    with pytest.raises(Unreachable, match="again"):
        retrier.call(world.fail(Unreachable("again")), RetryPolicy.SAFE)
    assert world.tries == 2


def test_deadline_counts_down_to_zero():
    """Remaining seconds are never negative."""
    world = World()
    deadline = Deadline(5.0, monotonic=lambda: world.passed)
    world.passed = 3.0
    assert deadline.remaining() == 2.0
    world.passed = 9.0
    assert deadline.remaining() == 0.0


class Course:
    """A request of at most 30 seconds, which has to leave within 5."""

    def __init__(self, *, is_cut: bool = False) -> None:
        self.passed = 0.0
        self.exchange = Exchange(
            30, monotonic=lambda: 1000 + self.passed, to_leave=lambda: 5 - self.passed, is_cut=is_cut
        )


def test_a_request_that_has_left_has_its_whole_time():
    """Until it leaves, its steps end with the time in which it may; then with its own."""
    course = Course()
    course.passed = 4.0
    before = course.exchange.remaining()
    assert course.exchange.leave()
    course.passed = 10.0
    assert (1.0, 20.0, False) == (before, course.exchange.remaining(), course.exchange.may_leave)


def test_a_request_that_is_late_does_not_leave():
    """Not a byte of it is taken to have left."""
    course = Course()
    course.passed = 5.0
    assert not course.exchange.leave()
    assert (False, 0.0) == (course.exchange.has_left, course.exchange.remaining())


def test_what_only_reads_ends_with_the_deadline():
    """Even when it has left: cutting it off does no harm."""
    course = Course(is_cut=True)
    course.exchange.leave()
    course.passed = 4.0
    assert 1.0 == course.exchange.remaining()


def test_the_request_of_a_thread():
    """Each thread has its own, for as long as it makes it."""
    exchange = Course().exchange
    with exchange.made_current():
        seen = [Exchange.current()]
        thread = threading.Thread(target=lambda: seen.append(Exchange.current()))
        thread.start()
        thread.join(60)
    assert [exchange, None, None] == [*seen, Exchange.current()]


def test_only_a_head_is_counted():
    """What follows it is bounded as a body, with room for what stands between its pieces."""
    exchange = Course().exchange
    head = [exchange.take(LARGEST_HEAD), exchange.take(1)]
    exchange.end_head(100)
    body = [exchange.take(LARGEST_HEAD + 200), exchange.take(1)]
    assert [True, False, True, False] == [*head, *body]


def test_doubt_outlasts_an_attempt_that_never_left():
    """What may have been applied by an earlier attempt isn't "not applied" because a later one wasn't."""
    world = World()
    errors = [OutcomeUnknown("cut off"), *[Unreachable("no connection")] * 3]
    with pytest.raises(OutcomeUnknown, match="cut off"):
        world.retrier().call(world.fail(*errors), RetryPolicy.IDEMPOTENT)
    assert 4 == world.tries


def test_what_lasts_is_not_asked_again():
    """A certificate that isn't trusted now won't be so in two seconds."""
    error = Unreachable("not trusted")
    error.is_lasting = True
    assert not may_repeat(error, RetryPolicy.SAFE, 1)
