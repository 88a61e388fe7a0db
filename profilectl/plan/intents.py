"""What became of a create that was never answered: decided from the list, never guessed."""

from __future__ import annotations

import enum

from msgspec import Struct, field

from profilectl.model import Intent, LedgerState, Profile

_RESOLUTION_MS = 1000  # of the Date header, RFC 9110 5.6.7


class Observation(Struct, frozen=True):
    """What was observed of one brand at one moment."""

    brand: str
    profiles: tuple[Profile, ...]
    observed_ms: int  # X's clock, a lower bound, when the reading of the list began
    ledger_state: LedgerState = field(default_factory=LedgerState)
    user_id: str = ""  # of the brand's account

    def listed(self) -> frozenset[str]:
        """Return the ids that X listed."""
        return frozenset(profile.id for profile in self.profiles)


class IntentStatus(enum.Enum):
    """What a complete list says about an open intent."""

    CREATED = "created"
    NOT_CREATED = "not created"
    PENDING = "pending"  # X may not list it yet
    AMBIGUOUS = "ambiguous"  # several profiles may be the one


def resolve(intent: Intent, observation: Observation, settle_after: int) -> tuple[IntentStatus, tuple[Profile, ...]]:
    """Decide whether an unanswered create made a profile, from the four proofs of adoption.

    A candidate bears the intended name, wasn't listed before, isn't known to the ledger, and was created after the
    intent by X's clock.

    Returns:
        the intent's status, and its candidates: one where it is CREATED, several where it is AMBIGUOUS.
    """
    namesakes = [profile for profile in observation.profiles if profile.name == intent.name]
    known = known_ids(observation.ledger_state) if namesakes else frozenset()
    candidates = tuple(
        profile
        for profile in namesakes
        if profile.id not in intent.listed and profile.id not in known and profile.created_ms >= intent.begun_ms
    )
    if len(candidates) > 1:
        return IntentStatus.AMBIGUOUS, candidates
    if candidates:
        return IntentStatus.CREATED, candidates
    is_over = observation.observed_ms >= listed_by_ms(intent, settle_after)
    return (IntentStatus.NOT_CREATED if is_over else IntentStatus.PENDING), ()


def listed_by_ms(intent: Intent, settle_after: int) -> int:
    """Return when X's list, read by X's clock, must show what the intent's last attempt made."""
    # zero stands for an X whose list never lags and whose requests are never late
    return intent.attempted_ms + settle_after * 1000 + _RESOLUTION_MS if settle_after else 0


def known_ids(ledger_state: LedgerState) -> frozenset[str]:
    """Return the ids of every profile that is ours: bound or retired."""
    bound = frozenset(binding.profile_id for binding in ledger_state.bindings)
    return bound | {retired.profile_id for retired in ledger_state.retired}
