"""Readers of foreign bytes under inputs that nobody has thought of, 20 seconds each.

``PROFILECTL_TEST_FUZZ_SECONDS=3600 pytest tests/fuzz`` gives each an hour; ``PROFILECTL_TEST_FUZZ_SEED`` repeats a run.
"""

from __future__ import annotations

import os
import random
import time

import pytest

from tests.fuzz.runner import check, explore
from tests.fuzz.targets import TARGETS, corpus

SECONDS = float(os.environ.get("PROFILECTL_TEST_FUZZ_SECONDS", "20"))


@pytest.mark.parametrize(
    ("target", "path"),
    [pytest.param(target, path, id=f"{target.name}-{path.name}") for target in TARGETS for path in corpus(target.name)],
)
def test_what_broke_once(target, path):
    """Every input that has broken a reader is taken, or refused in its words."""
    check(target, path.read_bytes(), path)


@pytest.mark.timeout(SECONDS + 600)
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_random_inputs(target):
    """No input makes a reader fail in a way that the program doesn't foresee."""
    seed = int(os.environ.get("PROFILECTL_TEST_FUZZ_SEED") or random.SystemRandom().randrange(1 << 32))

    begun = time.monotonic()
    count = explore(target, SECONDS, seed)
    pace = count / (time.monotonic() - begun)

    print(f"{target.name}: {count} inputs, {pace:.0f} a second, seed {seed}")  # noqa: T201 - shown of a failing run, and by -rP
    assert count > 0
