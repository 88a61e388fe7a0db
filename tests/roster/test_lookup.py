"""What a key that nobody has may have meant."""

from __future__ import annotations

import pytest

from profilectl.model import Move
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


LISTED = "`profilectl roster list` shows them all"


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("omar-smith", LISTED),
        ("julie-kowalski", LISTED),
        ("smith", LISTED),
        ("support-bot-3", LISTED),
        ("zeo-smith", "did you mean zoe-smith?"),
        ("zoe-smiht", "did you mean zoe-smith?"),
        ("zoe_smith", "did you mean zoe-smith?"),
        ("zoesmith", "did you mean zoe-smith?"),
        ("zoe-smith-b", "did you mean zoe-smith?"),
    ],
)
def test_a_colleague_with_the_same_surname_is_not_meant(key, hint):
    """Whoever follows the hint with `remove` would take out somebody else."""
    assert hint == unknown_agent(key, {"zoe-smith", "peter-kowalski", "support-bot-1", "support-bot-2"}).hint


def test_a_key_that_was_changed_leads_to_the_one_of_today():
    """And never to a colleague whose key is like the former one."""
    error = unknown_agent("julie-kowalski", {"julia-kowalski", "julie-oster"}, [Move("julie-kowalski", "julie-oster")])

    assert "julie-kowalski is called julie-oster now" == error.message
    assert "use julie-oster; the roster's [[moved]] says so" == error.hint
