"""A plan stands on a roster, on pictures, on the ledger and on what X lists; each of them may move."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from profilectl.model import Binding, Intent, LedgerState, Picture, Profile, Retired, Roster, WithdrawnIntent
from profilectl.plan.fingerprint import basis_of
from profilectl.plan.intents import Observation

ROSTER = Roster((), (), text="version = 1")
PICTURES = {"a.png": Picture("a.png", "sha256:aa", 10), "b.png": Picture("b.png", "sha256:bb", 10)}
BINDING = Binding("alice", "1", "Alice", "sha256:aa", 5, 6)
OBSERVATION = Observation(
    "acme", (Profile("1", "Alice", "https://x/1", 5), Profile("2", "Bo", "", 7)), 9, LedgerState((BINDING,))
)
BASIS = basis_of(ROSTER, PICTURES, [OBSERVATION])


def test_nothing_moves_by_looking_again():
    """The moment of looking, the order of X's list and where X serves a picture are no part of the basis."""
    listed = (Profile("2", "Bo", "https://cdn/2", 7), OBSERVATION.profiles[0])
    again = basis_of(ROSTER, dict(reversed(PICTURES.items())), [replace(OBSERVATION, profiles=listed, observed_ms=99)])

    assert () == again.moved_since(BASIS)


@pytest.mark.parametrize(
    ("moved", "roster", "pictures", "observation"),
    [
        ("roster", replace(ROSTER, text="version = 1\n"), PICTURES, OBSERVATION),
        ("pictures", ROSTER, PICTURES | {"b.png": Picture("b.png", "sha256:cc", 10)}, OBSERVATION),
        ("remote", ROSTER, PICTURES, replace(OBSERVATION, profiles=OBSERVATION.profiles[:1])),
        ("remote", ROSTER, PICTURES, replace(OBSERVATION, user_id="4242")),
        (
            "ledger",
            ROSTER,
            PICTURES,
            replace(OBSERVATION, ledger_state=LedgerState((replace(BINDING, avatar="sha256:cc"),))),
        ),
        (
            "ledger",
            ROSTER,
            PICTURES,
            replace(
                OBSERVATION, ledger_state=LedgerState((BINDING,), (Intent("n", "bo", "Bo", "", frozenset(), 1, 2),))
            ),
        ),
        (
            "ledger",
            ROSTER,
            PICTURES,
            replace(OBSERVATION, ledger_state=LedgerState((BINDING,), (), (Retired("3", "bo", "Bo", 1, "replaced"),))),
        ),
        (
            "ledger",
            ROSTER,
            PICTURES,
            replace(
                OBSERVATION,
                ledger_state=LedgerState(
                    (BINDING,), withdrawn=(WithdrawnIntent(Intent("n", "bo", "Bo", "", frozenset(), 1, 2), 3),)
                ),
            ),
        ),
    ],
)
def test_each_part_is_named_when_it_moves(moved, roster, pictures, observation):
    """What has moved is said by name, so that a person knows where to look."""
    assert (moved,) == basis_of(roster, pictures, [observation]).moved_since(BASIS)
