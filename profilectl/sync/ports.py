"""What a sync needs beside the ledger: the calls of X, a way to wait, and a way to be stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from profilectl.model import LocalTime, Profile

if TYPE_CHECKING:
    from profilectl.plan.intents import Observation


class Remote(Protocol):
    """The calls of X that a sync makes; every failure is a `RemoteError` that knows its `Fate`."""

    def list_profiles(self) -> tuple[Profile, ...]:
        """Read the list to its end."""

    def show_profile(self, profile_id: str) -> Profile:
        """Return a profile; NotFound only when X itself says that it has none with that id."""

    def download(self, url: str) -> bytes:
        """Return the picture that X serves at a profile's `avatar_url`."""

    def upload(self, content: bytes, media_type: str) -> str:
        """Return the media id of a picture."""

    # repeated only by who keeps the intents: a client that does so by itself makes two profiles of one name
    def create_profile(self, name: str, media_id: str, leaves_by_ms: int | None = None) -> Profile:
        """Make a profile with one request that leaves by then, of X's clock, or not at all; it isn't repeated here."""

    def destroy_profile(self, profile_id: str) -> None:
        """Destroy a profile; one that is gone already is a success."""

    def now_ms(self) -> int:
        """Return a lower bound of X's clock, epoch milliseconds."""

    def local_time(self) -> LocalTime:
        """Return the moment by this machine's clock, which nobody can set."""


class Wait(Protocol):
    """A way to wait for X."""

    def __call__(self, seconds: float, why: str) -> bool:
        """Wait `seconds` and return True; return False at once when the caller's deadline doesn't allow it."""


@dataclass(slots=True)
class Stop:
    """Whether somebody has asked to end: the calls under way are finished, nothing new is begun."""

    requested: bool = False


class BrandTarget(Struct, frozen=True):
    """One brand's account at X, as one run deals with it."""

    user_id: str
    remote: Remote
    observation: Observation
