"""Waits that end: what a test waits for comes in time, or the test fails and says what it was."""

from __future__ import annotations

import contextlib
import io
import os
import select
import signal
import subprocess
import time
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

LONGEST = 60.0  # seconds; a busy machine needs a tenth of them
_PAUSE = 0.01  # seconds


class NeverCame(AssertionError):
    """What a test waited for didn't come."""


def until(condition: Callable[[], object], what: str, seconds: float = LONGEST) -> None:
    """Look again and again until a condition holds.

    Raises:
        NeverCame: it didn't hold within that many seconds.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise NeverCame(f"waited {seconds:g} s for {what}")
        time.sleep(_PAUSE)


def join(*threads: threading.Thread, seconds: float = LONGEST) -> None:
    """Wait for the end of threads.

    Raises:
        NeverCame: one of them goes on for longer than that many seconds.
    """
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
        if thread.is_alive():
            raise NeverCame(f"waited {seconds:g} s for the end of {thread.name}")


def read_some(descriptor: int, so_far: object, *, size: int = 65536, seconds: float = LONGEST) -> bytes:
    """Read what comes next from a pipe or a pseudo-terminal; nothing is its end.

    Args:
        descriptor: where from.
        so_far: what came before, for the failure.
        size: how many bytes at most.
        seconds: how long nothing may come.

    Raises:
        NeverCame: nothing came.
    """
    if not select.select([descriptor], [], [], seconds)[0]:
        raise NeverCame(f"waited {seconds:g} s for more than {so_far!r}")
    return os.read(descriptor, size)


def next_line(process: subprocess.Popen[Any], stream: IO[Any] | None = None) -> Any:
    """Return the next line that a process writes, text where the stream is; empty at its end.

    It takes byte after byte, so that whoever reads the stream later misses nothing. A silent process is killed: the
    ``with`` of a `Popen` would wait for it.

    Args:
        process: who speaks.
        stream: where, if not on its stdout.

    Raises:
        NeverCame: the line didn't.
    """
    source: Any = stream or process.stdout
    line = b""
    with cut_short(process):
        while not line.endswith(b"\n") and (byte := read_some(source.fileno(), line, size=1)):
            line += byte
    return line.decode() if isinstance(source, io.TextIOBase) else line


@contextlib.contextmanager
def cut_short(process: subprocess.Popen[Any]) -> Iterator[None]:
    """Kill a process when a block fails: the ``with`` of its `Popen` would wait for its end."""
    try:
        yield
    except BaseException:
        process.kill()
        raise


@contextlib.contextmanager
def group(command: list[Any], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Start a process and take it away at the end of the block, with whatever else is left of its session.

    Args:
        command: program and arguments.
        options: those of `subprocess.Popen`.
    """
    with subprocess.Popen(command, start_new_session=True, **options) as process:
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):  # the id of the group stays taken as long as it has members
                os.killpg(process.pid, signal.SIGKILL)
