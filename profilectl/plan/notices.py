"""What a plan leaves as it is, and why: first days to come, protected profiles, and replaced ones that still exist."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import date
from typing import Any

from msgspec import Struct

from profilectl.model import Agent


class NoticeKind(enum.StrEnum):
    """What is told; the values are those of the JSON documents."""

    UPCOMING = "upcoming"  # the first day is still to come, so nothing is made; a profile that is there stays
    ENDED = "ended"  # the last day is over: the profile goes
    PROTECTED = "protected"  # the roster has no entry any more, and the profile stays
    PROTECTED_ENDED = "protected-ended"  # the last day is over, and the profile stays
    RETIRED = "retired"  # replaced, and destroyed when its grace is over
    SETTLING = "settling"  # made a moment ago, and X doesn't list it (yet, or any more)
    MUTED = "muted"  # it differs, and was left out of this run


class Notice(Struct, frozen=True):
    """One agent or profile about which nothing else in a plan tells, or not when."""

    brand: str
    agent: str
    kind: NoticeKind
    day: date | None = None  # the first or last one
    at_ms: int | None = None
    """When a retired profile goes (None: not before its successor is listed), or X should list a young one; X's clock.
    """
    profile_id: str | None = None
    field: str = ""  # that was left out: "name" or "avatar"

    def plain(self) -> dict[str, Any]:
        """Return the notice without its moment, as JSON documents have it."""
        return {
            "brand": self.brand,
            "agent": self.agent,
            "kind": self.kind.value,
            "day": None if self.day is None else self.day.isoformat(),
            "profile_id": self.profile_id,
            "field": self.field or None,
        }


class Staying(Struct, frozen=True):
    """The agents of one brand by their days."""

    upcoming: Mapping[str, date]  # first days
    ended: Mapping[str, date]  # last days

    @classmethod
    def of(cls, agents: tuple[Agent, ...], today: date) -> Staying:
        """Return who hasn't begun, and who has ended."""
        return cls(
            {agent.key: agent.starts for agent in agents if agent.starts is not None and agent.starts > today},
            {agent.key: agent.until for agent in agents if agent.until is not None and agent.until < today},
        )
