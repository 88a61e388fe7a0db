"""A small X, and a brand that is synchronised with it."""

from __future__ import annotations

import pytest

from profilectl.ledger.sqlite import open_for_writing
from tests.sync.small_x import Run, SmallX


@pytest.fixture
def x():
    return SmallX()


@pytest.fixture
def run(tmp_path, x):
    with open_for_writing(tmp_path / "ledger.db") as ledger:
        yield Run(ledger, x)
