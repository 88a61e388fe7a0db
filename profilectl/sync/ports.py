"""What a sync needs from the world, in its own words; the rooms of X, the ledger and the terminal fit themselves in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from profilectl.model import Binding, Intent, LedgerState, Profile, Retired
    from profilectl.plan.intents import Observation


class Remote(Protocol):
    """The calls of X that a sync makes; every failure is a `RemoteError` that knows its `Fate`."""

    def list_profiles(self) -> tuple[Profile, ...]:
        """Read the list to its end."""

    def upload(self, content: bytes, media_type: str) -> str:
        """Return the media id of a picture."""

    def create_profile(self, name: str, media_id: str) -> Profile:
        """Make a profile; never repeated by the callee."""

    def destroy_profile(self, profile_id: str) -> None:
        """Destroy a profile; one that is gone already is a success."""

    def now_ms(self) -> int:
        """Return a lower bound of X's clock, epoch milliseconds."""


class Knowledge(Protocol):
    """The ledger as an observer needs it."""

    def state_of(self, user_id: str) -> LedgerState:
        """Return everything known about an account."""


class Records(Knowledge, Protocol):
    """The ledger as a sync needs it; what it was told is durable when a method returns, in a batch when that ends."""

    def batch(self) -> AbstractContextManager[None]:
        """Write everything that it is told in a ``with`` block at once; all or nothing."""

    def begin_intent(self, user_id: str, intent: Intent) -> None:
        """Promise a create, right before it is sent."""

    def reattempt(self, user_id: str, nonce: str, attempted_ms: int) -> None:
        """Promise one more attempt of it."""

    def mark_unknown(self, user_id: str, nonce: str, now_ms: int) -> None:
        """Note that an attempt went unanswered: the settle time counts from now."""

    def finish_intent(self, user_id: str, nonce: str, profile: Profile, now_ms: int, *, adopted: bool) -> Binding:
        """Bind what it made, retire what it replaces, close the intent; all or nothing."""

    def cancel_intent(self, user_id: str, nonce: str, why: str, now_ms: int) -> None:
        """Close the intent of a create that surely made nothing."""

    def retire(self, user_id: str, agent: str, now_ms: int) -> Retired:
        """Unbind a removed agent; its profile is to be destroyed."""

    def drop(self, user_id: str, profile_id: str, now_ms: int) -> None:
        """Forget a retired profile that X has destroyed."""

    def protect(self, user_id: str, agent: str, *, protected: bool) -> None:
        """Remember whether an agent outlives its roster entry."""


class Patience(Protocol):
    """Waits `seconds` and says True; says False at once when the caller's deadline doesn't allow it."""

    def __call__(self, seconds: float, why: str) -> bool:
        """Wait, or decline."""


@dataclass(slots=True)
class Stop:
    """A person's wish to end: the calls under way are finished, nothing new is begun."""

    requested: bool = False


@dataclass(frozen=True, slots=True)
class BrandTarget:
    """One brand's account at X, as one run deals with it."""

    user_id: str
    remote: Remote
    observation: Observation
