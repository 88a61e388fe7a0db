"""What becomes of a message is one value: what X has, what was asked after it, and what a person should know."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from profilectl.errors import InputRefused, OutcomeUnknown, PartlyDone, Refused, Unreachable
from profilectl.ledger.sqlite import open_for_reading, open_for_writing
from profilectl.messaging.compose import Contents, SendStatus
from profilectl.messaging.identity import Sender
from profilectl.messaging.send_rules import SendContext
from profilectl.messaging.sender import MessageSender
from profilectl.messaging.typing import SHORTEST, Typing
from profilectl.model import Account, Agent, Brand, Card, Kind, Policy, Profile, SentMessage, Survey
from profilectl.secret import Credentials, Secret

NOW = 1_790_000_000_000
ACME = Brand("acme", "acmecare", privacy_url="https://example.com/privacy")
ALICE = Agent("alice", "acme", "Alice F.", "a.png", Kind.HUMAN)
ACCOUNT = Account("1", "acmecare", "api.x.com")
PROFILE = Profile("100001", "Alice F.", "https://pbs.example/1.jpg", NOW)
CREDENTIALS = Credentials(Secret("k"), Secret("s"), Secret("1-t"), Secret("u"), source="test", user_id="1")


class Client:
    """An X that has the profile, and raises what it is given."""

    skew_seconds = 0.0

    def __init__(self, *, send=None, card=None, typing=None):
        self.errors, self.sent = {"send": send, "card": card, "typing": typing}, []

    def _raise(self, call):
        if self.errors[call] is not None:
            raise self.errors[call]

    def now_ms(self):
        return NOW

    def find_user(self, handle):
        return {"customer": "12345"}[handle]

    def send_message(self, message, leaves_by_ms=None):
        self._raise("send")
        self.sent.append(message)
        return SentMessage("9", "1", message.recipient_id, message.profile_id, message.text, NOW)

    def sent_messages(self, _recipient_id, _since_ms):
        return []

    def indicate_typing(self, _recipient_id):
        self._raise("typing")

    def create_feedback(self, ask):
        self._raise("card")
        return Card("77", ask.survey, ask.external_id, ask.is_test, NOW, NOW)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "state" / "ledger.db"
    with open_for_writing(path) as ledger:
        ledger.register_account("acme", ACCOUNT, NOW)
        ledger.adopt("1", "alice", PROFILE, name=PROFILE.name, avatar="sha256:a", protected=False, now_ms=NOW)
    return path


@pytest.fixture
def send(path):
    """Return what sends "Hello" to @customer as Alice, who sits at a terminal unless a script speaks."""

    def send(client, *, survey=None, attended=True, typing=None, agrees=True):
        contents = Contents("Hello")
        with open_for_reading(path) as known, open_for_writing(path) as ledger:
            message_sender = MessageSender(
                Sender(ALICE, ACME), 1000, contents, None, None, SendContext(attended), survey, Policy(), known
            )
            message_sender.compose("@customer")
            prepared = message_sender.prepare(
                "@customer", connect=lambda: (client, CREDENTIALS), open_ledger=lambda: ledger
            )
            message = message_sender.compose_for(prepared)
            if not agrees:
                return message
            return message_sender.deliver(prepared, message, typing=typing)

    return send


def test_a_message_that_x_has_comes_back_with_its_receipt(send):
    """The recipient is an id by then, and nothing is wrong."""
    result = send(Client())

    assert (SendStatus.SENT, "12345", "9") == (result.status, result.message.recipient_id, result.receipt.event_id)
    assert (None, None, ()) == (result.card, result.error, result.warnings)


def test_what_a_person_agrees_to_is_what_would_leave_and_nothing_has(send):
    """The question gets the message with its recipient's id and its profile; until it is delivered nothing is sent."""
    client = Client()
    message = send(client, agrees=False)

    assert (("12345", "100001"), []) == ((message.recipient_id, message.profile_id), client.sent)


def test_an_unknown_outcome_is_a_result_without_a_receipt(send):
    """Whoever called learns for which message it is, and why nobody knows."""
    result = send(Client(send=OutcomeUnknown("no answer")))

    assert (SendStatus.UNKNOWN, None, "12345") == (result.status, result.receipt, result.message.recipient_id)
    assert isinstance(result.error, OutcomeUnknown)
    assert "nothing is confirmed; the same command looks into X's list before it sends" == result.error.hint
    assert datetime.fromtimestamp(NOW / 1000 + 10 + 30 + 60 + 1, UTC) == result.error.retry_at


def test_a_card_that_fails_leaves_the_message_sent(send):
    """The receipt stays, and the error says not to send again."""
    result = send(Client(card=Refused("no cards today")), survey=Survey.CSAT)

    assert (SendStatus.SENT, None) == (result.status, result.card)
    assert isinstance(result.error, PartlyDone)
    assert "the message is out: don't send it again" == result.error.hint


def test_a_repeat_asks_for_nothing(send):
    """A message that went out earlier gets no card, which a warning says."""
    first = send(Client(), survey=Survey.CSAT)
    second = send(Client(), survey=Survey.CSAT)

    assert (SendStatus.SENT, Survey.CSAT, ()) == (first.status, first.card, first.warnings)
    assert (SendStatus.ALREADY_SENT, None) == (second.status, second.card)
    assert ("no card was issued: the message went out earlier",) == second.warnings


def test_a_sign_of_typing_that_fails_costs_no_message(send):
    """It is a courtesy, so it ends as a warning."""
    result = send(Client(typing=Unreachable("no connection")), typing=Typing())

    assert (SendStatus.SENT, ("warning: no connection",)) == (result.status, result.warnings)


def test_typing_is_seen_for_a_while_before_the_message(send):
    """The pause comes between the sign and the message, and lasts for two seconds where nobody has read it."""
    client, pauses = Client(), []
    send(client, typing=Typing(pause=lambda seconds: pauses.append((seconds, len(client.sent)))))

    assert [(SHORTEST, 0)] == pauses
    assert 2.0 == SHORTEST


def test_a_script_is_refused_before_anything_is_opened(send):
    """Without a person nobody is asked for credentials, and X isn't either."""
    with pytest.raises(InputRefused, match="not sent: alice is a person, and there is no terminal to ask on"):
        send(None, attended=False)
