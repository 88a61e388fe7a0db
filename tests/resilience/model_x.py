"""The model's X: who made which profile and when, a list that lags, and the promises that hold at every event."""

from __future__ import annotations

import html
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from profilectl.model import Profile
from profilectl.pictures.avatars import normalise
from profilectl.pictures.placeholders import initials_portrait

if TYPE_CHECKING:
    from collections.abc import Callable

START = 1_800_000_000_000  # epoch milliseconds, on a whole second
STRANGER = "stranger"
STRANGE_FACE = normalise(initials_portrait("Stanley Strange", 48), "face").content
STALE_MS = 600_000


class ViolationError(AssertionError):
    """A promise was broken."""


def hold(promise: bool, broken: str) -> None:
    """Raise a violation unless the promise held; plain asserts of a helper module would explain nothing."""
    if not promise:
        raise ViolationError(broken)


@dataclass
class Made:
    """A profile as it really is; `owner` is the desk or the stranger who made it."""

    id: str
    name: str
    created_ms: int
    listed_ms: int
    owner: str
    agent: str | None = None
    picture: bytes = STRANGE_FACE
    ended_by: str | None = None
    ended_ms: int | None = None
    is_late: bool = False  # made when nobody waited for it any more
    is_spelled: bool = False  # X shows the name its own way

    @property
    def is_live(self) -> bool:
        return self.ended_by is None

    def told(self) -> Profile:
        name = html.escape(self.name) if self.is_spelled else self.name
        return Profile(self.id, name, f"https://pbs.example/{self.id}", self.created_ms)


@dataclass
class ModelX:
    """True state and true time; watchers are asked before a profile ends."""

    time_ms: int = START
    made: dict[str, Made] = field(default_factory=dict)
    late: list[tuple[int, Callable[[], object]]] = field(default_factory=list)  # requests still on their way
    watchers: list[Callable[[Made, str], None]] = field(default_factory=list)
    spells: bool = False  # whether X writes names its own way from now on
    ids: itertools.count = field(default_factory=lambda: itertools.count(1))

    def advance(self, milliseconds: int) -> None:
        """Let time pass, and let the requests arrive that were under way when their sender died."""
        end = self.time_ms + milliseconds
        due = sorted((one for one in self.late if one[0] <= end), key=lambda one: one[0])
        self.late = [one for one in self.late if one[0] > end]
        for moment, arrive in due:
            self.time_ms = max(self.time_ms, moment)
            arrive()
        self.time_ms = end

    def make(
        self,
        owner: str,
        agent: str | None,
        name: str,
        lag_ms: int = 0,
        picture: bytes = STRANGE_FACE,
        *,
        is_late: bool = False,
    ) -> Made:
        one = Made(str(next(self.ids)), name, self.time_ms, self.time_ms + lag_ms, owner, agent, picture)
        one.is_late, one.is_spelled = is_late, self.spells
        self.made[one.id] = one
        return one

    def end(self, profile_id: str, by: str) -> None:
        """Destroy a profile; again is allowed."""
        one = self.made.get(profile_id)
        if one is not None and one.is_live:
            for watch in self.watchers:
                watch(one, by)
            one.ended_by, one.ended_ms = by, self.time_ms

    def live(self) -> list[Made]:
        return [one for one in self.made.values() if one.is_live]

    def listed(self, lie: str = "") -> tuple[Profile, ...]:
        """Return what the list says: newest first, and nothing of what it hasn't heard of yet; or a lie."""
        listed = tuple(one.told() for one in reversed(self.live()) if one.listed_ms <= self.time_ms)
        if lie == "empty":
            return ()
        if lie == "half":
            return listed[1::2]
        if lie == "stale":
            return tuple(one.told() for one in reversed(self._live_at(self.time_ms - STALE_MS)))
        if lie == "another account's":
            return tuple(replace(profile, id=f"9{profile.id}") for profile in listed)
        return listed

    def _live_at(self, moment_ms: int) -> list[Made]:
        made = [one for one in self.made.values() if one.listed_ms <= moment_ms]
        return [one for one in made if one.ended_ms is None or one.ended_ms > moment_ms]
