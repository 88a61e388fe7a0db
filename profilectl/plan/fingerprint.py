"""What a plan was made from, so that a plan that was reviewed runs only while all of that stands still."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from profilectl.digests import digest_of, digest_of_bytes
from profilectl.model import LedgerState, Picture, Roster

if TYPE_CHECKING:
    from profilectl.plan.intents import Observation


class Basis(Struct, frozen=True):
    """Four digests, ``sha256:`` and 64 hexadecimal digits each."""

    roster: str  # the text of the file
    pictures: str  # every picture file that the chosen brands' agents name
    ledger: str  # bindings, open intents and retired profiles of the chosen brands
    remote: str  # their accounts, and ids and names of the profiles that X lists for them

    def moved_since(self, earlier: Basis) -> tuple[str, ...]:
        """Return the names of what differs from an earlier basis, in the order of the attributes."""
        return tuple(name for name in self.__struct_fields__ if getattr(self, name) != getattr(earlier, name))


def basis_of(roster: Roster, pictures: Mapping[str, Picture], observations: Sequence[Observation]) -> Basis:
    """Return the basis of a plan."""
    return Basis(
        roster=digest_of_bytes(roster.text.encode()),
        pictures=digest_of(sorted((path, picture.digest) for path, picture in pictures.items())),
        ledger=digest_of([[observation.brand, *_known(observation.ledger_state)] for observation in observations]),
        remote=digest_of([_listed(observation) for observation in observations]),
    )


def _listed(observation: Observation) -> tuple[object, ...]:
    # sorted, as X promises no order
    profiles = sorted((profile.id, profile.name) for profile in observation.profiles)
    return observation.brand, observation.user_id, profiles


def _known(ledger_state: LedgerState) -> tuple[object, ...]:
    # only what decides about a plan, so that it isn't stale because of what merely was noted meanwhile
    return (
        sorted((b.agent, b.profile_id, b.name, b.avatar, b.protected) for b in ledger_state.bindings),
        sorted((intent.nonce, intent.agent, intent.attempted_ms) for intent in ledger_state.intents),
        sorted((retired.profile_id, retired.agent, retired.since_ms) for retired in ledger_state.retired),
        sorted(ledger_state.blocked),
        sorted(late.intent.nonce for late in ledger_state.withdrawn),
    )
