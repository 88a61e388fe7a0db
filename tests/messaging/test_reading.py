"""X's list of messages, read as seldom as may be, whatever it says."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from profilectl.api.wire_messages import EventPage, ReadAllowance
from profilectl.messaging.reading import KEPT_BACK, gather, last_answer, last_words, may_read, threads
from profilectl.model import SentMessage

US, ADA, BOB = "1", "2", "3"


def message(number, sender, recipient, text=""):
    return SentMessage(str(number), sender, recipient, None, text, number * 1000)


def page(*messages, cursor="next", left=10):
    oldest = min((each.created_ms for each in messages), default=None)
    return EventPage(messages, oldest, cursor, ReadAllowance(left, 9_000))


HISTORY = [
    page(message(9, ADA, US, "Hello?"), message(8, US, BOB)),
    page(message(7, US, ADA), message(6, BOB, US)),
    page(message(5, ADA, US), cursor=None),
]


@pytest.mark.parametrize(
    ("expected", "enough", "of"),
    [((3, 0), 0, None), ((1, 8000), 1, (US, ADA)), ((2, 6000), 2, (US, BOB)), ((3, 0), 9, (US, BOB))],
)
def test_no_more_pages_are_read_than_are_needed(expected, enough, of):
    """Until enough of a conversation was found, or to the end, where nothing older is missing."""
    reading = gather(iter(HISTORY), enough, of)

    assert expected == (reading.pages, reading.since_ms)


def test_some_pages_are_left_for_sends_in_doubt():
    """Once X allows no more than these, the reading ends and says since when it is whole."""
    pages = [page(message(9, ADA, US), left=KEPT_BACK), page(message(8, ADA, US), left=KEPT_BACK - 1)]

    assert (1, 9000) == ((kept := gather(iter(pages), keep=KEPT_BACK)).pages, kept.since_ms)
    assert 2 == gather(iter(pages)).pages


def test_threads_say_who_waits_and_since_when():
    """The newest first; somebody waits from the first message that nobody answered."""
    first, second = threads(gather(iter(HISTORY)).messages, US)

    assert [(ADA, False, 9000), (BOB, True, None)] == [
        (thread.user_id, thread.is_answered, thread.waiting_since) for thread in (first, second)
    ]
    assert ["5", "7", "9"] == [each.event_id for each in first.messages]
    assert ["9"] == [each.event_id for each in first.newest_only(1).messages]


def test_an_x_that_lies_is_read_as_far_as_it_makes_sense():
    """The same message twice counts once; one of others, or from nobody, is no thread; an empty list has none."""
    odd = [message(4, ADA, US), message(4, ADA, US), message(3, ADA, BOB), message(2, "", US), message(1, US, "")]
    reading = gather([page(*odd), page(cursor=None)])

    assert [(ADA, 1)] == [(thread.user_id, len(thread.messages)) for thread in threads(reading.messages, US)]
    assert () == threads(gather([]).messages, US)


def test_last_words_are_the_customer_s_newest():
    """Whatever the order in which X lists them."""
    messages = gather(iter(HISTORY)).messages

    assert "Hello?" == last_words(reversed(messages), ADA).text
    assert last_words(messages, "4") is None


@pytest.mark.parametrize(
    ("expected", "known"),
    [
        (True, {}),
        (True, {"left": 6, "again_ms": 600_000}),
        (False, {"left": 5, "again_ms": 600_000}),
        (True, {"left": 0, "again_ms": 100}),
        (True, {"left": 0, "again_ms": 10**12}),
    ],
)
def test_a_reading_for_comfort_leaves_the_last_ones(expected, known):
    """By what X said last, as long as that can be true: not beyond its window of a quarter of an hour."""
    assert expected == may_read(known, now_ms=1000)


@pytest.mark.parametrize(
    ("expected", "messages"),
    [
        (None, []),
        (None, [message(1, US, ADA), message(2, ADA, US)]),
        ("3", [message(3, US, ADA), message(1, US, ADA), message(2, ADA, US)]),
        ("3", [message(3, US, ADA), message(4, US, BOB), message(5, BOB, US)]),
    ],
)
def test_an_answer_is_what_came_after_the_last_words(expected, messages):
    """To this customer only; the newest of several."""
    answer = last_answer(messages, US, ADA)

    assert expected == (None if answer is None else answer.event_id)


def test_what_carries_no_face_is_no_answer_where_something_with_a_face_is():
    """A card that follows the agent's words doesn't hide who answered; alone it is all that went out."""
    faced = replace(message(2, US, ADA), profile_id="100")
    card, earlier = message(3, US, ADA), replace(message(0, US, ADA), profile_id="99")
    asked = message(1, ADA, US)

    assert ["2", "3"] == [last_answer([card, *more, asked, earlier], US, ADA).event_id for more in ([faced], [])]
    assert ["2"] == [each.answer.event_id for each in threads([card, faced, asked], US)]
    assert [None] == [each.answer for each in threads([asked, earlier], US)]
