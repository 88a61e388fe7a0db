"""``credential_command``: somebody else's program that prints an account's credentials."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import Final

from profilectl.credentials.private_files import MAX_BYTES
from profilectl.errors import CredentialsError
from profilectl.system.threads import run_with_deadline
from profilectl.text.escape import visible

SECONDS: Final = 10.0


def fill(argv: Sequence[str], *, handle: str, host: str) -> tuple[str, ...]:
    """Return the command for one account: ``{handle}`` and ``{host}`` are replaced, other braces left alone."""
    return tuple(word.replace("{handle}", handle).replace("{host}", host) for word in argv)


def is_runnable(argv: Sequence[str]) -> bool:
    """Say whether the program exists, without running it."""
    return shutil.which(argv[0]) is not None


def run_command(argv: Sequence[str], *, seconds: float = SECONDS) -> bytes:
    """Run a program without a shell, with nothing on stdin, and return what it printed.

    Raises:
        CredentialsError: it can't be started, fails, takes longer than `seconds`, or prints more than `MAX_BYTES`.
    """
    name = f"credential_command {visible(argv[0])}"
    hint = "run it by hand to see what is wrong with it"
    end = time.monotonic() + seconds
    try:
        process = subprocess.Popen(  # noqa: S603 - argv is the user's own, from a file only they can write
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # it may show secrets
            start_new_session=True,  # so that whatever it starts is killed with it
        )
    except OSError as error:
        raise CredentialsError(f"{name} can't be started: {error.strerror}", hint=hint) from None
    try:
        output = run_with_deadline(seconds, lambda: _read(process))
        if len(output) > MAX_BYTES:
            raise CredentialsError(f"{name} printed more than {MAX_BYTES // 1024} KiB", hint=hint)
        status = process.wait(timeout=max(0.0, end - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired):
        raise CredentialsError(f"{name} took longer than {seconds:g} s", hint=hint) from None
    finally:
        _kill(process)
    if status != 0:
        raise CredentialsError(f"{name} failed with status {status}", hint=hint)
    return output


def _read(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    with process.stdout:
        return process.stdout.read(MAX_BYTES + 1)


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
