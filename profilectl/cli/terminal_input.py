"""Reads what a person types at the terminal, so that no signal is lost, whatever the moment in which it comes."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

_STDIN = 0
_LONGEST_LINE = 4096  # bytes; a terminal hands out no longer ones
_ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def read_line(prompt: str, *, hidden: bool = False) -> str:
    """Return the line that is typed at the terminal on stdin, without its line break; the prompt goes to stderr.

    Raises:
        EOFError: the terminal has nothing more to say, as after Ctrl-D.
        KeyboardInterrupt: Ctrl-C; for any signal with a handler, what the handler raises.
    """
    # `input()` looks for signals before it begins to read, and reads on when one comes after that look: Ctrl-C would
    # do nothing until Enter is pressed. So this waits for the terminal and for signals at the same time.
    with ExitStack() as stack:
        terminal = _open_terminal()
        stack.callback(os.close, terminal)
        signals = stack.enter_context(_signals_held_back())
        if hidden:
            stack.enter_context(_echo_off(terminal))
        _show(prompt)
        line = b""
        try:
            while not line.endswith(b"\n"):
                line += _read_part(terminal, signals)
        except (EOFError, KeyboardInterrupt):
            _show("\n")  # what is said next doesn't belong to the question
            raise
        return line.decode(sys.stdin.encoding, sys.stdin.errors or "strict").rstrip("\n")


def discard_typed() -> None:
    """Throw away what was typed at the terminal on stdin and hasn't been read; nothing happens where there is none."""
    with suppress(termios.error):  # the terminal has gone, which shows in what is read from it
        termios.tcflush(_STDIN, termios.TCIFLUSH)


def _read_part(terminal: int, signals: int) -> bytes:
    """Return what was typed next; nothing where it was thrown away again, or where another signal came."""
    ready, _, _ = select.select([terminal, signals], [], [])
    if signals in ready:
        if any(number in _ENDINGS for number in os.read(signals, _LONGEST_LINE)):
            raise KeyboardInterrupt
        return b""
    try:
        part = os.read(terminal, _LONGEST_LINE)
    except BlockingIOError:  # Ctrl-C also throws away what was typed before it
        return b""
    except OSError:  # the terminal has gone
        raise EOFError from None
    if not part:
        raise EOFError
    return part


def _open_terminal() -> int:
    """Open stdin's terminal once more, for reads that don't wait."""
    # The mode belongs to the open file, which the shell shares with us on descriptor 0.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        return os.open(os.ttyname(_STDIN), flags)
    except OSError:  # another user's, as after `su`, or one from outside of a container
        return os.open("/dev/tty", flags)


@contextmanager
def _signals_held_back() -> Iterator[int]:
    """Yield a descriptor with the number of each signal that comes, one byte each; handlers are called after it."""
    handlers = {number: signal.getsignal(number) for number in _ENDINGS}
    received: set[int] = set()
    try:
        with ExitStack() as stack:
            reader, writer = os.pipe()
            for descriptor in (reader, writer):
                stack.callback(os.close, descriptor)
                os.set_blocking(descriptor, False)
            stack.callback(signal.set_wakeup_fd, signal.set_wakeup_fd(writer, warn_on_full_buffer=False))
            for number, handler in handlers.items():
                if callable(handler):  # who ignores a signal goes on ignoring it
                    stack.callback(signal.signal, number, handler)
                    signal.signal(number, lambda number, _frame: received.add(number))
            yield reader
    finally:
        for ending, handler in handlers.items():
            if ending in received and callable(handler):
                handler(ending, None)


@contextmanager
def _echo_off(terminal: int) -> Iterator[None]:
    """Let the terminal show nothing of what is typed in the block; what was typed before it is thrown away."""
    before = termios.tcgetattr(terminal)
    silent = termios.tcgetattr(terminal)
    silent[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSAFLUSH, silent)
    try:
        yield
    finally:
        with suppress(termios.error):  # the terminal has gone
            termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
        _show("\n")


def _show(text: str) -> None:
    # A terminal that has gone shows in what is read from it.
    with suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.flush()
