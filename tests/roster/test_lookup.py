"""What a key that nobody has may have meant."""

from __future__ import annotations

import pytest

from profilectl.roster.lookup import unknown_agent


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("chloe", "did you mean chloe-dupont?"),
        ("a", "did you mean al or alan or alice?"),
        ("alcie", "did you mean alice?"),
        ("", "`profilectl roster list` shows them all"),
        ("zoe", "`profilectl roster list` shows them all"),
    ],
)
def test_the_keys_that_begin_with_it_come_before_those_like_it(key, hint):
    """A first name is how colleagues are called, and its key often goes on with the last name."""
    assert hint == unknown_agent(key, {"chloe-dupont", "alice", "alan", "al", "anna"}).hint
