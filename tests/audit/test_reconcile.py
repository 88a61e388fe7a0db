"""X's own list of messages beside the record."""

from __future__ import annotations

from profilectl.audit.faces import Entry
from profilectl.audit.reconcile import reconcile
from profilectl.model import Event, SentMessage

USER = "7001"
SPAN = (100, 100, 1000)


def at_x(event_id, profile_id="9", sender=USER, created_ms=500):
    return SentMessage(event_id, sender, "5001", profile_id, "Hello", created_ms)


def recorded(event_id, at_ms=500):
    return Entry(int(event_id), Event("sent", USER, at_ms, "alice", "9", {"event_id": event_id}), "ann@desk")


def compared(listed, sent, span=SPAN):
    result = reconcile(listed, sent, {"9", "8"}, USER, span)
    return result.agreed, [message.event_id for message in result.unknown], [entry.seq for entry in result.missing]


def test_what_both_have_agrees():
    """Whatever the list says of its profile: X needn't tell it."""
    assert (2, [], []) == compared([at_x("1"), at_x("2", None)], [recorded("1"), recorded("2")])


def test_a_message_with_a_face_of_ours_that_nobody_recorded_is_told():
    """A former face counts, too; what bears no face may be another program's, and a customer's message is none."""
    others = [at_x("3", None), at_x("4", "77"), at_x("5", sender="5001")]
    assert (0, ["1", "2"], []) == compared([at_x("1"), at_x("2", "8"), *others], [])


def test_a_recorded_message_that_x_does_not_list_is_told():
    """Only where the list has to have it: not before it begins, and not while X may lag."""
    sent = [recorded("1", 99), recorded("2", 100), recorded("3", 999), recorded("4", 1000)]
    assert (0, [], [2, 3]) == compared([], sent)


def test_a_list_that_begins_later_than_it_was_asked_for_proves_nothing_of_the_time_before():
    """X lets an account read so many pages at once."""
    assert (0, [], [2]) == compared([], [recorded("1", 400), recorded("2", 600)], (100, 500, 1000))
