"""What a sync needs beside the ledger: the calls of X, a way to wait, and a way to be stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from profilectl.model import Profile

if TYPE_CHECKING:
    from profilectl.plan.intents import Observation


class Remote(Protocol):
    """The calls of X that a sync makes; every failure is a `RemoteError` that knows its `Fate`."""

    def list_profiles(self) -> tuple[Profile, ...]:
        """Read the list to its end."""

    def show_profile(self, profile_id: str) -> Profile:
        """Return one profile; NotFound when X itself says that there is none."""

    def upload(self, content: bytes, media_type: str) -> str:
        """Return the media id of a picture."""

    # repeated only by who keeps the intents: a client that does so by itself makes two profiles of one name
    def create_profile(self, name: str, media_id: str) -> Profile:
        """Make a profile with one request; it isn't repeated here."""

    def destroy_profile(self, profile_id: str) -> None:
        """Destroy a profile; one that is gone already is a success."""

    def now_ms(self) -> int:
        """Return a lower bound of X's clock, epoch milliseconds."""


class Wait(Protocol):
    """A way to wait for X."""

    def __call__(self, seconds: float, why: str) -> bool:
        """Wait `seconds` and return True; return False at once when the caller's deadline doesn't allow it."""


@dataclass(slots=True)
class Stop:
    """Whether somebody has asked to end: the calls under way are finished, nothing new is begun."""

    requested: bool = False


@dataclass(frozen=True, slots=True)
class BrandTarget:
    """One brand's account at X, as one run deals with it."""

    user_id: str
    remote: Remote
    observation: Observation
