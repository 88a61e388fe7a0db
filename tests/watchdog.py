"""An end for a worker whose test hangs although its time is over: in a teardown after it, or where Python is deaf."""

from __future__ import annotations

import faulthandler
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

_GRACE = 60  # seconds, beyond the ``timeout`` that interrupts a test


class Watchdog:
    """A pytest plugin that writes every thread's stack to stderr and ends the process, which xdist then replaces.

    The ``timeout`` of pytest-timeout interrupts a test once: it fails, and the others go on. Nothing limits what its
    fixtures do after that, and no signal reaches code that doesn't come back to Python.
    """

    def __init__(self) -> None:
        self._stderr = os.dup(2)  # while a test runs, descriptor 2 is captured

    def pytest_unconfigure(self) -> None:
        """Leave no descriptor open."""
        os.close(self._stderr)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, object, object]:
        """Watch over the fixtures before a test."""
        return (yield from self._watched(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Watch over the test."""
        return (yield from self._watched(item))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        """Watch over the fixtures after it."""
        return (yield from self._watched(item))

    def _watched(self, item: pytest.Item) -> Generator[None, object, object]:
        mark = item.get_closest_marker("timeout")
        seconds = float(mark.args[0] if mark else item.config.getini("timeout"))
        faulthandler.dump_traceback_later(seconds + _GRACE, exit=True, file=self._stderr)
        try:
            return (yield)
        finally:
            faulthandler.cancel_dump_traceback_later()
