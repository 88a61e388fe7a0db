"""Calls that might hang are given up in time, and threads share a budget."""

from __future__ import annotations

import threading

import pytest

from profilectl.system.threads import Budget, begin, run_with_deadline
from tests.patience import LONGEST, join


def test_the_result_comes_back():
    """A function that finishes is as if it had been called."""
    assert run_with_deadline(5, lambda: 42) == 42


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), TimeoutError("its own")])
def test_failures_come_back(error):
    """What it raises is raised here, whatever it is."""

    def fail():
        raise error

    with pytest.raises(type(error)) as caught:
        run_with_deadline(5, fail)
    assert caught.value is error


def test_a_hanging_call_is_left_behind():
    """Nothing waits for it, not even the end of the process."""
    release, threads = threading.Event(), []

    def hang():
        threads.append(threading.current_thread())
        release.wait()

    with pytest.raises(TimeoutError):
        run_with_deadline(0.01, hang)
    assert [(True, True)] == [(thread.is_alive(), thread.daemon) for thread in threads]
    release.set()


def test_a_call_in_the_background():
    """Its result waits until somebody takes it."""
    assert begin(lambda: 42).result(5) == 42


def test_a_part_that_never_will_be_free():
    """More than the whole budget is refused at once, as waiting would have no end."""
    with pytest.raises(ValueError, match="11 is more than the whole budget of 10"), Budget(10).hold(11):
        pass


def test_who_needs_more_than_is_free_waits():
    """It goes on as soon as there is enough, and not before."""
    budget, order, entered = Budget(10), [], threading.Event()

    def wait_for_seven():
        entered.set()
        with budget.hold(7):
            order.append("seven")

    thread = threading.Thread(target=wait_for_seven)
    with budget.hold(2):
        with budget.hold(6):
            thread.start()
            assert entered.wait(LONGEST)
            with budget.hold(2):  # what is free is given to whom it is enough for
                order.append("two")
        join(thread)  # 8 are free now
    assert ["two", "seven"] == order


def test_threads_never_hold_more_than_there_is():
    """However many want a part at once."""
    budget, held, most, lock = Budget(10), [0], [0], threading.Lock()

    def work(amount):
        for _ in range(50):
            with budget.hold(amount):
                with lock:
                    held[0] += amount
                    most[0] = max(most[0], held[0])
                with lock:
                    held[0] -= amount

    threads = [threading.Thread(target=work, args=(amount,)) for amount in (1, 3, 4, 6, 7, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        join(thread)
    assert (0, True) == (held[0], most[0] <= 10)


def test_a_failure_gives_its_part_back():
    """What is raised inside doesn't keep the others waiting for ever."""
    budget = Budget(10)
    with pytest.raises(KeyError), budget.hold(10):
        raise KeyError
    with budget.hold(10):
        pass
