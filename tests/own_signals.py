"""Signals as a program gets them from a shell, whoever has started the tests."""

from __future__ import annotations

import signal

_TESTED = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1}


def receive() -> None:
    """Let the processes that tests start get every signal, also when the tests' own starter ignores or blocks some.

    A child inherits what is ignored, but not what has a handler. So Ctrl-C gets its usual one, and the others get one
    that does nothing: ``nohup pytest`` stays what it is.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _TESTED)
    for number in _TESTED:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number is signal.SIGINT else _do_nothing)


def _do_nothing(_signal: int, _frame: object) -> None:
    pass
