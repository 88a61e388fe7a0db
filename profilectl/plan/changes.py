"""The steps of a plan: what they are called, and in which order they happen."""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass
from typing import Any


class Action(enum.StrEnum):
    """What happens to one agent or profile; the order of the members is the order of a sync."""

    ADOPT = "adopt"  # settle an open intent: the profile that an unanswered create made becomes the agent's
    REPLACE = "replace"  # create the new, bind it, retire the old: X has no update
    CREATE = "create"
    DELETE = "delete"  # the agent left the roster
    DESTROY = "destroy"  # a retired profile whose grace is over
    BLOCKED = "blocked"  # only a person, or time, can go on; `why` says which


@dataclass(frozen=True, slots=True)
class Appearance:
    """What customers see: a name, and the digest of the picture's source file."""

    name: str
    avatar: str


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a plan.

    Attributes:
        why: the fields that differ ("name", "avatar"), or the reason: "new", "lost" (bound, but gone from X), "swapped"
            (another picture is live),
            "removed", "until", "replaced", "unanswered", "namesake", "ambiguous", "unsettled",
            "offboarded" (and still in the roster).
        profile_id: the profile that is replaced, deleted, adopted, destroyed, or in the way; None for a create.
    """

    brand: str
    agent: str
    action: Action
    why: tuple[str, ...]
    profile_id: str | None = None
    before: Appearance | None = None
    after: Appearance | None = None

    @property
    def creates(self) -> bool:
        """Whether this step costs one of the day's creates."""
        return self.action in {Action.CREATE, Action.REPLACE}

    @property
    def goal(self) -> Appearance:
        """What a create or a replacement makes; ValueError for the other actions."""
        if self.after is None:
            raise ValueError(f"{self.action} makes nothing")
        return self.after

    @property
    def is_repair(self) -> bool:
        """Whether an agent that should be live isn't: these go first."""
        return self.action is Action.CREATE and self.why == ("lost",)

    def rank(self) -> int:
        """Return the place in the order of a sync: adopt, repair, replace, create, delete, destroy, blocked."""
        order = list(Action).index(self.action) * 2
        return 1 if self.is_repair else order

    def plain(self) -> dict[str, Any]:
        """Return the change as the JSON documents and the digest know it."""
        return {
            "brand": self.brand,
            "agent": self.agent,
            "action": self.action.value,
            "why": list(self.why),
            "profile_id": self.profile_id,
            "before": None if self.before is None else asdict(self.before),
            "after": None if self.after is None else asdict(self.after),
        }
