"""Whose face a public name was: every kind of beginning and end that the record tells of."""

from __future__ import annotations

import pytest

from profilectl.audit.faces import Entry, FaceHistory, Status, named
from profilectl.audit.periods import Period
from profilectl.model import Event

USER = "7001"


def history(*steps):
    """Return the faces of events, each given as what, profile, detail, agent; a record's number is its time, too."""
    faces = FaceHistory()
    for seq, (what, profile_id, *more) in enumerate(steps, start=1):
        detail, agent = (*more, *({}, "alice")[len(more) :])
        faces.take(Entry(seq, Event(what, USER, seq, agent, profile_id, detail), f"user{seq}@desk"))
    return faces.faces()


def ends(face):
    """Return when it began, when it was left and why, and when it was over; None for never."""
    began, left, over = (None if entry is None else entry.seq for entry in (face.began, face.left, face.over))
    return began, left, face.why, over


NAME = {"name": "Alice F.", "avatar": "sha256:a"}

ENDS = {
    "bound to this day": ([("created", "1", NAME)], [(1, None, None, None)]),
    "replaced, and destroyed later": (
        [("created", "1", NAME), ("created", "2", {**NAME, "replaced": "1"}), ("destroyed", "1")],
        [(1, 2, "replaced", 3), (2, None, None, None)],
    ),
    "replaced, and still there": (
        [("created", "1", NAME), ("adopted", "2", {**NAME, "replaced": "1"})],
        [(1, 2, "replaced", None), (2, None, None, None)],
    ),
    "removed": ([("created", "1", NAME), ("retired", "1", {"why": "removed"})], [(1, 2, "removed", None)]),
    "destroyed while bound": ([("created", "1", NAME), ("destroyed", "1")], [(1, 2, "destroyed", 2)]),
    "forgotten": ([("created", "1", NAME), ("forgotten", "1")], [(1, 2, "forgotten", None)]),
    "forgotten, then destroyed by hand": (
        [("created", "1", NAME), ("forgotten", "1"), ("destroyed-stranger", "1")],
        [(1, 2, "forgotten", 3)],
    ),
    "given back to the agent": (
        [("created", "1", NAME), ("retired", "1", {"why": "removed"}), ("adopted", "1", NAME)],
        [(1, 2, "removed", 3), (3, None, None, None)],
    ),
    "made too late, so never bound": ([("retired", "1", {"why": "removed"})], [(None, 1, "removed", None)]),
    "a stranger": ([("destroyed-stranger", "1", {"name": "Eve"}, None)], [(None, 1, "destroyed", 1)]),
    "replaced one that the record doesn't know": (
        [("adopted", "2", {**NAME, "replaced": "1"})],
        [(1, None, None, None)],
    ),
    "only a message": ([("sent", "1")], []),
}


@pytest.mark.parametrize("case", ENDS)
def test_how_a_face_begins_and_ends(case):
    """An agent leaves a face, and X loses it: two moments, each with its record."""
    steps, expected = ENDS[case]

    assert expected == [ends(face) for face in history(*steps)]


def test_who_recorded_it_and_with_which_picture():
    """Each end names its own actor."""
    (face,) = history(("created", "1", {**NAME, "consent": "HR-2231"}), ("retired", "1", {"why": "removed"}))

    assert ("alice", "Alice F.", "sha256:a", "HR-2231") == (face.agent, face.name, face.picture, face.consent)
    assert ("user1@desk", "user2@desk") == (face.began.actor, face.left.actor)


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (Period(0, 1), None),  # it begins at 1
        (Period(0, 2), Status.SPEAKS),
        (Period(1, 2), Status.SPEAKS),
        (Period(2, 3), Status.SHOWN),  # left at 2
        (Period(3, 4), None),  # over at 3
        (Period(1, 9), Status.SPEAKS),
    ],
    ids=str,
)
def test_what_a_face_was_in_a_period(period, expected):
    """It is seen from its beginning up to its end, and what was let go meanwhile isn't anybody's any more."""
    (face,) = history(("created", "1", NAME), ("retired", "1", {"why": "removed"}), ("destroyed", "1"))

    assert expected == (face.status(period) if face.is_in(period) else None)


def test_what_was_left_at_x_may_be_there_still():
    """The record doesn't follow a profile that was let go, and says so."""
    (face,) = history(("created", "1", NAME), ("forgotten", "1"))

    assert (True, Status.LEFT) == (face.is_in(Period(50, 51)), face.status(Period(50, 51)))


@pytest.mark.parametrize("name", ["Alice & Bob", "Alice &amp; Bob", "Alice  & Bob", " Alice & Bob"])
def test_names_are_compared_as_x_writes_them(name):
    """Another spelling of the same name is the same name."""
    (face,) = history(("created", "1", {"name": "Alice & Bob"}))

    assert [face] == named([face], name)
    assert [] == named([face], "Alice & Rob")


def test_accounts_are_kept_apart():
    """The same id in two accounts is two profiles."""
    faces = FaceHistory()
    for seq, user in enumerate(("1", "2"), start=1):
        faces.take(Entry(seq, Event("created", user, seq, "alice", "100", NAME), "ann@desk"))
    faces.take(Entry(3, Event("destroyed", "1", 3, "alice", "100", {}), "ann@desk"))

    assert [("1", 3), ("2", None)] == [(face.account, face.over and face.over.seq) for face in faces.faces()]
    assert (None, "Alice F.") == (faces.name_of("1", "100"), faces.name_of("2", "100"))
