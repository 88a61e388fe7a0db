"""What became of each step of a sync, and the exit code that the steps add up to."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from profilectl.errors import CredentialsError, ExitCode, PersonNeeded, ProfilectlError, RateLimited, TryLater

if TYPE_CHECKING:
    from profilectl.model import Profile
    from profilectl.plan.changes import Change


_UNKNOWN_RESET = datetime.min.replace(tzinfo=UTC)  # weighs less than any that is known


class Status(enum.StrEnum):
    """How one step ended; a table of the documents is made from it."""

    DONE = "done", "it happened, and the ledger has it"
    FAILED = "failed", "it was tried, and surely didn't happen; the error says why"
    UNKNOWN = (
        "unknown",
        "it was sent and never answered, and may have happened: the next `sync` settles it by X's list",
    )
    SKIPPED = (
        "skipped",
        "it wasn't tried: the agent is blocked, or another step of its brand, a limit of X's or a signal ended that",
    )

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Self:
        """Keep the sentence beside the word."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member


class Outcome(Struct, frozen=True):
    """One step of a plan, tried or not."""

    change: Change
    status: Status
    profile_id: str | None = None
    error: ProfilectlError | None = None
    name_shown: str | None = None  # how X spells the name of a new profile, where it isn't as it was sent


def other_spelling(profile: Profile, name: str) -> str | None:
    """Return the name as X shows it where that isn't the one that was sent."""
    return None if profile.name == name else profile.name


def count(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Count outcomes by status, zeros included."""
    counts = Counter(outcome.status for outcome in outcomes)
    return {status.value: counts[status] for status in Status}


def exit_code(outcomes: Iterable[Outcome]) -> ExitCode:
    """Add the steps up, by `errors.PRECEDENCE`."""
    return ExitCode.gravest(map(_code, outcomes))


def limits(outcomes: Iterable[Outcome]) -> dict[str, RateLimited]:
    """Return, by brand, the limit of X that ended its steps: where there are several, the one that is reset last."""
    latest: dict[str, RateLimited] = {}
    for outcome in outcomes:
        error, brand = outcome.error, outcome.change.brand
        if outcome.status is not Status.DONE and isinstance(error, RateLimited):
            latest[brand] = max(latest.get(brand, error), error, key=lambda limit: limit.retry_at or _UNKNOWN_RESET)
    return latest


def _code(outcome: Outcome) -> ExitCode:
    if outcome.status is Status.DONE:
        return ExitCode.DONE
    if isinstance(outcome.error, CredentialsError):
        return ExitCode.CREDENTIALS
    if outcome.status is Status.UNKNOWN or outcome.change.waits:
        return ExitCode.TRY_LATER  # the next run settles it without a person
    if outcome.change.needs_person or isinstance(outcome.error, PersonNeeded):
        return ExitCode.PERSON
    if outcome.error is None:
        return ExitCode.DONE  # not tried: another step's outcome, or a signal, says why
    return ExitCode.TRY_LATER if isinstance(outcome.error, TryLater) else ExitCode.PARTIAL
