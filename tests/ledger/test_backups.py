"""Which earlier copies a backup may replace, as a table."""

from __future__ import annotations

import pytest

from profilectl.ledger.relocation import Contents, losses
from profilectl.model import LedgerAccount

ACME = LedgerAccount("1", "acmecare", "api.x.com", ("acme",))
RENAMED = LedgerAccount("1", "acme_care", "api.x.com", ("acme", "care"))
OTHER = LedgerAccount("1", "acmecare", "127.0.0.1:8787", ("acme",))
EMPTY = Contents((), 0, None)
COPY = Contents((ACME,), 3, "c")


@pytest.mark.parametrize(
    ("copy", "ledger", "hash_at_copys_end"),
    [
        (EMPTY, EMPTY, None),
        (EMPTY, COPY, None),
        (COPY, COPY, "c"),
        (COPY, Contents((RENAMED,), 9, "z"), "c"),
        (COPY, Contents((ACME, OTHER), 9, "z"), "c"),
    ],
    ids=["both empty", "empty copy", "the same", "renamed since", "another account since"],
)
def test_a_continuation(copy, ledger, hash_at_copys_end):
    """A ledger that has all of the copy's records may replace it."""
    assert () == losses(copy, ledger, hash_at_copys_end)


@pytest.mark.parametrize(
    ("ledger", "hash_at_copys_end", "expected"),
    [
        (
            EMPTY,
            None,
            (
                "knows @acmecare (user id 1 at api.x.com)",
                "has records up to 3, and the ledger's end at 0",
            ),
        ),
        (Contents((ACME,), 2, "b"), None, ("has records up to 3, and the ledger's end at 2",)),
        (Contents((ACME,), 9, "z"), "x", ("has another record 3 than the ledger",)),
        (
            Contents((OTHER,), 9, "z"),
            "x",
            ("knows @acmecare (user id 1 at api.x.com)", "has another record 3 than the ledger"),
        ),
    ],
    ids=["empty", "went backwards", "begun anew", "another X"],
)
def test_what_would_be_lost(ledger, hash_at_copys_end, expected):
    """Everything else is named."""
    assert expected == losses(COPY, ledger, hash_at_copys_end)
