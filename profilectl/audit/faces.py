"""Who customers could see, and since when: the profiles of an account as the record tells of them.

A profile's public name and picture never change, so each span of a profile under an agent is a face. An agent speaks
with it until it is replaced or the agent is removed; customers may go on seeing it until it is destroyed at X.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from profilectl.audit.periods import Period
from profilectl.model import Event
from profilectl.text.names import as_compared

FACE_EVENTS = ("created", "adopted", "retired", "destroyed", "destroyed-stranger", "forgotten")
"""The events that say what became of a profile."""


class Entry(Struct, frozen=True):
    """A record that was read: its number, what happened, and who did it."""

    seq: int
    event: Event
    actor: str  # as `user@host`, with what makes that doubtful behind it
    written_ms: int = 0  # by the clock of the machine that wrote it; 0 where a version before did


class Status(enum.StrEnum):
    """What a face was in some period."""

    SPEAKS = "speaks"  # messages were sent with it, or could be
    SHOWN = "shown"  # nobody sent with it any more, and X had it still
    LEFT = "left"  # it was left at X, and the record doesn't follow it any more


class Face(Struct, frozen=True):
    """A profile while it was one agent's."""

    account: str
    profile_id: str
    agent: str | None  # None for a profile that was never ours
    name: str | None  # public; None where the record hasn't got it
    picture: str | None = None  # digest of the source file
    consent: str | None = None  # the reference that was recorded with it
    began: Entry | None = None  # None where the record only has the end
    left: Entry | None = None  # from then on nobody sends with it
    why: str | None = None  # "replaced" | "removed" | "destroyed" | "forgotten" | "renamed": the agent's key
    over: Entry | None = None  # X doesn't have it any more, or it was bound once more
    plan: str | None = None  # the digest of the plan that made it
    commit: str | None = None  # of the roster in git

    def is_in(self, period: Period) -> bool:
        """Say whether customers could see it in a period, as far as the record tells."""
        since = self.began or self.left or self.over
        has_begun = since is not None and (self.began is None or since.event.at_ms < period.until_ms)
        return has_begun and (self.over is None or self.over.event.at_ms > period.from_ms)

    def status(self, period: Period) -> Status:
        """Return what it was in a period in which customers could see it."""
        if self.began is not None and (self.left is None or self.left.event.at_ms > period.from_ms):
            return Status.SPEAKS
        return Status.LEFT if self.why == "forgotten" else Status.SHOWN


class FaceHistory:
    """Takes the records one after the other, and knows every face that they tell of."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], Face] = {}
        self._over: list[Face] = []

    def take(self, entry: Entry) -> None:
        """Learn from one more record; those that are about no profile change nothing."""
        event = entry.event
        if event.profile_id is None or event.what not in FACE_EVENTS:
            return
        key = event.account, event.profile_id
        if event.what in {"created", "adopted"}:
            self._begin(key, entry)
        elif event.what in {"retired", "forgotten"}:
            self._leave(key, entry, _text(event, "why") or event.what)
        else:
            face = self._open.pop(key, None) or Face(*key, event.agent, _text(event, "name"))
            left = (entry, "destroyed") if face.left is None else (face.left, face.why)
            self._over.append(replace(face, left=left[0], why=left[1], over=entry))

    def name_of(self, account: str, profile_id: str | None) -> str | None:
        """Return the public name of a profile that X may still have, or None."""
        face = None if profile_id is None else self._open.get((account, profile_id))
        return None if face is None else face.name

    def faces(self) -> list[Face]:
        """Return all faces, in the order in which the record first tells of each."""
        return sorted([*self._over, *self._open.values()], key=_first)

    def _begin(self, key: tuple[str, str], entry: Entry) -> None:
        event = entry.event
        former = key[0], _text(event, "replaced") or ""
        if former in self._open:
            self._leave(former, entry, "replaced")
        earlier = self._open.pop(key, None)
        if earlier is not None:  # an agent got it back, or one whose profile was forgotten did
            left = (entry, "renamed") if _text(event, "renamed_from") else (earlier.left, earlier.why)
            self._over.append(replace(earlier, left=left[0], why=left[1], over=entry))
        name, picture, consent = (_text(event, word) for word in ("name", "avatar", "consent"))
        plan, commit = _text(event, "plan"), _text(event, "commit")
        self._open[key] = Face(*key, event.agent, name, picture, consent, began=entry, plan=plan, commit=commit)

    def _leave(self, key: tuple[str, str], entry: Entry, why: str) -> None:
        event = entry.event
        # one that was never bound came late, or is older than the record
        face = self._open.get(key) or Face(*key, event.agent, _text(event, "name"))
        self._open[key] = replace(face, left=entry, why=why)


def named(faces: Iterable[Face], name: str) -> list[Face]:
    """Return the faces of a public name, however X or another tool may write it."""
    compared = as_compared(name)
    return [face for face in faces if face.name is not None and as_compared(face.name) == compared]


def _first(face: Face) -> int:
    return min(entry.seq for entry in (face.began, face.left, face.over) if entry is not None)


def _text(event: Event, key: str) -> str | None:
    value = event.detail.get(key)
    return value if isinstance(value, str) else None
