"""What a test leaves running or open is its own failure, not that of the test after it."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator

PATIENCE = 10.0  # seconds; what was told to end may need a moment on a busy machine
_PAUSE = 0.01  # seconds
_PROCESSES = Path("/proc")
_FILES = Path("/proc/self/fd")


class Leftovers:
    """A pytest plugin that compares processes, threads and open files before and after each test.

    What the fixtures of a module, a package or a session hold is theirs to keep. Daemon threads are too: they hold up
    nobody, and tests of calls that hang leave some behind.
    """

    def __init__(self) -> None:
        self._before: set[str] = set()
        self._pids_before: set[str] = set()
        self._usual_home = os.environ.get("HOME", "")  # of much on this machine that no test has started
        self._home = ""  # of the test, nothing where it has none of its own

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        """Remember what is there before the fixtures of a test."""
        self._pids_before = _pids()
        self._before = self._look()
        try:
            return (yield)
        finally:  # now: a test may undo what its fixtures have set
            home = os.environ.get("HOME", "")
            self._home = "" if home == self._usual_home else home

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
        """Let a fixture that outlives its test keep what it makes."""
        if fixturedef.scope == "function":
            return (yield)
        before = self._look()
        try:
            return (yield)
        finally:
            self._before |= self._look() - before

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        """Fail a test that has left something behind, once its fixtures have ended."""
        result = yield
        end = time.monotonic() + PATIENCE
        while left := self._left():
            gc.collect()
            if time.monotonic() > end:
                what = ", ".join(_described(thing) for thing in sorted(left))
                self._end_processes()
                pytest.fail(f"the test left behind: {what}", pytrace=False)
            time.sleep(_PAUSE)
        return result

    def _left(self) -> set[str]:
        return (self._look() | {f"process {pid}" for pid in self._started()}) - self._before

    def _look(self) -> set[str]:
        threads = {f"thread {thread.name}" for thread in threading.enumerate() if not thread.daemon}
        return threads | _open_files() | {f"process {pid}" for pid in _children()}

    def _started(self) -> list[str]:
        """Return the processes that began after the test did and live in its home, whoever their parents are now."""
        if not self._home:
            return []
        mark = b"\0HOME=" + os.fsencode(self._home) + b"\0"
        pids = [pid for pid in _pids() - self._pids_before if mark in b"\0" + _read(pid, "environ")]
        return [pid for pid in pids if not self._is_kept(pid)]

    def _is_kept(self, pid: str) -> bool:
        """Tell whether a process belongs to one that outlives the test."""
        while pid.strip("0"):
            if f"process {pid}" in self._before:
                return True
            status = _read(pid, "status").decode().partition("PPid:")[2]
            pid = status.split()[0] if status else ""
        return False

    def _end_processes(self) -> None:
        for pid in {*_children(), *self._started()}:
            if f"process {pid}" not in self._before:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


def _open_files() -> set[str]:
    files = set()
    for path in list(_FILES.iterdir()) if _FILES.exists() else ():
        with contextlib.suppress(FileNotFoundError):  # the one that listed them
            files.add(f"descriptor {path.name} ({path.readlink()})")
    return files


def _pids() -> set[str]:
    return {path.name for path in _PROCESSES.iterdir() if path.name.isdigit()} if _PROCESSES.exists() else set()


def _children() -> set[str]:
    children = set()
    for path in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread has ended since it was listed
            children |= set(path.read_text().split())
    return children


def _described(thing: str) -> str:
    kind, _, pid = thing.partition(" ")
    if kind != "process":
        return thing
    words = _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")[:200].strip()
    return f"{thing} ({words or 'ended, and nobody has waited for it'})"


def _read(pid: str, name: str) -> bytes:
    try:
        return (_PROCESSES / pid / name).read_bytes()
    except OSError:  # it has ended, or is another user's
        return b""
