"""Fourteen facts stand in every `sent`: what a customer was shown, who wrote, and on whose behalf."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from profilectl.errors import OutcomeUnknown
from profilectl.messaging.compose import Contents, fingerprint
from profilectl.messaging.identity import Sender
from profilectl.messaging.send_rules import SendContext
from profilectl.messaging.sender import MessageSender
from profilectl.model import Account, Agent, Brand, Event, Intent, Kind, Message, Policy, Profile, Roster, SentMessage
from profilectl.roster.disclosure import MARKERS
from profilectl.roster.facts import profile_facts
from profilectl.secret import Credentials, Secret

NOW = 1_790_000_000_000
ACME = Brand("acme", "acmecare")
ALICE = Agent("alice", "acme", "Alice F.", "a.png", Kind.HUMAN)
HELPER = Agent("helper", "acme", "Acme Helper (bot)", "b.png", Kind.BOT)
CREDENTIALS = Credentials(Secret("k"), Secret("s"), Secret("7001-t"), Secret("u"), source="test", user_id="7001")
PLAN = "sha256:" + "f" * 64

FOURTEEN = {
    "time": lambda event: event.at_ms,
    "account": lambda event: event.account,
    "recipient": lambda event: event.detail["recipient_id"],
    "event id": lambda event: event.detail["event_id"],
    "text digest and length": lambda event: _text_digest(event) and event.detail["text_length"],
    "profile id and its echo": lambda event: event.profile_id == event.detail["echoed_profile_id"],
    "OS user, uids and host": lambda event: (
        "@" in event.detail["user"]
        and {"uid", "effective_uid", "login_uid", "uid_map", "parent"} <= event.detail.keys()
    ),
    "name and picture as shown": lambda event: event.detail["name"] and event.detail["picture"],
    "kind": lambda event: event.detail["kind"] in {"human", "bot"},
    "marker and language": lambda event: (
        (event.detail["marker"] is not None) == (event.detail["kind"] == "bot") and event.detail["language"]
    ),
    "first contact": lambda event: event.detail["first_contact"] in {True, False},
    "origin, and who": lambda event: event.detail["origin"] and event.detail["asked"] in {True, False},
    "on whose behalf": lambda event: event.detail["on_behalf_of"] == "@acmecare" and event.detail["brand"],
    "roster, plan and version": lambda event: (
        event.detail["roster"] and event.detail["plan"] == PLAN and event.detail["version"]
    ),
}


def _text_digest(event):
    return next(
        (value for name, value in event.detail.items() if name.startswith("text_") and name != "text_length"), ""
    )


class Client:
    """An X that takes messages, or keeps silent about having them."""

    skew_seconds = 0.0

    def __init__(self, *, is_silent=False):
        self.is_silent, self.sent = is_silent, []

    def now_ms(self):
        return NOW + 5000

    def send_message(self, message, _leaves_by_ms):
        number = f"9{message.profile_id}{len(self.sent)}"
        self.sent.append(
            SentMessage(number, "7001", message.recipient_id, message.profile_id, message.text, NOW + 5000)
        )
        if self.is_silent:
            self.is_silent, self.hides = False, True
            raise OutcomeUnknown("no answer")
        return self.sent[-1]

    def sent_messages(self, _recipient_id, _since_ms):
        return [] if self.__dict__.pop("hides", False) else self.sent


@pytest.fixture
def book(ledger):
    """A ledger with two profiles that a sync has made."""
    ledger.register_account("acme", Account("7001", "acmecare", "api.x.com"), NOW)
    facts = profile_facts(Roster((ACME,), (ALICE, HELPER)), {"acme": "7001"}, plan=PLAN)
    with ledger.noting(facts.of):
        for number, agent in enumerate((ALICE, HELPER)):
            ledger.begin_intent("7001", Intent(f"n{number}", agent.key, agent.name, "sha256:a", frozenset(), NOW))
            made = Profile(str(100001 + number), agent.name, "https://pbs.example/1.jpg", NOW)
            ledger.finish_intent("7001", f"n{number}", made, NOW + 1000, adopted=False)
    return ledger


def send(ledger, client, agent, text="Hello", *, attended=True):
    contents, context = Contents(text), SendContext(attended, parent="bash", roster="version = 1")
    policy = Policy(bot_markers=MARKERS)
    sender = MessageSender(Sender(agent, ACME), 1000, contents, None, None, context, None, policy, ledger)
    message = sender.compose("12345")
    return sender.send(message, connect=lambda: (client, CREDENTIALS), open_ledger=lambda: ledger)


def missing(event):
    """Return the names of those of the fourteen that an event doesn't tell."""
    return [name for name, tells in FOURTEEN.items() if not _tells(tells, event)]


def _tells(tells, event):
    try:
        return bool(tells(event))
    except KeyError:
        return False


def sent(ledger):
    return [record.event for record in ledger.events() if record.event.what == "sent"]


def test_every_sent_tells_fourteen_of_fourteen(book):
    """By a person, by a bot's script, a second one to the same customer, and one whose end a later run found out."""
    client = Client()
    send(book, client, ALICE)
    send(book, client, HELPER, attended=False)
    send(book, client, ALICE, "And another thing")
    silent = Client(is_silent=True)
    assert isinstance(send(book, silent, HELPER, "Once more").error, OutcomeUnknown)
    send(book, silent, HELPER, "Once more")

    assert 14 == len(FOURTEEN)
    assert [[]] * 4 == [missing(event) for event in sent(book)]
    assert [True, False, False, False] == [event.detail["first_contact"] for event in sent(book)]


def test_each_of_the_fourteen_can_be_missing(book):
    """The check above finds each fact that is taken out, so it does look."""
    send(book, Client(), HELPER)
    [event] = sent(book)
    bare = type(event)("sent", "", 0, None, "1", {"echoed_profile_id": None})
    assert list(FOURTEEN) == missing(bare)
    assert [] == missing(event)


def test_a_refused_repeat_is_no_first_contact(book):
    """The proof that a customer was written to stays, though the message that overwrote it never left."""
    send(book, Client(), ALICE)
    print_of = fingerprint(Message("alice", "acme", "12345", "Hello", "100001"), Contents("Hello"))
    former = book.dispatch("7001", f"auto:{print_of}")
    again = replace(former, nonce="again", event_id=None, confirmed=False)
    book.begin_send("7001", again, former)
    book.cancel_send("7001", again, Event("refused", "7001", NOW, "alice", "100001", {"nonce": "again"}))

    assert book.has_contact("7001", "12345")
    assert book.dispatch("7001", former.key) is None
