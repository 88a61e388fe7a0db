"""The entry point: answers ``--version`` and the shells' completion at once, otherwise loads the command line."""

import os
import sys

TYPE_CHECKING = False  # typing's own, which costs as much as all that it takes to answer here
if TYPE_CHECKING:
    from types import FrameType


_SELDOM = 100_000  # objects made, not yet let go of, between two searches for cycles; a `send` makes 60,000


class Interrupted(KeyboardInterrupt):
    """Ctrl-C.

    When a plain KeyboardInterrupt has left an ``exec`` of source text, which is how dataclasses are made, CPython's
    ``-m`` ends by the signal instead of with our exit code, although the interrupt was caught.
    """


def _raise_interrupted(_signal: int, _frame: "FrameType | None") -> None:
    raise Interrupted


def _answered() -> bool:
    """Answer ``--version`` and the shells' completion; return False for all that needs the command line."""
    if sys.argv[1:] == ["--version"]:
        from profilectl import __version__

        try:
            os.write(1, f"profilectl {__version__}\n".encode())
        except OSError:
            return False  # stdout is closed or full: the command line, which does the same, can say so
        return True
    if sys.argv[1:2] == ["__complete"]:
        from profilectl.completion.cached_names import answer

        answer(sys.argv[2:])
        return True
    return False


def main() -> None:
    """Run the command line of this process and exit with its code."""
    if os.name == "nt":  # no modes, locks or terminals as we need them; WSL has all of them
        os.write(2, b"error: profilectl runs on Linux and macOS; on Windows run it in WSL.\n")
        sys.exit(2)
    if _answered():
        return
    import gc
    import signal

    gc.set_threshold(_SELDOM)  # a start makes what is here to stay

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # whoever started us may want it ignored
        signal.signal(signal.SIGINT, _raise_interrupted)
    try:
        from profilectl.cli.main import run

        code = run(sys.argv[1:])
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # everything is done and reported: there is nothing left to interrupt
    except KeyboardInterrupt:  # while the command line was still being loaded
        code = 130
    except RuntimeError as error:  # what Python 3.11 makes of it in the middle of a class
        if not isinstance(error.__cause__, KeyboardInterrupt):
            raise
        code = 130
    # Python ends with two searches for cycles through all that was made, a seventh of `send --dry-run`: everything was
    # closed by name, so there is nothing for them to find.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
