"""What people read of a conversation beside its messages."""

from __future__ import annotations

import pytest

from profilectl.api.wire_messages import ReadAllowance
from profilectl.messaging.reading import Reading
from profilectl.render.conversations import allowance


@pytest.mark.parametrize(
    ("expected", "left"),
    [
        (None, None),
        (None, 999_944),
        (None, 10),
        ("X lets @acmecare read 9 more pages of messages until ", 9),
        ("X lets @acmecare read 1 more page of messages until ", 1),
        ("X lets @acmecare read no more pages of messages until ", 0),
    ],
)
def test_few_pages_that_are_left_are_told(expected, left):
    """In one sentence; nothing where plenty are left, as on the local X."""
    reading = Reading((), 0, 1, None if left is None else ReadAllowance(left, 1_780_000_000_000))
    line = allowance("acmecare", reading)

    assert expected == (None if line is None else line[: line.index("until ") + 6])
