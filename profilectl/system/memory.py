"""What this process has in its memory, secrets among it, stays there: no core dump, no look from outside."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import cache
from typing import Final

_PR_SET_DUMPABLE: Final = 4  # prctl(2)
_TOO_SMALL: Final = 1  # byte


def forbid_core_dumps() -> None:
    """Keep this process, and those it starts, from ever leaving their memory in a core dump.

    Where the kernel pipes core dumps into a program (core(5)), such as systemd-coredump or Apport, it asks for no limit
    but this: one byte means that nothing is dumped at all (Linux, fs/coredump.c), while zero is ignored.
    """
    try:
        import resource
    except ImportError:  # Windows, which writes none unless an administrator asks for them
        return
    limit = _TOO_SMALL if sys.platform == "linux" else 0
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    if hard != 0:  # RLIM_INFINITY is below zero
        resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
    elif limit:  # a lower limit can't be raised again
        hide_memory()


@cache
def hide_memory() -> None:
    """Let no other process of this user look into this one's memory, and no core dump be made; on Linux only.

    Called where credentials are about to be read, as it takes 2 ms to load what it needs. It ends with this process:
    whatever it starts can be looked into again.
    """
    if sys.platform != "linux":
        return
    with suppress(ImportError, OSError, AttributeError):  # a Python without ctypes, another C library
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
