"""What people read of a conversation beside its messages."""

from __future__ import annotations

import pytest

from profilectl.api.wire_messages import ReadAllowance
from profilectl.messaging.reading import Reading, Thread
from profilectl.model import SentMessage
from profilectl.render.conversations import Faces, allowance, clock, inbox_cells, pictures, plain_thread, thread_rows


@pytest.mark.parametrize(
    ("expected", "left"),
    [
        (None, None),
        (None, 999_944),
        (None, 10),
        ("X lets @acmecare read 9 more pages of messages until ", 9),
        ("X lets @acmecare read 1 more page of messages until ", 1),
        ("X lets @acmecare read no more pages of messages until ", 0),
    ],
)
def test_few_pages_that_are_left_are_told(expected, left):
    """In one sentence; nothing where plenty are left, as on the local X."""
    reading = Reading((), 0, 1, None if left is None else ReadAllowance(left, 1_780_000_000_000))
    line = allowance("acmecare", reading)

    assert expected == (None if line is None else line[: line.index("until ") + 6])


FACES = Faces("acmecare", "1", {"9": ("layla", "ليلى")}, {"2": "ada"})
AT_MS = 1_780_000_000_000


def thread(profile_id="9", created_ms=AT_MS):
    return Thread("2", (SentMessage("5", "1", "2", profile_id, "Hello", created_ms),), is_answered=True)


def test_a_name_from_right_to_left_moves_nothing_of_a_plain_thread():
    """It is isolated there as in a drawn one."""
    assert [f"\u2068ليلى\u2069 (layla), {clock(AT_MS)}:", "| Hello"] == list(plain_thread(FACES, thread()))


def test_the_inbox_has_moments_for_its_table():
    """A table says how long ago that was, as of every moment; one that X doesn't tell is said to be unknown."""
    rows = [next(inbox_cells("acme", FACES, [thread(created_ms=at)], several=False)) for at in (AT_MS, 0)]

    assert ["2026-05-28T20:26:40Z", "at an unknown time"] == [row[2] for row in rows]


URL = "https://ton.twitter.com/1.1/ton/data/dm/5/6/x.jpg"


@pytest.mark.parametrize(("expected", "url"), [(URL, URL), ("X gives no address of it", None)])
def test_a_customer_s_picture_can_be_found(expected, url):
    """Where it can be seen, and as whom, since X shows it to nobody else; a pipe has the address beside the text."""
    picture = SentMessage("5", "2", "1", None, "", AT_MS, has_attachment=True, attachment_url=url)
    conversation = Thread("2", (picture,), is_answered=False)
    line = f"@ada's picture of {clock(AT_MS)}: {expected}"
    where = "X shows them to a browser that is logged in as @acmecare, and in its apps."

    assert [line, where] == list(pictures(FACES, conversation, is_local=False))
    assert [line] == list(pictures(FACES, conversation, is_local=True))
    assert ["a picture" + (f": {url}" if url else "")] == [row[6] for row in thread_rows(FACES, conversation)]
    assert [] == list(pictures(FACES, thread(), is_local=False))
