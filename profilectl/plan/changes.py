"""The steps of a plan: what they are called, why they are planned, and in which order they happen."""

from __future__ import annotations

import enum
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict


class Action(enum.StrEnum):
    """What happens to one agent or profile; the order of the members is the order of a sync."""

    RENAME = "rename"  # the agent's key was changed: the ledger follows, and X isn't concerned
    ADOPT = "adopt"  # settle an open intent: the profile that an unanswered create made becomes the agent's
    REPLACE = "replace"  # create the new, bind it, retire the old: X has no update
    CREATE = "create"
    DELETE = "delete"  # the agent left the roster
    DESTROY = "destroy"  # a retired profile whose grace is over
    BLOCKED = "blocked"  # only a person, or time, can go on; `Change.why` says which


class Reason(enum.StrEnum):
    """Why a change is planned; the values are those of the JSON documents."""

    NAME = "name"  # the roster has another one
    AVATAR = "avatar"  # the roster has another one
    SWAPPED = "swapped"  # another picture is live than the one that was uploaded
    CONSENT = "consent"  # beside others: the name or picture is a neutral one
    NEW = "new"
    LOST = "lost"  # bound, but gone from X
    REMOVED = "removed"  # the agent left the roster
    UNTIL = "until"  # the agent's last day is over
    REPLACED = "replaced"
    UNANSWERED = "unanswered"  # made by a create that X never answered
    NAMESAKE = "namesake"  # a profile of that name exists that the ledger doesn't know
    AMBIGUOUS = "ambiguous"  # several profiles may be the one that an unanswered create made
    UNSETTLED = "unsettled"  # X's list can't show yet what became of an unanswered create
    UNCONFIRMED = "unconfirmed"  # bound and not listed, but X doesn't say that it is gone
    REUSED = "reused"  # X shows another profile under the id of a bound one
    LATE = "late"  # made after all by a create that was taken for lost
    OFFBOARDED = "offboarded"
    MOVED = "moved"  # the roster's [[moved]] says so
    BOTH = "both"  # the roster has changed a key, and the ledger has a profile under each of the two
    DIVIDED = "divided"  # the same, and one of the two was offboarded while the other one has a profile


class Appearance(Struct, frozen=True):
    """What customers see: a name, and the digest of the picture's source file."""

    name: str
    avatar: str


class Change(Struct, frozen=True):
    """One step of a plan."""

    brand: str
    agent: str
    action: Action
    why: tuple[Reason, ...]  # what differs between roster and X, or the one cause
    profile_id: str | None = None  # what is replaced, deleted, adopted, destroyed, or in the way; None for a create
    before: Appearance | None = None
    after: Appearance | None = None
    nonce: str | None = None  # of the intent that made the profile, for what an unanswered create made
    former: str | None = None  # the agent's key before, for a rename and for what is in its way

    @property
    def creates(self) -> bool:
        """Whether this step costs one of the day's creates."""
        return self.action in {Action.CREATE, Action.REPLACE}

    @property
    def removes(self) -> bool:
        """Whether this step costs one of the day's destroys."""
        return self.action in {Action.DELETE, Action.DESTROY}

    @property
    def is_blocked(self) -> bool:
        """Whether nothing can be done for the agent in this run."""
        return self.action is Action.BLOCKED

    @property
    def waits(self) -> bool:
        """Whether a later run settles this step without a person."""
        return self.is_blocked and not {Reason.UNSETTLED, Reason.UNCONFIRMED}.isdisjoint(self.why)

    @property
    def needs_person(self) -> bool:
        """Whether only a person can settle this step."""
        return self.is_blocked and not self.waits

    @property
    def is_in_doubt(self) -> bool:
        """Whether the agent may be without its new name or picture, so that nothing of the brand may be removed."""
        doubts = {Reason.AMBIGUOUS, Reason.UNSETTLED, Reason.UNCONFIRMED, Reason.REUSED}
        return self.is_blocked and not doubts.isdisjoint(self.why)

    @property
    def goal(self) -> Appearance:
        """What a create or a replacement makes; ValueError for the other actions."""
        if self.after is None:
            raise ValueError(f"{self.action} makes nothing")
        return self.after

    @property
    def is_repair(self) -> bool:
        """Whether an agent that should be live isn't: these go first."""
        return self.action is Action.CREATE and Reason.LOST in self.why

    def rank(self) -> int:
        """Return the place in the order of a sync: rename, adopt, repair, replace, create, delete, destroy, blocked."""
        return 3 if self.is_repair else list(Action).index(self.action) * 2

    def plain(self) -> dict[str, Any]:
        """Return the change as the JSON documents and the digest know it."""
        return {
            "brand": self.brand,
            "agent": self.agent,
            "action": self.action.value,
            "why": [reason.value for reason in self.why],
            "profile_id": self.profile_id,
            "before": None if self.before is None else asdict(self.before),
            "after": None if self.after is None else asdict(self.after),
            "former": self.former,
        }
