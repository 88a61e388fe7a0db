"""The same stateful model over ledgers in PostgreSQL: ours is reached through a pooler in transaction mode.

`PROFILECTL_TEST_SHARED_EXAMPLES=2000` looks further, and at other examples each time.
"""

from __future__ import annotations

import itertools
import os

import pytest
from hypothesis import settings

from profilectl.ledger.address import parse_place
from tests.postgres_server import USER
from tests.resilience.test_model import Survival, TestSurvival

USUAL_SHARED_EXAMPLES = 20
EXAMPLES = int(os.environ.get("PROFILECTL_TEST_SHARED_EXAMPLES", str(USUAL_SHARED_EXAMPLES)))


class SharedSurvival(Survival):
    """The model's admins, each with a schema of its own in one database."""

    numbers = itertools.count(1)

    def place_of(self, name):
        if name == "ours":
            self.number = next(self.numbers)
        front = self.pooler if name == "ours" else self.postgres
        return parse_place(front.address(user=USER, query=f"schema={self.schema_of(name)}"))

    def schema_of(self, name):
        return f"{name}_{self.number}"

    def teardown(self):
        try:
            super().teardown()
        finally:
            for name in ("ours", "theirs"):
                self.postgres.execute(f"DROP SCHEMA IF EXISTS {self.schema_of(name)} CASCADE")


@pytest.fixture(autouse=True)
def _in_postgres(tally, postgres, pooler):
    """Count the histories that have come to their end, and say where their ledgers are."""
    SharedSurvival.tally = staticmethod(tally)
    SharedSurvival.postgres, SharedSurvival.pooler = postgres, pooler


pytestmark = [pytest.mark.scoreboard("shared examples"), pytest.mark.timeout(max(900, 30 * EXAMPLES))]  # seconds

TestSharedSurvival = SharedSurvival.TestCase
TestSharedSurvival.settings = settings(
    TestSurvival.settings, max_examples=EXAMPLES, derandomize="PROFILECTL_TEST_SHARED_EXAMPLES" not in os.environ
)
del TestSurvival  # it is collected where it is made
