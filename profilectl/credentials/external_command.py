"""``credential_command``: somebody else's program that prints an account's credentials."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Final

from profilectl.credentials.private_files import MAX_BYTES
from profilectl.errors import CredentialsError
from profilectl.system import child
from profilectl.text.escape import visible

SECONDS: Final = 10.0


def fill(argv: Sequence[str], *, handle: str, host: str) -> tuple[str, ...]:
    """Return the command for one account: ``{handle}`` and ``{host}`` are replaced, other braces left alone."""
    return tuple(word.replace("{handle}", handle).replace("{host}", host) for word in argv)


def is_runnable(argv: Sequence[str]) -> bool:
    """Say whether the program exists, without running it."""
    return shutil.which(argv[0]) is not None


def run_command(argv: Sequence[str], *, seconds: float = SECONDS) -> bytes:
    """Run a program without a shell, with nothing on stdin and without our variables, and return what it printed.

    Raises:
        CredentialsError: it can't be started, fails, takes longer than `seconds`, or prints more than `MAX_BYTES`.
    """
    name = f"credential_command {visible(argv[0])}"
    hint = "run it by hand to see what is wrong with it; it runs without PROFILECTL_ variables and PGPASSWORD"
    try:
        ending = child.run(argv, seconds=seconds, largest=MAX_BYTES)
    except TimeoutError:
        raise CredentialsError(f"{name} took longer than {seconds:g} s", hint=hint) from None
    except OSError as error:
        raise CredentialsError(f"{name} can't be started: {error.strerror}", hint=hint) from None
    if len(ending.output) > MAX_BYTES:
        raise CredentialsError(f"{name} printed more than {MAX_BYTES // 1024} KiB", hint=hint)
    if ending.status != 0:
        raise CredentialsError(f"{name} failed with status {ending.status}", hint=hint)
    return ending.output
