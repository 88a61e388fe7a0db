"""A message is composed only when it may be sent, and believed only when its identity is echoed."""

from __future__ import annotations

from datetime import date

import pytest

from profilectl.errors import ExitCode, IdentityNotEchoed, InputRefused, OutcomeUnknown, PersonNeeded, TryLater
from profilectl.message import MAX_TEXT, Operator, compose, deliver
from profilectl.model import Agent, Binding, Kind, Message, SentMessage

TODAY = date(2027, 1, 15)
ALICE = Agent("alice", "acme", "Alice F.", "a.png", Kind.HUMAN)
BINDING = Binding("alice", "100001", "Alice F.", "sha256:aa", 1, 1)
MESSAGE = Message("alice", "acme", "12345", "Hello", "100001")
OPERATOR = Operator("afast", 1001)


class Journal(list):
    record = list.append


class Post:
    def __init__(self, answer):
        self.answer = answer
        self.messages = []

    def send_message(self, message):
        self.messages.append(message)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def write(agent=ALICE, binding=BINDING, text="Hello", today=TODAY):
    return compose(agent, binding, recipient_id="12345", text=text, today=today, operator=OPERATOR)


def with_fields(**fields):
    return Agent("alice", "acme", "Alice F.", "a.png", Kind.HUMAN, **fields)


def test_compose_takes_the_profile_from_the_ledger():
    """A message carries the profile that is bound to the agent."""
    assert MESSAGE == write()


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ({"binding": None}, "alice has no profile at brand acme yet"),
        ({"text": " \n"}, "the message is empty"),
        ({"text": "x" * (MAX_TEXT + 1)}, "the message has 10001 characters, at most 10000 fit"),
        ({"agent": with_fields(until=date(2027, 1, 14))}, "alice can't send: the last day was 2027-01-14"),
        ({"agent": with_fields(operators=("bob", "uid:7"))}, "afast may not send as alice"),
    ],
)
def test_compose_refuses_with_the_reason(case, reason):
    """What can't be sent is refused before anything leaves, in one sentence."""
    with pytest.raises(InputRefused) as caught:
        write(**case)

    assert reason == caught.value.message


@pytest.mark.parametrize("rule", ["afast", "uid:1001"])
def test_compose_lets_named_operators_send(rule):
    """An operator is named by user name or by uid, and the longest text fits."""
    message = write(with_fields(operators=("bob", rule), until=TODAY), text="x" * MAX_TEXT)

    assert MAX_TEXT == len(message.text)


def test_deliver_believes_the_echo():
    """A receipt exists only for the account and the profile that were asked for."""
    journal, post = Journal(), Post(SentMessage("9", "1", "12345", "100001"))
    receipt = deliver(MESSAGE, "1", post, journal, 5)

    assert ("9", [MESSAGE]) == (receipt.event_id, post.messages)
    assert ["sent"] == [event.what for event in journal]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            SentMessage("9", "1", "12345", None),
            "identity not confirmed: message 9 went out as the brand itself, not with alice's profile 100001",
        ),
        (
            SentMessage("9", "1", "12345", "7"),
            "identity not confirmed: message 9 went out as profile 7, not with alice's profile 100001",
        ),
        (
            SentMessage("9", "2", "12345", "100001"),
            "identity not confirmed: message 9 went out from account 2, not from the brand's 1",
        ),
    ],
)
def test_deliver_never_claims_another_identity(answer, said):
    """A missing or different echo is exit 7, says what customers saw, and stands in the audit trail."""
    journal = Journal()
    with pytest.raises(IdentityNotEchoed) as caught:
        deliver(MESSAGE, "1", Post(answer), journal, 5)

    assert (said, ExitCode.PERSON) == (caught.value.message, caught.value.exit_code)
    assert [answer.profile_id] == [event.detail["echoed_profile_id"] for event in journal]


def test_deliver_sends_an_unanswered_message_once():
    """After an unknown outcome nothing is repeated, and a person is told to look."""
    journal, post = Journal(), Post(OutcomeUnknown("timeout"))
    with pytest.raises(OutcomeUnknown) as caught:
        deliver(MESSAGE, "1", post, journal, 5)

    assert (1, "nothing is confirmed: look into the conversation before you send it again") == (
        len(post.messages),
        caught.value.hint,
    )
    assert ["send-unknown"] == [event.what for event in journal]


def test_the_audit_trail_never_holds_the_text():
    """Of a message's text only the hash and the length are recorded."""
    journal = Journal()
    deliver(MESSAGE, "1", Post(SentMessage("9", "1", "12345", "100001")), journal, 5)

    assert "Hello" not in repr(journal)
    assert 5 == journal[0].detail["text_length"]


def test_a_message_that_could_not_be_recorded_is_never_called_unsent():
    """A ledger that is busy after X answered is no reason to send again: exit 7, with the event's id."""

    class Busy:
        def record(self, event):
            raise TryLater("the ledger is busy")

    with pytest.raises(PersonNeeded) as caught:
        deliver(MESSAGE, "1", Post(SentMessage("9", "1", "12345", "100001")), Busy(), 5)

    assert "the message went out as event 9, but that couldn't be recorded: the ledger is busy" == caught.value.message
    assert "don't send it again" == caught.value.hint
