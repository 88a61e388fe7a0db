"""A target under random inputs for some seconds: each may fail only as the program foresees, and not take long."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import tempfile
import time
import unicodedata
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from profilectl.text.later_unicode import category

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

CORPUS = Path(__file__).parent / "corpus"
_BATCH = 200  # inputs between two looks at the clock
_OVERRIDES = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
_HIDDEN = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_PICTOGRAPHS = (range(0x1F6D8, 0x1F700), range(0x1FA70, 0x1FB00))  # shown although Unicode may not have them yet
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Target:
    """A reader of foreign bytes, and what it must hold to."""

    name: str  # also of its folder in the corpus
    check: Callable[[bytes], object]  # raises for what no input may bring about
    inputs: SearchStrategy[bytes]
    slowest: float = 5  # seconds of processor time that one input may take
    memory: int = 1 << 30  # bytes that may be taken on top of what the process has


class TooSlow(BaseException):
    """An input is still in work when its time is over; no reader's `except Exception` may take it for its own."""


def explore(target: Target, seconds: float, first_seed: int) -> int:
    """Try random inputs until the time is over, and return how many; a failing one is shrunk, saved and named."""
    end, count = time.monotonic() + seconds, 0

    def attempt(content):
        nonlocal count
        count += 1
        check(target, content, first_seed)

    number = first_seed
    while time.monotonic() < end:
        # `database=None`: what has failed once is in the corpus, for everybody
        options = settings(
            max_examples=_BATCH,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        )
        options(seed(number)(given(target.inputs)(attempt)))()
        number += 1
    return count


def check(target: Target, content: bytes, origin: object) -> None:
    """Hold a target against one input, within its time and memory; an input that fails is saved."""
    try:
        with _bounded(target):
            target.check(content)
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt):
            error.add_note(f"{target.name}: input saved as {_save(target, content)}; from {origin}")
        if isinstance(error, TooSlow):
            pytest.fail(f"{target.name} takes longer than {target.slowest} s")
        raise


@contextmanager
def _bounded(target):
    limits = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGVTALRM, _stop)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * _PAGE + target.memory, limits[1]))
    signal.setitimer(signal.ITIMER_VIRTUAL, target.slowest)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.signal(signal.SIGVTALRM, handler)


def _stop(_signal, _frame):
    raise TooSlow


def _save(target, content):
    folder = Path(tempfile.gettempdir()) / "profilectl-fuzz" / target.name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / hashlib.sha256(content).hexdigest()[:16]
    path.write_bytes(content)
    return path


def require_printable(*texts: str | None) -> None:
    """Fail for a text that could steer a terminal, or that holds what nobody can see.

    Controls but the newline, surrogates, bidirectional overrides, private use, and code points that stand for nothing.
    """
    for text in texts:
        line = (text or "").replace("\n", "")
        if line.isprintable():  # then none of it is of those categories, nor an override
            continue
        for char in line:
            # Reserved for pictographs, or a letter that this Python doesn't know yet: one verdict on every version.
            is_pictograph = any(ord(char) in block for block in _PICTOGRAPHS)
            is_pictograph |= unicodedata.category(char) == "Cn" and category(char)[0] in "LMNPS"
            assert is_pictograph or unicodedata.category(char) not in _HIDDEN, text
            assert unicodedata.bidirectional(char) not in _OVERRIDES, text
