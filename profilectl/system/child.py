"""Other programs that this one starts: without a shell, without our variables and our open files."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import subprocess

_OURS: Final = "PROFILECTL_"
_SECRETS: Final = frozenset({"PGPASSWORD"})  # read by us, though not named after us


class Ending(NamedTuple):
    """How a program ended, and what it printed: one byte more than was asked for means that there was more."""

    status: int
    output: bytes


def environment(environ: Mapping[str, str], without: Collection[str] = ()) -> dict[str, str]:
    """Return the variables that a child gets: neither ours nor secrets, nor those that begin as in `without`.

    Some of ours hold credentials and the others say where they are; what a child has to know of them stands among its
    arguments.
    """
    dropped = (_OURS, *without)
    return {name: value for name, value in environ.items() if not name.startswith(dropped) and name not in _SECRETS}


def start(argv: Sequence[str], *, stdout: IO[str] | None = None) -> subprocess.Popen[bytes]:
    """Start a program that talks with the person at the terminal, and return it.

    Args:
        argv: the program and its arguments, which other users of the machine can read: never a secret.
        stdout: where it writes, else our own stdout.

    Raises:
        OSError: it can't be started.
    """
    import subprocess

    return subprocess.Popen(argv, stdout=stdout, env=environment(os.environ))  # noqa: S603 - no shell reads the words


def run(
    argv: Sequence[str], *, seconds: float, largest: int, folder: Path | None = None, without: Collection[str] = ()
) -> Ending:
    """Run a program with nothing on stdin, and return what it printed; what it writes to stderr is dropped.

    Args:
        argv: the program and its arguments, which other users of the machine can read: never a secret.
        seconds: for all of it; then it is killed, with whatever it has started.
        largest: bytes of output; with more it is killed.
        folder: where it runs, else in the current one.
        without: beginnings of variables that it doesn't get.

    Raises:
        TimeoutError: it took longer.
        OSError: it can't be started.
    """
    import subprocess

    end = time.monotonic() + seconds
    process = subprocess.Popen(  # noqa: S603 - no shell reads the words
        argv,
        cwd=folder,
        env=environment(os.environ, without),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # it may show secrets
        start_new_session=True,  # so that whatever it starts is killed with it
    )
    try:
        output = _read(process, largest + 1, end)
        if len(output) > largest:
            return Ending(-signal.SIGKILL, output)
        return Ending(process.wait(timeout=max(0.0, end - time.monotonic())), output)
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    finally:
        _kill(process)


def exchange(
    argv: Sequence[str], content: bytes, *, seconds: float, is_attended: bool, without: Collection[str] = ()
) -> Ending:
    """Run a program with something on stdin, and return what it printed.

    Args:
        argv: the program and its arguments, which other users of the machine can read: never a secret.
        content: what it reads.
        seconds: for all of it; then it is killed.
        is_attended: it may speak with the person at the terminal; otherwise it has none, and its stderr is dropped.
        without: beginnings of variables that it doesn't get.

    Raises:
        TimeoutError: it took longer.
        OSError: it can't be started.
    """
    import subprocess

    process = subprocess.Popen(  # noqa: S603 - no shell reads the words
        argv,
        env=environment(os.environ, without),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if is_attended else subprocess.DEVNULL,
        start_new_session=not is_attended,  # without a terminal of its own it can ask nobody
    )
    try:
        output, _ = process.communicate(content, timeout=seconds)
        return Ending(process.returncode, output)
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # of what it hadn't read
                    stream.close()


def _read(process: subprocess.Popen[bytes], limit: int, end: float) -> bytes:
    """Return what a program prints until it closes its stdout, at most so many bytes; TimeoutError after the end."""
    import select

    assert process.stdout is not None  # noqa: S101 - it was asked for
    output, poll = bytearray(), select.poll()
    with process.stdout as stream:
        poll.register(stream, select.POLLIN)
        while len(output) < limit:
            if not poll.poll(max(0.0, end - time.monotonic()) * 1000):
                raise TimeoutError
            block = os.read(stream.fileno(), limit - len(output))
            if not block:
                break
            output += block
    return bytes(output)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is not None:
        return
    if hasattr(os, "killpg"):
        # It leads a session of its own, and its id stays taken until it is waited for. macOS answers EPERM, not
        # ESRCH, when it is dead already.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
