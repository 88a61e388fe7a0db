"""The door: answers ``--version`` at once, otherwise opens the house."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line of this process and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        from profilectl import __version__

        sys.stdout.write(f"profilectl {__version__}\n")
        return
    import signal

    try:
        from profilectl.cli.main import run

        code = run(sys.argv[1:])
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done and told: leaving is no step to interrupt
    except KeyboardInterrupt:  # while the house was still being opened
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    main()
