"""Calls that might hang are given up in time."""

from __future__ import annotations

import threading

import pytest

from profilectl.system.threads import begin, run_with_deadline


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
