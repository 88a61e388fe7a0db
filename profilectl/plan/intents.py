"""What became of a create that was never answered: decided from what X shows, never guessed."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from profilectl.model import Binding, Intent, LedgerState, LocalTime, Move, Profile
from profilectl.text.names import as_compared

LONGEST_LATENESS_MS = 35_000
"""How long after its intent a create is over at the latest: it leaves within 5 s, and ends 30 s later."""

REMEMBERED_MS = 2 * 24 * 3600 * 1000
"""How long after its withdrawal an intent may still turn out to have made something."""

_RESOLUTION_MS = 1000  # of the Date header, RFC 9110 5.6.7
_MIN_READINGS = 2  # that must agree before anything is believed to be absent
_UNKNOWN_TIME = LocalTime("", 0)


class Observation(Struct, frozen=True):
    """What was observed of one brand at one moment."""

    brand: str
    profiles: tuple[Profile, ...]  # that any of the readings listed
    observed_ms: int  # X's clock, a lower bound, when the last reading of the list began
    ledger_state: LedgerState = field(default_factory=LedgerState)  # as after the renames
    user_id: str = ""  # of the brand's account
    readings: int = 1  # of the whole list
    local: LocalTime = _UNKNOWN_TIME  # this machine's, when the last reading began
    watched_ms: int = 0  # between the beginnings of the first and the last reading, by this machine's clock
    gone: frozenset[str] = frozenset()  # ids of bound profiles of which X itself says that it has none
    same_picture: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    """Whether a profile shows the picture that an intent meant, by the intent's nonce and the profile's id.

    Those whose picture couldn't be had are missing.
    """
    renames: tuple[Move, ...] = ()  # that the ledger has still to follow, see `plan.moves`
    conflicts: tuple[Move, ...] = ()  # that it can't follow

    def listed(self) -> frozenset[str]:
        """Return the ids that X listed."""
        return frozenset(profile.id for profile in self.profiles)


class IntentStatus(enum.Enum):
    """What X shows about an open intent."""

    CREATED = "created"
    NOT_CREATED = "not created"
    PENDING = "pending"  # X may not list it yet
    AMBIGUOUS = "ambiguous"  # several profiles may be the one, or it isn't sure of the one


class Evidence(Struct, frozen=True):
    """The profiles that are newer than an intent, and that nothing else explains."""

    proven: tuple[Profile, ...] = ()  # each bears the intended name and shows the intended picture
    doubtful: tuple[Profile, ...] = ()  # each may be what the create made


def newer_profiles(intent: Intent, observation: Observation) -> Iterator[Profile]:
    """Yield the profiles that weren't listed before the intent, are unknown to the ledger, and were created since."""
    known = known_ids(observation.ledger_state)
    for profile in observation.profiles:
        if profile.id not in intent.listed and profile.id not in known and profile.created_ms >= intent.begun_ms:
            yield profile


def weigh(intent: Intent, observation: Observation) -> Evidence:
    """Return what speaks for an intent's create having made a profile.

    The five proofs of adoption: not listed before, unknown to the ledger, created after the intent by X's clock, the
    intended name as X writes names, the intended picture. An intent of an older ledger has no picture, so four do.
    """
    proven, doubtful = [], []
    for profile in newer_profiles(intent, observation):
        has_name = as_compared(profile.name) == as_compared(intent.name)
        has_picture = observation.same_picture.get((intent.nonce, profile.id)) if intent.picture else has_name
        if has_name and has_picture:
            proven.append(profile)
        elif (has_name or has_picture is not False) and not _is_explained(profile, intent, observation):
            doubtful.append(profile)
    return Evidence(tuple(proven), tuple(doubtful))


def _is_explained(profile: Profile, intent: Intent, observation: Observation) -> bool:
    """Say whether a profile is what another create made, by name and picture."""
    others = [*observation.ledger_state.intents, *(late.intent for late in observation.ledger_state.withdrawn)]
    return any(
        other.nonce != intent.nonce
        and as_compared(other.name) == as_compared(profile.name)
        and observation.same_picture.get((other.nonce, profile.id), not other.picture)
        for other in others
    )


def resolve(intent: Intent, observation: Observation, settle_after: int) -> tuple[IntentStatus, tuple[Profile, ...]]:
    """Decide whether an unanswered create made a profile.

    Returns:
        the intent's status, and its candidates: one where it is CREATED, at least one where it is AMBIGUOUS.
    """
    evidence = weigh(intent, observation)
    if evidence.doubtful or len(evidence.proven) > 1:
        return IntentStatus.AMBIGUOUS, (*evidence.proven, *evidence.doubtful)
    if evidence.proven:
        return IntentStatus.CREATED, evidence.proven
    is_over = observation.readings >= _MIN_READINGS and left_ms(intent, observation, settle_after) <= 0
    return (IntentStatus.NOT_CREATED if is_over else IntentStatus.PENDING), ()


def left_ms(intent: Intent, observation: Observation, settle_after: int) -> int:
    """Return for how long X's list may still lack what the intent's last attempt made, 0 or less when it is over.

    By X's clock and by this machine's, as a Date header may jump. A ledger doesn't tell how long ago the attempt of
    another machine was, or of one that has been restarted since, so there the time counts that X has been watched.
    """
    if not settle_after:  # zero stands for an X whose list never lags and whose requests are never late
        return 0
    by_x = intent.attempted_ms + settle_after * 1000 + _RESOLUTION_MS - observation.observed_ms
    since = observation.local.since(LocalTime(intent.boot, intent.attempted_local_ms))
    watched = observation.watched_ms - LONGEST_LATENESS_MS if since is None else since
    return max(by_x, settle_after * 1000 - watched)


def known_ids(ledger_state: LedgerState) -> frozenset[str]:
    """Return the ids of every profile that is ours: bound or retired."""
    bound = frozenset(binding.profile_id for binding in ledger_state.bindings)
    return bound | {retired.profile_id for retired in ledger_state.retired}


def missing_bindings(observation: Observation, settle_after: int) -> tuple[str, ...]:
    """Return the ids of bound profiles that X should list and doesn't; young ones may just not be listed yet."""
    listed = observation.listed()
    return tuple(
        binding.profile_id
        for binding in observation.ledger_state.bindings
        if binding.profile_id not in listed and settling_until(binding, observation.observed_ms, settle_after) is None
    )


def settling_until(binding: Binding, observed_ms: int, settle_after: int) -> int | None:
    """Return until when X's list may still lack a young profile, in milliseconds of X's clock; None once it may not."""
    # zero stands for an X whose list never lags; its clock, known to the second, isn't asked then
    until_ms = binding.created_ms + settle_after * 1000
    return until_ms if settle_after and observed_ms < until_ms else None


def remembered(observation: Observation) -> tuple[Intent, ...]:
    """Return the withdrawn intents that may still turn out to have made something."""
    return tuple(
        late.intent
        for late in observation.ledger_state.withdrawn
        if observation.observed_ms - late.withdrawn_ms <= REMEMBERED_MS
    )
